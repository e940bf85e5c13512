"""Readers that others wrote, each asked what it holds of a calendar: uid → (start, end, title, state)."""

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple, Self
from wsgiref.simple_server import WSGIRequestHandler, make_server


class Held(NamedTuple):
    """What a reader holds of an event; `cancelled` None where it does not tell."""

    start: datetime
    end: datetime
    title: str
    cancelled: bool | None


Reader = Callable[[bytes], dict[str, Held]]


def utc(moment: datetime) -> datetime:
    assert moment.tzinfo is not None, "the reader made it a floating time"
    return moment.astimezone(UTC)


def by_icalendar(body: bytes) -> dict[str, Held]:
    from icalendar import Calendar

    calendar = Calendar.from_ical(body)
    assert not calendar.errors
    return {
        str(event["uid"]): Held(
            utc(event.decoded("dtstart")), utc(event.decoded("dtend")), str(event["summary"]),
            event["status"] == "CANCELLED",
        )
        for event in calendar.walk("VEVENT")
    }  # fmt: skip


def by_vobject(body: bytes) -> dict[str, Held]:
    import vobject

    calendar = vobject.readOne(body.decode())
    calendar.validate(raiseException=True)
    return {
        event.uid.value: Held(
            utc(event.dtstart.value), utc(event.dtend.value), event.summary.value, event.status.value == "CANCELLED"
        )
        for event in calendar.contents.get("vevent", [])
    }


def by_home_assistant(body: bytes) -> dict[str, Held]:
    from ical.calendar_stream import IcsCalendarStream

    calendar = IcsCalendarStream.calendar_from_ics(body.decode())
    return {
        event.uid: Held(utc(event.start), utc(event.end), event.summary, event.status == "CANCELLED")
        for event in calendar.events
    }


def by_ics(body: bytes) -> dict[str, Held]:
    import ics

    return {
        event.uid: Held(utc(event.begin.datetime), utc(event.end.datetime), event.name, event.status == "CANCELLED")
        for event in ics.Calendar(body.decode()).events
    }


READERS: dict[str, Reader] = {
    "icalendar": by_icalendar,
    "vobject": by_vobject,
    "Home Assistant's ical": by_home_assistant,
    "ics": by_ics,
}


def ask(reader: Reader, body: bytes) -> dict[str, Held]:
    """Ask a reader; what it says about its own old ways is its own affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return reader(body)


# ---------------------------------------------------------------- a subscription with vdirsyncer, read by khal

VDIRSYNCER = """
[general]
status_path = "{folder}/status"
[pair nights]
a = "feed"
b = "kept"
collections = null
[storage feed]
type = "http"
url = "{url}"
[storage kept]
type = "filesystem"
path = "{folder}/nights"
fileext = ".ics"
"""
KHAL = """
[calendars]
[[nights]]
path = {folder}/nights
[sqlite]
path = {folder}/khal.db
[locale]
local_timezone = UTC
default_timezone = UTC
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%dT%H:%M
longdatetimeformat = %Y-%m-%dT%H:%M
"""
SEPARATOR = "\x1f"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_words) -> None:
        """Say nothing of each request."""


class Subscription:
    """A feed that vdirsyncer fetches from a real server into files, which khal then reads."""

    def __init__(self, app, path: str, folder: Path) -> None:
        self.folder = folder
        self.server = make_server("127.0.0.1", 0, app, handler_class=_Quiet)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        (folder / "nights").mkdir()
        url = f"http://127.0.0.1:{self.server.server_port}{path}"
        (folder / "vdirsyncer.conf").write_text(VDIRSYNCER.format(folder=folder, url=url))
        (folder / "khal.conf").write_text(KHAL.format(folder=folder))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_fault) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def sync(self) -> None:
        self._run("-m", "vdirsyncer", "-c", str(self.folder / "vdirsyncer.conf"), "discover")
        self._run("-m", "vdirsyncer", "-c", str(self.folder / "vdirsyncer.conf"), "sync")

    def held(self, first: date, last: date) -> dict[str, Held]:
        fields = SEPARATOR.join(("{uid}", "{start-long-full}", "{end-long-full}", "{title}", "{status}"))
        told = self._run(
            "-c", "from khal.cli import main_khal; main_khal()", "-c", str(self.folder / "khal.conf"), "list",
            "--once", "--day-format", "", "--format", fields, first.isoformat(), last.isoformat(),
        )  # fmt: skip
        found = {}
        for line in told.splitlines():
            if SEPARATOR in line:
                uid, start, end, title, status = line.split(SEPARATOR)
                cancelled = status.strip().upper() == "CANCELLED"
                found[uid] = Held(_khals(start), _khals(end), title, cancelled)
        return found

    def _run(self, *words: str) -> str:
        environment = os.environ | {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder), "TZ": "UTC"}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *words], env=environment, capture_output=True, text=True, timeout=60,
            input="y\ny\n", cwd=self.folder, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _khals(text: str) -> datetime:
    return datetime.strptime(text.strip(), "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)

"""The real server, started as in production, on a database of its own."""

import contextlib
import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from scheduler.bookings.tables import Booking
from scheduler.demo.actions import demo_phone
from scheduler.gaps.tables import Ask
from scheduler.kit.database import Database
from scheduler.money.tables import LedgerEntry
from scheduler.nights.tables import Night, Shift
from scheduler.people.rules import Acting
from scheduler.people.tables import Person
from scheduler.walks.queries import notes_missing
from tests import make

Result = TypeVar("Result")

ROOT = Path(__file__).parents[2]
MONDAY = "2026-11-23T12:00:00+01:00"
# Three hours before the walk of that Friday.
FRIDAY = "2026-11-27T18:00:00+01:00"
READY_WITHIN_SECONDS = 60
STOP_WITHIN_SECONDS = 10
# As `scripts/run` starts it, with one process.
WEB = (
    *("scheduler.serving", "--interface=wsgi", "--http=1", "--no-ws", "--workers=1", "--blocking-threads=32"),
    *("--no-access-log", "--log-level=error"),
)


def environment(database: Path, address: str, now: str) -> dict[str, str]:
    """Return the settings of a demo whose clock stands still."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SCHEDULER_", "TWILIO_"))},
        "SCHEDULER_DATABASE_URL": f"sqlite:///{database}",
        "SCHEDULER_SECRET_KEY": "a secret that only the browser's tests know",
        "SCHEDULER_PUBLIC_URL": address,
        "SCHEDULER_DEMO": "1",
        "SCHEDULER_DEMO_NOW": now,
        "PYTHONUNBUFFERED": "1",
    }


def prepare(database: Path) -> None:
    """Make the demo's database as it is on the Monday."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "scheduler", "prepare"],
        cwd=ROOT,
        env=environment(database, make.SITE, MONDAY),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"the database could not be prepared:\n{done.stdout}\n{done.stderr}"


class Site:
    """A running server. Its database can be set back to a kept state at any time."""

    def __init__(self, folder: Path, prepared: Path, now: str = MONDAY) -> None:
        self.address = f"http://127.0.0.1:{_free_port()}"
        self.now = datetime.fromisoformat(now)
        self.file = folder / "lykta.sqlite3"
        self.beginning = prepared
        self._log = folder / "server.log"
        self._read = 0
        self.restore(prepared)
        self.database = Database(f"sqlite:///{self.file}")
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", *WEB, f"--port={urlsplit(self.address).port}", "scheduler.wsgi:app"],
                cwd=ROOT,
                env=environment(self.file, self.address, now),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        port = urlsplit(self.address).port
        give_up_at = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < give_up_at and self._server.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"the server did not become ready:\n{self._log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.database.dispose()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._server.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(STOP_WITHIN_SECONDS)
                return

    def restore(self, kept: Path) -> None:
        """Set the database back, under the running server."""
        with contextlib.closing(sqlite3.connect(kept)) as source, contextlib.closing(sqlite3.connect(self.file)) as own:
            source.backup(own)

    def keep(self, file: Path) -> Path:
        """Write down how the database stands now, to come back to."""
        with (
            contextlib.closing(sqlite3.connect(self.file)) as source,
            contextlib.closing(sqlite3.connect(file)) as kept,
        ):
            source.backup(kept)
        return file

    def faults(self) -> list[str]:
        """Return what the server has logged as its own faults since the last time."""
        with self._log.open(errors="replace") as log:
            log.seek(self._read)
            lines = log.readlines()
            self._read = log.tell()
        return [line for line in lines if '"fault"' in line or '"status": 5' in line or "Traceback" in line]

    def sign_in(self, role: str) -> dict[str, str]:
        """Return the cookie of somebody who has just signed in as one of the demo's people."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", urlsplit(self.address).port)) as connection:
            connection.request("GET", f"/demo/sign-in/{role}", headers={"User-Agent": f"{role}'s other phone"})
            name, _, value = (connection.getresponse().headers["Set-Cookie"] or "").partition(";")[0].partition("=")
        return {"name": name, "value": value, "url": self.address}

    # What the tests ask of the database, and do behind the pages' back.

    def person(self, role: str) -> int:
        return self._ask(select(Person.id).where(Person.phone == demo_phone(role)))[0].id

    def phone(self, person_id: int) -> str:
        return str(self._ask(select(Person.phone).where(Person.id == person_id))[0].phone)

    def acting(self, person_id: int | None) -> Acting:
        return Acting(
            self._ask(select(Person.partnership_id))[0].partnership_id, person_id, self.now, make.STOCKHOLM, ""
        )

    def act(self, person_id: int, verb: Callable[..., Result], *arguments: Any, **more: Any) -> Result:
        """Let a person do one of the rooms' verbs."""

        def work(connection: Connection) -> Result:
            return verb(connection, self.acting(person_id), *arguments, **more)

        return self.database.write(work)

    def coming(self, days: int = 365) -> list[Any]:
        """Return the coming shifts that are open, by time: id, date, booked, wanted."""
        return self._ask(
            select(Shift.id, Night.date, Shift.booked, Shift.wanted)
            .join(Night, Night.id == Shift.night_id)
            .where(Shift.state == "published")
            .where(Shift.starts_at > self.now, Shift.starts_at < self.now + timedelta(days=days))
            .order_by(Shift.starts_at, Shift.id)
        )

    def without_note(self) -> int:
        """Return the shift that is over and still lacks its note."""
        partnership = self._ask(select(Night.partnership_id).limit(1))[0].partnership_id
        with self.database.reading() as connection:
            return notes_missing(connection, partnership, self.now)[-1].shift_id

    def settled(self) -> int:
        """Return a shift that stands in the account."""
        return int(self._ask(select(LedgerEntry.shift_id).where(LedgerEntry.shift_id.is_not(None)).limit(1))[0][0])

    def bookings(self, person_id: int) -> list[Any]:
        """Return the person's bookings of coming shifts that have not ended: id, shift_id, state."""
        return self._ask(
            select(Booking.id, Booking.shift_id, Booking.state)
            .join(Shift, Shift.id == Booking.shift_id)
            .where(Booking.person_id == person_id, Booking.state != "cancelled", Shift.starts_at > self.now)
            .order_by(Booking.id)
        )

    def missing(self, shift_id: int) -> int:
        """Return how many people the shift lacks to its minimum."""
        row = self._ask(select(Shift.minimum, Shift.booked).where(Shift.id == shift_id))[0]
        return max(int(row.minimum - row.booked), 0)

    def asks(self, shift_id: int) -> list[Any]:
        """Return who is asked about the shift, in order: id, person_id."""
        return self._ask(select(Ask.id, Ask.person_id).where(Ask.shift_id == shift_id).order_by(Ask.id))

    def walkers(self, shift_id: int) -> list[int]:
        rows = self._ask(select(Booking.person_id).where(Booking.shift_id == shift_id, Booking.state == "booked"))
        return [row.person_id for row in rows]

    def _ask(self, question: Any) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(question))


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])

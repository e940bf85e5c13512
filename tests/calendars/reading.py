"""A calendar program that asks by HTTP and reads with a parser of its own: strictly, as no program does."""

from datetime import UTC, datetime
from typing import Any

from scheduler.calendars import actions, queries
from scheduler.calendars.rules import CalendarKind
from tests import make
from tests.conftest import SECRET


def subscribe(database, town, person, kind=CalendarKind.MINE, subject=None, language="sv", now=make.NOW) -> str:
    """Return the path of a person's feed, made as the page makes it."""
    subject = (person if kind is CalendarKind.MINE else 0) if subject is None else subject
    acting = make.acting(town, person, now)
    database.write(lambda unit: actions.open_feed(unit, acting, kind, subject, language, SECRET))
    with database.reading() as connection:
        return f"/calendar/{queries.feed(connection, person, kind, subject, SECRET).token}.ics"


def events(body: bytes) -> dict[str, dict[str, str]]:
    """Return each event's properties by its uid, after checking every rule of the text itself."""
    assert body.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in body.replace(b"\r\n", b""), "every line ends with CRLF"
    for line in body.split(b"\r\n"):
        assert len(line) <= 75, "octets"
        line.decode()  # a fold never splits a character
        assert not [octet for octet in line if octet < 0x20 and octet != 0x09], "a control character"
    lines = body.replace(b"\r\n ", b"").decode().split("\r\n")
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert not [line for line in lines if line.startswith(("METHOD", "ATTENDEE", "ORGANIZER"))]
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT4H" in lines
    assert "X-PUBLISHED-TTL:PT4H" in lines
    assert [line for line in lines if line.startswith(("BEGIN:VEVENT", "BEGIN:VTIMEZONE"))], "one component at least"
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    inside: list[str] = []
    for line in lines[:-1]:
        name, _, value = line.partition(":")
        if name == "BEGIN":
            inside.append(value)
            current = {} if value == "VEVENT" else current
        elif name == "END":
            assert inside.pop() == value
            if value == "VEVENT":
                assert current["UID"] not in found, "a uid stands once"
                found[current["UID"]] = current
        elif inside[-1] == "VEVENT":
            assert name not in current, "a property stands once"
            current[name] = value
        elif inside[-1] == "VALARM":
            current[f"ALARM {name}"] = value
    assert inside == []
    for event in found.values():
        assert event["DTSTAMP"] == event["LAST-MODIFIED"]
        assert {"UID", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "STATUS"} <= event.keys()
    return found


def instant(value: str) -> datetime:
    return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


class Program:
    """Polls one address as a well-made program does: it sends back the tag that it was given."""

    def __init__(self, app, path: str, host: str = "127.0.0.1:8000") -> None:
        self.client = app.test_client()
        self.path, self.host, self.etag = path, host, ""
        self.answer: Any = None

    def poll(self, status: int | None = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = self.client.get(self.path, base_url=f"http://{self.host}", headers=sent)
        if status is not None:
            assert self.answer.status_code == status, self.answer.data[:300]
        return self.answer

    def events(self) -> dict[str, dict[str, str]]:
        """Fetch it whole and return its events by their shift's id."""
        found = events(self.poll(200).data)
        return {int(uid.partition("@")[0].split("-")[1]): event for uid, event in found.items()}

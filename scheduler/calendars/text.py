"""iCalendar text (RFC 5545, RFC 7986), by the `icalendar` library from explicit values: nothing of it hangs on the
present moment, on chance or on the machine's time zone.

Instants are written in UTC. An ordinary walk ends on the very hour that repeats or is missing when clocks change,
and most readers get that hour wrong in local time, even with a right VTIMEZONE.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from scheduler.calendars.rules import Content

if TYPE_CHECKING:
    from icalendar import Alarm, Event

PRODUCER = "-//Lykta//Night walks 1//EN"
LOOK_AGAIN_AFTER = timedelta(hours=4)
# A calendar must hold a component (RFC 5545, 3.6), and one that is empty is wiped or refused as a mishap by some
# programs. This one shows nothing and means nothing: every instant of the calendar is in UTC.
NOTHING_TO_SHOW = (
    "BEGIN:VTIMEZONE\r\nTZID:Etc/UTC\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:+0000\r\nTZOFFSETTO:+0000\r\nTZNAME:UTC\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
END = "END:VCALENDAR\r\n"


class Stamp(NamedTuple):
    """How often an event has visibly changed, and when it last did."""

    sequence: int
    changed_at: datetime


def block(content: Content, stamp: Stamp) -> str:
    """Return one event. Without a METHOD its DTSTAMP is the moment of its last revision (RFC 5545, 3.8.7.2)."""
    from icalendar import Event

    changed_at = stamp.changed_at.astimezone(UTC).replace(microsecond=0)
    event = Event()
    event.add("uid", content.uid)
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("sequence", stamp.sequence)
    event.add("dtstart", content.starts_at.astimezone(UTC))
    event.add("dtend", content.ends_at.astimezone(UTC))
    event.add("summary", content.title)
    event.add("description", content.description)
    event.add("location", content.location)
    if content.position is not None:
        event.add("geo", content.position)
    event.add("url", content.url)
    event.add("status", "CANCELLED" if content.cancelled else "CONFIRMED")
    event.add("transp", "OPAQUE" if content.busy else "TRANSPARENT")
    if content.alarm is not None:
        event.add_component(_alarm(*content.alarm))
    return str(event.to_ical().decode())


def _alarm(minutes: int, words: str) -> "Alarm":
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    # Required: one reader rejects the whole calendar for an alarm without it.
    alarm.add("description", words)
    alarm.add("trigger", timedelta(minutes=-minutes))
    return alarm


def whole(name: str, blocks: Iterable[str]) -> bytes:
    """Return a calendar with these events."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCER)
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    # RFC 7986 requires the parameter; the second spelling is the one that Outlook reads.
    calendar.add("refresh-interval", LOOK_AGAIN_AFTER, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT4H")
    head = calendar.to_ical().decode().removesuffix(END)
    return f"{head}{''.join(blocks) or NOTHING_TO_SHOW}{END}".encode()


class Invitation(NamedTuple):
    """A meeting to which people are invited by name and address. `answers_to` tells whether the organizer reads
    answers."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    title: str
    description: str
    location: str
    organizer: tuple[str, str]
    answers_to: bool
    attendees: tuple[tuple[str, str], ...]
    cancelled: bool


def method(meeting: Invitation) -> str:
    """Return what a file does to calendars."""
    if meeting.cancelled:
        return "CANCEL"
    return "REQUEST" if meeting.attendees else "PUBLISH"


def invitation(meeting: Invitation, stamp: Stamp) -> bytes:
    """Return a file by which calendar programs take a meeting in, or out again (RFC 5546, 3.2: METHOD REQUEST and
    CANCEL; PUBLISH when nobody is invited by address, since a request must have an attendee).

    The organizer, who is asked for nothing, is among the attendees as one who comes (3.2.2). Nobody is asked to answer
    an organizer who does not read it.
    """
    from icalendar import vCalAddress

    def address(name: str, mail: str) -> vCalAddress:
        found = vCalAddress(f"mailto:{mail}")
        # Some programs end a name at the first quotation mark, caret or semicolon, also inside quotation marks.
        found.params["CN"] = " ".join(re.sub(r'["^;]', " ", name).split())
        return found

    event = _event(meeting, stamp)
    event.add("organizer", address(*meeting.organizer))
    for name, mail in meeting.attendees:
        attendee = address(name, mail)
        own = mail == meeting.organizer[1]
        asked = meeting.answers_to and not own and not meeting.cancelled
        attendee.params["ROLE"] = "REQ-PARTICIPANT"
        attendee.params["PARTSTAT"] = "ACCEPTED" if own else "NEEDS-ACTION"
        attendee.params["RSVP"] = "TRUE" if asked else "FALSE"
        event.add("attendee", attendee)
    return _file(event, method(meeting))


def own_copy(meeting: Invitation, stamp: Stamp) -> bytes:
    """Return a file with the meeting alone, for the calendar of who calls it: no METHOD, organizer or attendees
    (RFC 5545, 3.8.4.3). Outlook tells an organizer who opens her own request that she need not answer, and keeps
    nothing (github.com/sendgrid/sendgrid-csharp/issues/907, github.com/civicrm/civicrm-core/pull/28954)."""
    return _file(_event(meeting, stamp))


def _event(meeting: Invitation, stamp: Stamp) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", meeting.uid)
    event.add("dtstamp", stamp.changed_at.astimezone(UTC).replace(microsecond=0))
    event.add("sequence", stamp.sequence)
    event.add("dtstart", meeting.starts_at.astimezone(UTC))
    event.add("dtend", meeting.ends_at.astimezone(UTC))
    event.add("summary", meeting.title)
    event.add("description", meeting.description)
    event.add("location", meeting.location)
    event.add("status", "CANCELLED" if meeting.cancelled else "CONFIRMED")
    return event


def _file(event: "Event", does: str = "") -> bytes:
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCER)
    if does:
        calendar.add("method", does)
    calendar.add_component(event)
    return bytes(calendar.to_ical())

"""What a queued text about a walk is now, read just before it leaves: made anew from the facts, or no longer so."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.rules import BookingState, reminder_deadline, reminders_at
from scheduler.bookings.tables import Booking
from scheduler.bookings.telling import walk_words
from scheduler.kit.database import AnyRow
from scheduler.messages.rereading import Fresh
from scheduler.messages.rules import REMINDERS, MessageKind
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Partnership
from scheduler.people.tables import Person


def _offered(_message: AnyRow, booking: AnyRow | None, now: datetime) -> bool:
    return (
        booking is not None
        and booking.state is BookingState.WAITING
        and booking.offered_until is not None
        and booking.offered_until > now
    )


def _booked(_message: AnyRow, booking: AnyRow | None, _now: datetime) -> bool:
    return booking is not None and booking.state is BookingState.BOOKED


def _handing_over(message: AnyRow, booking: AnyRow | None, now: datetime) -> bool:
    return (
        booking is not None
        and _booked(message, booking, now)
        and booking.handing_over_since is not None
        and booking.handing_over_to in {None, message.person_id}
    )


# Is it still so? A kind that is not here tells of what has happened, which stays true.
STILL_SO: dict[MessageKind, Callable[[Any, Any, datetime], bool]] = {
    MessageKind.REMINDER_TWO_DAYS: _booked,
    MessageKind.REMINDER_THREE_HOURS: _booked,
    MessageKind.PLACE_OFFERED: _offered,
    MessageKind.PLACE_FREE_FIRST_ANSWER: _offered,
    MessageKind.PLACE_YOURS: _booked,
    MessageKind.MOVED: _booked,
    MessageKind.OTHER_PLACE: _booked,
    MessageKind.PUT_ON: _booked,
    MessageKind.HAND_OVER_OFFERED: _handing_over,
    MessageKind.HAND_OVER_ASKED: _handing_over,
}


def reread(connection: Connection, messages: Sequence[AnyRow], now: datetime) -> dict[int, Fresh | None]:
    """Return each text of "booking:…", "hand_over:…" or "shift:…" as it is now; None for what is no longer so."""
    shifts = _by_id(
        connection.execute(
            select(*SHIFT_COLUMNS, Shift.id, Partnership.time_zone)
            .join(Night, Night.id == Shift.night_id)
            .join(Area, Area.id == Shift.area_id)
            .join(Partnership, Partnership.id == Shift.partnership_id)
            .where(Shift.id.in_({message.shift_id for message in messages}))
        )
    )
    bookings = _by_id(
        connection.execute(
            select(
                Booking.id,
                Booking.state,
                Booking.offered_until,
                Booking.handing_over_since,
                Booking.handing_over_to,
            ).where(Booking.id.in_({int(message.about.partition(":")[2]) for message in messages}))
        )
    )
    people = _by_id(
        connection.execute(
            select(Person.id, Person.phone, Person.language).where(
                Person.id.in_({message.person_id for message in messages})
            )
        )
    )
    return {
        message.id: _fresh(message, shifts.get(message.shift_id), bookings, people.get(message.person_id), now)
        for message in messages
    }


def _by_id(rows: Any) -> dict[int, AnyRow]:  # noqa: ANN401 - rows of any columns
    return {row.id: row for row in rows}


def _fresh(
    message: AnyRow, shift: AnyRow | None, bookings: dict[int, AnyRow], person: AnyRow | None, now: datetime
) -> Fresh | None:
    if shift is None or person is None or shift.starts_at <= now:
        return None
    called_off = message.kind is MessageKind.CALLED_OFF
    if called_off != (shift.state is ShiftState.CALLED_OFF):
        return None
    room, _, number = message.about.partition(":")
    booking = bookings.get(int(number)) if room != "shift" else None
    still_so = STILL_SO.get(message.kind)
    if still_so is not None and not still_so(message, booking, now):
        return None
    zone = ZoneInfo(shift.time_zone)
    fresh = walk_words(shift, zone, person.language)
    if message.kind is MessageKind.LATE_CANCELLATION:
        fresh |= {"booked": str(shift.booked), "wanted": str(shift.wanted)}
    due_at, deadline_at = None, shift.starts_at
    if message.kind in REMINDERS:
        if message.kind is MessageKind.REMINDER_THREE_HOURS and message.starts_at != shift.starts_at:
            return None  # the walk was moved: the planner makes another reminder, for its new start
        due_at = reminders_at(shift.date, shift.starts_at, zone)[message.kind]
        deadline_at = reminder_deadline(message.kind, shift.starts_at)
        if deadline_at <= now:
            return None
    return Fresh(person.phone, person.language, {**message.words, **fresh}, shift.starts_at, due_at, deadline_at)

"""Planning the reminders: the worker asks each minute which walks are due one and have none.

Nothing is queued when somebody books: a reminder is made of the facts of its hour, so a walk that was moved,
called off or left in the meantime needs no mending. The fact's key keeps each one single, however many workers
plan at once and whatever the clock does.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, String, and_, cast, exists, literal, select

from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.rules import BookingState, reminder_deadline, reminders_at
from scheduler.bookings.tables import Booking
from scheduler.bookings.telling import text_about, walk_words
from scheduler.kit.database import AnyRow, AnySelect
from scheduler.messages.actions import Recipient, Text, queue_many
from scheduler.messages.rules import MessageKind, MessageState
from scheduler.messages.tables import Message
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Partnership
from scheduler.people.tables import Person

BATCH = 500
# Planned so long before they are due that a worker's short rest delays nothing.
AHEAD = timedelta(minutes=10)
# Two days before at 18:00 is at most so long before the start, clock changes and late starts included.
WITHIN = {
    MessageKind.REMINDER_TWO_DAYS: timedelta(hours=66),
    MessageKind.REMINDER_THREE_HOURS: timedelta(hours=3),
}


def _without(kind: MessageKind) -> AnySelect:
    """Booked walks that are near and have no reminder of this kind; one of an earlier start does not count."""
    same = and_(Message.about == literal("booking:") + cast(Booking.id, String), Message.kind == kind)
    if kind is MessageKind.REMINDER_THREE_HOURS:
        same = and_(same, Message.starts_at == Shift.starts_at)
    return (
        select(
            *SHIFT_COLUMNS,
            Booking.id.label("booking_id"),
            Booking.made_at,
            Booking.partnership_id,
            Person.id.label("person_id"),
            Person.phone,
            Person.language,
            Partnership.time_zone,
        )
        .select_from(Booking)
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .join(Person, Person.id == Booking.person_id)
        .join(Partnership, Partnership.id == Booking.partnership_id)
        .where(
            Booking.state == BookingState.BOOKED,
            Shift.state == ShiftState.PUBLISHED,
            ~exists().where(same).correlate(Booking, Shift),
        )
    )


def plan_batch(
    connection: Connection, kind: MessageKind, after_booking_id: int, now: datetime, sites: Mapping[int, str]
) -> tuple[int, int]:
    """Queue the reminders of one kind for the next 500 walks by booking id, by one read and one write.

    `sites` are the public addresses of the partnerships. Returns how many were queued and the last booking's id,
    0 when there are no more.
    """
    rows = connection.execute(
        _without(kind)
        .where(
            Booking.id > after_booking_id,
            Shift.starts_at > now,
            Shift.starts_at <= now + WITHIN[kind] + AHEAD,
        )
        .order_by(Booking.id)
        .limit(BATCH)
    ).all()
    letters = [
        (row.partnership_id, Recipient(row.phone, row.language, row.person_id), text)
        for row in rows
        # A partnership that was founded a moment ago is known at the next look.
        if (site := sites.get(row.partnership_id)) and (text := _reminder(row, kind, now, site))
    ]
    queue_many(connection, letters, now)
    return len(letters), rows[-1].booking_id if len(rows) == BATCH else 0


def _reminder(row: AnyRow, kind: MessageKind, now: datetime, site: str) -> Text | None:
    zone = ZoneInfo(row.time_zone)
    due_at = reminders_at(row.date, row.starts_at, zone)[kind]
    deadline_at = reminder_deadline(kind, row.starts_at)
    if not row.made_at < due_at <= now + AHEAD or deadline_at <= now:
        return None
    said = {**walk_words(row, zone, row.language), "link": f"{site}/bookings/{row.booking_id}"}
    each = f":{int(row.starts_at.timestamp())}" if kind is MessageKind.REMINDER_THREE_HOURS else ""
    text = text_about(row, kind, row.booking_id, due_at, said, each)
    return replace(text, deadline_at=deadline_at)


def note_told(connection: Connection, row: AnyRow, booking_id: int, now: datetime) -> None:
    """Keep the three-hour reminder of a walk from being sent: its text would repeat what was told just now."""
    zone = ZoneInfo(row.time_zone)
    text = text_about(
        row,
        MessageKind.REMINDER_THREE_HOURS,
        booking_id,
        now,
        {**walk_words(row, zone, row.language), "link": ""},
        f":{int(row.starts_at.timestamp())}",
    )
    to = Recipient(row.phone, row.language, row.person_id)
    queue_many(connection, [(row.partnership_id, to, replace(text, state=MessageState.DROPPED, question=None))], now)

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.bookings.telling import walk_words
from scheduler.kit.database import AnyRow
from scheduler.kit.phone import as_swedes_write
from scheduler.messages.rules import LEFT, Answer, QuestionKind
from scheduler.messages.tables import Message
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Partnership
from scheduler.people.tables import Person

REMEMBERED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody with the number that a text came from, and the partnership she walks in."""

    person_id: int
    partnership_id: int
    first_name: str
    last_name: str
    phone: str
    language: str
    zone: ZoneInfo
    site: str
    coordinator_phone: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that we texted."""

    message_id: int
    person_id: int
    kind: QuestionKind
    subject_id: int
    shift_id: int | None
    answer_by: datetime
    choices: dict[str, Any]
    answer: Answer | None


def senders(connection: Connection, phone: str, public_url: str) -> list[Sender]:
    """Return everybody with this E.164 number: at most one in each partnership of the deployment."""
    rows = connection.execute(
        select(
            Person.id,
            Person.partnership_id,
            Person.first_name,
            Person.last_name,
            Person.phone,
            Person.language,
            Partnership.host_name,
            Partnership.time_zone,
            Partnership.coordinator_phone,
        )
        .join(Partnership, Partnership.id == Person.partnership_id)
        .where(Person.phone == phone)
        .order_by(Person.id)
    )
    scheme = public_url.partition("://")[0]
    return [
        Sender(
            row.id,
            row.partnership_id,
            row.first_name,
            row.last_name,
            row.phone,
            row.language,
            ZoneInfo(row.time_zone),
            f"{scheme}://{row.host_name}" if row.host_name else public_url,
            as_swedes_write(row.coordinator_phone),
        )
        for row in rows
    ]


def asked(connection: Connection, person_ids: Sequence[int], now: datetime) -> list[Asked]:
    """Return the questions that these people were texted in the last week, the latest first."""
    rows = connection.execute(
        select(
            Message.id,
            Message.person_id,
            Message.question,
            Message.subject_id,
            Message.shift_id,
            Message.answer_by,
            Message.choices,
            Message.answer,
        )
        .where(
            Message.person_id.in_(person_ids),
            Message.question.is_not(None),
            Message.state.in_(LEFT),
            Message.claimed_at >= now - REMEMBERED,
        )
        .order_by(Message.claimed_at.desc(), Message.id.desc())
        .limit(30)
    )
    return [
        Asked(
            row.id,
            row.person_id,
            row.question,
            row.subject_id,
            row.shift_id,
            row.answer_by,
            row.choices or {},
            row.answer,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Walk:
    """A coming walk of somebody, as a text names it."""

    booking_id: int
    shift_id: int
    starts_at: datetime
    words: dict[str, str]


def coming_walks(connection: Connection, sender: Sender, now: datetime) -> list[Walk]:
    """Return the sender's booked walks that have not begun, by time."""
    rows = connection.execute(
        _WALK.join(Booking, Booking.shift_id == Shift.id)
        .add_columns(Booking.id.label("booking_id"))
        .where(
            Booking.person_id == sender.person_id,
            Booking.state == BookingState.BOOKED,
            Shift.state == ShiftState.PUBLISHED,
            Shift.starts_at > now,
        )
        .order_by(Shift.starts_at)
        .limit(9)
    )
    return [Walk(row.booking_id, row.shift_id, row.starts_at, _words(row, sender)) for row in rows]


def words_of_shift(connection: Connection, sender: Sender, shift_id: int | None) -> dict[str, str]:
    """Return the words for a text about a shift, in the sender's language; empty ones where there is none."""
    row = connection.execute(_WALK.where(Shift.id == shift_id)).first() if shift_id is not None else None
    if row is None:
        return dict.fromkeys(("day", "starts", "ends", "meets", "area", "place"), "")
    return _words(row, sender)


def _words(row: AnyRow, sender: Sender) -> dict[str, str]:
    return walk_words(row, sender.zone, sender.language)


_WALK = (
    select(*SHIFT_COLUMNS)
    .select_from(Shift)
    .join(Night, Night.id == Shift.night_id)
    .join(Area, Area.id == Shift.area_id)
)

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, or_, select

from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.refusals import NotFound
from scheduler.messages import standing
from scheduler.messages.rules import Answer, MessageKind, MessageState, TextGroup
from scheduler.messages.tables import Incoming, Message
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership, Person
from scheduler.sendings.rules import Audience, AudienceKind, Receiver

MOST_SHOWN = 200
NIGHTS_SHOWN = 14
AGAIN = frozenset({MessageState.UNDELIVERED, MessageState.FAILED, MessageState.UNSETTLED})


@dataclass(frozen=True, slots=True)
class SentText:
    """A text as a coordinator sees it. `at` is when it left, or is to leave; `again` whether it may be sent again."""

    id: int
    person_id: int | None
    name: str
    phone: str
    kind: MessageKind
    body: str
    at: datetime
    state: MessageState
    error: str
    answer: Answer | None
    again: bool


def texts(
    connection: Connection,
    partnership_id: int,
    now: datetime,
    *,
    shift_id: int | None = None,
    person_id: int | None = None,
    since: datetime | None = None,
) -> list[SentText]:
    """Return texts about a shift, to a person, or since an instant, the latest first. Codes are never shown."""
    wanted = (
        select(
            Message.id,
            Message.person_id,
            Person.first_name,
            Person.last_name,
            Message.to_phone,
            Message.kind,
            Message.body,
            func.coalesce(Message.sent_at, Message.claimed_at, Message.due_at, type_=Message.due_at.type).label("at"),
            Message.state,
            Message.error,
            Message.answer,
            Message.deadline_at,
        )
        .outerjoin(Person, Person.id == Message.person_id)
        .where(
            Message.partnership_id == partnership_id,
            Message.kind.not_in([MessageKind.SIGN_IN_CODE, MessageKind.NUMBER_CODE, MessageKind.NUMBER_ASKED]),
        )
        .order_by(Message.id.desc())
        .limit(MOST_SHOWN)
    )
    if shift_id is not None:
        wanted = wanted.where(Message.shift_id == shift_id)
    if person_id is not None:
        wanted = wanted.where(Message.person_id == person_id)
    if since is not None:
        wanted = wanted.where(or_(Message.queued_at >= since, Message.claimed_at >= since, Message.due_at >= since))
        wanted = wanted.where(or_(Message.due_at < since + timedelta(days=1), Message.claimed_at.is_not(None)))
    return [
        SentText(
            row.id,
            row.person_id,
            f"{row.first_name} {row.last_name}" if row.first_name else "",
            row.to_phone,
            row.kind,
            row.body,
            row.at,
            row.state,
            row.error or "",
            row.answer,
            row.state in AGAIN and row.deadline_at > now,
        )
        for row in connection.execute(wanted)
    ]


def midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the day of `now` began in the zone."""
    return datetime.combine(now.astimezone(zone).date(), time(), tzinfo=zone)


@dataclass(frozen=True, slots=True)
class CameIn:
    """A text from somebody, for a person to read."""

    id: int
    person_id: int
    name: str
    phone: str
    body: str
    at: datetime


def to_read(connection: Connection, partnership_id: int) -> list[CameIn]:
    """Return the texts that nobody has read yet, the latest first."""
    rows = connection.execute(
        select(
            Incoming.id,
            Incoming.person_id,
            Person.first_name,
            Person.last_name,
            Person.phone,
            Incoming.body,
            Incoming.received_at,
        )
        .join(Person, Person.id == Incoming.person_id)
        .where(Incoming.partnership_id == partnership_id, Incoming.passed_on, Incoming.seen_at.is_(None))
        .order_by(Incoming.id.desc())
        .limit(50)
    )
    return [
        CameIn(row.id, row.person_id, f"{row.first_name} {row.last_name}", row.phone, row.body, row.received_at)
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Choices:
    """Whom a coordinator may choose: coming nights (with how many are booked), clubs, and everybody."""

    nights: list[tuple[date, int]]
    clubs: list[tuple[int, str]]


def choices(connection: Connection, partnership_id: int, today: date) -> Choices:
    """Return the audiences to choose from."""
    nights = connection.execute(
        select(Night.date, func.sum(Shift.booked))
        .join(Shift, Shift.night_id == Night.id)
        .where(Night.partnership_id == partnership_id, Night.date >= today, Shift.state == ShiftState.PUBLISHED)
        .group_by(Night.date)
        .having(func.sum(Shift.booked) > 0)
        .order_by(Night.date)
        .limit(NIGHTS_SHOWN)
    )
    listed = connection.execute(
        select(Club.id, Club.name).where(Club.partnership_id == partnership_id).order_by(Club.name)
    )
    return Choices([(row[0], int(row[1])) for row in nights], [(row.id, row.name) for row in listed])


def receivers(connection: Connection, partnership_id: int, to: Audience) -> list[Receiver]:
    """Return who is in an audience, each once, by name. Raises NotFound for somebody else's shift or person."""
    wanted = (
        select(Person.id, Person.first_name, Person.last_name, Person.phone, Person.language)
        .where(Person.partnership_id == partnership_id)
        .distinct()
        .order_by(Person.first_name, Person.last_name, Person.id)
    )
    rows = connection.execute(_narrowed(wanted, to)).all()
    if not rows and to.kind in {AudienceKind.PERSON, AudienceKind.SHIFT}:
        _check_own(connection, partnership_id, to)
    known = standing.standings(connection, {row.phone for row in rows})
    chosen = standing.preferences(connection, [row.id for row in rows])
    return [
        Receiver(
            row.id,
            f"{row.first_name} {row.last_name}",
            row.phone,
            row.language,
            reachable=_is_reachable(known.get(row.phone, standing.REACHABLE), chosen.get(row.id, standing.UNCHANGED)),
        )
        for row in rows
    ]


def still_in(connection: Connection, partnership_id: int, to: Audience, person_ids: Collection[int]) -> set[int]:
    """Return which of these people are in an audience now."""
    wanted = select(Person.id).where(Person.partnership_id == partnership_id, Person.id.in_(person_ids))
    return set(connection.execute(_narrowed(wanted, to)).scalars())


def _is_reachable(known: standing.Standing, chosen: standing.Preference) -> bool:
    return known.dead_at is None and known.stopped_at is None and TextGroup.NEWS not in chosen.off


def _narrowed(wanted: Any, to: Audience) -> Any:  # noqa: ANN401 - a select of any columns
    booked = wanted.join(Booking, Booking.person_id == Person.id).where(Booking.state == BookingState.BOOKED)
    match to.kind:
        case AudienceKind.PERSON:
            return wanted.where(Person.id == to.number)
        case AudienceKind.SHIFT:
            return booked.where(Booking.shift_id == to.number)
        case AudienceKind.UNANSWERED:
            return booked.where(Booking.shift_id == to.number, Booking.confirmed_at.is_(None))
        case AudienceKind.NIGHT:
            return (
                booked.join(Shift, Shift.id == Booking.shift_id)
                .join(Night, Night.id == Shift.night_id)
                .where(Night.date == to.night)
            )
    member = wanted.join(Membership, Membership.person_id == Person.id).where(
        Membership.state == MembershipState.APPROVED
    )
    return member.where(Membership.club_id == to.number) if to.kind is AudienceKind.CLUB else member


def _check_own(connection: Connection, partnership_id: int, to: Audience) -> None:
    table = Person if to.kind is AudienceKind.PERSON else Shift
    found = connection.execute(select(table.id).where(table.id == to.number, table.partnership_id == partnership_id))
    if found.first() is None:
        raise NotFound


def next_start(connection: Connection, partnership_id: int, to: Audience, now: datetime) -> datetime | None:
    """Return when the walk starts that a sending is about, where it is about one."""
    wanted = select(func.min(Shift.starts_at, type_=Shift.starts_at.type)).where(
        Shift.partnership_id == partnership_id, Shift.starts_at > now
    )
    if to.kind is AudienceKind.NIGHT:
        wanted = wanted.join(Night, Night.id == Shift.night_id).where(Night.date == to.night)
    elif to.kind in {AudienceKind.SHIFT, AudienceKind.UNANSWERED}:
        wanted = wanted.where(Shift.id == to.number)
    else:
        return None
    return connection.execute(wanted).scalar()


def shift_name(connection: Connection, partnership_id: int, shift_id: int) -> tuple[date, str]:
    """Return night and area of a shift. Raises NotFound."""
    row = connection.execute(
        select(Night.date, Area.name)
        .join(Shift, Shift.night_id == Night.id)
        .join(Area, Area.id == Shift.area_id)
        .where(Shift.id == shift_id, Shift.partnership_id == partnership_id)
    ).first()
    if row is None:
        raise NotFound
    return row[0], row[1]

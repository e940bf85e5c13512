"""What the product keeps of one person, read from every room, for that person alone."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, select

from scheduler.bookings.tables import Booking
from scheduler.calendars.tables import Calendar, CalendarFeed
from scheduler.gaps.tables import Ask
from scheduler.kit.audit import AuditEntry
from scheduler.kit.database import AnySelect
from scheduler.messages import standing
from scheduler.messages.tables import Incoming, Message
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club, Partnership
from scheduler.people import notes
from scheduler.people.rules import NEVER
from scheduler.people.tables import Membership, Person, RoleGrant, SignInSession
from scheduler.steering.queries import seats
from scheduler.walks.tables import Arrival, WalkedFor, WalkNote

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that is kept of a person. Each row is a dictionary of plain values; instants are aware."""

    partnership: str
    read_at: datetime
    details: dict[str, Any]
    texts_chosen: dict[str, Any]
    memberships: Rows
    roles: Rows
    steering: Rows
    walks: Rows
    notes: Rows
    noted_about_me: Rows
    questions: Rows
    texts_to_me: Rows
    texts_from_me: Rows
    devices: Rows
    calendars: Rows
    log: Rows


def kept(connection: Connection, partnership_id: int, person_id: int, now: datetime) -> Kept:
    """Return everything that is kept of a person: what was typed, what happened, and what was written down."""
    details = connection.execute(
        select(
            *(Person.id, Person.first_name, Person.last_name, Person.phone, Person.born_on, Person.language),
            *(Person.values_agreed_at, Person.created_at, Person.may_lead_since, Person.extract_seen_on),
            Partnership.name.label("partnership"),
        )
        .join(Partnership, Partnership.id == Person.partnership_id)
        .where(Person.id == person_id, Person.partnership_id == partnership_id)
    ).one()
    chosen = standing.preference(connection, person_id)
    number = standing.standing(connection, details.phone)

    def rows(wanted: AnySelect) -> Rows:
        return [dict(row._mapping) for row in connection.execute(wanted)]  # noqa: SLF001 - SQLAlchemy's own name for it

    return Kept(
        partnership=details.partnership,
        read_at=now,
        details={
            **{name: value for name, value in details._mapping.items() if name != "partnership"},  # noqa: SLF001
            "values_agreed_at": None if details.values_agreed_at == NEVER else details.values_agreed_at,
        },
        texts_chosen={
            "off": sorted(chosen.off),
            "not_after": chosen.quiet.starts,
            "not_before": chosen.quiet.ends,
            "stopped_at": number.stopped_at,
            "number_found_dead_at": number.dead_at,
        },
        memberships=rows(_memberships(person_id)),
        roles=rows(_roles(person_id)),
        steering=_seats(connection, person_id),
        walks=rows(_walks(person_id)),
        notes=rows(_notes(person_id)),
        noted_about_me=[dict(row._mapping) for row in notes.about(connection, person_id)],  # noqa: SLF001
        questions=rows(_questions(person_id)),
        texts_to_me=rows(
            select(Message.to_phone, Message.kind, Message.body, Message.state, Message.queued_at, Message.sent_at)
            .where(Message.person_id == person_id)
            .order_by(Message.id)
        ),
        texts_from_me=rows(
            select(Incoming.body, Incoming.meaning, Incoming.received_at)
            .where(Incoming.person_id == person_id)
            .order_by(Incoming.id)
        ),
        devices=rows(_devices(person_id)),
        calendars=rows(_calendars(person_id)),
        log=rows(
            select(AuditEntry.at, AuditEntry.what, AuditEntry.shift_id, AuditEntry.before, AuditEntry.after)
            .where(AuditEntry.partnership_id == partnership_id, AuditEntry.person_id == person_id)
            .order_by(AuditEntry.id)
        ),
    )


def _memberships(person_id: int) -> AnySelect:
    return (
        select(Club.name.label("club"), Membership.state, Membership.asked_at, Membership.decided_at)
        .join(Club, Club.id == Membership.club_id)
        .where(Membership.person_id == person_id)
        .order_by(Membership.id)
    )


def _roles(person_id: int) -> AnySelect:
    return (
        select(RoleGrant.role, Club.name.label("club"))
        .outerjoin(Club, Club.id == RoleGrant.club_id)
        .where(RoleGrant.person_id == person_id)
        .order_by(RoleGrant.id)
    )


def _seats(connection: Connection, person_id: int) -> Rows:
    return [{"partner": one.partner, "name": one.name, "email": one.email} for one in seats(connection, person_id)]


def _devices(person_id: int) -> AnySelect:
    return (
        select(SignInSession.device, SignInSession.created_at, SignInSession.last_seen_at, SignInSession.ended_at)
        .where(SignInSession.person_id == person_id)
        .order_by(SignInSession.id)
    )


def _questions(person_id: int) -> AnySelect:
    return (
        select(Night.date, Area.name.label("area"), Ask.state, Ask.asked_at, Ask.answered_at)
        .join(Shift, Shift.id == Ask.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(Ask.person_id == person_id)
        .order_by(Ask.id)
    )


def _calendars(person_id: int) -> AnySelect:
    feed = CalendarFeed
    return (
        select(Calendar.kind, feed.made_at, feed.ended_at, feed.fetched_at, feed.fetched_by)
        .join(Calendar, Calendar.id == feed.calendar_id)
        .where(feed.person_id == person_id)
        .order_by(feed.id)
    )


def _walks(person_id: int) -> AnySelect:
    return (
        select(
            *(Night.date, Area.name.label("area"), Shift.starts_at, Shift.ends_at, Booking.state, Booking.made_at),
            *(Booking.confirmed_at, Booking.ended_at, Booking.ended_because, Arrival.at.label("at_the_place_at")),
            Club.name.label("walked_for"),
        )
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .outerjoin(Arrival, (Arrival.shift_id == Shift.id) & (Arrival.person_id == Booking.person_id))
        .outerjoin(WalkedFor, (WalkedFor.shift_id == Shift.id) & (WalkedFor.person_id == Booking.person_id))
        .outerjoin(Club, Club.id == WalkedFor.club_id)
        .where(Booking.person_id == person_id)
        .order_by(Shift.starts_at, Booking.id)
    )


def _notes(person_id: int) -> AnySelect:
    return (
        select(
            *(Night.date, Area.name.label("area"), WalkNote.mood, WalkNote.young_people, WalkNote.happened),
            *(WalkNote.follow_up, WalkNote.text, WalkNote.written_at),
        )
        .join(Shift, Shift.id == WalkNote.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(WalkNote.written_by == person_id)
        .order_by(WalkNote.written_at)
    )


def as_json(found: Kept) -> dict[str, Any]:
    """Return it as JSON holds it: instants as ISO 8601 with their offset, dates as dates, words as words."""
    return {name: _plain(value) for name, value in asdict(found).items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if hasattr(value, "isoformat") else value


@dataclass(frozen=True, slots=True)
class Leaving:
    """What being forgotten would end: the coming walks by date and area, the clubs whose only contact one is, and
    whether one has a seat in the steering group."""

    walks: list[tuple[date, str]]
    only_contact_of: list[str]
    in_steering_group: bool


def leaving(connection: Connection, partnership_id: int, person_id: int, shift_ids: list[int]) -> Leaving:
    """Return what being forgotten would end; `shift_ids` are the person's coming shifts."""
    walks = connection.execute(
        select(Night.date, Area.name)
        .join(Shift, Shift.night_id == Night.id)
        .join(Area, Area.id == Shift.area_id)
        .where(Shift.id.in_(shift_ids))
        .order_by(Shift.starts_at, Shift.id)
    )
    contacts = connection.execute(
        select(RoleGrant.person_id, Club.name)
        .join(Club, Club.id == RoleGrant.club_id)
        .where(RoleGrant.partnership_id == partnership_id)
        .order_by(Club.name)
    ).all()
    clubs: dict[str, set[int]] = {}
    for row in contacts:
        clubs.setdefault(row.name, set()).add(row.person_id)
    return Leaving(
        [(row.date, row.name) for row in walks],
        [club for club, held in clubs.items() if held == {person_id}],
        in_steering_group=bool(seats(connection, person_id)),
    )

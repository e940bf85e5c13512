from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from scheduler.bookings.rules import ACTIVE, BookingState
from scheduler.bookings.tables import Booking
from scheduler.calendars.rules import CalendarKind
from scheduler.calendars.tables import Calendar, CalendarFeed
from scheduler.doubles.rules import Clash, Place, clashes
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club
from scheduler.people.queries import PersonPage, person_page
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership, Person

LIKE_ESCAPE = "\\"
MOST_FOUND = 12
MOST_SUGGESTED = 50


@dataclass(frozen=True, slots=True)
class Record:
    """One of two records, as far as a coordinator may see it; `clubs`: memberships that have not ended."""

    person_id: int
    name: str
    phone: str
    clubs: list[str]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records with the same name and birth date, the older first."""

    first: Record
    second: Record


def suggested(connection: Connection, partnership_id: int) -> list[Pair]:
    """Return records that are likely to be of one person: the same birth date and, but for case, name. At most
    fifty pairs."""
    shared = (
        select(Person.born_on, func.lower(Person.last_name).label("last_name"))
        .where(Person.partnership_id == partnership_id, Person.forgotten_at.is_(None))
        .group_by(Person.born_on, func.lower(Person.last_name))
        .having(func.count() > 1)
        .subquery()
    )
    rows = connection.execute(
        select(Person.id, Person.first_name, Person.last_name, Person.born_on, Person.phone)
        .join(
            shared,
            (shared.c.born_on == Person.born_on) & (shared.c.last_name == func.lower(Person.last_name)),
        )
        .where(Person.partnership_id == partnership_id)
        .order_by(Person.id)
    )
    alike = defaultdict(list)
    for row in rows:
        alike[row.born_on, row.first_name.casefold(), row.last_name.casefold()].append(row)
    pairs = [(rows[0], other) for rows in alike.values() for other in rows[1:]][:MOST_SUGGESTED]
    clubs = _clubs(connection, {row.id for pair in pairs for row in pair})

    def record(row: object) -> Record:
        return Record(row.id, f"{row.first_name} {row.last_name}", row.phone, clubs[row.id])  # type: ignore[attr-defined]

    return [Pair(record(first), record(second)) for first, second in pairs]


def _clubs(connection: Connection, person_ids: set[int]) -> dict[int, list[str]]:
    rows = connection.execute(
        select(Membership.person_id, Club.name)
        .join(Club, Club.id == Membership.club_id)
        .where(Membership.person_id.in_(person_ids), Membership.state != MembershipState.ENDED)
        .order_by(Membership.id)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        found[row.person_id].append(row.name)
    return found


def others_like(connection: Connection, partnership_id: int, person_id: int, asked: str) -> list[Record]:
    """Return other records whose name or number holds what was typed; at most twelve."""
    typed = "".join(LIKE_ESCAPE + sign if sign in "%_\\" else sign for sign in asked)
    full = Person.first_name + " " + Person.last_name
    like = [full.ilike(f"%{form}%", escape=LIKE_ESCAPE) for form in {typed, typed.capitalize(), typed.title()}]
    digits = "".join(sign for sign in asked if sign in "0123456789").lstrip("0")
    if digits:
        like.append(Person.phone.like(f"%{digits}%"))
    rows = connection.execute(
        select(Person.id, full.label("name"), Person.phone)
        .where(
            Person.partnership_id == partnership_id,
            Person.id != person_id,
            Person.forgotten_at.is_(None),
            or_(*like),
        )
        .order_by(Person.first_name, Person.last_name, Person.id)
        .limit(MOST_FOUND)
    ).all()
    clubs = _clubs(connection, {row.id for row in rows})
    return [Record(row.id, row.name, row.phone, clubs[row.id]) for row in rows]


@dataclass(frozen=True, slots=True)
class Preview:
    """What making one person of two means. `moves`: coming places of the one that is gone; `walked`: how many walks
    of it; `ends`: places that end; `addresses_end`: calendar addresses that stop working."""

    kept: PersonPage
    gone: PersonPage
    same_birth_date: bool
    same_name: bool
    moves: list[Place]
    walked: int
    ends: list[Clash]
    addresses_end: int


def places(connection: Connection, person_id: int) -> list[Place]:
    """Return every place of a person that was not cancelled, by time."""
    rows = connection.execute(
        select(
            Booking.id,
            Booking.person_id,
            Shift.id,
            Night.date,
            Area.name,
            Shift.starts_at,
            Shift.ends_at,
            Booking.state,
            Booking.made_at,
        )
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(Booking.person_id == person_id, Booking.state.in_(ACTIVE))
        .order_by(Shift.starts_at, Booking.id)
    )
    return [Place(*row) for row in rows]


def preview(connection: Connection, partnership_id: int, kept_id: int, gone_id: int, now: datetime) -> Preview:
    """Return what would happen. Raises NotFound, also for people of another partnership, or BothWalked."""
    kept, gone = (person_page(connection, partnership_id, one) for one in (kept_id, gone_id))
    theirs = places(connection, gone_id)
    ends = clashes(places(connection, kept_id), theirs, now)
    ended = {clash.ends.booking_id for clash in ends}
    born = set(connection.execute(select(Person.born_on).where(Person.id.in_([kept_id, gone_id]))).scalars())
    return Preview(
        kept=kept,
        gone=gone,
        same_birth_date=len(born) == 1,
        same_name=kept.name.casefold() == gone.name.casefold(),
        moves=[one for one in theirs if one.ends_at > now and one.booking_id not in ended],
        walked=sum(one.state is BookingState.ATTENDED for one in theirs),
        ends=ends,
        addresses_end=len(addresses_in_both(connection, kept_id, gone_id)),
    )


def addresses_in_both(connection: Connection, kept_id: int, gone_id: int) -> list[tuple[int, int]]:
    """Return the ids of working addresses of one and the same calendar that both have, the kept one's first. The two
    own calendars count as one."""
    addresses: dict[tuple[object, ...], dict[int, int]] = defaultdict(dict)
    rows = connection.execute(
        select(CalendarFeed.id, CalendarFeed.person_id, Calendar.kind, Calendar.subject_id, Calendar.language)
        .join(Calendar, Calendar.id == CalendarFeed.calendar_id)
        .where(CalendarFeed.person_id.in_([kept_id, gone_id]), CalendarFeed.ended_at.is_(None))
        .order_by(CalendarFeed.id)
    )
    for row in rows:
        own = row.kind is CalendarKind.MINE
        addresses[(row.kind,) if own else (row.kind, row.subject_id, row.language)][row.person_id] = row.id
    return [(found[kept_id], found[gone_id]) for found in addresses.values() if len(found) > 1]

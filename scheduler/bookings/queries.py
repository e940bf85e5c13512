from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Row, exists, func, or_, select

from scheduler.bookings.candidates import fitting_people
from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.rules import (
    BookingState,
    Ended,
    NotYours,
    may_cancel_freely,
    phones_visible,
)
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnyRow
from scheduler.kit.mapping import aliased
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership, Person


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody on a shift, as others on it see them. `phone` is E.164, or None while it is not to be seen; `may_lead`
    is for coordinators."""

    person_id: int
    first_name: str
    club: str
    phone: str | None
    is_new: bool
    is_me: bool
    leads: bool
    may_lead: bool


@dataclass(frozen=True, slots=True)
class BookingPage:
    """A booking as its owner sees it. `state` is a BookingState's value, or "offered" or "handing_over"."""

    id: int
    state: str
    ended_because: Ended | None
    shift_id: int
    date: date
    starts_at: datetime
    ends_at: datetime
    area: str
    meeting_place: str
    meeting_at: datetime
    with_names: list[str]
    walkers: list[Walker]
    queue_number: int | None
    answer_before: datetime | None
    first_to_answer: bool
    auto_take: bool
    can_cancel_freely: bool
    begun: bool
    called_off: bool
    handing_over_to: str | None
    asked: int
    host_club: str | None
    note: str


_Receiver = aliased(Person)
_MINE = (
    select(
        *SHIFT_COLUMNS,
        Shift.note,
        Booking.id,
        Booking.state.label("booking_state"),
        Booking.ended_because,
        Booking.auto_take,
        Booking.offered_until,
        Booking.place_held,
        Booking.handing_over_since,
        _Receiver.first_name.label("receiver"),
        Club.name.label("host_club"),
    )
    .select_from(Booking)
    .join(Shift, Shift.id == Booking.shift_id)
    .join(Night, Night.id == Shift.night_id)
    .join(Area, Area.id == Shift.area_id)
    .outerjoin(_Receiver, _Receiver.id == Booking.handing_over_to)
    .outerjoin(Club, Club.id == Shift.host_club_id)
)


def meeting_at(row: AnyRow) -> datetime:
    """Return when the team of a shift gathers."""
    start: datetime = row.starts_at
    return start - timedelta(minutes=row.gathers_minutes_before)


def booking_page(
    connection: Connection, partnership_id: int, person_id: int, booking_id: int, now: datetime
) -> BookingPage:
    """Return the person's own booking. Raises NotYours for anybody else's."""
    row = connection.execute(
        _MINE.where(Booking.id == booking_id, Booking.person_id == person_id, Booking.partnership_id == partnership_id)
    ).first()
    if row is None:
        raise NotYours
    return _pages(connection, [row], person_id, now)[0]


def active_bookings(connection: Connection, person_id: int, now: datetime) -> list[BookingPage]:
    """Return the person's coming walks and places in waiting lists, by time; a walk is coming until it ends."""
    rows = connection.execute(
        _MINE.where(
            Booking.person_id == person_id,
            Booking.state.in_([BookingState.BOOKED, BookingState.WAITING]),
            Shift.ends_at > now,
        ).order_by(Shift.starts_at, Booking.id)
    )
    return _pages(connection, list(rows), person_id, now)


def past_bookings(connection: Connection, person_id: int, now: datetime, most: int = 50) -> list[BookingPage]:
    """Return the walks behind the person, the latest first."""
    rows = connection.execute(
        _MINE.where(
            Booking.person_id == person_id,
            Booking.state.in_([BookingState.BOOKED, BookingState.ATTENDED]),
            Shift.ends_at <= now,
            Shift.state != ShiftState.CALLED_OFF,
        )
        .order_by(Shift.starts_at.desc())
        .limit(most)
    )
    return _pages(connection, list(rows), person_id, now)


def next_walk(connection: Connection, person_id: int, now: datetime) -> BookingPage | None:
    """Return the person's walk that is going on, or the next one."""
    row = connection.execute(
        _MINE.where(
            Booking.person_id == person_id,
            Booking.state == BookingState.BOOKED,
            Shift.ends_at > now,
            Shift.state == ShiftState.PUBLISHED,
        )
        .order_by(Shift.starts_at)
        .limit(1)
    ).first()
    return _pages(connection, [row], person_id, now)[0] if row is not None else None


def walks_done(connection: Connection, person_id: int, since: date) -> int:
    """Return how many walks the person has been on since a date."""
    return connection.execute(
        select(func.count())
        .select_from(Booking)
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .where(Booking.person_id == person_id, Booking.state == BookingState.ATTENDED, Night.date >= since)
    ).scalar_one()


def _pages(connection: Connection, rows: list[AnyRow], person_id: int, now: datetime) -> list[BookingPage]:
    on_shift = {row.shift_id for row in rows if row.booking_state in {BookingState.BOOKED, BookingState.ATTENDED}}
    walkers = walkers_of(connection, on_shift, now, for_person_id=person_id)
    in_line = {row.shift_id for row in rows if row.booking_state is BookingState.WAITING}
    numbers = _queue_numbers(connection, in_line, person_id)
    return [_page(connection, row, walkers.get(row.shift_id, []), numbers, now) for row in rows]


def _page(
    connection: Connection, row: AnyRow, walkers: list[Walker], numbers: dict[int, int], now: datetime
) -> BookingPage:
    state = row.booking_state.value
    offered = row.booking_state is BookingState.WAITING and row.offered_until is not None and row.offered_until > now
    if offered:
        state = "offered"
    elif row.handing_over_since is not None:
        state = "handing_over"
    asked = 0
    if state == "handing_over" and row.receiver is None:
        asked = len(fitting_people(connection, None, row.shift_id, now))
    return BookingPage(
        id=row.id,
        state=state,
        ended_because=row.ended_because,
        shift_id=row.shift_id,
        date=row.date,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        area=row.area,
        meeting_place=row.meeting_place or row.area_meeting_place,
        meeting_at=meeting_at(row),
        with_names=[walker.first_name for walker in walkers if not walker.is_me],
        walkers=walkers,
        queue_number=numbers.get(row.shift_id),
        answer_before=row.offered_until if offered else None,
        first_to_answer=offered and not row.place_held,
        auto_take=row.auto_take,
        can_cancel_freely=may_cancel_freely(row.starts_at, now),
        begun=now >= row.starts_at,
        called_off=row.state is ShiftState.CALLED_OFF,
        handing_over_to=row.receiver,
        asked=asked,
        host_club=row.host_club,
        note=row.note,
    )


def queue_number(connection: Connection, shift_id: int, person_id: int) -> int | None:
    """Return the person's place in a shift's waiting list, 1 for the first; None for who is not in it."""
    return _queue_numbers(connection, [shift_id], person_id).get(shift_id)


def _queue_numbers(connection: Connection, shift_ids: Iterable[int], person_id: int) -> dict[int, int]:
    listed = list(shift_ids)
    if not listed:
        return {}
    counts: dict[int, int] = defaultdict(int)
    numbers: dict[int, int] = {}
    for row in connection.execute(
        select(Booking.shift_id, Booking.person_id)
        .where(Booking.shift_id.in_(listed), Booking.state == BookingState.WAITING)
        .order_by(Booking.id)
    ):
        counts[row.shift_id] += 1
        if row.person_id == person_id:
            numbers[row.shift_id] = counts[row.shift_id]
    return numbers


def walkers_of(
    connection: Connection, shift_ids: Iterable[int], now: datetime, *, for_person_id: int | None
) -> dict[int, list[Walker]]:
    """Return who walks each shift, in order of booking; one club for each, the first approved.

    Numbers are there from 24 hours before the start until the walk is settled; `for_person_id` None means a
    coordinator, who always sees them.
    """
    listed = list(shift_ids)
    if not listed:
        return {}
    earlier = aliased(Booking)
    club = (
        select(func.min(Club.name))
        .join(Membership, Membership.club_id == Club.id)
        .where(Membership.person_id == Person.id, Membership.state == MembershipState.APPROVED)
        .correlate(Person)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(
            *(Booking.shift_id, Person.id, Person.first_name, Person.phone, club.label("club")),
            exists()
            .where(earlier.person_id == Person.id, earlier.state == BookingState.ATTENDED)
            .correlate(Person)
            .label("has_walked"),
            Shift.starts_at,
            Shift.state,
            Shift.leader_person_id,
            Person.may_lead_since,
            Booking.state.label("booking_state"),
        )
        .join(Person, Person.id == Booking.person_id)
        .join(Shift, Shift.id == Booking.shift_id)
        .where(
            Booking.shift_id.in_(listed),
            Booking.state.in_([BookingState.BOOKED, BookingState.ATTENDED, BookingState.NO_SHOW]),
        )
        .order_by(Booking.id)
    )
    found: dict[int, list[Walker]] = defaultdict(list)
    for row in rows:
        # Who came is written with the note, also where too few came for a walk.
        noted = row.state is ShiftState.WALKED or row.booking_state is not BookingState.BOOKED
        visible = for_person_id is None or phones_visible(row.starts_at, now, noted=noted)
        found[row.shift_id].append(
            Walker(
                person_id=row.id,
                first_name=row.first_name,
                club=row.club or "",
                phone=row.phone if visible else None,
                is_new=not row.has_walked,
                is_me=row.id == for_person_id,
                leads=row.id == row.leader_person_id,
                may_lead=row.may_lead_since is not None,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class OfferToMe:
    """A walk that somebody offers to this person by name."""

    booking_id: int
    shift_id: int
    from_name: str
    date: date
    starts_at: datetime
    ends_at: datetime
    area: str


def offers_to_me(connection: Connection, person_id: int, now: datetime) -> list[OfferToMe]:
    """Return the walks that others offer to this person by name, by time."""
    rows = connection.execute(
        select(Booking.id, Shift.id, Person.first_name, Night.date, Shift.starts_at, Shift.ends_at, Area.name)
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .join(Person, Person.id == Booking.person_id)
        .where(
            Booking.handing_over_to == person_id,
            Booking.state == BookingState.BOOKED,
            Shift.starts_at > now,
            Shift.state == ShiftState.PUBLISHED,
        )
        .order_by(Shift.starts_at)
    )
    return [OfferToMe(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Drift:
    """A shift whose counts do not agree with its bookings; there must never be one."""

    shift_id: int
    booked: int
    held: int
    people: int
    holds: int


def drift(connection: Connection) -> list[Drift]:
    """Return the shifts whose counts differ from their bookings."""
    places = Booking.state.in_([BookingState.BOOKED, BookingState.ATTENDED, BookingState.NO_SHOW])
    people = func.count(Booking.id).filter(places)
    holds = func.count(Booking.id).filter(Booking.place_held)
    rows = connection.execute(
        select(Shift.id, Shift.booked, Shift.held, people, holds)
        .outerjoin(Booking, Booking.shift_id == Shift.id)
        .group_by(Shift.id, Shift.booked, Shift.held)
        .having(or_(people != Shift.booked, holds != Shift.held))
    )
    return [Drift(*row) for row in rows]


def shift_night(connection: Connection, partnership_id: int, shift_id: int) -> Row[date, int] | None:
    """Return the night of a shift and how many wait for a place on it, or None."""
    waiting = aliased(Booking)
    return connection.execute(
        select(
            Night.date,
            select(func.count(waiting.id))
            .where(waiting.shift_id == Shift.id, waiting.state == BookingState.WAITING)
            .correlate(Shift)
            .scalar_subquery()
            .label("waiting"),
        )
        .join(Shift, Shift.night_id == Night.id)
        .where(Shift.id == shift_id, Shift.partnership_id == partnership_id)
    ).first()


def named_shifts(connection: Connection, partnership_id: int, shift_ids: Iterable[int]) -> list[Row[int, date, str]]:
    """Return id, night and area of shifts, by time."""
    return list(
        connection.execute(
            select(Shift.id, Night.date, Area.name.label("area"))
            .join(Night, Night.id == Shift.night_id)
            .join(Area, Area.id == Shift.area_id)
            .where(Shift.id.in_(list(shift_ids)), Shift.partnership_id == partnership_id)
            .order_by(Shift.starts_at)
        )
    )

"""Cards: a shift as it stands to one person, with the one thing that she can do with it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection, Dialect, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import aliased

from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.rules import BookingState, overlap
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnyRow
from scheduler.kit.ready import Ready, together
from scheduler.nights.rules import Coverage, NightFlag, ShiftState, coverage, night_flag
from scheduler.nights.season import Special
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership

SHOWN = (ShiftState.PUBLISHED, ShiftState.CALLED_OFF, ShiftState.WALKED)


class Step(StrEnum):
    """The one thing a person can do with a shift."""

    BOOK = "book"
    QUEUE = "queue"
    TAKE_OVER = "take_over"
    MINE = "mine"
    WAITING = "waiting"
    OFFERED = "offered"
    CLASH = "clash"
    CLOSED = "closed"
    NOT_ALLOWED = "not_allowed"
    CLUB_FIRST = "club_first"


class Card(NamedTuple):
    """One shift as a list shows it to one person. `booking_id` is the person's own booking, or with
    TAKE_OVER the one that is handed over. Equal cards look equal, which is what their cache relies on."""

    shift_id: int
    date: date
    starts_at: datetime
    ends_at: datetime
    area: str
    special: Special | None
    state: ShiftState
    booked: int
    minimum: int
    wanted: int
    held: int
    waiting: int
    coverage: Coverage
    flag: NightFlag
    step: Step
    booking_id: int | None

    @property
    def missing_to_minimum(self) -> int:
        return max(self.minimum - self.booked, 0)

    @property
    def missing_to_wanted(self) -> int:
        return max(self.wanted - self.booked, 0)


class Standing(NamedTuple):
    """What decides a person's step on a shift."""

    open: bool
    mine: Step | None
    volunteer: bool
    clash: bool
    free: int
    handed_over_to_me: bool
    handed_over: bool
    kept: bool = False


def step(standing: Standing) -> Step:
    """Return the one thing to do: what is mine first, then what stands in the way, then the easiest way in."""
    if not standing.open:
        return standing.mine if standing.mine is Step.MINE else Step.CLOSED
    if standing.mine is not None:
        return standing.mine
    if not standing.volunteer:
        return Step.NOT_ALLOWED
    if standing.clash:
        return Step.CLASH
    if standing.handed_over_to_me:
        return Step.TAKE_OVER
    if standing.kept:
        return Step.TAKE_OVER if standing.handed_over else Step.CLUB_FIRST
    if standing.free > 0:
        return Step.BOOK
    return Step.TAKE_OVER if standing.handed_over else Step.QUEUE


_waiting = aliased(Booking)
_SHIFTS = Ready(
    select(
        *SHIFT_COLUMNS,
        Night.special,
        select(func.count(_waiting.id))
        .where(_waiting.shift_id == Shift.id, _waiting.state == BookingState.WAITING)
        .correlate(Shift)
        .scalar_subquery()
        .label("waiting"),
        Booking.id.label("mine_id"),
        Booking.state.label("mine_state"),
        Booking.offered_until,
        and_(
            Shift.members_first_until > bindparam("now"),
            ~exists()
            .where(
                Membership.person_id == bindparam("person_id"),
                Membership.club_id == Shift.host_club_id,
                Membership.state == MembershipState.APPROVED,
            )
            .correlate(Shift),
        ).label("kept"),
    )
    .select_from(Night)
    .join(Shift, Shift.night_id == Night.id)
    .join(Area, Area.id == Shift.area_id)
    .outerjoin(
        Booking,
        and_(
            Booking.shift_id == Shift.id,
            Booking.person_id == bindparam("person_id"),
            Booking.state != BookingState.CANCELLED,
        ),
    )
    .where(
        Night.partnership_id == bindparam("tenant_id"),
        Night.date >= bindparam("first"),
        Night.date <= bindparam("last"),
        Shift.state.in_(SHOWN),
    )
    .order_by(Night.date, Shift.starts_at, Area.name)
)
_HANDED_OVER = Ready(
    select(Booking.id, Booking.shift_id, Booking.handing_over_to)
    .join(Shift, Shift.id == Booking.shift_id)
    .where(
        Booking.partnership_id == bindparam("tenant_id"),
        Booking.state == BookingState.BOOKED,
        Booking.handing_over_since.is_not(None),
        or_(Booking.handing_over_to.is_(None), Booking.handing_over_to == bindparam("person_id")),
        Booking.person_id != bindparam("person_id"),
        Shift.starts_at > bindparam("now"),
    )
    .order_by(Booking.handing_over_since)
)


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks for a night; `volunteer` whether places may be taken."""

    partnership_id: int
    person_id: int
    volunteer: bool
    now: datetime


class _Found(NamedTuple):
    """A shift as it was found: its row, what every card of it begins with, and its coverage. The same for
    everybody who looks, until it changes."""

    row: AnyRow
    card: tuple[object, ...]
    coverage: Coverage


@lru_cache(maxsize=2048)
def _found(dialect: Dialect, values: tuple[object, ...]) -> _Found:
    row = _SHIFTS.typed(dialect, values)
    covered = coverage(row.booked, row.minimum, row.wanted)
    card = (
        row.shift_id,
        row.date,
        row.starts_at,
        row.ends_at,
        row.area,
        row.special,
        row.state,
        row.booked,
        row.minimum,
        row.wanted,
        row.held,
        row.waiting,
        covered,
    )
    return _Found(row, card, covered)


def cards(connection: Connection, looking: Looking, first: date, last: date) -> list[Card]:
    """Return every shift of these nights as a card for this person, by time. Two statements, however many."""
    who = {"tenant_id": looking.partnership_id, "person_id": looking.person_id}
    shifts, handed_over = together(
        connection,
        (_SHIFTS, {**who, "now": looking.now, "first": first, "last": last}),
        (_HANDED_OVER, {**who, "now": looking.now}),
    )
    found = [_found(connection.dialect, values) for values in shifts.rows]
    offers: dict[int, tuple[int, bool]] = {}
    for booking_id, shift_id, to in handed_over.rows:
        offers.setdefault(shift_id, (booking_id, to is not None))
    return _cards(found, offers, looking)


def _cards(found: Sequence[_Found], offers: Mapping[int, tuple[int, bool]], looking: Looking) -> list[Card]:
    flags = _flags(found)
    places = [(row.starts_at, row.ends_at) for row, _, _ in found if row.mine_state is BookingState.BOOKED]
    return [
        _card(one, flags.get(one.row.date, NightFlag.NONE), offers.get(one.row.shift_id), places, looking)
        for one in found
    ]


def _card(
    found: _Found,
    flag: NightFlag,
    offer: tuple[int, bool] | None,
    places: Sequence[tuple[datetime, datetime]],
    looking: Looking,
) -> Card:
    row = found.row
    taken = step(
        Standing(
            row.state is ShiftState.PUBLISHED and row.starts_at > looking.now,
            _mine(row, looking.now) if row.mine_state is not None else None,
            looking.volunteer,
            looking.volunteer and any(overlap(row.starts_at, row.ends_at, *place) for place in places),
            row.wanted - row.booked - row.held,
            offer is not None and offer[1],
            offer is not None,
            bool(row.kept),
        )
    )
    booking_id = offer[0] if taken is Step.TAKE_OVER and offer is not None else row.mine_id
    return Card._make((*found.card, flag, taken, booking_id))


def _mine(row: AnyRow, now: datetime) -> Step:
    if row.mine_state is BookingState.WAITING:
        offered = row.offered_until is not None and row.offered_until > now
        return Step.OFFERED if offered else Step.WAITING
    return Step.MINE


def _flags(found: Sequence[_Found]) -> dict[date, NightFlag]:
    open_areas: dict[date, list[Coverage]] = defaultdict(list)
    for row, _, covered in found:
        if row.state is ShiftState.PUBLISHED or row.state is ShiftState.WALKED:
            open_areas[row.date].append(covered)
    return {night: night_flag(listed) for night, listed in open_areas.items()}


def next_best(card_id: int, night: date, around: Sequence[Card], most: int = 3) -> list[Card]:
    """Return what to offer instead of a shift, or after it: what can be taken on the same night and on the
    nights nearest to it."""
    able = [card for card in around if card.shift_id != card_id and card.step in {Step.BOOK, Step.TAKE_OVER}]
    return sorted(able, key=lambda card: (abs((card.date - night).days), card.starts_at, card.area))[:most]

"""Cards: a shift as it stands to one person, with the one thing that she can do with it."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import groupby, repeat
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection, Dialect, and_, bindparam, exists, func, or_, select

from scheduler.bookings.places import STANDING_COLUMNS
from scheduler.bookings.rules import BookingState, overlap
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnyRow
from scheduler.kit.libpq import Answer
from scheduler.kit.mapping import aliased
from scheduler.kit.ready import RawQuestion, Ready
from scheduler.nights.rules import Coverage, NightFlag, ShiftState, coverage, night_flag
from scheduler.nights.season import Special
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership

Place: TypeAlias = tuple[datetime, datetime]
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
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
        *STANDING_COLUMNS,
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
_DATE = itemgetter(_SHIFTS.statement.exported_columns.keys().index("date"))
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


@lru_cache(maxsize=1024)
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


@dataclass(frozen=True, slots=True, eq=False)
class _FoundNight:
    """A night as it was found. `moments`: when its cards change by themselves; `places`: when the person walks."""

    shifts: tuple[_Found, ...]
    flag: NightFlag
    moments: tuple[datetime, ...]
    places: tuple[Place, ...]

    def since(self, now: datetime) -> datetime:
        """Return since when the cards are as they are now."""
        passed = bisect_right(self.moments, now)
        return self.moments[passed - 1] if passed else LONG_AGO


@lru_cache(maxsize=384)
def _found_night(dialect: Dialect, shifts: tuple[tuple[object, ...], ...]) -> _FoundNight:
    found = tuple(_found(dialect, values) for values in shifts)
    open_areas = [one.coverage for one in found if one.row.state in {ShiftState.PUBLISHED, ShiftState.WALKED}]
    moments = {moment for one in found for moment in (one.row.starts_at, one.row.ends_at, one.row.offered_until)}
    return _FoundNight(
        found,
        night_flag(open_areas) if open_areas else NightFlag.NONE,
        tuple(sorted(moments - {None})),
        tuple((one.row.starts_at, one.row.ends_at) for one in found if one.row.mine_state is BookingState.BOOKED),
    )


@dataclass(frozen=True, slots=True, eq=False)
class NightCards:
    """The cards of a night, by time. `coming`: those that are published and not over. The same object as long as
    nothing of the night changes, so that what is made of it can be kept."""

    date: date
    cards: tuple[Card, ...]
    coming: tuple[Card, ...]


def night_cards(looking: Looking, first: date, last: date) -> RawQuestion[list[NightCards]]:
    """Ask for these nights that have a shift, with every shift as a card for this person. Two statements, however
    many."""
    who = {"tenant_id": looking.partnership_id, "person_id": looking.person_id, "now": looking.now}
    steps = ((_SHIFTS, {**who, "first": first, "last": last}), (_HANDED_OVER, who))
    return RawQuestion(steps, lambda dialect, answered: _night_cards(dialect, looking, *answered))


def _night_cards(dialect: Dialect, looking: Looking, shifts: Answer, handed_over: Answer) -> list[NightCards]:
    found = [_found_night(dialect, tuple(rows)) for _, rows in groupby(shifts.rows, _DATE)]
    offers: dict[int, tuple[int, bool]] = {}
    for booking_id, shift_id, to in handed_over.rows:
        offers.setdefault(shift_id, (booking_id, to is not None))
    places = [place for night in found for place in night.places] if looking.volunteer else []
    return [
        _as_cards(
            night,
            night.since(looking.now),
            tuple([offers.get(one.row.shift_id) for one in night.shifts]) if offers else None,
            _beside(night, places) if places else (),
            looking.volunteer,
        )
        for night in found
    ]


def cards(connection: Connection, looking: Looking, first: date, last: date) -> list[Card]:
    """Return every shift of these nights as a card for this person, by time. Two statements, however many."""
    return [card for night in night_cards(looking, first, last).ask(connection) for card in night.cards]


def _beside(night: _FoundNight, places: Sequence[Place]) -> tuple[Place, ...]:
    """Return which of the person's places some shift of the night overlaps."""
    return tuple(
        [place for place in places if any(overlap(one.row.starts_at, one.row.ends_at, *place) for one in night.shifts)]
    )


@lru_cache(maxsize=384)
def _as_cards(
    night: _FoundNight,
    now: datetime,
    offers: tuple[tuple[int, bool] | None, ...] | None,
    places: tuple[Place, ...],
    volunteer: bool,
) -> NightCards:
    made = tuple(
        _card(one, night.flag, offer, places, volunteer=volunteer, now=now)
        for one, offer in zip(night.shifts, offers or repeat(None, len(night.shifts)), strict=True)
    )
    coming = tuple(card for card in made if card.state is ShiftState.PUBLISHED and card.ends_at > now)
    return NightCards(made[0].date, made, coming)


def _card(
    found: _Found,
    flag: NightFlag,
    offer: tuple[int, bool] | None,
    places: Sequence[Place],
    *,
    volunteer: bool,
    now: datetime,
) -> Card:
    row = found.row
    taken = step(
        Standing(
            row.state is ShiftState.PUBLISHED and row.starts_at > now,
            _mine(row, now) if row.mine_state is not None else None,
            volunteer,
            volunteer and any(overlap(row.starts_at, row.ends_at, *place) for place in places),
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


def next_best(card_id: int, night: date, around: Sequence[Card], most: int = 3) -> list[Card]:
    """Return what to offer instead of a shift, or after it: what can be taken on the same night and on the
    nights nearest to it."""
    able = [card for card in around if card.shift_id != card_id and card.step in {Step.BOOK, Step.TAKE_OVER}]
    return sorted(able, key=lambda card: (abs((card.date - night).days), card.starts_at, card.area))[:most]

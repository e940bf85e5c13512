"""Whom to ask: who could walk a shift, in whose turn it is, and why somebody is not asked.

The same conditions choose the candidates, tell why one person is none, and are read again under that person's hold
before a question goes out. People are read in the order of the index of turns (asked longest ago first), so what it
costs depends on how many are looked at, not on how many there are.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    String,
    and_,
    bindparam,
    case,
    cast,
    extract,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.gaps.conditions import Conditions
from scheduler.gaps.rules import (
    MOST_A_WAVE,
    REST,
    RESTED,
    WEEK,
    AskState,
    Candidate,
    Policy,
    Standing,
    WhyNot,
    in_turn,
    why_not,
)
from scheduler.gaps.tables import Ask, Autopilot
from scheduler.kit.mapping import aliased
from scheduler.kit.ready import Question, Ready
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Club
from scheduler.people.rules import MembershipState, is_adult
from scheduler.people.tables import Membership, Person

POOL = 200
NEVER_YEAR = 1970
YEAR = timedelta(days=365)
_Walk, _Placed = aliased(Booking), aliased(Booking)
_WalkShift, _PlacedShift = aliased(Shift), aliased(Shift)


@dataclass(frozen=True, slots=True)
class Place:
    """The shift that people are looked for, as the query wants it."""

    shift_id: int
    partnership_id: int
    night: date
    starts_at: datetime
    ends_at: datetime

    def binds(self, now: datetime, asks_a_week: int) -> dict[str, object]:
        return {
            "shift_id": self.shift_id,
            "near_from": self.starts_at - REST,
            "near_until": self.ends_at + REST,
            "tenant_id": self.partnership_id,
            "week_ago": now - WEEK,
            "now": now,
            "most": asks_a_week,
        }

    def more(self, now: datetime, area_id: int) -> dict[str, object]:
        return {
            "area_id": area_id,
            # As both databases count: Sunday is 0.
            "weekday": self.night.isoweekday() % 7,
            "year_ago": now - YEAR,
            "rested_from": self.starts_at - RESTED,
            "rested_until": self.ends_at + RESTED,
        }


_ONE = Conditions()


def _walks(*more: Any) -> Any:  # noqa: ANN401 - column expressions
    return (
        select(func.count(_Walk.id))
        .join(_WalkShift, _WalkShift.id == _Walk.shift_id)
        .where(
            _Walk.person_id == Person.id,
            _Walk.state == BookingState.ATTENDED,
            _WalkShift.starts_at > bindparam("year_ago"),
            *more,
        )
        .correlate(Person)
        .scalar_subquery()
    )


def _this_weekday() -> Any:  # noqa: ANN401 - a column expression
    night = aliased(Night)
    return (
        select(func.count(_Walk.id))
        .join(_WalkShift, _WalkShift.id == _Walk.shift_id)
        .join(night, night.id == _WalkShift.night_id)
        .where(
            _Walk.person_id == Person.id,
            _Walk.state == BookingState.ATTENDED,
            _WalkShift.starts_at > bindparam("year_ago"),
            extract("dow", night.date) == bindparam("weekday"),
        )
        .correlate(Person)
        .scalar_subquery()
    )


_tired = (
    select(_Placed.id)
    .join(_PlacedShift, _PlacedShift.id == _Placed.shift_id)
    .where(
        _Placed.person_id == Person.id,
        _Placed.state.in_((BookingState.BOOKED, BookingState.ATTENDED)),
        _PlacedShift.starts_at < bindparam("rested_until"),
        _PlacedShift.ends_at > bindparam("rested_from"),
    )
    .correlate(Person)
    .exists()
)
_club = (
    select(func.min(Club.name))
    .join(Membership, Membership.club_id == Club.id)
    .where(Membership.person_id == Person.id, Membership.state == MembershipState.APPROVED)
    .correlate(Person)
    .scalar_subquery()
)
_ABOUT = (
    Person.id.label("person_id"),
    Person.first_name,
    Person.born_on,
    Person.last_asked_at,
    _club.label("club"),
    _walks().label("walks"),
    _walks(_WalkShift.area_id == bindparam("area_id")).label("walks_here"),
    _this_weekday().label("walks_this_weekday"),
    _tired.label("tired"),
)
_pool = (
    select(Person.id.label("pooled_id"))
    .where(*_ONE.fitting)
    .order_by(Person.last_asked_at, Person.id)
    .limit(bindparam("pool"))
    .subquery()
)
_CANDIDATES = Ready(select(*_ABOUT).join(_pool, _pool.c.pooled_id == Person.id).order_by(Person.id))


def candidates(
    connection: Connection, place: Place, area_id: int, asks_a_week: int, now: datetime, pool: int = POOL
) -> list[Candidate]:
    """Return who may be asked to walk a shift, in turn: the best of the 200 who were asked longest ago. One query."""
    rows = _CANDIDATES.all(connection, place.binds(now, asks_a_week) | place.more(now, area_id) | {"pool": pool})
    return in_turn([_candidate(row, now) for row in rows if is_adult(row.born_on, place.night)])


def _candidate(row: Any, now: datetime) -> Candidate:  # noqa: ANN401 - columns by name
    never = row.last_asked_at.year <= NEVER_YEAR
    return Candidate(
        row.person_id,
        row.first_name,
        row.club or "",
        None if never else max((now - row.last_asked_at).days, 0),
        row.walks,
        row.walks_here,
        row.walks_this_weekday,
        not row.tired,
    )


_fitting = select(Person.id).where(*_ONE.fitting).limit(bindparam("wanted")).subquery()
_COUNT = Ready(select(func.count().label("number")).select_from(_fitting))


def how_many_fit(connection: Connection, place: Place, most: int, asks_a_week: int, now: datetime) -> int:
    """Return how many people could be asked about a shift, counted up to `most`. Who is not yet 18 is left out when
    the questions are made."""
    ((number,),) = _COUNT.raw(connection, place.binds(now, asks_a_week) | {"wanted": most})
    return int(number)


@dataclass(frozen=True, slots=True)
class Askable:
    """Who may be asked at all, at most twice as many as are asked at once, those who were asked longest ago: how many
    they are, and by shift who of them walks it, and who cannot be asked about it (once more)."""

    people: int = 0
    walking: Mapping[int, set[str]] = field(default_factory=dict)
    settled: Mapping[int, set[str]] = field(default_factory=dict)

    def fitting(self, shift_id: int, near: Iterable[int], most: int) -> int:
        """Return how many of them could be asked about a shift, counted up to `most`; `near` are the shifts that
        leave no rest beside it, and itself."""
        taken = self.settled.get(shift_id, set()).union(*[self.walking.get(one, ()) for one in near])
        return min(self.people - len(taken), most)


_chosen = select(Autopilot.asks_a_week).where(Autopilot.partnership_id == bindparam("tenant_id")).scalar_subquery()
_askable = (
    select(Person.id.label("person_id"))
    .where(*Conditions(func.coalesce(_chosen, Policy().asks_a_week)).askable)
    .order_by(Person.last_asked_at, Person.id)
    .limit(literal_column(str(2 * MOST_A_WAVE)))
    .cte("askable")
)
# A booking that was cancelled keeps somebody from being asked about the same shift; of those that were, only the
# coming ones matter.
_coming = select(Shift.id).where(Shift.id == Booking.shift_id, Shift.starts_at > bindparam("now"))
_kept_from = and_(
    Booking.state.in_((BookingState.WAITING, BookingState.CANCELLED)), _coming.correlate(Booking).exists()
)
_stands = union_all(
    select(
        _askable.c.person_id,
        Booking.shift_id,
        case((Booking.state != BookingState.BOOKED, 0), else_=1).label("walks"),
    )
    .select_from(_askable)
    .outerjoin(
        Booking,
        and_(Booking.person_id == _askable.c.person_id, or_(Booking.state == BookingState.BOOKED, _kept_from)),
    ),
    select(Ask.person_id, Ask.shift_id, literal_column("0", Integer))
    .select_from(_askable)
    .join(Ask, Ask.person_id == _askable.c.person_id)
    .join(Shift, Shift.id == Ask.shift_id)
    .where(Ask.state != AskState.WITHDRAWN, Shift.starts_at > bindparam("now")),
).subquery()
# As one text: a row for each would cost more than all the rest. Who has no shift is told with shift 0.
_told = cast(_stands.c.person_id, String) + ":" + cast(func.coalesce(_stands.c.shift_id, 0), String)
_ASKABLE = Ready(select(_stands.c.walks, func.aggregate_strings(_told, " ").label("told")).group_by(_stands.c.walks))


def askable(partnership_id: int, now: datetime) -> Question[Askable]:
    """Ask who may be asked at all at this moment, whichever shift it is about, and what they walk."""
    return Question(_ASKABLE, {"tenant_id": partnership_id, "week_ago": now - WEEK, "now": now}, _by_shift)


def _by_shift(rows: list[Any]) -> Askable:
    people: set[str] = set()
    found: tuple[dict[int, set[str]], dict[int, set[str]]] = (defaultdict(set), defaultdict(set))
    for walks, told in rows:
        for one in told.split():
            person_id, _, shift_id = one.partition(":")
            people.add(person_id)
            found[walks][int(shift_id)].add(person_id)
    settled, walking = found
    return Askable(len(people), walking, settled)


_STANDINGS = (
    *_ABOUT,
    Person.last_name,
    _ONE.approved.label("approved"),
    _ONE.on_it.label("on_it"),
    _ONE.walks_near.label("walks_near"),
    _ONE.no_texts.label("no_texts"),
    _ONE.asked_about_it.label("asked_about_it"),
    _ONE.has_a_question.label("has_a_question"),
    _ONE.asks_this_week.label("asks_this_week"),
)


@dataclass(frozen=True, slots=True)
class Explained:
    """Somebody, and why she is not asked about a shift; None for who may be, in her turn."""

    candidate: Candidate
    last_name: str
    because: WhyNot | None


def explained(
    connection: Connection,
    place: Place,
    area_id: int,
    asks_a_week: int,
    now: datetime,
    person_ids: Collection[int],
) -> list[Explained]:
    """Return how these people stand to being asked about a shift, by id. Read under their hold, it decides."""
    rows = connection.execute(
        select(*_STANDINGS).where(_ONE.tenant, Person.id.in_(person_ids)).order_by(Person.id),
        place.binds(now, asks_a_week) | place.more(now, area_id),
    )
    return [
        Explained(
            _candidate(row, now),
            row.last_name,
            why_not(
                Standing(
                    row.approved,
                    is_adult(row.born_on, place.night),
                    row.on_it,
                    row.walks_near,
                    not row.no_texts,
                    row.asked_about_it,
                    row.has_a_question,
                    row.asks_this_week,
                ),
                asks_a_week,
            ),
        )
        for row in rows
    ]


def named(connection: Connection, partnership_id: int, name: str, most: int = 8) -> list[int]:
    """Return the ids of people whose name holds these letters, by name."""
    whole = func.lower(Person.first_name + " " + Person.last_name)
    return list(
        connection.execute(
            select(Person.id)
            .where(Person.partnership_id == partnership_id, whole.contains(name.lower(), autoescape=True))
            .order_by(Person.first_name, Person.last_name)
            .limit(most)
        ).scalars()
    )

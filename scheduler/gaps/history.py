"""What is known beside the shifts: how walkers were lost, how asks ended, who is on which team, what is chosen."""

from collections import defaultdict
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select

from scheduler.bookings.rules import BookingState, Ended
from scheduler.bookings.tables import Booking
from scheduler.gaps.risk import Beliefs, PastShift, Record, beliefs
from scheduler.gaps.rules import NEWCOMERS_DAYS, RISK_DAYS, AskingState, AskState, Policy
from scheduler.gaps.tables import Ask, Asking, Autopilot
from scheduler.kit.database import AnyRow
from scheduler.kit.mapping import aliased
from scheduler.kit.ready import Question, Ready
from scheduler.messages.spending import SEGMENT_ORE
from scheduler.messages.tables import TextPlan
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Shift
from scheduler.partnership.tables import Partnership
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership, Person

YEAR = timedelta(days=365)

# ---------------------------------------------------------------- what is chosen, and how asks have ended


_CHOSEN = Ready(
    select(Autopilot.mode, Autopilot.days_ahead, Autopilot.asks_a_week, TextPlan.segment_ore)
    .select_from(Partnership)
    .outerjoin(Autopilot, Autopilot.partnership_id == Partnership.id)
    .outerjoin(TextPlan, TextPlan.partnership_id == Partnership.id)
    .where(Partnership.id == bindparam("tenant_id"))
)


def chosen(partnership_id: int) -> Question[tuple[Policy, int]]:
    """Ask what the partnership has chosen about asking, and what a segment costs in öre; the usual, where nothing."""
    return Question(_CHOSEN, {"tenant_id": partnership_id}, _policy_and_price)


def _policy_and_price(rows: list[Any]) -> tuple[Policy, int]:
    (row,) = rows
    taken = Policy() if row.mode is None else Policy(row.mode, row.days_ahead, row.asks_a_week)
    return taken, SEGMENT_ORE if row.segment_ore is None else row.segment_ore


def policy(connection: Connection, partnership_id: int) -> Policy:
    """Return what the partnership has chosen about asking."""
    return chosen(partnership_id).ask(connection)[0]


_ENDED_ASKS = Ready(
    select(Ask.state, func.count(Ask.id).label("number"))
    .where(
        Ask.partnership_id == bindparam("tenant_id"),
        Ask.state.in_((AskState.YES, AskState.TOO_LATE, AskState.NO, AskState.SILENT)),
    )
    .group_by(Ask.state)
)


def asks_so_far(partnership_id: int) -> Question[tuple[int, int]]:
    """Ask how many asks of the partnership were answered by yes, and how many otherwise or not at all."""
    return Question(_ENDED_ASKS, {"tenant_id": partnership_id}, _yes_and_others)


def _yes_and_others(rows: list[Any]) -> tuple[int, int]:
    counted = {row.state: row.number for row in rows}
    yes = counted.get(AskState.YES, 0) + counted.get(AskState.TOO_LATE, 0)
    return yes, counted.get(AskState.NO, 0) + counted.get(AskState.SILENT, 0)


# ---------------------------------------------------------------- risk


_club_of = (
    select(func.min(Membership.club_id))
    .where(Membership.person_id == Booking.person_id, Membership.state == MembershipState.APPROVED)
    .correlate(Booking)
    .scalar_subquery()
)
_lost = or_(Booking.state == BookingState.NO_SHOW, Booking.ended_because == Ended.COULD_NOT_COME)
# Who stood on the shift a day before: those who came, those who did not, and those who said so inside the last day.
_stood = or_(
    Booking.state.in_((BookingState.ATTENDED, BookingState.NO_SHOW)),
    and_(Booking.state == BookingState.CANCELLED, Booking.ended_because == Ended.COULD_NOT_COME),
)
_RECORDS = Ready(
    select(
        _club_of.label("club_id"),
        func.count(Booking.id).label("stood"),
        func.sum(case((_lost, 1), else_=0)).label("lost"),
    )
    .join(Shift, Shift.id == Booking.shift_id)
    .where(
        Shift.partnership_id == bindparam("tenant_id"),
        Shift.starts_at > bindparam("since"),
        Shift.starts_at <= bindparam("now"),
        _stood,
    )
    .group_by(_club_of)
)


def believed(partnership_id: int, now: datetime) -> Question[Beliefs]:
    """Ask what the year behind us says of how often walkers are lost, for the season and each club."""
    values = {"tenant_id": partnership_id, "since": now - YEAR, "now": now}
    return Question(_RECORDS, values, lambda rows: _beliefs(tuple(rows)))


@lru_cache(maxsize=256)
def _beliefs(rows: tuple[Any, ...]) -> Beliefs:
    return beliefs({row.club_id or 0: Record(int(row.lost), row.stood - int(row.lost)) for row in rows})


def past_shifts(connection: Connection, partnership_id: int, now: datetime) -> list[PastShift]:
    """Return the shifts of a year with how many stood on them and were lost, by club: what the risk is checked on."""
    rows = connection.execute(
        select(
            Shift.id,
            Shift.starts_at,
            Shift.minimum,
            _club_of.label("club_id"),
            func.count(Booking.id).label("stood"),
            func.sum(case((_lost, 1), else_=0)).label("lost"),
        )
        .join(Booking, Booking.shift_id == Shift.id)
        .where(
            Shift.partnership_id == partnership_id,
            Shift.starts_at > now - YEAR,
            Shift.starts_at <= now,
            Shift.state != ShiftState.CALLED_OFF,
            _stood,
        )
        .group_by(Shift.id, Shift.starts_at, Shift.minimum, _club_of)
        .order_by(Shift.starts_at, Shift.id)
    )
    by_shift: dict[int, list[AnyRow]] = defaultdict(list)
    for row in rows:
        by_shift[row.id].append(row)
    return [
        PastShift(
            listed[0].starts_at,
            listed[0].minimum,
            tuple((row.club_id or 0, row.stood, int(row.lost)) for row in listed),
        )
        for listed in by_shift.values()
    ]


class Team(NamedTuple):
    """Who is booked on a shift, as numbers: walkers by club, and how many of them have walked before. Of a shift that
    is further away than newcomers alone would matter, all are taken to have."""

    by_club: tuple[tuple[int, int], ...]
    experienced: int

    @property
    def only_newcomers(self) -> bool:
        return bool(self.by_club) and not self.experienced


_before = aliased(Booking)
_has_walked = (
    select(_before.id)
    .where(_before.person_id == Booking.person_id, _before.state == BookingState.ATTENDED)
    .correlate(Booking)
    .exists()
)
_TEAMS = Ready(
    select(
        Booking.shift_id,
        _club_of.label("club_id"),
        func.count(Booking.id).label("number"),
        func.sum(case((Shift.starts_at > bindparam("soon"), 1), (_has_walked, 1), else_=0)).label("experienced"),
    )
    .join(Shift, Shift.id == Booking.shift_id)
    .where(
        Shift.partnership_id == bindparam("tenant_id"),
        Shift.starts_at > bindparam("now"),
        Shift.starts_at <= bindparam("until"),
        or_(Shift.booked >= Shift.minimum, Shift.starts_at <= bindparam("soon")),
        Booking.state == BookingState.BOOKED,
    )
    .group_by(Booking.shift_id, _club_of)
    .order_by(Booking.shift_id, _club_of)
)


def teams(partnership_id: int, now: datetime, days: int = RISK_DAYS) -> Question[dict[int, Team]]:
    """Ask for the teams of the shifts within so many days, by shift; one without people is left out, and one that
    lacks people anyway where newcomers alone would not matter yet."""
    values = {
        "tenant_id": partnership_id,
        "now": now,
        "until": now + timedelta(days=days + 1),
        "soon": now + timedelta(days=NEWCOMERS_DAYS + 1),
    }
    return Question(_TEAMS, values, _by_shift)


def _by_shift(rows: list[Any]) -> dict[int, Team]:
    clubs: dict[int, list[tuple[int, int]]] = defaultdict(list)
    experienced: dict[int, int] = defaultdict(int)
    for shift_id, club_id, number, have_walked in rows:
        clubs[shift_id].append((club_id or 0, number))
        experienced[shift_id] += int(have_walked)
    return {shift_id: Team(tuple(by_club), experienced[shift_id]) for shift_id, by_club in clubs.items()}


# ---------------------------------------------------------------- askings


class Search(NamedTuple):
    """How the search for people to a shift stands."""

    asking_id: int
    shift_id: int
    state: AskingState
    goal: int
    next_wave_at: datetime
    dry: bool
    asked: int
    yes: int
    no: int


def _counted(*states: AskState) -> object:
    return func.coalesce(func.sum(case((Ask.state.in_(states), 1), else_=0)), 0)


_COUNTED = (
    Asking.id,
    Asking.shift_id,
    Asking.state,
    Asking.goal,
    Asking.next_wave_at,
    Asking.dry,
    _counted(*(state for state in AskState if state is not AskState.WITHDRAWN)).label("asked"),  # type: ignore[attr-defined]
    _counted(AskState.YES).label("yes"),  # type: ignore[attr-defined]
    _counted(AskState.NO).label("no"),  # type: ignore[attr-defined]
)
_SEARCHES = Ready(
    select(*_COUNTED)
    .join(Shift, Shift.id == Asking.shift_id)
    .outerjoin(Ask, Ask.asking_id == Asking.id)
    .where(Asking.partnership_id == bindparam("tenant_id"), Shift.starts_at > bindparam("now"))
    .group_by(*_COUNTED[:6])
    .order_by(Asking.id)
)


def searches(partnership_id: int, now: datetime) -> Question[dict[int, Search]]:
    """Ask for the latest search of each coming shift that has one."""
    return Question(_SEARCHES, {"tenant_id": partnership_id, "now": now}, _latest)


def _latest(rows: list[Any]) -> dict[int, Search]:
    return {row.shift_id: Search(*row) for row in rows}


def search_of(connection: Connection, partnership_id: int, shift_id: int) -> Search | None:
    """Return the latest search for people to one shift."""
    row = connection.execute(
        select(*_COUNTED)
        .outerjoin(Ask, Ask.asking_id == Asking.id)
        .where(Asking.partnership_id == partnership_id, Asking.shift_id == shift_id)
        .group_by(*_COUNTED[:6])
        .order_by(Asking.id.desc())
        .limit(1)
    ).first()
    return Search(*row) if row is not None else None


class Asked(NamedTuple):
    person_id: int
    first_name: str
    wave: int
    state: AskState
    asked_at: datetime


def asked_people(connection: Connection, partnership_id: int, shift_id: int) -> list[Asked]:
    """Return who was asked about a shift, the latest first."""
    rows = connection.execute(
        select(Ask.person_id, Person.first_name, Ask.wave, Ask.state, Ask.asked_at)
        .join(Person, Person.id == Ask.person_id)
        .where(Ask.shift_id == shift_id, Ask.partnership_id == partnership_id, Ask.state != AskState.WITHDRAWN)
        .order_by(Ask.id.desc())
    )
    return [Asked(*row) for row in rows]

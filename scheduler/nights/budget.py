"""What the agreement's lines still pay for, counted from the nights themselves; and opening one more area."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, or_, select, update

from scheduler.kit.ready import Question, Ready
from scheduler.kit.refusals import Conflict, NotFound
from scheduler.nights.actions import Places, add_shift
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import agreement_on
from scheduler.partnership.rules import BudgetLineKind, paid_area_nights
from scheduler.partnership.tables import Agreement, Area, BudgetLine
from scheduler.people.rules import Acting

QUARTER = timedelta(minutes=15)


class BudgetRefusal(Conflict):
    room = "nights"


class NeedsDecision(BudgetRefusal):
    """The unforeseen line pays for no more second areas; beyond it only with a decision of the steering group."""


class NoNightsLeft(BudgetRefusal):
    """The weekend line pays for no more nights."""


class AreaTaken(BudgetRefusal):
    """The area is open on that night already."""


class NightOver(BudgetRefusal):
    """The walk has ended, or the night is called off: there is nothing to open a second area beside."""


class NightLeftOut(BudgetRefusal):
    """The plan leaves that night out; it is walked by a swap on the season's page."""


@dataclass(frozen=True, slots=True)
class Lines:
    """How many nights, and how many further areas, the agreement pays for, and how many are taken."""

    rate_ore: int
    nights_paid: int
    nights_taken: int
    further_paid: int
    further_taken: int

    @property
    def nights_left(self) -> int:
        return max(self.nights_paid - self.nights_taken, 0)

    @property
    def further_left(self) -> int:
        return max(self.further_paid - self.further_taken, 0)


def lines(connection: Connection, partnership_id: int, night: date, now: datetime) -> Lines:
    """Return how the lines of the agreement stand in whose term `night` lies. Raises NotFound where none does.

    A night's first area is paid by the weekend line, each further one by the unforeseen line. What was walked
    counts, and what is to come; a past shift that was not walked costs nothing.
    """
    agreement = agreement_on(connection, partnership_id, night)
    rows = connection.execute(
        select(Shift.night_id)
        .join(Night, Night.id == Shift.night_id)
        .where(
            Night.agreement_id == agreement.id,
            Shift.state != ShiftState.CALLED_OFF,
            or_(Shift.state == ShiftState.WALKED, Shift.ends_at > now),
        )
    )
    areas = Counter(row.night_id for row in rows)
    return Lines(
        rate_ore=agreement.night_rate_ore,
        nights_paid=agreement.paid_nights(BudgetLineKind.WEEKEND_NIGHTS),
        nights_taken=len(areas),
        further_paid=agreement.paid_nights(BudgetLineKind.UNFORESEEN),
        further_taken=sum(areas.values()) - len(areas),
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """What opening one more area on a night means. `areas`: id and name of those that can be opened."""

    date: date
    starts_at: datetime
    ends_at: datetime
    areas: tuple[tuple[int, str], ...]
    lines: Lines

    @property
    def needs_decision(self) -> bool:
        return self.lines.further_left <= 0


def offer(connection: Connection, partnership_id: int, night: date, now: datetime) -> Offer | None:
    """Return which further areas can be opened on a night and what is left for them; None when no area is open
    on it, or the walk is over. Once it has begun, a further area starts at the next quarter of an hour."""
    shifts = connection.execute(
        select(Shift.area_id, Shift.starts_at, Shift.ends_at, Shift.state)
        .join(Night, Night.id == Shift.night_id)
        .where(Night.partnership_id == partnership_id, Night.date == night)
        .order_by(Shift.id)
    ).all()
    open_now = [row for row in shifts if row.state in {ShiftState.PLANNED, ShiftState.PUBLISHED, ShiftState.WALKED}]
    if not open_now or max(row.ends_at for row in open_now) <= now:
        return None
    first = open_now[0]
    starts_at = first.starts_at if first.starts_at > now else next_start(now, first.ends_at)
    if starts_at >= first.ends_at:
        return None
    taken = {row.area_id for row in open_now}
    areas = connection.execute(
        select(Area.id, Area.name).where(Area.partnership_id == partnership_id).order_by(Area.name)
    )
    free = tuple((row.id, row.name) for row in areas if row.id not in taken)
    return Offer(night, starts_at, first.ends_at, free, lines(connection, partnership_id, night, now))


@dataclass(frozen=True, slots=True)
class Further:
    """What one more area on a night of a term costs, and which areas there are: id, name and usual places."""

    starts_on: date
    ends_on: date
    lines: Lines
    areas: list[tuple[int, str, Places]]

    def on(self, night: date, starts_at: datetime, ends_at: datetime, open_areas: Collection[str]) -> Offer | None:
        """Return the offer for a night on which these areas are open; None for another term's night, or where every
        area is open."""
        free = tuple((area_id, name) for area_id, name, _ in self.areas if name not in open_areas)
        if not free or not self.starts_on <= night <= self.ends_on:
            return None
        return Offer(night, starts_at, ends_at, free, self.lines)


def _line(kind: BudgetLineKind) -> ColumnElement[int]:
    of_term = select(BudgetLine.amount_ore).where(BudgetLine.agreement_id == Agreement.id, BudgetLine.kind == kind)
    return func.coalesce(of_term.correlate(Agreement).scalar_subquery(), 0)


_ON_THE_DAY = (
    Agreement.partnership_id == bindparam("tenant_id"),
    Agreement.starts_on <= bindparam("day"),
    Agreement.ends_on >= bindparam("day"),
)
_taken = (
    select(
        Night.agreement_id,
        func.count(Shift.id).label("shifts"),
        func.count(func.distinct(Shift.night_id)).label("nights"),
    )
    .join(Shift, Shift.night_id == Night.id)
    .where(
        Night.agreement_id.in_(select(Agreement.id).where(*_ON_THE_DAY)),
        Shift.state != ShiftState.CALLED_OFF,
        or_(Shift.state == ShiftState.WALKED, Shift.ends_at > bindparam("now")),
    )
    .group_by(Night.agreement_id)
    .subquery()
)
_FURTHER = Ready(
    select(
        Agreement.id,
        Agreement.starts_on,
        Agreement.ends_on,
        Agreement.night_rate_ore,
        _line(BudgetLineKind.WEEKEND_NIGHTS).label("weekend_ore"),
        _line(BudgetLineKind.UNFORESEEN).label("unforeseen_ore"),
        func.coalesce(_taken.c.shifts, 0).label("shifts"),
        func.coalesce(_taken.c.nights, 0).label("nights"),
        Area.id.label("area_id"),
        Area.name,
        Area.default_minimum,
        Area.default_wanted,
    )
    .join(Area, Area.partnership_id == Agreement.partnership_id)
    .outerjoin(_taken, _taken.c.agreement_id == Agreement.id)
    .where(*_ON_THE_DAY)
    .order_by(Agreement.starts_on.desc(), Area.name)
)


def further(partnership_id: int, day: date, now: datetime) -> Question[Further | None]:
    """Ask what further areas cost in the term that holds `day`; None outside every term. It counts as `lines` does."""
    return Question(_FURTHER, {"tenant_id": partnership_id, "day": day, "now": now}, _further)


def _further(rows: list[Any]) -> Further | None:
    if not rows:
        return None
    first = rows[0]
    return Further(
        first.starts_on,
        first.ends_on,
        Lines(
            rate_ore=first.night_rate_ore,
            nights_paid=paid_area_nights(first.weekend_ore, first.night_rate_ore),
            nights_taken=first.nights,
            further_paid=paid_area_nights(first.unforeseen_ore, first.night_rate_ore),
            further_taken=first.shifts - first.nights,
        ),
        [
            (row.area_id, row.name, Places(row.default_minimum, row.default_wanted))
            for row in rows
            if row.id == first.id
        ],
    )


def next_start(now: datetime, ends_at: datetime) -> datetime:
    """Return the next quarter of an hour, or the next minute where the walk ends before that."""
    minute = now.replace(second=0, microsecond=0)
    quarter = minute - timedelta(minutes=minute.minute % 15) + QUARTER
    return quarter if quarter < ends_at else minute + timedelta(minutes=1)


def lock_lines(connection: Connection, partnership_id: int, night: date) -> None:
    """Let others wait who would spend the same agreement's lines. Raises NotFound outside every term."""
    agreement = agreement_on(connection, partnership_id, night)
    connection.execute(
        update(Agreement).where(Agreement.id == agreement.id).values(promised_ore=Agreement.promised_ore)
    )


def open_area(connection: Connection, acting: Acting, night: date, area_id: int, decision: str = "") -> int:
    """Open one more area on a night, published at once, and return the shift's id.

    Raises NightOver, AreaTaken (somebody else was first), or NeedsDecision when the line pays for no more and
    no `decision` of the steering group is given (`steering` looks it up). An area that was called off on that night
    is opened again.
    """
    lock_lines(connection, acting.partnership_id, night)
    found = offer(connection, acting.partnership_id, night, acting.now)
    if found is None:
        raise NightOver
    if area_id not in dict(found.areas):
        raise AreaTaken
    if found.needs_decision and not decision:
        raise NeedsDecision
    night_id = connection.execute(
        select(Night.id).where(Night.partnership_id == acting.partnership_id, Night.date == night)
    ).scalar_one()
    shift_id = _new_or_again(connection, acting, night_id, area_id, found)
    if found.needs_decision:
        connection.execute(update(Shift).where(Shift.id == shift_id).values(decision=decision))
    return shift_id


def check_again(connection: Connection, acting: Acting, shift_id: int) -> None:
    """Raise what the budget says against walking a called-off shift after all: NightLeftOut, NeedsDecision or
    NoNightsLeft; NotFound for no such shift."""
    found = connection.execute(
        select(Night.id, Night.date, Night.left_out)
        .join(Shift, Shift.night_id == Night.id)
        .where(Shift.id == shift_id, Shift.partnership_id == acting.partnership_id)
    ).first()
    if found is None:
        raise NotFound
    if found.left_out is not None:
        raise NightLeftOut
    lock_lines(connection, acting.partnership_id, found.date)
    standing = lines(connection, acting.partnership_id, found.date, acting.now)
    beside = connection.execute(
        select(Shift.id).where(Shift.night_id == found.id, Shift.state != ShiftState.CALLED_OFF).limit(1)
    ).first()
    if beside is not None and standing.further_left <= 0:
        raise NeedsDecision
    if beside is None and standing.nights_left <= 0:
        raise NoNightsLeft


def _new_or_again(connection: Connection, acting: Acting, night_id: int, area_id: int, found: Offer) -> int:
    called_off = connection.execute(
        select(Shift.id).where(Shift.night_id == night_id, Shift.area_id == area_id)
    ).scalar()
    if called_off is not None:
        connection.execute(
            update(Shift)
            .where(Shift.id == called_off)
            .values(
                state=ShiftState.PUBLISHED,
                starts_at=found.starts_at,
                ends_at=found.ends_at,
                revision=Shift.revision + 1,
                edition=Shift.edition + 1,
            )
        )
        return int(called_off)
    usual = connection.execute(select(Area.default_minimum, Area.default_wanted).where(Area.id == area_id)).one()
    return add_shift(
        connection,
        acting.partnership_id,
        night_id,
        area_id,
        found.starts_at,
        found.ends_at,
        Places(*usual),
        ShiftState.PUBLISHED,
        acting.now,
        by_person_id=acting.person_id,
    )


@dataclass(frozen=True, slots=True)
class OneMore:
    """What one more shift on a night would be: a `further` area beside another, or the night's first."""

    night_id: int | None
    further: bool
    lines: Lines

    @property
    def needs_decision(self) -> bool:
        return self.further and self.lines.further_left <= 0

    @property
    def beyond_the_nights(self) -> bool:
        return not self.further and self.lines.nights_left <= 0


def one_more(connection: Connection, partnership_id: int, night: date, area_id: int, now: datetime) -> OneMore:
    """Return what a shift that is copied or moved to a date would be there. Raises NotFound (outside every term),
    AreaTaken or NightLeftOut."""
    standing = lines(connection, partnership_id, night, now)
    found = connection.execute(
        select(Night.id, Night.left_out).where(Night.partnership_id == partnership_id, Night.date == night)
    ).first()
    if found is None:
        return OneMore(None, further=False, lines=standing)
    if found.left_out is not None:
        raise NightLeftOut
    there = connection.execute(select(Shift.area_id, Shift.state).where(Shift.night_id == found.id)).all()
    if any(row.area_id == area_id for row in there):
        raise AreaTaken
    further = any(row.state is not ShiftState.CALLED_OFF for row in there)
    return OneMore(int(found.id), further=further, lines=standing)


def night_for(connection: Connection, acting: Acting, night: date, area_id: int, *, leaving: int | None = None) -> int:
    """Return the night of a date for a shift that is copied or moved there, made where there is none.

    `leaving` is the night that the shift leaves. Raises NotFound (outside every term), AreaTaken, NightLeftOut,
    NoNightsLeft or NeedsDecision.
    """
    lock_lines(connection, acting.partnership_id, night)
    found = one_more(connection, acting.partnership_id, night, area_id, acting.now)
    if found.needs_decision:
        raise NeedsDecision
    if found.beyond_the_nights and leaving is None:
        raise NoNightsLeft
    if found.night_id is not None:
        return found.night_id
    return connection.execute(
        insert(Night)
        .values(
            partnership_id=acting.partnership_id,
            agreement_id=agreement_on(connection, acting.partnership_id, night).id,
            date=night,
            special=None,
            left_out=None,
            plan_id=None,
        )
        .returning(Night.id)
    ).scalar_one()

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, exists, func, or_, select

from scheduler.bookings.rules import ACTIVE, BookingState
from scheduler.bookings.tables import Booking
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import LeftOut, Special
from scheduler.nights.tables import Night, SeasonPlan, Shift
from scheduler.partnership.queries import AgreementView, agreement_on
from scheduler.partnership.rules import BudgetLineKind
from scheduler.partnership.tables import Agreement, Area, Club
from scheduler.people.queries import LogEntry
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership, Person

# Friday and Saturday.
WEEKEND = (4, 5)


@dataclass(frozen=True, slots=True)
class NightLine:
    """One possible night of an agreement. `open_areas`: not called off; `people`: booked, held or waiting."""

    id: int
    date: date
    special: Special | None
    left_out: LeftOut | None
    plan_id: int | None
    open_areas: int
    drafts: int
    people: int

    @property
    def kept(self) -> bool:
        """Return whether the budget's weekend line pays for this night."""
        return self.left_out is None and self.open_areas > 0


@dataclass(frozen=True, slots=True)
class PlanLine:
    """Nights that were made at one time. `taken`: somebody has booked or been in line on one of them."""

    id: int
    publish_on: date | None
    nights: list[NightLine]
    taken: bool

    @property
    def walked(self) -> list[NightLine]:
        return [night for night in self.nights if night.kept]

    @property
    def drafts(self) -> int:
        return sum(night.drafts > 0 for night in self.nights)


@dataclass(frozen=True, slots=True)
class SeasonView:
    """An agreement's nights: how many the weekend line pays for, which are kept and which left out."""

    agreement: AgreementView
    nights: list[NightLine]
    plans: list[PlanLine] = field(default_factory=list)

    @property
    def paid(self) -> int:
        return self.agreement.paid_nights(BudgetLineKind.WEEKEND_NIGHTS)

    @property
    def kept(self) -> int:
        return sum(night.kept for night in self.nights)

    @property
    def left(self) -> int:
        return max(self.paid - self.kept, 0)

    def left_out(self, today: date) -> list[NightLine]:
        """Return the coming nights that are not walked, with their reason."""
        return [night for night in self.nights if night.left_out is not None and night.date >= today]

    def may_give_up(self, today: date) -> list[NightLine]:
        """Return the coming nights that nobody has booked, the ordinary ones first."""
        free = [night for night in self.nights if night.kept and not night.people and night.date > today]
        return sorted(free, key=lambda night: (night.special is not None, night.date))


def coming_terms(connection: Connection, partnership_id: int, today: date) -> list[date]:
    """Return a day in each agreement that is not over, by time: its first day."""
    return list(
        connection.execute(
            select(Agreement.starts_on)
            .where(Agreement.partnership_id == partnership_id, Agreement.ends_on >= today)
            .order_by(Agreement.starts_on)
        ).scalars()
    )


def season(connection: Connection, partnership_id: int, day: date) -> SeasonView:
    """Return the nights and plans of the agreement whose term holds `day`. Raises NotFound where none does."""
    agreement = agreement_on(connection, partnership_id, day)
    nights = _nights(connection, agreement.id)
    taken = set(
        connection.execute(
            select(Night.plan_id)
            .join(Shift, Shift.night_id == Night.id)
            .join(Booking, Booking.shift_id == Shift.id)
            .where(Night.agreement_id == agreement.id)
            .distinct()
        ).scalars()
    )
    of_plan: dict[int | None, list[NightLine]] = defaultdict(list)
    for night in nights:
        of_plan[night.plan_id].append(night)
    plans = connection.execute(
        select(SeasonPlan.id, SeasonPlan.publish_on)
        .where(SeasonPlan.agreement_id == agreement.id)
        .order_by(SeasonPlan.id)
    )
    listed = [PlanLine(plan.id, plan.publish_on, of_plan[plan.id], plan.id in taken) for plan in plans]
    return SeasonView(agreement, nights, [plan for plan in listed if plan.nights])


def _nights(connection: Connection, agreement_id: int) -> list[NightLine]:
    waiting = (
        select(func.count(Booking.id))
        .join(Shift, Shift.id == Booking.shift_id)
        .where(Shift.night_id == Night.id, Booking.state == BookingState.WAITING)
        .correlate(Night)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(
            Night.id,
            Night.date,
            Night.special,
            Night.left_out,
            Night.plan_id,
            func.count(Shift.id).filter(Shift.state != ShiftState.CALLED_OFF).label("open_areas"),
            func.count(Shift.id).filter(Shift.state == ShiftState.PLANNED).label("drafts"),
            (func.coalesce(func.sum(Shift.booked + Shift.held), 0) + waiting).label("people"),
        )
        .outerjoin(Shift, Shift.night_id == Night.id)
        .where(Night.agreement_id == agreement_id)
        .group_by(Night.id, Night.date, Night.special, Night.left_out, Night.plan_id)
        .order_by(Night.date)
    )
    return [NightLine(*row) for row in rows]


def planned_dates(connection: Connection, partnership_id: int, first: date, last: date) -> set[date]:
    """Return the dates of a period that are planned, walked or left out."""
    return set(
        connection.execute(
            select(Night.date).where(Night.partnership_id == partnership_id, Night.date >= first, Night.date <= last)
        ).scalars()
    )


LIKE_ESCAPE = "\\"
MOST_FOUND = 12


@dataclass(frozen=True, slots=True)
class Found:
    """A member whose name was looked for; `here` says that the person is on the shift or in its list."""

    person_id: int
    name: str
    club: str
    here: bool


def members_like(connection: Connection, partnership_id: int, shift_id: int, asked: str) -> list[Found]:
    """Return approved members whose name begins with, or holds after a space, what was typed; at most twelve."""
    typed = "".join(LIKE_ESCAPE + sign if sign in "%_\\" else sign for sign in asked)
    # SQLite folds the case of A to Z only; a name that begins with Å is found as it is written.
    forms = {typed, typed.capitalize(), typed.title()}
    full = Person.first_name + " " + Person.last_name
    like = [full.ilike(form + "%", escape=LIKE_ESCAPE) for form in forms]
    like += [full.ilike("% " + form + "%", escape=LIKE_ESCAPE) for form in forms]
    here = exists().where(
        Booking.person_id == Person.id, Booking.shift_id == shift_id, Booking.state.in_(ACTIVE)
    ).correlate(Person)  # fmt: skip
    rows = connection.execute(
        select(Person.id, full.label("name"), func.min(Club.name).label("club"), here.label("here"))
        .join(Membership, Membership.person_id == Person.id)
        .join(Club, Club.id == Membership.club_id)
        .where(Person.partnership_id == partnership_id, Membership.state == MembershipState.APPROVED, or_(*like))
        .group_by(Person.id, Person.first_name, Person.last_name)
        .order_by(Person.first_name, Person.last_name, Person.id)
        .limit(MOST_FOUND)
    )
    return [Found(*row) for row in rows]


def shifts_of(connection: Connection, partnership_id: int, log: Iterable[LogEntry]) -> dict[int, tuple[date, str]]:
    """Return the night and the area of each shift that the log tells of, by its id."""
    ids = {entry.shift_id for entry in log if entry.shift_id is not None}
    rows = connection.execute(
        select(Shift.id, Night.date, Area.name)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(Shift.partnership_id == partnership_id, Shift.id.in_(ids))
    )
    return {shift_id: (night, area) for shift_id, night, area in rows}

"""Counting a period: numbers from shifts, bookings, notes and the ledger; never a name."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select

from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnyRow
from scheduler.kit.ready import Ready, all_of
from scheduler.money.queries import account_of, account_steps
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import AgreementView
from scheduler.partnership.tables import Agreement, Area
from scheduler.reports.rules import AreaCount, ClubCount, Figures, LineCount, NightCount, Period, percent
from scheduler.walks.tables import WalkNote

MINUTE = timedelta(minutes=1)


def figures(connection: Connection, agreement: AgreementView, period: Period, now: datetime) -> Figures:
    """Return everything that a report of this period says at this moment."""
    within = {"agreement": agreement.id, "first": period.first, "last": period.last}
    shifts, [people], *money = all_of(
        connection,
        (_SHIFTS, within),
        (_PEOPLE, within),
        *account_steps(agreement.id, period.first, period.last, now),
    )
    account = account_of(agreement, *money)
    walked = [row for row in shifts if row.state is ShiftState.WALKED]
    noted = [row for row in shifts if row.mood is not None]
    by_night = Counter(row.date for row in walked)
    return Figures(
        areas=_areas(shifts, now),
        clubs=[ClubCount(one.club, one.shifts, one.heads, one.amount_ore) for one in account.clubs],
        lines=[
            LineCount(
                line.kind.value,
                line.amount_ore,
                account.within_ore[line.kind],
                account.until_ore[line.kind],
                line.forecast_ore,
            )
            for line in account.lines
        ],
        nights=[
            NightCount(
                row.date.isoformat(),
                row.area,
                row.came if row.state is ShiftState.WALKED else row.booked,
                row.wanted,
                _state(row, now),
            )
            for row in shifts
        ],
        double_nights=sum(count > 1 for count in by_night.values()),
        walkers=people.walkers,
        new_walkers=people.new,
        minutes=sum(row.came * ((row.ends_at - row.starts_at) // MINUTE) for row in walked),
        coverage_percent=percent(sum(row.came for row in walked), sum(row.wanted for row in walked)),
        notes=len(noted),
        follow_ups=sum(row.follow_up for row in noted),
        moods=dict(Counter(row.mood.value for row in noted)),
        young_people=dict(Counter(row.young_people.value for row in noted)),
        happened=dict(Counter(row.happened.value for row in noted)),
    )


_CAME = (
    select(func.count()).where(Booking.shift_id == Shift.id, Booking.state == BookingState.ATTENDED).scalar_subquery()
)
_SHIFTS = Ready(
    select(
        Shift.state, Shift.starts_at, Shift.ends_at, Shift.booked, Shift.wanted, Night.date, Area.name.label("area"),
        _CAME.label("came"), WalkNote.mood, WalkNote.young_people, WalkNote.happened, WalkNote.follow_up,
    )
    .join(Night, Night.id == Shift.night_id)
    .join(Area, Area.id == Shift.area_id)
    .outerjoin(WalkNote, WalkNote.shift_id == Shift.id)
    .where(
        Night.agreement_id == bindparam("agreement"),
        Night.date.between(bindparam("first"), bindparam("last")),
        Shift.state != ShiftState.PLANNED,
    )
    .order_by(Shift.starts_at, Area.name)
)  # fmt: skip
# Who has walked up to the period's end, in this town and at any time: first and last night of each.
_WALKED = (
    select(func.min(Night.date).label("first"), func.max(Night.date).label("last"))
    .select_from(Booking)
    .join(Shift, Shift.id == Booking.shift_id)
    .join(Night, Night.id == Shift.night_id)
    .where(
        Booking.state == BookingState.ATTENDED,
        Shift.state == ShiftState.WALKED,
        Night.date <= bindparam("last"),
        Night.partnership_id
        == select(Agreement.partnership_id).where(Agreement.id == bindparam("agreement")).scalar_subquery(),
    )
    .group_by(Booking.person_id)
    .subquery()
)
# How many people walked in the period, and how many of them for the first time ever.
_PEOPLE = Ready(
    select(
        func.count().label("walkers"), func.count().filter(_WALKED.c.first >= bindparam("first")).label("new")
    ).where(_WALKED.c.last >= bindparam("first"))
)


def _state(row: AnyRow, now: datetime) -> str:
    if row.state in {ShiftState.WALKED, ShiftState.CALLED_OFF}:
        return str(row.state.value)
    return "coming" if row.ends_at > now else "not_walked"


def _areas(shifts: list[AnyRow], now: datetime) -> list[AreaCount]:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in shifts:
        counted[row.area][_state(row, now)] += 1
    return [
        AreaCount(area, counts.total(), counts["walked"], counts["called_off"], counts["not_walked"])
        for area, counts in sorted(counted.items())
    ]

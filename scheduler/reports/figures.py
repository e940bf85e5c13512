"""Counting a period: numbers from shifts, bookings, notes and the ledger; never a name."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select

from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnyRow
from scheduler.kit.ready import Ready, all_of
from scheduler.money.queries import club_sums, line_states
from scheduler.money.rules import LineState
from scheduler.money.tables import LedgerEntry, Purchase
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import AgreementView
from scheduler.partnership.rules import BudgetLineKind
from scheduler.partnership.tables import Agreement, Area
from scheduler.reports.rules import AreaCount, ClubCount, Figures, LineCount, NightCount, Period, percent
from scheduler.walks.tables import WalkNote

MINUTE = timedelta(minutes=1)


def figures(connection: Connection, agreement: AgreementView, period: Period, now: datetime) -> Figures:
    """Return everything that a report of this period says at this moment."""
    within = {"agreement": agreement.id, "first": period.first, "last": period.last}
    shifts, coming, notes, firsts, used = all_of(
        connection,
        (_SHIFTS, within),
        (_CAME, within),
        (_NOTES, within),
        (_FIRSTS, {"agreement": agreement.id, "last": period.last}),
        (_USED, within),
    )
    came = {row.shift_id: row.people for row in coming}
    walked = [row for row in shifts if row.state is ShiftState.WALKED]
    by_night = Counter(row.date for row in walked)
    return Figures(
        areas=_areas(shifts, now),
        clubs=[
            ClubCount(one.club, one.shifts, one.heads, one.amount_ore)
            for one in club_sums(connection, agreement.id, period.first, period.last)
        ],
        lines=_lines(agreement, used, line_states(connection, agreement, now)),
        nights=[
            NightCount(row.date.isoformat(), row.area, came.get(row.id, row.booked), row.wanted, _state(row, now))
            for row in shifts
        ],
        double_nights=sum(count > 1 for count in by_night.values()),
        # How many people walked in the period, and how many of them for the first time ever.
        walkers=sum(row.last >= period.first for row in firsts),
        new_walkers=sum(row.first >= period.first for row in firsts),
        minutes=sum(came.get(row.id, 0) * ((row.ends_at - row.starts_at) // MINUTE) for row in walked),
        coverage_percent=percent(sum(came.get(row.id, 0) for row in walked), sum(row.wanted for row in walked)),
        notes=len(notes),
        follow_ups=sum(row.follow_up for row in notes),
        moods=dict(Counter(row.mood.value for row in notes)),
        young_people=dict(Counter(row.young_people.value for row in notes)),
        happened=dict(Counter(row.happened.value for row in notes)),
    )


_WITHIN = Night.agreement_id == bindparam("agreement"), Night.date.between(bindparam("first"), bindparam("last"))
_SHIFTS = Ready(
    select(
        Shift.id, Shift.state, Shift.starts_at, Shift.ends_at, Shift.booked, Shift.wanted, Night.date,
        Area.name.label("area"),
    )
    .join(Night, Night.id == Shift.night_id)
    .join(Area, Area.id == Shift.area_id)
    .where(*_WITHIN, Shift.state != ShiftState.PLANNED)
    .order_by(Shift.starts_at, Area.name)
)  # fmt: skip
_CAME = Ready(
    select(Booking.shift_id, func.count().label("people"))
    .join(Shift, Shift.id == Booking.shift_id)
    .join(Night, Night.id == Shift.night_id)
    .where(*_WITHIN, Shift.state == ShiftState.WALKED, Booking.state == BookingState.ATTENDED)
    .group_by(Booking.shift_id)
)
_NOTES = Ready(
    select(WalkNote.mood, WalkNote.young_people, WalkNote.happened, WalkNote.follow_up)
    .join(Shift, Shift.id == WalkNote.shift_id)
    .join(Night, Night.id == Shift.night_id)
    .where(*_WITHIN, Shift.state != ShiftState.PLANNED)
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


_FIRSTS = Ready(
    select(Booking.person_id, func.min(Night.date).label("first"), func.max(Night.date).label("last"))
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
)


_DAY = func.coalesce(Night.date, Purchase.bought_on)
_USED = Ready(
    select(
        LedgerEntry.line,
        func.sum(LedgerEntry.amount_ore).label("used"),
        func.coalesce(func.sum(LedgerEntry.amount_ore).filter(bindparam("first") <= _DAY), 0).label("in_period"),
    )
    .outerjoin(Shift, Shift.id == LedgerEntry.shift_id)
    .outerjoin(Night, Night.id == Shift.night_id)
    .outerjoin(Purchase, Purchase.id == LedgerEntry.purchase_id)
    .where(LedgerEntry.agreement_id == bindparam("agreement"), bindparam("last") >= _DAY)
    .group_by(LedgerEntry.line)
)


def _lines(agreement: AgreementView, sums: Iterable[AnyRow], states: Iterable[LineState]) -> list[LineCount]:
    used = {row.line: (int(row.used), int(row.in_period)) for row in sums}
    forecast = {line.kind: line.forecast_ore for line in states}
    return [
        LineCount(
            kind.value,
            agreement.lines.get(kind, 0),
            used.get(kind, (0, 0))[1],
            used.get(kind, (0, 0))[0],
            forecast[kind],
        )
        for kind in BudgetLineKind
    ]

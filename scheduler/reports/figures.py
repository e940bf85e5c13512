"""Counting a period: numbers from shifts, bookings, notes and the ledger; never a name."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnyRow
from scheduler.money.queries import budget, club_sums
from scheduler.money.tables import LedgerEntry, Purchase
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import AgreementView
from scheduler.partnership.rules import BudgetLineKind
from scheduler.partnership.tables import Area
from scheduler.reports.rules import AreaCount, ClubCount, Figures, LineCount, NightCount, Period, percent
from scheduler.walks.tables import WalkNote

MINUTE = timedelta(minutes=1)


def figures(connection: Connection, agreement: AgreementView, period: Period, now: datetime) -> Figures:
    """Return everything that a report of this period says at this moment."""
    shifts = _shifts(connection, agreement.id, period)
    came = _came(connection, [row.id for row in shifts if row.state is ShiftState.WALKED])
    walked = [row for row in shifts if row.state is ShiftState.WALKED]
    notes = _notes(connection, [row.id for row in shifts])
    walkers, new_walkers = _walkers(connection, agreement, period)
    by_night = Counter(row.date for row in walked)
    return Figures(
        areas=_areas(shifts, now),
        clubs=[
            ClubCount(one.club, one.shifts, one.heads, one.amount_ore)
            for one in club_sums(connection, agreement.id, period.first, period.last)
        ],
        lines=_lines(connection, agreement, period, now),
        nights=[
            NightCount(row.date.isoformat(), row.area, came.get(row.id, row.booked), row.wanted, _state(row, now))
            for row in shifts
        ],
        double_nights=sum(count > 1 for count in by_night.values()),
        walkers=walkers,
        new_walkers=new_walkers,
        minutes=sum(came.get(row.id, 0) * ((row.ends_at - row.starts_at) // MINUTE) for row in walked),
        coverage_percent=percent(sum(came.get(row.id, 0) for row in walked), sum(row.wanted for row in walked)),
        notes=len(notes),
        follow_ups=sum(row.follow_up for row in notes),
        moods=dict(Counter(row.mood.value for row in notes)),
        young_people=dict(Counter(row.young_people.value for row in notes)),
        happened=dict(Counter(row.happened.value for row in notes)),
    )


def _shifts(connection: Connection, agreement_id: int, period: Period) -> list[AnyRow]:
    rows = connection.execute(
        select(
            Shift.id, Shift.state, Shift.starts_at, Shift.ends_at, Shift.booked, Shift.wanted, Night.date,
            Area.name.label("area"),
        )
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(
            Night.agreement_id == agreement_id,
            Night.date.between(period.first, period.last),
            Shift.state != ShiftState.PLANNED,
        )
        .order_by(Shift.starts_at, Area.name)
    )  # fmt: skip
    return list(rows)


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


def _came(connection: Connection, shift_ids: list[int]) -> dict[int, int]:
    rows = connection.execute(
        select(Booking.shift_id, func.count().label("people"))
        .where(Booking.shift_id.in_(shift_ids), Booking.state == BookingState.ATTENDED)
        .group_by(Booking.shift_id)
    )
    return {row.shift_id: row.people for row in rows}


def _notes(connection: Connection, shift_ids: list[int]) -> list[AnyRow]:
    rows = connection.execute(
        select(WalkNote.mood, WalkNote.young_people, WalkNote.happened, WalkNote.follow_up).where(
            WalkNote.shift_id.in_(shift_ids)
        )
    )
    return list(rows)


def _walkers(connection: Connection, agreement: AgreementView, period: Period) -> tuple[int, int]:
    """Return how many people walked in the period, and how many of them for the first time ever."""
    firsts = (
        select(Booking.person_id, func.min(Night.date).label("first"), func.max(Night.date).label("last"))
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .where(
            Booking.state == BookingState.ATTENDED,
            Shift.state == ShiftState.WALKED,
            Night.date <= period.last,
            Night.partnership_id == select(Night.partnership_id).where(
                Night.agreement_id == agreement.id
            ).limit(1).scalar_subquery(),
        )
        .group_by(Booking.person_id)
    )  # fmt: skip
    found = connection.execute(firsts).all()
    return (
        sum(row.last >= period.first for row in found),
        sum(row.first >= period.first for row in found),
    )


def _lines(connection: Connection, agreement: AgreementView, period: Period, now: datetime) -> list[LineCount]:
    day = func.coalesce(Night.date, Purchase.bought_on)
    rows = connection.execute(
        select(
            LedgerEntry.line,
            func.sum(LedgerEntry.amount_ore).label("used"),
            func.coalesce(func.sum(LedgerEntry.amount_ore).filter(day >= period.first), 0).label("in_period"),
        )
        .outerjoin(Shift, Shift.id == LedgerEntry.shift_id)
        .outerjoin(Night, Night.id == Shift.night_id)
        .outerjoin(Purchase, Purchase.id == LedgerEntry.purchase_id)
        .where(LedgerEntry.agreement_id == agreement.id, day <= period.last)
        .group_by(LedgerEntry.line)
    )
    used = {row.line: (int(row.used), int(row.in_period)) for row in rows}
    forecast = {line.kind: line.forecast_ore for line in budget(connection, agreement, now).lines}
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

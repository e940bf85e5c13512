"""The open accounts: the agreement, and what each club has received in each quarter. Clubs and sums, never people."""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from scheduler.money.queries import ClubSum, budget
from scheduler.money.rules import ORE_PER_KRONA, EntryKind, LineState
from scheduler.money.tables import LedgerEntry
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import AgreementView
from scheduler.partnership.tables import Club

CSV_HEADINGS = ("quarter", "club", "shifts", "walkers", "kronor", "nights_in_quarter", "shifts_in_quarter")


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter, named like "2026 Q1": how many nights were walked, as how many shifts, and each club's sum.

    A shift that was split counts as one here, and as one for each of its clubs.
    """

    name: str
    nights: int
    shifts: int
    clubs: list[ClubSum]

    @property
    def amount_ore(self) -> int:
        return sum(one.amount_ore for one in self.clubs)


@dataclass(frozen=True, slots=True)
class Accounts:
    """What everybody may see. `quarters` stand by time."""

    starts_on: date
    ends_on: date
    night_rate_ore: int
    promised_ore: int
    budgeted_ore: int
    used_ore: int
    walked: int
    lines: list[LineState]
    quarters: list[Quarter]


def quarter_of(day: date) -> str:
    """Return the name of the quarter that holds `day`: "2026 Q4"."""
    return f"{day.year} Q{(day.month - 1) // 3 + 1}"


def accounts(connection: Connection, agreement: AgreementView, now: datetime, today: date) -> Accounts:
    """Return the open accounts of an agreement."""
    money = budget(connection, agreement, now, today)
    return Accounts(
        starts_on=agreement.starts_on,
        ends_on=agreement.ends_on,
        night_rate_ore=money.rate_ore,
        promised_ore=agreement.sums.promised_ore,
        budgeted_ore=agreement.sums.budgeted_ore,
        used_ore=money.used_ore,
        walked=money.nights_walked,
        lines=money.lines,
        quarters=_quarters(connection, agreement.id),
    )


def _quarters(connection: Connection, agreement_id: int) -> list[Quarter]:
    rows = connection.execute(
        select(
            Night.date,
            Club.id,
            Club.name,
            LedgerEntry.kind,
            func.sum(LedgerEntry.amount_ore).label("ore"),
            func.sum(LedgerEntry.heads).label("heads"),
            func.count().label("entries"),
        )
        .join(Shift, Shift.id == LedgerEntry.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Club, Club.id == LedgerEntry.club_id)
        .where(LedgerEntry.agreement_id == agreement_id)
        .group_by(Night.date, Club.id, Club.name, LedgerEntry.kind)
    )
    found: dict[str, dict[int, ClubSum]] = defaultdict(dict)
    for row in rows:
        quarter = found[quarter_of(row.date)]
        before = quarter.get(row.id, ClubSum(row.id, row.name, 0, 0, 0))
        shifts = row.entries if row.kind is EntryKind.NIGHT else -row.entries
        quarter[row.id] = ClubSum(
            row.id, row.name, before.amount_ore + int(row.ore), before.shifts + shifts, before.heads + int(row.heads)
        )
    walked: dict[str, list[int]] = defaultdict(list)
    for day, shifts in connection.execute(
        select(Night.date, func.count())
        .join(Shift, Shift.night_id == Night.id)
        .where(Night.agreement_id == agreement_id, Shift.state == ShiftState.WALKED)
        .group_by(Night.date)
    ):
        walked[quarter_of(day)].append(shifts)
    return [
        Quarter(
            name,
            len(walked[name]),
            sum(walked[name]),
            sorted((one for one in found[name].values() if one.shifts), key=lambda one: (-one.amount_ore, one.club)),
        )
        for name in sorted({*found, *walked})
    ]


def as_csv(found: Accounts) -> str:
    """Return the clubs' sums as a spreadsheet reads them: one line for each quarter and club, kronor with a point."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_HEADINGS)
    for quarter in found.quarters:
        for one in quarter.clubs:
            kronor = f"{one.amount_ore / ORE_PER_KRONA:.2f}"
            club = (harmless(one.club), one.shifts, one.heads, kronor)
            writer.writerow((quarter.name, *club, quarter.nights, quarter.shifts))
    return out.getvalue()


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_json(found: Accounts) -> dict[str, object]:
    """Return the open accounts for programs, sums in öre."""
    return {
        "starts_on": found.starts_on.isoformat(),
        "ends_on": found.ends_on.isoformat(),
        "night_rate_ore": found.night_rate_ore,
        "promised_ore": found.promised_ore,
        "budgeted_ore": found.budgeted_ore,
        "used_ore": found.used_ore,
        "shifts_walked": found.walked,
        "lines": [
            {"line": line.kind.value, "amount_ore": line.amount_ore, "used_ore": line.used_ore} for line in found.lines
        ],
        "quarters": [
            {
                "quarter": quarter.name,
                "nights": quarter.nights,
                "shifts": quarter.shifts,
                "amount_ore": quarter.amount_ore,
                "clubs": [
                    {"club": one.club, "shifts": one.shifts, "walkers": one.heads, "amount_ore": one.amount_ore}
                    for one in quarter.clubs
                ],
            }
            for quarter in found.quarters
        ],
    }

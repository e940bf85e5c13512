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
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import AgreementView
from scheduler.partnership.tables import Club

CSV_HEADINGS = ("quarter", "club", "shifts", "walkers", "kronor")


@dataclass(frozen=True, slots=True)
class Accounts:
    """What everybody may see. `quarters` are names like "2026 Q1" with each club's sum, by time."""

    starts_on: date
    ends_on: date
    night_rate_ore: int
    promised_ore: int
    budgeted_ore: int
    used_ore: int
    walked: int
    lines: list[LineState]
    quarters: list[tuple[str, list[ClubSum]]]


def quarter_of(day: date) -> str:
    """Return the name of the quarter that holds `day`: "2026 Q4"."""
    return f"{day.year} Q{(day.month - 1) // 3 + 1}"


def accounts(connection: Connection, agreement: AgreementView, now: datetime) -> Accounts:
    """Return the open accounts of an agreement."""
    money = budget(connection, agreement, now)
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


def _quarters(connection: Connection, agreement_id: int) -> list[tuple[str, list[ClubSum]]]:
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
    return [
        (name, sorted((one for one in clubs.values() if one.shifts), key=lambda one: (-one.amount_ore, one.club)))
        for name, clubs in sorted(found.items())
    ]


def as_csv(found: Accounts) -> str:
    """Return the clubs' sums as a spreadsheet reads them: one line for each quarter and club, kronor with a point."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_HEADINGS)
    for quarter, clubs in found.quarters:
        for one in clubs:
            writer.writerow(
                (quarter, harmless(one.club), one.shifts, one.heads, f"{one.amount_ore / ORE_PER_KRONA:.2f}")
            )
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
                "quarter": quarter,
                "clubs": [
                    {"club": one.club, "shifts": one.shifts, "walkers": one.heads, "amount_ore": one.amount_ore}
                    for one in clubs
                ],
            }
            for quarter, clubs in found.quarters
        ],
    }

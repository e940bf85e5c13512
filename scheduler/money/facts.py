"""Reading what the rules of money decide on: walked shifts, and entries that stand."""

from collections import defaultdict
from datetime import date

from sqlalchemy import Connection, bindparam, exists, func, select

from scheduler.kit.mapping import aliased
from scheduler.kit.ready import Ready
from scheduler.money.rules import Entry, EntryKind, Share, WalkedShift, rate_on
from scheduler.money.tables import LedgerEntry, NightRate
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Agreement
from scheduler.walks.tables import WalkedFor, WalkNote

_Reversal = aliased(LedgerEntry)


RATES = Ready(select(NightRate.from_on, NightRate.rate_ore).where(NightRate.agreement_id == bindparam("agreement")))


def rate_changes(connection: Connection, agreement_id: int) -> list[tuple[date, int]]:
    """Return from when another night rate holds, in öre."""
    return [(row.from_on, row.rate_ore) for row in RATES.all(connection, {"agreement": agreement_id})]


def walked_shifts(connection: Connection, agreement_id: int, night_id: int | None = None) -> list[WalkedShift]:
    """Return the walked and noted shifts of an agreement, or of one of its nights."""
    first_rate = connection.execute(select(Agreement.night_rate_ore).where(Agreement.id == agreement_id)).scalar_one()
    changes = rate_changes(connection, agreement_id)
    wanted = (
        select(Shift.id, Shift.night_id, Shift.starts_at, Shift.host_club_id, Night.date)
        .join(Night, Night.id == Shift.night_id)
        .join(WalkNote, WalkNote.shift_id == Shift.id)
        .where(Night.agreement_id == agreement_id, Shift.state == ShiftState.WALKED)
    )
    if night_id is not None:
        wanted = wanted.where(Night.id == night_id)
    rows = connection.execute(wanted).all()
    heads: dict[int, dict[int | None, int]] = defaultdict(dict)
    counted = (
        select(WalkedFor.shift_id, WalkedFor.club_id, func.count().label("people"))
        .where(WalkedFor.shift_id.in_([row.id for row in rows]))
        .group_by(WalkedFor.shift_id, WalkedFor.club_id)
    )
    for row in connection.execute(counted):
        heads[row.shift_id][row.club_id] = row.people
    return [
        WalkedShift(
            shift_id=row.id,
            night_id=row.night_id,
            starts_at=row.starts_at,
            rate_ore=rate_on(row.date, first_rate, changes),
            host_club_id=row.host_club_id,
            heads=tuple(heads[row.id].items()),
        )
        for row in rows
    ]


def standing_entries(connection: Connection, agreement_id: int, night_id: int | None = None) -> dict[int, list[Entry]]:
    """Return the shares that are written and not reversed, by night."""
    wanted = (
        select(
            LedgerEntry.id,
            LedgerEntry.shift_id,
            LedgerEntry.version,
            LedgerEntry.line,
            LedgerEntry.club_id,
            LedgerEntry.amount_ore,
            LedgerEntry.heads,
            Shift.night_id,
        )
        .join(Shift, Shift.id == LedgerEntry.shift_id)
        .where(
            LedgerEntry.agreement_id == agreement_id,
            LedgerEntry.kind == EntryKind.NIGHT,
            ~exists().where(_Reversal.reverses_id == LedgerEntry.id),
        )
        .order_by(LedgerEntry.id)
    )
    if night_id is not None:
        wanted = wanted.where(Shift.night_id == night_id)
    found: dict[int, list[Entry]] = defaultdict(list)
    for row in connection.execute(wanted):
        assert row.shift_id is not None
        assert row.club_id is not None
        share = Share(row.club_id, row.amount_ore, row.heads)
        found[row.night_id].append(Entry(row.id, row.shift_id, row.version, row.line, share))
    return found


def versions(connection: Connection, night_id: int) -> dict[int, int]:
    """Return how often each shift of a night was settled."""
    rows = connection.execute(
        select(LedgerEntry.shift_id, func.max(LedgerEntry.version).label("highest"))
        .join(Shift, Shift.id == LedgerEntry.shift_id)
        .where(Shift.night_id == night_id)
        .group_by(LedgerEntry.shift_id)
    )
    return {row.shift_id: row.highest for row in rows if row.shift_id is not None}

"""Reading what one shift's money rests on, and what another host club would change."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, exists, select

from scheduler.kit.refusals import NotFound
from scheduler.money.facts import standing_entries, versions, walked_shifts
from scheduler.money.rules import Steps, Unsettled, reconcile, wanted_settlements, why_unsettled
from scheduler.money.tables import LedgerEntry, PayoutLine
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area
from scheduler.walks.tables import WalkNote


@dataclass(frozen=True, slots=True)
class ShiftMoney:
    """A shift as the account sees it. `heads` counts who came, by club (None: without one); it is empty, and `why`
    says so, while the shift does not become money."""

    shift_id: int
    night_id: int
    agreement_id: int
    date: date
    area: str
    host_club_id: int | None
    heads: dict[int | None, int]
    why: Unsettled | None
    paid_out: bool


def shift_money(connection: Connection, partnership_id: int, shift_id: int, now: datetime) -> ShiftMoney:
    """Return what a published or walked shift's money rests on. Raises NotFound."""
    paid = exists().where(PayoutLine.entry_id == LedgerEntry.id, LedgerEntry.shift_id == Shift.id)
    row = connection.execute(
        select(
            Shift.night_id,
            Shift.state,
            Shift.ends_at,
            Shift.host_club_id,
            Night.agreement_id,
            Night.date,
            Area.name,
            WalkNote.shift_id.label("noted_id"),
            paid.label("paid_out"),
        )
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .outerjoin(WalkNote, WalkNote.shift_id == Shift.id)
        .where(Shift.id == shift_id, Shift.partnership_id == partnership_id, Shift.state != ShiftState.PLANNED)
    ).first()
    if row is None:
        raise NotFound
    walked = {one.shift_id: one for one in walked_shifts(connection, row.agreement_id, row.night_id)}
    return ShiftMoney(
        shift_id=shift_id,
        night_id=row.night_id,
        agreement_id=row.agreement_id,
        date=row.date,
        area=row.name,
        host_club_id=row.host_club_id,
        heads=dict(walked[shift_id].heads) if shift_id in walked else {},
        why=why_unsettled(row.state, row.ends_at, now, noted=row.noted_id is not None),
        paid_out=row.paid_out,
    )


def under_another_host(connection: Connection, found: ShiftMoney, club_id: int | None) -> Steps:
    """Return what would be taken back and written of the shift's night if this club were the host (None: nobody)."""
    walked = [
        replace(one, host_club_id=club_id) if one.shift_id == found.shift_id else one
        for one in walked_shifts(connection, found.agreement_id, found.night_id)
    ]
    standing = standing_entries(connection, found.agreement_id, found.night_id).get(found.night_id, [])
    return reconcile(standing, versions(connection, found.night_id), wanted_settlements(walked))


def areas_of_night(connection: Connection, night_id: int) -> dict[int, str]:
    """Return the area of each shift of a night, by the shift's id."""
    rows = connection.execute(
        select(Shift.id, Area.name).join(Area, Area.id == Shift.area_id).where(Shift.night_id == night_id)
    )
    return {row.id: row.name for row in rows}

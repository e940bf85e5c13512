from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, exists, func, select
from sqlalchemy.orm import aliased

from scheduler.kit.ready import Ready
from scheduler.kit.refusals import NotFound
from scheduler.money.facts import rate_changes, standing_entries, versions, walked_shifts
from scheduler.money.rules import (
    Deviation,
    EntryKind,
    LineState,
    NoPurchase,
    Steps,
    Unsettled,
    deviations,
    line_of,
    rate_on,
    reconcile,
    shares,
    wanted_settlements,
    why_unsettled,
)
from scheduler.money.tables import LedgerEntry, PayoutLine, Purchase, Receipt
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import AgreementView, agreement_on
from scheduler.partnership.rules import BudgetLineKind
from scheduler.partnership.tables import Agreement, Area, Club
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership
from scheduler.walks.tables import WalkNote


@dataclass(frozen=True, slots=True)
class ClubSum:
    """What a club has earned, by how many shifts and walkers."""

    club_id: int
    club: str
    amount_ore: int
    shifts: int
    heads: int


@dataclass(frozen=True, slots=True)
class Budget:
    """An agreement's money today. `surplus_ore` is what its lines would leave at the end of the term."""

    agreement: AgreementView
    rate_ore: int
    lines: list[LineState]
    clubs: list[ClubSum]
    nights_walked: int
    second_areas: int
    deviations: list[Deviation]

    @property
    def used_ore(self) -> int:
        return sum(line.used_ore for line in self.lines)

    @property
    def surplus_ore(self) -> int:
        return sum(line.amount_ore - line.forecast_ore for line in self.lines)


def current_agreement(connection: Connection, partnership_id: int, today: date) -> AgreementView:
    """Return the agreement of today, else the one that ended last, else the next. Raises NotFound without any."""
    days = connection.execute(
        select(Agreement.starts_on, Agreement.ends_on)
        .where(Agreement.partnership_id == partnership_id)
        .order_by(Agreement.starts_on)
    ).all()
    held = [row for row in days if row.starts_on <= today <= row.ends_on]
    begun = [row for row in days if row.starts_on <= today]
    chosen = (held or begun or days[:1])[-1:]
    return agreement_on(connection, partnership_id, chosen[0].ends_on if chosen else today)


_USED = Ready(
    select(LedgerEntry.line, func.sum(LedgerEntry.amount_ore).label("ore"))
    .where(LedgerEntry.agreement_id == bindparam("agreement"))
    .group_by(LedgerEntry.line)
)


def used_by_line(connection: Connection, agreement_id: int) -> dict[BudgetLineKind, int]:
    """Return the sum of the entries on each line, in öre."""
    return {row.line: int(row.ore) for row in _USED.all(connection, {"agreement": agreement_id})}


_CLUB_SUMS = Ready(
    select(
        Club.id,
        Club.name,
        func.sum(LedgerEntry.amount_ore).label("ore"),
        func.sum(LedgerEntry.heads).label("heads"),
        func.count(LedgerEntry.id).filter(LedgerEntry.kind == EntryKind.NIGHT).label("written"),
        func.count(LedgerEntry.id).filter(LedgerEntry.kind == EntryKind.REVERSAL).label("reversed"),
    )
    .join(Club, Club.id == LedgerEntry.club_id)
    .join(Shift, Shift.id == LedgerEntry.shift_id)
    .join(Night, Night.id == Shift.night_id)
    .where(
        LedgerEntry.agreement_id == bindparam("agreement"), Night.date.between(bindparam("first"), bindparam("last"))
    )
    .group_by(Club.id, Club.name)
)


def club_sums(
    connection: Connection, agreement_id: int, first: date | None = None, last: date | None = None
) -> list[ClubSum]:
    """Return what each club has earned on the nights from `first` to `last`, the most first."""
    within = {"agreement": agreement_id, "first": first or date.min, "last": last or date.max}
    found = [
        ClubSum(row.id, row.name, int(row.ore), row.written - row.reversed, int(row.heads))
        for row in _CLUB_SUMS.all(connection, within)
    ]
    return sorted((one for one in found if one.amount_ore or one.shifts), key=lambda one: (-one.amount_ore, one.club))


def budget(connection: Connection, agreement: AgreementView, now: datetime) -> Budget:
    """Return planned, used, committed and left of each line, the clubs, and what deviates."""
    changes = rate_changes(connection, agreement.id)
    lines, walked, second_areas = _lines(connection, agreement, now, changes)
    clubs = club_sums(connection, agreement.id)
    shares = _walking_clubs(connection, agreement.id) | {one.club: one.amount_ore for one in clubs}
    return Budget(
        agreement=agreement,
        rate_ore=rate_on(now.date(), agreement.night_rate_ore, changes),
        lines=lines,
        clubs=clubs,
        nights_walked=walked,
        second_areas=second_areas,
        deviations=deviations(lines, second_areas, agreement.night_rate_ore, shares, walked),
    )


def line_states(connection: Connection, agreement: AgreementView, now: datetime) -> list[LineState]:
    """Return planned, used, committed and left of each line."""
    return _lines(connection, agreement, now, rate_changes(connection, agreement.id))[0]


def _lines(
    connection: Connection, agreement: AgreementView, now: datetime, changes: list[tuple[date, int]]
) -> tuple[list[LineState], int, int]:
    """Return the lines, how many shifts were walked, and how many second areas are open or walked."""
    committed: dict[BudgetLineKind, int] = defaultdict(int)
    planned: dict[BudgetLineKind, int] = defaultdict(int)
    place: dict[int, int] = defaultdict(int)
    walked = second_areas = 0
    for row in _OPEN_SHIFTS.all(connection, {"agreement": agreement.id}):
        kind = line_of(place[row.night_id])
        rate = rate_on(row.date, agreement.night_rate_ore, changes)
        if row.state is ShiftState.WALKED:
            walked += 1
        elif row.state is ShiftState.PLANNED:
            planned[kind] += rate
        elif row.ends_at > now or (row.noted_id is None and row.booked >= row.minimum):
            committed[kind] += rate
        else:
            continue  # over and not walked: it costs nothing
        place[row.night_id] += 1
        second_areas += kind is BudgetLineKind.UNFORESEEN
    used = used_by_line(connection, agreement.id)
    lines = [
        LineState(kind, agreement.lines.get(kind, 0), used.get(kind, 0), committed[kind], planned[kind])
        for kind in BudgetLineKind
    ]
    return lines, walked, second_areas


def _walking_clubs(connection: Connection, agreement_id: int) -> dict[str, int]:
    """Return the clubs with members who may walk, each with nothing yet: who gets nothing counts as a share, too."""
    town = select(Agreement.partnership_id).where(Agreement.id == agreement_id).scalar_subquery()
    member = exists().where(Membership.club_id == Club.id, Membership.state == MembershipState.APPROVED)
    return dict.fromkeys(connection.execute(select(Club.name).where(Club.partnership_id == town, member)).scalars(), 0)


_OPEN_SHIFTS = Ready(
    select(
        Shift.night_id,
        Shift.state,
        Shift.ends_at,
        Shift.booked,
        Shift.minimum,
        Night.date,
        WalkNote.shift_id.label("noted_id"),
    )
    .join(Night, Night.id == Shift.night_id)
    .outerjoin(WalkNote, WalkNote.shift_id == Shift.id)
    .where(Night.agreement_id == bindparam("agreement"), Shift.state != ShiftState.CALLED_OFF)
    .order_by(Shift.starts_at, Shift.id)
)


@dataclass(frozen=True, slots=True)
class Line:
    """One ledger entry as the account shows it. `area` and `club` are "" for a purchase, `what` for a share."""

    id: int
    entered_at: datetime
    shift_id: int | None
    night: date | None
    area: str
    club: str
    what: str
    line: BudgetLineKind
    kind: EntryKind
    heads: int
    amount_ore: int


def entries(connection: Connection, agreement_id: int, shift_id: int | None = None) -> list[Line]:
    """Return every entry of an agreement, or of one of its shifts, the latest first."""
    wanted = (
        select(
            LedgerEntry.id,
            LedgerEntry.entered_at,
            LedgerEntry.shift_id,
            Night.date,
            Area.name.label("area"),
            Club.name.label("club"),
            Purchase.what,
            LedgerEntry.line,
            LedgerEntry.kind,
            LedgerEntry.heads,
            LedgerEntry.amount_ore,
        )
        .outerjoin(Shift, Shift.id == LedgerEntry.shift_id)
        .outerjoin(Night, Night.id == Shift.night_id)
        .outerjoin(Area, Area.id == Shift.area_id)
        .outerjoin(Club, Club.id == LedgerEntry.club_id)
        .outerjoin(Purchase, Purchase.id == LedgerEntry.purchase_id)
        .where(LedgerEntry.agreement_id == agreement_id)
        .order_by(LedgerEntry.id.desc())
    )
    if shift_id is not None:
        wanted = wanted.where(LedgerEntry.shift_id == shift_id)
    return [
        Line(
            id=row.id,
            entered_at=row.entered_at,
            shift_id=row.shift_id,
            night=row.date,
            area=row.area or "",
            club=row.club or "",
            what=row.what or "",
            line=row.line,
            kind=row.kind,
            heads=row.heads,
            amount_ore=row.amount_ore,
        )
        for row in connection.execute(wanted)
    ]


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


@dataclass(frozen=True, slots=True)
class ToSettle:
    """A shift that is over and has not become money, and why; None: it can be settled now."""

    shift_id: int
    date: date
    area: str
    why: Unsettled | None


def to_settle(connection: Connection, agreement_id: int, now: datetime) -> list[ToSettle]:
    """Return the shifts with people that are over and stand in no entry, by time; those that were too few are
    done and not listed."""
    rows = connection.execute(
        select(Shift.id, Night.date, Area.name, Shift.state, WalkNote.shift_id.label("noted_id"))
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .outerjoin(WalkNote, WalkNote.shift_id == Shift.id)
        .where(
            Night.agreement_id == agreement_id,
            Shift.ends_at <= now,
            Shift.booked > 0,
            Shift.state.in_([ShiftState.PUBLISHED, ShiftState.WALKED]),
            ~exists().where(LedgerEntry.shift_id == Shift.id),
        )
        .order_by(Shift.starts_at, Shift.id)
    )
    listed = [row for row in rows if row.noted_id is None or row.state is ShiftState.WALKED]
    paying = _paying(connection, agreement_id) if any(row.noted_id for row in listed) else set()
    return [ToSettle(row.id, row.date, row.name, _why(row.noted_id, paying)) for row in listed]


def _paying(connection: Connection, agreement_id: int) -> set[int]:
    """Return the walked shifts whose rate some club gets."""
    return {
        one.shift_id
        for one in walked_shifts(connection, agreement_id)
        if shares(one.rate_ore, one.host_club_id, dict(one.heads))
    }


def _why(noted_id: int | None, paying: set[int]) -> Unsettled | None:
    if noted_id is None:
        return Unsettled.NO_NOTE
    return None if noted_id in paying else Unsettled.NO_CLUB


@dataclass(frozen=True, slots=True)
class PurchaseView:
    id: int
    line: BudgetLineKind
    what: str
    bought_on: date
    amount_ore: int
    taken_back: bool


def purchases(connection: Connection, agreement_id: int) -> list[PurchaseView]:
    """Return the purchases of an agreement, the latest first."""
    reversal = aliased(LedgerEntry)
    taken_back = exists().where(reversal.purchase_id == Purchase.id, reversal.kind == EntryKind.REVERSAL)
    rows = connection.execute(
        select(
            Purchase.id,
            Purchase.line,
            Purchase.what,
            Purchase.bought_on,
            Purchase.amount_ore,
            taken_back.label("taken_back"),
        )
        .where(Purchase.agreement_id == agreement_id)
        .order_by(Purchase.bought_on.desc(), Purchase.id.desc())
    )
    return [PurchaseView(*row) for row in rows]


def receipt(connection: Connection, partnership_id: int, purchase_id: int) -> tuple[str, bytes]:
    """Return type and content of a purchase's receipt. Raises NoPurchase."""
    row = connection.execute(
        select(Receipt.mimetype, Receipt.content)
        .join(Purchase, Purchase.id == Receipt.purchase_id)
        .where(Receipt.purchase_id == purchase_id, Purchase.partnership_id == partnership_id)
    ).first()
    if row is None:
        raise NoPurchase
    return row.mimetype, row.content


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Three ways to add up an agreement's shares, in öre; they must always be the same."""

    by_club: int
    by_line: int
    by_night: int

    @property
    def agrees(self) -> bool:
        return self.by_club == self.by_line == self.by_night


def reconciliation(connection: Connection, agreement_id: int) -> Reconciliation:
    """Return the sums of shares by club, by line and by night."""
    of_nights = LedgerEntry.shift_id.is_not(None)
    by_night = (
        select(func.sum(LedgerEntry.amount_ore).label("ore"))
        .join(Shift, Shift.id == LedgerEntry.shift_id)
        .where(LedgerEntry.agreement_id == agreement_id)
        .group_by(Shift.night_id)
    )
    by_line = (
        select(func.sum(LedgerEntry.amount_ore).label("ore"))
        .where(LedgerEntry.agreement_id == agreement_id, of_nights)
        .group_by(LedgerEntry.line)
    )
    return Reconciliation(
        by_club=sum(one.amount_ore for one in club_sums(connection, agreement_id)),
        by_line=sum(int(row.ore) for row in connection.execute(by_line)),
        by_night=sum(int(row.ore) for row in connection.execute(by_night)),
    )

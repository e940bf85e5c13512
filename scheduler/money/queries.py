from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select

from scheduler.kit.database import AnyRow
from scheduler.kit.mapping import aliased
from scheduler.kit.ready import Ready, Step, all_of
from scheduler.money.facts import RATES, walked_shifts
from scheduler.money.rules import (
    Deviation,
    EntryKind,
    LineState,
    NoPurchase,
    Unsettled,
    deviations,
    line_of,
    rate_on,
    shares,
)
from scheduler.money.tables import LedgerEntry, Purchase, Receipt
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


@dataclass(frozen=True, slots=True)
class Account:
    """An agreement's money as the ledger and the nights tell it. `clubs` and `within_ore` are of some days alone,
    `until_ore` of all days up to their last."""

    lines: list[LineState]
    clubs: list[ClubSum]
    within_ore: dict[BudgetLineKind, int]
    until_ore: dict[BudgetLineKind, int]
    nights_walked: int
    second_areas: int
    rate_changes: list[tuple[date, int]]


def account(connection: Connection, agreement: AgreementView, now: datetime) -> Account:
    """Return an agreement's money, of all its days."""
    return account_of(agreement, *all_of(connection, *account_steps(agreement.id, date.min, date.max, now)))


def account_steps(agreement_id: int, first: date, last: date, now: datetime) -> tuple[Step, Step, Step]:
    """Return the statements whose rows `account_of` adds up, of the days from `first` to `last`: who needs more can
    send them together with others."""
    return (
        (RATES, {"agreement": agreement_id}),
        (_COSTING, {"agreement": agreement_id, "now": now}),
        (_SUMS, {"agreement": agreement_id, "first": first, "last": last}),
    )


def account_of(agreement: AgreementView, rates: list[AnyRow], costing: list[AnyRow], sums: list[AnyRow]) -> Account:
    """Return what the rows of `account_steps` come to."""
    changes = [(row.from_on, row.rate_ore) for row in rates]
    owed: dict[ShiftState, dict[BudgetLineKind, int]] = defaultdict(lambda: defaultdict(int))
    place: dict[int, int] = defaultdict(int)
    walked = second_areas = 0
    for row in costing:
        kind = line_of(place[row.night_id])
        place[row.night_id] += 1
        second_areas += kind is BudgetLineKind.UNFORESEEN
        if row.state is ShiftState.WALKED:
            walked += 1
        else:
            owed[row.state][kind] += rate_on(row.date, agreement.night_rate_ore, changes)
    used = _by_line(sums, "ore")
    return Account(
        lines=[
            LineState(
                kind,
                agreement.lines.get(kind, 0),
                used[kind],
                committed_ore=owed[ShiftState.PUBLISHED][kind],
                planned_ore=owed[ShiftState.PLANNED][kind],
            )
            for kind in BudgetLineKind
        ],
        clubs=_clubs(sums),
        within_ore=_by_line(sums, "within_ore"),
        until_ore=_by_line(sums, "until_ore"),
        nights_walked=walked,
        second_areas=second_areas,
        rate_changes=changes,
    )


def _by_line(sums: list[AnyRow], name: str) -> dict[BudgetLineKind, int]:
    found = dict.fromkeys(BudgetLineKind, 0)
    for row in sums:
        found[row.line] += int(getattr(row, name))
    return found


def _clubs(sums: list[AnyRow]) -> list[ClubSum]:
    found: dict[int, ClubSum] = {}
    for row in sums:
        if row.club_id is not None:
            one = found.get(row.club_id, ClubSum(row.club_id, row.club, 0, 0, 0))
            found[row.club_id] = ClubSum(
                row.club_id,
                row.club,
                one.amount_ore + int(row.within_ore),
                one.shifts + row.written - row.reversed,
                one.heads + int(row.heads),
            )
    paid = [one for one in found.values() if one.amount_ore or one.shifts]
    return sorted(paid, key=lambda one: (-one.amount_ore, one.club))


# Shifts that cost something: walked ones, planned ones, and of the published ones those that are to come or had a team
# and have no note yet. Others that are over cost nothing.
def terms(connection: Connection, partnership_id: int) -> dict[int, tuple[date, date]]:
    """Return the first and the last day of each agreement, by its id, the latest first."""
    rows = connection.execute(
        select(Agreement.id, Agreement.starts_on, Agreement.ends_on)
        .where(Agreement.partnership_id == partnership_id)
        .order_by(Agreement.starts_on.desc())
    )
    return {row.id: (row.starts_on, row.ends_on) for row in rows}


_COSTING = Ready(
    select(Shift.night_id, Shift.state, Night.date)
    .join(Night, Night.id == Shift.night_id)
    .outerjoin(WalkNote, WalkNote.shift_id == Shift.id)
    .where(
        Night.agreement_id == bindparam("agreement"),
        or_(
            Shift.state.in_([ShiftState.WALKED, ShiftState.PLANNED]),
            and_(
                Shift.state == ShiftState.PUBLISHED,
                or_(
                    Shift.ends_at > bindparam("now"),
                    and_(WalkNote.shift_id.is_(None), Shift.booked >= Shift.minimum),
                ),
            ),
        ),
    )
    .order_by(Shift.starts_at, Shift.id)
)
# What a purchase costs belongs to the day on which it was bought.
_DAY = func.coalesce(Night.date, Purchase.bought_on)
_WITHIN = _DAY.between(bindparam("first"), bindparam("last"))
_SUMS = Ready(
    select(
        LedgerEntry.line,
        LedgerEntry.club_id,
        select(Club.name).where(Club.id == LedgerEntry.club_id).scalar_subquery().label("club"),
        func.sum(LedgerEntry.amount_ore).label("ore"),
        func.coalesce(func.sum(LedgerEntry.amount_ore).filter(_WITHIN), 0).label("within_ore"),
        func.coalesce(func.sum(LedgerEntry.amount_ore).filter(bindparam("last") >= _DAY), 0).label("until_ore"),
        func.coalesce(func.sum(LedgerEntry.heads).filter(_WITHIN), 0).label("heads"),
        func.count().filter(_WITHIN, LedgerEntry.kind == EntryKind.NIGHT).label("written"),
        func.count().filter(_WITHIN, LedgerEntry.kind == EntryKind.REVERSAL).label("reversed"),
    )
    .outerjoin(Shift, Shift.id == LedgerEntry.shift_id)
    .outerjoin(Night, Night.id == Shift.night_id)
    .outerjoin(Purchase, Purchase.id == LedgerEntry.purchase_id)
    .where(LedgerEntry.agreement_id == bindparam("agreement"))
    .group_by(LedgerEntry.line, LedgerEntry.club_id)
)


def club_sums(connection: Connection, agreement_id: int) -> list[ClubSum]:
    """Return what each club has earned, the most first."""
    return _clubs(_SUMS.all(connection, {"agreement": agreement_id, "first": date.min, "last": date.max}))


def budget(connection: Connection, agreement: AgreementView, now: datetime, today: date) -> Budget:
    """Return the rate of `today`, a date of the town; planned, used, committed and left of each line, the clubs, and
    what deviates."""
    found = account(connection, agreement, now)
    shares = _walking_clubs(connection, agreement.id) | {one.club: one.amount_ore for one in found.clubs}
    return Budget(
        agreement=agreement,
        rate_ore=rate_on(today, agreement.night_rate_ore, found.rate_changes),
        lines=found.lines,
        clubs=found.clubs,
        nights_walked=found.nights_walked,
        second_areas=found.second_areas,
        deviations=deviations(found.lines, found.second_areas, agreement.night_rate_ore, shares, found.nights_walked),
    )


def _walking_clubs(connection: Connection, agreement_id: int) -> dict[str, int]:
    """Return the clubs with members who may walk, each with nothing yet: who gets nothing counts as a share, too."""
    town = select(Agreement.partnership_id).where(Agreement.id == agreement_id).scalar_subquery()
    member = exists().where(Membership.club_id == Club.id, Membership.state == MembershipState.APPROVED)
    return dict.fromkeys(connection.execute(select(Club.name).where(Club.partnership_id == town, member)).scalars(), 0)


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

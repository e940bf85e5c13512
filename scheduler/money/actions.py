"""Verbs on money. Each holds the night first: two who settle at once come one after the other."""

from collections import defaultdict
from datetime import date

from sqlalchemy import Connection, insert, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.refusals import Invalid, NotFound
from scheduler.kit.upsert import upsert
from scheduler.money.facts import standing_entries, versions, walked_shifts
from scheduler.money.rules import (
    AlreadyReversed,
    Entry,
    EntryKind,
    HostChanged,
    NoPurchase,
    NotSettled,
    Settlement,
    Unsettled,
    reconcile,
    wanted_settlements,
    why_unsettled,
)
from scheduler.money.tables import LedgerEntry, NightRate, Purchase, Receipt
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import agreement_on, check_with_us
from scheduler.partnership.rules import BudgetLineKind
from scheduler.partnership.tables import Agreement, Club
from scheduler.people.rules import Acting
from scheduler.walks.actions import hold_night
from scheduler.walks.tables import WalkNote


def settle_night(connection: Connection, acting: Acting, night_id: int) -> int:
    """Bring a night's entries in line with what was walked; return how many entries were written.

    Settling again, or twice at once, writes nothing. A correction reverses and writes anew.
    """
    agreement_id = connection.execute(
        update(Night)
        .where(Night.id == night_id, Night.partnership_id == acting.partnership_id)
        .values(date=Night.date)
        .returning(Night.agreement_id)
    ).scalar()
    if agreement_id is None:
        raise NotFound
    steps = reconcile(
        standing_entries(connection, agreement_id, night_id).get(night_id, []),
        versions(connection, night_id),
        wanted_settlements(walked_shifts(connection, agreement_id, night_id)),
    )
    for entry in steps.reverse:
        _write_reversal(connection, acting, agreement_id, entry)
    written = len(steps.reverse)
    for shift_id, version, settlement in steps.write:
        written += _write_settlement(connection, acting, agreement_id, shift_id, version, settlement)
    return written


def _write_reversal(connection: Connection, acting: Acting, agreement_id: int, entry: Entry) -> None:
    connection.execute(
        insert(LedgerEntry).values(
            partnership_id=acting.partnership_id,
            agreement_id=agreement_id,
            line=entry.line,
            kind=EntryKind.REVERSAL,
            shift_id=entry.shift_id,
            version=entry.version,
            club_id=entry.share.club_id,
            heads=-entry.share.heads,
            amount_ore=-entry.share.amount_ore,
            reverses_id=entry.id,
            entered_at=acting.now,
            entered_by=acting.person_id,
        )
    )
    _tell(
        connection,
        acting,
        "money.reversed",
        entry.shift_id,
        {"club": entry.share.club_id, "ore": entry.share.amount_ore},
    )


def _write_settlement(
    connection: Connection, acting: Acting, agreement_id: int, shift_id: int, version: int, settlement: Settlement
) -> int:
    for share in settlement.shares:
        connection.execute(
            insert(LedgerEntry).values(
                partnership_id=acting.partnership_id,
                agreement_id=agreement_id,
                line=settlement.line,
                kind=EntryKind.NIGHT,
                shift_id=shift_id,
                version=version,
                club_id=share.club_id,
                heads=share.heads,
                amount_ore=share.amount_ore,
                entered_at=acting.now,
                entered_by=acting.person_id,
            )
        )
    total = sum(share.amount_ore for share in settlement.shares)
    _tell(connection, acting, "money.settled", shift_id, {"line": settlement.line.value, "ore": total})
    return len(settlement.shares)


def _tell(connection: Connection, acting: Acting, what: str, shift_id: int | None, after: dict[str, object]) -> None:
    audit.record(
        connection, acting.partnership_id, acting.now, acting.person_id, Change(what, shift_id=shift_id, after=after)
    )


def settle_shift(connection: Connection, acting: Acting, shift_id: int) -> int:
    """Settle the night of one shift that was walked; return how many entries were written, 0 for a paid one.

    Raises NotFound, or NotSettled with the reason.
    """
    row = connection.execute(
        select(Shift.night_id, Shift.state, Shift.ends_at, WalkNote.shift_id.label("noted_id"))
        .outerjoin(WalkNote, WalkNote.shift_id == Shift.id)
        .where(Shift.id == shift_id, Shift.partnership_id == acting.partnership_id)
    ).first()
    if row is None or row.state is ShiftState.PLANNED:
        raise NotFound
    why = why_unsettled(row.state, row.ends_at, acting.now, noted=row.noted_id is not None)
    if why is not None:
        raise NotSettled(why)
    written = settle_night(connection, acting, row.night_id)
    paid = connection.execute(select(LedgerEntry.id).where(LedgerEntry.shift_id == shift_id).limit(1)).first()
    if paid is None:
        raise NotSettled(Unsettled.NO_CLUB)
    return written


def name_host(connection: Connection, acting: Acting, shift_id: int, club_id: int | None) -> int:
    """Name the club that a walked shift's rate goes to (None: the walkers' own), and settle its night anew; return
    how many entries were written. Raises NotFound, ClubLeft for a club that took no part that
    night, or NotSettled for a shift that was not walked."""
    row = connection.execute(
        select(Shift.night_id, Shift.state, Night.date)
        .join(Night, Night.id == Shift.night_id)
        .where(Shift.id == shift_id, Shift.partnership_id == acting.partnership_id)
    ).first()
    if row is None:
        raise NotFound
    if club_id is not None:
        check_with_us(connection, acting.partnership_id, [club_id], row.date)
    if row.state is not ShiftState.WALKED:
        raise NotSettled(Unsettled.TOO_FEW)
    hold_night(connection, acting.partnership_id, shift_id)
    before = connection.execute(select(Shift.host_club_id).where(Shift.id == shift_id)).scalar_one()
    if before != club_id:
        connection.execute(
            update(Shift).where(Shift.id == shift_id).values(host_club_id=club_id, revision=Shift.revision + 1)
        )
        clubs = connection.execute(select(Club.id, Club.name).where(Club.id.in_([before or 0, club_id or 0])))
        names = {one.id: one.name for one in clubs}
        was, becomes = {"club": names.get(before or 0)}, {"club": names.get(club_id or 0)}
        change = Change("shift.hosted", shift_id=shift_id, before=was, after=becomes)
        audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)
    return settle_night(connection, acting, row.night_id)


def check_host(connection: Connection, acting: Acting, shift_id: int, seen_club_id: int | None) -> None:
    """Hold the shift's night. Raises HostChanged when its host club is not the one that was looked at any more."""
    hold_night(connection, acting.partnership_id, shift_id)
    if connection.execute(select(Shift.host_club_id).where(Shift.id == shift_id)).scalar_one() != seen_club_id:
        raise HostChanged


def nights_to_settle(connection: Connection, partnership_id: int) -> list[int]:
    """Return the nights whose entries differ from what was walked, by id."""
    found = []
    agreements = connection.execute(select(Agreement.id).where(Agreement.partnership_id == partnership_id)).scalars()
    for agreement_id in list(agreements):
        standing = standing_entries(connection, agreement_id)
        walked = defaultdict(list)
        for one in walked_shifts(connection, agreement_id):
            walked[one.night_id].append(one)
        for night_id in sorted({*standing, *walked}):
            steps = reconcile(standing.get(night_id, []), {}, wanted_settlements(walked.get(night_id, [])))
            if steps.reverse or steps.write:
                found.append(night_id)
    return found


def settle_all(connection: Connection, acting: Acting) -> int:
    """Settle every night that needs it; return how many nights."""
    nights = nights_to_settle(connection, acting.partnership_id)
    for night_id in nights:
        settle_night(connection, acting, night_id)
    return len(nights)


def change_rate(connection: Connection, acting: Acting, from_on: date, rate_ore: int) -> None:
    """Let another night rate hold for the nights from a coming date on. Raises Invalid for one that has been,
    NotFound where no agreement holds the date."""
    if from_on <= acting.now.astimezone(acting.zone).date():
        raise Invalid("from_on", "past")
    agreement = agreement_on(connection, acting.partnership_id, from_on)
    upsert(
        connection,
        NightRate,
        {"agreement_id": agreement.id, "from_on": from_on},
        {"rate_ore": rate_ore},
        partnership_id=acting.partnership_id,
    )
    _tell(connection, acting, "money.rate", None, {"from": from_on.isoformat(), "ore": rate_ore})


def buy(
    connection: Connection,
    acting: Acting,
    *,
    line: BudgetLineKind,
    what: str,
    bought_on: date,
    amount_ore: int,
    receipt: tuple[str, bytes],
    once: str,
) -> int:
    """Write a purchase with its receipt (type and content) and its entry; return its id. The same form again is
    the same purchase. Raises Invalid for a date without an agreement or one to come."""
    known = connection.execute(
        select(Purchase.id).where(Purchase.once == once, Purchase.partnership_id == acting.partnership_id)
    ).scalar()
    if known is not None:
        return known
    if bought_on > acting.now.astimezone(acting.zone).date():
        raise Invalid("bought_on", "future")
    try:
        agreement = agreement_on(connection, acting.partnership_id, bought_on)
    except NotFound:
        raise Invalid("bought_on", "no_agreement") from None
    purchase_id = connection.execute(
        insert(Purchase)
        .values(
            partnership_id=acting.partnership_id,
            agreement_id=agreement.id,
            line=line,
            what=what,
            bought_on=bought_on,
            amount_ore=amount_ore,
            once=once,
        )
        .returning(Purchase.id)
    ).scalar_one()
    connection.execute(insert(Receipt).values(purchase_id=purchase_id, mimetype=receipt[0], content=receipt[1]))
    _enter_purchase(connection, acting, agreement.id, purchase_id, line, amount_ore, None)
    _tell(connection, acting, "money.bought", None, {"line": line.value, "ore": amount_ore, "what": what})
    return purchase_id


def _enter_purchase(
    connection: Connection,
    acting: Acting,
    agreement_id: int,
    purchase_id: int,
    line: BudgetLineKind,
    amount_ore: int,
    reverses_id: int | None,
) -> None:
    connection.execute(
        insert(LedgerEntry).values(
            partnership_id=acting.partnership_id,
            agreement_id=agreement_id,
            line=line,
            kind=EntryKind.PURCHASE if reverses_id is None else EntryKind.REVERSAL,
            version=1,
            heads=0,
            purchase_id=purchase_id,
            amount_ore=amount_ore,
            reverses_id=reverses_id,
            entered_at=acting.now,
            entered_by=acting.person_id,
        )
    )


def take_back_purchase(connection: Connection, acting: Acting, purchase_id: int) -> None:
    """Reverse a purchase that was written wrongly; it stays in sight. Raises NoPurchase or AlreadyReversed."""
    # A write first: of two who take it back at once, the second sees what the first has written.
    held = connection.execute(
        update(Purchase)
        .where(Purchase.id == purchase_id, Purchase.partnership_id == acting.partnership_id)
        .values(what=Purchase.what)
    ).rowcount
    if not held:
        raise NoPurchase
    entries = connection.execute(select(LedgerEntry).where(LedgerEntry.purchase_id == purchase_id)).mappings().all()
    if len(entries) > 1:
        raise AlreadyReversed
    entry = entries[0]
    _enter_purchase(
        connection, acting, entry["agreement_id"], purchase_id, entry["line"], -entry["amount_ore"], entry["id"]
    )
    _tell(connection, acting, "money.reversed", None, {"ore": entry["amount_ore"]})

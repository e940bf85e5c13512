"""What is to be paid to each club, and what was. A sum is proposed from entries, and frozen together with them."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, exists, insert, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.language import gettext, kronor, ngettext, zone
from scheduler.kit.paper import Paper
from scheduler.money.accounts import harmless
from scheduler.money.rules import ORE_PER_KRONA, EntryKind, NoPayout, ProposalChanged
from scheduler.money.tables import LedgerEntry, Payout, PayoutLine
from scheduler.money.words import entry_words
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import AgreementView
from scheduler.partnership.tables import Agreement, Area, Club
from scheduler.people.rules import Acting


@dataclass(frozen=True, slots=True)
class PaidEntry:
    """One entry behind a sum: which night, how many walkers, how much."""

    entry_id: int
    night: date
    area: str
    kind: EntryKind
    heads: int
    amount_ore: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a club is to be paid. Under zero it waits: a correction is set off against later nights."""

    club_id: int
    club: str
    entries: tuple[PaidEntry, ...]

    @property
    def amount_ore(self) -> int:
        return sum(entry.amount_ore for entry in self.entries)


_ENTRY = (
    select(
        LedgerEntry.id,
        LedgerEntry.club_id,
        Club.name.label("club"),
        Night.date,
        Area.name.label("area"),
        LedgerEntry.kind,
        LedgerEntry.heads,
        LedgerEntry.amount_ore,
    )
    .join(Club, Club.id == LedgerEntry.club_id)
    .join(Shift, Shift.id == LedgerEntry.shift_id)
    .join(Night, Night.id == Shift.night_id)
    .join(Area, Area.id == Shift.area_id)
    .order_by(Night.date, LedgerEntry.id)
)


def proposals(connection: Connection, agreement_id: int, until_on: date) -> list[Proposal]:
    """Return what each club has earned on nights up to and with `until_on` and not been paid, by club name."""
    rows = connection.execute(
        _ENTRY.where(
            LedgerEntry.agreement_id == agreement_id,
            Night.date <= until_on,
            ~exists().where(PayoutLine.entry_id == LedgerEntry.id),
        )
    )
    found: dict[tuple[str, int], list[PaidEntry]] = defaultdict(list)
    for row in rows:
        assert row.club_id is not None
        entry = PaidEntry(row.id, row.date, row.area, row.kind, row.heads, row.amount_ore)
        found[row.club, row.club_id].append(entry)
    return [Proposal(club_id, club, tuple(entries)) for (club, club_id), entries in sorted(found.items())]


def freeze(connection: Connection, acting: Acting, agreement_id: int, until_on: date, expected_ore: int) -> list[int]:
    """Freeze what is proposed for every club with a sum above zero, with the entries behind it; return the payouts.

    `expected_ore` is the sum that was looked at: raises ProposalChanged when it has become another, so nobody sends
    what nobody saw. Two who freeze at once come one after the other.
    """
    held = connection.execute(
        update(Agreement)
        .where(Agreement.id == agreement_id, Agreement.partnership_id == acting.partnership_id)
        .values(promised_ore=Agreement.promised_ore)
    ).rowcount
    to_pay = [one for one in proposals(connection, agreement_id, until_on) if one.amount_ore > 0] if held else []
    if not to_pay or sum(one.amount_ore for one in to_pay) != expected_ore:
        raise ProposalChanged
    return [_freeze_one(connection, acting, agreement_id, until_on, one) for one in to_pay]


def _freeze_one(connection: Connection, acting: Acting, agreement_id: int, until_on: date, proposal: Proposal) -> int:
    payout_id = connection.execute(
        insert(Payout)
        .values(
            partnership_id=acting.partnership_id,
            agreement_id=agreement_id,
            club_id=proposal.club_id,
            until_on=until_on,
            amount_ore=proposal.amount_ore,
            frozen_at=acting.now,
            frozen_by=acting.person_id,
        )
        .returning(Payout.id)
    ).scalar_one()
    connection.execute(
        insert(PayoutLine), [{"entry_id": entry.entry_id, "payout_id": payout_id} for entry in proposal.entries]
    )
    after: dict[str, object] = {"club": proposal.club, "ore": proposal.amount_ore}
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, Change("money.payout", after=after))
    return payout_id


@dataclass(frozen=True, slots=True)
class PayoutView:
    id: int
    club: str
    until_on: date
    amount_ore: int
    frozen_at: datetime
    agreement_id: int
    club_id: int
    entries: tuple[PaidEntry, ...] = ()


_PAYOUT = select(
    Payout.id, Club.name, Payout.until_on, Payout.amount_ore, Payout.frozen_at, Payout.agreement_id, Payout.club_id
).join(Club, Club.id == Payout.club_id)


def payouts(connection: Connection, agreement_id: int) -> list[PayoutView]:
    """Return the frozen payouts of an agreement, the latest first."""
    rows = connection.execute(
        _PAYOUT.where(Payout.agreement_id == agreement_id).order_by(Payout.frozen_at.desc(), Club.name)
    )
    return [PayoutView(*row) for row in rows]


def payouts_of_club(connection: Connection, club_id: int) -> list[PayoutView]:
    """Return the frozen payouts of a club under every agreement, the latest first."""
    rows = connection.execute(
        _PAYOUT.where(Payout.club_id == club_id).order_by(Payout.frozen_at.desc(), Payout.id.desc())
    )
    return [PayoutView(*row) for row in rows]


def payout(connection: Connection, partnership_id: int, payout_id: int) -> PayoutView:
    """Return a payout with every entry behind it. Raises NoPayout."""
    row = connection.execute(_PAYOUT.where(Payout.id == payout_id, Payout.partnership_id == partnership_id)).first()
    if row is None:
        raise NoPayout
    lines = connection.execute(
        _ENTRY.join(PayoutLine, PayoutLine.entry_id == LedgerEntry.id).where(PayoutLine.payout_id == payout_id)
    )
    entries = tuple(PaidEntry(one.id, one.date, one.area, one.kind, one.heads, one.amount_ore) for one in lines)
    return PayoutView(*row, entries)


def statement(found: PayoutView, agreement: AgreementView, partnership: str, language: str) -> bytes:
    """Return a payout as a statement for the club, as PDF."""
    title = gettext("Statement for %(club)s", club=found.club)
    paper = Paper(title, language, found.frozen_at, f"{partnership} · {title}")
    paper.heading(title)
    paper.paragraph(partnership, soft=True)
    paper.paragraph(
        gettext(
            "Night walks up to %(until)s under the agreement from %(start)s to %(end)s.",
            until=found.until_on,
            start=agreement.starts_on,
            end=agreement.ends_on,
        )
    )
    paper.section(gettext("To be paid: %(sum)s", sum=kronor(found.amount_ore)))
    paper.rows(
        (gettext("The evening"), gettext("Kind"), gettext("Walkers"), gettext("Sum")),
        [
            (f"{one.night}, {one.area}", entry_words(one.kind), str(one.heads), kronor(one.amount_ore))
            for one in found.entries
        ],
        total=(gettext("Together"), "", "", kronor(found.amount_ore)),
    )
    count = len({(one.night, one.area) for one in found.entries})
    paper.paragraph(
        ngettext("%(num)s shift stands behind this sum.", "%(num)s shifts stand behind this sum.", count)
        + " "
        + gettext("The sum is frozen; a later correction shows in the next statement."),
        soft=True,
    )
    return paper.finish()


def as_csv(listed: Sequence[PayoutView]) -> bytes:
    """Return payouts for the bank or the bookkeeping, one line each, as Excel in Swedish opens it by a double click:
    with the mark of UTF-8, semicolons and decimal commas. The day of freezing is the town's own."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    headings = (
        gettext("Payout"),
        gettext("Club"),
        gettext("Nights up to and with"),
        gettext("Kronor"),
        gettext("Frozen"),
    )
    writer.writerow(headings)
    for one in listed:
        whole, rest = divmod(one.amount_ore, ORE_PER_KRONA)
        frozen_on = one.frozen_at.astimezone(zone()).date()
        writer.writerow((one.id, harmless(one.club), one.until_on, f"{whole},{rest:02}", frozen_on))
    return out.getvalue().encode("utf-8-sig")

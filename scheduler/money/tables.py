from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint

from scheduler.kit.mapping import Base, Mapped, mapped_column
from scheduler.money.rules import EntryKind
from scheduler.partnership.rules import BudgetLineKind


class NightRate(Base):
    """A night rate that holds for the nights from a date on, instead of the agreement's first."""

    __tablename__ = "night_rate"
    __table_args__ = (CheckConstraint("rate_ore >= 0", name="rate"),)

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    from_on: Mapped[date] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    rate_ore: Mapped[int]


class Purchase(Base):
    """Something that was bought for the walks, with its receipt."""

    __tablename__ = "purchase"
    __table_args__ = (CheckConstraint("amount_ore > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    line: Mapped[BudgetLineKind]
    what: Mapped[str]
    bought_on: Mapped[date]
    amount_ore: Mapped[int]
    once: Mapped[str] = mapped_column(unique=True)


class Receipt(Base):
    """The file of a purchase; its type is what it holds, its name is ours."""

    __tablename__ = "receipt"

    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchase.id"), primary_key=True)
    mimetype: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class LedgerEntry(Base):
    """A sum on a budget line and its cause: a share of a walked shift, a purchase, or the reversal of either.

    `version` counts how often the shift was settled; `heads` is how many walkers stand behind a share.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("shift_id", "kind", "version", "club_id"),
        UniqueConstraint("purchase_id", "kind"),
        CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="reversal_has_entry"),
        CheckConstraint("(shift_id IS NULL) <> (purchase_id IS NULL)", name="one_cause"),
        CheckConstraint("(shift_id IS NULL) = (club_id IS NULL)", name="shares_have_clubs"),
        Index("ix_ledger_entry_agreement_id", "agreement_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    line: Mapped[BudgetLineKind]
    kind: Mapped[EntryKind]
    shift_id: Mapped[int | None] = mapped_column(ForeignKey("shift.id"))
    version: Mapped[int]
    club_id: Mapped[int | None] = mapped_column(ForeignKey("club.id"), index=True)
    heads: Mapped[int]
    purchase_id: Mapped[int | None] = mapped_column(ForeignKey("purchase.id"))
    amount_ore: Mapped[int]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"), unique=True)
    entered_at: Mapped[datetime]
    entered_by: Mapped[int | None]


class Payout(Base):
    """What one club is paid for the nights up to and with `until_on`: frozen when it is sent, never changed."""

    __tablename__ = "payout"
    __table_args__ = (CheckConstraint("amount_ore > 0", name="amount"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    club_id: Mapped[int] = mapped_column(ForeignKey("club.id"))
    until_on: Mapped[date]
    amount_ore: Mapped[int]
    frozen_at: Mapped[datetime]
    frozen_by: Mapped[int | None]


class PayoutLine(Base):
    """An entry that a payout pays. An entry is paid once."""

    __tablename__ = "payout_line"

    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"), primary_key=True)
    payout_id: Mapped[int] = mapped_column(ForeignKey("payout.id"), index=True)

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, UniqueConstraint

from scheduler.kit.mapping import Base, Mapped, mapped_column
from scheduler.reports.rules import PeriodKind


class Report(Base):
    """A period's figures as they were sent. Another `version` of the same period is a later correction."""

    __tablename__ = "report"
    __table_args__ = (
        UniqueConstraint("partnership_id", "kind", "first_on", "version"),
        CheckConstraint("first_on < last_on", name="period"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    kind: Mapped[PeriodKind]
    first_on: Mapped[date]
    last_on: Mapped[date]
    version: Mapped[int]
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
    frozen_at: Mapped[datetime]
    frozen_by: Mapped[int | None]


class ReaderLink(Base):
    """A way to the reports for somebody without an account, until a time and for so many views. Only the secret's
    hash is kept."""

    __tablename__ = "reader_link"
    __table_args__ = (CheckConstraint("views_left >= 0", name="views"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    whom: Mapped[str]
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    views_left: Mapped[int]
    ended_at: Mapped[datetime | None]

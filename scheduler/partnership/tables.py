from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint

from scheduler.kit.mapping import Base, Mapped, mapped_column
from scheduler.partnership.rules import BudgetLineKind


class Partnership(Base):
    """The tenant. `host_name` is "" for the one that answers on the deployment's own public address."""

    __tablename__ = "partnership"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    municipality: Mapped[str]
    host_name: Mapped[str] = mapped_column(unique=True)
    time_zone: Mapped[str]
    team_phone: Mapped[str]
    coordinator_phone: Mapped[str]
    created_at: Mapped[datetime]


class Agreement(Base):
    """One term of the partnership. Sums in öre; `promised_ore` stands in the agreement's text."""

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("starts_on < ends_on", name="term"),
        CheckConstraint("night_rate_ore >= 0 AND promised_ore >= 0", name="sums"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    night_rate_ore: Mapped[int]
    promised_ore: Mapped[int]


class BudgetLine(Base):
    """A sum set aside for one purpose; `nights` is how many area-nights it pays for, where it pays for nights."""

    __tablename__ = "budget_line"
    __table_args__ = (
        UniqueConstraint("agreement_id", "kind"),
        CheckConstraint("amount_ore >= 0", name="amount"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), index=True)
    kind: Mapped[BudgetLineKind]
    amount_ore: Mapped[int]


class Club(Base):
    """An association whose members walk. `invitation_code` is the last part of its /join/ address; from `ended_on`
    the club takes no part any more."""

    __tablename__ = "club"
    __table_args__ = (UniqueConstraint("partnership_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    name: Mapped[str]
    coordinating: Mapped[bool]
    invitation_code: Mapped[str] = mapped_column(unique=True)
    ended_on: Mapped[date | None]


class Area(Base):
    """A part of town that is walked. A team gathers `gathers_minutes_before` its shift starts. `latitude` and
    `longitude` are the meeting place's, in degrees (WGS 84); both or neither."""

    __tablename__ = "area"
    __table_args__ = (
        UniqueConstraint("partnership_id", "name"),
        CheckConstraint("default_minimum >= 1 AND default_minimum <= default_wanted", name="defaults"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    name: Mapped[str]
    meeting_place: Mapped[str]
    gathers_minutes_before: Mapped[int]
    default_minimum: Mapped[int]
    default_wanted: Mapped[int]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]

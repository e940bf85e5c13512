from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text

from scheduler.kit.mapping import Base, Mapped, mapped_column
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import LeftOut, Special


class SeasonPlan(Base):
    """The nights that were planned at one time. `publish_on`: the day on which the worker publishes them."""

    __tablename__ = "season_plan"
    __table_args__ = (Index("ix_season_plan_publish_on", "publish_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    made_at: Mapped[datetime]
    publish_on: Mapped[date | None]


class Night(Base):
    """An evening within an agreement's term. One that the plan leaves out has a reason and no shifts."""

    __tablename__ = "night"
    __table_args__ = (UniqueConstraint("partnership_id", "date"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    date: Mapped[date]
    special: Mapped[Special | None]
    left_out: Mapped[LeftOut | None]
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("season_plan.id"))


class LocalNight(Base):
    """A night that matters here and that no calendar knows: one line of the municipality's own list."""

    __tablename__ = "local_night"

    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), primary_key=True)
    night: Mapped[date] = mapped_column(primary_key=True)
    special: Mapped[Special]


class Shift(Base):
    """One area on one night. `booked` people have a place, `held` places are offered to the waiting list.

    `revision` rises with every change, `edition` only when a coordinator changes the shift itself;
    `meeting_place` "" means the area's own. The leader counts as such while booked on the shift. `decision` is
    what the steering group has decided about a second area that its budget line does not pay for. Until
    `members_first_until` only members of the host club take places; the reserve club stands by for it.
    """

    __tablename__ = "shift"
    __table_args__ = (
        UniqueConstraint("night_id", "area_id"),
        CheckConstraint("minimum >= 1 AND minimum <= wanted", name="minimum_wanted"),
        CheckConstraint("booked >= 0 AND held >= 0 AND booked + held <= wanted", name="places"),
        CheckConstraint("starts_at < ends_at", name="moments"),
        Index("ix_shift_partnership_starts", "partnership_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    night_id: Mapped[int] = mapped_column(ForeignKey("night.id"))
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    minimum: Mapped[int]
    wanted: Mapped[int]
    booked: Mapped[int]
    held: Mapped[int]
    state: Mapped[ShiftState]
    meeting_place: Mapped[str]
    note: Mapped[str]
    host_club_id: Mapped[int | None] = mapped_column(ForeignKey("club.id"))
    revision: Mapped[int]
    edition: Mapped[int] = mapped_column(server_default=text("0"))
    leader_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decision: Mapped[str] = mapped_column(server_default=text("''"))
    members_first_until: Mapped[datetime | None]
    reserve_club_id: Mapped[int | None] = mapped_column(ForeignKey("club.id"))


class ClubWish(Base):
    """How many shifts a club wants to take in an agreement's term; without a row, as many as it is able to."""

    __tablename__ = "club_wish"
    __table_args__ = (CheckConstraint("shifts >= 0", name="shifts"),)

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    club_id: Mapped[int] = mapped_column(ForeignKey("club.id"), primary_key=True)
    shifts: Mapped[int]

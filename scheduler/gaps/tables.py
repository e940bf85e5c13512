from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text

from scheduler.gaps.rules import AskingState, AskState, AutopilotMode
from scheduler.kit.mapping import Base, Mapped, mapped_column


class Asking(Base):
    """The search for people to one shift, until it has `goal` walkers. `wave` counts the waves so far;
    `next_wave_at` is when the worker looks again; `dry` says that the last look found nobody to ask.
    `started_by` is None for the autopilot, `ended_by` for the product itself."""

    __tablename__ = "asking"
    __table_args__ = (
        Index(
            "uq_asking_open",
            "shift_id",
            unique=True,
            sqlite_where=text("state IN ('proposed', 'running')"),
            postgresql_where=text("state IN ('proposed', 'running')"),
        ),
        Index("ix_asking_state", "state", "next_wave_at"),
        Index("ix_asking_shift_id", "shift_id"),
        CheckConstraint("goal >= 1 AND wave >= 0", name="numbers"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    state: Mapped[AskingState]
    goal: Mapped[int]
    wave: Mapped[int]
    dry: Mapped[bool]
    started_at: Mapped[datetime]
    started_by: Mapped[int | None]
    next_wave_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None]


class Ask(Base):
    """One question to one person about one shift. Until `answer_by` it counts as out; an answer is welcome later
    too. One that was withdrawn never left, and does not count."""

    __tablename__ = "ask"
    __table_args__ = (
        Index(
            "uq_ask_once",
            "shift_id",
            "person_id",
            unique=True,
            sqlite_where=text("state <> 'withdrawn'"),
            postgresql_where=text("state <> 'withdrawn'"),
        ),
        Index("ix_ask_person_asked", "person_id", "asked_at"),
        Index("ix_ask_asking_state", "asking_id", "state"),
        Index("ix_ask_partnership_state", "partnership_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    asking_id: Mapped[int] = mapped_column(ForeignKey("asking.id"))
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    wave: Mapped[int]
    state: Mapped[AskState]
    asked_at: Mapped[datetime]
    answer_by: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class Autopilot(Base):
    """What a partnership has chosen about asking. No row: the autopilot is off and the limit is the usual one."""

    __tablename__ = "autopilot"
    __table_args__ = (CheckConstraint("days_ahead >= 1 AND asks_a_week >= 1", name="numbers"),)

    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), primary_key=True)
    mode: Mapped[AutopilotMode]
    days_ahead: Mapped[int]
    asks_a_week: Mapped[int]

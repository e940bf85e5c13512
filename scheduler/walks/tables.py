from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index

from scheduler.kit.mapping import Base, Mapped, mapped_column
from scheduler.walks.rules import Happened, Mood, YoungPeople


class Walk(Base):
    """How far a shift's evening has come. `checked` holds the ticked CheckItems, `heard_at` the last sign of life."""

    __tablename__ = "walk"
    __table_args__ = (CheckConstraint("done_at IS NULL OR out_at IS NOT NULL", name="out_before_done"),)

    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"), primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    out_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    checked: Mapped[list[str]] = mapped_column(JSON)


class Arrival(Base):
    """Somebody is at the meeting place."""

    __tablename__ = "arrival"

    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    at: Mapped[datetime]


class WalkNote(Base):
    """What a team told after its shift. `text` is "" when there was none, and again once it is forgotten.
    `followed_up_at` tells when a coordinator had seen to what the team asked to `follow_up`."""

    __tablename__ = "walk_note"
    __table_args__ = (Index("ix_walk_note_partnership_id", "partnership_id"),)

    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"), primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    mood: Mapped[Mood]
    young_people: Mapped[YoungPeople]
    happened: Mapped[Happened]
    follow_up: Mapped[bool]
    followed_up_at: Mapped[datetime | None]
    text: Mapped[str]
    written_at: Mapped[datetime]
    written_by: Mapped[int | None]
    forgotten_at: Mapped[datetime | None]


class WalkedFor(Base):
    """Somebody who came to a shift, and for which club (None for a person without one on that night)."""

    __tablename__ = "walked_for"

    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    club_id: Mapped[int | None] = mapped_column(ForeignKey("club.id"), index=True)

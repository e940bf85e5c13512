from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text

from scheduler.calendars.rules import CalendarKind, ChangeKind
from scheduler.kit.mapping import Base, Mapped, mapped_column


class Calendar(Base):
    """One text, as calendar programs read it. `subject_id` is the person, area or club, 0 where there is none;
    a person's own follows the person's language and has "". `etag` "" means never made; `made_for` says by which
    version and address the bytes were made; after `fresh_until` the passing of time may have changed them."""

    __tablename__ = "calendar"
    __table_args__ = (UniqueConstraint("partnership_id", "kind", "subject_id", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    kind: Mapped[CalendarKind]
    subject_id: Mapped[int]
    language: Mapped[str]
    alarm_minutes: Mapped[int | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    body_bytes: Mapped[int]
    etag: Mapped[str]
    changed_at: Mapped[datetime]
    fresh_until: Mapped[datetime]
    made_for: Mapped[str]
    revision: Mapped[int]


class CalendarEvent(Base):
    """What was last shown of a shift. It stays when the shift has left the calendar (`block` is None then), so
    that its sequence never falls if it comes back; so `shift_id` is no foreign key."""

    __tablename__ = "calendar_event"

    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendar.id"), primary_key=True)
    shift_id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    sequence: Mapped[int]
    changed_at: Mapped[datetime]
    block: Mapped[str | None]


class CalendarFeed(Base):
    """A secret address of one person. The address is made of `nonce` and the deployment's key; here are only
    pieces of its hash. An ended one answers "gone" for ever."""

    __tablename__ = "calendar_feed"
    __table_args__ = (
        Index(
            "uq_calendar_feed_active",
            "person_id",
            "calendar_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    calendar_id: Mapped[int] = mapped_column(ForeignKey("calendar.id"))
    nonce: Mapped[str]
    selector: Mapped[str] = mapped_column(unique=True)
    verifier: Mapped[str]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]
    fetched_by: Mapped[str | None]


class CalendarChange(Base):
    """Something that calendars may show has changed. Written by triggers in the transaction that changes it."""

    __tablename__ = "calendar_change"
    __table_args__ = (Index("ix_calendar_change_partnership_id", "partnership_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int]
    kind: Mapped[ChangeKind]
    subject_id: Mapped[int]

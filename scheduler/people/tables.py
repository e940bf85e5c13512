from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, text

from scheduler.kit.mapping import Base, Mapped, mapped_column
from scheduler.people.rules import MembershipState, Role


class Person(Base):
    """A human being of 18 or more. `revision` is raised by every hold, see `bookings`; `last_asked_at` is when
    `gaps` last asked this person to take a walk, 1970 for never, so that an index gives whose turn it is. What
    coordinators vouch for stands in `may_lead_since` and `extract_seen_on`. Of one who was forgotten at
    `forgotten_at` only the id is left: the others are what `rules.py` puts in their place."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("partnership_id", "phone"),
        Index("ix_person_turn", "partnership_id", "last_asked_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    first_name: Mapped[str]
    last_name: Mapped[str]
    phone: Mapped[str]
    born_on: Mapped[date]
    language: Mapped[str]
    values_agreed_at: Mapped[datetime]
    created_at: Mapped[datetime]
    revision: Mapped[int]
    last_asked_at: Mapped[datetime] = mapped_column(server_default=text("'1970-01-01 00:00:00'"))
    forgotten_at: Mapped[datetime | None]
    may_lead_since: Mapped[datetime | None]
    extract_seen_on: Mapped[date | None]


class Membership(Base):
    """A person's place in a club. A person has at most one that is not ended in each club."""

    __tablename__ = "membership"
    __table_args__ = (
        Index(
            "uq_membership_not_ended",
            "person_id",
            "club_id",
            unique=True,
            sqlite_where=text("state <> 'ended'"),
            postgresql_where=text("state <> 'ended'"),
        ),
        Index("ix_membership_club_state", "club_id", "state"),
        Index("ix_membership_person_state_club", "person_id", "state", "club_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    club_id: Mapped[int] = mapped_column(ForeignKey("club.id"))
    state: Mapped[MembershipState]
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class RoleGrant(Base):
    """A role beside being a volunteer. A contact's grant names the club."""

    __tablename__ = "role_grant"
    __table_args__ = (
        UniqueConstraint("person_id", "role", "club_id"),
        CheckConstraint("(role = 'contact') = (club_id IS NOT NULL)", name="contact_has_club"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[Role]
    club_id: Mapped[int | None] = mapped_column(ForeignKey("club.id"))


class PersonNote(Base):
    """What one coordinator has noted on somebody, for her own eyes."""

    __tablename__ = "person_note"

    writer_person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    text: Mapped[str]
    written_at: Mapped[datetime]


class SignInCode(Base):
    """A six-digit code on its way. Only hashes are kept; `joining` holds what a new member typed, until
    the number is proven or the code has ended."""

    __tablename__ = "sign_in_code"
    __table_args__ = (CheckConstraint("tries_left >= 0", name="tries"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    challenge_hash: Mapped[str] = mapped_column(unique=True)
    code_hash: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    joining: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    tries_left: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInSession(Base):
    """A signed-in device. Only the hash of its secret is kept."""

    __tablename__ = "sign_in_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    device: Mapped[str]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class LimitCount(Base):
    """How often something was done in one window of time, for limits that hold across processes."""

    __tablename__ = "limit_count"

    key: Mapped[str] = mapped_column(primary_key=True)
    window_starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]

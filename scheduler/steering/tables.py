from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey
from sqlalchemy import text as sql

from scheduler.kit.mapping import Base, Mapped, mapped_column
from scheduler.steering.rules import DecisionKind, Partner


class SteeringMember(Base):
    """Somebody who sits in the group for a partner; `email` "" gets no calendar invitation. `person_id` is whose seat
    it is, where she has said so: being forgotten then takes it away."""

    __tablename__ = "steering_member"

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    partner: Mapped[Partner]
    name: Mapped[str]
    email: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)


class Meeting(Base):
    """A meeting of the group; `sequence` rises with every change, as calendars count. Who calls it stays its organizer,
    or programs would take the next file for another's meeting; "" is Lykta itself, or somebody who has left."""

    __tablename__ = "steering_meeting"
    __table_args__ = (CheckConstraint("minutes > 0", name="minutes"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    starts_at: Mapped[datetime]
    minutes: Mapped[int]
    place: Mapped[str]
    agenda: Mapped[str]
    sequence: Mapped[int]
    organizer_name: Mapped[str] = mapped_column(server_default=sql("''"))
    organizer_email: Mapped[str] = mapped_column(server_default=sql("''"))
    changed_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]


class Decision(Base):
    """Something that both partners have to agree on. `deviations` are those of the ledger that it is about, as they
    were when it was proposed; `meeting_id` is the meeting that takes it up."""

    __tablename__ = "steering_decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), index=True)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    kind: Mapped[DecisionKind]
    title: Mapped[str]
    text: Mapped[str]
    deviations: Mapped[list[dict[str, Any]]] = mapped_column(JSON, server_default=sql("'[]'"))
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("steering_meeting.id"))
    proposed_at: Mapped[datetime]
    proposed_by: Mapped[int | None]


class Opening(Base):
    """A second area that was opened by a decision, beyond what its budget line pays for."""

    __tablename__ = "steering_opening"

    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"), primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("steering_decision.id"), index=True)


class Consent(Base):
    """A partner's answer to a decision; given once."""

    __tablename__ = "steering_consent"

    decision_id: Mapped[int] = mapped_column(ForeignKey("steering_decision.id"), primary_key=True)
    partner: Mapped[Partner] = mapped_column(primary_key=True)
    agreed: Mapped[bool]
    given_at: Mapped[datetime]
    given_by: Mapped[int | None]

from datetime import datetime, time
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text

from scheduler.kit.mapping import Base, Mapped, mapped_column
from scheduler.messages.rules import Answer, MessageKind, MessageState, QuestionKind, Reply


class Message(Base):
    """A text in the outbox. `fact` is unique in the partnership: what was queued once is not queued again.

    `words` are what the text is made of, so that it can be made anew from fresh facts; `starts_at` is the start
    of the walk it speaks of. `claim` says which try is under way, `attempts` how many there were; `looked_at` is
    when the operator was last asked about it. A text with a `question` waits for JA or NEJ until `answer_by`.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("partnership_id", "fact"),
        Index("ix_message_leaving", "state", "lane", "due_at"),
        Index("ix_message_about", "about"),
        Index("ix_message_shift_id", "shift_id"),
        Index("ix_message_person_id", "person_id"),
        Index("ix_message_queued_at", "partnership_id", "queued_at"),
        Index("ix_message_sid", "sid"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[MessageKind]
    reply: Mapped[Reply | None]
    fact: Mapped[str]
    about: Mapped[str]
    to_phone: Mapped[str]
    language: Mapped[str] = mapped_column(server_default=text("'sv'"))
    words: Mapped[dict[str, str]] = mapped_column(JSON, server_default=text("'{}'"))
    body: Mapped[str]
    state: Mapped[MessageState]
    lane: Mapped[int] = mapped_column(server_default=text("1"))
    due_at: Mapped[datetime]
    deadline_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    queued_by: Mapped[int | None]
    settled_at: Mapped[datetime | None]
    shift_id: Mapped[int | None]
    starts_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    claim: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    sid: Mapped[str | None]
    error: Mapped[str | None]
    segments: Mapped[int | None]
    question: Mapped[QuestionKind | None]
    subject_id: Mapped[int | None]
    answer_by: Mapped[datetime | None]
    choices: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    answer: Mapped[Answer | None]
    answered_at: Mapped[datetime | None]


class PhoneStanding(Base):
    """What is known of a number: that its owner said STOPP, or that no text reaches it. No row: nothing is."""

    __tablename__ = "phone_standing"

    phone: Mapped[str] = mapped_column(primary_key=True)
    stopped_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    dead_code: Mapped[str | None]


class TextPreference(Base):
    """What a person has chosen: groups of texts that are off, and quiet hours longer than everybody's."""

    __tablename__ = "text_preference"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    off: Mapped[list[str]] = mapped_column(JSON)
    quiet_starts: Mapped[time]
    quiet_ends: Mapped[time]


class TextPlan(Base):
    """What a partnership pays for a segment, and the most for a month; `warned_month` is "2026-11"."""

    __tablename__ = "text_plan"

    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"), primary_key=True)
    segment_ore: Mapped[int]
    ceiling_ore: Mapped[int]
    warned_month: Mapped[str]


class Incoming(Base):
    """A text that came in. `sid` is unique: each is acted on once. Strangers' words are not kept."""

    __tablename__ = "incoming"
    __table_args__ = (Index("ix_incoming_received_at", "partnership_id", "received_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sid: Mapped[str] = mapped_column(unique=True)
    partnership_id: Mapped[int | None] = mapped_column(ForeignKey("partnership.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    body: Mapped[str]
    meaning: Mapped[str]
    received_at: Mapped[datetime]
    passed_on: Mapped[bool]
    seen_at: Mapped[datetime | None]


class SendingHalt(Base):
    """The one row that stops all sending: our own set-up is at fault. Now and then one text is let out to try."""

    __tablename__ = "sending_halt"

    id: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    code: Mapped[str]
    next_try_at: Mapped[datetime]


class SendingRest(Base):
    """The one row that holds texts back: nobody was at work since `since`, or the database is a copy of then. What
    left meanwhile is read at the operator first; only codes and answers asked for after `begun_at` may leave."""

    __tablename__ = "sending_rest"

    id: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    begun_at: Mapped[datetime]


class LostText(Base):
    """A text that the operator has and the outbox does not know: it left after the copy of `copied_at` was made."""

    __tablename__ = "lost_text"

    sid: Mapped[str] = mapped_column(primary_key=True)
    to_phone: Mapped[str] = mapped_column(index=True)
    body: Mapped[str]
    status: Mapped[str]
    left_at: Mapped[datetime]
    copied_at: Mapped[datetime]
    noted_at: Mapped[datetime]


class Redaction(Base):
    """A text whose words are to be emptied at the operator too, from `due_at` on."""

    __tablename__ = "redaction"

    sid: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(server_default=text("0"))

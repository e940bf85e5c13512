from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, update

from scheduler.kit.database import spelled_out
from scheduler.kit.upsert import insertion_of_new
from scheduler.messages.rules import Answer, MessageKind, MessageState, QuestionKind, Reply, lane_of, segments
from scheduler.messages.tables import Message
from scheduler.messages.texts import render


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a text goes to. `phone` is E.164."""

    phone: str
    language: str
    person_id: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """What a text asks: JA and NEJ go to the room that knows the kind, with the subject, until `answer_by`."""

    kind: QuestionKind
    subject_id: int
    answer_by: datetime
    choices: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """What to say, once per `fact`, not before `due_at` and never after `deadline_at`. `starts_at` is the start
    of the shift that it speaks of: only a walk that is near may be spoken of in the quiet hours."""

    kind: MessageKind
    fact: str
    about: str
    words: Mapping[str, str]
    due_at: datetime
    deadline_at: datetime
    reply: Reply | None = None
    shift_id: int | None = None
    starts_at: datetime | None = None
    question: Question | None = None
    queued_by: int | None = None
    state: MessageState = field(default=MessageState.QUEUED)


def queue(
    connection: Connection, partnership_id: int, to: Recipient, texts: Text | Sequence[Text], now: datetime
) -> None:
    """Put texts in the outbox, in the caller's transaction. A fact that is there already changes nothing,
    and one whose deadline has passed is not queued."""
    listed = [texts] if isinstance(texts, Text) else texts
    queue_many(connection, [(partnership_id, to, text) for text in listed], now)


def queue_many(connection: Connection, letters: Sequence[tuple[int, Recipient, Text]], now: datetime) -> None:
    """Put texts to many people in the outbox by one statement; each is (partnership id, recipient, text)."""
    rows = [_row(partnership_id, to, text, now) for partnership_id, to, text in letters if text.deadline_at > now]
    if rows:
        connection.execute(insertion_of_new(connection, Message), rows)


def _row(partnership_id: int, to: Recipient, text: Text, now: datetime) -> dict[str, Any]:
    asked = text.question
    body = render(text.reply or text.kind, to.language, text.words)
    return {
        "partnership_id": partnership_id,
        "person_id": to.person_id,
        "kind": text.kind,
        "reply": text.reply,
        "fact": text.fact,
        "about": text.about,
        "to_phone": to.phone,
        "language": to.language,
        "words": dict(text.words),
        "body": body,
        "segments": segments(body),
        "state": text.state,
        "lane": lane_of(text.kind),
        "due_at": max(text.due_at, now),
        "deadline_at": text.deadline_at,
        "queued_at": now,
        "queued_by": text.queued_by,
        "shift_id": text.shift_id,
        "starts_at": text.starts_at,
        "attempts": 0,
        "question": asked.kind if asked else None,
        "subject_id": asked.subject_id if asked else None,
        "answer_by": asked.answer_by if asked else None,
        "choices": dict(asked.choices) if asked and asked.choices else None,
    }


_DROP = spelled_out(
    update(Message)
    .where(Message.about == bindparam("spoken_of"), Message.state == MessageState.QUEUED)
    .values(state=MessageState.DROPPED, settled_at=bindparam("now"))
)


def drop(connection: Connection, about: str, now: datetime) -> None:
    """Take back what is queued about something that is no longer so."""
    connection.execute(_DROP, {"spoken_of": about, "now": now})


def take_back(
    connection: Connection, spoken_of: Collection[str], kinds: Collection[MessageKind], now: datetime
) -> set[tuple[str, MessageKind]]:
    """Take back what is queued of these kinds about these things, since newer words follow; return what it was."""
    taken = connection.execute(
        update(Message)
        .where(Message.about.in_(spoken_of), Message.kind.in_(kinds), Message.state == MessageState.QUEUED)
        .values(state=MessageState.DROPPED, settled_at=now)
        .returning(Message.about, Message.kind)
    )
    return {(row.about, row.kind) for row in taken}


def count_as_sent(connection: Connection, now: datetime) -> None:
    """Mark what is due by `now` as sent without sending it: the demo's past."""
    connection.execute(
        update(Message)
        .where(Message.state == MessageState.QUEUED, Message.due_at <= now)
        .values(state=MessageState.DELIVERED, claimed_at=Message.due_at, sent_at=Message.due_at, segments=1)
    )


def answer_question(connection: Connection, message_id: int, answer: Answer, now: datetime) -> bool:
    """Write what a question was answered with; False when it has been answered already."""
    return (
        connection.execute(
            update(Message)
            .where(Message.id == message_id, Message.question.is_not(None), Message.answered_at.is_(None))
            .values(answer=answer, answered_at=now)
        ).rowcount
        == 1
    )


def send_again(connection: Connection, partnership_id: int, message_id: int, now: datetime) -> bool:
    """Queue a text again that surely did not arrive, or that a person has looked into. False when its time is
    past, it is on its way, or it is none of this partnership's."""
    return (
        connection.execute(
            update(Message)
            .where(
                Message.id == message_id,
                Message.partnership_id == partnership_id,
                Message.deadline_at > now,
                Message.state.in_([MessageState.UNDELIVERED, MessageState.FAILED, MessageState.UNSETTLED]),
            )
            .values(state=MessageState.QUEUED, due_at=now, settled_at=None, error=None, claim=None)
        ).rowcount
        == 1
    )

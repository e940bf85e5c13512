from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.kit.database import spelled_out
from scheduler.messages.rules import MessageKind, MessageState
from scheduler.messages.tables import Message
from scheduler.messages.texts import render


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a text goes to. `phone` is E.164."""

    phone: str
    language: str
    person_id: int | None


@dataclass(frozen=True, slots=True)
class Text:
    """What to say, once per `fact`, not before `due_at` and never after `deadline_at`."""

    kind: MessageKind
    fact: str
    about: str
    words: Mapping[str, str]
    due_at: datetime
    deadline_at: datetime


_INSERTS = {
    "sqlite": sqlite.insert(Message).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(Message).on_conflict_do_nothing(),
}


def queue(
    connection: Connection, partnership_id: int, to: Recipient, texts: Text | Sequence[Text], now: datetime
) -> None:
    """Put texts in the outbox, in the caller's transaction. A fact that is there already changes nothing,
    and one whose deadline has passed is not queued."""
    rows = [
        {
            "partnership_id": partnership_id,
            "person_id": to.person_id,
            "kind": text.kind,
            "fact": text.fact,
            "about": text.about,
            "to_phone": to.phone,
            "body": render(text.kind, to.language, text.words),
            "state": MessageState.QUEUED,
            "due_at": max(text.due_at, now),
            "deadline_at": text.deadline_at,
            "queued_at": now,
        }
        for text in ([texts] if isinstance(texts, Text) else texts)
        if text.deadline_at > now
    ]
    if rows:
        connection.execute(_INSERTS[connection.dialect.name], rows)


_DROP = spelled_out(
    update(Message)
    .where(Message.about == bindparam("spoken_of"), Message.state == MessageState.QUEUED)
    .values(state=MessageState.DROPPED, settled_at=bindparam("now"))
)


def drop(connection: Connection, about: str, now: datetime) -> None:
    """Take back what is queued about something that is no longer so."""
    connection.execute(_DROP, {"spoken_of": about, "now": now})


def settle_due(connection: Connection, now: datetime, *, shown: bool) -> tuple[int, int]:
    """Expire what is past its deadline; in the demo (`shown`) mark what is due as sent, so that /demo/sms
    shows it. Returns (sent, expired). Without a way to send, due messages stay queued until they expire."""
    expired = connection.execute(
        update(Message)
        .where(Message.state == MessageState.QUEUED, Message.deadline_at <= now)
        .values(state=MessageState.EXPIRED, settled_at=now)
    ).rowcount
    if not shown:
        return 0, expired
    due = connection.execute(
        select(Message.id).where(Message.state == MessageState.QUEUED, Message.due_at <= now).limit(500)
    ).scalars()
    sent = connection.execute(
        update(Message)
        .where(Message.id.in_(list(due)), Message.state == MessageState.QUEUED)
        .values(state=MessageState.SENT, settled_at=now)
    ).rowcount
    return sent, expired

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from scheduler.messages.rules import LEFT, MessageKind, MessageState
from scheduler.messages.tables import Incoming, Message


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as a phone would show it: one that it got, or (`incoming`) one that it sent."""

    person_id: int | None
    to_phone: str
    body: str
    at: datetime
    kind: MessageKind
    incoming: bool = False


def due_so_far(connection: Connection, partnership_id: int, now: datetime, most: int = 100) -> list[Shown]:
    """Return the latest texts that would have left by now, the newest first."""
    rows = connection.execute(
        select(Message.person_id, Message.to_phone, Message.body, Message.due_at, Message.kind)
        .where(
            Message.partnership_id == partnership_id,
            Message.due_at <= now,
            Message.state.in_([MessageState.QUEUED, *LEFT]),
        )
        .order_by(Message.due_at.desc(), Message.id.desc())
        .limit(most)
    )
    return [Shown(*row) for row in rows]


def came_in(connection: Connection, partnership_id: int, phones: dict[int, str], most: int = 50) -> list[Shown]:
    """Return the latest texts that these people, by id with their numbers, sent us, the newest first."""
    rows = connection.execute(
        select(Incoming.person_id, Incoming.body, Incoming.received_at)
        .where(Incoming.partnership_id == partnership_id, Incoming.person_id.in_(phones))
        .order_by(Incoming.id.desc())
        .limit(most)
    )
    return [
        Shown(row.person_id, phones[row.person_id], row.body, row.received_at, MessageKind.ANSWER, incoming=True)
        for row in rows
    ]

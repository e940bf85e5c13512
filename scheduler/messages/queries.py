from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from scheduler.messages.rules import LEFT, MessageKind, MessageState
from scheduler.messages.tables import Message


@dataclass(frozen=True, slots=True)
class Shown:
    person_id: int | None
    to_phone: str
    body: str
    at: datetime
    kind: MessageKind


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

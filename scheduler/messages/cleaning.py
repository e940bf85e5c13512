"""What is forgotten: the words of texts and the number they went to, after thirty days. That a text was sent, when
and how it ended, is kept."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select, update

from scheduler.messages.rules import MessageState
from scheduler.messages.tables import Incoming, Message

KEPT = timedelta(days=30)
AT_ONCE_MOST = 500


def forget_bodies(connection: Connection, now: datetime) -> int:
    """Empty the words of texts, out and in, that are over thirty days old, and the numbers; return how many."""
    old = (
        select(Message.id)
        .where(
            Message.queued_at < now - KEPT,
            Message.due_at < now - KEPT,
            or_(Message.body != "", Message.to_phone != ""),
            Message.state != MessageState.QUEUED,
        )
        .limit(AT_ONCE_MOST)
    )
    out = connection.execute(
        update(Message)
        .where(Message.id.in_(list(connection.execute(old).scalars())))
        .values(body="", words={}, to_phone="", choices=None)
    ).rowcount
    return (
        out
        + connection.execute(
            update(Incoming).where(Incoming.received_at < now - KEPT, Incoming.body != "").values(body="")
        ).rowcount
    )

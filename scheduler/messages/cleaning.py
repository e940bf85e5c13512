"""What is forgotten after thirty days: the words of texts, here and at the operator, and the number they went to. That
a text was sent, when and how it ended, is kept."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from scheduler.kit.upsert import insertion_of_new
from scheduler.messages.rules import MessageState
from scheduler.messages.tables import Incoming, Message, Redaction

KEPT = timedelta(days=30)
AT_ONCE_MOST = 500
TRIED_AGAIN = timedelta(days=1)
MOST_TRIES = 30
log = logging.getLogger("scheduler.messages")


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
        .returning(Message.sid)
    ).scalars()
    sids_out = list(out)
    came_in = connection.execute(
        update(Incoming)
        .where(Incoming.received_at < now - KEPT, Incoming.body != "")
        .values(body="")
        .returning(Incoming.sid)
    ).scalars()
    sids_in = list(came_in)
    forget_at_operator(connection, [sid for sid in (*sids_out, *sids_in) if sid], now)
    return len(sids_out) + len(sids_in)


def forget_at_operator(connection: Connection, sids: Collection[str], due_at: datetime) -> None:
    """Have the operator empty the words of these texts from then on."""
    if sids:
        connection.execute(insertion_of_new(connection, Redaction), [{"sid": sid, "due_at": due_at} for sid in sids])


def take_redaction(connection: Connection, now: datetime) -> str | None:
    """Take one text to be emptied at the operator; if that comes to nothing it is tried again the next day, thirty
    times at the most. None when none is due."""
    given_up = connection.execute(
        delete(Redaction).where(Redaction.due_at <= now, Redaction.tries >= MOST_TRIES).returning(Redaction.sid)
    )
    for sid in given_up.scalars():
        log.error("the operator has not emptied text %s in %s tries: do it by hand", sid, MOST_TRIES)
    wanted = (
        select(Redaction.sid)
        .where(Redaction.due_at <= now)
        .order_by(Redaction.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("wanted")
    )
    return connection.execute(
        update(Redaction)
        .where(Redaction.sid.in_(select(wanted.c.sid)))
        .values(due_at=now + TRIED_AGAIN, tries=Redaction.tries + 1)
        .returning(Redaction.sid)
    ).scalar()


def note_redacted(connection: Connection, sid: str) -> None:
    """Note that the operator holds no words of this text any more."""
    connection.execute(delete(Redaction).where(Redaction.sid == sid))

"""The stop for everything, when our own set-up is at fault: nobody's text is blamed, nothing is lost.

While it stands, one text is let out every five minutes; the first that is accepted ends it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from scheduler.kit.upsert import upsert
from scheduler.messages.tables import SendingHalt

TRY_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Halt:
    """Since when nothing leaves, and the operator's code for why."""

    since: datetime
    code: str


def halted(connection: Connection) -> Halt | None:
    """Return why nothing leaves, or None."""
    row = connection.execute(select(SendingHalt.since, SendingHalt.code)).first()
    return Halt(row.since, row.code) if row is not None else None


def halt(connection: Connection, code: str, now: datetime) -> None:
    """Stop all sending. Since when it stands stays as it was."""
    upsert(connection, SendingHalt, {"id": 1}, {"code": code}, since=now, next_try_at=now + TRY_EVERY)


def may_try(connection: Connection, now: datetime) -> bool:
    """Return whether this worker may let one text out; one of them may, every five minutes."""
    return (
        connection.execute(
            update(SendingHalt).where(SendingHalt.next_try_at <= now).values(next_try_at=now + TRY_EVERY)
        ).rowcount
        == 1
    )


def try_now(connection: Connection, now: datetime) -> None:
    """Let a text out at the worker's next look: somebody says that the fault is mended."""
    connection.execute(update(SendingHalt).values(next_try_at=now))


def resume(connection: Connection) -> None:
    connection.execute(delete(SendingHalt))

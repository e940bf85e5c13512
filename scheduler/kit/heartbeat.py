"""When each worker was last at work. `/readyz` and the coordinators' pages read it."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from scheduler.kit.mapping import Base, Mapped, mapped_column
from scheduler.kit.upsert import upsert

FORGOTTEN_AFTER = timedelta(days=1)
LATE_AFTER = timedelta(minutes=3)


class Heartbeat(Base):
    """One worker process, by host and number."""

    __tablename__ = "heartbeat"

    worker: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


def beat(connection: Connection, worker: str, now: datetime) -> None:
    """Note that a worker is at work; workers not seen for a day are forgotten."""
    upsert(connection, Heartbeat, {"worker": worker}, {"seen_at": now}, started_at=now)
    connection.execute(delete(Heartbeat).where(Heartbeat.seen_at < now - FORGOTTEN_AFTER))


def last_seen(connection: Connection) -> datetime | None:
    """Return when any worker was last at work, or None."""
    return connection.execute(select(func.max(Heartbeat.seen_at, type_=Heartbeat.seen_at.type))).scalar()


def resting_since(connection: Connection, now: datetime) -> datetime | None:
    """Return when a worker was last at work, if that is so long ago that nobody is; None while somebody is, and
    before the first ever was. So stands a database that was put back from a copy, too."""
    seen_at = last_seen(connection)
    return seen_at if seen_at is not None and now - seen_at > LATE_AFTER else None


def seconds_since(seen_at: datetime, now: datetime) -> int:
    """Return how many whole seconds ago that was, never less than none."""
    return max(0, int((now - seen_at).total_seconds()))

"""The audit log: who, when, what, before, after. Written in the transaction of the change; never edited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, ForeignKey, Index, insert

from scheduler.kit.mapping import Base, Mapped, mapped_column
from scheduler.kit.ready import Ready, Step, together


class AuditEntry(Base):
    """One change. `what` is a word such as "booking.booked"; `actor_person_id` is None for the worker."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_shift_id", "shift_id"),
        Index("ix_audit_entry_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    at: Mapped[datetime]
    actor_person_id: Mapped[int | None]
    what: Mapped[str]
    shift_id: Mapped[int | None]
    person_id: Mapped[int | None]
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class Change:
    """What one audit entry tells. `before` and `after` hold only what changed."""

    what: str
    shift_id: int | None = None
    person_id: int | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


_INSERT = Ready(
    insert(AuditEntry).inline(),
    columns=("partnership_id", "at", "actor_person_id", "what", "shift_id", "person_id", "before", "after"),
)


def record(
    connection: Connection,
    partnership_id: int,
    now: datetime,
    actor_person_id: int | None,
    changes: Change | Sequence[Change],
) -> None:
    """Write one audit entry for each change."""
    listed = [changes] if isinstance(changes, Change) else changes
    together(connection, *(entry(partnership_id, now, actor_person_id, change) for change in listed))


def entry(partnership_id: int, now: datetime, actor_person_id: int | None, change: Change) -> Step:
    """Return what writes one audit entry, to be sent together with the change itself."""
    return _INSERT, {
        "partnership_id": partnership_id,
        "at": now,
        "actor_person_id": actor_person_id,
        "what": change.what,
        "shift_id": change.shift_id,
        "person_id": change.person_id,
        "before": change.before or {},
        "after": change.after or {},
    }

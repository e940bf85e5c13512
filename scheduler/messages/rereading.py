"""What a queued text says, read again just before it leaves: each room knows its own facts."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from scheduler.kit.database import AnyRow
from scheduler.messages.rules import MessageState

log = logging.getLogger("scheduler.messages")


@dataclass(frozen=True, slots=True)
class Fresh:
    """A text as it is now: to whom, in which language, of which words. `due_at` moves one that is not due yet."""

    phone: str
    language: str
    words: Mapping[str, str]
    starts_at: datetime | None = None
    due_at: datetime | None = None
    deadline_at: datetime | None = None


# From the first word of `about` to who knows whether it is still so: None for a row means that it no longer is.
Rereading = Callable[[Connection, Sequence[AnyRow], datetime], Mapping[int, Fresh | None]]


def read_again(
    connection: Connection, rows: Sequence[AnyRow], now: datetime, rereading: Mapping[str, Rereading]
) -> dict[int, Fresh | tuple[MessageState, str]]:
    """Return what each row is now, or the state and the word that it ends with."""
    found: dict[int, Fresh | tuple[MessageState, str]] = {}
    by_room: dict[str, list[AnyRow]] = {}
    for row in rows:
        by_room.setdefault(row.about.partition(":")[0], []).append(row)
    for room, its_rows in by_room.items():
        read = rereading.get(room, _as_it_was)
        for row, fresh in _each(connection, its_rows, now, read):
            found[row.id] = fresh if fresh is not None else (MessageState.DROPPED, "no_longer_so")
    return found


def _each(
    connection: Connection, rows: Sequence[AnyRow], now: datetime, read: Rereading
) -> list[tuple[AnyRow, Fresh | tuple[MessageState, str] | None]]:
    """Read all rows at once; when one breaks that, each alone, so that it breaks nothing but itself."""
    try:
        fresh = read(connection, rows, now)
    except DBAPIError:
        raise
    except Exception:
        if len(rows) > 1:
            return [one for row in rows for one in _each(connection, [row], now, read)]
        log.exception("the facts of text %s cannot be read", rows[0].id)
        return [(rows[0], (MessageState.FAILED, "broken"))]
    return [(row, fresh.get(row.id)) for row in rows]


def _as_it_was(_connection: Connection, rows: Sequence[AnyRow], _now: datetime) -> dict[int, Fresh | None]:
    return {row.id: Fresh(row.to_phone, row.language, row.words, row.starts_at) for row in rows}

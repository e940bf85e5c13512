"""One SELECT by the bare driver, for the little that is asked far more often than all the rest.

SQLAlchemy's own work on a statement costs several times what the database takes for it, and on PostgreSQL so does
psycopg's cursor. Here a statement is spelled out and prepared once, and a few connections are kept that only read,
each statement in a transaction of its own.
"""

import re
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from threading import BoundedSemaphore
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import Boolean, DateTime, Engine, Integer, LargeBinary, event
from sqlalchemy.exc import DBAPIError, OperationalError

from scheduler.kit.database import LONGEST_WAIT_SECONDS, AnySelect, Database, UtcTime

# A process has one interpreter lock: more connections than this would only wait for it.
MOST_CONNECTIONS = 4
FAULTS = (sqlite3.Error, psycopg.Error, DBAPIError)
Read = Callable[[Any], Any]


class Spelled(NamedTuple):
    """A statement in the driver's own words, and how each of its columns is read. Its one parameter is a text."""

    name: bytes
    sql: str
    readers: tuple[Read, ...]


def _instant(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _same(value: Any) -> Any:  # noqa: ANN401 - as the driver gives it
    return value


def _sqlite_reader(kind: object) -> Read:
    if isinstance(kind, UtcTime | DateTime):
        return _instant
    return bool if isinstance(kind, Boolean) else _same


def _postgresql_reader(kind: object) -> Read:
    """Return how PostgreSQL's text of a value is read."""
    if isinstance(kind, UtcTime | DateTime):
        return lambda value: _instant(value.decode())
    if isinstance(kind, Boolean):
        return lambda value: value == b"t"
    if isinstance(kind, LargeBinary):
        return lambda value: bytes.fromhex(value[2:].decode())
    return int if isinstance(kind, Integer) else bytes.decode


class Lookup:
    """Statements with one text for a parameter each, on the database's own driver."""

    def __init__(self, database: Database) -> None:
        self._engine: Engine = database.engine
        self._idle: deque[Any] = deque()
        self._free = BoundedSemaphore(MOST_CONNECTIONS)
        self._sqlite = self._engine.dialect.name == "sqlite"
        self._spelled: list[Spelled] = []
        event.listen(self._engine, "engine_disposed", lambda _engine: self.close())

    def spell(self, statement: AnySelect) -> Spelled:
        """Return the statement as `row` wants it; its one parameter is a bindparam. Spell all before the first row."""
        reader = _sqlite_reader if self._sqlite else _postgresql_reader
        sql = str(statement.compile(self._engine))
        spelled = Spelled(
            name=f"lookup{len(self._spelled)}".encode(),
            sql=sql if self._sqlite else re.sub(r"%\(\w+\)s", "$1", sql),
            readers=tuple(reader(column.type) for column in statement.selected_columns),
        )
        self._spelled.append(spelled)
        return spelled

    def row(self, spelled: Spelled, value: str) -> tuple[Any, ...] | None:
        """Return the first row, or None. Raises OperationalError when the database does not answer; a connection
        that was lost is replaced once without a word."""
        if not self._free.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise OperationalError("waiting for a connection to look up", {}, TimeoutError())
        try:
            try:
                found = self._ask(self._idle.pop(), spelled, value)
            except (IndexError, *FAULTS):
                # None idle, or one whose server has gone: a new one decides.
                self.close()
                found = self._ask(self._new(), spelled, value)
        except FAULTS as error:
            raise OperationalError("looking up", {}, error) from error
        finally:
            self._free.release()
        if found is None:
            return None
        return tuple(None if given is None else read(given) for read, given in zip(spelled.readers, found, strict=True))

    def _ask(self, raw: Any, spelled: Spelled, value: str) -> Any:  # noqa: ANN401 - the driver's connection and row
        try:
            found = _from_sqlite(raw, spelled, value) if self._sqlite else _from_postgresql(raw, spelled, value)
        except FAULTS:
            with suppress(*FAULTS):
                raw.close()
            raise
        self._idle.append(raw)
        return found

    def _new(self) -> Any:  # noqa: ANN401 - the driver's connection
        borrowed = self._engine.raw_connection()
        raw: Any = borrowed.dbapi_connection
        borrowed.detach()
        if not self._sqlite:
            for spelled in self._spelled:
                made = raw.pgconn.prepare(spelled.name, spelled.sql.encode())
                _check(made, ExecStatus.COMMAND_OK)
        return raw

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            with suppress(IndexError, *FAULTS):
                self._idle.pop().close()


def _from_sqlite(raw: Any, spelled: Spelled, value: str) -> Any:  # noqa: ANN401 - the driver's connection and row
    # All rows, so that no statement stays open: it would keep an old state in sight.
    rows = raw.execute(spelled.sql, (value,)).fetchall()
    return rows[0] if rows else None


def _from_postgresql(raw: Any, spelled: Spelled, value: str) -> Any:  # noqa: ANN401 - the driver's connection and row
    found = raw.pgconn.exec_prepared(spelled.name, [value.encode()])
    _check(found, ExecStatus.TUPLES_OK)
    return [found.get_value(0, column) for column in range(len(spelled.readers))] if found.ntuples else None


def _check(result: Any, wanted: ExecStatus) -> None:  # noqa: ANN401 - libpq's result
    if result.status != wanted:
        raise psycopg.OperationalError(result.error_message.decode(errors="replace"))

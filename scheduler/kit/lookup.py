"""One SELECT by the bare driver, for the little that is asked far more often than all the rest.

SQLAlchemy's own work on a statement costs several times what the database takes for it, and on PostgreSQL so does
psycopg's cursor. Here a statement is spelled out and prepared once, and a few connections are kept that only read,
each statement in a transaction of its own.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from sqlalchemy import Boolean, DateTime, Engine, Integer, LargeBinary, event
from sqlalchemy.exc import DBAPIError, OperationalError

from scheduler.kit.database import LONGEST_WAIT_SECONDS, AnySelect, Database
from scheduler.kit.mapping import UtcTime

# A process has one interpreter lock: more connections than this would only wait for it.
MOST_CONNECTIONS = 4
# libpq's own numbers; psycopg is loaded only where it is the driver.
COMMAND_OK, TUPLES_OK = 1, 2
Read = Callable[[Any], Any]


class LibpqError(Exception):
    """What the server said to a statement that libpq sent."""


class Spelled(NamedTuple):
    """A statement in the driver's own words, and how those columns are read that the driver gives in other words.
    Its one parameter is a text."""

    name: bytes
    sql: str
    columns: int
    readers: tuple[tuple[int, Read], ...]


def _instant(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _sqlite_reader(kind: object) -> Read | None:
    if isinstance(kind, UtcTime | DateTime):
        return _instant
    return bool if isinstance(kind, Boolean) else None


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
        # A place for each connection; None where there is none yet, or no longer.
        self._places: SimpleQueue[Any] = SimpleQueue()
        for _ in range(MOST_CONNECTIONS):
            self._places.put(None)
        self._sqlite = self._engine.dialect.name == "sqlite"
        self._spelled: list[Spelled] = []
        driver: Any = self._engine.dialect.loaded_dbapi
        self._faults: tuple[type[Exception], ...] = (driver.Error, LibpqError, DBAPIError)
        event.listen(self._engine, "engine_disposed", lambda _engine: self.close())

    def spell(self, statement: AnySelect) -> Spelled:
        """Return the statement as `row` wants it; its one parameter is a bindparam. Spell all before the first row."""
        reader = _sqlite_reader if self._sqlite else _postgresql_reader
        sql, kinds = str(statement.compile(self._engine)), [column.type for column in statement.selected_columns]
        spelled = Spelled(
            name=f"lookup{len(self._spelled)}".encode(),
            sql=sql if self._sqlite else re.sub(r"%\(\w+\)s", "$1", sql),
            columns=len(kinds),
            readers=tuple((place, read) for place, read in enumerate(map(reader, kinds)) if read is not None),
        )
        self._spelled.append(spelled)
        return spelled

    def row(self, spelled: Spelled, value: str) -> list[Any] | None:
        """Return the first row, or None. Raises OperationalError when the database does not answer; a connection
        that was lost is replaced once without a word."""
        try:
            raw = self._places.get(timeout=LONGEST_WAIT_SECONDS)
        except Empty:
            raise OperationalError("waiting for a connection to look up", {}, TimeoutError()) from None
        try:
            raw, found = self._ask(raw, spelled, value)
        except BaseException as error:
            self._places.put(None)
            if isinstance(error, self._faults):
                raise OperationalError("looking up", {}, error) from error
            raise
        self._places.put(raw)
        if found is not None:
            for place, read in spelled.readers:
                if found[place] is not None:
                    found[place] = read(found[place])
        return found

    def _ask(self, raw: Any, spelled: Spelled, value: str) -> tuple[Any, list[Any] | None]:  # noqa: ANN401 - the driver's
        """Return the connection that answered, and the row as the driver gives it."""
        ask = _from_sqlite if self._sqlite else _from_postgresql
        if raw is not None:
            try:
                return raw, ask(raw, spelled, value)
            except self._faults:
                # Its server has gone, perhaps long ago: a new one decides.
                with suppress(*self._faults):
                    raw.close()
        raw = self._new()
        return raw, ask(raw, spelled, value)

    def _new(self) -> Any:  # noqa: ANN401 - the driver's connection
        borrowed = self._engine.raw_connection()
        raw: Any = borrowed.dbapi_connection
        borrowed.detach()
        if not self._sqlite:
            for spelled in self._spelled:
                made = raw.pgconn.prepare(spelled.name, spelled.sql.encode())
                _check(made, COMMAND_OK)
        return raw

    def close(self) -> None:
        """Close the connections that nobody uses."""
        for _ in range(MOST_CONNECTIONS):
            with suppress(Empty, AttributeError, *self._faults):
                self._close(self._places.get_nowait())

    def _close(self, raw: Any) -> None:  # noqa: ANN401 - the driver's connection
        self._places.put(None)
        raw.close()


def _from_sqlite(raw: Any, spelled: Spelled, value: str) -> list[Any] | None:  # noqa: ANN401 - the driver's connection
    # All rows, so that no statement stays open: it would keep an old state in sight.
    rows = raw.execute(spelled.sql, (value,)).fetchall()
    return list(rows[0]) if rows else None


def _from_postgresql(raw: Any, spelled: Spelled, value: str) -> list[Any] | None:  # noqa: ANN401 - the driver's connection
    found = raw.pgconn.exec_prepared(spelled.name, [value.encode()])
    _check(found, TUPLES_OK)
    return [found.get_value(0, column) for column in range(spelled.columns)] if found.ntuples else None


def _check(result: Any, wanted: int) -> None:  # noqa: ANN401 - libpq's result
    if result.status != wanted:
        raise LibpqError(result.error_message.decode(errors="replace"))

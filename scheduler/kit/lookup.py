"""One SELECT by the bare driver, for the little that is asked far more often than all the rest.

SQLAlchemy's own work on a statement costs several times what the database takes for it. Here a statement is spelled
out once, and a few connections are kept that only read, each statement in a transaction of its own.
"""

import sqlite3
from collections import deque
from contextlib import suppress
from threading import BoundedSemaphore
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from scheduler.kit.database import LONGEST_WAIT_SECONDS, AnySelect, Database

# A process has one interpreter lock: more connections than this would only wait for it.
MOST_CONNECTIONS = 4
FAULTS = (sqlite3.Error, psycopg.Error, DBAPIError)


class Lookup:
    """Statements with one parameter each, on the database's own driver."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._engine: Engine = database.engine
        self._idle: deque[Any] = deque()
        self._free = BoundedSemaphore(MOST_CONNECTIONS)
        self._positional = self._engine.dialect.name == "sqlite"
        event.listen(self._engine, "engine_disposed", lambda _engine: self.close())

    def spell(self, statement: AnySelect) -> str:
        """Return the statement's SQL; its one parameter is a bindparam."""
        return str(statement.compile(self._engine))

    def row(self, sql: str, name: str, value: object) -> tuple[Any, ...] | None:
        """Return the first row, as the driver gives it, or None. Raises OperationalError when the database does
        not answer; a connection that was lost is replaced once without a word."""
        given: Any = (value,) if self._positional else {name: value}
        if not self._free.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise OperationalError("waiting for a connection to look up", {}, TimeoutError())
        try:
            try:
                return self._ask(self._idle.pop(), sql, given)
            except (IndexError, *FAULTS):
                # None idle, or one whose server has gone: a new one decides.
                self.close()
            try:
                return self._ask(self._new(), sql, given)
            except FAULTS as error:
                raise OperationalError("looking up", {}, error) from error
        finally:
            self._free.release()

    def _ask(self, raw: Any, sql: str, given: Any) -> tuple[Any, ...] | None:  # noqa: ANN401 - the driver's connection
        try:
            # All rows, so that no statement stays open: on SQLite it would keep an old state in sight.
            rows = raw.execute(sql, given).fetchall()
        except FAULTS:
            with suppress(*FAULTS):
                raw.close()
            raise
        self._idle.append(raw)
        return rows[0] if rows else None

    def _new(self) -> Any:  # noqa: ANN401 - the driver's connection
        borrowed = self._engine.raw_connection()
        raw: Any = borrowed.dbapi_connection
        borrowed.detach()
        if not self._positional:
            raw.autocommit = True
        return raw

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            with suppress(IndexError, *FAULTS):
                self._idle.pop().close()

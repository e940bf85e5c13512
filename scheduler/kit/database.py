"""The database: the two ways to use it, and the one place that commits.

Reads run in a plain transaction. Writes run in one unit: `BEGIN IMMEDIATE` on SQLite, READ COMMITTED on
PostgreSQL, all of it or nothing. A unit that loses a race for a lock, or its connection, is run again.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal, TypeAlias, TypeVar, cast

from sqlalchemy import Connection, Engine, Row, Select, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.elements import BindParameter, literal_column
from sqlalchemy.sql.visitors import replacement_traverse

from scheduler.kit.libpq import forget_after_rollback

Result = TypeVar("Result")
# A row of columns that the reader knows by name.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]
IsolationLevel: TypeAlias = Literal["READ COMMITTED", "AUTOCOMMIT"]

# SQLite waits this long for another process's write; PostgreSQL's connections are waited for as long.
LONGEST_WAIT_SECONDS = 3
ASK_AGAIN_SECONDS = 0.0005
CACHE_KIB = 256
# A process has one interpreter lock, so more threads than this would only wait for it, each with a connection and
# the statements prepared on it. The line in front of them always moves, and may be long.
SQLITE_CONNECTIONS = 3
LONGEST_LINE_SECONDS = 30
TRIES = 4
# PostgreSQL: serialization failure, deadlock, cannot connect now, admin shutdown; and a foreign key that points to
# a row which has gone since it was read (two records of one person made one): the next try finds it gone.
RETRIED_SQLSTATES = frozenset({"40001", "40P01", "57P03", "57P01", "23503"})


class LostRace(Exception):
    """What was read has changed before it could be acted on: the whole unit is undone and run again."""


Statement = TypeVar("Statement", bound=ClauseElement)


def spelled_out(statement: Statement) -> Statement:
    """Return the statement with the words of our enums written into its SQL instead of sent with each call.

    They never change, so nothing is gained by sending them; and SQLite uses a partial index such as "not
    cancelled" only where the statement says so in the same words.
    """

    def word(element: Any, **_: Any) -> Any:  # noqa: ANN401 - any part of a statement
        if not isinstance(element, BindParameter):
            return None
        if isinstance(element.value, Enum):
            return literal_column(f"'{element.value.value}'", element.type)
        if element.expanding and element.value and all(isinstance(one, Enum) for one in element.value):
            listed = ", ".join(f"'{one.value}'" for one in element.value)
            return literal_column(f"({listed})", element.type)
        return None

    return cast("Statement", replacement_traverse(statement, {}, word))


class Database:
    """The two ways to use the database: `reading()` and `write(work)`. With `one_writer` a unit of writing keeps
    all others from writing."""

    def __init__(self, url: str, connections: int = 8) -> None:
        in_file = url.startswith("sqlite")
        self.one_writer = in_file
        self.engine = _sqlite_engine(url) if in_file else _postgresql_engine(url, connections, "READ COMMITTED")
        self._writing = self.engine.execution_options(writes=True)
        # At READ COMMITTED each statement sees its own state anyway: two round trips less for each page.
        self._reading = self.engine if in_file else _postgresql_engine(url, connections, "AUTOCOMMIT")
        # Threads of one process queue here in order; SQLite's own waiting is unfair between writers.
        self._turn: threading.Lock | None = threading.Lock() if in_file else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection for reading: on SQLite its reads see one state, on PostgreSQL each statement sees
        what is committed."""
        with self._reading.connect() as connection:
            yield connection

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` as one transaction and return its result. `work` may run more than once: nothing
        but SQL and pure code belongs in it. Any exception undoes all of it."""
        for tries_left in reversed(range(TRIES)):
            try:
                return self._once(work)
            except (DBAPIError, LostRace) as error:
                if not tries_left or not _worth_another_try(error):
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _once(self, work: Callable[[Connection], Result]) -> Result:
        if self._turn is not None and not self._turn.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise OperationalError("waiting for a turn to write", {}, TimeoutError())
        try:
            with self._writing.begin() as connection:
                return work(connection)
        finally:
            if self._turn is not None:
                self._turn.release()

    def dispose(self) -> None:
        self.engine.dispose()
        self._reading.dispose()


def _worth_another_try(error: DBAPIError | LostRace) -> bool:
    if isinstance(error, LostRace) or error.connection_invalidated:
        return True
    return getattr(error.orig, "sqlstate", None) in RETRIED_SQLSTATES


def _driver(connection: Connection) -> Any:  # noqa: ANN401 - the driver's connection
    return connection.connection.dbapi_connection


def _begin_to_write(connection: Any) -> None:  # noqa: ANN401 - the driver's connection
    """Begin a write as soon as no other process writes. SQLite's own waiting sleeps longer and longer, up to
    0.1 s, so that whoever has waited longest waits longest again; here everybody asks twice a millisecond."""
    gives_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if time.monotonic() > gives_up_at:
                raise OperationalError("BEGIN IMMEDIATE", {}, error) from None
            time.sleep(ASK_AGAIN_SECONDS)
        else:
            return


def to_json(value: object) -> str:
    """Return a value of a JSON column as text, its days and instants in ISO 8601."""

    def plain(other: object) -> str:
        if isinstance(other, datetime | date):
            return other.isoformat()
        raise TypeError(f"{type(other).__name__} has no place in JSON")

    return json.dumps(value, ensure_ascii=False, default=plain, separators=(",", ":"))


def _postgresql_engine(url: str, connections: int, isolation_level: IsolationLevel) -> Engine:
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=LONGEST_WAIT_SECONDS,
        isolation_level=isolation_level,
        json_serializer=to_json,
        connect_args={
            "connect_timeout": LONGEST_WAIT_SECONDS,
            # Our statements look rows up by key: one plan for each serves every value, and planning anew costs
            # more than running it.
            "options": "-c timezone=UTC -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s "
            "-c plan_cache_mode=force_generic_plan -c jit=off",
            "prepare_threshold": 1,
        },
    )
    forget_after_rollback(engine)
    return engine


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        json_serializer=to_json,
        pool_size=SQLITE_CONNECTIONS,
        max_overflow=0,
        pool_timeout=LONGEST_LINE_SECONDS,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # The driver's own transactions begin too late (not before a SELECT), so they are turned off.
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # The system keeps the file in memory, once for all connections; each keeps a little of it besides.
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes", False):
            _begin_to_write(_driver(connection))
        else:
            _driver(connection).execute("BEGIN")

    return engine

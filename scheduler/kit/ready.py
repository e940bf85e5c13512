"""Statements that are made ready once, for the paths that everybody walks: signing in, the list, a booking.

SQLAlchemy writes the SQL and converts the values, once; the driver runs it. What SQLAlchemy does anew for each
execution (looking up the compiled form, building a context, a result and its rows) costs more than the statement
itself. On PostgreSQL, statements sent `together` share one round trip.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import JSON, Enum, TypeEngine

from scheduler.kit import libpq
from scheduler.kit.database import spelled_out, to_json
from scheduler.kit.libpq import Answer

Statement: TypeAlias = Select[*tuple[Any, ...]] | UpdateBase
Parameters: TypeAlias = Mapping[str, Any]
Convert: TypeAlias = Callable[[Any], Any]
Result = TypeVar("Result")


class Ready:
    """One statement, compiled once for each database. Values are named like its bind parameters; those of an
    insert like its `columns`."""

    def __init__(self, statement: Statement, *, columns: Sequence[str] = ()) -> None:
        self.statement = spelled_out(statement)
        self.columns = columns
        self._row = NamedTuple("Row", [(column.name, Any) for column in self.statement.exported_columns])  # type: ignore[misc]
        self._compiled: dict[str, _Compiled] = {}

    def _for(self, dialect: Dialect) -> "_Compiled":
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(self.statement, self.columns, dialect)
        return compiled

    def run(self, connection: Connection, parameters: Parameters) -> Answer:
        """Execute it, and return what came of it. Raises DBAPIError as SQLAlchemy does."""
        return together(connection, (self, parameters))[0]

    def raw(self, connection: Connection, parameters: Parameters) -> list[tuple[Any, ...]]:
        """Return all rows as the driver gives them; `typed` makes one of ours of each."""
        return self.run(connection, parameters).rows

    def typed(self, dialect: Dialect, row: tuple[Any, ...]) -> Any:  # noqa: ANN401 - columns by name
        """Return a driver's row with our types, its columns by name."""
        return self.all_typed(dialect, [row])[0]

    def all_typed(self, dialect: Dialect, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the driver's rows with our types, their columns by name."""
        make, converts = self._row._make, self._for(dialect).converts
        if not converts:
            return [make(row) for row in rows]
        found = []
        for row in rows:
            values = list(row)
            for place, convert in converts:
                if values[place] is not None:
                    values[place] = convert(values[place])
            found.append(make(values))
        return found

    def all(self, connection: Connection, parameters: Parameters) -> list[Any]:
        """Return all rows, columns by name."""
        return self.all_typed(connection.dialect, self.raw(connection, parameters))

    def first(self, connection: Connection, parameters: Parameters) -> Any:  # noqa: ANN401 - columns by name
        """Return the first row, columns by name, or None."""
        rows = self.raw(connection, parameters)
        return self.typed(connection.dialect, rows[0]) if rows else None


class _Compiled:
    """The SQL for one database, and how values go in and out."""

    _numbers = count()

    def __init__(self, statement: Statement, columns: Sequence[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None)
        # What is written into the SQL (the separator of `aggregate_strings`) must be there by then.
        given = {name: None if bind.required else bind.value for name, bind in compiled.binds.items()}
        written = compiled.construct_expanded_state(given)
        self.sql = written.statement
        self.in_order = list(written.positiontup or written.parameters)
        # Without those that are written into the SQL.
        binds = {name: compiled.binds[name] for name in written.parameters}
        self.enters = {name: _way_in(bind.type, dialect) for name, bind in binds.items()}
        self.constants = {
            name: _entered(bind.value, self.enters[name]) for name, bind in binds.items() if not bind.required
        }
        for name in columns:
            self.constants.pop(name, None)
        ways_out = [_way_out(column.type, dialect) for column in statement.exported_columns]
        self.converts = [(place, convert) for place, convert in enumerate(ways_out) if convert is not None]
        numbers = {name: f"${number}" for number, name in enumerate(self.in_order, start=1)}
        numbered = re.sub(r"%\((\w+)\)s", lambda found: numbers[found[1]], self.sql).replace("%%", "%")
        self.prepared = libpq.Statement(f"ready{next(self._numbers)}".encode(), numbered.encode())

    def values(self, parameters: Parameters) -> list[Any]:
        """Return the values in the order of the SQL."""
        ready = dict(self.constants)
        for name, value in parameters.items():
            ready[name] = _entered(value, self.enters[name])
        return [ready[name] for name in self.in_order]


def _way_in(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    if isinstance(kind, JSON):  # psycopg's own way would be an object of its own, for its cursors
        return to_json
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _way_out(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    if isinstance(kind, Enum) and kind.enum_class is not None:  # our words: a look into a dictionary
        return {word.value: word for word in kind.enum_class}.__getitem__
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _entered(value: Any, enter: Convert | None) -> Any:  # noqa: ANN401 - any column's value
    return value if enter is None else enter(value)


Step: TypeAlias = tuple[Ready, Parameters]


def together(connection: Connection, *steps: Step) -> list[Answer]:
    """Execute statements in this order, and return what came of each; on PostgreSQL they are sent at once.

    None of them can depend on what another returned. Raises DBAPIError as SQLAlchemy does, for the first that
    failed.
    """
    if not connection.in_transaction():
        connection.begin()
    dialect = connection.dialect
    wanted = []
    for ready, parameters in steps:
        compiled = ready._for(dialect)  # noqa: SLF001
        values = compiled.values(parameters)
        for listener in connection.dispatch.before_cursor_execute:  # those who count statements
            listener(connection, None, compiled.sql, values, None, False)  # noqa: FBT003 - SQLAlchemy's own event
        wanted.append((compiled, values))
    try:
        if dialect.name == "postgresql":
            return libpq.ask(connection, [(compiled.prepared, values) for compiled, values in wanted])
        driver: Any = connection.connection.driver_connection
        return [_asked(driver, compiled.sql, values) for compiled, values in wanted]
    except dialect.loaded_dbapi.Error as error:
        raise _told(connection, wanted[0][0].sql, error) from error


def all_of(connection: Connection, *steps: Step) -> list[list[Any]]:
    """Execute statements as `together` does, and return all rows of each, columns by name."""
    dialect = connection.dialect
    return [
        ready.all_typed(dialect, answer.rows)
        for (ready, _), answer in zip(steps, together(connection, *steps), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Question(Generic[Result]):
    """A statement with its values, and what is made of its rows, columns by name: so that rooms can ask what they want
    to know together, by `answers`, and each still reads its own rows."""

    ready: Ready
    parameters: Parameters
    read: Callable[[list[Any]], Result]

    @property
    def steps(self) -> tuple[Step, ...]:
        return ((self.ready, self.parameters),)

    def made(self, dialect: Dialect, answered: Sequence[Answer]) -> Result:
        return self.read(self.ready.all_typed(dialect, answered[0].rows))

    def ask(self, connection: Connection) -> Result:
        return self.read(self.ready.all(connection, self.parameters))


@dataclass(frozen=True, slots=True)
class RawQuestion(Generic[Result]):
    """Statements with their values, and what is made of the rows of all of them as the driver gives them."""

    steps: tuple[Step, ...]
    made: Callable[[Dialect, Sequence[Answer]], Result]

    def ask(self, connection: Connection) -> Result:
        return self.made(connection.dialect, together(connection, *self.steps))


def answers(connection: Connection, *questions: Question[Any] | RawQuestion[Any]) -> list[Any]:
    """Ask questions as `together` does, and return what each makes of its rows."""
    found = iter(together(connection, *(step for one in questions for step in one.steps)))
    return [one.made(connection.dialect, [next(found) for _ in one.steps]) for one in questions]


def _asked(driver: Any, sql: str, values: Sequence[Any]) -> Answer:  # noqa: ANN401 - sqlite3's connection
    cursor = driver.execute(sql, values)
    return Answer(cursor.fetchall(), cursor.rowcount)


def _told(connection: Connection, sql: str, error: Any) -> Any:  # noqa: ANN401 - the driver's own error, SQLAlchemy's of it
    dialect = connection.dialect
    if dialect.is_disconnect(error, connection.connection.dbapi_connection, None):
        # SQLAlchemy finds out by itself, raises its error, and gives up all connections that are as old.
        connection.exec_driver_sql("SELECT 1")
    return DBAPIError.instance(sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect)

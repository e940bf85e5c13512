"""Statements that are made ready once, for the paths that everybody walks: signing in, the list, a booking.

SQLAlchemy writes the SQL and converts the values, once; the driver runs it. What SQLAlchemy does anew for each
execution (looking up the compiled form, building a context, a result and its rows) costs more than the statement
itself. On PostgreSQL, statements sent `together` share one round trip.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import TypeEngine

from scheduler.kit.database import spelled_out

Statement: TypeAlias = Select[*tuple[Any, ...]] | UpdateBase
Parameters: TypeAlias = Mapping[str, Any]
Convert: TypeAlias = Callable[[Any], Any]


class Result(NamedTuple):
    """`rows` as the driver gave them, and how many rows were touched."""

    rows: list[tuple[Any, ...]]
    touched: int


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

    def run(self, connection: Connection, parameters: Parameters) -> Result:
        """Execute it, and return what came of it. Raises DBAPIError as SQLAlchemy does."""
        return together(connection, (self, parameters))[0]

    def raw(self, connection: Connection, parameters: Parameters) -> list[tuple[Any, ...]]:
        """Return all rows as the driver gives them; `typed` makes one of ours of each."""
        return self.run(connection, parameters).rows

    def typed(self, dialect: Dialect, row: tuple[Any, ...]) -> Any:  # noqa: ANN401 - columns by name
        """Return a driver's row with our types, its columns by name."""
        return self._row._make(
            value if convert is None or value is None else convert(value)
            for value, convert in zip(row, self._for(dialect).converts, strict=True)
        )

    def all(self, connection: Connection, parameters: Parameters) -> list[Any]:
        """Return all rows, columns by name."""
        dialect = connection.dialect
        return [self.typed(dialect, row) for row in self.raw(connection, parameters)]

    def first(self, connection: Connection, parameters: Parameters) -> Any:  # noqa: ANN401 - columns by name
        """Return the first row, columns by name, or None."""
        rows = self.raw(connection, parameters)
        return self.typed(connection.dialect, rows[0]) if rows else None


class _Compiled:
    """The SQL for one database, and how values go in and out."""

    def __init__(self, statement: Statement, columns: Sequence[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None)
        written = compiled.construct_expanded_state(dict.fromkeys(compiled.binds))
        self.sql = written.statement
        self.in_order: Sequence[str] | None = written.positiontup if compiled.positional else None
        # Without those that are written into the SQL.
        binds = {name: compiled.binds[name] for name in written.parameters}
        self.enters = {name: _way_in(bind.type, dialect) for name, bind in binds.items()}
        self.constants = {
            name: _entered(bind.value, self.enters[name]) for name, bind in binds.items() if not bind.required
        }
        for name in columns:
            self.constants.pop(name, None)
        self.converts = [_way_out(column.type, dialect) for column in statement.exported_columns]

    def values(self, parameters: Parameters) -> Any:  # noqa: ANN401 - a tuple or a dict, as the driver wants it
        ready = dict(self.constants)
        for name, value in parameters.items():
            ready[name] = _entered(value, self.enters[name])
        return ready if self.in_order is None else [ready[name] for name in self.in_order]


def _way_in(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _way_out(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _entered(value: Any, enter: Convert | None) -> Any:  # noqa: ANN401 - any column's value
    return value if enter is None else enter(value)


Step: TypeAlias = tuple[Ready, Parameters]


def together(connection: Connection, *steps: Step) -> list[Result]:
    """Execute statements in this order, and return what came of each; on PostgreSQL they are sent at once.

    None of them can depend on what another returned. Raises DBAPIError as SQLAlchemy does, for the first that
    failed.
    """
    if not connection.in_transaction():
        connection.begin()
    dialect = connection.dialect
    driver = connection.connection.driver_connection
    assert driver is not None
    wanted = [(ready._for(dialect), parameters) for ready, parameters in steps]  # noqa: SLF001
    try:
        if dialect.name == "postgresql" and (len(wanted) > 1 or _begins(driver)):
            with driver.pipeline():
                cursors = [_execute(connection, driver, *step) for step in wanted]
            return [_result(cursor) for cursor in cursors]
        return [_result(_execute(connection, driver, *step)) for step in wanted]
    except dialect.loaded_dbapi.Error as error:
        raise _told(connection, wanted[0][0].sql, error) from error


def _begins(driver: Any) -> bool:  # noqa: ANN401 - psycopg's connection
    """Return whether the driver will send BEGIN first: it can go along."""
    return not driver.autocommit and driver.pgconn.transaction_status == 0


def _execute(connection: Connection, driver: Any, compiled: _Compiled, parameters: Parameters) -> Any:  # noqa: ANN401
    cursor = driver.cursor()
    values = compiled.values(parameters)
    for listener in connection.dispatch.before_cursor_execute:  # those who count statements
        listener(connection, cursor, compiled.sql, values, None, False)  # noqa: FBT003 - SQLAlchemy's own event
    cursor.execute(compiled.sql, values)
    return cursor


def _result(cursor: Any) -> Result:  # noqa: ANN401 - a driver's cursor
    rows = [] if cursor.description is None else cursor.fetchall()
    return Result(rows, cursor.rowcount)


def _told(connection: Connection, sql: str, error: Any) -> Any:  # noqa: ANN401 - the driver's own error, SQLAlchemy's of it
    dialect = connection.dialect
    if dialect.is_disconnect(error, connection.connection.dbapi_connection, None):
        # SQLAlchemy finds out by itself, raises its error, and gives up all connections that are as old.
        connection.exec_driver_sql("SELECT 1")
    return DBAPIError.instance(sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect)

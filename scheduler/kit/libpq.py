"""Statements that PostgreSQL prepares once for each connection, several of them sent in one round trip.

psycopg's cursors and its pipeline take more processor time than all the rest of a booking. Its `pgconn` is libpq
itself, and has the same in a few calls: https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

import select
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, event

# libpq's own numbers; psycopg is loaded only where it is the driver.
COMMAND_OK, TUPLES_OK, PIPELINE_SYNC, PIPELINE_ABORTED = 1, 2, 10, 11
NOT_IN_TRANSACTION = 0
BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED"
# What a connection's `info` remembers: the names of the statements that are prepared there.
PREPARED = "scheduler.prepared"


class Statement(NamedTuple):
    """SQL with $1, $2 … for its values, and the name that the server shall know it by."""

    name: bytes
    sql: bytes


class Answer(NamedTuple):
    """`rows` as psycopg gives them, and how many rows were touched."""

    rows: list[tuple[Any, ...]]
    touched: int


TEXTS: dict[type, Callable[[Any], bytes | None]] = {
    type(None): lambda _: None,
    bool: lambda value: b"t" if value else b"f",
    int: lambda value: b"%d" % value,
    str: str.encode,
    date: lambda value: value.isoformat().encode(),
    datetime: lambda value: value.isoformat().encode(),
}


def forget_after_rollback(engine: Engine) -> None:
    """When psycopg rolls back, it drops all prepared statements of the connection, ours too, unless it knew of none
    itself. Ask the server then which are left."""

    def forget(connection: Connection, *_: object) -> None:
        connection.info.pop(PREPARED, None)

    @event.listens_for(engine, "rollback")
    def rolled_back(connection: Connection) -> None:
        if connection.invalidated:
            return
        driver: Any = connection.connection.driver_connection
        if driver.pgconn.transaction_status != NOT_IN_TRANSACTION:
            forget(connection)

    event.listen(engine, "rollback_savepoint", forget)


def ask(connection: Connection, wanted: Sequence[tuple[Statement, Sequence[Any]]]) -> list[Answer]:
    """Execute statements in this order, in one round trip, and return what came of each. Outside of a transaction
    one is begun, unless the connection commits by itself. Raises psycopg's error for the first that failed."""
    driver: Any = connection.connection.driver_connection
    pgconn = driver.pgconn
    prepared: set[bytes] | None = connection.info.get(PREPARED)
    if prepared is None:
        prepared = connection.info[PREPARED] = _prepared_there(pgconn)
    sent: list[bytes | None] = []  # a statement's name where it is prepared, else None
    asked: list[int] = []
    pgconn.enter_pipeline_mode()
    if not driver.autocommit and pgconn.transaction_status == NOT_IN_TRANSACTION:
        pgconn.send_query_params(BEGIN, None)
        sent.append(None)
    for statement, values in wanted:
        if statement.name not in prepared and statement.name not in sent:
            pgconn.send_prepare(statement.name, statement.sql)
            sent.append(statement.name)
        pgconn.send_query_prepared(statement.name, [TEXTS[type(value)](value) for value in values])
        asked.append(len(sent))
        sent.append(None)
    pgconn.pipeline_sync()
    results = _results(pgconn)
    pgconn.exit_pipeline_mode()
    for name, result in zip(sent, results, strict=True):
        if result.status not in {COMMAND_OK, TUPLES_OK}:
            raise _error(result)
        if name is not None:
            prepared.add(name)
    transformer = _transformer()(driver)
    return [_answer(transformer, results[place]) for place in asked]


def _results(pgconn: Any) -> list[Any]:  # noqa: ANN401 - libpq's connection
    """Send what is left to send and return a result for each command. Other threads work meanwhile."""
    waiting = select.poll()
    waiting.register(pgconn.socket, select.POLLIN | select.POLLOUT)
    while pgconn.flush():
        # The server may have to be rid of answers before it reads on.
        if any(ready & select.POLLIN for _, ready in waiting.poll()):
            pgconn.consume_input()
    waiting.modify(pgconn.socket, select.POLLIN)
    results: list[Any] = []
    while True:
        while pgconn.is_busy():
            waiting.poll()
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:  # ends the results of one command
            continue
        if result.status == PIPELINE_SYNC:
            return results
        results.append(result)


def _answer(transformer: Any, result: Any) -> Answer:  # noqa: ANN401 - psycopg's own
    if result.status == TUPLES_OK:
        transformer.set_pgresult(result)
        return Answer(transformer.load_rows(0, result.ntuples, tuple), result.ntuples)
    return Answer([], result.command_tuples or 0)


def _prepared_there(pgconn: Any) -> set[bytes]:  # noqa: ANN401 - libpq's connection
    listed = pgconn.exec_(b"SELECT name FROM pg_prepared_statements")
    if listed.status != TUPLES_OK:
        raise _error(listed)
    return {listed.get_value(row, 0) for row in range(listed.ntuples)}


def _error(result: Any) -> Exception:  # noqa: ANN401 - libpq's result
    from psycopg.errors import error_from_result

    return error_from_result(result)


@cache
def _transformer() -> Any:  # noqa: ANN401 - psycopg's class
    from psycopg.adapt import Transformer

    return Transformer

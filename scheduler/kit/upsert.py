"""Insert a row, or do something else where it is there already: one statement, spelled for each database."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.kit.mapping import Base

EitherInsert: TypeAlias = sqlite.Insert | postgresql.Insert


def insertion(connection: Connection, table: type[Base]) -> EitherInsert:
    """Return an insert that can be told what to do with a row that is there already."""
    return _insertion(connection.dialect.name, table)


def insertion_of_new(connection: Connection, table: type[Base]) -> EitherInsert:
    """Return an insert that leaves what is there already, and waits for whoever is about to write the same."""
    return _insertion_of_new(connection.dialect.name, table)


def upsert(
    connection: Connection, table: type[Base], key: Mapping[str, Any], values: Mapping[str, Any], **only_new: object
) -> None:
    """Write `values` to the row with this `key`; a row that is made gets `only_new` too."""
    given = {**key, **values, **only_new}
    index = [getattr(table, name) for name in key]
    connection.execute(
        insertion(connection, table).values(**given).on_conflict_do_update(index_elements=index, set_=dict(values))
    )


def _insertion(dialect_name: str, table: type[Base]) -> EitherInsert:
    return sqlite.insert(table) if dialect_name == "sqlite" else postgresql.insert(table)


@cache
def _insertion_of_new(dialect_name: str, table: type[Base]) -> EitherInsert:
    return _insertion(dialect_name, table).on_conflict_do_nothing()

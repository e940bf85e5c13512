"""Insert a row, or change the one that is there: one statement, spelled for each database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.kit.mapping import Base


def upsert(
    connection: Connection, table: type[Base], key: Mapping[str, Any], values: Mapping[str, Any], **only_new: object
) -> None:
    """Write `values` to the row with this `key`; a row that is made gets `only_new` too."""
    given = {**key, **values, **only_new}
    index = [getattr(table, name) for name in key]
    if connection.dialect.name == "sqlite":
        connection.execute(
            sqlite.insert(table).values(**given).on_conflict_do_update(index_elements=index, set_=dict(values))
        )
    else:
        connection.execute(
            postgresql.insert(table).values(**given).on_conflict_do_update(index_elements=index, set_=dict(values))
        )

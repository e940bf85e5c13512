"""Run by Alembic. The connection, and so the transaction, comes from `kit.migrating`."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from scheduler import tables
from scheduler.calendars import triggers
from scheduler.kit.mapping import UtcTime


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:  # noqa: ANN401 - any part of a table
    """Write our column type as the plain type that the database sees."""
    if kind == "type" and isinstance(item, UtcTime):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    render_item=render_item,
    connection=context.config.attributes["connection"],
    target_metadata=tables.METADATA,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
triggers.place(context.config.attributes["connection"])

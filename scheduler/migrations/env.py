"""Run by Alembic. The connection, and so the transaction, comes from `kit.migrating`."""

from alembic import context

from scheduler import tables
from scheduler.kit.database import UtcTime



def render_item(kind: str, item: object, _context: object) -> str | bool:
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

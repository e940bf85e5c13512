"""Alembic behind three words: `flask db upgrade`, `flask db downgrade`, `flask db revision`.

Alembic is imported only here and only when used: the web workers do not carry it.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, ProgrammingError

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parents[1] / "migrations"


def config(connection: Connection) -> "Config":
    """Return Alembic's configuration for one connection."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the database to a revision, in the caller's transaction."""
    from alembic import command

    command.upgrade(config(connection), to)


def downgrade(connection: Connection, to: str) -> None:
    from alembic import command

    command.downgrade(config(connection), to)


@cache
def newest() -> str:
    """Return the newest revision's name, read from the file names: revisions are called 0001, 0002 …"""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def is_migrated(connection: Connection) -> bool:
    """Return whether the database stands at the newest revision."""
    try:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest()
    except (OperationalError, ProgrammingError):
        return False

"""A fresh database for each subject: an SQLite file on the disk, or one of a PostgreSQL server of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from tests.servers.postgres import Postgres

KINDS = ("sqlite", "postgresql")


class Source(Protocol):
    kind: str

    def fresh(self, name: str) -> str:
        """The URL, for SQLAlchemy, of a new and empty database."""
        ...


class Files:
    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = count(1)

    def fresh(self, name: str) -> str:
        return f"sqlite:///{self.folder / f'{name}-{next(self.numbers)}.sqlite3'}"


class PostgreSQL:
    kind = "postgresql"

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.numbers = count(1)

    def fresh(self, name: str) -> str:
        return self.server.create_database(f"{name}_{next(self.numbers)}")


def settle(engine: Engine) -> None:
    """Let the database know what it holds, as it would after a night of its own housekeeping."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE")


@contextmanager
def source(kind: str, folder: Path) -> Iterator[Source]:
    """Where databases of this kind come from while the benches run. Every commit reaches the disk."""
    if kind == "sqlite":
        yield Files(folder)
    else:
        with Postgres(durable=True) as server:
            yield PostgreSQL(server)

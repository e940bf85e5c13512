"""`flask worker` as an operator knows it: it works on, survives trouble, and stops when told to."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from scheduler import worker
from scheduler.kit.database import Database
from scheduler.messages.actions import Recipient, Text, queue
from scheduler.messages.rules import MessageKind
from scheduler.messages.tables import Message
from tests import make
from tests.conftest import SECRET
from tests.servers.twilio import FakeTwilio


@pytest.fixture
def operator():
    with FakeTwilio() as fake:
        yield fake


def test_the_worker_sends_a_code_at_once_and_stops_when_told_to(tmp_path, request, operator):
    from tests.conftest import new_database

    database, url = new_database("sqlite", request, tmp_path)
    town = database.write(make.town)
    environment = {
        **os.environ,
        "SCHEDULER_DATABASE_URL": url,
        "SCHEDULER_SECRET_KEY": SECRET,
        "SCHEDULER_PUBLIC_URL": make.SITE,
        "PYTHONUNBUFFERED": "1",
        **{name.upper().replace("TWILIO_SENDER", "TWILIO_MESSAGING_SERVICE_SID"): value
           for name, value in operator.settings().items()},
    }  # fmt: skip
    now = datetime.now(UTC)
    code = Text(
        kind=MessageKind.SIGN_IN_CODE, fact="code:1", about="code:1", words={"code": "123456", "host": "x.example"},
        due_at=now, deadline_at=now + timedelta(minutes=10),
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "scheduler", "worker"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    database.write(lambda connection: queue(connection, town.id, Recipient("+46701740605", "sv", None), code, now))
    gone = threading.Event()
    while not operator.messages() and process.poll() is None:
        gone.wait(0.1)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0, out
    assert "The worker has stopped." in out
    assert len(operator.messages()) == 1
    with database.reading() as connection:
        assert connection.execute(select(Message.state)).scalar_one() == "sent"
    database.dispose()


def test_a_pause_grows_with_each_fault_and_is_short_again_after():
    pause = worker.Pause(2)
    rests = [pause.after_fault() for _ in range(12)]
    assert rests[0] < 6
    assert all(rest <= worker.LONGEST_PAUSE_SECONDS * 1.25 for rest in rests)
    assert rests[-1] > 60
    assert pause.after_success() == 2


def test_a_database_that_is_away_is_told_and_ends_nothing(app, tmp_path, capsys):
    """The lanes and the pass go on until they are stopped, whatever the database does."""

    class Away(Database):
        def write(self, _work):
            stopped.set()
            raise OperationalError("x", {}, Exception())

    stopped = threading.Event()
    app.database = Away(f"sqlite:///{tmp_path / 'away.sqlite3'}")
    worker.run(app, stopped)
    assert "did not answer (OperationalError)" in capsys.readouterr().out
    app.database.dispose()


def test_without_twilio_the_worker_says_that_nothing_leaves(tmp_path, request):
    from scheduler import create_app
    from tests.conftest import new_database, settings

    database, url = new_database("sqlite", request, tmp_path)
    app = create_app(settings(url, demo=False), database=database)
    result = app.test_cli_runner().invoke(args=["worker", "--once"])
    assert result.output.startswith("No SMS leaves from here: TWILIO_ACCOUNT_SID")
    database.dispose()

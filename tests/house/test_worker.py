"""`flask worker` as an operator knows it: it works on, survives trouble, and stops when told to."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError

from scheduler import create_app, worker
from scheduler.bookings import actions
from scheduler.kit.database import Database
from scheduler.messages.actions import Recipient, Text, queue
from scheduler.messages.rules import MessageKind, MessageState
from scheduler.messages.tables import Message
from scheduler.messages.worker import ALL
from tests import make
from tests.conftest import SECRET, settings
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
        def reading(self):
            stopped.set()
            raise OperationalError("x", {}, Exception())

    stopped = threading.Event()
    app.database = Away(f"sqlite:///{tmp_path / 'away.sqlite3'}")
    worker.run(app, stopped)
    assert "did not answer (OperationalError)" in capsys.readouterr().out
    app.database.dispose()


def test_without_twilio_the_worker_says_that_nothing_leaves(tmp_path, request):
    from tests.conftest import new_database

    database, url = new_database("sqlite", request, tmp_path)
    app = create_app(settings(url, demo=False), database=database)
    result = app.test_cli_runner().invoke(args=["worker", "--once"])
    assert result.output.startswith("No SMS leaves from here: TWILIO_ACCOUNT_SID")
    database.dispose()


class Sending:
    """A town with one walk booked, its worker, and two texts: a notice, and the reminder that a pass will plan."""

    def __init__(self, database, operator):
        self.app = create_app(settings("sqlite:///x", demo=False, **operator.settings()), database=database)
        self.database, self.operator, self.app.clock = database, operator, make.SetClock()
        town = database.write(make.town)
        eva = database.write(lambda connection: make.person(connection, town))
        # A night that is past: the operator's own clock is later than ours.
        night = make.FRIDAY - timedelta(days=14)
        shift = database.write(lambda c: make.shift(c, town, night, starts=time(21), ends=time(1)))
        noon = datetime.combine(night - timedelta(days=2), time(12), tzinfo=UTC)
        booked_at = make.acting(town, eva, noon - timedelta(days=5))
        database.write(lambda connection: actions.book(connection, booked_at, shift, eva, "a"))
        self.app.clock.instant = noon
        text = Text(
            kind=MessageKind.NOTICE, fact="notice:a", about="notice:a", words={"text": "Ta med reflexväst."},
            due_at=noon, deadline_at=noon + timedelta(days=1),
        )  # fmt: skip
        database.write(lambda connection: queue(connection, town.id, Recipient("", "sv", eva), text, noon))
        self.sender = worker.sender(self.app, threads=1)

    def work(self, **later):
        self.app.clock.instant += timedelta(**later)
        worker.one_pass(self.app, self.sender)
        return self.sender.send_all_due(ALL, lambda: True)

    def put_back_a_copy(self):
        """What a copy of before the sending knows: the notice waits, the reminder has never been planned."""
        waiting = {"state": MessageState.QUEUED, "claim": None, "claimed_at": None, "sid": None, "sent_at": None}
        self.database.write(
            lambda connection: (
                connection.execute(delete(Message).where(Message.kind == MessageKind.REMINDER_TWO_DAYS)),
                connection.execute(update(Message).where(Message.kind == MessageKind.NOTICE).values(**waiting)),
            )
        )

    def states(self):
        with self.database.reading() as connection:
            return list(connection.execute(select(Message.state).order_by(Message.id)).scalars())


def test_a_copy_that_is_put_back_texts_nobody_a_second_time(each_database, operator):
    sending = Sending(each_database, operator)
    assert (sending.work(), sending.work(hours=5)) == (1, 1)
    sending.put_back_a_copy()
    sending.app.clock.instant += timedelta(minutes=5)
    assert sending.sender.send_all_due(ALL, lambda: True) == 0, "nothing before the pass"
    assert sending.work() == 0
    assert len(operator.messages()) == 2
    assert set(sending.states()) == {"sent"}
    sending.sender.close()


def test_after_a_rest_of_the_workers_what_has_not_left_is_sent_once(each_database, operator):
    sending = Sending(each_database, operator)
    worker.one_pass(sending.app, sending.sender)
    assert sending.work(hours=5) == 2
    assert len(operator.messages()) == 2
    sending.sender.close()


def test_the_rest_is_what_tells_a_copy_put_back(each_database, operator):
    """The control: to a worker that believes it has never rested, the same copy is news."""
    sending = Sending(each_database, operator)
    assert (sending.work(), sending.work(hours=5)) == (1, 1)
    sending.put_back_a_copy()
    assert sending.work(minutes=1) == 2
    assert len(operator.messages()) == 4
    sending.sender.close()

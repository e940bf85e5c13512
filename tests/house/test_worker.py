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
from twilio.rest import Client

from scheduler import create_app, worker
from scheduler.bookings import actions
from scheduler.kit.database import Database
from scheduler.messages.actions import Recipient, Text, queue
from scheduler.messages.rules import MessageKind, MessageState
from scheduler.messages.tables import LostText, Message, SendingRest
from scheduler.messages.worker import ALL
from scheduler.partnership.tables import Area
from scheduler.people.tables import Person
from tests import make
from tests.conftest import SECRET, settings
from tests.kit.test_backup import empty_beside, programs_of_postgres
from tests.servers.twilio import ACCOUNT, TOKEN, FakeTwilio


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
        self.town, self.eva = town, eva
        self.notice("a", "Ta med reflexväst.")
        self.sender = worker.sender(self.app, threads=1)

    def notice(self, name, words):
        self._queue(MessageKind.NOTICE, f"notice:{name}", {"text": words})

    def code(self):
        self._queue(MessageKind.SIGN_IN_CODE, "code:1", {"code": "123456", "host": "x.example"})

    def _queue(self, kind, fact, words):
        now = self.app.clock.now()
        text = Text(kind=kind, fact=fact, about=fact, words=words, due_at=now, deadline_at=now + timedelta(days=1))
        to = Recipient("+46701740605", "sv", self.eva)
        self.database.write(lambda connection: queue(connection, self.town.id, to, text, now))

    def rename_area(self, name):
        self.database.write(
            lambda connection: connection.execute(update(Area).where(Area.id == self.town.centre).values(name=name))
        )

    def run(self, url, *words):
        app = create_app(settings(url, demo=False, **self.operator.settings()))
        app.clock = self.app.clock
        result = app.test_cli_runner().invoke(args=list(words))
        assert result.exit_code == 0, result.output
        app.database.dispose()

    def phone(self):
        with self.database.reading() as connection:
            return connection.execute(select(Person.phone).where(Person.id == self.eva)).scalar_one()

    def close(self):
        self.sender.close()
        self.database.dispose()

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


def test_a_copy_that_is_put_back_knows_again_what_left_in_other_words(each_database, operator):
    """The area was renamed after the copy was made, and then they were reminded: the copy knows the old name."""
    sending = Sending(each_database, operator)
    sending.rename_area("Parken")
    assert (sending.work(), sending.work(hours=5)) == (1, 1)
    told = operator.messages()[1]["body"]
    assert "Parken" in told
    sending.put_back_a_copy()
    sending.rename_area("Centrum")
    assert sending.work(minutes=5) == 0
    assert len(operator.messages()) == 2
    with each_database.reading() as connection:
        assert told in connection.execute(select(Message.body)).scalars().all(), "shown in the words that left"
    sending.sender.close()


def test_what_is_about_something_else_leaves_all_the_same(each_database, operator):
    sending = Sending(each_database, operator)
    assert (sending.work(), sending.work(hours=5)) == (1, 1)
    sending.put_back_a_copy()
    sending.notice("b", "Ta med ficklampa.")
    assert sending.work(minutes=5) == 1
    assert [one["body"] for one in operator.messages()][2:] == ["Ta med ficklampa."]
    sending.sender.close()


def test_what_others_send_on_the_same_account_is_none_of_ours(each_database, operator):
    sending = Sending(each_database, operator)
    worker.one_pass(sending.app, sending.sender)
    another = Client(ACCOUNT, TOKEN)
    another.api.base_url = operator.base
    another.messages.create(to=sending.phone(), from_="+46701740600", body="Ta med reflexväst.")
    assert sending.work(minutes=5) == 1
    assert [one["from"] for one in operator.messages()] == ["+46701740600", None]
    sending.sender.close()


def test_until_the_operator_has_told_what_left_only_a_code_does(each_database, operator):
    sending = Sending(each_database, operator)
    assert (sending.work(), sending.work(hours=5)) == (1, 1)
    sending.put_back_a_copy()
    operator.tell(list=[503, 20500])
    assert sending.work(minutes=5) == 0
    sending.app.clock.instant += timedelta(seconds=1)
    sending.code()
    assert sending.work(seconds=10) == 1
    assert "#123456" in operator.messages()[2]["body"]
    operator.tell(list=[], most_a_page=1)
    assert sending.work(minutes=1) == 0
    assert len(operator.messages()) == 3
    assert set(sending.states()) == {"sent"}
    sending.sender.close()


def test_one_that_left_stands_for_one_and_for_a_week(each_database, operator):
    sending = Sending(each_database, operator)
    assert (sending.work(), sending.work(hours=5)) == (1, 1)
    sending.put_back_a_copy()
    each_database.write(
        lambda connection: connection.execute(delete(Message).where(Message.kind == MessageKind.NOTICE))
    )
    sending.work(minutes=5)
    sending.notice("again", "Ta med reflexväst.")
    sending.notice("more", "Ta med reflexväst.")
    assert sending.work(seconds=10) == 1
    with each_database.reading() as connection:
        assert connection.execute(select(LostText.sid)).all() == []
    sending.sender.close()


@pytest.mark.parametrize("marked", [True, False], ids=["restored", "control"])
def test_a_copy_of_a_minute_ago_texts_nobody_twice_once_it_is_restored(each_url, request, tmp_path, operator, marked):
    """The heartbeat in such a copy is fresh; `flask restore` itself says that it is one."""
    sending = Sending(Database(each_url), operator)
    worker.one_pass(sending.app, sending.sender)
    with programs_of_postgres():
        sending.run(each_url, "backup", str(tmp_path / "copy"))
        assert sending.work(seconds=20) == 1
        sending.close()
        elsewhere = empty_beside(each_url, request, tmp_path)
        sending.run(elsewhere, "restore", str(tmp_path / "copy"))
    restored = Database(elsewhere)
    if not marked:
        restored.write(lambda connection: connection.execute(delete(SendingRest)))
    back = create_app(settings("sqlite:///x", demo=False, **operator.settings()), database=restored)
    back.clock = sending.app.clock
    back.clock.instant += timedelta(seconds=20)
    texts = worker.sender(back, threads=1)
    if marked:
        assert texts.send_all_due(ALL, lambda: True) == 0, "nothing before the pass"
    worker.one_pass(back, texts)
    texts.send_all_due(ALL, lambda: True)
    texts.close()
    restored.dispose()
    assert len(operator.messages()) == (1 if marked else 2)


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

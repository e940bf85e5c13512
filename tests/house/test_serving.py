"""`python -m scheduler.serving` as an operator knows it: workers are replaced, renewed and stopped in good order."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests import make
from tests.conftest import SECRET, new_database

ROOT = Path(__file__).parents[2]
OPTIONS = ("--interface=wsgi", "--http=1", "--no-ws", "--workers=2", "--blocking-threads=2", "--log-level=error")
COMMAND = (sys.executable, "-m", "scheduler.serving", *OPTIONS)
WITHIN_SECONDS = 20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere granian keeps its workers itself")


def until(holds):
    """Ask again and again, and return the first answer that is true."""
    gives_up_at = time.monotonic() + WITHIN_SECONDS
    while not (answer := holds()):
        assert time.monotonic() < gives_up_at, "it did not happen in time"
        time.sleep(0.02)
    return answer


class Web:
    def __init__(self, url, *options):
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self.port = chosen.getsockname()[1]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TWILIO_")},
            "SCHEDULER_DATABASE_URL": url,
            "SCHEDULER_SECRET_KEY": SECRET,
            "SCHEDULER_PUBLIC_URL": make.SITE,
        }
        self.process = subprocess.Popen(
            [*COMMAND, *options, f"--port={self.port}", "scheduler.wsgi:app"], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def status(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def workers(self):
        """The processes that answer: both, or none while they are made."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        answering = {child.pid for child in children if child.num_threads() > 1}
        return answering if len(children) == len(answering) == 2 else None

    def ended(self):
        _, told = self.process.communicate(timeout=WITHIN_SECONDS)
        return self.process.returncode, told


@pytest.fixture
def serve(request, tmp_path):
    database, url = new_database("sqlite", request, tmp_path)
    started = []

    def start(*options):
        started.append(Web(url, *options))
        return started[-1]

    yield start
    database.dispose()
    for web in started:
        if web.process.poll() is None:
            os.killpg(web.process.pid, signal.SIGKILL)
            web.process.communicate()


def nobody_is_left(pids):
    return not any(psutil.pid_exists(pid) for pid in pids)


def test_a_worker_that_is_killed_is_replaced_and_all_end_when_told_to(serve):
    web = serve("--respawn-failed-workers")
    first = until(web.workers)
    os.kill(min(first), signal.SIGKILL)
    second = until(lambda: (found := web.workers()) != first and found)
    assert max(first) in second
    assert until(web.status) == 200
    web.process.send_signal(signal.SIGTERM)
    code, told = web.ended()
    assert (code, nobody_is_left(second)) == (0, True)
    assert "1 of 2 workers ended unexpectedly" in told


def test_without_the_wish_to_replace_them_all_end_with_the_first(serve):
    web = serve()
    first = until(web.workers)
    os.kill(min(first), signal.SIGKILL)
    code, _ = web.ended()
    assert (code, nobody_is_left(first)) == (1, True)


def test_a_worker_that_ends_as_soon_as_it_has_been_replaced_is_not_replaced_for_ever(serve):
    web = serve("--respawn-failed-workers")
    first = until(web.workers)
    os.kill(min(first), signal.SIGKILL)
    second = until(lambda: (found := web.workers()) != first and found)
    os.kill((second - first).pop(), signal.SIGKILL)
    assert web.ended()[0] == 1


def test_all_workers_are_renewed_on_sighup_while_somebody_answers(serve):
    web = serve("--respawn-interval=0.5")
    first = until(web.workers)
    until(web.status)
    web.process.send_signal(signal.SIGHUP)

    def renewed():
        assert web.status() == 200
        return (found := web.workers()) and not found & first

    until(renewed)


def test_a_worker_that_does_not_listen_is_killed(serve):
    web = serve("--workers-kill-timeout=1")
    first = until(web.workers)
    os.kill(min(first), signal.SIGSTOP)
    web.process.send_signal(signal.SIGTERM)
    code, _ = web.ended()
    assert (code, nobody_is_left(first)) == (0, True)


def test_it_can_be_stopped_while_it_starts(serve):
    web = serve()
    until(lambda: psutil.Process(web.process.pid).children())
    web.process.send_signal(signal.SIGTERM)
    assert web.ended()[0] == 0


def test_wrong_settings_and_options_are_told_and_end_it(serve):
    code, told = serve("--pid-file=web.pid").ended()
    assert code == 1
    assert "--pid-file" in told
    code, told = serve("--workers=many").ended()
    assert code == 2
    assert "many" in told

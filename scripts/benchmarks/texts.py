"""Sending texts: the worker beside bare `twilio` calls in a loop, and a night of crashes.

The operator is the tests' stand-in, a process of its own on loopback, for both. The crash test sends a thousand
texts with four workers, faults on 30 % of calls and a `kill -9` every second, and then the same night with a worker
that simply tries again what was not confirmed.
"""

import time
from collections.abc import Callable

from sqlalchemy import func, select, update
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from scheduler.kit import migrating
from scheduler.kit.database import Database
from scheduler.messages.rules import MessageState
from scheduler.messages.tables import Message
from scheduler.messages.worker import ALL
from tests.messages import sending
from tests.messages.crashing import crash, queue_texts
from tests.servers.twilio import ACCOUNT, SERVICE, TOKEN, FakeTwilio

from .figures import Figure, paired

BENCH = "texts"
EACH_ROUND = 200
# Twilio is some tens of milliseconds away.
ANSWER_MILLISECONDS = 20
CRASH_TEXTS = 1000
CRASH_SECONDS = 240.0
CONTROL_TEXTS = 300
CONTROL_SECONDS = 20.0


def measure(fresh: Callable[[str], str], kind: str, rounds: int) -> list[Figure]:
    """Return the worker's rate to that of bare calls, and what the crash tests counted."""
    url = _migrated(fresh("texts"))
    queue_texts(url, EACH_ROUND * (2 * rounds + 1))
    _hold_back(url)
    figures = []
    with FakeTwilio() as twilio:
        sender = sending.sender(url, twilio.base)
        _rate(lambda: sender.send_all_due(ALL, lambda: True), url)  # warm
        for milliseconds in (0, ANSWER_MILLISECONDS):
            twilio.tell(answer_milliseconds=milliseconds)
            ours, bare = [], []
            for _ in range(rounds):
                ours.append(_rate(lambda: sender.send_all_due(ALL, lambda: True), url))
                bare.append(_bare_rate(twilio.base))
            name = f"operator answers in {milliseconds} ms: worker's texts a second to bare calls in a loop"
            middle = {"ours": sorted(ours)[rounds // 2], "bare": sorted(bare)[rounds // 2], "unit": "texts/s"}
            figures.append(Figure(BENCH, kind, name, paired(ours, bare), "x", least=0.8, details=middle))
        sender.close()
        complaints = len(twilio.complaints())
    told = Figure(BENCH, kind, "requests not as Twilio describes", complaints, "", most=0)
    return [*figures, told, *_crashes(fresh, kind)]


def _crashes(fresh: Callable[[str], str], kind: str) -> list[Figure]:
    told = crash(
        _migrated(fresh("crash")), "guarded", CRASH_TEXTS, workers=4, share=0.3, seconds=CRASH_SECONDS, kill_every=1.0
    )
    naive = crash(
        _migrated(fresh("naive")), "naive", CONTROL_TEXTS, workers=4, share=0.3, seconds=CONTROL_SECONDS, kill_every=1.0
    )
    name = f"{CRASH_TEXTS} texts, {told.kills} kills, 30 % faults"
    under_way = sum(told.states[state] for state in ("queued", "sending", "unknown"))
    return [
        Figure(BENCH, kind, f"{name}: texted twice", told.twice, "people", most=0),
        Figure(BENCH, kind, f"{name}: lost", told.never, "texts", most=0),
        Figure(BENCH, kind, f"{name}: neither final nor visibly unsettled", under_way, "texts", most=0),
        Figure(BENCH, kind, f"{name}: left to a person", told.states["unsettled"], "texts"),
        Figure(BENCH, kind, f"control of {CONTROL_TEXTS}, tried again: texted twice", naive.twice, "people", least=1),
    ]


def _migrated(url: str) -> str:
    database = Database(url)
    database.write(migrating.upgrade)
    database.dispose()
    return url


def _hold_back(url: str) -> None:
    """Put all texts off, so that each round lets its own share out."""
    database = Database(url)
    later = update(Message).values(due_at=Message.deadline_at)
    database.write(lambda connection: connection.execute(later))
    database.dispose()


def _rate(send: Callable[[], int], url: str) -> float:
    database = Database(url)
    chosen = select(Message.id).where(Message.state == MessageState.QUEUED).order_by(Message.id).limit(EACH_ROUND)
    due = update(Message).where(Message.id.in_(chosen.scalar_subquery())).values(due_at=Message.queued_at)
    database.write(lambda connection: connection.execute(due))
    began = time.perf_counter()
    sent = send()
    seconds = time.perf_counter() - began
    with database.reading() as connection:
        left = select(func.count()).where(Message.state == MessageState.SENT)
        assert connection.execute(left).scalar_one() >= EACH_ROUND
    database.dispose()
    return sent / seconds


def _bare_rate(base: str) -> float:
    client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(timeout=10))
    client.api.base_url = base
    began = time.perf_counter()
    for number in range(EACH_ROUND):
        client.messages.create(
            to=f"+4670174{number:04d}", body=f"Bare {number}", messaging_service_sid=SERVICE,
            status_callback="http://127.0.0.1:8000/x", validity_period=7200,
        )  # fmt: skip
    return EACH_ROUND / (time.perf_counter() - began)

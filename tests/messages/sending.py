"""One sender in a process of its own, until it is killed.

`guarded` is the product's. `naive` is how one writes it first: take what has not been confirmed and send it; what
brought no answer is tried again.
"""

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select, update

from scheduler.kit.clock import SystemClock
from scheduler.kit.database import Database
from scheduler.messages.outbox import Leaving
from scheduler.messages.port import TwilioPort
from scheduler.messages.rules import MessageState
from scheduler.messages.tables import Message
from scheduler.messages.verdicts import Verdict
from scheduler.messages.worker import ALL, Patience, Sender
from tests.conftest import settings
from tests.servers import twilio

# Shorter than in earnest, in the same proportions: the operator is asked long after the longest call has ended.
CALL_SECONDS = 0.6
PATIENCE = Patience(
    call_seconds=CALL_SECONDS,
    claim_seconds=1.0,
    stale=timedelta(seconds=1.8),
    quarantine=timedelta(seconds=2.4),
    asked_again=timedelta(seconds=1.5),
    try_again=timedelta(seconds=0.3),
)


def sender(url: str, base: str, threads: int = 4, patience: Patience = PATIENCE) -> Sender:
    given = settings(
        url,
        demo=False,
        twilio_account_sid=twilio.ACCOUNT,
        twilio_auth_token=twilio.TOKEN,
        twilio_sender=twilio.SERVICE,
        twilio_api_base=base,
    )
    return Sender(Database(url, connections=8), SystemClock(), given, {}, patience=patience, threads=threads)


def guarded(url: str, base: str) -> None:
    texts = sender(url, base)
    while True:
        texts.send_all_due(ALL, _always)
        texts.look_up()
        time.sleep(0.05)


def _always() -> bool:
    return True


def naive(url: str, base: str) -> None:
    database, clock = Database(url), SystemClock()
    given = settings(url, **{"demo": False, **_twilio(base)})
    port = TwilioPort(given, CALL_SECONDS)
    while True:
        now = clock.now()
        with database.reading() as connection:
            rows = connection.execute(
                select(Message.id, Message.to_phone, Message.body, Message.deadline_at)
                .where(Message.state == MessageState.QUEUED, Message.due_at <= now)
                .order_by(Message.due_at)
                .limit(4)
            ).all()
        for row in rows:
            # A lease, so that two workers seldom take the same; it ends by itself when the worker dies.
            leased = update(Message).where(Message.id == row.id, Message.due_at <= now)
            later = leased.values(due_at=now + PATIENCE.quarantine)
            if not database.write(lambda connection, later=later: connection.execute(later).rowcount):
                continue
            leaving = Leaving(row.id, "", 1, row.to_phone, row.body, row.deadline_at)
            if port.send(leaving, "http://127.0.0.1/", now).verdict is Verdict.ACCEPTED:
                done = update(Message).where(Message.id == row.id).values(state=MessageState.SENT)
                database.write(lambda connection, done=done: connection.execute(done))
        time.sleep(0.02)


def _twilio(base: str) -> dict[str, str]:
    return {
        "twilio_account_sid": twilio.ACCOUNT,
        "twilio_auth_token": twilio.TOKEN,
        "twilio_sender": twilio.SERVICE,
        "twilio_api_base": base,
    }


def work(how: str, url: str, base: str) -> None:
    """Send until killed, or until whoever started us is gone."""
    threading.Thread(target=_end_with_the_test, args=(os.getppid(),), daemon=True).start()
    ways: dict[str, Callable[[str, str], None]] = {"guarded": guarded, "naive": naive}
    ways[how](url, base)


def _end_with_the_test(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)

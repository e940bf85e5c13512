"""Kill senders in the middle, again and again, while the operator's answers get lost; then count what people got."""

import multiprocessing
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess

from sqlalchemy import func, select

from scheduler.kit.database import Database
from scheduler.messages.actions import Recipient, Text, queue_many
from scheduler.messages.rules import MessageKind, MessageState
from scheduler.messages.spending import change_plan
from scheduler.messages.tables import Message
from tests import make
from tests.messages import sending
from tests.servers.twilio import FakeTwilio

UNDER_WAY = (MessageState.QUEUED, MessageState.SENDING, MessageState.UNKNOWN)


@dataclass(frozen=True)
class Told:
    """What a crash test saw. `twice` and `never` count texts at the operator's; `states` are the outbox's."""

    kills: int
    seconds: float
    taken: int
    twice: int
    never: int
    states: Counter[str]
    complaints: list[str]


def queue_texts(url: str, number: int) -> None:
    """Put so many texts in the outbox, due now, each to a person of its own and no two alike."""
    database = Database(url)
    now = datetime.now(UTC)
    town = database.write(make.town)
    letters = [
        (
            town.id,
            Recipient(f"+4670174{index:04d}", "sv", None),
            Text(
                kind=MessageKind.NOTICE,
                fact=f"notice:{index}",
                about=f"loose:{index}",
                words={"text": f"Text nummer {index}: kom till Y:et i kväll."},
                due_at=now - timedelta(minutes=1),
                deadline_at=now + timedelta(hours=2),
                # Soon, so that the hour at which the test runs does not matter.
                starts_at=now + timedelta(hours=3),
            ),
        )
        for index in range(number)
    ]
    database.write(lambda connection: queue_many(connection, letters, now))
    database.write(lambda connection: change_plan(connection, town.id, 50, 10_000_000))
    database.dispose()


def crash(url: str, how: str, number: int, *, workers: int, share: float, seconds: float, kill_every: float) -> Told:
    """Send `number` texts by `workers` processes, with faults on this share of calls and `kill -9` of one of them
    every `kill_every` seconds, until all is settled or `seconds` have passed."""
    queue_texts(url, number)
    database = Database(url)
    dice = random.Random(7)
    kills, begun = 0, time.monotonic()
    with FakeTwilio() as twilio:
        twilio.tell(share=share, seed=11, hang_seconds=1.0)
        senders = [_start(how, url, twilio.base) for _ in range(workers)]
        try:
            killed_at = time.monotonic()
            while time.monotonic() - begun < seconds:
                time.sleep(0.1)
                if not _under_way(database):
                    break
                if time.monotonic() - killed_at >= kill_every:
                    killed_at = time.monotonic()
                    victim = dice.randrange(workers)
                    _kill(senders[victim])
                    senders[victim] = _start(how, url, twilio.base)
                    kills += 1
        finally:
            for one in senders:
                _kill(one)
        got = Counter(one["body"] for one in twilio.messages())
        complaints = twilio.complaints()
    with database.reading() as connection:
        rows = connection.execute(select(Message.state, func.count()).group_by(Message.state)).all()
        settled = (MessageState.UNSETTLED, MessageState.EXPIRED)
        visible = set(connection.execute(select(Message.body).where(Message.state.in_(settled))).scalars())
        bodies = set(connection.execute(select(Message.body)).scalars())
    database.dispose()
    return Told(
        kills=kills,
        seconds=time.monotonic() - begun,
        taken=sum(got.values()),
        twice=sum(times > 1 for times in got.values()),
        never=len(bodies - set(got) - visible),
        states=Counter({row[0].value: row[1] for row in rows}),
        complaints=complaints,
    )


# A server that has everything imported forks the workers: one that is killed is back in a moment.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.messages.sending", "twilio.rest"])


def _start(how: str, url: str, base: str) -> BaseProcess:
    process = FORKS.Process(target=sending.work, args=(how, url, base), daemon=True)
    process.start()
    return process


def _kill(process: BaseProcess) -> None:
    process.kill()
    process.join()


def _under_way(database: Database) -> int:
    with database.reading() as connection:
        return connection.execute(
            select(func.count()).select_from(Message).where(Message.state.in_(UNDER_WAY))
        ).scalar_one()

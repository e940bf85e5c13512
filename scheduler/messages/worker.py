"""The sender: takes texts from the outbox, calls the operator, writes down the outcome, looks up what is unknown.

Each lane has threads of its own, so that a sign-in code never waits behind a mass sending. Any number of workers
may run at once; one that dies in the middle leaves texts that another looks up.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import TypeAlias

from scheduler.kit.clock import Clock
from scheduler.kit.database import Database
from scheduler.kit.heartbeat import resting_since
from scheduler.kit.settings import Settings
from scheduler.messages import cleaning, halt, receipts, resting
from scheduler.messages.lease import Lease
from scheduler.messages.outbox import Leaving, claim
from scheduler.messages.port import FICTION, DemoPort, Port, TwilioPort
from scheduler.messages.recording import record_all
from scheduler.messages.rereading import Rereading
from scheduler.messages.rules import Lane
from scheduler.messages.verdicts import Outcome, Verdict

log = logging.getLogger("scheduler.messages")

FAST = (Lane.AT_ONCE,)
ORDINARY = (Lane.SOON, Lane.PLANNED, Lane.MANY)
ALL = (*FAST, *ORDINARY)
BATCH_FOR_EACH_THREAD = 8
REDACTED_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a claim lasts and an answer may wait to be written down, when a silent worker counts as dead, and
    when the operator is asked about an unknown text: two minutes after the latest instant at which it can have left,
    since the operator's list may lag."""

    call_seconds: float = 10.0
    unwritten_seconds: float = 0.05
    claim_seconds: float = 30.0
    stale: timedelta = timedelta(seconds=60)
    quarantine: timedelta = timedelta(seconds=150)
    asked_again: timedelta = timedelta(seconds=60)
    try_again: timedelta = timedelta(seconds=20)


# What a caller's thread hands back; None when it is done.
Answers: TypeAlias = "SimpleQueue[tuple[Leaving, Outcome] | None]"


def _gathered(answers: Answers, callers: int, most_seconds: float) -> Iterator[list[tuple[Leaving, Outcome]]]:
    """Yield what has come back, again and again, until all callers are done. Nothing waits longer than
    `most_seconds` for the company of others."""
    while callers:
        together: list[tuple[Leaving, Outcome]] = []
        until = time.monotonic() + most_seconds
        while callers:
            try:
                one = answers.get(timeout=max(until - time.monotonic(), 0) if together else None)
            except Empty:
                break
            if one is None:
                callers -= 1
            elif not together:
                together, until = [one], time.monotonic() + most_seconds
            else:
                together.append(one)
        if together:
            yield together


@dataclass(slots=True)
class Sent:
    """What one look at the outbox did."""

    claimed: int = 0
    accepted: int = 0
    put_off: bool = False


class Sender:
    """Sends what is due. `rereading` knows, by the first word of `about`, what a text speaks of."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        rereading: Mapping[str, Rereading],
        *,
        patience: Patience | None = None,
        threads: int = 4,
        port: Callable[[], Port] | None = None,
    ) -> None:
        self._database, self._clock, self._settings = database, clock, settings
        self._rereading, self._patience, self._threads = rereading, patience or Patience(), threads
        self._port = port or self._real_port
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sender") if threads > 1 else None
        self._only_phones_from = FICTION if settings.demo else ""

    def _real_port(self) -> Port:
        if self._settings.sms_on:
            return TwilioPort(self._settings, self._patience.call_seconds)
        return DemoPort()

    @property
    def can_send(self) -> bool:
        """Return whether there is anybody to hand texts to: the operator or, in the demo, its stand-in."""
        return self._settings.sms_on or self._settings.demo

    def port(self) -> Port:
        """Return this thread's door to the operator."""
        if not hasattr(self._local, "port"):
            self._local.port = self._port()
        port: Port = self._local.port
        return port

    def send_due(self, lanes: tuple[Lane, ...], most: int | None = None) -> Sent:
        """Send one batch of what is due in these lanes."""
        if not self.can_send:
            return Sent()
        now = self._clock.now()
        with self._database.reading() as connection:
            stopped = halt.halted(connection) is not None
            # After a rest of all workers the pass goes first: it doubts what may have left already.
            resting = resting_since(connection, now) is not None
        if resting:
            return Sent(put_off=True)
        if stopped and not self._database.write(lambda connection: halt.may_try(connection, now)):
            return Sent(put_off=True)
        batch = 1 if stopped else most or BATCH_FOR_EACH_THREAD * self._threads
        lease = Lease.begin(self._patience.claim_seconds, self._clock)
        leaving, claimed = self._database.write(
            lambda connection: claim(
                connection, now, lanes, batch, self._rereading, only_phones_from=self._only_phones_from
            )
        )
        outcomes = self._send_each(leaving, lease)
        told = Sent(
            claimed=claimed,
            accepted=sum(outcome.verdict is Verdict.ACCEPTED for outcome in outcomes),
            put_off=any(outcome.verdict is Verdict.LATER for outcome in outcomes),
        )
        if stopped and told.accepted:
            self._database.write(halt.resume)
        return told

    def _send_each(self, leaving: list[Leaving], lease: Lease) -> list[Outcome]:
        """Call for each, side by side, and write down together what has come back meanwhile."""
        if self._pool is None or len(leaving) < 2:  # noqa: PLR2004 - one needs no company
            outcomes = []
            for one in leaving:
                outcomes.append(self._call(one, lease))
                self._record([(one, outcomes[-1])])
            return outcomes
        waiting, answers = deque(leaving), SimpleQueue[tuple[Leaving, Outcome] | None]()
        callers = [self._pool.submit(self._call_for, waiting, answers, lease) for _ in range(self._threads)]
        outcomes = []
        for answered in _gathered(answers, len(callers), self._patience.unwritten_seconds):
            self._record(answered)
            outcomes += [outcome for _one, outcome in answered]
        for caller in callers:
            caller.result()  # raises what a thread died of
        return outcomes

    def _call_for(self, waiting: "deque[Leaving]", answers: Answers, lease: Lease) -> None:
        try:
            while True:
                one = waiting.popleft()
                answers.put((one, self._call(one, lease)))
        except IndexError:
            return  # nothing is waiting any more
        finally:
            answers.put(None)

    def _call(self, leaving: Leaving, lease: Lease) -> Outcome:
        # A process that was frozen since the claim must not call: others may have taken the text over.
        if not lease.holds():
            return Outcome(Verdict.NOT_CALLED)
        with lease.kept():
            return self.port().send(leaving, self._callback(leaving), self._clock.now())

    def _record(self, answered: list[tuple[Leaving, Outcome]]) -> None:
        # Spread, so that those who were refused together do not come back together.
        pause = self._patience.try_again * (0.75 + random.random() / 2)  # noqa: S311
        self._database.write(lambda connection: record_all(connection, answered, self._clock.now(), pause))
        for _one, outcome in answered:
            if outcome.verdict is Verdict.SET_UP:
                log.error("nothing is sent: the operator answered %s; see the settings", outcome.code)

    def _callback(self, leaving: Leaving) -> str:
        proof = receipts.nonce(self._settings.secret_key, leaving.id, leaving.attempt)
        return f"{self._settings.public_url}/sms/status/{leaving.id}/{proof}"

    def send_all_due(self, lanes: tuple[Lane, ...], go_on: Callable[[], bool]) -> int:
        """Send batch after batch until nothing is due or nothing leaves; return how many were accepted."""
        accepted = 0
        while go_on():
            told = self.send_due(lanes)
            accepted += told.accepted
            if not told.claimed or told.put_off:
                break
        return accepted

    def look_up(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Ask the operator about what is unknown or silent; return how many were asked about."""
        if not self.can_send:
            return 0
        now = self._clock.now()
        patience = self._patience
        self._database.write(lambda connection: receipts.note_stale(connection, now - patience.stale))
        asked = 0
        while go_on():
            rows = self._database.write(
                lambda connection: receipts.take_unknown(
                    connection, now - patience.quarantine, now - patience.asked_again, now
                )
            )
            for row in rows:
                if not go_on():
                    return asked
                found = self.port().find(row.to_phone, row.body, row.claimed_at)
                self._database.write(
                    lambda connection, row=row, found=found: receipts.settle_unknown(  # type: ignore[misc]
                        connection, row, found, self._clock.now()
                    )
                )
                asked += 1
            if len(rows) < receipts.AT_ONCE_MOST:
                break
        return asked + self._ask_after_silent(now)

    def _ask_after_silent(self, now: datetime) -> int:
        rows = self._database.write(lambda connection: receipts.take_silent(connection, now))
        for row in rows:
            found = self.port().fetch(row.sid)
            if found is not None:
                receipt = receipts.Receipt(found.sid, found.status, found.code)
                self._database.write(
                    lambda connection, row=row, receipt=receipt: receipts.note_receipt(  # type: ignore[misc]
                        connection, row.id, receipt, self._clock.now()
                    )
                )
        return len(rows)

    def read_what_left(self) -> int:
        """After a rest, ask the operator what left meanwhile, and let texts go again; return how many were lost."""
        with self._database.reading() as connection:
            rest = resting.standing(connection)
        if rest is None or not self.can_send:
            return 0
        listed = self.port().listed_since(rest.since)
        if listed is None:
            return 0
        return self._database.write(lambda connection: resting.end(connection, rest, listed, self._clock.now()))

    def redact(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Empty old texts at the operator too; return how many. One that cannot be reached is left in peace."""
        done = 0
        for _ in range(REDACTED_AT_ONCE):
            if not self._settings.sms_on or not go_on():
                break
            sid = self._database.write(lambda connection: cleaning.take_redaction(connection, self._clock.now()))
            if sid is None:
                break
            emptied = self.port().redact(sid)
            if emptied is None:
                break
            if emptied:
                self._database.write(lambda connection, sid=sid: cleaning.note_redacted(connection, sid))  # type: ignore[misc]
                done += 1
        return done

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()

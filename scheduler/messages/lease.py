"""How long a claim lasts, asked for the last time just before the bytes of a request leave.

A process may be frozen anywhere (SIGSTOP, a suspended machine) and wake when another worker has taken its text over.
So the lease is held against every clock there is, and the connection itself asks before each piece that it writes: a
request whose last piece has not been written is none. What remains is the step between that question and the
kernel's taking the bytes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from scheduler.kit.clock import Clock

# Some clocks stand still while a machine sleeps, and others are set back: the one that has gone farthest counts.
_CLOCKS = tuple(
    number for name in ("CLOCK_MONOTONIC", "CLOCK_BOOTTIME") if (number := getattr(time, name, None)) is not None
)


class LeaseOver(Exception):
    """The claim ran out before the request was written whole."""


@dataclass(frozen=True, slots=True)
class Lease:
    """So many seconds from when it began, which is before the claim was written."""

    seconds: float
    clock: Clock
    began_at: datetime
    began: tuple[float, ...]

    @classmethod
    def begin(cls, seconds: float, clock: Clock) -> "Lease":
        return cls(seconds, clock, clock.now(), _readings())

    def holds(self) -> bool:
        """Return whether it lasts by every clock."""
        passed = [now - then for now, then in zip(_readings(), self.began, strict=True)]
        return max(*passed, (self.clock.now() - self.began_at).total_seconds()) <= self.seconds

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Let nothing be written in this thread once the lease is over: LeaseOver is raised instead."""
        token = _PRESENT.set(self)
        try:
            yield
        finally:
            _PRESENT.reset(token)


_PRESENT: ContextVar[Lease | None] = ContextVar("lease", default=None)


def _readings() -> tuple[float, ...]:
    return tuple(time.clock_gettime(number) for number in _CLOCKS)


def ask() -> None:
    """Raise LeaseOver where this thread's lease is over; where there is none nothing is asked."""
    lease = _PRESENT.get()
    if lease is not None and not lease.holds():
        raise LeaseOver

"""The only module that reads the time. `now` is read once per request or command and handed down."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FrozenClock:
    """A clock that stands still at `instant`; the demo and the tests use it."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant.astimezone(UTC)

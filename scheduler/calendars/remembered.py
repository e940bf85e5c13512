"""The last good answers of this process: a body is read from the database once for as long as it is asked for, and
when the database is away they are still there."""

from collections import OrderedDict
from datetime import datetime
from threading import Lock
from typing import NamedTuple

MOST_ANSWERS = 4096
MOST_BYTES = 4 * 1024 * 1024


class Good(NamedTuple):
    """What was right when it was told: a quoted entity tag and the moment of the last change."""

    etag: str
    changed_at: datetime


class Remembered:
    """Answers by the hash of their address, and bodies by their entity tag, which is their hash: many addresses of
    one shared calendar keep one body. What was used longest ago is forgotten first."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Good] = OrderedDict()
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def keep(self, address: str, good: Good) -> None:
        """Remember what an address was told; nobody else is ever told it."""
        with self._lock:
            self._answers[address] = good
            self._answers.move_to_end(address)
            if len(self._answers) > MOST_ANSWERS:
                self._answers.popitem(last=False)

    def get(self, address: str) -> Good | None:
        return self._answers.get(address)

    def forget(self, address: str) -> None:
        with self._lock:
            self._answers.pop(address, None)

    def keep_body(self, etag: str, body: bytes) -> None:
        with self._lock:
            self._bytes += len(body) - len(self._bodies.get(etag, b""))
            self._bodies[etag] = body
            while self._bytes > MOST_BYTES:
                _, oldest = self._bodies.popitem(last=False)
                self._bytes -= len(oldest)

    def body(self, etag: str) -> bytes | None:
        """Return the bytes that have this tag, if they were in use not long ago."""
        with self._lock:
            found = self._bodies.get(etag)
            if found is not None:
                self._bodies.move_to_end(etag)
            return found

"""The last good answers of this process, for the time when the database is away."""

from collections import OrderedDict
from datetime import datetime
from threading import Lock
from typing import NamedTuple

MOST_ANSWERS = 4096
MOST_BYTES = 4 * 1024 * 1024


class Good(NamedTuple):
    """An answer that was right when it was given; `body` is None where only its tag was told."""

    etag: str
    changed_at: datetime
    body: bytes | None


class Remembered:
    """Answers by the hash of their address, the ones used longest ago forgotten first. Whoever asks with that
    address gets only what the same address has got before."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Good] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def keep(self, address: str, good: Good) -> None:
        with self._lock:
            before = self._answers.pop(address, None)
            if before is not None:
                self._bytes -= len(before.body or b"")
                if good.body is None and before.etag == good.etag:
                    good = before
            self._answers[address] = good
            self._bytes += len(good.body or b"")
            while self._bytes > MOST_BYTES or len(self._answers) > MOST_ANSWERS:
                _, oldest = self._answers.popitem(last=False)
                self._bytes -= len(oldest.body or b"")

    def get(self, address: str) -> Good | None:
        with self._lock:
            return self._answers.get(address)

    def forget(self, address: str) -> None:
        with self._lock:
            gone = self._answers.pop(address, None)
            self._bytes -= len(gone.body or b"") if gone is not None else 0

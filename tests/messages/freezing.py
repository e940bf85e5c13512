"""Freeze a sender in the middle of its call, let another take over, and thaw it again."""

import os
import signal
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from scheduler.messages.worker import ALL, Patience
from tests.messages import sending
from tests.messages.crashing import FORKS

# The claim ends long before another worker asks the operator about the text.
PATIENCE = Patience(
    call_seconds=2.0,
    claim_seconds=0.5,
    stale=timedelta(seconds=0.6),
    quarantine=timedelta(seconds=0.8),
    asked_again=timedelta(seconds=0.2),
)
NEVER_ENDING = replace(PATIENCE, claim_seconds=1e9)
# Where in a call the process is frozen: by the audit event that Python raises just before, and the how manieth it is.
# Each call writes its head and then its body.
PLACES = {"before connecting": ("socket.connect", 1), "before the head": ("http.client.send", 1)}
AFTER_THE_LAST_QUESTION = ("http.client.send", 2)


def freeze_and_send(url: str, base: str, place: tuple[str, int], patience: Patience) -> None:
    """Send what is due in this process, which stops itself (SIGSTOP) at a place within the first call."""
    texts = sending.sender(url, base, threads=1, patience=patience)
    texts.port()  # the library's import takes as long as the claim lasts
    frozen = _arm(*place, port=int(base.rpartition(":")[2]))
    while not frozen.is_set():
        texts.send_due(ALL)


def _arm(event: str, which: int, port: int) -> threading.Event:
    seen, frozen = 0, threading.Event()

    def look(raised: str, words: tuple[Any, ...]) -> None:
        nonlocal seen
        if raised == event and (raised != "socket.connect" or words[1][1] == port):
            seen += 1
            if seen == which:
                frozen.set()
                os.kill(os.getpid(), signal.SIGSTOP)

    sys.addaudithook(look)
    return frozen


def start(url: str, base: str, place: tuple[str, int], patience: Patience) -> BaseProcess:
    process = FORKS.Process(target=freeze_and_send, args=(url, base, place, patience), daemon=True)
    process.start()
    return process


def is_frozen(process: BaseProcess) -> bool:
    """Return whether the system has stopped it: the state in /proc/PID/stat, proc(5)."""
    return Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def thaw(process: BaseProcess) -> None:
    os.kill(process.pid or 0, signal.SIGCONT)
    process.join(timeout=20)

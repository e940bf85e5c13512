"""granian with the options of scripts/run, for any WSGI application; and what its processes use."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from run import WEB

from .client import Address, fetch, request

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


class Server:
    """A granian of our own: started on entering, answering when entered, ended on leaving."""

    def __init__(self, target: Sequence[str], environment: dict[str, str], log: Path, *, workers: int = 2) -> None:
        self.address: Address = ("127.0.0.1", free_port())
        place = [f"--workers={workers}", "--host=127.0.0.1", f"--port={self.address[1]}"]
        # The product is started its own way, any other application by granian itself, with the same options.
        module = WEB[0] if target[0].startswith("scheduler.") else "granian"
        self.command = [sys.executable, "-m", module, *WEB[1:], *place, *target]
        self.environment = os.environ | environment
        self.log = log
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self, limit: float = 30.0) -> None:
        """Until any path is answered, whatever the answer."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if fetch(self.address, request("/hello"), limit=5).status:
                    return
            except OSError:
                time.sleep(0.05)
        tail = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"the server did not start:\n{tail}")

    def stop(self) -> None:
        """End the processes that this server started, gently first."""
        if self.process is None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)
        self.process = None

    def tree(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def processor_seconds(self) -> float:
        """User and system time of all the server's processes so far; the database is not among them."""
        return sum(sum(process.cpu_times()[:2]) for process in self.tree())

    def memory(self) -> float:
        """Proportional set size of the workers and their master, MiB."""
        return sum(process.memory_full_info().pss for process in self.tree()) / 2**20

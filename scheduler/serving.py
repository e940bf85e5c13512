"""`python -m scheduler.serving …`: granian, with its own options, in less memory.

Three kinds of process. The *keeper* is the one that was started. It loads next to nothing, passes on the wish to stop
(SIGTERM, SIGINT) or to begin anew with what is installed now (SIGHUP), and replaces a worker that has ended. The
*nursery* (`nursery.py`) loads the application, forks granian's *workers*, which share the memory of what none of them
changes, and is gone: it would keep another copy of all that they change. Linux gives its orphans to the keeper. On
other systems granian keeps the workers itself, as `granian … scheduler.wsgi:app` does everywhere.
"""

import ctypes
import os
import signal
import sys
import time

# Linux's own number, from its prctl.h.
ADOPT_ORPHANS = 36
# A worker that took another's place and ends as soon as this would do so for ever.
HOPELESS_SECONDS = 5.5
FOREVER = float("inf")
WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Keeper:
    """Keeps as many workers alive as the options ask for, until it is told to stop."""

    def __init__(self) -> None:
        # Each worker, and until when its end would be hopeless.
        self.workers: dict[int, float] = {}
        # Workers that shall go: when they are told next, and how.
        self.leaving: dict[int, tuple[float, signal.Signals]] = {}
        # Whose parent has ended just now, before it could say whose.
        self.unknown: set[int] = set()
        self.nursery = self.report = self.wanted = self.code = 0
        self.kill_after = self.overlap = 0.0
        self.replaces = self.replacing = self.renewing = self.stopping = False

    def run(self) -> int:
        """Return the exit code when all have ended."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        self.raise_workers(0)
        while self.nursery or self.workers or self.leaving:
            self.heed(self.next_signal())
            self.dismiss()
        return self.code

    def next_signal(self) -> int:
        """Return the next signal, or 0 when it is time to tell a worker to go."""
        due = min((at for at, _ in self.leaving.values()), default=FOREVER)
        if due == FOREVER:
            return signal.sigwait(WATCHED)
        told = signal.sigtimedwait(WATCHED, max(0.0, due - time.monotonic()))
        return told.si_signo if told else 0

    def heed(self, number: int) -> None:
        if number == signal.SIGCHLD:
            self.bury()
        elif number == signal.SIGHUP and not (self.stopping or self.nursery):
            self.renewing = True
            self.raise_workers(0)
        elif number in {signal.SIGTERM, signal.SIGINT} and not self.stopping:
            self.stop(0)

    def raise_workers(self, number: int) -> None:
        """Begin to raise so many workers in place of others; 0: as many as the options say."""
        self.replacing = number > 0
        self.report, told = os.pipe()
        self.nursery = os.fork()
        if not self.nursery:
            os.close(self.report)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
            from scheduler.nursery import raise_workers

            raise_workers(number, told)
        os.close(told)

    def bury(self) -> None:
        """Take note of all that have ended, and replace those who should not have."""
        ended, code = self.ended()
        if code is not None:
            self.nursery = 0
            self.welcome(code)
            ended |= self.unknown
            self.unknown.clear()
        lost = [self.workers.pop(pid) for pid in ended if pid in self.workers]
        left = {pid for pid in ended if self.leaving.pop(pid, None)}
        if self.nursery:
            self.unknown |= ended - left
        if self.stopping:
            return
        if lost:
            sys.stderr.write(f"{len(lost)} of {self.wanted} workers ended unexpectedly\n")
            if not self.replaces or max(lost) > time.monotonic():
                self.stop(1)
                return
        if not self.nursery and len(self.workers) < self.wanted:
            self.raise_workers(self.wanted - len(self.workers))

    def ended(self) -> tuple[set[int], int | None]:
        """Return all workers that have ended, and the nursery's exit code if it has too."""
        ended, code = set(), None
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == self.nursery:
                    code = os.waitstatus_to_exitcode(found[1])
                else:
                    ended.add(found[0])
        except ChildProcessError:
            pass  # nobody is left
        return ended, code

    def welcome(self, code: int) -> None:
        """Take over those that the nursery, which has ended with this code, has raised."""
        with os.fdopen(self.report, "rb") as report:
            told = [float(number) for number in report.read().split()]
        now = time.monotonic()
        if told:
            self.wanted, self.replaces, self.kill_after, self.overlap = int(told[0]), bool(told[1]), told[2], told[3]
            if self.renewing:
                self.leave(now + self.overlap)
            self.workers |= dict.fromkeys(map(int, told[4:]), now + HOPELESS_SECONDS if self.replacing else now)
            if self.stopping:
                self.leave(now)
        elif not (self.renewing or self.stopping):
            self.stop(code)
        self.renewing = False

    def stop(self, code: int) -> None:
        self.stopping, self.code = True, code
        if self.nursery:
            os.kill(self.nursery, signal.SIGTERM)
        self.leave(time.monotonic())

    def leave(self, at: float) -> None:
        """Have all workers go, from this time on."""
        self.leaving |= dict.fromkeys(self.workers, (at, signal.SIGTERM))
        self.workers.clear()

    def dismiss(self) -> None:
        """Tell those to go whose time has come; who does not listen is killed."""
        now = time.monotonic()
        for pid, (at, word) in self.leaving.items():
            if at <= now or (self.stopping and word == signal.SIGTERM):
                os.kill(pid, word)
                self.leaving[pid] = (now + self.kill_after, signal.SIGKILL)


if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
        sys.exit(Keeper().run())
    from scheduler.nursery import serve_alone

    serve_alone()

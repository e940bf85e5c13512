"""Interleaved rounds: the same work for two servers in turn, so that a busy neighbour slows both."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from .client import Load, drive
from .figures import Figure, paired, percentile
from .servers import Server
from .subject import Subject

CLIENTS = 8


@dataclass(slots=True)
class Track:
    """What one subject did: requests a second of each round, and how long each answer of all rounds took."""

    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    processor_seconds: float = 0.0

    def add(self, load: Load, processor_seconds: float) -> None:
        self.rates.append(load.rate)
        self.seconds += [answer.seconds for answer in load.answers]
        self.processor_seconds += processor_seconds

    @property
    def processor_us(self) -> float:
        """Microseconds of processor time for one request."""
        return self.processor_seconds / len(self.seconds) * 1e6

    def milliseconds(self, share: float) -> float:
        """How long at most this share (0 to 1) of the answers took."""
        return percentile(self.seconds, share) * 1000


Work = Callable[[Subject, int], Sequence[bytes]]
Check = Callable[[Subject, int, Load], None]


def alternate(subjects: Sequence[Subject], folder: Path, *, rounds: int, work: Work, check: Check) -> dict[str, Track]:
    """One track for each subject. `work` gives the requests of a round, `check` looks at the answers.

    Round 0 warms both servers up and is not counted. The order of the subjects changes from round to round.
    """
    tracks = {subject.name: Track() for subject in subjects}
    with ExitStack() as running:
        servers = {
            subject.name: running.enter_context(
                Server(subject.target, subject.environment(), folder / f"{subject.name}.log")
            )
            for subject in subjects
        }
        for number in range(rounds + 1):
            for subject in subjects if number % 2 else reversed(subjects):
                server = servers[subject.name]
                requests = work(subject, number)
                before = server.processor_seconds()
                load = drive(server.address, requests, clients=CLIENTS)
                used = server.processor_seconds() - before
                check(subject, number, load)
                if number:
                    tracks[subject.name].add(load, used)
    return tracks


def compared(
    bench: str, database: str, ours: Track, theirs: Track, *, least: float, most_tail: float | None = None
) -> list[Figure]:
    """Ratios to the other track, each with the absolute figures behind it, which are for scale only."""

    def beside(figure: Callable[[Track], float], unit: str) -> dict:
        return {"ours": round(figure(ours), 2), "bare": round(figure(theirs), 2), "unit": unit}

    def tail(track: Track) -> float:
        return track.milliseconds(0.99)

    return [
        Figure(
            bench,
            database,
            "rate to bare",
            paired(ours.rates, theirs.rates),
            "ratio",
            least=least,
            details=beside(lambda track: median(track.rates), "requests/s"),
        ),
        Figure(
            bench,
            database,
            "p99 to bare",
            tail(ours) / tail(theirs),
            "ratio",
            most=most_tail,
            details=beside(tail, "ms"),
        ),
        Figure(
            bench,
            database,
            "median time to bare",
            ours.milliseconds(0.5) / theirs.milliseconds(0.5),
            "ratio",
            details=beside(lambda track: track.milliseconds(0.5), "ms"),
        ),
        Figure(
            bench,
            database,
            "processor time to bare",
            ours.processor_us / theirs.processor_us,
            "ratio",
            details=beside(lambda track: track.processor_us, "us a request"),
        ),
    ]

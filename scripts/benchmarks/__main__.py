"""scripts/bench: the product beside a bare Flask application, as ratios inside one run.

Prints a table and writes JSON. Figures of two runs or two machines do not compare; their ratios do.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import (
    board,
    booking,
    feed,
    histories,
    home,
    listing,
    memory,
    papers,
    race,
    season,
    statements,
    texts,
    tonight,
)
from .databases import KINDS, Source, source
from .figures import Figure, table, write
from .product import Product
from .reference import Bare
from .servers import ROOT
from .subject import BOOKINGS, NIGHTS, Subject

WANTED = 8


@dataclass(frozen=True)
class Run:
    """What the benches on one kind of database share: where databases come from, and how much is measured."""

    databases: Source
    folder: Path
    rounds: int
    requests: int
    race_rounds: int
    memory_requests: int
    histories: int

    @property
    def kind(self) -> str:
        return self.databases.kind

    def filled(self, make: Callable[[str], Subject], *, nights: int = NIGHTS, wanted: int = WANTED) -> Subject:
        """A subject with a fresh database that holds so many nights, and 3,000 bookings on 200 of them."""
        subject = make(self.databases.fresh("bench"))
        subject.fill(nights=nights, wanted=wanted, bookings=BOOKINGS * nights // NIGHTS)
        return subject


def run_booking(run: Run) -> list[Figure]:
    wanted = booking.room(run.rounds, run.requests)
    subjects = (run.filled(Product, wanted=wanted), run.filled(Bare, wanted=wanted))
    return booking.measure(subjects, run.kind, run.folder, rounds=run.rounds, requests=run.requests)


def run_list(run: Run) -> list[Figure]:
    subjects = (run.filled(Product), run.filled(Bare))
    return listing.measure(subjects, run.kind, run.folder, rounds=run.rounds, requests=run.requests)


def run_statements(run: Run) -> list[Figure]:
    few, many = run.filled(Product, nights=3), run.filled(Product, nights=300)
    return statements.measure(few, many, run.kind)


def run_race(run: Run) -> list[Figure]:
    figures = []
    for workers in (2, 8):
        subject = run.filled(Product)
        figures += race.measure(subject, run.kind, run.folder, workers=workers, rounds=run.race_rounds)
    control = run.filled(lambda url: Bare(url, held=False))
    return figures + race.measure(
        control, run.kind, run.folder, workers=8, rounds=max(1, run.race_rounds // 4), control=True
    )


def run_home(run: Run) -> list[Figure]:
    return home.measure(run.filled(Product), run.kind, run.folder)


def run_memory(run: Run) -> list[Figure]:
    subjects = (run.filled(Product), run.filled(Bare))
    return memory.measure(subjects, run.kind, run.folder, requests=run.memory_requests)


def run_feed(run: Run) -> list[Figure]:
    product, bare = run.filled(Product), run.filled(Bare)
    amounts = {"rounds": run.rounds, "requests": run.requests, "polls": run.memory_requests}
    return feed.measure(product, bare, run.kind, run.folder, **amounts)


def run_board(run: Run) -> list[Figure]:
    product, bare = run.filled(Product, nights=100), run.filled(Bare)
    return board.measure(product, bare, run.kind, run.folder, rounds=run.rounds)


def run_season(run: Run) -> list[Figure]:
    """Figures of behaviour, not of speed: one database tells them all."""
    return season.measure(run.kind, run.folder) if run.kind == "sqlite" else []


def run_histories(run: Run) -> list[Figure]:
    return histories.measure(run.databases.fresh, run.kind, run.histories)


def run_tonight(run: Run) -> list[Figure]:
    subjects = run.filled(Product), run.filled(Bare)
    return tonight.measure(*subjects, run.kind, run.folder, rounds=run.rounds, requests=run.requests)


def run_papers(run: Run) -> list[Figure]:
    return papers.measure(run.databases.fresh("papers"), run.kind, run.rounds)


def run_check(run: Run) -> list[Figure]:
    """The bench beside itself: bare against bare, which gives 1 and the noise; and a race that bare wins."""
    wanted = booking.room(run.rounds, run.requests)
    twins = (
        run.filled(lambda url: Bare(url, name="twin"), wanted=wanted),
        run.filled(Bare, wanted=wanted),
    )
    bookings = booking.measure(twins, run.kind, run.folder, rounds=run.rounds, requests=run.requests)
    lists = listing.measure(twins, run.kind, run.folder, rounds=run.rounds, requests=run.requests)
    held = race.measure(run.filled(Bare), run.kind, run.folder, workers=8, rounds=run.race_rounds)
    sizes = memory.measure(twins, run.kind, run.folder, requests=run.memory_requests)
    return [*bookings, *lists, *held, *sizes]


def run_texts(run: Run) -> list[Figure]:
    return texts.measure(run.databases.fresh, run.kind, run.rounds)


BENCHES: dict[str, Callable[[Run], list[Figure]]] = {
    "booking": run_booking,
    "list": run_list,
    "statements": run_statements,
    "race": run_race,
    "home": run_home,
    "feed": run_feed,
    "texts": run_texts,
    "memory": run_memory,
    "tonight": run_tonight,
    "papers": run_papers,
    "board": run_board,
    "season": run_season,
    "histories": run_histories,
}
OTHERS = {"check": run_check}


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    benches = BENCHES | OTHERS
    folder = ROOT / "var"
    folder.mkdir(exist_ok=True)
    for kind in options.databases:
        with (
            tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as place,
            source(kind, Path(place)) as found,
        ):
            run = Run(
                found,
                Path(place),
                rounds=options.rounds,
                requests=options.requests,
                race_rounds=options.race_rounds,
                memory_requests=100_000 if options.full else options.memory_requests,
                histories=10_000 if options.full else options.histories,
            )
            for name in options.benches:
                began = time.monotonic()
                figures = benches[name](run)
                print(f"{name} on {kind}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
                yield from figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "benches",
        nargs="*",
        metavar="bench",
        help=f"{', '.join(BENCHES)} (default: all), or check: bare against bare",
    )
    parser.add_argument("--databases", default=",".join(KINDS), help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=15, help="counted rounds of a comparison (%(default)s)")
    parser.add_argument("--requests", type=int, default=500, help="requests in a round (%(default)s)")
    parser.add_argument("--race-rounds", type=int, default=20, help="seats raced for (%(default)s)")
    parser.add_argument("--memory-requests", type=int, default=20_000, help="(%(default)s)")
    parser.add_argument("--histories", type=int, default=500, help="lives of nights, for the sums (%(default)s)")
    parser.add_argument("--full", action="store_true", help="100,000 requests for memory's growth, 10,000 histories")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json", help="where the JSON goes")
    options = parser.parse_args()
    options.benches = options.benches or list(BENCHES)
    options.databases = options.databases.split(",")
    unknown = set(options.benches) - set(BENCHES | OTHERS) | set(options.databases) - set(KINDS)
    if unknown:
        parser.error(f"not known: {', '.join(sorted(unknown))}")
    # Ended from outside, the servers end with us and what was measured is shown.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    figures: list[Figure] = []
    try:
        figures.extend(measure(options))
    finally:
        if figures:
            print(table(figures))
            write(
                figures,
                options.json,
                {name: str(value) for name, value in vars(options).items() if name != "json"},
            )
    return 0 if all(figure.met is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())

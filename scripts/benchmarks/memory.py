"""Memory of two workers and their master: proportional set size, MiB, beside the bare application's.

First every page is visited until both workers have shown it. Then both applications answer a number of further
requests: what ours holds at the end is compared with what the bare one holds then, and with what ours held after the
first fifth, as it must not grow.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

from .client import drive
from .figures import Figure
from .servers import Server
from .subject import PEOPLE, Subject

MOST_TO_BARE = 1.3
MOST_GROWTH = 1.03
VISITS = 40
STEPS = 10


def measure(subjects: tuple[Subject, Subject], database: str, folder: Path, *, requests: int) -> list[Figure]:
    """Ours is the first of the two subjects."""
    with ExitStack() as running:
        servers = [
            running.enter_context(Server(subject.target, subject.environment(), folder / f"{subject.name}-memory.log"))
            for subject in subjects
        ]
        courses = [list(course(subject, server, requests)) for subject, server in zip(subjects, servers, strict=True)]
    ours, bare = courses
    return [
        Figure(
            "memory",
            database,
            f"two workers to bare, both after {requests:,} requests",
            ours[-1] / bare[-1],
            "ratio",
            most=MOST_TO_BARE,
            details={"ours": ours[-1], "bare": bare[-1], "unit": "MiB"},
        ),
        Figure(
            "memory",
            database,
            f"after {requests:,} requests to after a fifth of them",
            ours[-1] / ours[STEPS // 5],
            "ratio",
            most=MOST_GROWTH,
            details={"MiB": [round(value, 1) for value in ours], "requests": requests},
        ),
    ]


def course(subject: Subject, server: Server, requests: int) -> Iterator[float]:
    """Yield the MiB when every page has been visited, and after each of the steps that follow."""
    visit(subject, server, [*subject.pages, *subject.heavy_pages] * VISITS)
    yield server.memory()
    for _ in range(STEPS):
        visit(subject, server, list(islice(cycle(subject.pages), requests // STEPS)))
        yield server.memory()


def visit(subject: Subject, server: Server, pages: Sequence[str]) -> None:
    """These pages in turn, by people in turn; each must be answered well."""
    ready = [subject.page_request(path, turn % PEOPLE) for turn, path in enumerate(pages)]
    load = drive(server.address, ready, clients=8, limit=900, bodies=False)
    if set(load.statuses) != {200}:
        raise RuntimeError(f"{subject.name}: {dict(load.statuses)} answered")

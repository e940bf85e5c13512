"""Memory of two workers and their master: proportional set size, MiB, beside the bare application's.

First every page is visited until both workers have shown it; then a number of further requests must not make
the processes grow: what they hold at the end is compared with what they held after the first fifth.
"""

from collections.abc import Sequence
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
        for subject, server in zip(subjects, servers, strict=True):
            visit(subject, server, [*subject.pages, *subject.heavy_pages] * VISITS)
        visited = [server.memory() for server in servers]
        subject, server = subjects[0], servers[0]
        course = [visited[0]]
        for _ in range(STEPS):
            visit(subject, server, list(islice(cycle(subject.pages), requests // STEPS)))
            course.append(server.memory())
    growth = course[-1] / course[STEPS // 5]
    details = {"MiB": [round(value, 1) for value in course], "requests": requests}
    return [
        Figure(
            "memory",
            database,
            "two workers to bare",
            visited[0] / visited[1],
            "ratio",
            most=MOST_TO_BARE,
            details={"ours": visited[0], "bare": visited[1], "unit": "MiB"},
        ),
        Figure(
            "memory",
            database,
            f"after {requests:,} requests to after a fifth of them",
            growth,
            "ratio",
            most=MOST_GROWTH,
            details=details,
        ),
    ]


def visit(subject: Subject, server: Server, pages: Sequence[str]) -> None:
    """These pages in turn, by people in turn; each must be answered well."""
    ready = [subject.page_request(path, turn % PEOPLE) for turn, path in enumerate(pages)]
    load = drive(server.address, ready, clients=8, limit=900, bodies=False)
    if set(load.statuses) != {200}:
        raise RuntimeError(f"{subject.name}: {dict(load.statuses)} answered")

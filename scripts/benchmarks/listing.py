"""The list of nights for a signed-in volunteer beside one SELECT and 60 rows: eight clients, kept alive.

Measured: pages a second, milliseconds until the whole page has arrived (p99), processor time of the server's
processes for one page. Limit: the bare page of 60 shifts on the same server and database, in the same round.
"""

from collections.abc import Sequence
from pathlib import Path

from .client import Load
from .figures import Figure
from .rounds import alternate, compared
from .subject import PEOPLE, Subject

LEAST_RATE = 0.4
SHIFTS = 60


def measure(
    subjects: tuple[Subject, Subject], database: str, folder: Path, *, rounds: int, requests: int
) -> list[Figure]:
    """Ours is the first of the two subjects."""

    def work(subject: Subject, number: int) -> Sequence[bytes]:
        return [subject.list_request((number * requests + turn) % PEOPLE) for turn in range(requests)]

    def check(subject: Subject, number: int, load: Load) -> None:  # noqa: ARG001
        shown = subject.shown(load.answers[-1])
        if load.statuses != {200: requests} or shown != SHIFTS:
            raise RuntimeError(f"{subject.name}: {dict(load.statuses)} answered, {shown} shifts on the page")

    tracks = alternate(subjects, folder, rounds=rounds, work=work, check=check)
    ours, theirs = (tracks[subject.name] for subject in subjects)
    return compared("list", database, ours, theirs, least=LEAST_RATE)

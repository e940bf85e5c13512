"""Booking through the whole application beside bare booking: eight clients, connections kept alive.

Measured: bookings answered with 303 a second, milliseconds until the answer (p99), processor time of the
server's processes for one booking. Limit: the bare view that locks the shift, counts and inserts, on the same
server and database, in the same round. Every booking is a real one: another person or another night each
time, and the database must hold exactly as many as were answered.
"""

from collections.abc import Sequence
from pathlib import Path

from .client import Load
from .figures import Figure
from .rounds import alternate, compared
from .subject import BOOKINGS, Subject, some_places

LEAST_RATE = 0.5
MOST_TAIL = 2.0


def measure(
    subjects: tuple[Subject, Subject], database: str, folder: Path, *, rounds: int, requests: int
) -> list[Figure]:
    """Ours is the first of the two subjects; both must have been filled with room for all the bookings."""
    began = {subject.name: subject.booked() for subject in subjects}

    def work(subject: Subject, number: int) -> Sequence[bytes]:
        wanted = some_places(requests, start=BOOKINGS + number * requests)
        return [subject.booking_request(place) for place in wanted]

    def check(subject: Subject, number: int, load: Load) -> None:
        expected = began[subject.name] + (number + 1) * requests
        held = subject.booked()
        if load.statuses != {303: requests} or held != expected:
            raise RuntimeError(f"{subject.name}: {dict(load.statuses)} answered, {held} bookings instead of {expected}")

    tracks = alternate(subjects, folder, rounds=rounds, work=work, check=check)
    ours, theirs = (tracks[subject.name] for subject in subjects)
    return compared("booking", database, ours, theirs, least=LEAST_RATE, most_tail=MOST_TAIL)


def room(rounds: int, requests: int) -> int:
    """Places a shift that all the bookings of a run need: no shift gets two in one turn of 500."""
    return (BOOKINGS + (rounds + 1) * requests) // 500 + 2

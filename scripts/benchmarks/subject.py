"""What is measured: a subject is an application with its data, its requests and its answers.

Both subjects hold the same: nights of three areas, 500 people and 3,000 bookings, made by the same pattern.
The n-th booking is of the same person on the same shift in both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from .client import Address, Answer

NIGHTS = 200
AREAS = 3
PEOPLE = 500
BOOKINGS = 3_000
RACERS = 64


@dataclass(frozen=True)
class Place:
    """One person on one shift, both by their number: people 0 to 499, shifts 0 to 3 x nights - 1."""

    person: int
    shift: int


def places(nights: int = NIGHTS) -> Iterator[Place]:
    """All places that can be booked without two on one night: with each turn a person goes one night further.

    Neighbours in the sequence are different people on different shifts, so clients that take them at the same
    time seldom wait for the same row. After as many turns as nights everybody walks every night.
    """
    for turn in range(nights):
        for person in range(PEOPLE):
            area = (person // nights + turn) % AREAS
            yield Place(person, (person + turn) % nights * AREAS + area)


def some_places(number: int, *, start: int = 0, nights: int = NIGHTS) -> list[Place]:
    return list(islice(places(nights), start, start + number))


def racers(shift: int) -> list[int]:
    """64 people who walk nowhere on the night of this shift, if 3,000 places are booked in order."""
    night = shift // AREAS
    walking = {place.person for place in some_places(BOOKINGS) if place.shift // AREAS == night}
    free = [person for person in range(PEOPLE) if person not in walking]
    first = shift % (len(free) - RACERS)
    return free[first : first + RACERS]


class Subject(Protocol):
    """An application that can be filled, served and asked. Each is made with the URL of an empty database."""

    name: str
    target: Sequence[str]
    heavy_pages: Sequence[str]

    @property
    def pages(self) -> Sequence[str]:
        """The pages that a signed-in person looks at; `heavy_pages` are those that few ever ask for."""
        ...

    def fill(self, *, nights: int, wanted: int, bookings: int) -> None:
        """Make the tables, and fill them with three shifts a night, `wanted` places each, 500 people."""
        ...

    def environment(self) -> dict[str, str]:
        """The settings with which granian starts it."""
        ...

    def page_request(self, path: str, person: int) -> bytes:
        """A GET of a page by a signed-in person."""
        ...

    def list_request(self, person: int) -> bytes:
        """A GET of the page with 60 shifts."""
        ...

    def shown(self, answer: Answer) -> int:
        """How many shifts the answered list shows."""
        ...

    def booking_request(self, place: Place) -> bytes: ...

    def says_booked(self, answer: Answer, place: Place, address: Address) -> bool:
        """Whether the person was told that the place is theirs."""
        ...

    def booked(self) -> int:
        """How many active bookings the database holds."""
        ...

    def leave_one_place(self, shift: int) -> None:
        """Let this shift want one more than it has."""
        ...

    def walkers(self, shift: int) -> set[int]:
        """The people who hold a place on this shift."""
        ...

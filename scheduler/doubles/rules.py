from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum, auto
from typing import ClassVar

from scheduler.bookings.rules import BookingState, overlap
from scheduler.kit.refusals import Conflict, Invalid, NotAllowed


class BothWalked(Conflict):
    """Both have walked at the same time, so they are two people, or the attendance is wrong. `nights`: (date, area)."""

    room: ClassVar[str] = "doubles"

    def __init__(self, nights: list[tuple[date, str]]) -> None:
        super().__init__(nights)
        self.nights = nights


class OneRecord(Invalid):
    """The two are one already."""

    room: ClassVar[str] = "doubles"


class YourOwnRecord(NotAllowed):
    """Nobody takes the record away that she is signed in with."""

    room: ClassVar[str] = "doubles"


class Why(StrEnum):
    """Why a place ends: another on the same shift, or one at the same time."""

    SAME_SHIFT = auto()
    SAME_TIME = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """A place, or a number in a queue, that somebody holds or has held."""

    booking_id: int
    person_id: int
    shift_id: int
    date: date
    area: str
    starts_at: datetime
    ends_at: datetime
    state: BookingState
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Clash:
    """A place that one person cannot hold beside another: it ends, and `why`."""

    ends: Place
    why: Why


# Of two places on one shift the one that says more stays; of two that say the same, the older.
WEIGHTS = {
    BookingState.ATTENDED: 3,
    BookingState.BOOKED: 2,
    BookingState.NO_SHOW: 1,
    BookingState.WAITING: 0,
}


def clashes(kept: Iterable[Place], gone: Iterable[Place], now: datetime) -> list[Clash]:
    """Return the places that end when two records become one person, by time.

    On one shift one place stays; of two coming walks at the same time, the one that was booked first. Raises
    BothWalked where both have walked at the same time.
    """
    others = list(kept)
    found: dict[int, Clash] = {}
    walked = []
    for place in gone:
        for other in others:
            if not overlap(place.starts_at, place.ends_at, other.starts_at, other.ends_at):
                continue
            if place.state is other.state is BookingState.ATTENDED:
                walked.append((place.date, place.area))
                continue
            clash = _clash(place, other, now)
            if clash is not None:
                found.setdefault(clash.ends.booking_id, clash)
    if walked:
        raise BothWalked(sorted(set(walked)))
    return sorted(found.values(), key=lambda clash: (clash.ends.starts_at, clash.ends.booking_id))


def _clash(place: Place, other: Place, now: datetime) -> Clash | None:
    if place.shift_id == other.shift_id:
        lighter = min((place, other), key=lambda one: (WEIGHTS[one.state], -one.booking_id))
        return Clash(lighter, Why.SAME_SHIFT)
    both_booked = place.state is other.state is BookingState.BOOKED
    if not both_booked or min(place.starts_at, other.starts_at) <= now:
        return None  # one can wait for another walk; what has begun is told by who came
    return Clash(max((place, other), key=lambda one: (one.made_at, one.booking_id)), Why.SAME_TIME)

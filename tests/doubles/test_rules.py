"""Which places end when two records become one person."""

from datetime import date, timedelta

import pytest

from scheduler.bookings.rules import BookingState
from scheduler.doubles.rules import BothWalked, Place, Why, clashes
from tests import make

BOOKED, WAITING, ATTENDED, NO_SHOW = (
    BookingState.BOOKED,
    BookingState.WAITING,
    BookingState.ATTENDED,
    BookingState.NO_SHOW,
)


def place(number, state=BOOKED, *, shift=1, hours=24, made=0):
    starts_at = make.NOW + timedelta(hours=hours)
    ends_at = starts_at + timedelta(hours=4)
    return Place(
        number, number % 2, shift, date(2026, 11, 27), "Centrum", starts_at, ends_at, state,
        make.NOW - timedelta(days=9 - made),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "gone", "ends", "why"),
    [
        (place(1), place(2), 2, Why.SAME_SHIFT),
        (place(3), place(2), 3, Why.SAME_SHIFT),
        (place(1, WAITING), place(2, BOOKED), 1, Why.SAME_SHIFT),
        (place(1, WAITING), place(2, WAITING), 2, Why.SAME_SHIFT),
        (place(1, NO_SHOW, hours=-30), place(2, ATTENDED, hours=-30), 1, Why.SAME_SHIFT),
        (place(1, NO_SHOW, hours=-30), place(2, NO_SHOW, hours=-30), 2, Why.SAME_SHIFT),
        (place(1, hours=-1), place(2, hours=-1), 2, Why.SAME_SHIFT),
        (place(1, made=2), place(2, shift=2, made=1), 1, Why.SAME_TIME),
        (place(1, made=1), place(2, shift=2, made=2, hours=25), 2, Why.SAME_TIME),
        (place(1, made=1), place(2, shift=2, made=1), 2, Why.SAME_TIME),
    ],
)
def test_of_two_places_that_one_person_cannot_hold_one_ends(kept, gone, ends, why):
    (found,) = clashes([kept], [gone], make.NOW)
    assert (found.ends.booking_id, found.why) == (ends, why)


@pytest.mark.parametrize(
    "gone",
    [
        place(2, shift=2, hours=28),  # starts when the other ends
        place(2, WAITING, shift=2),  # a queue beside a walk
        place(2, shift=2, hours=48),
    ],
)
def test_what_one_person_can_hold_stays(gone):
    assert clashes([place(1)], [gone], make.NOW) == []


def test_what_has_begun_in_two_areas_is_told_by_who_came():
    assert clashes([place(1, hours=-1)], [place(2, shift=2, hours=-1)], make.NOW) == []


@pytest.mark.parametrize("shift", [1, 2])
def test_two_who_have_walked_at_the_same_time_are_two_people(shift):
    with pytest.raises(BothWalked) as refusal:
        clashes([place(1, ATTENDED, hours=-30)], [place(2, ATTENDED, shift=shift, hours=-29)], make.NOW)
    assert refusal.value.nights == [(date(2026, 11, 27), "Centrum")]

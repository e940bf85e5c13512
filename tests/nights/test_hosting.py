"""A fair share of the shifts: who gets how many, and whose turn it is."""

from collections import Counter
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.nights.hosting import ClubStanding, OpenShift, share_out
from tests.make import NOW


def shifts(count):
    return [
        OpenShift(number, date(2027, 1, 1) + timedelta(days=number), "Centrum", NOW + timedelta(days=number))
        for number in range(1, count + 1)
    ]


def club(number, able=10, wish=None, had=0):
    return ClubStanding(number, f"Club {number}", able, wish, had)


def got(turns):
    return Counter(turn.club_id for turn in turns)


def test_a_share_follows_how_many_can_walk():
    assert got(share_out(shifts(30), [club(1, able=10), club(2, able=20)])) == {1: 10, 2: 20}


def test_what_a_club_has_had_counts_against_it():
    assert got(share_out(shifts(10), [club(1, had=6), club(2)])) == {1: 2, 2: 8}


def test_no_club_gets_more_than_it_wants_and_what_nobody_wants_stays_open():
    turns = share_out(shifts(10), [club(1, wish=2), club(2, wish=3)])
    assert got(turns) == {1: 2, 2: 3}
    assert len(turns) == 5


def test_a_club_without_two_who_can_walk_gets_none():
    assert got(share_out(shifts(4), [club(1, able=1), club(2, able=2)])) == {2: 4}


def test_equals_take_turns_and_each_stands_by_for_the_other():
    turns = share_out(shifts(4), [club(1), club(2)])
    assert [turn.club_id for turn in turns] in ([1, 2, 1, 2], [1, 2, 2, 1])
    assert all(turn.reserve_id == 3 - turn.club_id for turn in turns)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 40),
    st.lists(st.tuples(st.integers(0, 30), st.none() | st.integers(0, 20), st.integers(0, 10)), max_size=6),
)
def test_no_share_is_ever_unfair(count, clubs):
    listed = [club(number, *one) for number, one in enumerate(clubs)]
    turns = share_out(shifts(count), listed)
    assert turns == share_out(list(reversed(shifts(count))), listed), "the same facts give the same proposal"
    assert [turn.shift.id for turn in turns] == list(range(1, len(turns) + 1))
    gets = got(turns)
    for one in listed:
        if one.wish is not None:
            assert gets[one.id] <= max(one.wish - one.had, 0)
        if one.able < 2:
            assert not gets[one.id]
    assert all(turn.club_id != turn.reserve_id for turn in turns)

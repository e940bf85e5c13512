from datetime import timedelta

import pytest
from sqlalchemy import func, select

from scheduler.bookings import actions as bookings
from scheduler.bookings.queries import drift
from scheduler.bookings.rules import BookingState, CalledOff, TooEarly
from scheduler.bookings.tables import Booking
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Shift
from scheduler.walks import actions, queries
from scheduler.walks.rules import (
    Answers,
    CheckItem,
    Happened,
    Mood,
    NoteClosed,
    NotOnShift,
    NotOut,
    NotYet,
    Silence,
    Stage,
    TooFew,
    YoungPeople,
)
from scheduler.walks.tables import WalkedFor, WalkNote
from tests import make

START = make.before_start(0)
CALM = Answers(Mood.CALM, YoungPeople.UP_TO_10, Happened.NOTHING, follow_up=False, text="Lugnt")


class Evening:
    """A shift with three booked people."""

    def __init__(self, database, wanted=4):
        self.database = database
        self.town = database.write(make.town)
        self.people = database.write(lambda connection: make.people(connection, self.town, 3))
        self.shift = database.write(lambda connection: make.shift(connection, self.town, wanted=wanted))
        for person in self.people:
            self.do(bookings.book, person, make.NOW, self.shift, person, f"k{person}", plain=True)

    def do(self, verb, person, now, *values, plain=False, **more):
        acting = make.acting(self.town, person, now)
        first = values if plain else (self.shift, *values)
        return self.database.write(lambda connection: verb(connection, acting, *first, **more))

    def seen(self, person, now):
        with self.database.reading() as connection:
            return queries.evening(connection, self.town.id, self.shift, person, now)

    def state(self):
        with self.database.reading() as connection:
            return connection.execute(select(Shift.state).where(Shift.id == self.shift)).scalar_one()

    def states(self):
        with self.database.reading() as connection:
            rows = connection.execute(select(Booking.person_id, Booking.state))
            return {row.person_id: row.state for row in rows}


@pytest.fixture
def evening(each_database):
    return Evening(each_database)


def test_the_evening_goes_from_here_to_out_to_done_and_each_step_can_be_undone(evening):
    eva, anna, _ = evening.people
    evening.do(actions.arrive, eva, START)
    evening.do(actions.arrive, eva, START)
    assert evening.seen(eva, START).stage(eva) is Stage.HERE
    assert evening.seen(anna, START).stage(anna) is Stage.COMING
    evening.do(actions.go_out, eva, START, {eva, anna})
    evening.do(actions.go_out, eva, START + timedelta(minutes=9), {eva, anna})
    seen = evening.seen(anna, START)
    assert (seen.stage(anna), seen.here, seen.out_at) == (Stage.OUT, {eva, anna}, START)
    evening.do(actions.come_in, eva, START)
    assert evening.seen(eva, START).stage(eva) is Stage.HERE
    evening.do(actions.go_out, eva, START, {eva, anna})
    evening.do(actions.finish, anna, START + timedelta(hours=4))
    assert evening.seen(eva, START).stage(eva) is Stage.DONE
    evening.do(actions.go_on, anna, START + timedelta(hours=4))
    assert evening.seen(eva, START).stage(eva) is Stage.OUT
    evening.do(actions.leave_place, eva, START)
    assert evening.seen(eva, START).here == {anna}


def test_nobody_goes_out_alone(evening):
    eva = evening.people[0]
    with pytest.raises(TooFew) as refused:
        evening.do(actions.go_out, eva, START, {eva, 999_999})
    assert (refused.value.here, refused.value.minimum) == (1, 2)
    assert evening.seen(eva, START).out_at is None
    with pytest.raises(NotOut):
        evening.do(actions.finish, eva, START)


def test_the_evening_opens_in_time_and_only_for_the_team(evening):
    eva = evening.people[0]
    with pytest.raises(NotYet):
        evening.do(actions.arrive, eva, START - timedelta(hours=7))
    stranger = evening.database.write(lambda connection: make.person(connection, evening.town, "Olle"))
    for verb in (actions.arrive, actions.go_on, actions.come_in, actions.say_all_is_well):
        with pytest.raises(NotOnShift):
            evening.do(verb, stranger, START)
    with pytest.raises(NotOnShift):
        evening.do(actions.write_note, stranger, START, CALM, evening.people)
    evening.database.write(lambda connection: make.call_off(connection, evening.shift))
    with pytest.raises(CalledOff):
        evening.do(actions.arrive, eva, START)
    with pytest.raises(CalledOff):
        evening.do(actions.write_note, eva, START, CALM, evening.people)


def test_the_checklist_is_kept(evening):
    eva = evening.people[0]
    evening.do(actions.tick, eva, START, {CheckItem.BRIEFING, CheckItem.VESTS_OUT})
    assert evening.seen(eva, START).checked == {CheckItem.BRIEFING, CheckItem.VESTS_OUT}
    evening.do(actions.tick, eva, START, set())
    assert evening.seen(eva, START).checked == frozenset()


def test_a_note_with_enough_people_makes_a_walked_shift_and_remembers_the_clubs(evening):
    eva, anna, adam = evening.people
    assert evening.do(actions.write_note, eva, START, CALM, {eva, anna}) == 2
    assert evening.state() is ShiftState.WALKED
    assert evening.states() == {
        eva: BookingState.ATTENDED,
        anna: BookingState.ATTENDED,
        adam: BookingState.NO_SHOW,
    }
    with evening.database.reading() as connection:
        rows = connection.execute(select(WalkedFor.person_id, WalkedFor.club_id)).all()
        assert {tuple(row) for row in rows} == {(eva, evening.town.club_id), (anna, evening.town.club_id)}
        assert drift(connection) == []
    # The people of the shift see each other's numbers until the note is in.
    assert all(walker.phone is None for walker in evening.seen(eva, START).walkers)


def test_fewer_than_the_minimum_is_no_walked_shift_and_a_correction_changes_that(evening):
    eva, anna, _ = evening.people
    evening.do(actions.write_note, eva, START, CALM, {eva})
    assert evening.state() is ShiftState.PUBLISHED
    assert all(walker.phone is None for walker in evening.seen(eva, START).walkers)
    late = START + timedelta(days=30)
    with pytest.raises(NoteClosed):
        evening.do(actions.write_note, eva, late, CALM, {eva, anna})
    evening.do(actions.write_note, None, late, CALM, {eva, anna}, leads=True)
    assert evening.state() is ShiftState.WALKED
    evening.do(actions.write_note, None, late, CALM, {anna}, leads=True)
    assert evening.state() is ShiftState.PUBLISHED
    with evening.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(WalkNote)).scalar_one() == 1
        assert connection.execute(select(WalkedFor.person_id)).scalars().all() == [anna]


def test_nobody_came_before_the_shift_began(evening):
    with pytest.raises(TooEarly):
        evening.do(actions.write_note, evening.people[0], START - timedelta(hours=1), CALM, evening.people)


def test_coordinators_see_silent_teams_first_and_notes_that_are_missing(evening):
    eva, anna, _ = evening.people
    evening.database.write(lambda connection: make.shift(connection, evening.town, area=evening.town.arena))

    def teams(now):
        with evening.database.reading() as connection:
            return [(t.evening.area, t.silence) for t in queries.teams_now(connection, evening.town.id, now)]

    evening.do(actions.go_out, eva, START, {eva, anna})
    assert teams(START) == [("Arenaområdet", Silence.NOBODY_HERE), ("Centrum", None)]
    assert teams(START + timedelta(hours=3))[1] == ("Centrum", Silence.NOT_HEARD)
    evening.do(actions.say_all_is_well, eva, START + timedelta(hours=2))
    assert teams(START + timedelta(hours=3))[1] == ("Centrum", None)
    after = START + timedelta(hours=5)
    with evening.database.reading() as connection:
        assert [one.shift_id for one in queries.notes_missing(connection, evening.town.id, after)] == [evening.shift]
    evening.do(actions.write_note, eva, after, CALM, {eva, anna})
    with evening.database.reading() as connection:
        assert queries.notes_missing(connection, evening.town.id, after) == []


def test_the_worker_forgets_texts_and_keeps_choices(evening):
    eva, anna, _ = evening.people
    evening.do(actions.write_note, eva, START, CALM, {eva, anna})
    # The quarter ends on 31 December; a month for the report, and ninety days.
    for now, count in ((START + timedelta(days=154), 0), (START + timedelta(days=156), 1), (START, 0)):
        assert evening.database.write(lambda connection, now=now: actions.forget_texts(connection, now, {})) == count
    with evening.database.reading() as connection:
        note = queries.note_of(connection, evening.shift)
    assert (note.text, note.forgotten, note.mood) == ("", True, Mood.CALM)

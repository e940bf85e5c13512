"""Races, with real processes and threads, on both databases; each with a control that shows the race."""

import json
import subprocess
import sys
import threading
from collections import Counter

import pytest
from sqlalchemy import func, select

from scheduler.bookings import actions, waiting_list
from scheduler.bookings.queries import drift
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import Database
from scheduler.kit.refusals import Refusal
from tests import make

PROCESSES = 4
PEOPLE = 64


def race(how: str, url: str, town: int, shift: int, people: list[int]) -> Counter[str]:
    """Let everybody go for one shift at the same moment, from several processes; return what they were told."""
    each = len(people) // PROCESSES
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bookings.racer", how, url, str(town), str(shift)]
            + [str(person) for person in people[number * each : (number + 1) * each]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told: Counter[str] = Counter()
    for racer in racers:
        out, _ = racer.communicate(timeout=60)
        told.update(json.loads(out).values())
    return told


def booked_rows(database: Database, shift: int) -> int:
    with database.reading() as connection:
        return connection.execute(
            select(func.count())
            .select_from(Booking)
            .where(Booking.shift_id == shift, Booking.state == BookingState.BOOKED)
        ).scalar_one()


@pytest.fixture
def scene(each_url):
    database = Database(each_url, connections=70)
    town = database.write(make.town)
    people = database.write(lambda connection: make.people(connection, town, PEOPLE))
    yield each_url, database, town, people
    database.dispose()


def test_the_last_places_go_to_exactly_as_many_and_everybody_is_told_the_truth(scene):
    url, database, town, people = scene
    for free in (1, 3):
        shift = database.write(
            lambda connection, free=free: make.shift(
                connection, town, make.FRIDAY if free == 1 else make.SATURDAY, minimum=1, wanted=free
            )
        )
        told = race("booking", url, town.id, shift, people)
        assert told == {"booked": free, "Full": PEOPLE - free} or told["Overlapping"], told
        assert booked_rows(database, shift) == told["booked"] == free
        with database.reading() as connection:
            assert drift(connection) == []


def test_the_control_without_the_hold_sells_a_place_more_than_once(scene):
    """If this ever stops overbooking, the race above proves nothing any more."""
    url, database, town, people = scene
    for number in range(5):
        shift = database.write(
            lambda connection, number=number: make.shift(
                connection, town, make.FRIDAY.replace(day=20 + number), minimum=1, wanted=1
            )
        )
        race("unguarded", url, town.id, shift, people)
        if booked_rows(database, shift) > 1:
            return
    pytest.fail("the unguarded booking never overbooked in five races")


def at_once(*verbs) -> list[str]:
    """Run the verbs in threads that start together; return what became of each."""
    start, told = threading.Barrier(len(verbs)), [""] * len(verbs)

    def run(number, verb):
        start.wait()
        try:
            verb()
            told[number] = "done"
        except Refusal as refusal:
            told[number] = type(refusal).__name__

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(verbs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def booker(database, town, shift, person, once):
    return lambda: database.write(
        lambda connection: actions.book(connection, make.acting(town, person), shift, person, once)
    )


def test_two_tabs_never_put_one_person_in_two_places(each_database):
    town = each_database.write(make.town)
    people = each_database.write(lambda connection: make.people(connection, town, 16))
    one = each_database.write(lambda connection: make.shift(connection, town, wanted=20))
    other = each_database.write(lambda connection: make.shift(connection, town, area=town.arena, wanted=20))
    told = at_once(
        *(
            booker(each_database, town, shift, person, f"{shift}-{person}")
            for person in people
            for shift in (one, other)
        )
    )
    assert Counter(told) == {"done": 16, "Overlapping": 16}
    with each_database.reading() as connection:
        each = connection.execute(select(func.count()).select_from(Booking).group_by(Booking.person_id)).scalars()
        assert set(each) == {1}


def test_the_same_form_sent_many_times_at_once_is_one_booking(each_database):
    town = each_database.write(make.town)
    eva = each_database.write(lambda connection: make.person(connection, town))
    shift = each_database.write(lambda connection: make.shift(connection, town))
    told = at_once(*(booker(each_database, town, shift, eva, "one key") for _ in range(12)))
    assert told == ["done"] * 12
    assert booked_rows(each_database, shift) == 1


def test_each_freed_place_is_given_to_exactly_one_in_line_in_order(each_database):
    town = each_database.write(make.town)
    shift = each_database.write(lambda connection: make.shift(connection, town, wanted=8))
    people = each_database.write(lambda connection: make.people(connection, town, 24))
    ids = {}
    for person in people[:8]:
        booker(each_database, town, shift, person, "first")()
    for person in people[8:]:
        acting = make.acting(town, person)
        each_database.write(
            lambda connection, acting=acting, person=person: waiting_list.join(
                connection, acting, shift, person, "queue", auto_take=person % 2 == 0
            )
        )
    with each_database.reading() as connection:
        ids = {row.person_id: row.id for row in connection.execute(select(Booking.person_id, Booking.id))}

    def leaver(person):
        acting = make.acting(town, person)
        return lambda: each_database.write(lambda connection: actions.cancel(connection, acting, ids[person]))

    assert at_once(*(leaver(person) for person in people[:8])) == ["done"] * 8
    with each_database.reading() as connection:
        rows = connection.execute(
            select(Booking.person_id, Booking.state, Booking.place_held).where(Booking.person_id.in_(people[8:]))
        ).all()
        lucky = {row.person_id for row in rows if row.state is BookingState.BOOKED or row.place_held}
        assert lucky == set(people[8:16])
        assert sum(make.places(connection, shift)) == 8
        assert drift(connection) == []


def test_a_walk_is_taken_over_by_one_of_many(each_database):
    town = each_database.write(make.town)
    shift = each_database.write(lambda connection: make.shift(connection, town))
    eva, *others = each_database.write(lambda connection: make.people(connection, town, 9))
    booking = each_database.write(
        lambda connection: actions.book(connection, make.acting(town, eva), shift, eva, "key")
    )
    each_database.write(lambda connection: actions.hand_over(connection, make.acting(town, eva), booking, None))

    def taker(person):
        acting = make.acting(town, person)
        return lambda: each_database.write(lambda c: actions.take_over(c, acting, booking, f"take-{person}"))

    told = Counter(at_once(*(taker(person) for person in others)))
    assert told == {"done": 1, "TakenByAnother": 7}
    assert booked_rows(each_database, shift) == 1

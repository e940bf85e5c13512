"""The limits hold when several searches, in several processes, want the same people at the same moment; with
controls that show what happens without the hold."""

import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from scheduler.gaps.tables import Ask, Asking
from scheduler.kit.database import Database
from scheduler.people.tables import Person
from tests import make

SEARCHES = 8
PEOPLE = 5
PROCESSES = 2


@pytest.fixture
def scene(each_url):
    database = Database(each_url, connections=10)
    town = database.write(make.town)
    database.write(lambda c: make.people(c, town, PEOPLE))
    shifts = [
        database.write(lambda c, n=n: make.shift(c, town, make.FRIDAY + timedelta(days=7 * n))) for n in range(SEARCHES)
    ]
    yield each_url, database, town, shifts
    database.dispose()


def race(how, url, town, shifts):
    """Let processes search for people to the shifts at the same moment; return what they were told."""
    each = len(shifts) // PROCESSES
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.gaps.racer", how, url, str(town.id)]
            + [str(shift) for shift in shifts[number * each : (number + 1) * each]],
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
    told = Counter()
    for racer in racers:
        out, _ = racer.communicate(timeout=60)
        told.update(Counter(json.loads(out)))
    return told


def asks_each(database):
    with database.reading() as c:
        return list(c.execute(select(func.count(Ask.id)).group_by(Ask.person_id)).scalars())


def test_many_searches_at_once_never_ask_anybody_about_two_walks(scene):
    url, database, town, shifts = scene
    assert race("guarded", url, town, shifts) == {"asked": SEARCHES}
    assert max(asks_each(database)) == 1


def test_the_week_s_limit_holds_too_when_earlier_questions_are_answered(scene):
    url, database, town, shifts = scene
    for round_number in range(2):
        race("guarded", url, town, shifts)
        database.write(lambda c: c.execute(update(Ask).values(state="no")))
        database.write(lambda c: c.execute(update(Asking).values(next_wave_at=make.NOW)))
        assert max(asks_each(database)) == round_number + 1
    race("guarded", url, town, shifts)
    assert max(asks_each(database)) == 2


def test_the_control_without_the_hold_asks_somebody_again_and_again(scene):
    """If this ever stops asking too often, the races above prove nothing any more."""
    url, database, town, shifts = scene
    race("unguarded", url, town, shifts)
    assert max(asks_each(database)) > 1


def test_two_workers_that_advance_one_search_ask_one_wave(scene):
    url, database, town, shifts = scene
    race("guarded", url, town, [shifts[0]] * PROCESSES)
    with database.reading() as c:
        assert c.execute(select(Asking.wave)).scalars().all() == [1]
        people = c.execute(select(func.count(Person.id))).scalar_one()
    assert sum(asks_each(database)) <= people
    assert max(asks_each(database)) == 1

"""Two coordinators bring the same list in at the same moment: everybody comes in once, nobody is told of a fault."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from scheduler.kit.audit import AuditEntry
from scheduler.kit.database import Database
from scheduler.messages.tables import Message
from scheduler.people.rules import NEVER
from scheduler.people.tables import Membership, Person
from scheduler.registers.actions import bring_in
from scheduler.registers.columns import register_of
from scheduler.registers.queries import preview, where_to
from scheduler.registers.reading import tables
from tests import make
from tests.registers.files import PLAIN, as_csv

PEOPLE = 60
ROUNDS = 3


@pytest.fixture
def scene(each_url):
    databases = [Database(each_url, connections=2) for _ in range(2)]
    town = databases[0].write(make.town)
    yield databases, town
    for database in databases:
        database.dispose()


def listed(round_, *, backwards):
    rows = [[f"Person{n}", f"Ek{n}", f"07017{round_}{n:04d}", "1990-01-01"] for n in range(PEOPLE)]
    return as_csv([list(PLAIN), *(reversed(rows) if backwards else rows)])


def both(databases, work):
    """Let two threads read first, and write at the same moment; return what each got."""
    met = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda number: work(databases[number], number, met), range(2)))


def test_everybody_comes_in_once(scene):
    databases, town = scene
    acting = make.acting(town, None)

    def work(database, number, met, round_):
        register = register_of(tables(listed(round_, backwards=number == 1)), date(2026, 11, 23))
        with database.reading() as connection:
            to = where_to(connection, town.id, None, town.club_id, date(2026, 11, 23))
            seen = preview(connection, town.id, register.rows, register.guessed, to, date(2026, 11, 23))
        assert len(seen.coming) == PEOPLE, "neither has seen the other"
        met.wait()
        return database.write(lambda unit: bring_in(unit, acting, seen, tell=True))

    for round_ in range(ROUNDS):
        done = both(databases, lambda database, number, met, round_=round_: work(database, number, met, round_))
        assert sorted((one.invited, one.told, one.left_out) for one in done) == [(0, 0, PEOPLE), (PEOPLE, PEOPLE, 0)]
    with databases[0].reading() as connection:
        for table in (Person, Membership, Message):
            assert connection.execute(select(func.count(table.id))).scalar_one() == PEOPLE * ROUNDS
        invited = select(func.count(AuditEntry.id)).where(AuditEntry.what == "membership.invited")
        assert connection.execute(invited).scalar_one() == PEOPLE * ROUNDS


def test_the_control_an_insert_that_does_not_look_fails_for_one_of_them(scene):
    databases, town = scene
    values = {
        "partnership_id": town.id, "first_name": "A", "last_name": "B", "phone": "+46701740605", "language": "sv",
        "born_on": date(1990, 1, 1), "values_agreed_at": NEVER, "created_at": make.NOW, "revision": 0,
    }  # fmt: skip

    def work(database, _number, met):
        met.wait()
        try:
            database.write(lambda unit: unit.execute(insert(Person).values(**values)))
        except IntegrityError:
            return "failed"
        return "written"

    assert sorted(both(databases, work)) == ["failed", "written"]

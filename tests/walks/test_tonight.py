from datetime import timedelta

import pytest

from scheduler.bookings import actions as bookings
from scheduler.kit.clock import SystemClock
from scheduler.walks import actions
from tests import make

START = make.before_start(0)


@pytest.fixture
def team(database, town):
    def write(connection):
        people = [make.person(connection, town, name) for name in ("Eva", "Örjan")]
        shift = make.shift(connection, town)
        for person in people:
            bookings.book(connection, make.acting(town, person), shift, person, "k")
        return people, shift

    return database.write(write)


def test_the_page_follows_the_evening_and_never_names_anybody(visitor, database, town, team, clock):
    people, shift = team
    acting = make.acting(town, people[0], START)
    visitor.get("/tonight")
    assert "Inte i kväll. Nästa gång: fredag 27 november" in visitor.words()
    clock.instant = START - timedelta(hours=2)
    visitor.get("/tonight")
    assert "De börjar 21:00" in visitor.words()
    database.write(lambda connection: actions.go_out(connection, acting, shift, people))
    clock.instant = START + timedelta(hours=3, minutes=30)
    visitor.get("/tonight")
    assert "ute nu till 01:00" in visitor.words()
    assert not {"Eva", "Örjan"} & set(visitor.words().split())
    database.write(lambda connection: actions.finish(connection, make.acting(town, people[0], clock.instant), shift))
    visitor.get("/tonight")
    assert "Inte i kväll" in visitor.words()


def test_a_team_that_is_too_small_is_not_promised(visitor, database, town, clock):
    database.write(lambda connection: make.shift(connection, town))
    clock.instant = START
    visitor.get("/tonight")
    assert "Inte i kväll" in visitor.words()


@pytest.mark.parametrize("path", ["/tonight", "/accounts", "/accounts.csv", "/accounts.json"])
def test_public_pages_may_be_kept_by_any_cache(visitor, database, town, path):
    eva = database.write(lambda connection: make.person(connection, town))
    answer = visitor.sign_in(eva).get(path)
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert len(answer.data) < 10_000
    assert "Eva" not in answer.get_data(as_text=True)


def test_the_language_stands_in_the_address_alone(visitor):
    visitor.get("/tonight", headers={"Accept-Language": "en"})
    assert "Vuxna ute i kväll" in visitor.words()
    visitor.get("/tonight?in=en", headers={"Accept-Language": "sv"})
    assert "Adults out tonight" in visitor.words()
    visitor.get("/tonight?in=xx")
    assert "Vuxna ute i kväll" in visitor.words()


def test_with_a_running_clock_the_answer_is_kept_for_a_moment(app, database, town, visitor):
    app.clock = SystemClock()
    first = visitor.get("/tonight").data
    today = app.clock.now().date()

    def covered(connection):
        shift = make.shift(connection, town, today + timedelta(days=9), minimum=1)
        person = make.person(connection, town)
        bookings.book(connection, make.acting(town, person, app.clock.now()), shift, person, "k")

    database.write(covered)
    assert visitor.get("/tonight").data == first
    visitor.get("/tonight?in=en")
    assert "Next time" in visitor.words(), "another address is read anew"

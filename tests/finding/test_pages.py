"""Finding a night: home, the list, the month, a night, a shift, and who is out tonight."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import update

from scheduler.bookings import actions
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import LeftOut
from scheduler.nights.tables import Night
from scheduler.people.rules import MembershipState
from tests import make
from tests.visitor import Visitor


@pytest.fixture
def eva(database, town):
    return database.write(lambda connection: make.person(connection, town, "Eva"))


def made(database, town, *nights, **more):
    return database.write(lambda connection: [make.shift(connection, town, night, **more) for night in nights])


def book(database, town, shift, number=1, names="Anna"):
    def work(connection):
        for index in range(number):
            person = make.person(connection, town, names)
            actions.book(connection, make.acting(town, person), shift, person, f"{shift}-{index}")

    database.write(work)


def test_home_shows_the_night_that_needs_people_most(visitor, database, town, eva):
    full, empty = made(database, town, make.FRIDAY, make.SATURDAY)
    book(database, town, full, 3)
    visitor.sign_in(eva).get("/")
    assert "lördag 28 november" in visitor.words()
    assert "fredag 27 november" not in visitor.words()
    assert visitor.forms_to(f"/shifts/{empty}/bookings")


def test_home_shows_the_next_walk_and_who_is_not_signed_in_sees_what_it_is_about(visitor, database, town, eva):
    (shift,) = made(database, town, make.FRIDAY)
    visitor.get("/")
    assert "fredag 27 november" not in visitor.words()
    visitor.sign_in(eva).send(f"/shifts/{shift}/bookings")
    visitor.get("/")
    assert "fredag 27 november" in visitor.words().lower()
    assert not visitor.forms_to(f"/shifts/{shift}/bookings")


def test_the_list_has_weeks_and_goes_on_to_later_nights(visitor, database, town, eva):
    made(database, town, make.FRIDAY, make.FRIDAY + timedelta(weeks=1), make.FRIDAY + timedelta(weeks=9))
    visitor.sign_in(eva).get("/nights")
    assert "v. 48" in visitor.words().lower()
    assert "v. 49" in visitor.words().lower()
    assert "v. 5" not in visitor.words().lower()
    assert 'href="/nights?weeks=12"' in visitor.text
    visitor.get("/nights?weeks=12")
    assert "29 januari" in visitor.words()


def test_the_list_can_be_of_one_area(visitor, database, town, eva):
    (centre,) = made(database, town, make.FRIDAY)
    (arena,) = made(database, town, make.FRIDAY, area=town.arena)
    visitor.sign_in(eva).get(f"/nights?area={town.arena}")
    assert visitor.forms_to(f"/shifts/{arena}/bookings")
    assert not visitor.forms_to(f"/shifts/{centre}/bookings")


@pytest.mark.parametrize("query", ["weeks=-3", "weeks=99999999999999", "weeks=x", "area=x", "area=-1", "view=nothing"])
def test_a_query_that_makes_no_sense_shows_the_list(visitor, database, town, eva, query):
    (shift,) = made(database, town, make.FRIDAY)
    visitor.sign_in(eva).get(f"/nights?{query}")
    assert visitor.forms_to(f"/shifts/{shift}/bookings")


def test_a_list_without_nights_says_what_will_come(visitor, database, town, eva):
    visitor.sign_in(eva).get("/nights")
    assert "Inga kvällar är utlagda än." in visitor.words()
    made(database, town, make.FRIDAY, state=ShiftState.PLANNED)
    visitor.get("/nights")
    assert "De är planerade" in visitor.words()


@pytest.mark.parametrize(
    ("booked", "said"), [(0, "ställs in"), (2, "saknas 2"), (4, "fullt")], ids=["uncovered", "thin", "full"]
)
def test_how_a_shift_stands_is_said_in_words_on_every_page(visitor, database, town, eva, booked, said):
    (shift,) = made(database, town, make.FRIDAY)
    book(database, town, shift, booked)
    visitor.sign_in(eva)
    for page in ("/", "/nights", f"/nights/{make.FRIDAY}", f"/shifts/{shift}"):
        visitor.get(page)
        if page == "/" and booked == 4:
            continue  # a full shift needs nobody
        assert f"{booked} av 4" in visitor.words(), page
        assert said in visitor.words().lower(), page


def test_two_areas_that_need_coverage_stand_out_everywhere(visitor, database, town, eva):
    (shift,) = made(database, town, make.FRIDAY)
    made(database, town, make.FRIDAY, area=town.arena)
    visitor.sign_in(eva)
    for page in ("/", "/nights", "/nights?view=month", f"/nights/{make.FRIDAY}", f"/shifts/{shift}"):
        visitor.get(page)
        assert "två områden" in visitor.text.lower(), page


def test_what_changes_shows_at_the_next_look(visitor, database, town, eva):
    (shift,) = made(database, town, make.FRIDAY)
    visitor.sign_in(eva).get("/nights")
    assert "0 av 4" in visitor.words()
    book(database, town, shift, 3)
    visitor.get("/nights")
    assert "3 av 4" in visitor.words()
    database.write(lambda connection: make.call_off(connection, shift))
    visitor.get("/nights")
    assert "inställ" in visitor.words().lower()
    assert not visitor.forms_to(f"/shifts/{shift}/bookings")


def test_a_card_speaks_each_reader_s_language(app, visitor, database, town, eva):
    made(database, town, make.FRIDAY)
    john = database.write(lambda connection: make.person(connection, town, "John", language="en"))
    visitor.sign_in(eva).get("/nights")
    assert "fredag 27 november" in visitor.words().lower()
    Visitor(app, town).sign_in(john).get("/nights")
    english = Visitor(app, town).sign_in(john)
    english.get("/nights")
    assert "friday 27 november" in english.words().lower()


def test_each_form_carries_the_token_of_its_own_reader(app, database, town, eva):
    (shift,) = made(database, town, make.FRIDAY)
    anna = database.write(lambda connection: make.person(connection, town, "Anna"))
    tokens = []
    for person in (eva, anna, eva):
        reader = Visitor(app, town).sign_in(person)
        reader.get("/nights")
        (form,) = reader.forms_to(f"/shifts/{shift}/bookings")
        fields = {field.get("name"): field.get("value") for field in form.iter() if field.get("name")}
        tokens.append(fields["csrf_token"])
        assert fields["csrf_token"]
    assert len(set(tokens)) == 3


def test_who_waits_for_approval_sees_the_nights_and_why_there_is_no_button(visitor, database, town):
    (shift,) = made(database, town, make.FRIDAY)
    new = database.write(lambda connection: make.person(connection, town, "Nils", state=MembershipState.PENDING))
    visitor.sign_in(new).get("/nights")
    assert "0 av 4" in visitor.words()
    assert not visitor.forms_to(f"/shifts/{shift}/bookings")
    assert "godkänt" in visitor.words()


def test_names_on_a_shift_are_for_those_who_are_on_it(app, visitor, database, town, eva):
    (shift,) = made(database, town, make.FRIDAY)
    book(database, town, shift, 1, names="Rakel")
    for page in (f"/shifts/{shift}", f"/nights/{make.FRIDAY}", "/nights"):
        visitor.sign_in(eva).get(page)
        assert "Rakel" not in visitor.text, page
    visitor.send(f"/shifts/{shift}/bookings")
    visitor.get(f"/shifts/{shift}")
    assert "Rakel" in visitor.words()


@pytest.mark.parametrize("night", ["2026-11-26", "2026-13-01", "igår", "20261127", "9999-12-31"])
def test_a_night_that_is_none_is_not_found(visitor, database, town, eva, night):
    made(database, town, make.FRIDAY)
    visitor.sign_in(eva).get(f"/nights/{night}", 404)


def test_a_night_that_was_left_out_says_why(visitor, database, town, eva):
    made(database, town, make.FRIDAY, state=ShiftState.PLANNED)
    visitor.sign_in(eva).get(f"/nights/{make.FRIDAY}", 404)

    def leave_out(connection):
        connection.execute(update(Night).where(Night.date == make.FRIDAY).values(left_out=LeftOut.QUIET_DARK_NIGHT))

    database.write(leave_out)
    visitor.get(f"/nights/{make.FRIDAY}")
    assert "fredag 27 november" in visitor.words().lower()


def test_a_night_past_midnight_is_still_tonight(visitor, database, town, eva, clock):
    (shift,) = made(database, town, make.FRIDAY, ends=time(2))
    book(database, town, shift, 3)
    clock.instant = make.before_start(-3.5)
    visitor.sign_in(eva).get("/nights")
    assert "3 av 4" in visitor.words()
    clock.instant = make.before_start(-5.5)
    visitor.get("/nights")
    assert "3 av 4" not in visitor.words()


def test_a_shift_that_is_still_being_planned_is_nobody_s_business(visitor, database, town, eva):
    (shift,) = made(database, town, make.FRIDAY, state=ShiftState.PLANNED)
    visitor.sign_in(eva).get(f"/shifts/{shift}", 404)


def test_the_month_shows_five_weeks_and_my_nights(visitor, database, town, eva):
    (shift,) = made(database, town, make.FRIDAY)
    visitor.sign_in(eva).send(f"/shifts/{shift}/bookings")
    visitor.get("/nights?view=month")
    assert f'href="/nights/{make.FRIDAY}"' in visitor.text
    assert f"{date(2026, 12, 27):%-d}" in visitor.words()

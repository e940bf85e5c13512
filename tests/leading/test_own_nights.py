"""The municipality names nights that no calendar knows."""

from datetime import date

import pytest
from sqlalchemy import select

from scheduler.nights.naming import local_nights
from scheduler.nights.season import Special
from scheduler.nights.tables import Night
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from tests import make

OWN = "/lead/season/own"


def listed(database, town):
    with database.reading() as connection:
        return local_nights(connection, town.id, date(2026, 1, 1))


def special(database):
    with database.reading() as connection:
        return connection.execute(select(Night.special)).scalar_one()


def test_a_planned_night_is_marked_at_once_and_loses_the_mark_with_its_line(karin, town, database):
    database.write(lambda connection: make.shift(connection, town, date(2026, 12, 4)))
    karin.follow(karin.send(OWN, {"special": "home_game", "nights": "4/12 2026-12-11, 18/12"}))
    assert listed(database, town) == [(date(2026, 12, day), Special.HOME_GAME) for day in (4, 11, 18)]
    assert special(database) is Special.HOME_GAME
    karin.get("/nights/2026-12-04")
    assert "Hemmamatch" in karin.words()
    karin.get(OWN)
    karin.follow(karin.send(f"{OWN}/remove", {"night": "2026-12-04"}))
    assert [night.day for night, _ in listed(database, town)] == [11, 18]
    assert special(database) is None
    karin.get("/lead/log")
    assert "ändrade kommunens egna kvällar" in karin.words()


def test_a_night_that_a_calendar_knows_keeps_its_greater_name(karin, town, database):
    lucia_eve = date(2026, 12, 12)
    database.write(lambda connection: make.shift(connection, town, lucia_eve))
    karin.send(OWN, {"special": "home_game", "nights": str(lucia_eve)})
    assert special(database) is Special.LUCIA_EVE
    karin.send(f"{OWN}/remove", {"night": str(lucia_eve)})
    assert special(database) is Special.LUCIA_EVE


def test_the_same_night_named_again_gets_the_new_name(karin, town, database):
    karin.send(OWN, {"special": "home_game", "nights": "18/12"})
    karin.send(OWN, {"special": "local_event", "nights": "18/12"})
    assert listed(database, town) == [(date(2026, 12, 18), Special.LOCAL_EVENT)]


@pytest.mark.parametrize(
    ("special", "nights", "told"),
    [
        ("home_game", "", "Skriv ett datum som 2026-12-11."),
        ("home_game", "31/11", "är inget datum"),
        ("home_game", "2026-11-01", "Den dagen har redan varit."),
        ("midsummer_eve", "18/12", "Välj vad som händer den kvällen."),
        ("home_game", " ".join(f"2027-{month:02}-{day:02}" for month in (1, 3, 5) for day in range(1, 29)), "högst 60"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_field_and_kept(karin, town, database, special, nights, told):
    karin.send(OWN, {"special": special, "nights": nights}, 422)
    assert told in karin.words()
    assert f'value="{nights}"' in karin.text
    assert listed(database, town) == []


def test_the_municipality_keeps_the_list_itself_and_a_volunteer_does_not(visitor, town, database):
    def municipality(connection):
        person = make.person(connection, town, "Mona")
        grant_role(connection, town.id, person, Role.MUNICIPALITY, make.NOW)
        return person

    visitor.sign_in(database.write(municipality))
    visitor.send(OWN, {"special": "local_event", "nights": "18/12"})
    assert [night for night, _ in listed(database, town)] == [date(2026, 12, 18)]
    visitor.sign_in(database.write(lambda connection: make.person(connection, town, "Vera")))
    visitor.get(OWN, 403)


def test_a_night_off_the_list_cannot_be_taken_off_twice_and_garbage_is_refused(karin, town, database):
    karin.send(f"{OWN}/remove", {"night": "2026-12-18"})
    karin.send(f"{OWN}/remove", {"night": "soon"}, 422)
    assert listed(database, town) == []

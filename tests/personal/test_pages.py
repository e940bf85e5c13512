import json

import pytest
from sqlalchemy import select

from scheduler.bookings import actions as bookings
from scheduler.kit.audit import AuditEntry
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from scheduler.people.tables import Person
from tests import make
from tests.visitor import Visitor


@pytest.fixture
def eva(database, town):
    def write(connection):
        person = make.person(connection, town, "Eva", number="+46701740661")
        shift = make.shift(connection, town)
        bookings.book(connection, make.acting(town, person), shift, person, "a")
        return person

    return database.write(write)


def test_i_read_all_that_is_kept_about_me(visitor, eva):
    visitor.sign_in(eva).get("/me")
    assert 'href="/me/data"' in visitor.text
    visitor.get("/me/data")
    for told in ("Eva Lyktdal", "070-174 06 61", "1980-05-31", "fredag 27 november", "bokad", "Mina uppgifter"):
        assert told in visitor.words(), told


def test_i_read_what_a_coordinator_has_noted_about_me(visitor, database, town, eva):
    from scheduler.people import notes

    boss = database.write(lambda connection: make.person(connection, town, "Karin"))
    database.write(lambda connection: notes.write(connection, make.acting(town, boss), eva, "Går helst på fredagar."))
    visitor.sign_in(eva).get("/me/data")
    assert "Går helst på fredagar." in visitor.words()
    assert "Karin" not in visitor.words()


def test_i_take_it_along_as_a_file(visitor, eva):
    answer = visitor.sign_in(eva).get("/me/data.json")
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="lykta-2026-11-23.json"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    found = json.loads(answer.get_data())
    assert found["details"]["phone"] == "+46701740661"
    assert found["details"]["born_on"] == "1980-05-31"
    assert [(one["date"], one["state"]) for one in found["walks"]] == [("2026-11-27", "booked")]
    assert {one["what"] for one in found["log"]} >= {"person.registered", "booking.booked"}


def test_my_file_names_nobody_else_and_holds_no_secret(visitor, eva, database, town):
    def write(connection):
        other = make.person(connection, town, "Hemliga", number="+46701740662")
        shift = make.shift(connection, town, make.SATURDAY)
        for person in (eva, other):
            bookings.book(connection, make.acting(town, person), shift, person, f"{person}")

    database.write(write)
    told = visitor.sign_in(eva).get("/me/data.json").get_data(as_text=True)
    assert "Hemliga" not in told
    assert "01740662" not in told
    assert not {"secret_hash", "nonce", "verifier", "code_hash"} & set(json.loads(told)["devices"][0])


def test_being_forgotten_asks_first_and_says_that_it_cannot_be_undone(visitor, eva, database):
    visitor.sign_in(eva).get("/me/forget")
    assert "Det går inte att ångra" in visitor.words()
    assert "fredag 27 november" in visitor.words()
    visitor.send("/me/forget", {}, 422)
    assert "Inget togs bort" in visitor.words()
    with database.reading() as connection:
        assert connection.execute(select(Person.first_name).where(Person.id == eva)).scalar_one() == "Eva"


def test_after_being_forgotten_nobody_is_signed_in_and_the_browser_is_emptied(app, town, visitor, eva):
    elsewhere = Visitor(app, town).sign_in(eva)
    answer = visitor.sign_in(eva).send("/me/forget", {"sure": "yes"})
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    visitor.follow(answer)
    assert "Du är bortglömd här" in visitor.words()
    visitor.get("/me", 303)
    elsewhere.get("/mine", 303)


def test_the_only_coordinator_is_told_what_to_do_and_stays(visitor, database, town):
    def write(connection):
        karin = make.person(connection, town, "Karin")
        grant_role(connection, town.id, karin, Role.COORDINATOR, make.NOW)
        return karin

    karin = database.write(write)
    visitor.sign_in(karin).send("/me/forget", {"sure": "yes"}, 409)
    assert "enda samordnaren" in visitor.words()
    visitor.get("/me")


def test_the_only_contact_of_a_club_is_told_before(visitor, database, town, eva):
    database.write(lambda c: grant_role(c, town.id, eva, Role.CONTACT, make.NOW, club_id=town.club_id))
    visitor.sign_in(eva).get("/me/forget")
    assert "enda kontaktperson" in visitor.words()


def test_the_coordinator_reads_in_the_log_that_somebody_was_forgotten_not_who(app, database, town, visitor, eva):
    def write(connection):
        karin = make.person(connection, town, "Karin")
        grant_role(connection, town.id, karin, Role.COORDINATOR, make.NOW)
        return karin

    karin = database.write(write)
    visitor.sign_in(eva).send("/me/forget", {"sure": "yes"})
    boss = Visitor(app, town).sign_in(karin)
    boss.get(f"/lead/people/{eva}", 404)
    boss.get("/lead/people?q=Eva")
    assert "Lyktdal" not in boss.words().replace("Karin Lyktdal", "")
    shift = _shift_of(database, eva)
    boss.get(f"/lead/shifts/{shift}")
    assert "Eva" not in boss.words()


def _shift_of(database, person_id):
    with database.reading() as connection:
        wanted = select(AuditEntry.shift_id).where(AuditEntry.person_id == person_id, AuditEntry.shift_id.is_not(None))
        return connection.execute(wanted).scalars().first()

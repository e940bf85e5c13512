"""One person's page: roles given and taken, and the note that nobody else reads."""

import re
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.bookings.actions import book
from scheduler.doubles.actions import merge
from scheduler.kit.audit import AuditEntry, Change, record
from scheduler.people import notes, roles, vouching
from scheduler.people.actions import grant_role
from scheduler.people.queries import phone_of
from scheduler.people.queries import visitor as visitor_of
from scheduler.people.rules import LastCoordinator, Role
from scheduler.people.signing_in import start_session
from scheduler.people.tables import Person, PersonNote, RoleGrant
from scheduler.personal.actions import forget
from tests import make
from tests.leading.conftest import coordinator
from tests.visitor import HTML, Visitor


@pytest.fixture
def eva(database, town):
    return database.write(lambda connection: make.person(connection, town))


def held(database, person):
    with database.reading() as connection:
        rows = connection.execute(select(RoleGrant.role, RoleGrant.club_id).where(RoleGrant.person_id == person))
        return {(row.role, row.club_id) for row in rows}


def offered(visitor):
    return [one.get("value") for one in visitor.page.iter(f"{HTML}option")]


def test_a_role_is_given_and_taken_from_the_page_and_stands_in_the_log(app, karin, database, town, eva):
    path = f"/lead/people/{eva}"
    karin.get(path)
    assert offered(karin) == [f"contact-{town.club_id}", "coordinator", "municipality"]
    karin.follow(karin.send(f"{path}/roles", {"role": f"contact-{town.club_id}"}))
    assert "Föreningskontakt, Nattvandring Timrå IK" in karin.words()
    assert held(database, eva) == {(Role.CONTACT, town.club_id)}
    signed_in = Visitor(app, town).sign_in(eva)
    signed_in.get("/lead/members")
    karin.follow(karin.send(f"{path}/roles/take", {"role": f"contact-{town.club_id}"}))
    assert held(database, eva) == set()
    assert "Ingen roll" in karin.words()
    assert "fick en roll (av Karin Lyktdal)" in karin.words()
    assert "blev av med en roll" in karin.words()
    signed_in.get("/lead/members", 303)


def test_nobody_gives_herself_a_role_and_the_last_coordinator_stays(karin, database, town, eva):
    with database.reading() as connection:
        me = connection.execute(select(RoleGrant.person_id)).scalar_one()
    karin.get(f"/lead/people/{me}")
    assert offered(karin) == []
    karin.send(f"/lead/people/{me}/roles", {"role": "municipality"}, 403)
    karin.send(f"/lead/people/{me}/roles/take", {"role": "coordinator"}, 409)
    assert "Någon måste vara samordnare" in karin.words()
    karin.send(f"/lead/people/{eva}/roles", {"role": "coordinator"})
    karin.send(f"/lead/people/{me}/roles/take", {"role": "coordinator"})
    assert held(database, me) == set()
    assert held(database, eva) == {(Role.COORDINATOR, None)}


@pytest.mark.parametrize("sent", [{}, {"role": "king"}, {"role": "contact"}, {"role": "coordinator-1"},
                                  {"role": "contact-x"}, {"role": "-"}])  # fmt: skip
def test_a_role_that_is_none_is_refused(karin, eva, sent):
    karin.send(f"/lead/people/{eva}/roles", sent, 422)
    karin.send(f"/lead/people/{eva}/roles/take", sent, 422)


def test_a_contact_of_another_town_s_club_cannot_be_made(karin, database, eva):
    other = database.write(lambda connection: make.town(connection, "Nattvandring Ånge", "ange.example"))
    karin.send(f"/lead/people/{eva}/roles", {"role": f"contact-{other.club_id}"}, 404)
    assert held(database, eva) == set()


def test_two_coordinators_who_take_each_other_s_role_leave_one(each_database):
    town = each_database.write(make.town)

    def cast(connection):
        both = [coordinator(connection, town, name) for name in ("Karin", "Kalle")]
        secrets = [start_session(connection, town.id, one, "test", make.NOW) for one in both]
        return both, secrets

    both, secrets = each_database.write(cast)
    with each_database.reading() as connection:
        visitors = [visitor_of(connection, "", secret) for secret in secrets]
    at_once, refused = threading.Barrier(2), []

    def take(mine, theirs):
        at_once.wait()
        try:
            each_database.write(lambda connection: roles.take(connection, mine, theirs, Role.COORDINATOR, make.NOW))
        except LastCoordinator:
            refused.append(theirs)

    threads = [threading.Thread(target=take, args=pair) for pair in zip(visitors, reversed(both), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with each_database.reading() as connection:
        left = connection.execute(select(RoleGrant.person_id).where(RoleGrant.role == Role.COORDINATOR)).scalars().all()
    assert left == refused, "one is taken, the other stays"


def test_a_note_is_read_by_its_writer_alone(app, karin, database, town, eva):
    path = f"/lead/people/{eva}/note"
    karin.follow(karin.send(path, {"note": "Går helst med Bo.\r\nHar egen lampa."}))
    assert "Går helst med Bo." in karin.words()
    kalle = database.write(lambda connection: coordinator(connection, town, "Kalle"))
    other = Visitor(app, town).sign_in(kalle)
    other.get(f"/lead/people/{eva}")
    assert "Går helst" not in other.text
    assert "egen anteckning" in other.words(), "that there is one is no secret"
    other.send(path, {"note": "Kalles egen"})
    karin.get(f"/lead/people/{eva}")
    assert "Kalles" not in karin.text
    with database.reading() as connection:
        assert [row.text for row in notes.about(connection, eva)] == [
            "Går helst med Bo.\nHar egen lampa.",
            "Kalles egen",
        ]
        written = connection.execute(select(AuditEntry.before, AuditEntry.after)).all()
    assert "lampa" not in str(written), "what it says is in no log"
    karin.send(path, {"note": " "})
    karin.get(f"/lead/people/{eva}")
    assert "Går helst" not in karin.text


def test_a_note_that_is_too_long_comes_back_as_it_was_typed(karin, eva):
    typed = "å" * 1001
    karin.send(f"/lead/people/{eva}/note", {"note": typed}, 422)
    assert typed in karin.text
    assert "högst 1000 tecken" in karin.words()
    karin.send(f"/lead/people/{eva}/note", {"note": "\x00\x07\u202e"}, 422)


def test_a_note_is_forgotten_after_a_year_and_with_its_writer_s_role(database, town, eva):
    def write(connection):
        karin, kalle = coordinator(connection, town), coordinator(connection, town, "Kalle")
        for one in (karin, kalle):
            notes.write(connection, make.acting(town, one), eva, "Går helst med Bo.")
        secret = start_session(connection, town.id, kalle, "test", make.NOW)
        return karin, visitor_of(connection, "", secret)

    karin, kalle = database.write(write)
    database.write(lambda connection: roles.take(connection, kalle, karin, Role.COORDINATOR, make.NOW))

    def writers():
        with database.reading() as connection:
            return connection.execute(select(PersonNote.writer_person_id)).scalars().all()

    assert writers() == [kalle.person.id]
    year = make.NOW + notes.KEPT
    assert database.write(lambda connection: notes.forget_old(connection, year - timedelta(seconds=1))) == 0
    assert database.write(lambda connection: notes.forget_old(connection, year)) == 1
    assert writers() == []


def test_the_page_says_how_much_somebody_walks_and_whether_texts_reach_her(karin, database, town, eva):
    from scheduler.bookings import actions
    from scheduler.messages import standing

    def write(connection):
        past = make.shift(connection, town, make.FRIDAY - timedelta(days=7))
        coming = make.shift(connection, town)
        early = make.acting(town, eva, make.before_start(21 * 24))
        for shift in (past, coming):
            actions.book(connection, early, shift, eva, f"{shift}")
        actions.record_attendance(connection, make.acting(town, eva), past, [eva])
        standing.stop(connection, phone_of(connection, eva), make.NOW)

    database.write(write)
    karin.get(f"/lead/people/{eva}")
    assert "fre 20 nov 2026" in karin.words()
    assert "fredag 27 november, Centrum" in karin.words()
    assert "Sa STOPP" in karin.words()
    assert "1980" not in karin.text


def test_who_may_give_which_role_stands_in_one_place(karin, eva, database, town, app):
    kim = database.write(lambda connection: make.person(connection, town, "Kim"))
    database.write(
        lambda connection: grant_role(connection, town.id, kim, Role.CONTACT, make.NOW, club_id=town.club_id)
    )
    Visitor(app, town).sign_in(kim).send(f"/lead/people/{eva}/roles", {"role": f"contact-{town.club_id}"}, 403)


def test_the_log_is_read_to_its_end_page_by_page(karin, database, town, eva):
    def write(connection):
        change = [Change("person.changed", person_id=eva, after={"first_name": f"nr {n}"}) for n in range(450)]
        record(connection, town.id, make.NOW, eva, change)

    database.write(write)
    for start in ("/lead/log", f"/lead/log?person={eva}"):
        karin.get(start)
        pages = 1
        while older := [a.get("href") for a in karin.page.iter(f"{HTML}a") if "before=" in (a.get("href") or "")]:
            karin.get(older[0])
            pages += 1
        assert pages == 3
        assert "registrerade sig" in karin.words(), "the first of all stands last"
        assert "De nyaste" in karin.words()
    for odd in ("x", "-1", "9" * 30, "0"):
        karin.get("/lead/log", query_string={"before": odd, "shift": odd})


def test_what_happened_in_another_year_is_told_with_its_year(karin, database, town, eva):
    def write(connection):
        for days in (0, 400):
            change = [Change("person.changed", person_id=eva, after={"first_name": f"{days}"})]
            record(connection, town.id, make.NOW - timedelta(days=days), eva, change)

    database.write(write)
    karin.get(f"/lead/log?person={eva}")
    then = make.NOW - timedelta(days=400)
    times = ["".join(one.itertext()) for one in karin.page.iter(f"{HTML}time")]
    assert any(re.fullmatch(rf"\w{{3,4}} \d+ \w{{3}} {then.year} \d\d:\d\d", one) for one in times), times
    assert any(re.fullmatch(r"\w{3,4} \d+ \w{3} \d\d:\d\d", one) for one in times), times


def test_who_may_lead_is_granted_taken_back_and_shown_where_a_leader_is_chosen(karin, database, town, eva):
    def write(connection):
        shift = make.shift(connection, town)
        for person in (make.person(connection, town, "Anna"), eva):
            book(connection, make.acting(town, person), shift, person, "a")
        return shift

    shift = database.write(write)
    path = f"/lead/people/{eva}"
    karin.follow(karin.send(f"{path}/lead", {"may": "yes"}))
    assert "Får leda pass" in karin.words()
    assert "fick ändrat om hen får leda pass (av Karin Lyktdal)" in karin.words()
    karin.get(f"/lead/shifts/{shift}/change")
    choices = ["".join(one.itertext()) for one in karin.page.iter(f"{HTML}option")]
    assert choices[1:3] == ["Eva, Nattvandring Timrå IK · får leda", "Anna, Nattvandring Timrå IK"]
    karin.follow(karin.send(f"{path}/lead", {"may": "no"}))
    assert "Får inte leda pass än" in karin.words()
    for sent in ({}, {"may": "perhaps"}):
        karin.send(f"{path}/lead", sent, 422)
    with database.reading() as connection:
        whats = connection.execute(select(AuditEntry.what).where(AuditEntry.what == "person.may_lead")).all()
    assert len(whats) == 2


def test_of_an_extract_only_the_day_is_kept_until_it_is_taken_back(app, karin, town, eva):
    path = f"/lead/people/{eva}"
    for typed, sentence in (
        ("2026-11-24", "Den dagen har inte kommit än"),
        ("2019-01-01", "Det är över fem år sedan"),
        ("i går", "Skriv ett datum som 2026-12-11"),
        ("", "Skriv ett datum som 2026-12-11"),
    ):
        karin.send(f"{path}/extract", {"seen_on": typed}, 422)
        assert sentence in karin.words()
        assert f'name="seen_on" type="date" value="{typed}"' in karin.text
    karin.follow(karin.send(f"{path}/extract", {"seen_on": "2026-11-20"}))
    assert "Utdrag sett 2026-11-20" in karin.words()
    assert "över ett år gammalt" not in karin.words()
    karin.follow(karin.send(f"{path}/extract", {"seen_on": "2025-11-01"}))
    assert "Utdrag sett 2025-11-01 över ett år gammalt" in karin.words()
    assert "Utdrag sett: 2026-11-20 → 2025-11-01" in karin.words()
    own = Visitor(app, town).sign_in(eva)
    own.get("/me/data")
    assert "Utdrag ur belastningsregistret sett2025-11-01" in own.words()
    assert own.get("/me/data.json").get_json()["details"]["extract_seen_on"] == "2025-11-01"
    own.send(f"{path}/extract", {"what": "back"}, 403)
    karin.follow(karin.send(f"{path}/extract", {"what": "back"}))
    assert "Utdrag sett 2025" not in karin.words()


def test_what_is_vouched_for_goes_with_the_person_and_follows_a_merging(each_database):
    town = each_database.write(make.town)

    def write(connection):
        karin = coordinator(connection, town)
        eva, twin = make.person(connection, town), make.person(connection, town)
        vouching.let_lead(connection, make.acting(town, karin), eva, may=True)
        vouching.note_extract(connection, make.acting(town, karin), twin, make.NOW.date())
        merge(connection, make.acting(town, karin), eva, twin)
        return eva

    def vouched(person):
        with each_database.reading() as connection:
            found = select(Person.may_lead_since, Person.extract_seen_on).where(Person.id == person)
            days = select(AuditEntry.after).where(AuditEntry.what == "person.extract")
            return tuple(connection.execute(found).one()), connection.execute(days).scalar_one()

    eva = each_database.write(write)
    assert vouched(eva) == ((make.NOW, make.NOW.date()), {"seen_on": "2026-11-23"})
    each_database.write(lambda connection: forget(connection, make.acting(town, eva), make.SITE))
    assert vouched(eva) == ((None, None), {})

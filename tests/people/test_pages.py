"""Joining, signing in, being approved, devices: over HTTP."""

import re

import pytest
from sqlalchemy import select

from scheduler.kit.audit import AuditEntry
from scheduler.messages.tables import Message
from scheduler.partnership.queries import clubs
from scheduler.partnership.tables import Club
from scheduler.people.actions import end_all_sessions, grant_role, withdraw_role
from scheduler.people.rules import Role
from scheduler.people.tables import Person
from tests import make
from tests.visitor import Visitor

GOOD = {
    "first_name": "Åsa",
    "last_name": "Lyktdal",
    "phone": "070-174 06 05",
    "born_on": "1990-05-31",
    "language": "sv",
    "values": "yes",
}


@pytest.fixture
def link(database, town):
    with database.reading() as connection:
        return f"/join/{clubs(connection, town.id)[0].invitation_code}"


def last_code(database):
    with database.reading() as connection:
        body = connection.execute(select(Message.body).order_by(Message.id.desc())).scalars().first()
    return re.search(r"#(\d{6})$", body)[1]


def people(database):
    with database.reading() as connection:
        return connection.execute(select(Person.first_name, Person.phone)).all()


def join(visitor, database, link, **more):
    visitor.send(link, {**GOOD, **more})
    return visitor.send("/sign-in/code", {"code": last_code(database)})


def test_a_new_member_joins_by_link_and_code_and_waits_for_approval(visitor, database, town, link):
    visitor.get(link)
    visitor.send(link, GOOD)
    assert people(database) == [], "nobody exists before the number is proven"
    answer = visitor.send("/sign-in/code", {"code": last_code(database)})
    visitor.follow(answer)
    assert "Välkommen Åsa" in visitor.words()
    assert people(database) == [("Åsa", "+46701740605")]
    shift = database.write(lambda connection: make.shift(connection, town))
    visitor.send(f"/shifts/{shift}/bookings", status=409)
    assert "inte godkänt dig än" in visitor.words()


def test_an_approval_lets_the_member_book_is_told_and_is_in_the_log(app, visitor, database, town, link):
    join(visitor, database, link)
    shift = database.write(lambda connection: make.shift(connection, town))
    boss = database.write(lambda connection: make.person(connection, town, "Karin"))
    database.write(lambda connection: grant_role(connection, town.id, boss, Role.COORDINATOR, make.NOW))
    coordinator = Visitor(app, town).sign_in(boss)
    coordinator.get("/lead/members")
    assert "Åsa Lyktdal" in coordinator.words()
    assert "18+ ✓" in coordinator.words()
    assert "1990" not in coordinator.text
    approve = re.search(r'action="(/lead/members/\d+/approve)"', coordinator.text)[1]
    coordinator.send(approve)
    visitor.send(f"/shifts/{shift}/bookings")
    with database.reading() as connection:
        kinds = connection.execute(select(Message.kind)).scalars().all()
        asa = connection.execute(select(Person.id).where(Person.first_name == "Åsa")).scalar_one()
        what = connection.execute(select(AuditEntry.what).where(AuditEntry.person_id == asa)).scalars().all()
    assert "approved" in kinds
    assert what == ["person.registered", "membership.asked", "membership.approved", "booking.booked"]
    coordinator.get(f"/lead/people/{asa}")
    assert "blev godkänd i en förening" in coordinator.words()
    coordinator.get(f"/lead/shifts/{shift}")
    assert "bokade en plats" in coordinator.words()


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("born_on", "2010-01-01", "fyllt 18"),
        ("born_on", "2007-02-29", "finns inte"),
        ("born_on", "2026-11-24", "inte varit än"),
        ("born_on", "22-01-01", "fyra siffror"),
        ("phone", "08-123 456 78", "fast telefon"),
        ("phone", "+47 412 34 567", "svenska mobilnummer"),
        ("phone", "ring mig", "helt mobilnummer"),
        ("first_name", "x" * 200, "för långt"),
        ("last_name", "", "efternamn"),
        ("language", "tlh", "språk"),
        ("values", "", "värdegrunden"),
    ],
)
def test_a_wrong_field_is_told_at_the_field_and_the_rest_stays_typed(visitor, database, link, field, typed, sentence):
    sent = {name: value for name, value in {**GOOD, field: typed}.items() if value or name != "values"}
    visitor.send(link, sent, 422)
    assert sentence in visitor.words()
    for name in ("first_name", "last_name", "phone", "born_on"):
        if name != field:
            assert f'value="{GOOD[name]}"' in visitor.text, name
    assert people(database) == []


def test_an_identity_number_is_never_kept_or_shown_again(visitor, database, link, caplog):
    visitor.send(link, {**GOOD, "born_on": "19900531-2384"}, 422)
    assert "2384" not in visitor.text
    assert "19900531" in visitor.text
    assert "personnummer" in visitor.words()
    assert "2384" not in caplog.text


def test_a_known_number_that_joins_again_keeps_its_name_and_asks_for_the_other_club(app, visitor, database, town, link):
    join(visitor, database, link)
    join(Visitor(app, town), database, link, first_name="Någon", born_on="1970-01-01")
    assert people(database) == [("Åsa", "+46701740605")]


def test_an_ended_link_says_so(visitor, database, link):
    visitor.get("/join/never-was", 404)
    assert "Inbjudan gäller inte längre" in visitor.words()
    from scheduler.partnership.actions import renew_invitation

    with database.reading() as connection:
        club = connection.execute(select(Club.id, Club.partnership_id)).one()
    database.write(lambda connection: renew_invitation(connection, club.partnership_id, club.id))
    visitor.get(link, 404)


def test_signing_in_takes_number_and_code_and_leads_where_one_was_going(visitor, database, town):
    database.write(lambda connection: make.person(connection, town, number="+46701740605"))
    answer = visitor.get("/mine", 303)
    visitor.follow(answer)
    visitor.send("/sign-in", {"phone": "0701740605", "next": "/mine"})
    visitor.get("/sign-in/code")
    assert "070-*** ** 05" in visitor.words()
    answer = visitor.send("/sign-in/code", {"code": last_code(database)})
    assert answer.headers["Location"] == "/mine"


def test_a_wrong_code_tells_the_tries_left_and_five_end_it(visitor, database, town):
    database.write(lambda connection: make.person(connection, town, number="+46701740605"))
    visitor.send("/sign-in", {"phone": "0701740605"})
    wrong = f"{(int(last_code(database)) + 1) % 1_000_000:06d}"
    for left in ("4 försök", "3 försök", "2 försök", "ett försök"):
        visitor.send("/sign-in/code", {"code": wrong}, 422)
        assert left in visitor.words()
    visitor.send("/sign-in/code", {"code": wrong}, 422)
    assert "gäller inte längre" in visitor.words()
    for empty in ("", "abc", "🌙"):
        visitor.send("/sign-in/code", {"code": empty}, 422)


def test_a_known_and_an_unknown_number_get_the_same_answer(app, visitor, database, town):
    database.write(lambda connection: make.person(connection, town, number="+46701740605"))
    stranger = Visitor(app, town)
    known = visitor.send("/sign-in", {"phone": "070-174 06 05"})
    unknown = stranger.send("/sign-in", {"phone": "070-174 06 15"})
    assert known.headers["Location"] == unknown.headers["Location"]
    visitor.get("/sign-in/code")
    stranger.get("/sign-in/code")
    assert visitor.words().replace("05", "15") == stranger.words()
    stranger.send("/sign-in/code", {"code": "123456"}, 422)
    assert "4 försök" in stranger.words()


def test_the_seventh_code_in_an_hour_is_refused_kindly_whatever_forwarding_header_comes(app, visitor, database, town):
    for number in range(7):
        visitor.send(
            "/sign-in",
            {"phone": "070-174 06 05"},
            303 if number < 6 else 429,
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        )
    assert "För många koder" in visitor.words()
    assert 'value="070-174 06 05"' in visitor.text


def test_devices_are_seen_and_ended_one_by_one(app, visitor, database, town):
    eva = database.write(lambda connection: make.person(connection, town))
    phone, laptop = visitor.sign_in(eva), Visitor(app, town).sign_in(eva)
    laptop.get("/me")
    end = re.search(r'action="(/me/devices/\d+/end)"', laptop.text)[1]
    laptop.send(end)
    phone.get("/me", 303)
    laptop.get("/me")
    other = database.write(lambda connection: make.person(connection, town, "Adam"))
    adam = Visitor(app, town).sign_in(other)
    adam.get("/me")
    adam.send(end, status=404)


def test_signing_out_ends_the_session_and_clears_what_is_kept(visitor, database, town):
    eva = database.write(lambda connection: make.person(connection, town))
    visitor.sign_in(eva).get("/mine")
    with visitor.client.session_transaction(base_url=make.SITE) as session:
        secret = session["secret"]
    answer = visitor.send("/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    visitor.get("/mine", 303)
    with visitor.client.session_transaction(base_url=make.SITE) as session:
        session["secret"] = secret
    visitor.get("/mine", 303)


def test_losing_a_role_ends_every_session_at_once(visitor, database, town):
    boss = database.write(lambda connection: make.person(connection, town))
    database.write(lambda connection: grant_role(connection, town.id, boss, Role.COORDINATOR, make.NOW))
    visitor.sign_in(boss).get("/lead")
    database.write(
        lambda connection: withdraw_role(connection, town.id, boss, Role.COORDINATOR, make.NOW, by_person_id=None)
    )
    visitor.get("/lead", 303)
    visitor.sign_in(boss).get("/lead", 403)
    database.write(lambda connection: end_all_sessions(connection, boss, make.NOW))
    visitor.get("/me", 303)


def test_own_details_are_changed_with_a_trace(visitor, database, town):
    eva = database.write(lambda connection: make.person(connection, town))
    visitor.sign_in(eva).follow(visitor.send("/me", {"first_name": "Evelina", "last_name": "L", "language": "en"}))
    assert "Saved" in visitor.words()
    with database.reading() as connection:
        entry = connection.execute(select(AuditEntry).where(AuditEntry.what == "person.changed")).one()
    assert entry.before["first_name"] == "Eva"
    assert entry.after["first_name"] == "Evelina"
    visitor.send("/me", {"first_name": "x" * 61, "last_name": "L", "language": "en"}, 422)
    assert "x" * 61 in visitor.text

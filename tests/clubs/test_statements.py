"""A club's contact sees what her own club has earned and was paid, with its statements; nobody else's."""

import io
from datetime import date

import pytest
from pypdf import PdfReader
from sqlalchemy import update

from scheduler.money import actions, payouts
from scheduler.partnership.actions import add_club
from scheduler.partnership.tables import Club
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from scheduler.people.tables import Membership
from tests import make
from tests.money.test_actions import AFTER, Ledger
from tests.visitor import Visitor

LAST = date(2026, 12, 31)


@pytest.fixture
def scene(database, town, clock):
    """A walk of two people of the first club and one of another, frozen and paid; a contact of each."""

    def write(connection):
        other = add_club(connection, town.id, "Sörberge BK")
        team = make.people(connection, town, 3)
        connection.execute(update(Membership).where(Membership.person_id == team[2]).values(club_id=other))
        people = {"team": team, "other_club": other}
        for name, club in (("kim", town.club_id), ("lo", other)):
            people[name] = make.person(connection, town, name.title(), state=None)
            grant_role(connection, town.id, people[name], Role.CONTACT, make.NOW, club_id=club)
        return people

    people = database.write(write)
    ledger = Ledger.__new__(Ledger)
    ledger.database, ledger.town = database, town
    shift = ledger.shift(walkers=people["team"])
    ledger.note(shift, people["team"])
    clock.instant = AFTER
    return people | {"ledger": ledger}


def pay(scene, database, town):
    acting = make.acting(town, None, AFTER)

    def write(connection):
        actions.settle_all(connection, acting)
        return payouts.freeze(connection, acting, town.agreement_id, LAST, 250_000)

    return database.write(write)


def statement(club, payout):
    return f"/lead/clubs/{club}/statements/{payout}.pdf"


def test_a_contact_sees_what_is_earned_and_then_fetches_the_own_statement(app, database, town, scene):
    database.write(lambda connection: actions.settle_all(connection, make.acting(town, None, AFTER)))
    kim = Visitor(app, town).sign_in(scene["kim"])
    page = kim.get(f"/lead/clubs/{town.club_id}")
    assert page.status_code == 200
    assert "Intjänat och inte utbetalt än: 1\u00a0666,67\u00a0kr" in kim.text
    assert "2 vandrare" in kim.words()
    assert "Inget är utbetalt än." in kim.words()
    own, _ = sorted(pay(scene, database, town))
    kim.get(f"/lead/clubs/{town.club_id}")
    assert "Intjänat och inte utbetalt" not in kim.words()
    assert statement(town.club_id, own) in kim.text
    answer = kim.get(statement(town.club_id, own))
    assert answer.mimetype == "application/pdf"
    text = "\n".join(one.extract_text() for one in PdfReader(io.BytesIO(answer.data)).pages)
    assert "Avräkning för Nattvandring Timrå IK" in text
    assert "1\u00a0666,67\u00a0kr" in text
    assert not {"Person0", "Person1", "Person2"} & set(text.split())


def test_no_contact_sees_anything_of_another_clubs_money(app, database, town, scene):
    payments = pay(scene, database, town)
    with database.reading() as connection:
        of = {payouts.payout(connection, town.id, one).club_id: one for one in payments}
    other = scene["other_club"]
    kim, lo = (Visitor(app, town).sign_in(scene[name]) for name in ("kim", "lo"))
    lo.get(statement(other, of[other]))
    kim.get(statement(other, of[other]), 403)
    kim.get(statement(town.club_id, of[other]), 404)
    kim.get(statement(town.club_id, 999_999), 404)
    kim.get(f"/lead/clubs/{other}", 403)
    kim.get(f"/lead/money/payouts/{of[town.club_id]}.pdf", 403)
    kim.get(f"/lead/clubs/{town.club_id}")
    assert "833,33" not in kim.text
    assert "Sörberge BK" not in kim.words()
    walker = Visitor(app, town).sign_in(scene["team"][0])
    walker.get(statement(town.club_id, of[town.club_id]), 403)


def test_another_town_has_no_such_statement(app, database, town, scene):
    own = min(pay(scene, database, town))

    def write(connection):
        elsewhere = make.town(connection, "Nattvandring Ånge", "ange.example")
        contact = make.person(connection, elsewhere, "Olle")
        grant_role(connection, elsewhere.id, contact, Role.CONTACT, make.NOW, club_id=elsewhere.club_id)
        return elsewhere, contact

    elsewhere, contact = database.write(write)
    stranger = Visitor(app, elsewhere, host="ange.example").sign_in(contact)
    stranger.get(statement(elsewhere.club_id, own), 404)
    stranger.get(statement(town.club_id, own), 404)


def test_a_club_that_has_left_still_has_its_statement_and_its_contact_fetches_it(app, database, town, scene):
    payments = pay(scene, database, town)
    other = scene["other_club"]
    database.write(
        lambda connection: connection.execute(update(Club).where(Club.id == other).values(ended_on=AFTER.date()))
    )
    with database.reading() as connection:
        of = {payouts.payout(connection, town.id, one).club_id: one for one in payments}
    lo = Visitor(app, town).sign_in(scene["lo"])
    lo.get(f"/lead/clubs/{other}")
    assert statement(other, of[other]) in lo.text
    lo.get(statement(other, of[other]))

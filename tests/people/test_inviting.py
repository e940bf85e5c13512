"""A club invites many at once; each becomes a member by her own yes, once, and never twice."""

from datetime import date

import pytest
from sqlalchemy import select

from scheduler.bookings.actions import book
from scheduler.bookings.rules import NotAMember
from scheduler.kit.audit import AuditEntry
from scheduler.leading.members import end_membership
from scheduler.messages.rules import MessageState
from scheduler.messages.tables import Message
from scheduler.people.actions import Joining, finish_joining, grant_role
from scheduler.people.inviting import (
    Invited,
    Newcomer,
    accept_invitation,
    decline_invitation,
    invitations,
    invite_many,
)
from scheduler.people.queries import visitor
from scheduler.people.rules import NEVER, InvitationOver, MembershipState, Role
from scheduler.people.signing_in import start_session
from scheduler.people.tables import Membership, Person
from tests import make
from tests.visitor import HTML, Visitor

ASA = ("Åsa", "Öst", "+46701740655", date(1985, 8, 22))


@pytest.fixture
def there(each_database):
    return each_database, each_database.write(make.town)


def invite(database, town, *people, tell=False):
    newcomers = [Newcomer(*one, town.club_id) for one in people or [ASA]]
    return database.write(lambda connection: invite_many(connection, make.acting(town, None), newcomers, tell=tell))


def membership(database):
    with database.reading() as connection:
        return connection.execute(select(Membership.id, Membership.person_id, Membership.state)).one()


def test_who_is_invited_can_do_nothing_before_the_yes_and_everything_after(there):
    database, town = there
    assert invite(database, town) == Invited(1, 0, 0)
    id_, asa, state = membership(database)
    assert state is MembershipState.INVITED
    shift = database.write(lambda connection: make.shift(connection, town))
    with pytest.raises(NotAMember):
        database.write(lambda connection: book(connection, make.acting(town, asa), shift, asa, "a"))
    database.write(lambda connection: accept_invitation(connection, town.id, asa, id_, make.NOW))
    database.write(lambda connection: book(connection, make.acting(town, asa), shift, asa, "b"))
    with database.reading() as connection:
        assert connection.execute(select(Person.values_agreed_at)).scalar_one() == make.NOW
        told = connection.execute(select(AuditEntry.what).where(AuditEntry.person_id == asa)).scalars().all()
    assert {"membership.invited", "membership.accepted"} <= set(told)


def test_an_invitation_is_answered_once_and_by_its_owner(there):
    database, town = there
    invite(database, town)
    id_, asa, _ = membership(database)
    other = database.write(lambda connection: make.person(connection, town, state=None))
    for who, number in ((other, id_), (asa, id_ + 1)):
        with pytest.raises(InvitationOver):
            database.write(lambda c, who=who, number=number: accept_invitation(c, town.id, who, number, make.NOW))
    database.write(lambda connection: decline_invitation(connection, town.id, asa, id_, make.NOW))
    assert membership(database).state is MembershipState.ENDED
    with pytest.raises(InvitationOver):
        database.write(lambda connection: accept_invitation(connection, town.id, asa, id_, make.NOW))
    with database.reading() as connection:
        assert connection.execute(select(Person.values_agreed_at).where(Person.id == asa)).scalar_one() == NEVER


def test_inviting_again_changes_nothing_and_after_a_no_asks_anew(there):
    database, town = there
    invite(database, town)
    assert invite(database, town) == Invited(0, 0, 1)
    id_, asa, _ = membership(database)
    database.write(lambda connection: decline_invitation(connection, town.id, asa, id_, make.NOW))
    assert invite(database, town).invited == 1
    with database.reading() as connection:
        assert len(invitations(connection, asa)) == 1


def test_a_known_person_keeps_her_details_and_a_stranger_her_number(there):
    database, town = there
    database.write(lambda connection: make.person(connection, town, "Åsa", number=ASA[2], born_on=ASA[3], state=None))
    assert invite(database, town).invited == 1
    assert invite(database, town, ("Bo", "Ek", ASA[2], date(1971, 3, 4))) == Invited(0, 0, 1)
    with database.reading() as connection:
        assert connection.execute(select(Person.last_name)).scalars().all() == ["Lyktdal"]


def test_who_joins_by_the_link_meanwhile_has_said_yes(there):
    database, town = there
    invite(database, town)
    joining = Joining(
        club_id=town.club_id, first_name="Åsa", last_name="Öst", phone=ASA[2], born_on="1985-08-22", language="sv"
    )
    database.write(lambda connection: finish_joining(connection, town.id, joining, make.NOW))
    assert membership(database).state is MembershipState.APPROVED


@pytest.mark.parametrize("how", ["yes", "no", "ended"])
def test_the_text_is_taken_back_when_it_is_answered_before_it_left(there, how):
    database, town = there
    assert invite(database, town, tell=True) == Invited(1, 1, 0)
    id_, asa, _ = membership(database)
    verbs = {
        "yes": lambda c: accept_invitation(c, town.id, asa, id_, make.NOW),
        "no": lambda c: decline_invitation(c, town.id, asa, id_, make.NOW),
        "ended": lambda c: end_membership(c, make.acting(town, None), id_, None),
    }
    database.write(verbs[how])
    with database.reading() as connection:
        assert connection.execute(select(Message.state)).scalars().all() == [MessageState.DROPPED]


def test_a_visitor_with_several_roles_and_memberships_has_them_all(there):
    database, town = there
    invite(database, town)
    _, asa, _ = membership(database)

    def grant(connection):
        grant_role(connection, town.id, asa, Role.COORDINATOR, make.NOW)
        grant_role(connection, town.id, asa, Role.CONTACT, make.NOW, club_id=town.club_id)
        return start_session(connection, town.id, asa, "test", make.NOW)

    secret = database.write(grant)
    with database.reading() as connection:
        who = visitor(connection, "", secret)
    assert who.roles == {"coordinator", "contact"}
    assert (who.invited, who.pending) == (True, False)


# ---------------------------------------------------------------- the page


@pytest.fixture
def asa(app, database, town):
    """Somebody whom the town's club has invited, signed in."""
    invite(database, town)
    return Visitor(app, town).sign_in(membership(database).person_id)


def test_the_welcome_asks_for_the_values_and_a_yes_opens_the_nights(asa, database, town):
    database.write(lambda connection: make.shift(connection, town))
    asa.get("/")
    assert "En förening vill ha med dig" in asa.words()
    asa.get("/nights")
    assert "En förening vill ha med dig" in asa.words()
    asa.get("/welcome")
    assert "Nattvandring Timrå IK" in asa.words()
    yes = f"/welcome/{membership(database).id}/yes"
    asa.send(yes, {}, 422)
    assert "Kryssa i rutan" in asa.words()
    assert membership(database).state is MembershipState.INVITED
    asa.follow(asa.send(yes, {"values": "yes"}))
    assert "Du är medlem" in asa.words()
    asa.get("/")
    assert "En förening vill" not in asa.words()
    assert [b for b in asa.page.iter(f"{HTML}button") if "Boka" in "".join(b.itertext())]
    asa.send(yes, {"values": "yes"}, 409)
    assert "redan besvarad" in asa.words()


def test_a_no_is_as_easy(asa, database):
    asa.follow(asa.send(f"/welcome/{membership(database).id}/no"))
    assert membership(database).state is MembershipState.ENDED
    asa.get("/welcome")
    assert "Ingen förening väntar" in asa.words()


def test_signing_in_leads_to_the_welcome(app, database, town):
    invite(database, town)
    visitor = Visitor(app, town)
    visitor.send("/sign-in", {"phone": "070-174 06 55"})
    with database.reading() as connection:
        code = connection.execute(select(Message.words)).scalar_one()["code"]
    answer = visitor.send("/sign-in/code", {"code": code})
    assert answer.headers["Location"] == "/welcome"
    visitor.follow(answer)
    assert "Välkommen Åsa!" in visitor.words()

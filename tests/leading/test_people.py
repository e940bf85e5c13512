"""Finding members, approving many at once, ending a membership."""

import pytest
from sqlalchemy import select, update

from scheduler.bookings.actions import book
from scheduler.messages.rules import MessageKind
from scheduler.messages.tables import Message
from scheduler.partnership.actions import add_club
from scheduler.people.actions import ask_to_join, grant_role
from scheduler.people.rules import MembershipState, Role
from scheduler.people.tables import Membership
from tests import make
from tests.visitor import HTML, Visitor


def state(database, person):
    with database.reading() as connection:
        return connection.execute(select(Membership.state).where(Membership.person_id == person)).scalars().first()


def number(database, person):
    with database.reading() as connection:
        return connection.execute(select(Membership.id).where(Membership.person_id == person)).scalars().first()


def test_people_are_found_by_name_number_club_and_state(karin, database, town):
    def write(connection):
        make.person(connection, town, "Åsa", number="+46701740655")
        make.person(connection, town, "Bo", number="+46701740656", state=MembershipState.PENDING)

    database.write(write)
    for asked, found in (("åsa", "Åsa"), ("070-174 06 55", "Åsa"), ("lyktd", "Bo"), ("0656", "Bo")):
        karin.get("/lead/people", query_string={"q": asked})
        assert found in karin.words(), asked
    karin.get("/lead/people", query_string={"state": "pending"})
    assert "Bo Lyktdal" in karin.words()
    assert "Åsa Lyktdal" not in karin.words()
    for odd in ({"q": "%"}, {"q": "\x00"}, {"page": "9" * 30}, {"club": "x"}, {"state": "king"}, {"q": "🌙" * 90}):
        karin.get("/lead/people", query_string=odd)
    assert "1980" not in karin.text


def test_a_page_holds_fifty_and_leads_on(karin, database, town):
    database.write(lambda connection: make.people(connection, town, 60))
    karin.get("/lead/people")
    assert karin.text.count("/end") == 50
    link = next(a.get("href") for a in karin.page.iter(f"{HTML}a") if "page=1" in (a.get("href") or ""))
    karin.get(link)
    assert karin.text.count("/end") == 11


def test_all_who_wait_are_approved_by_one_tap_and_welcomed(karin, database, town):
    people = database.write(
        lambda connection: [
            make.person(connection, town, name, state=MembershipState.PENDING) for name in ("Anna", "Bo", "Cia")
        ]
    )
    karin.get("/lead/members")
    form = karin.forms_to("/lead/people/approve")[0]
    ids = [f.get("value") for f in form.iter(f"{HTML}input") if f.get("name") == "membership"]
    karin.send(f"/lead/members/{ids[0]}/decline")
    karin.follow(karin.send("/lead/people/approve", {"membership": ids}))
    assert [state(database, person) for person in people] == [MembershipState.ENDED] + [MembershipState.APPROVED] * 2
    with database.reading() as connection:
        assert len(connection.execute(select(Message.id).where(Message.kind == MessageKind.APPROVED)).all()) == 2
    for sent in ({}, {"membership": "x"}):
        karin.send("/lead/people/approve", sent, 422)


def test_a_contact_sees_and_ends_only_the_own_clubs_members(app, database, town):
    def write(connection):
        other = add_club(connection, town.id, "Sörberge BK")
        kim, ola = make.person(connection, town, "Kim"), make.person(connection, town, "Ola")
        connection.execute(update(Membership).where(Membership.person_id == ola).values(club_id=other))
        grant_role(connection, town.id, kim, Role.CONTACT, make.NOW, club_id=town.club_id)
        return kim, ola, other

    kim, ola, other = database.write(write)
    visitor = Visitor(app, town).sign_in(kim)
    visitor.get("/lead/people", query_string={"club": other})
    assert "Kim" in visitor.words()
    assert "Ola" not in visitor.words()
    visitor.get(f"/lead/memberships/{number(database, ola)}/end", 403)
    visitor.send(f"/lead/memberships/{number(database, ola)}/end", {}, 403)
    visitor.send("/lead/people/approve", {"membership": number(database, ola)}, 403)
    assert state(database, ola) is MembershipState.APPROVED


@pytest.mark.parametrize("elsewhere", [False, True])
def test_ending_a_membership_frees_the_coming_places_and_tells(karin, database, town, elsewhere):
    def write(connection):
        eva = make.person(connection, town)
        shift = make.shift(connection, town)
        book(connection, make.acting(town, eva), shift, eva, "a")
        if elsewhere:
            other = add_club(connection, town.id, "Sörberge BK")
            ask_to_join(connection, town.id, eva, other, make.NOW)
            connection.execute(
                update(Membership).where(Membership.club_id == other).values(state=MembershipState.APPROVED)
            )
        return eva, shift

    eva, shift = database.write(write)
    path = f"/lead/memberships/{number(database, eva)}/end"
    karin.get(path)
    assert ("fredag 27 november" in karin.words()) is not elsewhere
    karin.follow(karin.send(path))
    assert "Medlemskapet är avslutat" in karin.words()
    with database.reading() as connection:
        assert make.places(connection, shift) == ((1, 0) if elsewhere else (0, 0))
        told = connection.execute(select(Message.id).where(Message.kind == MessageKind.TAKEN_OFF)).all()
    assert len(told) == (0 if elsewhere else 1)
    karin.send(path, {}, 409)
    karin.get("/lead/log")
    assert "är inte längre medlem" in karin.words()

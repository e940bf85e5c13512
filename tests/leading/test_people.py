"""Finding members, approving many at once, ending a membership."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from scheduler.bookings.actions import book, record_attendance
from scheduler.leading.members import Sought, members
from scheduler.leading.rules import Activity
from scheduler.messages import standing
from scheduler.messages.rules import MessageKind, TextGroup
from scheduler.messages.tables import Message
from scheduler.partnership.actions import add_club
from scheduler.people import vouching
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


def walkers(connection, town):
    """Make one of each kind: (name, a member for so many days, walked so many days ago or never, has booked)."""
    kinds = [
        ("Ny", 3, None, False),
        ("Nybokad", 200, None, True),
        ("Väntar", 200, None, False),
        ("Aktiv", 300, 4, False),
        ("Gränsen", 300, 90, False),
        ("Vilar", 300, 91, False),
        ("Åter", 300, 200, True),
    ]
    coming = make.shift(connection, town)
    nights = {days: make.FRIDAY - timedelta(days=days + 4) for *_, days, _ in kinds if days is not None}
    for name, member_for, walked, booked in kinds:
        person = make.person(connection, town, name)
        since = make.NOW - timedelta(days=member_for)
        connection.execute(update(Membership).where(Membership.person_id == person).values(asked_at=since))
        if walked is not None:
            past = make.shift(connection, town, nights[walked])
            early = make.before_start(72, nights[walked])
            book(connection, make.acting(town, person, early), past, person, "a")
            record_attendance(connection, make.acting(town, person), past, [person])
        if booked:
            book(connection, make.acting(town, person), coming, person, "b")


def test_new_active_and_resting_are_told_and_found(each_database):
    town = each_database.write(make.town)
    each_database.write(lambda connection: walkers(connection, town))

    def found(state):
        with each_database.reading() as connection:
            return members(connection, make.acting(town, None), Sought("", state, None, None, 0))

    everybody = found(None)
    assert {one.name.split()[0]: one.activity for one in everybody} == {
        "Ny": Activity.NEW, "Nybokad": Activity.NEW, "Väntar": Activity.RESTING, "Aktiv": Activity.ACTIVE,
        "Gränsen": Activity.ACTIVE, "Vilar": Activity.RESTING, "Åter": Activity.ACTIVE,
    }  # fmt: skip
    for state in Activity:
        assert found(state) == [one for one in everybody if one.activity is state]
    aktiv = next(one for one in everybody if one.name.startswith("Aktiv"))
    assert (aktiv.season, aktiv.walks, aktiv.last) == (1, 1, make.FRIDAY - timedelta(days=8))


def test_the_list_tells_what_a_coordinator_needs_and_a_contact_less(app, karin, database, town):
    def write(connection):
        eva = make.person(connection, town, "Eva", number="+46701740655")
        kim = make.person(connection, town, "Kim")
        grant_role(connection, town.id, kim, Role.CONTACT, make.NOW, club_id=town.club_id)
        vouching.let_lead(connection, make.acting(town, kim), eva, may=True)
        vouching.note_extract(connection, make.acting(town, kim), eva, make.NOW.date() - timedelta(days=366))
        standing.choose(connection, eva, [TextGroup.REQUESTS], make.NOW.time(), make.NOW.time())
        return eva, kim

    _eva, kim = database.write(write)
    karin.get("/lead/people", query_string={"state": "new", "q": "Eva"})
    assert "Nattvandring Timrå IK · ny" in karin.words()
    assert "Får ledaja" in karin.words()
    assert "2025-11-22 över ett år gammalt" in karin.words()
    assert "inga frågor" in karin.words()
    karin.get("/lead/people", query_string={"state": "resting"})
    assert "Eva" not in karin.words()
    contact = Visitor(app, town).sign_in(kim)
    contact.get("/lead/people", query_string={"q": "Eva"})
    assert "Senaste passet" in contact.words()
    assert "2025-11-22" not in contact.words()
    assert "Får leda" not in contact.words()
    karin.send("/lead/people/export", {"state": "resting", "kind": "csv"}, 200)

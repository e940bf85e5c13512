"""Clubs take shifts; their own members come first until a day; nobody acts for another club."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from scheduler.bookings import waiting_list
from scheduler.bookings.actions import book, hand_over, take_over
from scheduler.bookings.candidates import fitting_people, people_to_pick
from scheduler.bookings.rules import ClubFirst
from scheduler.clubs.actions import take_for_club
from scheduler.nights.hosting import HostTaken, take
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Shift
from scheduler.partnership.actions import add_club
from scheduler.people.actions import grant_role
from scheduler.people.queries import log
from scheduler.people.rules import MembershipState, Role
from scheduler.people.tables import Membership
from tests import make
from tests.visitor import HTML, Visitor

LATE = date(2026, 12, 26)


def member(connection, town, club_id, name):
    person = make.person(connection, town, name)
    connection.execute(update(Membership).where(Membership.person_id == person).values(club_id=club_id))
    return person


@pytest.fixture
def scene(database, town):
    """Two clubs with three members each, a contact for each, a coordinator, and a shift a month ahead."""

    def write(connection):
        other = add_club(connection, town.id, "Sörberge BK")
        people = {"own": [], "other": []}
        for number in range(3):
            people["own"].append(member(connection, town, town.club_id, f"Egen{number}"))
            people["other"].append(member(connection, town, other, f"Annan{number}"))
        grant_role(connection, town.id, people["own"][0], Role.CONTACT, make.NOW, club_id=town.club_id)
        grant_role(connection, town.id, people["other"][0], Role.CONTACT, make.NOW, club_id=other)
        boss = make.person(connection, town, "Karin", state=None)
        grant_role(connection, town.id, boss, Role.COORDINATOR, make.NOW)
        return {**people, "club": other, "boss": boss, "shift": make.shift(connection, town, LATE)}

    return database.write(write)


def facts(database, shift):
    with database.reading() as connection:
        return connection.execute(select(Shift).where(Shift.id == shift)).one()


def test_a_contact_takes_a_shift_and_the_own_members_come_first(app, town, database, scene, clock):
    shift = scene["shift"]
    kim = Visitor(app, town).sign_in(scene["own"][0])
    kim.follow(kim.get("/lead/clubs", 303))
    assert "Föreningen har inte tagit något" in kim.words()
    kim.follow(kim.send(f"/lead/clubs/{town.club_id}/shifts/{shift}/take"))
    assert "Egna medlemmar först, till lör 12 dec 08:00" in kim.words()
    stranger, own = Visitor(app, town).sign_in(scene["other"][1]), Visitor(app, town).sign_in(scene["own"][1])
    stranger.get("/nights")
    assert "Dess egna medlemmar bokar först" in stranger.words()
    assert stranger.forms_to(f"/shifts/{shift}/bookings") == []
    stranger.send(f"/shifts/{shift}/bookings", {}, 409)
    assert "öppnar för alla lör 12 dec 08:00" in stranger.words()
    own.get("/nights")
    assert own.forms_to(f"/shifts/{shift}/bookings") != []
    own.send(f"/shifts/{shift}/bookings")
    clock.instant = datetime(2026, 12, 12, 7, 0, tzinfo=UTC)
    stranger.get("/nights")
    stranger.send(f"/shifts/{shift}/bookings")
    assert facts(database, shift).booked == 2


def test_a_near_shift_is_open_for_all_at_once(app, town, database, scene):
    near = database.write(lambda connection: make.shift(connection, town))
    kim = Visitor(app, town).sign_in(scene["own"][0])
    kim.follow(kim.send(f"/lead/clubs/{town.club_id}/shifts/{near}/take"))
    assert "Alla kan boka" in kim.words()
    assert facts(database, near).members_first_until is None


def test_a_shift_with_a_waiting_list_stays_open_for_those_in_it(database, town, scene):
    def write(connection):
        shift = make.shift(connection, town, LATE + timedelta(days=7), wanted=2)
        for person in scene["own"][:2]:
            book(connection, make.acting(town, person), shift, person, "a")
        last = scene["other"][2]
        waiting_list.join(connection, make.acting(town, last), shift, last, "a")
        until = make.NOW + timedelta(days=20)
        take_for_club(connection, make.acting(town, None), shift, town.club_id, until)
        return shift

    shift = database.write(write)
    assert facts(database, shift).host_club_id == town.club_id
    assert facts(database, shift).members_first_until is None


def test_a_hand_over_keeps_to_the_club_while_its_members_come_first(database, town, scene):
    shift, (giver, mate, taker) = scene["shift"], (*scene["own"][1:3], scene["other"][1])
    until = make.NOW + timedelta(days=20)

    def give(connection, now):
        acting = make.acting(town, giver, now)
        given = book(connection, acting, shift, giver, "a")
        hand_over(connection, acting, given, None)
        return given, {one.id for one in fitting_people(connection, town.id, shift, now)}

    def write(connection):
        take(connection, make.acting(town, None), shift, town.club_id, until)
        given, asked = give(connection, make.NOW)
        assert mate in asked
        assert taker not in asked
        assert taker not in {one.id for one in people_to_pick(connection, shift, giver, make.NOW)}
        with pytest.raises(ClubFirst):
            take_over(connection, make.acting(town, taker), given, "c")
        assert taker in give(connection, until)[1]
        return take_over(connection, make.acting(town, taker, until), given, "c")

    assert database.write(write)
    assert facts(database, shift).booked == 1


def test_nobody_acts_for_another_club_or_takes_what_another_has(app, town, database, scene):
    shift, other = scene["shift"], scene["club"]
    kim, bo = (Visitor(app, town).sign_in(scene[whose][0]) for whose in ("own", "other"))
    kim.get(f"/lead/clubs/{other}", 403)
    kim.send(f"/lead/clubs/{other}/shifts/{shift}/take", {}, 403)
    kim.send(f"/lead/clubs/{other}/wish", {"wish": "3"}, 403)
    bo.send(f"/lead/clubs/{other}/shifts/{shift}/take")
    kim.send(f"/lead/clubs/{town.club_id}/shifts/{shift}/take", {}, 409)
    kim.send(f"/lead/clubs/{town.club_id}/shifts/{shift}/back", {}, 409)
    kim.send(f"/lead/clubs/{town.club_id}/shifts/{shift}/open", {}, 404)
    assert facts(database, shift).host_club_id == other
    kim.send(f"/lead/clubs/{town.club_id}/shifts/{shift}/take", {"days": "många"}, 422)


def test_a_shift_that_is_given_back_goes_to_the_reserve(app, town, database, scene):
    shift, other = scene["shift"], scene["club"]
    until = make.NOW + timedelta(days=20)
    database.write(
        lambda connection: take(connection, make.acting(town, None), shift, town.club_id, until, reserve_club_id=other)
    )
    kim = Visitor(app, town).sign_in(scene["own"][0])
    kim.get(f"/lead/clubs/{town.club_id}")
    assert "I reserv: Sörberge BK" in kim.words()
    kim.send(f"/lead/clubs/{town.club_id}/shifts/{shift}/open")
    assert facts(database, shift).members_first_until is None
    kim.send(f"/lead/clubs/{town.club_id}/shifts/{shift}/back")
    assert facts(database, shift).host_club_id == other
    with database.reading() as connection:
        story = log(connection, town.id, shift_id=shift)
    assert [entry.what for entry in story if entry.what == "shift.hosted"] == ["shift.hosted"] * 2


def test_a_contact_says_how_many_shifts_the_club_wants(app, town, scene):
    kim = Visitor(app, town).sign_in(scene["own"][0])
    kim.follow(kim.send(f"/lead/clubs/{town.club_id}/wish", {"wish": "3"}))
    assert 'name="wish" type="text" value="3"' in kim.text
    for typed in ("", "-1", "1000", "tre"):
        kim.send(f"/lead/clubs/{town.club_id}/wish", {"wish": typed}, 422)
        assert "ett tal från 0 till 366" in kim.words()


def test_the_coordinator_shares_out_the_season_as_she_saw_it(app, town, database, scene):
    def write(connection):
        for number in range(1, 6):
            make.shift(connection, town, LATE + timedelta(days=7 * number), state=ShiftState.PLANNED)

    database.write(write)
    karin = Visitor(app, town).sign_in(scene["boss"])
    karin.get("/lead/clubs/proposal")
    assert "Fördela 6 pass" in karin.words()
    turns = [f.get("value") for f in karin.page.iter(f"{HTML}input") if f.get("name") == "turn"]
    karin.send("/lead/clubs/proposal", {"days": "14", "turn": turns[:5]})
    with database.reading() as connection:
        hosts = list(connection.execute(select(Shift.host_club_id).order_by(Shift.starts_at)).scalars())
    assert sorted(hosts[:5]).count(town.club_id) in {2, 3}
    assert hosts[5] is None
    assert facts(database, scene["shift"]).reserve_club_id is not None
    karin.follow(karin.send("/lead/clubs/proposal", {"days": "14", "turn": turns}))
    assert "3 pass" in karin.words()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"days": "14"}, 422),
        ({"days": "x", "turn": "1-1-"}, 422),
        ({"days": "14", "turn": "x"}, 422),
        ({"days": "14", "turn": "999999-1-"}, 404),
        ({"days": "14", "turn": "1-999999-"}, 404),
        ({"days": "14", "turn": "1-1-999999"}, 404),
    ],
)
def test_a_broken_share_changes_nothing(app, town, database, scene, sent, status):
    karin = Visitor(app, town).sign_in(scene["boss"])
    karin.send("/lead/clubs/proposal", sent, status)
    assert facts(database, scene["shift"]).host_club_id is None
    karin.get("/lead/clubs/proposal", 200, query_string={"last": "2026-12-01"})


@pytest.mark.parametrize("guarded", [True, False])
def test_of_two_clubs_that_take_one_shift_one_has_it_and_the_other_is_told(each_database, guarded):
    """The control reads first and then writes, as one would without the guard: both believe that they have it."""

    def write(connection):
        town = make.town(connection)
        clubs = [add_club(connection, town.id, name) for name in ("A", "B")]
        return town, clubs, make.shift(connection, town, LATE)

    town, clubs, shift = each_database.write(write)
    told, seen = [None, None], threading.Barrier(2)

    def unguarded(club):
        with each_database.reading() as connection:
            free = connection.execute(select(Shift.host_club_id).where(Shift.id == shift)).scalar() is None
        seen.wait()
        assert free
        each_database.write(
            lambda connection: connection.execute(update(Shift).where(Shift.id == shift).values(host_club_id=club))
        )

    def run(number):
        if not guarded:
            unguarded(clubs[number])
            told[number] = "mine"
            return
        seen.wait()
        try:
            each_database.write(lambda c: take(c, make.acting(town, None), shift, clubs[number], None))
            told[number] = "mine"
        except HostTaken:
            told[number] = "taken"

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with each_database.reading() as connection:
        host = connection.execute(select(Shift.host_club_id).where(Shift.id == shift)).scalar()
    if guarded:
        assert sorted(told) == ["mine", "taken"]
        assert host == clubs[told.index("mine")]
    else:
        assert told == ["mine", "mine"]


def test_a_member_of_both_clubs_may_book(database, town, scene):
    shift, both = scene["shift"], scene["other"][1]

    def write(connection):
        connection.execute(
            insert(Membership).values(
                partnership_id=town.id, person_id=both, club_id=town.club_id, state=MembershipState.APPROVED,
                asked_at=make.NOW, decided_at=None,
            )
        )  # fmt: skip
        take(connection, make.acting(town, None), shift, town.club_id, make.NOW + timedelta(days=20))
        return book(connection, make.acting(town, both), shift, both, "a")

    assert database.write(write)

"""A club leaves: it takes and invites no more, and keeps what it has earned."""

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from scheduler.bookings.actions import book
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.clubs.actions import begin_again, end_club
from scheduler.kit.audit import AuditEntry
from scheduler.money.actions import name_host, settle_all
from scheduler.money.tables import LedgerEntry
from scheduler.nights.hosting import ClubStanding, OpenShift, share_out, take
from scheduler.nights.tables import Shift
from scheduler.partnership.actions import add_club
from scheduler.partnership.rules import ClubLeft
from scheduler.partnership.tables import Club
from scheduler.people.actions import grant_role
from scheduler.people.rules import MembershipState, Role
from scheduler.people.tables import Membership
from scheduler.walks.actions import write_note
from tests import make
from tests.clubs.test_clubs import LATE, member
from tests.leading.conftest import coordinator
from tests.visitor import Visitor
from tests.walks.test_actions import CALM

TODAY = make.NOW.date()


@pytest.fixture
def leaver(database, town):
    """Sörberge BK with two members, its contact first, and the coordinator."""

    def write(connection):
        club = add_club(connection, town.id, "Sörberge BK", invitation_code="sorberge")
        people = [member(connection, town, club, name) for name in ("Kim", "Bo")]
        grant_role(connection, town.id, people[0], Role.CONTACT, make.NOW, club_id=club)
        return club, people, coordinator(connection, town)

    return database.write(write)


def hosts(database, *shifts):
    with database.reading() as connection:
        rows = connection.execute(select(Shift.id, Shift.host_club_id, Shift.reserve_club_id))
        found = {row.id: (row.host_club_id, row.reserve_club_id) for row in rows}
    return [found[one] for one in shifts]


def test_a_coordinator_lets_a_club_leave_from_a_day_and_begin_again(app, town, database, leaver):
    club, people, boss = leaver

    def write(connection):
        shifts = [make.shift(connection, town, LATE + timedelta(days=7 * week)) for week in range(3)]
        acting = make.acting(town, None)
        take(connection, acting, shifts[0], club, None)
        take(connection, acting, shifts[1], club, None, reserve_club_id=town.club_id)
        take(connection, acting, shifts[2], town.club_id, None, reserve_club_id=club)
        book(connection, make.acting(town, people[1]), shifts[1], people[1], "a")
        return shifts

    shifts = database.write(write)
    karin = Visitor(app, town).sign_in(boss)
    path = f"/lead/clubs/{club}"
    karin.get(f"{path}/end")
    assert "2 medlemmar har ingen annan förening" in karin.words()
    for typed, sentence in (
        ("2026-11-22", "Den dagen har passerat"),
        ("2036-01-01", "Kontrollera året"),
        ("snart", "Skriv ett datum"),
    ):
        karin.send(f"{path}/end", {"ended_on": typed}, 422)
        assert sentence in karin.words()
        assert f'value="{typed}"' in karin.text
    karin.follow(karin.send(f"{path}/end", {"ended_on": str(LATE + timedelta(days=7))}))
    assert "Föreningen är inte med från och med 2027-01-02" in karin.words()
    assert hosts(database, *shifts) == [(club, None), (town.club_id, None), (town.club_id, None)]
    with database.reading() as connection:
        assert connection.execute(select(Booking.state)).scalars().all() == [BookingState.BOOKED], "no booking is lost"
    contact = Visitor(app, town).sign_in(people[0])
    contact.send(f"{path}/end", {"ended_on": "2026-12-01"}, 403)
    contact.send(f"{path}/begin", {}, 403)
    later = database.write(lambda connection: make.shift(connection, town, LATE + timedelta(days=28)))
    contact.send(f"{path}/shifts/{later}/take", {}, 409)
    assert "Sörberge BK är inte med från och med 2027-01-02" in contact.words()
    karin.follow(karin.send(f"{path}/begin"))
    assert "inte med från" not in karin.words()
    contact.send(f"{path}/shifts/{later}/take")
    assert hosts(database, later) == [(club, None)]
    karin.get("/lead/log")
    assert "lät en förening sluta" in karin.words()
    assert "lät en förening börja igen" in karin.words()


def test_a_club_that_has_left_invites_approves_and_wishes_no_more(app, town, database, leaver):
    club, people, boss = leaver

    def write(connection):
        ida = make.person(connection, town, "Ida", state=MembershipState.PENDING)
        mine = update(Membership).where(Membership.person_id == ida)
        connection.execute(mine.values(club_id=club))
        end_club(connection, make.acting(town, boss), club, TODAY)
        return connection.execute(select(Membership.id).where(Membership.person_id == ida)).scalar_one()

    waiting = database.write(write)
    karin, contact = (Visitor(app, town).sign_in(one) for one in (boss, people[0]))
    Visitor(app, town).get("/join/sorberge", 409)
    contact.get(f"/lead/clubs/{club}/invitation", 409)
    assert "Sörberge BK är inte med från och med 2026-11-23" in contact.words()
    contact.send(f"/lead/clubs/{club}/wish", {"wish": "3"}, 409)
    karin.send(f"/lead/members/{waiting}/approve", {}, 409)
    karin.send("/lead/people/approve", {"membership": waiting})
    karin.get("/lead/people/import")
    assert "Sörberge BK" not in karin.words()
    contact.get(f"/lead/clubs/{club}")
    assert "intjänat" in contact.words()
    assert "Ta ett pass" not in contact.words()
    with database.reading() as connection:
        state = select(Membership.state).where(Membership.id == waiting)
        assert connection.execute(state).scalar_one() is MembershipState.PENDING


def test_what_it_walked_is_paid_and_what_its_members_walk_later_goes_to_no_club(each_database):
    town = each_database.write(make.town)
    nights = [date(2026, 11, 13), date(2026, 11, 14), make.FRIDAY]

    def walk(connection, boss, pair, night, club):
        shift = make.shift(connection, town, night)
        early = make.acting(town, boss, make.before_start(72, night))
        if club is not None:
            take(connection, early, shift, club, None)
        for person in pair:
            book(connection, make.acting(town, person, early.now), shift, person, f"{night}")
        return shift

    def note(connection, boss, pair, night, shift):
        write_note(
            connection, make.acting(town, boss, make.before_start(-5, night)), shift, CALM, set(pair), leads=True
        )

    def write(connection):
        boss = coordinator(connection, town)
        club = add_club(connection, town.id, "Sörberge BK")
        pair = [member(connection, town, club, name) for name in ("Kim", "Bo")]
        hosted, own, after = (
            walk(connection, boss, pair, night, club if night == nights[0] else None) for night in nights
        )
        note(connection, boss, pair, nights[0], hosted)
        end_club(connection, make.acting(town, boss), club, TODAY)
        note(connection, boss, pair, nights[1], own)
        note(connection, boss, pair, nights[2], after)
        acting = make.acting(town, boss, make.before_start(-6))
        settle_all(connection, acting)
        with pytest.raises(ClubLeft):
            name_host(connection, acting, after, club)
        name_host(connection, acting, after, town.club_id)
        return club, [hosted, own, after]

    club, (hosted, own, after) = each_database.write(write)
    with each_database.reading() as connection:
        rows = connection.execute(select(LedgerEntry.shift_id, LedgerEntry.club_id, LedgerEntry.amount_ore))
        paid = {(row.shift_id, row.club_id): row.amount_ore for row in rows}
    assert paid == {(hosted, club): 250_000, (own, club): 250_000, (after, town.club_id): 250_000}


def test_the_coordinating_club_stays(app, town, leaver):
    *_, boss = leaver
    karin = Visitor(app, town).sign_in(boss)
    karin.send(f"/lead/clubs/{town.club_id}/end", {"ended_on": "2026-12-01"}, 409)
    assert "samordnar partnerskapet och kan inte lämna det" in karin.words()


def test_a_proposal_gives_a_club_nothing_from_the_day_it_leaves():
    shifts = [OpenShift(day, date(2026, 12, day), "Centrum", make.NOW + timedelta(days=day)) for day in (4, 11, 18)]
    clubs = [ClubStanding(1, "A", 9, None, 0, date(2026, 12, 11)), ClubStanding(2, "B", 3, None, 0)]
    turns = share_out(shifts, clubs)
    assert [turn.club_id for turn in turns] == [1, 2, 2]
    assert [turn.reserve_id for turn in turns] == [2, None, None]


def test_a_shift_taken_while_the_club_leaves_is_given_back_or_refused(each_database):
    def write(connection):
        town = make.town(connection)
        club = add_club(connection, town.id, "Sörberge BK")
        return town, club, [make.shift(connection, town, LATE + timedelta(days=7 * week)) for week in range(8)]

    town, club, shifts = each_database.write(write)
    at_once, acting = threading.Barrier(2), make.acting(town, None)

    def take_all():
        at_once.wait()
        for shift in shifts:
            try:
                each_database.write(lambda connection, shift=shift: take(connection, acting, shift, club, None))
            except ClubLeft:
                return

    def leave():
        at_once.wait()
        each_database.write(lambda connection: end_club(connection, acting, club, TODAY))

    threads = [threading.Thread(target=work) for work in (take_all, leave)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hosts(each_database, *shifts) == [(None, None)] * 8
    each_database.write(lambda connection: begin_again(connection, acting, club))
    with each_database.reading() as connection:
        assert connection.execute(select(Club.ended_on).where(Club.id == club)).scalar_one() is None
        told = connection.execute(select(AuditEntry.what).where(AuditEntry.what.like("club.%"))).scalars().all()
    assert told == ["club.ended", "club.begun_again"]


def held(database, acting, shift, club, meanwhile):
    """Take a shift, and let `meanwhile` happen before that is done."""

    def work(connection):
        take(connection, acting, shift, club, None)
        meanwhile()

    database.write(work)


def looked_at(database, acting, shift, club, meanwhile):
    """The control: look whether the club takes part, and write afterwards what that allowed."""
    with database.reading() as connection:
        assert connection.execute(select(Club.ended_on).where(Club.id == club)).scalar_one() is None
    meanwhile()
    database.write(
        lambda connection: connection.execute(update(Shift).where(Shift.id == shift).values(host_club_id=club))
    )


@pytest.mark.parametrize(("take_it", "left_with_the_club"), [(held, False), (looked_at, True)])
def test_a_club_cannot_leave_between_looking_and_taking(each_database, take_it, left_with_the_club):
    def write(connection):
        town = make.town(connection)
        return town, add_club(connection, town.id, "Sörberge BK"), make.shift(connection, town, LATE)

    town, club, shift = each_database.write(write)
    acting = make.acting(town, None)
    leaving = threading.Thread(
        target=lambda: each_database.write(lambda connection: end_club(connection, acting, club, TODAY))
    )

    def meanwhile():
        if leaving.ident is None:
            leaving.start()
        # Where the club is held, it leaves only afterwards, and the wait runs out.
        leaving.join(timeout=5 if left_with_the_club else 0.3)

    take_it(each_database, acting, shift, club, meanwhile)
    leaving.join()
    assert hosts(each_database, shift) == [(club if left_with_the_club else None, None)]

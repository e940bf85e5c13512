"""Two records become one person: everything that named the one names the other, and no figure becomes untrue."""

import threading
from contextlib import suppress
from datetime import date, timedelta

import pytest
from sqlalchemy import Integer, select, update

from scheduler.bookings import actions as bookings
from scheduler.bookings import waiting_list
from scheduler.bookings.queries import drift
from scheduler.bookings.rules import BookingState, Ended
from scheduler.bookings.tables import Booking
from scheduler.calendars import actions as calendars
from scheduler.calendars import making
from scheduler.calendars.rules import CalendarKind
from scheduler.calendars.tables import Calendar, CalendarEvent, CalendarFeed
from scheduler.doubles import actions, queries
from scheduler.doubles.rules import BothWalked, clashes
from scheduler.gaps.rules import AskingState, AskState
from scheduler.gaps.tables import Ask, Asking
from scheduler.kit.audit import AuditEntry
from scheduler.kit.refusals import NotFound, Refusal
from scheduler.messages import standing
from scheduler.messages.rules import MessageKind, MessageState
from scheduler.messages.tables import Message
from scheduler.nights.tables import Shift
from scheduler.people import notes
from scheduler.people.actions import grant_role
from scheduler.people.rules import MembershipState, Role
from scheduler.people.signing_in import start_session
from scheduler.people.tables import Membership, Person, RoleGrant
from scheduler.tables import METADATA
from scheduler.walks.tables import WalkedFor
from tests import make
from tests.conftest import SECRET
from tests.leading.conftest import coordinator

LAST_FRIDAY = make.FRIDAY - timedelta(days=7)


class Story:
    """Eva stands here twice: once as a member of long ago, once as she joined again with a new number."""

    def __init__(self, database):
        self.database = database
        self.town = database.write(make.town)

        def write(connection):
            karin = coordinator(connection, self.town)
            return karin, *(make.person(connection, self.town, "Eva") for _ in range(2))

        self.karin, self.eva, self.twin = database.write(write)

    def do(self, verb, person, *words, now=make.NOW, **more):
        who = make.acting(self.town, person, now)
        return self.database.write(lambda connection: verb(connection, who, *words, **more))

    def shift(self, *words, **more):
        return self.database.write(lambda connection: make.shift(connection, self.town, *words, **more))

    def book(self, person, shift, now=make.NOW):
        return self.do(bookings.book, person, shift, person, "a", now=now)

    def merge(self):
        self.do(actions.merge, self.karin, self.eva, self.twin)
        with self.database.reading() as connection:
            assert drift(connection) == []
            assert connection.execute(select(Person.id).where(Person.id == self.twin)).first() is None

    def rows(self, *columns, where=True):
        with self.database.reading() as connection:
            return [tuple(row) for row in connection.execute(select(*columns).where(where).order_by(columns[0]))]


@pytest.fixture
def story(each_database):
    return Story(each_database)


def test_every_column_that_names_a_person_is_dealt_with():
    dealt = {f"{column.table.name}.{column.key}" for column in (*actions.POINTS, *actions.SETTLED)}
    named = set()
    for table in METADATA.sorted_tables:
        for column in table.columns:
            points = any(key.column.table.name == "person" for key in column.foreign_keys)
            says_who = isinstance(column.type, Integer) and column.name.endswith(("_by", "person_id"))
            if points or says_who:
                named.add(f"{table.name}.{column.name}")
    assert named == dealt


def test_walks_memberships_roles_and_the_log_move(story):
    past, coming = story.shift(LAST_FRIDAY), story.shift()
    early = make.before_start(24 * 14)
    story.book(story.twin, past, now=early)
    story.do(bookings.record_attendance, story.twin, past, [story.twin])
    moved = story.book(story.twin, coming)

    def write(connection):
        grant_role(connection, story.town.id, story.twin, Role.CONTACT, make.NOW, club_id=story.town.club_id)
        connection.execute(
            update(Membership).where(Membership.person_id == story.eva).values(state=MembershipState.PENDING)
        )
        start_session(connection, story.town.id, story.twin, "her phone", make.NOW)

    story.database.write(write)
    before = story.rows(AuditEntry.id)
    story.merge()
    assert story.rows(Booking.id, Booking.state, where=Booking.person_id == story.eva)[1] == (
        moved,
        BookingState.BOOKED,
    )
    assert story.rows(Membership.person_id, Membership.state, where=Membership.person_id == story.eva) == [
        (story.eva, MembershipState.APPROVED)
    ]
    assert story.rows(RoleGrant.role, where=RoleGrant.person_id == story.eva) == [(Role.CONTACT,)]
    assert story.rows(AuditEntry.id, where=AuditEntry.person_id == story.twin) == []
    (what,) = set(story.rows(AuditEntry.id)) - set(before)
    assert story.rows(AuditEntry.id, AuditEntry.what, where=AuditEntry.id == what[0])[0][1] == "person.merged"


def test_two_places_on_one_shift_become_one_and_the_next_in_line_gets_the_other(story):
    shift = story.shift(wanted=2)
    kept = story.book(story.eva, shift)
    story.book(story.twin, shift)
    anna = story.database.write(lambda connection: make.person(connection, story.town, "Anna"))
    story.do(waiting_list.join, anna, shift, anna, "a", auto_take=True)
    story.merge()
    hers = story.rows(Booking.id, Booking.state, where=Booking.person_id == story.eva)
    assert hers == [(kept, BookingState.BOOKED), (hers[1][0], BookingState.CANCELLED)]
    assert story.rows(Booking.state, where=Booking.person_id == anna) == [(BookingState.BOOKED,)]
    kinds = story.rows(Message.id, Message.kind, Message.person_id)
    assert [(kind, who) for _, kind, who in kinds] == [(MessageKind.PLACE_YOURS, anna)], "nobody else is told"


def test_of_two_walks_at_once_the_later_booked_is_free_and_she_is_told_at_the_kept_number(story):
    first, second = story.shift(), story.shift(area=story.town.arena)
    story.book(story.twin, first, now=make.NOW - timedelta(hours=1))
    story.book(story.eva, second)
    with story.database.reading() as connection:
        found = queries.preview(connection, story.town.id, story.eva, story.twin, make.NOW)
    assert [clash.ends.shift_id for clash in found.ends] == [second]
    assert [one.shift_id for one in found.moves] == [first]
    story.merge()
    assert story.rows(Booking.shift_id, Booking.state, Booking.ended_because) == [
        (first, BookingState.BOOKED, None),
        (second, BookingState.CANCELLED, Ended.TAKEN_OFF),
    ]
    (told,) = story.rows(Message.kind, Message.person_id, Message.to_phone)
    (number,) = story.rows(Person.phone, where=Person.id == story.eva)
    assert told == (MessageKind.TAKEN_OFF, story.eva, *number)


def test_who_has_walked_with_both_is_two_people_and_nothing_is_changed(story):
    shift = story.shift(LAST_FRIDAY)
    early = make.before_start(24 * 14)
    for person in (story.eva, story.twin):
        story.book(person, shift, now=early)
    story.do(bookings.record_attendance, story.karin, shift, [story.eva, story.twin])
    before = story.rows(AuditEntry.id)
    with pytest.raises(BothWalked):
        story.do(actions.merge, story.karin, story.eva, story.twin)
    assert story.rows(AuditEntry.id) == before
    assert len(story.rows(Person.id)) == 3


def test_a_walk_that_one_of_them_came_to_stays_walked_once_for_its_club(story):
    shift = story.shift(LAST_FRIDAY)
    early = make.before_start(24 * 14)
    for person in (story.eva, story.twin):
        story.book(person, shift, now=early)
    story.do(bookings.record_attendance, story.karin, shift, [story.twin])
    story.database.write(
        lambda connection: connection.execute(
            WalkedFor.__table__.insert().values(
                shift_id=shift, person_id=story.twin, partnership_id=story.town.id, club_id=story.town.club_id
            )
        )
    )
    story.merge()
    assert sorted(story.rows(Booking.state)) == [(BookingState.ATTENDED,), (BookingState.CANCELLED,)]
    assert story.rows(WalkedFor.person_id, WalkedFor.club_id) == [(story.eva, story.town.club_id)]


def test_a_walk_handed_over_to_herself_is_kept(story):
    shift = story.shift()
    booking = story.book(story.twin, shift)
    story.do(bookings.hand_over, story.twin, booking, story.eva)
    story.merge()
    assert story.rows(Booking.person_id, Booking.handing_over_since, Booking.handing_over_to) == [
        (story.eva, None, None)
    ]


def test_of_two_questions_about_one_shift_the_answered_one_counts(story):
    shift = story.shift()

    def write(connection):
        asking = connection.execute(
            Asking.__table__.insert()
            .values(
                partnership_id=story.town.id, shift_id=shift, state=AskingState.RUNNING, goal=2, wave=1, dry=False,
                started_at=make.NOW, started_by=story.twin, next_wave_at=make.NOW,
            )
            .returning(Asking.id)
        ).scalar_one()  # fmt: skip
        for person, answered in ((story.eva, None), (story.twin, make.NOW)):
            connection.execute(
                Ask.__table__.insert().values(
                    partnership_id=story.town.id, asking_id=asking, shift_id=shift, person_id=person, wave=1,
                    state=AskState.NO if answered else AskState.ASKED, asked_at=make.NOW, answer_by=make.NOW,
                    answered_at=answered,
                )
            )  # fmt: skip

    story.database.write(write)
    story.merge()
    assert story.rows(Ask.id, Ask.person_id, Ask.state) == [
        (1, story.eva, AskState.WITHDRAWN),
        (2, story.eva, AskState.NO),
    ]
    assert story.rows(Asking.started_by) == [(story.eva,)]


def test_notes_become_one_and_choices_about_texts_follow(story):
    story.do(notes.write, story.karin, story.eva, "Går helst med Bo.")
    story.do(notes.write, story.karin, story.twin, "Har egen lampa.", now=make.NOW + timedelta(hours=1))
    story.database.write(
        lambda connection: standing.choose(connection, story.twin, [], make.NOW.time(), make.NOW.time())
    )
    story.merge()
    with story.database.reading() as connection:
        (note,) = notes.about(connection, story.eva)
        assert note.text == "Går helst med Bo.\nHar egen lampa."
        assert standing.preferences(connection, [story.eva]) != {}


@pytest.mark.parametrize("both_have_one", [False, True])
def test_a_calendar_address_goes_on_and_its_sequence_never_falls(story, both_have_one):
    shift = story.shift()
    story.book(story.twin, shift)

    def subscribe(person, fetched_at):
        kind = CalendarKind.MINE
        story.do(calendars.open_feed, person, kind, person, "sv", SECRET)
        story.database.write(
            lambda connection: connection.execute(
                update(CalendarFeed).where(CalendarFeed.person_id == person).values(fetched_at=fetched_at)
            )
        )

    def poll():
        story.database.write(lambda connection: making.note_changes(connection, story.town.id, make.NOW))
        for (calendar,) in story.rows(Calendar.id):
            story.database.write(
                lambda connection, calendar=calendar: making.make(connection, calendar, make.SITE, make.NOW)
            )

    subscribe(story.twin, make.NOW)
    if both_have_one:
        subscribe(story.eva, make.NOW - timedelta(days=1))
        story.book(story.eva, shift)
    poll()
    story.database.write(lambda connection: connection.execute(update(CalendarEvent).values(sequence=4)))
    story.merge()
    poll()
    (feed,) = story.rows(CalendarFeed.person_id, CalendarFeed.calendar_id, where=CalendarFeed.ended_at.is_(None))
    assert feed[0] == story.eva
    ((subject, body),) = story.rows(Calendar.subject_id, Calendar.body, where=Calendar.id == feed[1])
    assert subject == story.eva
    assert b"/bookings/" in body
    ((sequence,),) = story.rows(CalendarEvent.sequence, where=CalendarEvent.calendar_id == feed[1])
    assert sequence >= 4
    assert len(story.rows(CalendarFeed.id, where=CalendarFeed.ended_at.is_not(None))) == both_have_one


def test_a_text_in_the_outbox_goes_to_the_kept_number(story):
    booking = story.book(story.twin, story.shift())
    story.do(bookings.hand_over, story.twin, booking, None)
    story.do(bookings.keep, story.twin, booking)
    story.do(bookings.hand_over, story.eva, story.book(story.eva, story.shift(make.SATURDAY)), None)
    story.merge()
    (number,) = story.rows(Person.phone, where=Person.id == story.eva)
    waiting = story.rows(
        Message.to_phone, where=(Message.state == MessageState.QUEUED) & (Message.person_id == story.eva)
    )
    assert set(waiting) <= {number}
    assert [one for one in story.rows(Message.to_phone) if one[0].startswith("gone")] == []


def test_nobody_merges_across_towns(story):
    other = story.database.write(lambda connection: make.town(connection, "Nattvandring Ånge", "ange.example"))
    stranger = story.database.write(lambda connection: make.person(connection, other))
    for pair in ((story.eva, stranger), (stranger, story.eva)):
        with pytest.raises(NotFound):
            story.do(actions.merge, story.karin, *pair)


def test_who_books_while_the_two_become_one_has_one_place_or_is_refused(each_database):
    """The record that goes books, and the kept one too, at the moment of the merging: never two places, never lost."""
    story = Story(each_database)
    shifts = [story.shift(make.FRIDAY + timedelta(days=7 * week)) for week in range(6)]
    at_once, told = threading.Barrier(3), {}

    def book(person):
        at_once.wait()
        for shift in shifts:
            try:
                told[person, shift] = story.book(person, shift)
            except Refusal as refusal:
                told[person, shift] = refusal

    def merge():
        at_once.wait()
        story.merge()

    threads = [threading.Thread(target=work) for work in (merge, lambda: book(story.eva), lambda: book(story.twin))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with each_database.reading() as connection:
        assert drift(connection) == []
    active = story.rows(Booking.shift_id, Booking.person_id, where=Booking.state == BookingState.BOOKED)
    assert active == [(shift, story.eva) for shift in shifts], "one place on each, all of them the kept record's"
    assert len(told) == 12
    assert all(isinstance(answer, int | NotFound) for answer in told.values()), told
    assert story.rows(Person.born_on, where=Person.id == story.eva) == [(date(1980, 5, 31),)]


@pytest.mark.parametrize("guarded", [True, False])
def test_a_walk_booked_while_the_two_become_one_never_stands_beside_another(each_database, guarded):
    """Eva has a walk on each of six evenings, and the record that goes books another area on the same evenings.

    The control reads what clashes first and then writes, as one would without holding both records: what is booked
    in between leaves one person in two places at once.
    """
    story = Story(each_database)
    evenings = [make.FRIDAY + timedelta(days=7 * week) for week in range(6)]
    for night in evenings:
        story.book(story.eva, story.shift(night))
    others = [story.shift(night, area=story.town.arena) for night in evenings]
    at_once, booked = threading.Barrier(2), threading.Event()

    def book():
        at_once.wait()
        for shift in others:
            with suppress(Refusal):
                story.book(story.twin, shift)
        booked.set()

    def merge():
        if guarded:
            at_once.wait()
            story.merge()
            return
        with each_database.reading() as connection:
            held = (queries.places(connection, one) for one in (story.eva, story.twin))
            assert clashes(*held, make.NOW) == []
        at_once.wait()
        booked.wait()
        moved = update(Booking).where(Booking.person_id == story.twin).values(person_id=story.eva, once="moved")
        each_database.write(lambda connection: connection.execute(moved))

    threads = [threading.Thread(target=work) for work in (book, merge)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    walks = story.rows(Shift.starts_at, where=Shift.id.in_(
        select(Booking.shift_id).where(Booking.person_id == story.eva, Booking.state == BookingState.BOOKED)
    ))  # fmt: skip
    nights = {starts_at for (starts_at,) in walks}
    assert len(nights) == 6, "no evening is lost"
    assert len(walks) == (6 if guarded else 12)

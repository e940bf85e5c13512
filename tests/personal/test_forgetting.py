"""Being forgotten: what is to come ends as usual, and no column of any table says any more who it was."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import String, cast, insert, literal, select, update

from scheduler.answers.actions import Came, receive
from scheduler.bookings import actions as bookings
from scheduler.bookings import waiting_list
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.calendars import actions as calendars
from scheduler.calendars.making import make as make_calendar
from scheduler.calendars.rules import CalendarKind
from scheduler.calendars.tables import Calendar, CalendarFeed
from scheduler.kit.audit import AuditEntry
from scheduler.kit.refusals import Refusal
from scheduler.leading.members import Sought
from scheduler.leading.members import members as listed_members
from scheduler.messages import standing
from scheduler.messages.rules import MessageKind, MessageState, TextGroup
from scheduler.messages.tables import LostText, Message, Redaction
from scheduler.money.actions import settle_all
from scheduler.money.tables import LedgerEntry
from scheduler.people import actions as people
from scheduler.people import notes
from scheduler.people.asking_number import note_number
from scheduler.people.queries import log
from scheduler.people.rules import NO_NAME, Role, Visitor, VisitorPartnership, VisitorPerson
from scheduler.people.signing_in import ask_for_code, start_session
from scheduler.people.tables import Person, RoleGrant
from scheduler.personal.actions import forget
from scheduler.personal.rules import OnlyCoordinator, OutNow
from scheduler.steering.actions import add_member, call_meeting, take_seat
from scheduler.steering.queries import meetings, members
from scheduler.steering.rules import Partner
from scheduler.tables import METADATA
from scheduler.walks.actions import arrive, write_note
from scheduler.walks.tables import WalkNote
from tests import make
from tests.conftest import SECRET
from tests.walks.test_actions import CALM

FIRST, LAST, PHONE, BORN = "Ottiljana", "Kvistgrensdotter", "+46701740677", date(1971, 8, 9)
OTHER_PHONE = "+46701740678"
TRACES = ("Ottiljana", "Kvistgrens", "01740677", "01740678", "0174 06 77", "174 06 77", "1971-08-09")
AFTER = make.before_start(-5)


def everything(database):
    """Return every row of every table, as text, bytes too."""
    with database.reading() as connection:
        return {
            table.name: [
                json.dumps(
                    {
                        name: value.decode("latin-1") if isinstance(value, bytes) else value
                        for name, value in row._mapping.items()
                    },
                    default=str,
                    ensure_ascii=False,
                )
                for row in connection.execute(select(table))
            ]
            for table in METADATA.sorted_tables
        }


def traces(database):
    return {
        name: found
        for name, rows in everything(database).items()
        if (found := [row for row in rows if any(trace in row for trace in TRACES)])
    }


class Life:
    """Ottiljana's: a walk behind her, one full and one to come, friends, a calendar, texts and words."""

    def __init__(self, database):
        self.database = database
        database.write(self._begin)
        database.write(self._walked)
        database.write(self._after)

    def _begin(self, connection):
        town = self.town = make.town(connection)
        self.me = people.register(
            connection, town.id, make.NOW, first_name=FIRST, last_name=LAST, phone=PHONE, born_on=BORN
        )
        people.ask_to_join(connection, town.id, self.me, town.club_id, make.NOW)
        people.approve_memberships_of(connection, town.id, self.me, make.NOW)
        self.friend, self.next, self.third = make.people(connection, town, 3)
        self.boss = make.person(connection, town, "Karin")
        for person in (self.me, self.boss):
            people.grant_role(connection, town.id, person, Role.COORDINATOR, make.NOW)
        self.walked = make.shift(connection, town, wanted=3)
        self.full = make.shift(connection, town, make.SATURDAY, wanted=2)
        self.offered = make.shift(connection, town, make.SATURDAY + timedelta(days=6))
        for person in (self.friend, self.me):
            acting = make.acting(town, person)
            bookings.book(connection, acting, self.walked, person, "w")
            self.of_me = bookings.book(connection, acting, self.full, person, "f")
        waiting_list.join(connection, make.acting(town, self.next), self.full, self.next, "q", auto_take=True)
        given = bookings.book(connection, make.acting(town, self.friend), self.offered, self.friend, "o")
        bookings.hand_over(connection, make.acting(town, self.friend), given, self.me)
        self.given = given
        bookings.hand_over(connection, make.acting(town, self.me), self.of_me, self.third)
        for person in (self.me, self.friend):
            calendars.open_feed(connection, make.acting(town, person), CalendarKind.MINE, person, "sv", SECRET)
        for calendar in list(connection.execute(select(Calendar.id)).scalars()):
            make_calendar(connection, calendar, make.SITE, make.NOW)
        visitor = Visitor(
            VisitorPartnership(town.id, "", "", "", "Europe/Stockholm", "", ""),
            VisitorPerson(self.me, FIRST, "Gammal-Kvistgrens", "sv"),
        )
        people.change_details(connection, visitor, make.NOW, first_name=FIRST, last_name=LAST, language="sv")
        start_session(connection, town.id, self.me, "iPhone, Safari", make.NOW)
        ask_for_code(connection, town.id, PHONE, make.NOW, address="a", host="h", secret_key=SECRET)
        note_number(connection, make.acting(town, self.boss), self.me, OTHER_PHONE)
        notes.write(connection, make.acting(town, self.boss), self.me, "Ottiljana går helst på fredagar.")
        notes.write(connection, make.acting(town, self.me), self.friend, "Kvistgrens: hennes granne.")
        steering = make.acting(town, self.me)
        seat = add_member(connection, steering, Partner.CLUB, f"{FIRST} {LAST}", "ottiljana@klubb.example")
        take_seat(connection, steering, seat, Partner.CLUB)
        add_member(connection, steering, Partner.MUNICIPALITY, "Ida", "ida@kommun.example")
        for days in (2, 90):
            day = make.NOW + timedelta(days=days)
            call_meeting(connection, steering, day, 60, "Kommunhuset", "Ljuset vid kajen", Partner.CLUB)
        standing.choose(connection, self.me, [TextGroup.NEWS], make.NOW.time(), make.NOW.time())

    def _walked(self, connection):
        arrive(connection, make.acting(self.town, self.me, make.before_start(-1)), self.walked)
        write_note(connection, make.acting(self.town, self.me, AFTER), self.walked, CALM, {self.me, self.friend})
        connection.execute(update(WalkNote).values(text="Ottiljana K. såg något"))
        settle_all(connection, make.acting(self.town, None, AFTER))

    def _after(self, connection):
        receive(connection, Came("SM1", PHONE, "Jag heter Ottiljana och undrar en sak"), make.SITE, make.NOW)
        standing.stop(connection, PHONE, make.NOW)

    def forget(self, who=None, now=AFTER):
        acting = make.acting(self.town, who or self.me, now)
        self.database.write(lambda connection: forget(connection, acting, make.SITE))

    def read(self, statement):
        with self.database.reading() as connection:
            return list(connection.execute(statement).scalars())


@pytest.fixture
def life(each_database):
    return Life(each_database)


def test_no_column_of_any_table_holds_the_name_the_number_or_the_birth_date(life):
    before = traces(life.database)
    # The test would see nothing if nothing were there to be seen.
    assert {"person", "message", "incoming", "audit_entry", "calendar", "calendar_event", "sign_in_code", "walk_note",
            "phone_standing", "person_note", "steering_member", "steering_meeting"} <= before.keys()  # fmt: skip
    life.forget()
    assert traces(life.database) == {}


def test_what_was_walked_and_paid_stays_to_the_ore(life):
    def kept():
        return (
            life.read(select(LedgerEntry.amount_ore).order_by(LedgerEntry.id)),
            life.read(select(LedgerEntry.heads).order_by(LedgerEntry.id)),
            life.read(select(Booking.id).where(Booking.state == BookingState.ATTENDED).order_by(Booking.id)),
        )

    before = kept()
    assert sum(before[0]) == 250_000
    life.forget()
    assert kept() == before
    assert life.database.write(lambda connection: settle_all(connection, make.acting(life.town, None, AFTER))) == 0


def test_the_coming_place_goes_to_the_next_in_line_who_is_told(life):
    life.forget()
    states = life.read(select(Booking.state).where(Booking.shift_id == life.full, Booking.person_id == life.next))
    assert states == [BookingState.BOOKED]
    told = life.read(select(Message.kind).where(Message.person_id == life.next, Message.state == MessageState.QUEUED))
    assert MessageKind.PLACE_YOURS in told
    with life.database.reading() as connection:
        assert make.places(connection, life.full) == (2, 0)


def test_who_had_offered_a_walk_by_name_keeps_it_and_is_told_by_nobodys_name(life):
    life.forget()
    assert life.read(select(Booking.handing_over_to).where(Booking.id == life.given)) == [None]
    told = life.read(select(Message.body).where(Message.kind == MessageKind.HAND_OVER_DECLINED))
    assert len(told) == 1
    assert told[0].startswith("Någon kan inte ta din nattvandring")


def test_the_steering_group_keeps_its_meetings_and_its_other_members(life):
    life.forget()
    with life.database.reading() as connection:
        assert [one.name for one in members(connection, life.town.id)] == ["Ida"]
        assert [(one.place, one.agenda) for one in meetings(connection, life.town.id)] == [
            ("Kommunhuset", "Ljuset vid kajen")
        ] * 2


def test_the_log_keeps_the_id_and_names_nobody(life):
    life.forget()
    entries = life.read(select(AuditEntry.what).where(AuditEntry.person_id == life.me))
    assert {"person.registered", "person.changed", "booking.booked", "person.forgotten"} <= set(entries)
    with life.database.reading() as connection:
        told = log(connection, life.town.id, person_id=life.me)
        assert {one.whom for one in told} == {NO_NAME}


def test_nothing_leads_to_the_forgotten_and_the_number_may_join_anew(life):
    life.forget()
    assert life.read(select(RoleGrant.id).where(RoleGrant.person_id == life.me)) == []
    assert life.read(select(CalendarFeed.ended_at).where(CalendarFeed.person_id == life.me)) != [None]
    with life.database.reading() as connection:
        everybody = Sought("", None, None, None, 0)
        assert life.me not in {
            one.person_id for one in listed_members(connection, make.acting(life.town, None), everybody)
        }

    def join_again(connection):
        return people.register(
            connection, life.town.id, AFTER, first_name="Ny", last_name="Start", phone=PHONE, born_on=BORN
        )

    assert life.database.write(join_again) != life.me


def test_the_last_coordinator_cannot_leave_unnoticed(life):
    life.forget()
    with pytest.raises(OnlyCoordinator):
        life.forget(life.boss)
    assert life.read(select(Person.first_name).where(Person.id == life.boss)) == ["Karin"]


def test_of_two_coordinators_who_leave_at_once_one_stays(life):
    import threading

    told = []

    def leave(who):
        try:
            life.forget(who)
            told.append("gone")
        except Refusal as refusal:
            told.append(type(refusal).__name__)

    both = [threading.Thread(target=leave, args=(who,)) for who in (life.me, life.boss)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(told) == ["OnlyCoordinator", "gone"]
    assert len(life.read(select(RoleGrant.id).where(RoleGrant.role == Role.COORDINATOR))) == 1


def test_nobody_leaves_in_the_middle_of_a_walk(life):
    now = make.before_start(-1, make.SATURDAY)
    with pytest.raises(OutNow):
        life.forget(now=now)


def test_a_place_left_on_the_last_day_is_told_to_the_coordinators_without_a_name(life):
    life.forget(now=make.before_start(5, make.SATURDAY))
    told = life.read(select(Message.body).where(Message.kind == MessageKind.LATE_CANCELLATION, Message.body != ""))
    assert len(told) == 1
    assert told[0].startswith("Någon")


def test_others_keep_what_is_theirs(life):
    life.forget()
    assert life.read(select(Person.first_name).where(Person.id == life.friend)) == ["Person0"]
    assert life.read(select(Message.to_phone).where(Message.person_id == life.friend, Message.to_phone != ""))


def test_the_operator_is_to_empty_the_texts_too(life):
    def sent(connection):
        mine = Message.person_id == life.me
        connection.execute(update(Message).where(mine).values(sid=literal("SM") + cast(Message.id, String)))
        receive(connection, Came("SMin", PHONE, "Ottiljana hälsar"), make.SITE, AFTER)
        lost = {"sid": "SMlost", "to_phone": PHONE, "body": "Hej Ottiljana", "status": "sent"}
        instants = dict.fromkeys(("left_at", "copied_at", "noted_at"), AFTER)
        connection.execute(insert(LostText).values(**lost, **instants))

    life.database.write(sent)
    with life.database.reading() as connection:
        mine = set(connection.execute(select(Message.sid).where(Message.sid.is_not(None))).scalars())
    life.forget()
    with life.database.reading() as connection:
        told = set(connection.execute(select(Redaction.sid)).scalars())
    assert told >= mine | {"SMin", "SMlost"}
    assert traces(life.database) == {}

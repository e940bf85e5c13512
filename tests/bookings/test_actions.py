"""Booking, cancelling, handing over: on both databases."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from scheduler.bookings import actions, waiting_list
from scheduler.bookings.queries import booking_page, drift
from scheduler.bookings.rules import (
    AlreadyEnded,
    Begun,
    BookingState,
    CalledOff,
    Full,
    NotAMember,
    NotHandedOver,
    NothingOffered,
    NotPublished,
    NotYours,
    Overlapping,
    TakenByAnother,
    TooLateToCancel,
    TooYoung,
)
from scheduler.bookings.tables import Booking
from scheduler.kit.audit import AuditEntry
from scheduler.kit.database import Database
from scheduler.kit.refusals import Invalid, NotFound
from scheduler.messages.rules import MessageKind, MessageState
from scheduler.messages.tables import Message
from scheduler.nights.rules import ShiftState
from scheduler.people.actions import grant_role
from scheduler.people.rules import MembershipState, Role
from tests import make


class Story:
    """A town with its people, and the verbs as short words; each verb is one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.town = database.write(make.town)
        self.now = make.NOW

    def shift(self, *args, **more):
        return self.database.write(lambda c: make.shift(c, self.town, *args, **more))

    def person(self, name="Eva", **more):
        return self.database.write(lambda c: make.person(c, self.town, name, **more))

    def _as(self, person):
        return make.acting(self.town, person, self.now)

    def book(self, shift, person, once=None):
        key = once or f"{shift}-{person}-{self.now}"
        return self.database.write(lambda c: actions.book(c, self._as(person), shift, person, key))

    def queue(self, shift, person, **more):
        return self.database.write(
            lambda c: waiting_list.join(c, self._as(person), shift, person, f"q{shift}-{person}", **more)
        )

    def cancel(self, booking, person, **more):
        self.database.write(lambda c: actions.cancel(c, self._as(person), booking, **more))

    def hand_over(self, booking, person, to=None):
        self.database.write(lambda c: actions.hand_over(c, self._as(person), booking, to))

    def take_over(self, booking, person):
        return self.database.write(lambda c: actions.take_over(c, self._as(person), booking, f"t{booking}{person}"))

    def accept(self, booking, person):
        self.database.write(lambda c: waiting_list.accept(c, self._as(person), booking))

    def decline(self, booking, person):
        self.database.write(lambda c: waiting_list.decline(c, self._as(person), booking))

    def page(self, booking, person):
        with self.database.reading() as c:
            return booking_page(c, self.town.id, person, booking, self.now)

    def places(self, shift):
        with self.database.reading() as c:
            assert drift(c) == []
            return make.places(c, shift)

    def texts(self, person, kind=None):
        with self.database.reading() as c:
            wanted = select(Message).where(Message.person_id == person, Message.state == MessageState.QUEUED)
            rows = c.execute(wanted.order_by(Message.id)).all()
        return [row for row in rows if kind in {None, row.kind}]

    def log(self, shift):
        with self.database.reading() as c:
            rows = c.execute(select(AuditEntry.what, AuditEntry.after).where(AuditEntry.shift_id == shift))
            return [row.what for row in rows if row.what != "shift.planned"]


@pytest.fixture
def story(each_database):
    return Story(each_database)


def test_a_booking_takes_a_place_and_leaves_a_trace(story):
    shift, eva = story.shift(), story.person()
    booking = story.book(shift, eva)
    assert story.page(booking, eva).state == "booked"
    assert story.places(shift) == (1, 0)
    assert story.texts(eva) == [], "reminders are planned in their hour"
    assert story.log(shift) == ["booking.booked"]


def test_the_same_form_again_is_the_same_booking(story):
    shift, eva = story.shift(), story.person()
    first = story.book(shift, eva, once="key")
    assert story.book(shift, eva, once="key") == first
    assert story.book(shift, eva, once="another key") == first
    assert story.places(shift) == (1, 0)


def test_a_form_that_comes_late_does_not_book_again_what_was_cancelled(story):
    shift, eva = story.shift(), story.person()
    first = story.book(shift, eva, once="key")
    story.cancel(first, eva)
    assert story.book(shift, eva, once="key") == first
    assert story.places(shift) == (0, 0)
    assert story.book(shift, eva, once="a new form") != first
    assert story.places(shift) == (1, 0)


def test_a_full_shift_refuses_and_takes_nothing(story):
    shift = story.shift(wanted=2)
    for name in ("Anna", "Björn"):
        story.book(shift, story.person(name))
    with pytest.raises(Full):
        story.book(shift, story.person("Cecilia"))
    assert story.places(shift) == (2, 0)


def test_somebody_who_turns_18_on_the_night_may_walk_and_a_day_younger_may_not(story):
    shift = story.shift()
    story.book(shift, story.person(born_on=date(2008, 11, 27)))
    with pytest.raises(TooYoung):
        story.book(shift, story.person(born_on=date(2008, 11, 28)))


@pytest.mark.parametrize(
    ("state", "pending"), [(None, False), (MembershipState.PENDING, True), (MembershipState.ENDED, False)]
)
def test_only_approved_members_book(story, state, pending):
    shift = story.shift()
    with pytest.raises(NotAMember) as refusal:
        story.book(shift, story.person(state=state))
    assert refusal.value.pending is pending


def test_nobody_is_in_two_places_at_a_time_and_one_walk_may_follow_another(story):
    from datetime import time

    eva = story.person()
    first = story.shift(starts=time(21), ends=time(1))
    overlapping = story.shift(area=story.town.arena, starts=time(20), ends=time(22))
    booking = story.book(first, eva)
    with pytest.raises(Overlapping) as refusal:
        story.book(overlapping, eva)
    assert refusal.value.other.booking_id == booking
    assert refusal.value.other.area == "Centrum"
    next_to_it = story.shift(make.SATURDAY, starts=time(1), ends=time(3))
    story.book(next_to_it, eva)


def test_a_shift_that_has_begun_is_called_off_or_planned_is_refused(story):
    eva = story.person()
    shift = story.shift()
    story.now = make.before_start(0)
    with pytest.raises(Begun):
        story.book(shift, eva)
    story.now = make.NOW
    story.database.write(lambda c: make.call_off(c, shift))
    with pytest.raises(CalledOff):
        story.book(shift, eva)
    with pytest.raises(NotPublished):
        story.book(story.shift(make.SATURDAY, state=ShiftState.PLANNED), eva)


def test_shifts_and_people_of_another_town_do_not_exist(story):
    other = story.database.write(lambda c: make.town(c, "Nattvandring Ånge", "ange.example"))
    theirs = story.database.write(lambda c: make.shift(c, other))
    eva, stranger = story.person(), story.database.write(lambda c: make.person(c, other))
    with pytest.raises(NotFound):
        story.book(theirs, eva)
    with pytest.raises(NotFound):
        story.book(story.shift(), stranger)
    with pytest.raises(NotFound):
        story.book(2_000_000_000, eva)


def test_cancelling_frees_the_place_at_once_drops_the_reminders_and_can_be_repeated(story):
    shift, eva = story.shift(), story.person()
    booking = story.book(shift, eva)
    story.cancel(booking, eva)
    story.cancel(booking, eva)
    assert story.places(shift) == (0, 0)
    assert story.texts(eva) == []
    assert story.page(booking, eva).ended_because == "cancelled"
    assert story.log(shift) == ["booking.booked", "booking.ended"]


def test_only_the_owner_cancels(story):
    shift, eva, adam = story.shift(), story.person(), story.person("Adam")
    booking = story.book(shift, eva)
    with pytest.raises(NotYours):
        story.cancel(booking, adam)
    assert story.places(shift) == (1, 0)


@pytest.mark.parametrize(("hours", "free"), [(24, True), (23.99, False), (1, False)])
def test_24_hours_before_is_the_last_moment_to_cancel_freely(story, hours, free):
    shift, eva = story.shift(), story.person()
    booking = story.book(shift, eva)
    story.now = make.before_start(hours)
    if free:
        story.cancel(booking, eva)
        assert story.places(shift) == (0, 0)
        return
    with pytest.raises(TooLateToCancel):
        story.cancel(booking, eva)
    assert story.places(shift) == (1, 0)


def test_who_cannot_come_frees_the_place_at_once_and_the_coordinator_is_told(story):
    shift, eva, boss = story.shift(), story.person(), story.person("Karin")
    story.database.write(lambda c: grant_role(c, story.town.id, boss, Role.COORDINATOR, make.NOW))
    booking = story.book(shift, eva)
    story.now = make.before_start(4)
    story.cancel(booking, eva, cannot_come=True)
    assert story.places(shift) == (0, 0)
    told = story.texts(boss, MessageKind.LATE_CANCELLATION)
    assert len(told) == 1
    assert told[0].due_at == story.now
    assert "0 av 4" in told[0].body or "0 of 4" in told[0].body


def test_nobody_leaves_a_walk_that_has_begun(story):
    shift, eva = story.shift(), story.person()
    booking = story.book(shift, eva)
    story.now = make.before_start(-1)
    with pytest.raises(Begun):
        story.cancel(booking, eva, cannot_come=True)


def test_a_freed_place_is_held_for_the_first_in_line_then_for_the_next(story):
    shift = story.shift(minimum=1, wanted=1)
    eva, first, second, outsider = (story.person(name) for name in ("Eva", "Anna", "Björn", "Cecilia"))
    booking = story.book(shift, eva)
    hers, his = story.queue(shift, first), story.queue(shift, second)
    assert [story.page(hers, first).queue_number, story.page(his, second).queue_number] == [1, 2]
    story.cancel(booking, eva)
    assert story.places(shift) == (0, 1)
    assert story.page(hers, first).state == "offered"
    assert story.page(his, second).state == "waiting"
    assert len(story.texts(first, MessageKind.PLACE_OFFERED)) == 1
    with pytest.raises(Full):
        story.book(shift, outsider)
    with pytest.raises(NothingOffered):
        story.accept(his, second)
    story.decline(hers, first)
    assert story.page(hers, first).ended_because == "declined"
    assert story.page(his, second).state == "offered"
    story.accept(his, second)
    assert story.places(shift) == (1, 0)
    assert story.page(his, second).state == "booked"


def test_the_deadline_of_an_offer_is_a_day_when_a_week_is_left(story):
    shift = story.shift(date(2026, 12, 4), minimum=1, wanted=1)
    eva, anna = story.person(), story.person("Anna")
    booking = story.book(shift, eva)
    hers = story.queue(shift, anna)
    story.cancel(booking, eva)
    assert story.page(hers, anna).answer_before == story.now + timedelta(hours=24)


def test_an_offer_that_nobody_answers_goes_to_the_next(story):
    from scheduler.bookings.rules import Ended

    shift = story.shift(minimum=1, wanted=1)
    eva, anna, bjorn = story.person(), story.person("Anna"), story.person("Björn")
    booking = story.book(shift, eva)
    hers, his = story.queue(shift, anna), story.queue(shift, bjorn)
    story.cancel(booking, eva)
    story.now += timedelta(hours=13)
    with pytest.raises(NothingOffered):
        story.accept(hers, anna)
    with story.database.reading() as c:
        expired = waiting_list.expired_offers(c, story.now)
    assert [row.id for row in expired] == [hers]
    story.database.write(
        lambda c: waiting_list.decline(c, make.acting(story.town, None, story.now), hers, Ended.OFFER_EXPIRED)
    )
    assert story.page(hers, anna).ended_because == "offer_expired"
    assert story.page(his, bjorn).state == "offered"
    assert len(story.texts(anna, MessageKind.OFFER_ENDED)) == 1
    assert story.places(shift) == (0, 1)


def test_take_it_for_me_moves_up_at_once_and_is_told(story):
    shift = story.shift(minimum=1, wanted=1)
    eva, anna = story.person(), story.person("Anna")
    booking = story.book(shift, eva)
    hers = story.queue(shift, anna, auto_take=True)
    story.cancel(booking, eva)
    assert story.page(hers, anna).state == "booked"
    assert story.places(shift) == (1, 0)
    assert len(story.texts(anna, MessageKind.PLACE_YOURS)) == 1


def test_who_has_booked_another_walk_meanwhile_is_passed_over(story):
    shift = story.shift(minimum=1, wanted=1)
    elsewhere = story.shift(area=story.town.arena)
    eva, anna, bjorn = story.person(), story.person("Anna"), story.person("Björn")
    booking = story.book(shift, eva)
    hers, his = story.queue(shift, anna, auto_take=True), story.queue(shift, bjorn)
    story.book(elsewhere, anna)
    story.cancel(booking, eva)
    assert story.page(hers, anna).ended_because == "booked_elsewhere"
    assert story.page(his, bjorn).state == "offered"


def test_under_three_hours_everybody_in_line_is_told_and_the_first_to_answer_gets_it(story):
    shift = story.shift(minimum=1, wanted=1)
    eva, anna, bjorn = story.person(), story.person("Anna"), story.person("Björn")
    booking = story.book(shift, eva)
    hers, his = story.queue(shift, anna), story.queue(shift, bjorn)
    story.now = make.before_start(2)
    story.cancel(booking, eva, cannot_come=True)
    assert story.places(shift) == (0, 0)
    assert story.page(hers, anna).first_to_answer
    assert story.page(his, bjorn).first_to_answer
    story.accept(his, bjorn)
    with pytest.raises(TakenByAnother):
        story.accept(hers, anna)
    assert story.places(shift) == (1, 0)


def test_joining_the_queue_of_a_shift_with_a_free_place_books_it(story):
    shift, eva = story.shift(wanted=2), story.person()
    booking = story.queue(shift, eva)
    assert story.page(booking, eva).state == "booked"
    assert story.places(shift) == (1, 0)


def test_a_handed_over_walk_is_the_givers_until_somebody_takes_it(story):
    shift = story.shift()
    eva, anna, bjorn = story.person(), story.person("Anna"), story.person("Björn")
    booking = story.book(shift, eva)
    story.now = make.before_start(20)
    story.hand_over(booking, eva)
    assert story.page(booking, eva).state == "handing_over"
    assert story.places(shift) == (1, 0)
    assert len(story.texts(anna, MessageKind.HAND_OVER_ASKED)) == 1
    taken = story.take_over(booking, anna)
    assert story.places(shift) == (1, 0)
    assert story.page(taken, anna).state == "booked"
    assert story.page(booking, eva).ended_because == "handed_over"
    assert len(story.texts(eva, MessageKind.HAND_OVER_TAKEN)) == 1
    assert story.texts(bjorn, MessageKind.HAND_OVER_ASKED) == []
    with pytest.raises(TakenByAnother):
        story.take_over(booking, bjorn)


def test_an_offer_to_one_named_person_is_for_that_person_alone(story):
    shift = story.shift()
    eva, anna, bjorn = story.person(), story.person("Anna"), story.person("Björn")
    booking = story.book(shift, eva)
    story.hand_over(booking, eva, to=anna)
    with pytest.raises(NotYours):
        story.take_over(booking, bjorn)
    story.database.write(lambda c: actions.refuse_take_over(c, make.acting(story.town, anna), booking))
    assert story.page(booking, eva).state == "booked"
    assert len(story.texts(eva, MessageKind.HAND_OVER_DECLINED)) == 1
    with pytest.raises(NotHandedOver):
        story.database.write(lambda c: actions.refuse_take_over(c, make.acting(story.town, anna), booking))


def test_a_walk_cannot_be_offered_to_somebody_who_could_not_take_it(story):
    shift, eva = story.shift(), story.person()
    pending = story.person("Anna", state=MembershipState.PENDING)
    booking = story.book(shift, eva)
    with pytest.raises(Invalid):
        story.hand_over(booking, eva, to=pending)
    assert story.page(booking, eva).state == "booked"


def test_the_giver_can_keep_the_walk_and_then_nobody_takes_it(story):
    shift, eva, anna = story.shift(), story.person(), story.person("Anna")
    booking = story.book(shift, eva)
    story.hand_over(booking, eva)
    story.database.write(lambda c: actions.keep(c, make.acting(story.town, eva), booking))
    assert story.page(booking, eva).state == "booked"
    with pytest.raises(TakenByAnother):
        story.take_over(booking, anna)


def test_taking_over_from_the_queue_leaves_the_queue(story):
    shift = story.shift(minimum=1, wanted=1)
    eva, anna = story.person(), story.person("Anna")
    booking = story.book(shift, eva)
    hers = story.queue(shift, anna)
    story.hand_over(booking, eva)
    taken = story.take_over(booking, anna)
    assert story.page(taken, anna).state == "booked"
    assert story.page(hers, anna).ended_because == "booked_elsewhere"
    assert story.places(shift) == (1, 0)


def test_several_nights_are_booked_in_one_go_and_each_no_is_named(story):
    eva = story.person()
    free, full = story.shift(), story.shift(make.SATURDAY, minimum=1, wanted=1)
    clash = story.shift(area=story.town.arena)
    story.book(full, story.person("Anna"))
    booked, refused = story.database.write(
        lambda c: actions.book_several(c, make.acting(story.town, eva), [free, full, clash, free], eva, "several")
    )
    assert len(booked) == 1
    assert {shift: type(refusal) for shift, refusal in refused} == {full: Full, clash: Overlapping}
    assert [story.places(shift) for shift in (free, full, clash)] == [(1, 0), (1, 0), (0, 0)]


def test_attendance_is_written_once_the_walk_has_begun(story):
    from scheduler.bookings.rules import TooEarly

    shift, eva, anna = story.shift(), story.person(), story.person("Anna")
    story.book(shift, eva)
    story.book(shift, anna)
    with pytest.raises(TooEarly):
        story.database.write(lambda c: actions.record_attendance(c, make.acting(story.town, None), shift, {eva}))
    later = make.acting(story.town, None, make.before_start(-4))
    assert story.database.write(lambda c: actions.record_attendance(c, later, shift, {eva})) == 1
    with story.database.reading() as c:
        states = {row.person_id: row.state for row in c.execute(select(Booking.person_id, Booking.state))}
    assert states == {eva: BookingState.ATTENDED, anna: BookingState.NO_SHOW}
    assert story.places(shift) == (2, 0)
    with pytest.raises(AlreadyEnded):
        story.hand_over(1, eva)

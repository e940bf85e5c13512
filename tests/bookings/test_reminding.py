"""Reminders are planned in their hour from the facts of that hour; changes of a shift are told at once."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import event, insert, select

from scheduler.bookings import actions, changes, editing, reminding
from scheduler.bookings.editing import ShiftFacts, current
from scheduler.bookings.rereading import reread
from scheduler.bookings.rules import Begun, BookingState, CalledOff
from scheduler.bookings.tables import Booking
from scheduler.kit.refusals import Invalid
from scheduler.messages.outbox import claim
from scheduler.messages.rules import Lane, MessageKind, MessageState
from scheduler.messages.tables import Message
from scheduler.nights.season import moments
from scheduler.people.tables import Person
from tests import make

TWO, THREE = MessageKind.REMINDER_TWO_DAYS, MessageKind.REMINDER_THREE_HOURS
ROOMS = dict.fromkeys(("booking", "hand_over", "shift"), reread)
ALL = (Lane.AT_ONCE, Lane.SOON, Lane.PLANNED, Lane.MANY)


class Story:
    def __init__(self, database, night=make.FRIDAY, starts=time(21), ends=time(1), booked_before=240):
        self.database = database
        self.town = database.write(make.town)
        self.eva = database.write(lambda connection: make.person(connection, self.town))
        self.shift = database.write(lambda c: make.shift(c, self.town, night, starts=starts, ends=ends))
        self.starts_at = moments(night, starts, ends, make.STOCKHOLM)[0]
        self.now = self.starts_at - timedelta(hours=booked_before)
        self.booking = self.do(actions.book, self.shift, self.eva, "a")

    def do(self, verb, *words, by=None, **more):
        acting = make.acting(self.town, by or self.eva, self.now)
        return self.database.write(lambda connection: verb(connection, acting, *words, **more))

    def edit(self, **changed):
        """Change facts of the shift as a coordinator who tells those who walk."""

        def write(connection):
            old = current(connection, self.town.id, self.shift)
            facts = ShiftFacts(**{name: getattr(old, name) for name in editing.NAMES} | changed)
            acting = make.acting(self.town, self.eva, self.now)
            return editing.edit(connection, acting, self.shift, facts, old.edition, tell_people=True)

        return self.database.write(write)

    def before(self, **how):
        self.now = self.starts_at - timedelta(**how)
        return self

    def plan(self):
        return sum(
            self.database.write(
                lambda connection, kind=kind: reminding.plan_batch(connection, kind, 0, self.now, {1: make.SITE})[0]
            )
            for kind in (TWO, THREE)
        )

    def leaving(self):
        return [
            leaving.body
            for leaving in self.database.write(lambda connection: claim(connection, self.now, ALL, 50, ROOMS))[0]
        ]

    def kinds(self, state=MessageState.QUEUED):
        with self.database.reading() as connection:
            return list(
                connection.execute(select(Message.kind).where(Message.state == state).order_by(Message.id)).scalars()
            )


@pytest.fixture
def story(each_database):
    return Story(each_database)


def test_each_reminder_is_planned_once_and_leaves_in_its_hour(story):
    assert story.before(hours=60).plan() == 0
    assert story.before(hours=51, minutes=5).plan() == 1
    assert story.plan() == 0, "twice is once"
    assert story.leaving() == [], "not before 18.00"
    assert story.before(hours=51).leaving() == [
        f"Nattvandring fre 27 nov 21.00-01.00, Centrum. Samling 20.45, Y:et på torget. Kommer du? Svara JA eller NEJ. {make.SITE}/bookings/{story.booking}"  # noqa: E501
    ]
    assert story.before(hours=3).plan() == 1
    assert story.leaving()[0].startswith("I dag fre 27 nov 21.00-01.00: nattvandring, Centrum.")
    assert story.before(hours=60).plan() == 0, "the clock goes back: nothing is planned again"


def test_who_books_after_a_reminder_s_hour_gets_only_the_later_one(each_database):
    story = Story(each_database, booked_before=30)
    story.before(hours=29)
    assert story.plan() == 0
    assert story.before(hours=3).plan() == 1


def test_who_has_left_is_not_reminded_and_whom_the_walk_went_to_is(story):
    story.before(hours=51, minutes=5).plan()
    story.do(actions.cancel, story.booking)
    assert story.before(hours=51).leaving() == []
    assert story.kinds(MessageState.DROPPED) == [TWO]


def test_a_moved_walk_is_told_at_once_and_reminded_of_at_its_new_time(story):
    story.before(hours=3, minutes=5).plan()
    starts, ends = moments(make.FRIDAY, time(22), time(2), make.STOCKHOLM)
    assert story.edit(starts_at=starts, ends_at=ends) == 1
    (told,) = story.leaving()
    assert told.startswith("ÄNDRAT: nattvandringen fre 27 nov är nu 22.00-02.00, Centrum. Samling 21.45")
    assert story.before(hours=3).leaving() == [], "the reminder of the old start is dropped"
    story.starts_at = starts
    assert story.before(hours=3).plan() == 1
    assert story.leaving()[0].startswith("I dag fre 27 nov 22.00-02.00")


def test_a_walk_moved_to_within_three_hours_is_told_once_not_twice(story):
    story.before(hours=4)
    starts, ends = moments(make.FRIDAY, time(19), time(23), make.STOCKHOLM)
    story.edit(starts_at=starts, ends_at=ends)
    assert len(story.leaving()) == 1
    assert story.plan() == 0


def test_a_walk_that_is_called_off_is_told_to_those_who_were_booked_and_to_nobody_again(story):
    story.before(hours=51, minutes=5).plan()
    anna = story.database.write(lambda connection: make.person(connection, story.town, "Anna"))
    assert story.do(changes.call_off, story.shift, by=anna) == 1
    assert story.leaving() == [
        "INSTÄLLT: nattvandringen fre 27 nov 21.00, Centrum. Du behöver inte komma. Frågor: 070-174 06 99"
    ]
    assert story.before(hours=3).plan() == 0
    with story.database.reading() as connection:
        assert make.places(connection, story.shift) == (0, 0)
    with pytest.raises(CalledOff):
        story.do(changes.call_off, story.shift)


def test_another_meeting_place_is_told_at_once(story):
    story.before(hours=30)
    assert story.edit(meeting_place="Stationshuset") == 1
    (told,) = story.leaving()
    assert told.startswith("NY SAMLINGSPLATS fre 27 nov 21.00-01.00, Centrum: Stationshuset kl 20.45.")


def test_what_changes_again_before_the_morning_is_told_once_as_it_is_then(story):
    story.before(hours=22)  # 23.00 the evening before
    for hour in (22, 20):
        starts, ends = moments(make.FRIDAY, time(hour), time(2), make.STOCKHOLM)
        story.now += timedelta(minutes=1)
        story.edit(starts_at=starts, ends_at=ends)
    story.now += timedelta(minutes=1)
    assert story.edit(meeting_place="Stationshuset") == 1
    assert story.leaving() == [], "not at night"
    (told,) = story.before(hours=12).leaving()
    assert told.startswith(
        "ÄNDRAT: nattvandringen fre 27 nov är nu 20.00-02.00, Centrum. Samling 19.45, Stationshuset."
    )


def test_a_meeting_place_that_changes_before_a_new_hour_is_told_with_it(story):
    story.before(hours=22)
    story.edit(meeting_place="Stationshuset")
    starts, ends = moments(make.FRIDAY, time(20), time(2), make.STOCKHOLM)
    story.edit(starts_at=starts, ends_at=ends)
    (told,) = story.before(hours=12).leaving()
    assert told.startswith(
        "ÄNDRAT: nattvandringen fre 27 nov är nu 20.00-02.00, Centrum. Samling 19.45, Stationshuset."
    )


def test_a_clock_that_jumps_back_between_planning_and_sending_brings_no_second_reminder(story):
    assert story.before(hours=3, minutes=5).plan() == 1
    assert story.before(hours=4).leaving() == []
    assert story.plan() == 0
    assert len(story.before(hours=3).leaving()) == 1
    assert story.before(hours=4).plan() == 0
    assert story.before(hours=2, minutes=59).plan() == 0
    assert story.leaving() == []


def test_a_shift_cannot_end_before_it_starts_or_be_moved_into_the_past(story):
    starts, ends = moments(make.FRIDAY, time(22), time(2), make.STOCKHOLM)
    with pytest.raises(Invalid):
        story.edit(starts_at=ends, ends_at=starts)
    story.before(hours=-1)
    with pytest.raises(Begun):
        story.edit(starts_at=starts + timedelta(days=1), ends_at=ends + timedelta(days=1))


@pytest.mark.parametrize(
    ("night", "starts", "says"),
    [
        (
            date(2026, 10, 24),
            time(20),
            "lör 24 okt 20.00-02.00 sommartid",
        ),  # 02 to 03 comes twice
        (date(2027, 3, 27), time(20), "lör 27 mars 20.00-03.00 sommartid"),  # it is skipped
    ],
)
def test_on_the_nights_when_the_clock_changes_the_text_says_the_real_end(each_database, night, starts, says):
    story = Story(each_database, night, starts=starts, ends=time(2))
    story.before(hours=3)
    assert story.plan() == 1
    (told,) = story.leaving()
    assert told.startswith(f"I dag {says}")


def test_a_reminder_hour_that_comes_twice_or_never_gives_one_reminder(each_database):
    """A shift that starts at 05.30 on the morning of each change: three hours before is an hour of doubt."""
    for night in (date(2026, 10, 25), date(2027, 3, 28)):
        story = Story.__new__(Story)
        story.database = each_database
        story.town = each_database.write(lambda c, night=night: make.town(c, f"T{night}", f"t{night}.example"))
        story.eva = each_database.write(lambda c, story=story: make.person(c, story.town))
        story.shift = each_database.write(
            lambda c, story=story, night=night: make.shift(c, story.town, night, starts=time(5, 30), ends=time(8))
        )
        story.starts_at = moments(night, time(5, 30), time(8), make.STOCKHOLM)[0]
        story.now = story.starts_at - timedelta(days=8)
        story.do(actions.book, story.shift, story.eva, "a")
        planned = 0
        for minutes in range(300, 0, -10):
            story.before(minutes=minutes)
            planned += sum(
                each_database.write(
                    lambda c, kind=kind, story=story: reminding.plan_batch(
                        c, kind, 0, story.now, {story.town.id: make.SITE}
                    )[0]
                )
                for kind in (THREE,)
            )
        assert planned == 1


def test_ten_thousand_reminders_take_two_statements_for_every_five_hundred(each_database):
    town = each_database.write(make.town)

    def write(connection):
        shift = make.shift(connection, town, wanted=10_000)
        people = make.people(connection, town, 1)
        known = connection.execute(select(Person.__table__).where(Person.id == people[0])).one()._asdict()
        del known["id"]
        connection.execute(insert(Person), [known | {"phone": f"+46{number:09d}"} for number in range(10_000)])
        ids = connection.execute(select(Person.id)).scalars().all()[1:]
        rows = [
            {
                "partnership_id": town.id,
                "shift_id": shift,
                "person_id": person,
                "state": BookingState.BOOKED,
                "made_at": make.NOW - timedelta(days=9),
                "once": "x",
                "auto_take": False,
                "place_held": False,
            }
            for person in ids
        ]
        connection.execute(insert(Booking), rows)

    each_database.write(write)
    statements = []

    def count(*words):
        statements.append(words[2])

    event.listen(each_database.engine, "before_cursor_execute", count)
    planned, batches, last = 0, 0, 0
    while True:
        queued, last = each_database.write(
            lambda c, last=last: reminding.plan_batch(c, TWO, last, make.before_start(51), {town.id: make.SITE})
        )
        planned, batches = planned + queued, batches + 1
        if not last:
            break
    event.remove(each_database.engine, "before_cursor_execute", count)
    assert planned == 10_000
    assert len(statements) == 2 * batches - 1, "one read and one write each; the last reads that there are no more"
    assert batches == 21

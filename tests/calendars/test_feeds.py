"""Feeds over HTTP: what they show, when they change, and that nothing else changes."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select, update

from scheduler.bookings import actions as bookings
from scheduler.calendars.rules import CalendarKind
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Shift
from scheduler.partnership.tables import Area
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from scheduler.people.tables import Person
from tests import make
from tests.calendars.reading import Program, instant, subscribe


@pytest.fixture
def eva(database, town):
    return database.write(lambda connection: make.person(connection, town, "Eva"))


@pytest.fixture
def friend(database, town):
    return database.write(lambda connection: make.person(connection, town, "Björn"))


@pytest.fixture
def shift(database, town):
    return database.write(lambda connection: make.shift(connection, town))


def book(database, town, shift, person, now=make.NOW):
    return database.write(
        lambda connection: bookings.book(connection, make.acting(town, person, now), shift, person, f"{shift} {now}")
    )


def change(database, table, row, **values):
    database.write(lambda connection: connection.execute(update(table).where(table.id == row).values(**values)))


@pytest.fixture
def program(app, database, town, eva):
    return Program(app, subscribe(database, town, eva))


def test_a_walk_stands_in_the_calendar_with_place_time_and_company(program, database, town, eva, friend, shift):
    booking = book(database, town, shift, eva)
    book(database, town, shift, friend)
    change(database, Area, town.centre, latitude=62.487, longitude=17.3258)
    event = program.events()[shift]
    assert instant(event["DTSTART"]) == datetime(2026, 11, 27, 20, tzinfo=UTC)
    assert instant(event["DTEND"]) == datetime(2026, 11, 28, 0, tzinfo=UTC)
    assert event["SUMMARY"] == "Nattvandring: Centrum"
    assert event["LOCATION"] == "Y:et på torget\\, Centrum\\, Timrå kommun"
    assert event["GEO"] == "62.487;17.3258"
    assert event["STATUS"] == "CONFIRMED"
    assert event["URL"] == f"{make.SITE}/bookings/{booking}"
    assert event["UID"] == f"shift-{shift}@127.0.0.1"
    for words in ("Fredag 27 november kl. 21:00 till 01:00", "Samling 20:45: Y:et på torget", "Du går med Björn."):
        assert words in event["DESCRIPTION"]


def test_the_answer_is_a_private_calendar_without_a_cookie(program):
    answer = program.poll(200)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"].startswith("private")
    assert answer.headers["ETag"].startswith('"')
    assert "Set-Cookie" not in answer.headers
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Robots-Tag"] == "noindex"


def test_a_calendar_without_events_is_still_one(program):
    assert program.events() == {}


def test_same_facts_same_bytes(program, database, town, eva, shift, clock):
    book(database, town, shift, eva)
    first = program.poll(200)
    clock.instant += timedelta(days=2)
    again = program.poll(200)
    assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])
    assert again.headers["Last-Modified"] == first.headers["Last-Modified"]


def call_a_stranger_along(database, town, shift):
    nils = database.write(lambda connection: make.person(connection, town, "Nils"))
    book(database, town, shift, nils)


def open_a_second_area(database, town, _shift):
    database.write(lambda connection: make.shift(connection, town, make.FRIDAY, area=town.arena))


def set_to(**values):
    return lambda database, _town, shift: change(database, Shift, shift, **values)


CHANGES = {
    "the start": set_to(starts_at=datetime(2026, 11, 27, 21, tzinfo=UTC)),
    "the end": set_to(ends_at=datetime(2026, 11, 28, 1, tzinfo=UTC)),
    "the meeting place": set_to(meeting_place="Kyrkan"),
    "calling off": set_to(state=ShiftState.CALLED_OFF),
    "another area": set_to(area_id=2),
    "another walker": call_a_stranger_along,
    "a second area that night": open_a_second_area,
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_visible_change_raises_that_event_and_no_other(program, database, town, eva, shift, clock, what):
    other = database.write(lambda connection: make.shift(connection, town, make.SATURDAY))
    book(database, town, shift, eva)
    book(database, town, other, eva)
    before = program.events()
    tag, changed = program.answer.headers["ETag"], program.answer.last_modified
    clock.instant += timedelta(minutes=5)
    CHANGES[what](database, town, shift)
    assert program.poll(If_None_Match=tag).status_code == 200, "at once"
    after = program.events()
    assert program.answer.headers["ETag"] != tag
    assert program.answer.last_modified > changed
    assert after[other] == before[other]
    assert after[shift]["UID"] == before[shift]["UID"]
    assert int(after[shift]["SEQUENCE"]) == int(before[shift]["SEQUENCE"]) + 1
    assert after[shift]["LAST-MODIFIED"] > before[shift]["LAST-MODIFIED"]


UNSEEN = {
    "a hold": {"revision": 99},
    "a note": {"note": "Take the vests"},
    "a place held for the queue": {"held": 1},
}


@pytest.mark.parametrize("what", UNSEEN)
def test_what_cannot_be_seen_changes_nothing(program, database, town, eva, shift, clock, what):
    book(database, town, shift, eva)
    before = program.poll(200)
    clock.instant += timedelta(minutes=5)
    change(database, Shift, shift, **UNSEEN[what])
    assert program.poll(304, If_None_Match=before.headers["ETag"]).data == b""
    assert program.poll(200).data == before.data


def test_a_change_that_is_taken_back_before_anybody_looked_is_none(program, database, town, eva, shift):
    book(database, town, shift, eva)
    before = program.poll(200).data
    change(database, Shift, shift, meeting_place="Kyrkan")
    change(database, Shift, shift, meeting_place="")
    assert program.poll(200).data == before


def test_calling_off_shows_until_the_night_has_passed_and_reinstating_raises_again(
    program, database, town, eva, shift, clock
):
    book(database, town, shift, eva)
    program.events()
    change(database, Shift, shift, state=ShiftState.CALLED_OFF)
    off = program.events()[shift]
    assert (off["STATUS"], off["SUMMARY"]) == ("CANCELLED", "INSTÄLLT: Nattvandring: Centrum")
    change(database, Shift, shift, state=ShiftState.PUBLISHED)
    on = program.events()[shift]
    assert (on["STATUS"], int(on["SEQUENCE"])) == ("CONFIRMED", int(off["SEQUENCE"]) + 1)
    change(database, Shift, shift, state=ShiftState.CALLED_OFF)
    tag = program.poll(200).headers["ETag"]
    clock.instant = datetime(2026, 11, 27, 23, 59, tzinfo=UTC)
    program.poll(304, If_None_Match=tag)
    clock.instant = datetime(2026, 11, 28, 0, 0, tzinfo=UTC)
    assert program.poll(200, If_None_Match=tag).headers["ETag"] != tag
    assert program.events() == {}


def test_a_walk_that_is_left_is_gone_at_once_and_comes_back_with_a_higher_sequence(
    program, database, town, eva, shift, clock
):
    booking = book(database, town, shift, eva)
    first = program.events()[shift]
    database.write(lambda connection: bookings.cancel(connection, make.acting(town, eva), booking))
    assert program.events() == {}
    clock.instant += timedelta(hours=1)
    book(database, town, shift, eva, clock.instant)
    again = program.events()[shift]
    assert int(again["SEQUENCE"]) == int(first["SEQUENCE"]) + 1
    assert again["LAST-MODIFIED"] > first["LAST-MODIFIED"]


def test_the_moment_of_a_change_is_when_it_was_made_not_when_it_was_first_read(
    program, database, town, eva, friend, shift, clock
):
    book(database, town, shift, eva)
    program.events()
    clock.instant = make.NOW + timedelta(minutes=10)
    book(database, town, shift, friend, clock.instant)
    clock.instant = make.NOW + timedelta(hours=6)
    assert instant(program.events()[shift]["LAST-MODIFIED"]) == make.NOW + timedelta(minutes=10)


def test_two_changes_within_one_second_still_grow(program, database, town, eva, shift):
    book(database, town, shift, eva)
    seen = [program.events()[shift]["LAST-MODIFIED"]]
    dates = [program.answer.last_modified]
    for place in ("Kyrkan", "Skolan", "Torget"):
        change(database, Shift, shift, meeting_place=place)
        seen.append(program.events()[shift]["LAST-MODIFIED"])
        dates.append(program.answer.last_modified)
    assert seen == sorted(set(seen))
    assert dates == sorted(set(dates))


def test_a_shift_that_moves_to_another_night_and_over_midnight_keeps_its_uid(program, database, town, eva, shift):
    book(database, town, shift, eva)
    before = program.events()[shift]
    other = database.write(lambda connection: make.shift(connection, town, make.SATURDAY, area=town.arena))
    with database.reading() as connection:
        night = connection.execute(select(Shift.night_id).where(Shift.id == other)).scalar_one()
    change(
        database, Shift, shift, night_id=night,
        starts_at=datetime(2026, 11, 28, 23, 30, tzinfo=UTC), ends_at=datetime(2026, 11, 29, 3, tzinfo=UTC),
    )  # fmt: skip
    after = program.events()[shift]
    assert after["UID"] == before["UID"]
    assert instant(after["DTSTART"]) == datetime(2026, 11, 28, 23, 30, tzinfo=UTC)
    assert after["SUMMARY"].endswith("(två områden behöver folk)")


def test_names_that_change_change_in_the_calendars_of_the_others(program, database, town, eva, friend, shift):
    book(database, town, shift, eva)
    book(database, town, shift, friend)
    first = program.events()[shift]
    change(database, Person, friend, first_name="Kalle")
    after = program.events()[shift]
    assert "Du går med Kalle." in after["DESCRIPTION"]
    assert int(after["SEQUENCE"]) == int(first["SEQUENCE"]) + 1
    change(database, Person, friend, first_name="")
    assert "Ingen annan har bokat" in program.events()[shift]["DESCRIPTION"]
    change(database, Area, town.centre, name="Mitten")
    assert program.events()[shift]["SUMMARY"] == "Nattvandring: Mitten"


def test_the_calendar_speaks_the_persons_language(program, database, town, eva, shift):
    book(database, town, shift, eva)
    change(database, Person, eva, language="en")
    assert program.events()[shift]["SUMMARY"] == "Night walk: Centrum"


CLOCK_NIGHTS = [
    (date(2026, 10, 24), time(20), time(2), 6, "kl. 20:00 till 02:00"),
    (date(2026, 10, 24), time(21), time(3, 30), 7.5, "passet är 7\\,5 timmar och slutar 03:30"),
    (date(2027, 3, 27), time(20), time(2), 6, "passet är 6 timmar och slutar 03:00"),
    (date(2027, 3, 27), time(20), time(3, 30), 6.5, "passet är 6\\,5 timmar och slutar 03:30"),
]


@pytest.mark.parametrize(("night", "starts", "ends", "hours", "said"), CLOCK_NIGHTS)
def test_a_walk_over_a_change_of_clocks_is_as_long_as_it_is(
    program, database, town, eva, clock, night, starts, ends, hours, said
):
    clock.instant = datetime(2026, 10, 1, tzinfo=UTC)
    shift = database.write(lambda connection: make.shift(connection, town, night, starts=starts, ends=ends))
    book(database, town, shift, eva, clock.instant)
    event = program.events()[shift]
    assert instant(event["DTEND"]) - instant(event["DTSTART"]) == timedelta(hours=hours)
    assert said in event["DESCRIPTION"]


# ---------------------------------------------------------------- the shared calendars


def test_the_shared_calendars_carry_numbers_and_never_names(app, database, town, eva, friend, shift):
    arena = database.write(lambda connection: make.shift(connection, town, make.FRIDAY, area=town.arena))
    book(database, town, shift, friend)
    database.write(lambda connection: grant_role(connection, town.id, eva, Role.COORDINATOR, make.NOW))
    nights = Program(app, subscribe(database, town, eva, CalendarKind.NIGHTS)).events()
    assert nights[shift]["SUMMARY"] == "Centrum: 1 av 4 går (två områden behöver folk)"
    assert nights[shift]["TRANSP"] == "TRANSPARENT"
    area = Program(app, subscribe(database, town, eva, CalendarKind.AREA, town.arena)).events()
    assert set(area) == {arena}
    club = Program(app, subscribe(database, town, eva, CalendarKind.CLUB, town.club_id))
    assert set(club.events()) == {shift}
    assert "Från Nattvandring Timrå IK: 1" in club.events()[shift]["DESCRIPTION"]
    needs = Program(app, subscribe(database, town, eva, CalendarKind.NEEDS))
    found = needs.poll(200).data.decode()
    for text in (str(nights), str(area), str(club.events()), found):
        assert "Björn" not in text
        assert "Lyktdal" not in text


def test_what_needs_people_says_how_many_and_leaves_when_full(app, database, town, eva, clock):
    shift = database.write(lambda connection: make.shift(connection, town, minimum=1, wanted=2))
    boss = database.write(lambda connection: make.person(connection, town, "Karin"))
    database.write(lambda connection: grant_role(connection, town.id, boss, Role.COORDINATOR, make.NOW))
    needs = Program(app, subscribe(database, town, boss, CalendarKind.NEEDS))
    assert needs.events()[shift]["SUMMARY"] == "En person saknas\\, annars inställt: Centrum"
    mine = book(database, town, shift, eva)
    assert needs.events()[shift]["SUMMARY"] == "Saknas 1: Centrum"
    book(database, town, shift, boss)
    assert needs.events() == {}
    database.write(lambda connection: bookings.cancel(connection, make.acting(town, eva), mine))
    assert int(needs.events()[shift]["SEQUENCE"]) == 2
    clock.instant = datetime(2026, 11, 27, 20, tzinfo=UTC)
    assert needs.events() == {}


def test_an_alarm_rings_only_for_who_has_asked(program, visitor, database, town, eva, shift):
    book(database, town, shift, eva)
    assert "ALARM TRIGGER" not in program.events()[shift]
    visitor.sign_in(eva).send("/me/calendar/alarm", {"alarm": "180"})
    event = program.events()[shift]
    assert event["ALARM TRIGGER"] == "-PT3H"
    assert event["ALARM ACTION"] == "DISPLAY"
    assert event["ALARM DESCRIPTION"] == "Nattvandring: Centrum"
    visitor.send("/me/calendar/alarm", {"alarm": "17"}, 422)
    visitor.send("/me/calendar/alarm", {"alarm": ""})
    assert "ALARM TRIGGER" not in program.events()[shift]

"""A season with both changes of clocks, read by programs that others wrote: all hold the same as the database."""

import hashlib
import json
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from scheduler.bookings import actions as bookings
from scheduler.kit.database import Database
from scheduler.partnership.tables import Area
from scheduler.people.tables import Person
from tests import make
from tests.calendars.readers import READERS, Subscription, ask
from tests.calendars.reading import Program, events, subscribe
from tests.calendars.seasons import FIRST, LAST, NOW, a_season, both_clock_nights, walk

VENDOR = Path(__file__).parent / "vendor"
NASTY = [
    'X; Y\\, "Z"\nBEGIN:VEVENT',
    "BEGIN:VEVENT",
    "END:VCALENDAR\r\nBEGIN:VCALENDAR",
    "Å" * 60,
    "👩‍👩‍👧‍👦 Åsa-Märta",
    "\u202eabcd\u202c\u0007\u0000".replace("\u0000", "\u0001"),
    "عائشة",
    "^n ^' ^^ %0A \\n",
    "Łukasz\u2028Zoë\x85François",
    "   ",
]


@pytest.fixture
def season(app, database, town, clock):
    return a_season(app, database, town, clock)


@pytest.fixture
def clock_nights(app, database, town, clock):
    return both_clock_nights(app, database, town, clock)


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_holds_the_season_as_the_database_does(season, reader):
    program, held = season
    assert len(held) == 60
    assert ask(READERS[reader], program.poll(200).data) == held


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_holds_both_nights_of_changed_clocks(clock_nights, reader):
    program, held = clock_nights
    assert ask(READERS[reader], program.poll(200).data) == held
    ordinary = [one for one in held.values() if " 0:" in one.title]
    assert [one.end - one.start for one in ordinary] == [timedelta(hours=6)] * 2


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_takes_a_calendar_without_events(app, database, town, reader):
    eva = database.write(lambda connection: make.person(connection, town, "Eva"))
    assert ask(READERS[reader], Program(app, subscribe(database, town, eva)).poll(200).data) == {}


def test_khal_holds_the_season_by_a_subscription_with_vdirsyncer(app, town, season, tmp_path):
    """vdirsyncer fetches from a real server, khal reads what it has kept; also after a change."""
    program, held = season
    renamed = update(Area).where(Area.id == town.centre).values(name="Mitten")
    with Subscription(app, program.path, tmp_path) as subscription:
        subscription.sync()
        found = subscription.held(FIRST, LAST + timedelta(days=1))
        # vdirsyncer gives every event a uid of its own.
        assert sorted(found.values()) == sorted(held.values())
        app.database.write(lambda connection: connection.execute(renamed))
        subscription.sync()
        titles = {one.title for one in subscription.held(FIRST, LAST + timedelta(days=1)).values()}
    assert titles == {"Nattvandring: Mitten", "INSTÄLLT: Nattvandring: Mitten"}


def test_what_is_vendored_is_what_was_published():
    for name, told in json.loads((VENDOR / "vendor.json").read_text()).items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == told["sha256"]


@pytest.mark.parametrize("name", NASTY)
def test_no_name_of_a_person_or_place_breaks_out_of_its_line(app, database, town, clock, name):
    clock.instant = NOW
    eva = database.write(lambda connection: make.person(connection, town, "Eva"))
    other = database.write(lambda connection: make.person(connection, town, "Nils"))
    shift = walk(database, town, eva, date(2026, 10, 9), time(1))
    program = Program(app, subscribe(database, town, eva, now=NOW))

    def write(connection):
        bookings.book(connection, make.acting(town, other, NOW), shift, other, "n")
        connection.execute(update(Person).where(Person.id == other).values(first_name=name))
        connection.execute(update(Area).where(Area.id == town.centre).values(name=name, meeting_place=name))

    database.write(write)
    body = program.poll(200).data
    (event,) = events(body).values()
    assert "SUMMARY" in event
    # ics 0.7.3 takes an escaped backslash before an n for a line break.
    readers = [reader for known_as, reader in READERS.items() if known_as != "ics" or "\\" not in name]
    titles = {ask(reader, body)[event["UID"]].title for reader in readers}
    assert len(titles) == 1
    assert not {*"\u202a\u202b\u202c\u202d\u202e\u2028\x01\x07\x85\n"} & set(titles.pop())


def test_the_control_in_local_time_is_read_wrongly_by_some(clock_nights):
    """Why the feed writes UTC: the same nights in local time, and the readers no longer agree."""
    program, held = clock_nights
    body = program.poll(200).data
    for one in held.values():
        for moment in (one.start, one.end):
            local = moment.astimezone(make.STOCKHOLM)
            body = body.replace(
                f":{moment:%Y%m%dT%H%M%SZ}".encode(), f";TZID=Europe/Stockholm:{local:%Y%m%dT%H%M%S}".encode()
            )
    wrong = {name for name, reader in READERS.items() if ask(reader, body) != held}
    assert wrong, "every reader got local times right: the reason for UTC has gone"


def test_the_database_away_is_no_reason_to_wipe_a_calendar(app, season):
    program, held = season
    good = program.poll(200).data
    kept = app.database
    app.database = Database("sqlite:////nowhere/at/all.sqlite3")
    assert ask(READERS["vobject"], program.poll(200).data) == held
    app.database = kept
    assert program.poll(200).data == good

"""The same on SQLite and PostgreSQL: every trigger, several processes at once, and what a poll costs."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, event, insert, inspect, select, text, update

from scheduler import create_app
from scheduler.bookings import actions as bookings
from scheduler.bookings.tables import Booking
from scheduler.calendars import actions, facts, making, triggers
from scheduler.calendars.rules import CalendarKind
from scheduler.calendars.tables import Calendar, CalendarChange, CalendarEvent, CalendarFeed
from scheduler.kit.database import Database
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club, Partnership
from scheduler.people.tables import Membership, Person, RoleGrant
from tests import make
from tests.calendars.reading import Program, subscribe
from tests.conftest import settings


@pytest.fixture
def town(each_database):
    return each_database.write(make.town)


@pytest.fixture
def eva(each_database, town):
    return each_database.write(lambda connection: make.person(connection, town, "Eva"))


@pytest.fixture
def shift(each_database, town):
    return each_database.write(lambda connection: make.shift(connection, town))


def app_on(database, clock=None):
    """Return the application as another process would have it: nothing shared but the database."""
    return create_app(settings(str(database.engine.url)), clock=clock or make.SetClock(), database=database)


def book(database, town, shift, person):
    return database.write(
        lambda connection: bookings.book(connection, make.acting(town, person), shift, person, f"{shift}-{person}")
    )


def do(database, statement):
    database.write(lambda connection: connection.execute(statement))


def marks(database):
    """Return the marks that stand, and take them away."""
    with database.reading() as connection:
        found = connection.execute(select(CalendarChange.kind, CalendarChange.subject_id)).all()
    do(database, delete(CalendarChange))
    return {(row.kind.value, row.subject_id) for row in found}


def test_every_change_that_can_be_seen_leaves_a_mark(each_database, town, eva, shift):
    database = each_database
    other = database.write(lambda connection: make.shift(connection, town, make.SATURDAY))
    booking = book(database, town, shift, eva)
    with database.reading() as connection:
        night, other_night = (
            connection.execute(select(Shift.night_id).where(Shift.id == one)).scalar_one() for one in (shift, other)
        )
    marks(database)
    for table, row, values, expected in (
        (Shift, shift, {"meeting_place": "Kyrkan"}, {("night", night)}),
        (Shift, shift, {"night_id": other_night, "area_id": town.arena}, {("night", night), ("night", other_night)}),
        (Booking, booking, {"state": "attended"}, {("shift", shift)}),
        (Night, night, {"special": "lucia"}, {("night", night)}),
        (Person, eva, {"first_name": "Ewa"}, {("person", eva)}),
        (Person, eva, {"language": "en"}, {("person", eva)}),
        (Area, town.centre, {"name": "Mitten"}, {("all", 0)}),
        (Area, town.centre, {"latitude": 62.4}, {("all", 0)}),
        (Club, town.club_id, {"name": "TIK"}, {("all", 0)}),
        (Partnership, town.id, {"name": "Nattvandring"}, {("all", 0)}),
    ):
        do(database, update(table).where(table.id == row).values(**values))
        assert marks(database) == expected, (table, values)
    do(database, update(Membership).where(Membership.person_id == eva).values(state="pending"))
    assert marks(database) == {("person", eva)}
    grant = {"partnership_id": town.id, "person_id": eva, "role": "coordinator", "club_id": None}
    do(database, insert(RoleGrant).values(**grant))
    assert marks(database) == {("person", eva)}
    do(database, delete(RoleGrant))
    assert marks(database) == {("person", eva)}
    do(database, delete(Booking))
    assert marks(database) == {("shift", shift)}


def test_what_nobody_can_see_leaves_no_mark(each_database, town, eva, shift):
    marks(each_database)
    do(each_database, update(Shift).values(revision=Shift.revision + 1, held=1, note="Vests"))
    do(each_database, update(Person).values(revision=Person.revision + 1, last_name="Andersson"))
    do(each_database, update(Shift).values(meeting_place=""))
    assert marks(each_database) == set()


def test_a_migration_that_rebuilds_a_table_loses_no_trigger(each_database):
    """As `flask db upgrade` does: the triggers are put in place after whatever the migrations did."""

    def names(connection):
        if connection.dialect.name == "sqlite":
            found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        else:
            found = connection.execute(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"))
        return {name for (name,) in found if name.startswith(triggers.PREFIX)}

    from scheduler.kit import migrating

    expected = {
        f"{triggers.PREFIX}{watched.table}_{event}"
        for watched in triggers.WATCHED
        for event in ("insert", "update", "delete")
    }
    with each_database.reading() as connection:
        assert names(connection) == expected
    each_database.write(triggers.remove)
    with each_database.reading() as connection:
        assert names(connection) == set()
    each_database.write(migrating.upgrade)
    with each_database.reading() as connection:
        assert names(connection) == expected


def test_every_watched_column_is_one(each_database):
    found = inspect(each_database.engine)
    for watched in triggers.WATCHED:
        columns = {column["name"] for column in found.get_columns(watched.table)}
        assert set(watched.columns) <= columns


def test_a_change_by_one_process_is_in_anothers_next_answer_with_the_same_bytes(each_database, town, eva, shift):
    path = subscribe(each_database, town, eva)
    elsewhere = Database(each_database.engine.url.render_as_string(hide_password=False))
    one, two = Program(app_on(each_database), path), Program(app_on(elsewhere), path)
    assert one.poll(200).data == two.poll(200).data
    tag = one.answer.headers["ETag"]
    two.poll(304, If_None_Match=tag)
    book(each_database, town, shift, eva)
    assert shift in two.events()
    assert two.answer.headers["ETag"] != tag
    assert one.poll(200).data == two.answer.data
    assert one.answer.headers["Last-Modified"] == two.answer.headers["Last-Modified"]
    elsewhere.dispose()


def at_once(*verbs):
    """Run the verbs in threads that start together; raise what one of them raised."""
    start, faults = threading.Barrier(len(verbs)), []

    def run(verb):
        start.wait()
        try:
            verb()
        except Exception as error:  # noqa: BLE001 - raised below
            faults.append(error)

    threads = [threading.Thread(target=run, args=(verb,)) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


ROUNDS = 8
APPS = 4


def test_polls_that_race_with_bookings_end_at_the_truth(each_database, town, eva, shift):
    """Each process polls while people book; afterwards every calendar shows what the database holds, every one of
    them the same, and no mark is left."""
    database = each_database
    people = database.write(lambda connection: make.people(connection, town, ROUNDS))
    nights = [make.FRIDAY.replace(month=12, day=number + 1) for number in range(ROUNDS)]
    shifts = database.write(lambda connection: [make.shift(connection, town, night, wanted=9) for night in nights])
    shared = subscribe(database, town, eva, CalendarKind.NIGHTS)
    paths = [shared, *(subscribe(database, town, person) for person in people)]
    processes = [app_on(database) for _ in range(APPS)]

    def booking(person):
        return lambda: [book(database, town, one, person) for one in shifts]

    def polling(app):
        return lambda: [Program(app, path).poll() for _ in range(3) for path in paths]

    at_once(*(booking(person) for person in people), *(polling(app) for app in processes))
    for app in processes:
        seen = Program(app, shared).events()
        assert {one: seen[one]["SUMMARY"] for one in shifts} == dict.fromkeys(shifts, f"Centrum: {ROUNDS} av 9 går")
        for path in paths[1:]:
            assert set(Program(app, path).events()) == set(shifts)
            assert all(
                event["DESCRIPTION"].count("Person") == ROUNDS - 1 for event in Program(app, path).events().values()
            )
    assert len({Program(app, path).poll(200).data for app in processes for path in paths[:1]}) == 1
    assert marks(database) == set()


def own_calendar(database):
    with database.reading() as connection:
        return connection.execute(select(Calendar.id)).scalar_one()


def make_from_facts_read_before_the_lock(database, calendar, town, eva, between):
    """The control: what `making.make` would be if it read first and locked afterwards."""
    with database.reading() as connection:
        read = facts.facts(connection, town.id, CalendarKind.MINE, eva, make.NOW)
    between()
    body = str([one.shift_id for one in read]).encode()
    later = make.NOW + timedelta(days=1)
    do(database, update(Calendar).where(Calendar.id == calendar).values(body=body, etag="x", fresh_until=later))


@pytest.fixture
def two_walks(each_database, town, eva, shift):
    """A calendar that was made when it had one walk, then booked a second; and the shift of a third."""
    database = each_database
    days = (make.SATURDAY, make.FRIDAY.replace(month=12, day=4))
    second, third = database.write(lambda connection: [make.shift(connection, town, day) for day in days])
    book(database, town, shift, eva)
    program = Program(app_on(database), subscribe(database, town, eva))
    program.events()
    book(database, town, second, eva)
    database.write(lambda connection: making.note_changes(connection, town.id, make.NOW))
    return program, {shift, second}, third


def test_a_calendar_drawn_from_older_facts_never_replaces_a_newer_one(each_database, town, eva, two_walks):
    """One is held up in the middle of making a calendar while somebody books and polls."""
    database = each_database
    program, _, third = two_walks
    calendar = own_calendar(database)
    held_up, go_on, slow = threading.Event(), threading.Event(), []

    def pause(_connection, _cursor, statement, *_more):
        if threading.current_thread() in slow and statement.startswith("UPDATE calendar SET revision"):
            held_up.set()
            go_on.wait(0.5)

    def making_slowly():
        slow.append(threading.current_thread())
        assert database.write(lambda connection: making.make(connection, calendar, make.SITE, make.NOW))

    def booking_and_polling():
        held_up.wait(5)
        book(database, town, third, eva)
        program.poll(200)
        go_on.set()

    event.listen(database.engine, "after_cursor_execute", pause)
    at_once(making_slowly, booking_and_polling)
    event.remove(database.engine, "after_cursor_execute", pause)
    assert third in program.events()


def test_the_control_that_reads_before_it_locks_loses_the_newer_walk(each_database, town, eva, two_walks):
    program, known, third = two_walks

    def booking_and_polling():
        book(each_database, town, third, eva)
        assert set(program.events()) == known | {third}

    calendar = own_calendar(each_database)
    make_from_facts_read_before_the_lock(each_database, calendar, town, eva, booking_and_polling)
    assert str(third) not in program.poll(200).data.decode()


def counted(database, work):
    """Return how many statements SQLAlchemy runs during the work."""
    statements = []

    def note(_connection, _cursor, statement, *_more):
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return len(statements)


def test_an_unchanged_feed_asks_nothing_of_sqlalchemy_and_writes_nothing(each_database, town, eva, shift):
    book(each_database, town, shift, eva)
    program = Program(app_on(each_database), subscribe(each_database, town, eva))
    tag = program.poll(200).headers["ETag"]
    assert counted(each_database, lambda: program.poll(304, If_None_Match=tag)) == 0
    assert counted(each_database, lambda: program.poll(200)) == 0


@pytest.mark.parametrize("walks", [1, 30])
def test_making_a_calendar_takes_as_many_statements_for_one_walk_as_for_thirty(each_database, town, eva, walks):
    days = [make.FRIDAY.replace(month=12, day=number + 1) for number in range(walks)]
    for day in days:
        book(
            each_database, town, each_database.write(lambda connection, day=day: make.shift(connection, town, day)), eva
        )
    subscribe(each_database, town, eva)
    calendar = own_calendar(each_database)
    made = []
    number = counted(
        each_database,
        lambda: made.append(
            each_database.write(lambda connection: making.make(connection, calendar, make.SITE, make.NOW))
        ),
    )
    assert made == [True]
    assert number <= 14


def test_many_who_open_the_same_page_at_once_get_one_address(each_database, town, eva):
    from tests.conftest import SECRET

    acting = make.acting(town, eva)

    def opening():
        each_database.write(lambda unit: actions.open_feed(unit, acting, CalendarKind.MINE, eva, "sv", SECRET))

    at_once(*[opening] * 8)
    with each_database.reading() as connection:
        assert len(connection.execute(select(CalendarFeed.id)).all()) == 1


def test_what_has_left_the_calendar_is_forgotten_after_two_years(each_database, town, eva, shift):
    booking = book(each_database, town, shift, eva)
    calendar_path = subscribe(each_database, town, eva)
    clock = make.SetClock()
    program = Program(app_on(each_database, clock), calendar_path)
    program.events()
    do(
        each_database,
        update(Booking).where(Booking.id == booking).values(state="cancelled", ended_because="could_not_come"),
    )
    assert program.events() == {}
    clock.instant += making.MEMORY_KEPT * 2
    program.poll(200)
    with each_database.reading() as connection:
        assert connection.execute(select(CalendarEvent.shift_id)).all() == []

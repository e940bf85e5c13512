"""Statements made ready once must behave as if SQLAlchemy had executed them."""

from datetime import date
from enum import StrEnum

import pytest
from sqlalchemy import bindparam, event, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from scheduler.kit.audit import AuditEntry
from scheduler.kit.database import Database, LostRace
from scheduler.kit.ready import Ready, together
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Partnership
from tests import make

SHIFT = Ready(
    select(Shift.id, Shift.state, Shift.starts_at, Night.date.label("night"), Shift.booked)
    .join(Night, Night.id == Shift.night_id)
    .where(Shift.id == bindparam("shift_id"), Shift.state.in_([ShiftState.PUBLISHED, ShiftState.WALKED]))
)
BOOKED = Ready(update(Shift).where(Shift.id == bindparam("shift_id")).values(booked=Shift.booked + bindparam("more")))
NEW_AREA = Ready(
    insert(Area).returning(Area.id),
    columns=("partnership_id", "name", "meeting_place", "default_minimum", "default_wanted", "gathers_minutes_before"),
)

NAME = Ready(select(Partnership.name).where(Partnership.id == bindparam("wanted")))


@pytest.fixture
def town(each_database):
    return each_database.write(make.town)


@pytest.fixture
def shift(each_database, town):
    return each_database.write(lambda connection: make.shift(connection, town))


def test_a_row_has_our_types_and_its_columns_names(each_database, shift):
    with each_database.reading() as connection:
        row = SHIFT.first(connection, {"shift_id": shift})
        assert row == (shift, ShiftState.PUBLISHED, make.before_start(0), make.FRIDAY, 0)
        assert isinstance(row.state, StrEnum)
        assert isinstance(row.night, date)
        assert row.starts_at.tzinfo is not None
        assert SHIFT.first(connection, {"shift_id": 999_999}) is None


def test_statements_sent_together_run_in_order_in_one_transaction(each_database, shift):
    def work(connection):
        changed, seen = together(connection, (BOOKED, {"shift_id": shift, "more": 2}), (SHIFT, {"shift_id": shift}))
        assert changed.touched == 1
        assert seen.rows[0][-1] == 2
        raise LookupError

    with pytest.raises(LookupError):
        each_database.write(work)
    with each_database.reading() as connection:
        assert SHIFT.first(connection, {"shift_id": shift}).booked == 0


def test_an_insert_returns_what_was_asked_for(each_database, town):
    values = {"partnership_id": town.id, "name": "Hamnen", "meeting_place": "kajen"}
    values |= {"default_minimum": 2, "default_wanted": 4, "gathers_minutes_before": 15}
    area = each_database.write(lambda connection: NEW_AREA.run(connection, values).rows[0][0])
    with each_database.reading() as connection:
        assert connection.execute(select(Area.name).where(Area.id == area)).scalar_one() == "Hamnen"


def test_what_the_database_refuses_is_the_same_error_and_undoes_the_unit(each_database, shift):
    def work(connection):
        together(connection, (BOOKED, {"shift_id": shift, "more": 1}), (BOOKED, {"shift_id": shift, "more": 99}))

    with pytest.raises(IntegrityError):
        each_database.write(work)
    with each_database.reading() as connection:
        assert SHIFT.first(connection, {"shift_id": shift}).booked == 0


def test_whoever_counts_statements_counts_these_too(each_database, shift):
    seen = []
    event.listen(each_database.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    each_database.write(lambda connection: BOOKED.run(connection, {"shift_id": shift, "more": 1}))
    assert sum("UPDATE shift" in statement for statement in seen) == 1


def test_a_unit_that_lost_a_race_is_undone_and_run_again(each_database, shift):
    tries = []

    def work(connection):
        BOOKED.run(connection, {"shift_id": shift, "more": 1})
        tries.append(SHIFT.first(connection, {"shift_id": shift}).booked)
        if len(tries) == 1:
            raise LostRace

    each_database.write(work)
    assert tries == [1, 1]


@pytest.mark.postgresql
def test_a_connection_that_is_gone_is_replaced_and_so_are_the_others_of_its_pool(postgres):
    database = Database(postgres.create_database("gone", template="walks"))
    town = database.write(make.town)
    killed = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with database.reading() as first, database.reading() as second:
        assert NAME.first(first, {"wanted": town.id}).name == "Nattvandring Timrå"
        second.execute(killed)
        with pytest.raises(OperationalError) as refusal:
            NAME.first(first, {"wanted": town.id})
        assert refusal.value.connection_invalidated
    assert database.write(lambda connection: NAME.first(connection, {"wanted": town.id})).name == "Nattvandring Timrå"
    database.dispose()


def test_json_goes_in_and_out(each_database, town):
    from scheduler.kit.audit import Change, record

    change = Change("booking.booked", after={"name": 'Åsa "x"'})
    each_database.write(lambda connection: record(connection, town.id, make.NOW, None, change))
    with each_database.reading() as connection:
        row = connection.execute(select(AuditEntry.after, AuditEntry.before, AuditEntry.at)).one()
    assert row == ({"name": 'Åsa "x"'}, {}, make.NOW)


@pytest.fixture
def one_connection(postgres, request):
    """A database on PostgreSQL with one connection, and a town."""
    database = Database(postgres.create_database(request.node.name[-60:], template="walks"), connections=1)
    yield database, database.write(make.town)
    database.dispose()


def prepared_by_the_driver(connection):
    for _ in range(3):
        connection.execute(select(Partnership.name))


@pytest.mark.postgresql
def test_what_the_driver_drops_when_it_rolls_back_is_prepared_again(one_connection):
    database, town = one_connection

    def refused(connection):
        NAME.first(connection, {"wanted": town.id})
        prepared_by_the_driver(connection)
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            database.write(refused)
    assert database.write(lambda connection: NAME.first(connection, {"wanted": town.id}).name) == "Nattvandring Timrå"


@pytest.mark.postgresql
def test_what_the_driver_drops_with_a_part_of_a_unit_is_prepared_again(one_connection):
    database, town = one_connection

    def work(connection):
        NAME.first(connection, {"wanted": town.id})
        prepared_by_the_driver(connection)
        with pytest.raises(LookupError), connection.begin_nested():
            raise LookupError
        return NAME.first(connection, {"wanted": town.id}).name

    assert database.write(work) == "Nattvandring Timrå"


@pytest.mark.postgresql
def test_a_refused_statement_leaves_the_connection_usable_and_its_statements_prepared(one_connection):
    database, town = one_connection
    shift = database.write(lambda connection: make.shift(connection, town))
    for _ in range(2):
        with pytest.raises(IntegrityError):
            database.write(lambda connection: BOOKED.run(connection, {"shift_id": shift, "more": 99}))
    assert database.write(lambda connection: BOOKED.run(connection, {"shift_id": shift, "more": 1})).touched == 1


def test_more_than_the_wire_holds_at_once_goes_out_and_comes_back(each_database, town):
    long = "å" * 2_000_000
    renamed = Ready(update(Area).where(Area.id == bindparam("wanted")).values(meeting_place=bindparam("place")))
    seen = Ready(select(Area.meeting_place).where(Area.id == bindparam("wanted")))
    values = {"wanted": town.centre}

    def work(connection):
        steps = [(renamed, values | {"place": long}), (seen, values)] * 4
        return together(connection, *steps)

    assert {answer.rows[0][0] for answer in each_database.write(work)[1::2]} == {long}


def test_what_is_written_into_the_sql_is_there(each_database, town):
    names = Ready(
        select(func.aggregate_strings(Area.name, " + ").label("names")).where(
            Area.partnership_id == bindparam("town_id")
        )
    )
    with each_database.reading() as connection:
        assert " + " in names.first(connection, {"town_id": town.id}).names

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from scheduler.kit.database import Database
from scheduler.nights.tables import Shift
from scheduler.partnership.tables import Partnership
from tests import make


def test_an_instant_comes_back_in_utc_and_the_same(each_database):
    with_offset = datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=1)))

    def write(connection):
        town = make.town(connection)
        connection.execute(update(Partnership).values(created_at=with_offset))
        return town

    each_database.write(write)
    with each_database.reading() as connection:
        stored = connection.execute(select(Partnership.created_at)).scalar_one()
    assert stored == with_offset
    assert stored.tzinfo is UTC


def test_a_naive_instant_is_refused(each_database):
    with pytest.raises(StatementError, match="naive"):
        each_database.write(
            lambda connection: connection.execute(
                update(Partnership).values(created_at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
            )
        )


def test_a_unit_that_fails_keeps_nothing(each_database):
    def write(connection):
        make.town(connection)
        raise LookupError

    with pytest.raises(LookupError):
        each_database.write(write)
    with each_database.reading() as connection:
        assert connection.execute(select(Partnership.id)).all() == []


def test_the_database_itself_refuses_more_people_than_places(each_database):
    town = each_database.write(make.town)
    shift = each_database.write(lambda connection: make.shift(connection, town, wanted=4))
    for values in ({"booked": 5}, {"booked": 3, "held": 2}, {"booked": -1}, {"wanted": 1}):
        with pytest.raises(IntegrityError):
            each_database.write(
                lambda connection, values=values: connection.execute(
                    update(Shift).where(Shift.id == shift).values(**values)
                )
            )


@pytest.mark.postgresql
def test_a_unit_that_loses_its_connection_is_run_again(postgres):
    database = Database(postgres.create_database("again", template="walks"))
    town = database.write(make.town)
    tries = []

    def work(connection):
        tries.append(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        if len(tries) == 1:
            with database.reading() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": tries[0]})
        return connection.execute(select(Partnership.id)).scalar_one()

    assert database.write(work) == town.id
    assert len(tries) == 2
    database.dispose()


def test_a_locked_database_is_given_up_after_a_few_seconds_and_nothing_is_half_done(tmp_path, empty_sqlite):
    path = tmp_path / "locked.sqlite3"
    shutil.copyfile(empty_sqlite, path)
    database = Database(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError):
        database.write(make.town)
    other.execute("ROLLBACK")
    other.close()
    with database.reading() as connection:
        assert connection.execute(select(Partnership.id)).all() == []
    database.dispose()

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from scheduler import tables
from scheduler.kit import migrating
from scheduler.kit.database import Database


def test_a_migrated_database_is_what_the_tables_say(each_database):
    with each_database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.METADATA) == []


def test_every_migration_goes_up_and_down_with_rows_in_it(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'updown.sqlite3'}")
    database.write(migrating.upgrade)
    with database.reading() as connection:
        assert migrating.is_migrated(connection)
    database.write(lambda connection: migrating.downgrade(connection, "base"))
    with database.reading() as connection:
        assert not migrating.is_migrated(connection)
    database.write(migrating.upgrade)
    database.dispose()

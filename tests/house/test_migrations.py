from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from scheduler import tables
from scheduler.kit import migrating
from scheduler.kit.database import Database
from tests import make


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


def test_decisions_that_partners_have_agreed_to_survive_the_newest_migrations(request, tmp_path):
    for kind in ("sqlite", "postgresql"):
        if kind == "sqlite":
            database = Database(f"sqlite:///{tmp_path / 'decided.sqlite3'}")
        else:
            database = Database(request.getfixturevalue("postgres").create_database("decided"))
        database.write(lambda connection: migrating.upgrade(connection, "0014"))

        def decide(connection):
            town = make.town(connection)
            row = {"town": town.id, "agreement": town.agreement_id, "now": make.NOW.isoformat()}
            connection.execute(
                text(
                    "INSERT INTO steering_decision (id, partnership_id, agreement_id, kind, title, text, proposed_at) "
                    "VALUES (1, :town, :agreement, 'ordinary', 'Två områden', '', :now)"
                ),
                row,
            )
            connection.execute(
                text(
                    "INSERT INTO steering_consent (decision_id, partner, agreed, given_at) "
                    "VALUES (1, 'club', :yes, :now)"
                ),
                row | {"yes": True},
            )

        database.write(decide)
        database.write(migrating.upgrade)
        with database.reading() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, tables.METADATA) == []
            assert connection.execute(text("SELECT title FROM steering_decision")).scalar_one() == "Två områden"
        database.dispose()

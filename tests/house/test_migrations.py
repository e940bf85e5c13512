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


def test_decisions_that_partners_have_agreed_to_survive_the_newest_migrations_up_and_down(request, tmp_path):
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

        def take_up(connection):
            row = {"town": make.town(connection, "other", "other").id, "now": make.NOW.isoformat()}
            connection.execute(
                text(
                    "INSERT INTO steering_meeting (id, partnership_id, starts_at, minutes, place, agenda, sequence, "
                    "organizer_name, changed_at) VALUES (1, :town, :now, 60, '', '', 0, 'Eva', :now)"
                ),
                row,
            )
            connection.execute(text("UPDATE steering_decision SET meeting_id = 1"))

        database.write(take_up)
        database.write(lambda connection: migrating.downgrade(connection, "0014"))
        with database.reading() as connection:
            kept = "SELECT title, partner FROM steering_decision JOIN steering_consent ON decision_id = id"
            assert connection.execute(text(kept)).all() == [("Två områden", "club")]
            assert connection.execute(text("SELECT minutes FROM steering_meeting")).scalars().all() == [60]
        database.write(migrating.upgrade)
        with database.reading() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, tables.METADATA) == []
            assert connection.execute(text(kept)).all() == [("Två områden", "club")]
        database.dispose()

"""Commands that span the rooms: the database's schema, preparing a first start, and the worker."""

import signal
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask.cli import AppGroup
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from scheduler.kit import migrating
from scheduler.kit.web import Application

if TYPE_CHECKING:
    from scheduler.kit.backup import Manifest


def register(app: Application) -> None:
    """Hang every room's commands on the application."""
    from scheduler.bookings.commands import group as bookings
    from scheduler.nights.commands import group as nights
    from scheduler.partnership.commands import group as partnership
    from scheduler.people.commands import group as people
    from scheduler.registers.commands import add_import

    of_people = people(app)
    add_import(app, of_people)
    for group in (_db(app), partnership(app), of_people, nights(app), bookings(app)):
        app.cli.add_command(group)
    _register_prepare(app)
    _register_copies(app)
    _register_worker(app)
    if app.settings.demo:
        from scheduler.demo.commands import group as demo

        app.cli.add_command(demo(app))


def _db(app: Application) -> AppGroup:
    group = AppGroup("db", help="The database's schema.")

    @group.command("upgrade")
    @click.argument("revision", default="head")
    def upgrade(revision: str) -> None:
        """Bring the database to the newest revision, or to REVISION."""
        app.database.write(lambda connection: migrating.upgrade(connection, revision))
        click.echo("The database is up to date.")

    @group.command("downgrade")
    @click.argument("revision")
    def downgrade(revision: str) -> None:
        """Take the database back to REVISION ("base" empties it)."""
        app.database.write(lambda connection: migrating.downgrade(connection, revision))
        click.echo(f"The database stands at {revision}.")

    @group.command("revision")
    @click.argument("number")
    @click.argument("message")
    def revision(number: str, message: str) -> None:
        """Write a new revision NUMBER (0002, 0003 …) from what the tables say."""
        from alembic import command

        app.database.write(
            lambda connection: command.revision(migrating.config(connection), message, autogenerate=True, rev_id=number)
        )

    return group


def _register_prepare(app: Application) -> None:
    @app.cli.command("prepare")
    def prepare() -> None:
        """Bring the database up to date and, in the demo, fill it on the first start."""
        with app.database.reading() as connection:
            migrated = migrating.is_migrated(connection)
        if not migrated:
            click.echo("Making the database …")
            app.database.write(migrating.upgrade)
        if app.settings.demo:
            from scheduler.demo.actions import fill_once, is_another

            with app.database.reading() as connection:
                if is_another(connection):
                    raise click.ClickException(
                        "This database holds a real partnership, and SCHEDULER_DEMO=1 is only for the demo. "
                        "Unset SCHEDULER_DEMO, or give the demo a database of its own (SCHEDULER_DATABASE_URL)."
                    )
            if fill_once(app.database, app.clock.now(), app.settings.public_url):
                click.echo("The demo partnership is in place.")
        click.echo("The database is ready.")


def _register_copies(app: Application) -> None:
    from scheduler.kit import backup as copies

    @app.cli.command("backup")
    @click.argument("file", required=False, type=click.Path(path_type=Path))
    def backup(file: Path | None) -> None:
        """Copy the whole database to FILE (default: backups/ in this folder) while everything goes on."""
        now = app.clock.now()
        copy = file or Path("backups") / f"lykta-{now:%Y-%m-%dT%H%M%SZ}"
        try:
            manifest = copies.make(app.settings.database_url, copy, now)
        except copies.BackupError as error:
            raise click.ClickException(str(error)) from None
        click.echo(f"{copy}: {manifest.total} rows in {len(manifest.rows)} tables, opened and counted again.")

    @app.cli.command("restore")
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--check", is_flag=True, help="Restore into a temporary place and tell whether the copy is good.")
    def restore(file: Path, check: bool) -> None:
        """Put the copy FILE into the empty database that SCHEDULER_DATABASE_URL names. Stop web and worker first."""
        try:
            manifest = copies.restore(app.settings.database_url, file, check=check)
        except copies.BackupError as error:
            raise click.ClickException(str(error)) from None
        counted = f"{manifest.total} rows of {manifest.made_at}, revision {manifest.revision}"
        if check:
            click.echo(f"The copy is good: {counted}.")
            return
        app.database.write(lambda connection: _know_as_copy(connection, manifest, app.clock.now()))
        click.echo(f"Restored: {counted}, and brought to revision {migrating.newest()}.")
        click.echo("The worker's first pass asks Twilio what was sent after the copy was made; no text leaves before.")


def _know_as_copy(connection: Connection, manifest: "Manifest", now: datetime) -> None:
    """Bring what was put back to the newest revision, and hold its texts back."""
    from scheduler.messages import resting

    migrating.upgrade(connection)
    resting.begin(connection, datetime.fromisoformat(manifest.made_at), now)


def _register_worker(app: Application) -> None:
    @app.cli.command("worker")
    @click.option("--once", is_flag=True, help="One full pass, then stop.")
    def worker(once: bool) -> None:
        """Do what is due: plan and send texts, look up their fate, pass on offers, forget what is old."""
        from scheduler import worker as working

        if not app.settings.sms_on and not app.settings.demo:
            click.echo("No SMS leaves from here: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and a sender are not set.")
        if once:
            try:
                click.echo(working.once(app) or "Nothing was due.")
            except SQLAlchemyError as error:
                raise click.ClickException(f"The database did not answer: {type(error).__name__}") from None
            return
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        working.run(app, stopped)
        click.echo("The worker has stopped.")

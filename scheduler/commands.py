"""Commands that span the rooms: the database's schema, preparing a first start, and the worker."""

import signal
import threading
from datetime import UTC
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from scheduler.kit import migrating
from scheduler.kit.web import Application

PASS_EVERY_SECONDS = 10
LONGEST_PAUSE_SECONDS = 120


def register(app: Application) -> None:
    """Hang every room's commands on the application."""
    from scheduler.bookings.commands import group as bookings
    from scheduler.nights.commands import group as nights
    from scheduler.partnership.commands import group as partnership
    from scheduler.people.commands import group as people

    for group in (_db(app), partnership(app), people(app), nights(app), bookings(app)):
        app.cli.add_command(group)
    _register_prepare(app)
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


def _register_worker(app: Application) -> None:
    @app.cli.command("worker")
    @click.option("--once", is_flag=True, help="One full pass, then stop.")
    def worker(once: bool) -> None:
        """Do what is due: pass on offers that nobody answered, settle messages, forget old codes."""
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        if not app.settings.sms_on and not app.settings.demo:
            click.echo("No SMS leaves from here: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and a sender are not set.")
        pause = PASS_EVERY_SECONDS
        while not stopped.is_set():
            try:
                done = one_pass(app)
                if done or once:
                    click.echo(done or "Nothing was due.")
                pause = PASS_EVERY_SECONDS
            except SQLAlchemyError as error:
                if once:
                    raise click.ClickException(f"The database did not answer: {type(error).__name__}") from None
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                click.echo(f"The database did not answer ({type(error).__name__}); next try in {pause} s.")
            if once:
                return
            stopped.wait(pause)
        click.echo("The worker has stopped.")


def one_pass(app: Application) -> str:
    """Do everything that is due, each piece in a transaction of its own; return what was done, "" for nothing."""
    from scheduler.bookings.rules import Ended
    from scheduler.bookings.waiting_list import decline, expired_offers
    from scheduler.calendars.actions import make_what_is_stale
    from scheduler.messages.actions import settle_due
    from scheduler.partnership.tables import Partnership
    from scheduler.people.rules import Acting
    from scheduler.people.signing_in import forget_old

    now = app.clock.now()
    with app.database.reading() as connection:
        offers = expired_offers(connection, now)
        zones = {row.id: row.time_zone for row in connection.execute(select(Partnership.id, Partnership.time_zone))}
    for offer in offers:
        acting = Acting(offer.partnership_id, None, now, ZoneInfo(zones[offer.partnership_id]), app.settings.public_url)
        app.database.write(
            lambda connection, acting=acting, offer=offer: decline(  # type: ignore[misc]
                connection, acting, offer.id, Ended.OFFER_EXPIRED
            )
        )
    sent, expired = app.database.write(
        lambda connection: settle_due(connection, now, shown=app.settings.demo and not app.settings.sms_on)
    )
    forgotten = app.database.write(lambda connection: forget_old(connection, now))
    made = make_what_is_stale(app.database, app.settings.public_url, now)
    counts = {
        "offers passed on": len(offers),
        "messages shown": sent,
        "messages too late": expired,
        "codes forgotten": forgotten,
        "calendars made": made,
    }
    done = ", ".join(f"{what}: {count}" for what, count in counts.items() if count)
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {done}" if done else ""

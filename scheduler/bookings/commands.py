import click
from flask.cli import AppGroup

from scheduler.bookings.queries import drift
from scheduler.kit.web import Application


def group(app: Application) -> AppGroup:
    """Return `flask bookings …`."""
    commands = AppGroup("bookings", help="Bookings: checks.")

    @commands.command("check")
    def check() -> None:
        """Compare each shift's counts with its bookings; fails if any differ."""
        with app.database.reading() as connection:
            found = drift(connection)
        for one in found:
            click.echo(f"shift {one.shift_id}: booked {one.booked} for {one.people}, held {one.held} for {one.holds}")
        if found:
            raise click.ClickException(f"{len(found)} shifts disagree with their bookings.")
        click.echo("Every shift agrees with its bookings.")

    return commands

import click
from flask.cli import AppGroup

from scheduler.demo.actions import fill_once
from scheduler.kit.web import Application


def group(app: Application) -> AppGroup:
    """Return `flask demo …`; it exists only in the demo."""
    commands = AppGroup("demo", help="The demo partnership.")

    @commands.command("fill")
    def fill() -> None:
        """Fill an empty database with the demo partnership."""
        filled = fill_once(app.database, app.clock.now(), app.settings.public_url)
        click.echo("The demo partnership is in place." if filled else "There is a partnership already.")

    return commands

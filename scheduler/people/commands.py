import click
from flask.cli import AppGroup
from sqlalchemy import Connection

from scheduler.kit.refusals import NotFound
from scheduler.kit.web import Application
from scheduler.partnership.commands import MobileNumber
from scheduler.partnership.queries import clubs, partnership_id_of
from scheduler.people import actions
from scheduler.people.queries import person_by_phone
from scheduler.people.rules import Role


def group(app: Application) -> AppGroup:
    """Return `flask people …`."""
    commands = AppGroup("people", help="People: invitations and roles.")

    @commands.command("invite")
    @click.option("--club", default="", help="Only this club.")
    @click.option("--host", default="", help="The partnership's host name, for all but the first.")
    def invite(club: str, host: str) -> None:
        """Print each club's invitation link."""
        with app.database.reading() as connection:
            listed = clubs(connection, _partnership(connection, host))
        base = f"{app.settings.public_url.partition('://')[0]}://{host}" if host else app.settings.public_url
        for one in listed:
            if club in {"", one.name}:
                click.echo(f"{one.name}: {base}/join/{one.invitation_code}")

    @commands.command("grant")
    @click.argument("phone", type=MobileNumber())
    @click.argument("role", type=click.Choice([role.value for role in Role]))
    @click.option("--club", default="", help="The club, for a contact.")
    @click.option("--host", default="", help="The partnership's host name, for all but the first.")
    def grant(phone: str, role: str, club: str, host: str) -> None:
        """Give the person with this number a role, and approve her memberships."""
        app.database.write(lambda connection: _grant(connection, phone, Role(role), club, host))
        click.echo("Done.")

    def _grant(connection: Connection, phone: str, role: Role, club: str, host: str) -> None:
        partnership_id = _partnership(connection, host)
        person = person_by_phone(connection, partnership_id, phone)
        if person is None:
            raise click.ClickException("Nobody has that number yet: join first, by the club's invitation link.")
        club_id = next((one.id for one in clubs(connection, partnership_id) if one.name == club), None)
        if (role is Role.CONTACT) != (club_id is not None):
            raise click.ClickException("A contact needs --club with the club's name; other roles have none.")
        now = app.clock.now()
        actions.grant_role(connection, partnership_id, person.id, role, now, club_id=club_id)
        actions.approve_memberships_of(connection, partnership_id, person.id, now)

    return commands


def _partnership(connection: Connection, host: str) -> int:
    try:
        return partnership_id_of(connection, host)
    except NotFound:
        raise click.ClickException("There is no such partnership: see `flask partnership create --help`.") from None

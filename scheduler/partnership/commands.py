from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from scheduler.kit.language import ORE_PER_KRONA, kronor_in
from scheduler.kit.phone import to_e164
from scheduler.kit.refusals import Invalid, NotFound
from scheduler.kit.settings import LONGEST_HOST_CHARACTERS
from scheduler.kit.web import Application
from scheduler.partnership import actions, queries
from scheduler.partnership.rules import BudgetLineKind


class MobileNumber(click.ParamType[str]):
    """A Swedish mobile number on the command line, as E.164."""

    name = "mobile number"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return to_e164(value)
        except Invalid as refusal:
            self.fail(f"{value!r} is no Swedish mobile number ({refusal.problem})", param, ctx)


class TimeZone(click.ParamType[str]):
    """A name of the time zone database."""

    name = "time zone"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return ZoneInfo(value).key
        except (KeyError, OSError, ValueError):
            self.fail(f"{value!r} is no time zone, unlike Europe/Stockholm", param, ctx)


def group(app: Application) -> AppGroup:
    """Return `flask partnership …`."""
    commands = AppGroup("partnership", help="Partnerships (tenants).")

    @commands.command("create")
    @click.option("--name", required=True, help="The partnership's name.")
    @click.option("--municipality", required=True)
    @click.option("--club", required=True, help="The coordinating club.")
    @click.option("--area", "areas", multiple=True, required=True, metavar="NAME:MEETING_PLACE")
    @click.option("--host", default="", help="Host name, for all but the first partnership.")
    @click.option("--time-zone", type=TimeZone(), default="Europe/Stockholm", show_default=True)
    @click.option("--team-phone", type=MobileNumber(), default=None)
    @click.option("--coordinator-phone", type=MobileNumber(), default=None)
    @click.option("--starts", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day of the term.")
    @click.option("--ends", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last day of the term.")
    @click.option("--night-rate", type=click.IntRange(0), default=2500, show_default=True, help="Kronor.")
    @click.option("--promised", type=click.IntRange(0), required=True, help="Kronor in the agreement's text.")
    @click.option("--weekend-nights", type=click.IntRange(0), required=True, help="Kronor for weekend nights.")
    @click.option("--material", type=click.IntRange(0), default=0, help="Kronor.")
    @click.option("--unforeseen", type=click.IntRange(0), default=0, help="Kronor.")
    def create(**given: Any) -> None:  # noqa: ANN401 - one keyword for each option above
        """Create a partnership with its agreement, coordinating club and areas."""
        if len(given["host"]) > LONGEST_HOST_CHARACTERS:
            raise click.ClickException(
                f"A host of more than {LONGEST_HOST_CHARACTERS} characters leaves no room in a text."
            )
        try:
            code = app.database.write(lambda connection: _create(connection, app.clock.now(), given))
        except IntegrityError:
            raise click.ClickException("A partnership with that host (or without one) is there already.") from None
        except Invalid:
            raise click.ClickException("The term ends before it starts.") from None
        click.echo(f"{given['name']} is in place. Join its coordinating club: {app.settings.public_url}/join/{code}")

    @commands.command("show")
    def show() -> None:
        """Show the partnership's agreement of today: term, rate, lines and sums, in kronor."""
        with app.database.reading() as connection:
            partnership_id = queries.default_partnership_id(connection)
            agreement = queries.agreement_on(connection, partnership_id, app.clock.now().date())
        click.echo(f"Term {agreement.starts_on} to {agreement.ends_on}, {_kronor(agreement.night_rate_ore)} a night")
        for kind, amount_ore in agreement.lines.items():
            click.echo(f"{kind}: {_kronor(amount_ore)} ({agreement.paid_nights(kind)} nights)")
        click.echo(
            f"Promised {_kronor(agreement.sums.promised_ore)}, budgeted {_kronor(agreement.sums.budgeted_ore)}, "
            f"unallocated {_kronor(agreement.sums.unallocated_ore)}"
        )

    commands.add_command(_locate(app))
    return commands


def _locate(app: Application) -> click.Command:
    @click.command("locate")
    @click.argument("area")
    @click.argument("latitude", type=float)
    @click.argument("longitude", type=float)
    @click.option("--host", default="", help="Host name of the partnership, for all but the first.")
    def locate(area: str, latitude: float, longitude: float, host: str) -> None:
        """Say where AREA's meeting place is, in degrees, so that calendars can show the way there."""

        def write(connection: Connection) -> None:
            partnership_id = queries.partnership_id_of(connection, host)
            actions.locate_area(connection, partnership_id, area, (latitude, longitude))

        try:
            app.database.write(write)
        except NotFound:
            raise click.ClickException(f"There is no area {area!r}.") from None
        except Invalid:
            raise click.ClickException("Latitude goes from -90 to 90, longitude from -180 to 180.") from None
        click.echo(f"{area} meets at {latitude}, {longitude}.")

    return locate


def _kronor(ore: int) -> str:
    return kronor_in(ore, "sv").replace("\u00a0", " ")


def _create(connection: Connection, now: datetime, given: dict[str, Any]) -> str:
    partnership_id = actions.found_partnership(
        connection,
        now,
        name=given["name"],
        municipality=given["municipality"],
        time_zone=given["time_zone"],
        host_name=given["host"],
        team_phone=given["team_phone"] or "",
        coordinator_phone=given["coordinator_phone"] or "",
    )
    actions.sign_agreement(
        connection,
        partnership_id,
        starts_on=given["starts"].date(),
        ends_on=given["ends"].date(),
        night_rate_ore=given["night_rate"] * ORE_PER_KRONA,
        promised_ore=given["promised"] * ORE_PER_KRONA,
        lines_ore={
            BudgetLineKind.WEEKEND_NIGHTS: given["weekend_nights"] * ORE_PER_KRONA,
            BudgetLineKind.MATERIAL: given["material"] * ORE_PER_KRONA,
            BudgetLineKind.UNFORESEEN: given["unforeseen"] * ORE_PER_KRONA,
        },
    )
    for area in given["areas"]:
        name, _, meeting_place = area.partition(":")
        actions.add_area(connection, partnership_id, name.strip(), meeting_place.strip() or name.strip())
    club_id = actions.add_club(connection, partnership_id, given["club"], coordinating=True)
    codes = [club.invitation_code for club in queries.clubs(connection, partnership_id) if club.id == club_id]
    return str(codes[0])

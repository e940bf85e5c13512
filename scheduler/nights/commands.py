from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup
from sqlalchemy import Connection, select

from scheduler.kit.refusals import NotFound
from scheduler.kit.web import Application
from scheduler.nights import actions
from scheduler.nights.naming import local_nights
from scheduler.nights.season import Pattern, Season, Special, Unplannable, plan_season, special_nights
from scheduler.partnership.queries import AgreementView, agreement_on, areas, partnership_id_of
from scheduler.partnership.rules import BudgetLineKind
from scheduler.partnership.tables import Partnership

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = click.DateTime(["%Y-%m-%d"])


def _clock_time(_context: click.Context, _option: click.Parameter, value: str) -> time:
    try:
        return time.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time like 21:00") from None


def group(app: Application) -> AppGroup:
    """Return `flask nights …`."""
    commands = AppGroup("nights", help="Nights: planning and publishing a season.")

    @commands.command("plan")
    @click.option("--weekday", "weekdays", multiple=True, type=click.Choice(WEEKDAYS), default=("fri", "sat"))
    @click.option("--from", "starts", callback=_clock_time, default="21:00", show_default=True)
    @click.option("--to", "ends", callback=_clock_time, default="01:00", show_default=True)
    @click.option("--area", "names", multiple=True, help="In rotation; all areas unless named.")
    @click.option("--on", "day", type=Day, default=None, help="Any day of the agreement's term; today unless given.")
    @click.option("--school-ends", "last_school_days", multiple=True, type=Day)
    @click.option("--home-game", "home_games", multiple=True, type=Day)
    @click.option("--skip", multiple=True, type=Day, help="A night to leave out.")
    @click.option("--extra", multiple=True, type=Day, help="A night to walk whatever the weekday.")
    @click.option("--publish", is_flag=True, help="Publish at once instead of planning.")
    @click.option("--dry-run", is_flag=True, help="Only say what would be planned.")
    @click.option("--host", default="", help="The partnership's host name, for all but the first.")
    def plan(**given: Any) -> None:  # noqa: ANN401 - one keyword for each option above
        """Make a season within the agreement's term: as many nights as the budget pays for, and say why each
        other night is left out."""
        try:
            season, agreement, shifts = app.database.write(lambda connection: _plan(app, connection, given))
        except Unplannable as refusal:
            dates = ", ".join(str(night) for night in refusal.nights)
            raise click.ClickException(f"{refusal.field}: {refusal.problem} {dates}".rstrip()) from None
        except actions.AlreadyPlanned:
            raise click.ClickException("The agreement's season is planned already.") from None
        except NotFound:
            raise click.ClickException("There is no partnership, or no agreement on that day.") from None
        _tell(season, agreement, shifts)

    @commands.command("publish")
    @click.argument("last", type=Day)
    @click.option("--host", default="")
    def publish(last: datetime, host: str) -> None:
        """Publish the planned shifts up to and with the night LAST."""
        count = app.database.write(
            lambda connection: actions.publish(
                connection,
                partnership_id_of(connection, host),
                last.date(),
                app.clock.now(),
            )
        )
        click.echo(f"{count} shifts are published.")

    return commands


def _dates(values: Iterable[datetime]) -> list[date]:
    return [value.date() for value in values]


def _plan(app: Application, connection: Connection, given: dict[str, Any]) -> tuple[Season, AgreementView, int]:
    now = app.clock.now()
    partnership_id = partnership_id_of(connection, str(given["host"]))
    zone = ZoneInfo(
        connection.execute(select(Partnership.time_zone).where(Partnership.id == partnership_id)).scalar_one()
    )
    day = given["day"].date() if given["day"] else now.astimezone(zone).date()
    agreement = agreement_on(connection, partnership_id, day)
    by_name = {name: area_id for area_id, name in areas(connection, partnership_id)}
    names = list(given["names"]) or list(by_name)
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise click.ClickException(f"There is no area {unknown[0]!r}; there are {', '.join(by_name)}.")
    pattern = Pattern(
        weekdays=frozenset(WEEKDAYS.index(word) for word in given["weekdays"]),
        starts=given["starts"],
        ends=given["ends"],
        areas=tuple(by_name[name] for name in names),
    )
    specials = special_nights(
        agreement.starts_on,
        agreement.ends_on,
        [
            *local_nights(connection, partnership_id, agreement.starts_on),
            *((night, Special.LAST_SCHOOL_DAY) for night in _dates(given["last_school_days"])),
            *((night, Special.HOME_GAME) for night in _dates(given["home_games"])),
        ],
    )
    season = plan_season(
        pattern,
        agreement.starts_on,
        agreement.ends_on,
        agreement.paid_nights(BudgetLineKind.WEEKEND_NIGHTS),
        specials,
        skip=_dates(given["skip"]),
        extra=_dates(given["extra"]),
    )
    shifts = 0
    if not given["dry_run"]:
        shifts = actions.write_season(
            connection,
            partnership_id,
            agreement.id,
            season,
            pattern,
            zone,
            now,
            publish=bool(given["publish"]),
        )
    return season, agreement, shifts


def _tell(season: Season, agreement: AgreementView, shifts: int) -> None:
    for planned in season.nights:
        special = f"  {planned.special}" if planned.special else ""
        if planned.left_out is not None:
            click.echo(f"{planned.night:%Y-%m-%d %a}  left out: {planned.left_out}{special}")
        elif special:
            click.echo(f"{planned.night:%Y-%m-%d %a}{special}")
    paid = agreement.paid_nights(BudgetLineKind.WEEKEND_NIGHTS)
    click.echo(
        f"{len(season.nights)} nights are possible from {agreement.starts_on} to {agreement.ends_on}, "
        f"the budget pays for {paid}, {len(season.walked)} are planned; {shifts} shifts written."
    )

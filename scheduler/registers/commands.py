from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask import g
from flask.cli import AppGroup
from sqlalchemy import Connection, select

from scheduler.kit.refusals import Invalid, NotFound
from scheduler.kit.web import Application
from scheduler.partnership.queries import clubs, partnership_id_of
from scheduler.partnership.tables import Partnership
from scheduler.people.rules import Acting
from scheduler.registers.actions import bring_in
from scheduler.registers.columns import Register, register_of
from scheduler.registers.queries import Preview, day_of, preview, where_to
from scheduler.registers.reading import LARGEST_FILE_BYTES, tables
from scheduler.registers.rules import Field
from scheduler.registers.words import fault_words, lacking_words, problem_words, remedy_words

PAIR = "FIELD=HEADING"


def add_import(app: Application, people: AppGroup) -> None:
    """Add `flask people import`."""

    @people.command("import")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--club", required=True, help="The club, for the rows that name none.")
    @click.option("--host", default="", help="The partnership's host name, for all but the first.")
    @click.option("--column", multiple=True, metavar=PAIR, help="Say which column is what, such as phone=Mobil.")
    @click.option("--tell", is_flag=True, help="Tell each of them by a text.")
    @click.option("--yes", is_flag=True, help="Bring them in; without it only show who could come in.")
    def command(file: Path, club: str, host: str, column: tuple[str, ...], tell: bool, yes: bool) -> None:
        """Invite the people of a club's list of members (CSV, XLSX) who can come in; the others are told with why."""
        g.language = "en"
        with app.database.reading() as connection:
            acting = _acting(app, connection, host)
            club_id = next((one.id for one in clubs(connection, acting.partnership_id) if one.name == club), None)
            if club_id is None:
                raise click.ClickException(f"There is no club {club!r}: see `flask people invite`.")
            register = _register(file, acting)
            fields = register.guessed | dict(_chosen(pair, register) for pair in column)
            day = day_of(acting.now, acting)
            to = where_to(connection, acting.partnership_id, None, club_id, day)
            seen = preview(connection, acting.partnership_id, register.rows, fields, to, day)
        if seen.lacking:
            told = " ".join(lacking_words(field) for field in seen.lacking)
            headings = ", ".join(one.heading for one in register.columns if one.heading)
            raise click.ClickException(f"{told} Use --column {PAIR}. The headings are: {headings or 'none'}.")
        _tell(seen)
        if yes and seen.coming:
            done = app.database.write(lambda unit: bring_in(unit, acting, seen, tell=tell))
            click.echo(f"{done.invited} invited, {done.told} texts queued.")


def _acting(app: Application, connection: Connection, host: str) -> Acting:
    try:
        partnership_id = partnership_id_of(connection, host)
    except NotFound:
        raise click.ClickException("There is no such partnership: see `flask partnership create --help`.") from None
    zone = connection.execute(select(Partnership.time_zone).where(Partnership.id == partnership_id)).scalar_one()
    public_url = app.settings.public_url
    site = f"{public_url.partition('://')[0]}://{host}" if host else public_url
    return Acting(partnership_id, None, app.clock.now(), ZoneInfo(zone), site)


def _register(file: Path, acting: Acting) -> Register:
    try:
        with file.open("rb") as opened:
            return register_of(tables(opened.read(LARGEST_FILE_BYTES + 1)), day_of(acting.now, acting))
    except Invalid as refusal:
        raise click.ClickException(problem_words(refusal.problem)) from None


def _chosen(pair: str, register: Register) -> tuple[Field, int]:
    field, _, heading = pair.partition("=")
    at = next((one for one, column in enumerate(register.columns) if column.heading == heading), None)
    if field not in set(Field) or at is None:
        fields = ", ".join(Field)
        raise click.ClickException(f"--column {pair}: FIELD is one of {fields}, HEADING one of the file's.")
    return Field(field), at


def _tell(seen: Preview) -> None:
    """Say what would become of the list; names and faults, never a number or a date."""
    for rows in seen.groups:
        for row in rows:
            told = " ".join(f"{fault_words(fault)}. {remedy_words(fault)}" for fault in row.faults)
            click.echo(f"row {row.number}, {row.name or 'no name'}: {told}")
    left = len(seen.rows) - len(seen.coming) - seen.faulty
    click.echo(f"{len(seen.coming)} can come in, {seen.faulty} stay out, {left} are left as they are.")

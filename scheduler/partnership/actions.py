from collections.abc import Mapping
from datetime import date, datetime
from secrets import token_urlsafe

from sqlalchemy import Connection, insert, update

from scheduler.kit.refusals import Invalid, NotFound
from scheduler.partnership.rules import BudgetLineKind
from scheduler.partnership.tables import Agreement, Area, BudgetLine, Club, Partnership

INVITATION_BYTES = 12
POLE_DEGREES = 90


def found_partnership(
    connection: Connection,
    now: datetime,
    *,
    name: str,
    municipality: str,
    time_zone: str,
    host_name: str = "",
    team_phone: str = "",
    coordinator_phone: str = "",
) -> int:
    """Create a tenant and return its id. Phones are E.164 or ""; `host_name` "" is the deployment's own."""
    return connection.execute(
        insert(Partnership)
        .values(
            name=name,
            municipality=municipality,
            host_name=host_name.lower(),
            time_zone=time_zone,
            team_phone=team_phone,
            coordinator_phone=coordinator_phone,
            created_at=now,
        )
        .returning(Partnership.id)
    ).scalar_one()


def sign_agreement(
    connection: Connection,
    partnership_id: int,
    *,
    starts_on: date,
    ends_on: date,
    night_rate_ore: int,
    promised_ore: int,
    lines_ore: Mapping[BudgetLineKind, int],
) -> int:
    """Create an agreement with its budget lines and return its id. Raises Invalid for an upside-down term."""
    if starts_on >= ends_on:
        raise Invalid("ends_on", "before_start")
    agreement_id = connection.execute(
        insert(Agreement)
        .values(
            partnership_id=partnership_id,
            starts_on=starts_on,
            ends_on=ends_on,
            night_rate_ore=night_rate_ore,
            promised_ore=promised_ore,
        )
        .returning(Agreement.id)
    ).scalar_one()
    for kind, amount_ore in lines_ore.items():
        connection.execute(
            insert(BudgetLine).values(
                partnership_id=partnership_id, agreement_id=agreement_id, kind=kind, amount_ore=amount_ore
            )
        )
    return agreement_id


def add_club(
    connection: Connection,
    partnership_id: int,
    name: str,
    *,
    coordinating: bool = False,
    invitation_code: str | None = None,
) -> int:
    """Create a club with an invitation of its own and return its id."""
    return connection.execute(
        insert(Club)
        .values(
            partnership_id=partnership_id,
            name=name,
            coordinating=coordinating,
            invitation_code=invitation_code or token_urlsafe(INVITATION_BYTES),
        )
        .returning(Club.id)
    ).scalar_one()


def add_area(
    connection: Connection,
    partnership_id: int,
    name: str,
    meeting_place: str,
    *,
    gathers_minutes_before: int = 15,
    default_minimum: int = 2,
    default_wanted: int = 4,
    position: tuple[float, float] | None = None,
) -> int:
    """Create an area and return its id. `position` is latitude and longitude of the meeting place in degrees."""
    return connection.execute(
        insert(Area)
        .values(
            partnership_id=partnership_id,
            name=name,
            meeting_place=meeting_place,
            gathers_minutes_before=gathers_minutes_before,
            default_minimum=default_minimum,
            default_wanted=default_wanted,
            latitude=position[0] if position else None,
            longitude=position[1] if position else None,
        )
        .returning(Area.id)
    ).scalar_one()


def locate_area(connection: Connection, partnership_id: int, name: str, position: tuple[float, float]) -> None:
    """Say where an area's meeting place is, in degrees. Raises Invalid for no place on earth, NotFound for no area."""
    latitude, longitude = position
    if not (-POLE_DEGREES <= latitude <= POLE_DEGREES and -2 * POLE_DEGREES <= longitude <= 2 * POLE_DEGREES):
        raise Invalid("position", "no_place")
    found = connection.execute(
        update(Area)
        .where(Area.partnership_id == partnership_id, Area.name == name)
        .values(latitude=latitude, longitude=longitude)
    )
    if found.rowcount != 1:
        raise NotFound


def renew_invitation(connection: Connection, partnership_id: int, club_id: int) -> str:
    """Give the club a new invitation code and return it; the old link ends at once."""
    code = token_urlsafe(INVITATION_BYTES)
    connection.execute(
        update(Club).where(Club.id == club_id, Club.partnership_id == partnership_id).values(invitation_code=code)
    )
    return code

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.refusals import Conflict
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import Pattern, PlannedNight, Season, moments
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area


class AlreadyPlanned(Conflict):
    """The agreement has nights already; a season is planned once and then changed night by night."""

    room = "nights"


@dataclass(frozen=True, slots=True)
class Places:
    """An area's usual numbers."""

    minimum: int
    wanted: int


def write_season(
    connection: Connection,
    partnership_id: int,
    agreement_id: int,
    season: Season,
    pattern: Pattern,
    zone: ZoneInfo,
    now: datetime,
    *,
    publish: bool,
    by_person_id: int | None = None,
) -> int:
    """Write every night of a season, left-out ones with their reason, and return how many shifts it has.

    Raises AlreadyPlanned when the agreement has nights.
    """
    if connection.execute(select(Night.id).where(Night.agreement_id == agreement_id).limit(1)).first():
        raise AlreadyPlanned
    places = {
        row.id: Places(row.default_minimum, row.default_wanted)
        for row in connection.execute(
            select(Area.id, Area.default_minimum, Area.default_wanted).where(Area.partnership_id == partnership_id)
        )
    }
    state = ShiftState.PUBLISHED if publish else ShiftState.PLANNED
    return sum(
        _write_night(connection, partnership_id, agreement_id, planned, pattern, zone, places, state, now, by_person_id)
        for planned in season.nights
    )


def _write_night(
    connection: Connection,
    partnership_id: int,
    agreement_id: int,
    planned: PlannedNight,
    pattern: Pattern,
    zone: ZoneInfo,
    places: Mapping[int, Places],
    state: ShiftState,
    now: datetime,
    by_person_id: int | None,
) -> int:
    night_id = connection.execute(
        insert(Night)
        .values(
            partnership_id=partnership_id,
            agreement_id=agreement_id,
            date=planned.night,
            special=planned.special,
            left_out=planned.left_out,
        )
        .returning(Night.id)
    ).scalar_one()
    starts_at, ends_at = moments(planned.night, pattern.starts, pattern.ends, zone)
    for area_id in planned.areas:
        add_shift(
            connection,
            partnership_id,
            night_id,
            area_id,
            starts_at,
            ends_at,
            places[area_id],
            state,
            now,
            by_person_id=by_person_id,
        )
    return len(planned.areas)


def add_shift(
    connection: Connection,
    partnership_id: int,
    night_id: int,
    area_id: int,
    starts_at: datetime,
    ends_at: datetime,
    places: Places,
    state: ShiftState,
    now: datetime,
    *,
    by_person_id: int | None = None,
) -> int:
    """Open an area on a night and return the shift's id."""
    shift_id = connection.execute(
        insert(Shift)
        .values(
            partnership_id=partnership_id,
            night_id=night_id,
            area_id=area_id,
            starts_at=starts_at,
            ends_at=ends_at,
            minimum=places.minimum,
            wanted=places.wanted,
            booked=0,
            held=0,
            state=state,
            meeting_place="",
            note="",
            revision=0,
        )
        .returning(Shift.id)
    ).scalar_one()
    audit.record(
        connection,
        partnership_id,
        now,
        by_person_id,
        Change("shift.planned", shift_id=shift_id, after={"state": state.value, "wanted": places.wanted}),
    )
    return shift_id


def publish(
    connection: Connection, partnership_id: int, last: date, now: datetime, *, by_person_id: int | None = None
) -> int:
    """Publish every planned shift up to and with the night `last`; return how many there were."""
    planned = connection.execute(
        select(Shift.id)
        .join(Night, Night.id == Shift.night_id)
        .where(Shift.partnership_id == partnership_id, Shift.state == ShiftState.PLANNED, Night.date <= last)
    ).scalars()
    ids = list(planned)
    for shift_id in ids:
        change_state(connection, partnership_id, shift_id, ShiftState.PLANNED, ShiftState.PUBLISHED, now, by_person_id)
    return len(ids)


def change_state(
    connection: Connection,
    partnership_id: int,
    shift_id: int,
    before: ShiftState,
    after: ShiftState,
    now: datetime,
    by_person_id: int | None = None,
) -> bool:
    """Move a shift from one state to another; False when it was not in the first."""
    changed = connection.execute(
        update(Shift)
        .where(Shift.id == shift_id, Shift.partnership_id == partnership_id, Shift.state == before)
        .values(state=after, revision=Shift.revision + 1)
    ).rowcount
    if changed:
        audit.record(
            connection,
            partnership_id,
            now,
            by_person_id,
            Change("shift.state", shift_id=shift_id, before={"state": before.value}, after={"state": after.value}),
        )
    return changed == 1

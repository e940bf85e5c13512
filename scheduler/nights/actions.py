from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.refusals import Conflict, NotFound
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import Pattern, PlannedNight, Season, moments
from scheduler.nights.tables import Night, SeasonPlan, Shift
from scheduler.partnership.tables import Area, Partnership

PUBLISHED_FROM = time(8)


class AlreadyPlanned(Conflict):
    """Nights of these dates are planned already; they are changed night by night."""

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
    publish_on: date | None = None,
    by_person_id: int | None = None,
) -> int:
    """Write every night of a season, left-out ones with their reason, and return how many shifts it has.

    `publish_on` is the day on which the worker publishes what stays planned until then. Raises AlreadyPlanned
    when one of the nights is planned already.
    """
    _check_unplanned(connection, partnership_id, [planned.night for planned in season.nights])
    plan_id = connection.execute(
        insert(SeasonPlan)
        .values(partnership_id=partnership_id, agreement_id=agreement_id, made_at=now, publish_on=publish_on)
        .returning(SeasonPlan.id)
    ).scalar_one()
    places = {
        row.id: Places(pattern.minimum or row.default_minimum, pattern.wanted or row.default_wanted)
        for row in connection.execute(
            select(Area.id, Area.default_minimum, Area.default_wanted).where(Area.partnership_id == partnership_id)
        )
    }
    state = ShiftState.PUBLISHED if publish else ShiftState.PLANNED
    belongs_to = (agreement_id, plan_id)
    return sum(
        _write_night(connection, partnership_id, belongs_to, planned, pattern, zone, places, state, now, by_person_id)
        for planned in season.nights
    )


def _check_unplanned(connection: Connection, partnership_id: int, nights: list[date]) -> None:
    """Raise AlreadyPlanned if one of the nights exists."""
    if not nights:
        return
    planned = connection.execute(
        select(Night.date).where(
            Night.partnership_id == partnership_id, Night.date >= min(nights), Night.date <= max(nights)
        )
    ).scalars()
    if set(planned) & set(nights):
        raise AlreadyPlanned


def _write_night(
    connection: Connection,
    partnership_id: int,
    belongs_to: tuple[int, int],
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
            agreement_id=belongs_to[0],
            plan_id=belongs_to[1],
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


def publish_plan(
    connection: Connection, partnership_id: int, plan_id: int, now: datetime, *, by_person_id: int | None = None
) -> int:
    """Publish every planned shift of one plan; return how many there were."""
    connection.execute(
        update(SeasonPlan)
        .where(SeasonPlan.id == plan_id, SeasonPlan.partnership_id == partnership_id)
        .values(publish_on=None)
    )
    return _publish(connection, partnership_id, [Night.plan_id == plan_id], now, by_person_id)


def publish_on(
    connection: Connection,
    partnership_id: int,
    plan_id: int,
    day: date | None,
    now: datetime,
    *,
    by_person_id: int | None = None,
) -> None:
    """Let the worker publish a plan on a day, or (None) not by itself. Raises NotFound."""
    plan = and_(SeasonPlan.id == plan_id, SeasonPlan.partnership_id == partnership_id)
    before = connection.execute(select(SeasonPlan.publish_on).where(plan)).first()
    if before is None:
        raise NotFound
    connection.execute(update(SeasonPlan).where(plan).values(publish_on=day))
    days = [str(one) if one is not None else "" for one in (before.publish_on, day)]
    change = Change("season.publish_on", before={"publish_on": days[0]}, after={"publish_on": days[1]})
    audit.record(connection, partnership_id, now, by_person_id, change)


def plans_to_publish(connection: Connection, now: datetime) -> list[tuple[int, int]]:
    """Return partnership and id of the plans whose day has come, in the partnership's time zone, at 08:00."""
    due = connection.execute(
        select(SeasonPlan.partnership_id, SeasonPlan.id, SeasonPlan.publish_on, Partnership.time_zone)
        .join(Partnership, Partnership.id == SeasonPlan.partnership_id)
        .where(SeasonPlan.publish_on <= now.date() + timedelta(days=1))
    )
    return [
        (row.partnership_id, row.id)
        for row in due
        if datetime.combine(row.publish_on, PUBLISHED_FROM, ZoneInfo(row.time_zone)) <= now
    ]


def publish(
    connection: Connection, partnership_id: int, last: date, now: datetime, *, by_person_id: int | None = None
) -> int:
    """Publish every planned shift up to and with the night `last`; return how many there were."""
    return _publish(connection, partnership_id, [Night.date <= last], now, by_person_id)


def _publish(
    connection: Connection,
    partnership_id: int,
    which: list[ColumnElement[bool]],
    now: datetime,
    by_person_id: int | None,
) -> int:
    planned = connection.execute(
        select(Shift.id)
        .join(Night, Night.id == Shift.night_id)
        .where(Shift.partnership_id == partnership_id, Shift.state == ShiftState.PLANNED, *which)
        .order_by(Shift.id)
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

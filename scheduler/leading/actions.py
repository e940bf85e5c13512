"""Verbs on a season's plan: making it, undoing it, giving up one night for another."""

from datetime import date

from sqlalchemy import Connection, delete, exists, select, update

from scheduler.bookings import changes
from scheduler.bookings.tables import Booking
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnyRow
from scheduler.kit.refusals import NotFound
from scheduler.leading.queries import season as season_of
from scheduler.leading.rules import AlreadyWalked, NightTaken, NothingLeft, PlanTaken
from scheduler.messages.tables import Message
from scheduler.nights import actions as nights
from scheduler.nights.actions import Places, add_shift
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import LeftOut, Pattern, Season, moments
from scheduler.nights.tables import Night, SeasonPlan, Shift
from scheduler.partnership.tables import Agreement
from scheduler.people.rules import Acting


def make_plan(
    connection: Connection,
    acting: Acting,
    agreement_id: int,
    season: Season,
    pattern: Pattern,
    publish_on: date | None,
) -> int:
    """Write a season as drafts, to be published on a day or (None) by hand; return how many shifts it has.

    Raises AlreadyPlanned.
    """
    shifts = nights.write_season(
        connection,
        acting.partnership_id,
        agreement_id,
        season,
        pattern,
        acting.zone,
        acting.now,
        publish=False,
        publish_on=publish_on,
        by_person_id=acting.person_id,
    )
    after = {"first": str(season.nights[0].night), "last": str(season.nights[-1].night), "shifts": shifts}
    _note(connection, acting, "season.planned", after=after)
    return shifts


def undo_plan(connection: Connection, acting: Acting, plan_id: int) -> int:
    """Take a whole plan back, as if it had never been made; return how many shifts it had.

    Raises NotFound, or PlanTaken once somebody has booked, or a text has been written, about one of its shifts.
    """
    plan = connection.execute(
        select(SeasonPlan.id).where(SeasonPlan.id == plan_id, SeasonPlan.partnership_id == acting.partnership_id)
    ).first()
    if plan is None:
        raise NotFound
    of_plan = select(Night.id).where(Night.plan_id == plan_id)
    # Locks them all: whoever books meanwhile is either seen below, or finds no shift.
    connection.execute(update(Shift).where(Shift.night_id.in_(of_plan)).values(revision=Shift.revision + 1))
    ids = list(connection.execute(select(Shift.id).where(Shift.night_id.in_(of_plan))).scalars())
    if connection.execute(
        select(
            exists().where(Booking.shift_id.in_(ids))
            | exists().where(Message.shift_id.in_(ids))
            | exists().where(Shift.id.in_(ids), Shift.starts_at <= acting.now)
        )
    ).scalar_one():
        raise PlanTaken
    connection.execute(delete(Shift).where(Shift.id.in_(ids)))
    connection.execute(delete(Night).where(Night.plan_id == plan_id))
    connection.execute(delete(SeasonPlan).where(SeasonPlan.id == plan_id))
    _note(connection, acting, "season.undone", before={"shifts": len(ids)})
    return len(ids)


def _note(
    connection: Connection,
    acting: Acting,
    what: str,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    change = Change(what, before=before, after=after)
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


def publish_plan(connection: Connection, acting: Acting, plan_id: int) -> int:
    """Publish a plan's drafts and return how many shifts there were."""
    count = nights.publish_plan(connection, acting.partnership_id, plan_id, acting.now, by_person_id=acting.person_id)
    _note(connection, acting, "season.published", after={"shifts": count})
    return count


def swap(connection: Connection, acting: Acting, walk_id: int, give_up_id: int | None) -> None:
    """Walk a night that was left out, in the place of another, or with what the budget has left.

    Raises NotFound, NothingLeft (nothing is left and none is given up), NightTaken (the night to give up has
    people) or AlreadyWalked. A draft that is given up is gone; a published shift is called off.
    """
    rows = {
        row.id: row
        for row in connection.execute(
            select(Night.id, Night.date, Night.agreement_id).where(
                Night.partnership_id == acting.partnership_id, Night.id.in_([walk_id, give_up_id or walk_id])
            )
        )
    }
    if walk_id not in rows or (give_up_id is not None and give_up_id not in rows):
        raise NotFound
    walk = rows[walk_id]
    # One swap of an agreement at a time, or two could share the last paid night.
    connection.execute(
        update(Agreement).where(Agreement.id == walk.agreement_id).values(promised_ore=Agreement.promised_ore)
    )
    pattern = _pattern(connection, walk, give_up_id)
    if give_up_id is None:
        if season_of(connection, acting.partnership_id, walk.date).left <= 0:
            raise NothingLeft
    else:
        if rows[give_up_id].agreement_id != walk.agreement_id:
            raise NothingLeft
        _give_up(connection, acting, give_up_id)
    _walk(connection, acting, walk, pattern)
    given_up = str(rows[give_up_id].date) if give_up_id is not None else None
    _note(connection, acting, "night.swapped", before={"walked": given_up}, after={"walked": str(walk.date)})


def _pattern(connection: Connection, walk: AnyRow, give_up_id: int | None) -> AnyRow:
    """Return the shift to make the night's own like: that of the night given up, else of the nearest before it."""
    wanted = (
        select(Shift.area_id, Shift.starts_at, Shift.ends_at, Shift.minimum, Shift.wanted, Shift.state)
        .join(Night, Night.id == Shift.night_id)
        .where(Night.agreement_id == walk.agreement_id, Shift.state != ShiftState.CALLED_OFF)
    )
    if give_up_id is not None:
        found = connection.execute(wanted.where(Night.id == give_up_id).order_by(Shift.id)).first()
    else:
        before = wanted.where(Night.date < walk.date).order_by(Night.date.desc(), Shift.id)
        found = connection.execute(before).first() or connection.execute(wanted.order_by(Night.date)).first()
    if found is None:
        raise NightTaken
    return found


def _give_up(connection: Connection, acting: Acting, night_id: int) -> None:
    given = connection.execute(
        update(Night).where(Night.id == night_id, Night.left_out.is_(None)).values(left_out=LeftOut.CHOSEN_BY_HAND)
    )
    if given.rowcount != 1:
        raise NightTaken
    shifts = connection.execute(
        select(Shift.id, Shift.state).where(Shift.night_id == night_id).order_by(Shift.id)
    ).all()
    for shift in shifts:
        if shift.state is ShiftState.PLANNED:
            connection.execute(delete(Shift).where(Shift.id == shift.id, Shift.state == ShiftState.PLANNED))
        elif shift.state is not ShiftState.CALLED_OFF and changes.call_off(connection, acting, shift.id):
            raise NightTaken  # somebody walks: undone as a whole, nobody is told


def _walk(connection: Connection, acting: Acting, night: AnyRow, pattern: AnyRow) -> None:
    walked = connection.execute(
        update(Night).where(Night.id == night.id, Night.left_out.is_not(None)).values(left_out=None)
    )
    if walked.rowcount != 1:
        raise AlreadyWalked
    starts, ends = (moment.astimezone(acting.zone).time() for moment in (pattern.starts_at, pattern.ends_at))
    starts_at, ends_at = moments(night.date, starts, ends, acting.zone)
    if starts_at <= acting.now:
        raise AlreadyWalked
    state = ShiftState.PLANNED if pattern.state is ShiftState.PLANNED else ShiftState.PUBLISHED
    called_off = (
        connection.execute(
            select(Shift.id).where(Shift.night_id == night.id, Shift.state == ShiftState.CALLED_OFF).order_by(Shift.id)
        )
        .scalars()
        .first()
    )
    if called_off is not None:
        nights.change_state(
            connection, acting.partnership_id, called_off, ShiftState.CALLED_OFF, state, acting.now, acting.person_id
        )
        return
    add_shift(
        connection,
        acting.partnership_id,
        night.id,
        pattern.area_id,
        starts_at,
        ends_at,
        Places(pattern.minimum, pattern.wanted),
        state,
        acting.now,
        by_person_id=acting.person_id,
    )

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, select, update

from scheduler.bookings.editing import current
from scheduler.clubs.queries import somebody_waits
from scheduler.clubs.rules import CoordinatingClub
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnyRow
from scheduler.kit.refusals import NotFound
from scheduler.kit.upsert import upsert
from scheduler.nights.hosting import TAKEABLE, HostTaken, give_back, take
from scheduler.nights.tables import ClubWish, Night, Shift
from scheduler.partnership.queries import check_with_us
from scheduler.partnership.tables import Club
from scheduler.people.rules import Acting

OPENS_AT = time(8)


def first_until(night: date, days_before: int, acting: Acting) -> datetime:
    """Return until when a club's own members come first: 08:00 local time, so many days before the night."""
    return datetime.combine(night - timedelta(days=days_before), OPENS_AT, tzinfo=acting.zone).astimezone(UTC)


def take_for_club(
    connection: Connection, acting: Acting, shift_id: int, club_id: int, until: datetime, reserve_id: int | None = None
) -> None:
    """Take a shift for a club, its own members first until a moment; where somebody waits in line already, it
    stays open for all. Raises NotFound or HostTaken."""
    kept = None if somebody_waits(connection, shift_id) else until
    take(connection, acting, shift_id, club_id, kept, reserve_id)


def apply_turns(
    connection: Connection, acting: Acting, turns: Iterable[tuple[int, int, int | None]], days_before: int
) -> int:
    """Give shifts to clubs, each as (shift id, club id, reserve club's id or None); return how many.

    What another club has taken meanwhile stays so. Raises NotFound for what is another partnership's.
    """
    given = 0
    for shift_id, club_id, reserve_id in turns:
        until = first_until(current(connection, acting.partnership_id, shift_id).date, days_before, acting)
        try:
            take_for_club(connection, acting, shift_id, club_id, until, reserve_id)
        except HostTaken:  # refused before anything is written
            continue
        given += 1
    return given


def wish(connection: Connection, acting: Acting, agreement_id: int, club_id: int, shifts: int) -> None:
    """Keep how many shifts a club wants in a term. Raises ClubLeft."""
    today = acting.now.astimezone(acting.zone).date()
    check_with_us(connection, acting.partnership_id, [club_id], today)
    upsert(connection, ClubWish, {"agreement_id": agreement_id, "club_id": club_id}, {"shifts": shifts})
    change = Change("club.wished", after={"shifts": shifts})
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


def end_club(connection: Connection, acting: Acting, club_id: int, ended_on: date) -> int:
    """Let a club take no part from a day on; return how many of its coming shifts were given back.

    Bookings, memberships and what was earned stay. Raises NotFound or CoordinatingClub.
    """
    before = _hold_club(connection, acting, club_id)
    if before.coordinating:
        raise CoordinatingClub
    connection.execute(update(Club).where(Club.id == club_id).values(ended_on=ended_on))
    change = Change(
        "club.ended",
        before={"ended_on": before.ended_on and before.ended_on.isoformat()},
        after={"ended_on": ended_on.isoformat(), "club": before.name},
    )
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)
    from_then = (
        Shift.partnership_id == acting.partnership_id,
        Shift.starts_at > acting.now,
        Shift.state.in_(TAKEABLE),
        Shift.night_id.in_(
            select(Night.id).where(Night.partnership_id == acting.partnership_id, Night.date >= ended_on)
        ),
    )
    stands_by = update(Shift).where(*from_then, Shift.reserve_club_id == club_id)
    connection.execute(stands_by.values(reserve_club_id=None, revision=Shift.revision + 1))
    hosted = select(Shift.id).where(*from_then, Shift.host_club_id == club_id).order_by(Shift.id)
    shifts = list(connection.execute(hosted).scalars())
    for shift_id in shifts:
        give_back(connection, acting, shift_id, club_id)
    return len(shifts)


def begin_again(connection: Connection, acting: Acting, club_id: int) -> None:
    """Let a club that has left, or is about to, take part again. Raises NotFound."""
    before = _hold_club(connection, acting, club_id)
    if before.ended_on is None:
        return
    connection.execute(update(Club).where(Club.id == club_id).values(ended_on=None))
    change = Change(
        "club.begun_again",
        before={"ended_on": before.ended_on.isoformat()},
        after={"ended_on": None, "club": before.name},
    )
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


def _hold_club(connection: Connection, acting: Acting, club_id: int) -> AnyRow:
    """Hold a club, so that nobody takes a shift for it meanwhile, and return how it stands. Raises NotFound."""
    mine = Club.id == club_id, Club.partnership_id == acting.partnership_id
    if connection.execute(update(Club).where(*mine).values(name=Club.name)).rowcount != 1:
        raise NotFound
    found: AnyRow = connection.execute(select(Club.name, Club.coordinating, Club.ended_on).where(*mine)).one()
    return found

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from scheduler.bookings.editing import current
from scheduler.clubs.queries import somebody_waits
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.upsert import upsert
from scheduler.nights.hosting import HostTaken, take
from scheduler.nights.tables import ClubWish
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
    """Keep how many shifts a club wants in a term."""
    upsert(connection, ClubWish, {"agreement_id": agreement_id, "club_id": club_id}, {"shifts": shifts})
    change = Change("club.wished", after={"shifts": shifts})
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)

"""What makes the demo's board alive: a club that often fails, a night at risk because of it, and a search under way."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from scheduler.gaps import actions as gaps
from scheduler.gaps.tables import Ask
from scheduler.messages.actions import count_as_sent
from scheduler.people.rules import Acting

FIRST_FAILING = 6  # the first walker of the club that often fails; people join the clubs in turn
ONE_IN = 4
SEARCH_HOUR = time(10)
GOAL = 3


def failing(walkers: Sequence[int], clubs: int) -> frozenset[int]:
    """Return the walkers of the club that often fails."""
    return frozenset(walkers[FIRST_FAILING::clubs])


def stayed_away(walkers: Iterable[int], flaky: Collection[int], shift_id: int) -> set[int]:
    """Return who of the failing club did not come to a past shift: one of four."""
    return {person for person in walkers if person in flaky and (person + shift_id) % ONE_IN == 0}


def search(connection: Connection, acting: Acting, shift_id: int, now: datetime, zone: ZoneInfo) -> None:
    """Let the coordinator have asked for people yesterday: one has said yes, one no."""
    local = now.astimezone(zone)
    asked_at = datetime.combine(local.date() - timedelta(days=1), SEARCH_HOUR, tzinfo=zone).astimezone(now.tzinfo)
    asking = Acting(acting.partnership_id, acting.person_id, asked_at, acting.zone, acting.site)
    gaps.start(connection, asking, shift_id, GOAL)
    count_as_sent(connection, asked_at)
    asked = connection.execute(
        select(Ask.id, Ask.person_id).where(Ask.shift_id == shift_id).order_by(Ask.id).limit(2)
    ).all()
    for minutes, (ask, verb) in enumerate(zip(asked, (gaps.accept, gaps.turn_down), strict=True), start=7):
        own = Acting(acting.partnership_id, ask.person_id, asked_at + timedelta(minutes=minutes), zone, acting.site)
        verb(connection, own, ask.id)

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from scheduler.calendars import rules
from scheduler.calendars.rules import CalendarKind
from scheduler.calendars.tables import Calendar, CalendarChange, CalendarFeed
from scheduler.kit.refusals import NotFound
from scheduler.partnership.tables import Area, Club
from scheduler.people.rules import MembershipState, Role
from scheduler.people.tables import Membership, RoleGrant


@dataclass(frozen=True, slots=True)
class Feed:
    """A person's address of one calendar. `token` is None when the deployment's key is another than the one it was
    made with: the address still works, but cannot be shown. `fetched_by` is "" for an unknown program."""

    id: int
    calendar_id: int
    token: str | None
    alarm_minutes: int | None
    fetched_at: datetime | None
    fetched_by: str


def feed(connection: Connection, person_id: int, kind: CalendarKind, subject_id: int, secret_key: str) -> Feed | None:
    """Return the person's address of a calendar that works now, or None."""
    row = connection.execute(
        select(
            CalendarFeed.id,
            CalendarFeed.calendar_id,
            CalendarFeed.nonce,
            CalendarFeed.selector,
            CalendarFeed.verifier,
            CalendarFeed.fetched_at,
            CalendarFeed.fetched_by,
            Calendar.alarm_minutes,
        )
        .join(Calendar, Calendar.id == CalendarFeed.calendar_id)
        .where(
            CalendarFeed.person_id == person_id,
            CalendarFeed.ended_at.is_(None),
            Calendar.kind == kind,
            Calendar.subject_id == subject_id,
        )
        .order_by(CalendarFeed.id.desc())
    ).first()
    if row is None:
        return None
    token = rules.token(secret_key, row.nonce)
    shown = token if rules.stored(token) == (row.selector, row.verifier) else None
    return Feed(row.id, row.calendar_id, shown, row.alarm_minutes, row.fetched_at, row.fetched_by or "")


def subject_name(connection: Connection, partnership_id: int, kind: CalendarKind, subject_id: int) -> str:
    """Return the name of an area or club, "" for the other kinds. Raises NotFound, also for another partnership's."""
    if kind not in {CalendarKind.AREA, CalendarKind.CLUB}:
        return ""
    table = Area if kind is CalendarKind.AREA else Club
    name = connection.execute(
        select(table.name).where(table.id == subject_id, table.partnership_id == partnership_id)
    ).scalar()
    if name is None:
        raise NotFound
    return name


def clubs_of(connection: Connection, person_id: int) -> list[tuple[int, str]]:
    """Return id and name of the clubs in which the person is approved or which the person leads, by name."""
    own = select(Membership.club_id).where(
        Membership.person_id == person_id, Membership.state == MembershipState.APPROVED
    )
    led = select(RoleGrant.club_id).where(RoleGrant.person_id == person_id, RoleGrant.role == Role.CONTACT)
    rows = connection.execute(select(Club.id, Club.name).where(Club.id.in_(own.union(led))).order_by(Club.name))
    return [(row.id, row.name) for row in rows]


def partnerships_changed(connection: Connection) -> Sequence[int]:
    """Return the partnerships in which something has changed that nobody has noted yet."""
    return connection.execute(select(CalendarChange.partnership_id).distinct()).scalars().all()


def stale_calendars(connection: Connection, made_for: str, now: datetime, most: int) -> Sequence[int]:
    """Return calendars to make anew of which somebody has fetched an address that still works, at most so many."""
    return (
        connection.execute(
            select(Calendar.id)
            .where(
                (Calendar.fresh_until <= now) | (Calendar.made_for != made_for),
                Calendar.id.in_(
                    select(CalendarFeed.calendar_id).where(
                        CalendarFeed.ended_at.is_(None), CalendarFeed.fetched_at.is_not(None)
                    )
                ),
            )
            .order_by(Calendar.id)
            .limit(most)
        )
        .scalars()
        .all()
    )

"""Clubs and shifts: who has taken one, who stands by, and until when the club's own members come first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.refusals import Conflict, NotFound
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import check_with_us
from scheduler.partnership.rules import has_left
from scheduler.partnership.tables import Club
from scheduler.people.rules import Acting

TAKEABLE = (ShiftState.PLANNED, ShiftState.PUBLISHED)
LEAST_MEMBERS = 2


class HostTaken(Conflict):
    """Another club has taken the shift, or it can be taken no longer."""

    room = "nights"


@dataclass(frozen=True, slots=True)
class OpenShift:
    """A coming shift that no club has taken."""

    id: int
    date: date
    area: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class ClubStanding:
    """What a fair share rests on: `able` approved members, `wish` shifts wanted in the term (None: as many as
    it is able to), `had` shifts taken in the term so far; from `ended_on` the club takes no part."""

    id: int
    name: str
    able: int
    wish: int | None
    had: int
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn a shift is: the club that takes it and the one that stands by, if there is another."""

    shift: OpenShift
    club_id: int
    reserve_id: int | None


def share_out(shifts: Sequence[OpenShift], clubs: Sequence[ClubStanding]) -> list[Turn]:
    """Return a fair proposal: each shift, by date, goes to the club that is furthest behind its share.

    A club's share follows how many members it has who can walk; what it has had in the term counts against it.
    It never gets more than it wished for, nor anything with fewer than two able members. Equals take turns: who
    had a turn longest ago is next. The next in order stands by. Shifts that no club has room for are left out.
    """
    had = {club.id: club.had for club in clubs}
    latest = {club.id: -1 for club in clubs}
    turns = []
    for number, shift in enumerate(sorted(shifts, key=lambda one: (one.starts_at, one.id))):
        able = [
            club
            for club in clubs
            if club.able >= LEAST_MEMBERS
            and (club.wish is None or had[club.id] < club.wish)
            and not has_left(club.ended_on, shift.date)
        ]
        order = sorted(able, key=lambda club: ((had[club.id] + 1) / club.able, latest[club.id], club.id))
        if not order:
            break
        chosen = order[0].id
        had[chosen] += 1
        latest[chosen] = number
        turns.append(Turn(shift, chosen, order[1].id if len(order) > 1 else None))
    return turns


def take(
    connection: Connection,
    acting: Acting,
    shift_id: int,
    club_id: int,
    members_first_until: datetime | None,
    reserve_club_id: int | None = None,
) -> None:
    """Take a coming shift for a club; its members come first until a moment, unless others wait in line.

    Raises NotFound for a shift or club of another partnership, ClubLeft for a club that takes no part on that night,
    HostTaken when another club was first or the shift has begun. Taking what the club has already changes the moment
    and the reserve club.
    """
    clubs = {club_id} | ({reserve_club_id} if reserve_club_id is not None else set())
    before = _host(connection, acting, shift_id)
    night = select(Night.date).join(Shift, Shift.night_id == Night.id).where(Shift.id == shift_id)
    check_with_us(connection, acting.partnership_id, clubs, connection.execute(night).scalar_one())
    later = members_first_until is not None and members_first_until > acting.now
    taken = connection.execute(
        update(Shift)
        .where(
            Shift.id == shift_id,
            Shift.state.in_(TAKEABLE),
            Shift.starts_at > acting.now,
            Shift.host_club_id.is_(None) | (Shift.host_club_id == club_id),
        )
        .values(
            host_club_id=club_id,
            members_first_until=members_first_until if later else None,
            reserve_club_id=reserve_club_id,
            revision=Shift.revision + 1,
        )
    )
    if taken.rowcount != 1:
        raise HostTaken
    _note(connection, acting, shift_id, before, club_id)


def give_back(connection: Connection, acting: Acting, shift_id: int, club_id: int) -> None:
    """Give a coming shift back: the reserve club has it then, if there is one, else nobody; it is open for all.

    Raises NotFound, or HostTaken when the shift is not the club's or has begun.
    """
    _host(connection, acting, shift_id)
    given = connection.execute(
        update(Shift)
        .where(
            Shift.id == shift_id,
            Shift.host_club_id == club_id,
            Shift.state.in_(TAKEABLE),
            Shift.starts_at > acting.now,
        )
        .values(
            host_club_id=Shift.reserve_club_id,
            reserve_club_id=None,
            members_first_until=None,
            revision=Shift.revision + 1,
        )
    )
    if given.rowcount != 1:
        raise HostTaken
    _note(connection, acting, shift_id, club_id, _host(connection, acting, shift_id))


def open_for_all(connection: Connection, shift_id: int) -> None:
    """Let everybody book, whatever club they are in."""
    connection.execute(
        update(Shift)
        .where(Shift.id == shift_id, Shift.members_first_until.is_not(None))
        .values(members_first_until=None, revision=Shift.revision + 1)
    )


def _host(connection: Connection, acting: Acting, shift_id: int) -> int | None:
    found = connection.execute(
        select(Shift.host_club_id).where(Shift.id == shift_id, Shift.partnership_id == acting.partnership_id)
    ).first()
    if found is None:
        raise NotFound
    host: int | None = found.host_club_id
    return host


def _note(connection: Connection, acting: Acting, shift_id: int, before: int | None, after: int | None) -> None:
    names = dict(
        connection.execute(select(Club.id, Club.name).where(Club.id.in_([one for one in (before, after) if one]))).all()
    )
    change = Change(
        "shift.hosted",
        shift_id=shift_id,
        before={"club": names.get(before or 0)},
        after={"club": names.get(after or 0)},
    )
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)

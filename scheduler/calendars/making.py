"""Noting what has changed, and making stale calendars anew. Called with a write connection, in short transactions
of their own: by the poll that finds a change, or by the worker before anybody polls.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, exists, insert, or_, select, update

from scheduler.bookings.tables import Booking
from scheduler.calendars import facts, text, wording
from scheduler.calendars.rules import (
    LOOKED_AT_AGAIN_AFTER,
    OWN_WALKS_KEPT,
    CalendarKind,
    ChangeKind,
    Content,
    later,
    shown_until,
)
from scheduler.calendars.tables import Calendar, CalendarChange, CalendarEvent, CalendarFeed
from scheduler.kit.database import spelled_out
from scheduler.kit.mapping import aliased
from scheduler.nights.tables import Shift
from scheduler.people.rules import MembershipState, Role
from scheduler.people.tables import Membership, RoleGrant

# Raise this when the texts are drawn differently: every calendar is then made anew at its next poll, and events
# that look different get a higher sequence.
VERSION = 1
STALE = datetime(1970, 1, 1, tzinfo=UTC)
MOST_NAMED_CHANGES = 500
# SQLite takes 32,766 values in a statement, PostgreSQL 65,535.
MOST_AT_ONCE = 10_000
SHARED_KINDS = tuple(kind for kind in CalendarKind if kind is not CalendarKind.MINE)
MEMORY_KEPT = timedelta(days=800)
ETAG_CHARACTERS = 32


def made_for(public_url: str) -> str:
    """Return what must agree for kept bytes to hold: how they were drawn, and which address they speak of."""
    return f"{VERSION} {public_url}"


# ---------------------------------------------------------------- noting


def note_changes(connection: Connection, partnership_id: int, now: datetime) -> int:
    """Take in what has changed in a partnership and say which calendars are stale; return how many changes.

    A change that is committed later has a mark of its own, which stays for the next time: nothing is lost
    between two who note at the same time.
    """
    found = connection.execute(
        delete(CalendarChange)
        .where(CalendarChange.partnership_id == partnership_id)
        .returning(CalendarChange.kind, CalendarChange.subject_id)
    ).all()
    subjects: dict[ChangeKind, set[int]] = {kind: set() for kind in ChangeKind}
    for row in found:
        subjects[row.kind].add(row.subject_id)
    if not found:
        return 0
    if subjects[ChangeKind.PERSON]:
        _end_without_right(connection, partnership_id, now)
    if subjects[ChangeKind.ALL] or sum(map(len, subjects.values())) > MOST_NAMED_CHANGES:
        _make_stale(connection, partnership_id, None)
    else:
        _make_stale(connection, partnership_id, _people_seeing(connection, subjects, now))
    return len(found)


def _people_seeing(connection: Connection, subjects: Mapping[ChangeKind, set[int]], now: datetime) -> set[int]:
    """Return whose own calendars may show the change: everybody who has ever held or lost a place on a night of it."""
    nights = set(subjects[ChangeKind.NIGHT])
    people = set(subjects[ChangeKind.PERSON])
    if subjects[ChangeKind.SHIFT]:
        nights |= set(
            connection.execute(select(Shift.night_id).where(Shift.id.in_(subjects[ChangeKind.SHIFT]))).scalars()
        )
    if people:
        nights |= set(
            connection.execute(
                select(Shift.night_id)
                .join(Booking, Booking.shift_id == Shift.id)
                .where(Booking.person_id.in_(people), Shift.ends_at > now - OWN_WALKS_KEPT)
            ).scalars()
        )
    if nights:
        people |= set(
            connection.execute(
                select(Booking.person_id).join(Shift, Shift.id == Booking.shift_id).where(Shift.night_id.in_(nights))
            ).scalars()
        )
    return people


def _make_stale(connection: Connection, partnership_id: int, people: set[int] | None) -> None:
    """Make the shared calendars stale, and those of these people (None: of all)."""
    own = select(Calendar.id).where(Calendar.partnership_id == partnership_id)
    if people is None:
        ids = list(connection.execute(own).scalars())
    else:
        # Two questions that an index answers each, the kinds spelled out, so that PostgreSQL knows that the shared
        # ones are few; otherwise it would look at every subscriber.
        shared = spelled_out(own.where(or_(*(Calendar.kind == kind for kind in SHARED_KINDS))))
        theirs = spelled_out(own.where(Calendar.kind == CalendarKind.MINE, Calendar.subject_id.in_(people)))
        ids = [found for question in (shared, theirs) for found in connection.execute(question).scalars()]
    for some in _batches(sorted(ids)):
        # Locked in one order everywhere, so that two who note at once do not wait for each other in a ring.
        chosen = Calendar.id.in_(some)
        connection.execute(select(Calendar.id).where(chosen).order_by(Calendar.id).with_for_update()).all()
        connection.execute(update(Calendar).where(chosen).values(fresh_until=STALE))


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(ids), MOST_AT_ONCE):
        yield ids[first : first + MOST_AT_ONCE]


def _end_without_right(connection: Connection, partnership_id: int, now: datetime) -> None:
    """End the addresses of calendars that their owners may no longer see."""
    granted = aliased(RoleGrant)
    leads = exists().where(
        granted.person_id == CalendarFeed.person_id, granted.role.in_([Role.COORDINATOR, Role.MUNICIPALITY])
    )
    of_club = or_(
        exists().where(
            Membership.person_id == CalendarFeed.person_id,
            Membership.club_id == Calendar.subject_id,
            Membership.state == MembershipState.APPROVED,
        ),
        exists().where(RoleGrant.person_id == CalendarFeed.person_id, RoleGrant.club_id == Calendar.subject_id),
        leads,
    )
    lost = (
        select(CalendarFeed.id)
        .join(Calendar, Calendar.id == CalendarFeed.calendar_id)
        .where(
            CalendarFeed.partnership_id == partnership_id,
            CalendarFeed.ended_at.is_(None),
            or_(
                (Calendar.kind == CalendarKind.NEEDS) & ~leads,
                (Calendar.kind == CalendarKind.CLUB) & ~of_club,
            ),
        )
    )
    ids = list(connection.execute(lost).scalars())
    if ids:
        connection.execute(update(CalendarFeed).where(CalendarFeed.id.in_(ids)).values(ended_at=now))


# ---------------------------------------------------------------- making


class Shown(NamedTuple):
    """What was last shown of a shift; `block` is None when it has left the calendar."""

    fingerprint: str
    sequence: int
    changed_at: datetime
    block: str | None


def make(connection: Connection, calendar_id: int, public_url: str, now: datetime) -> bool:
    """Make a calendar anew if it is stale; return whether it was.

    The calendar's row is locked first and its facts are read afterwards: of two who make it at once, the later
    one reads the later facts.
    """
    row = connection.execute(
        update(Calendar)
        .where(
            Calendar.id == calendar_id,
            or_(Calendar.fresh_until <= now, Calendar.made_for != made_for(public_url)),
        )
        .values(revision=Calendar.revision + 1)
        .returning(
            Calendar.id,
            Calendar.partnership_id,
            Calendar.kind,
            Calendar.subject_id,
            Calendar.language,
            Calendar.alarm_minutes,
            Calendar.etag,
            Calendar.changed_at,
        )
    ).first()
    if row is None:
        return False
    speaking = facts.voice(connection, row, public_url)
    listed = facts.facts(connection, row.partnership_id, row.kind, row.subject_id, now)
    contents = {one.shift_id: wording.content(one, speaking) for one in listed}
    events, seen_at = _renew(connection, calendar_id, contents, now)
    body = text.whole(wording.calendar_name(speaking), [events[one.shift_id].block or "" for one in listed])
    until = min((shown_until(row.kind, one) for one in listed), default=now + LOOKED_AT_AGAIN_AFTER)
    kept: dict[str, object] = {"fresh_until": min(until, now + LOOKED_AT_AGAIN_AFTER), "made_for": made_for(public_url)}
    etag = hashlib.sha256(body).hexdigest()[:ETAG_CHARACTERS]
    if etag != row.etag:
        changed_at = later(row.changed_at if row.etag else None, seen_at)
        kept |= {"body": body, "body_bytes": len(body), "etag": etag, "changed_at": changed_at}
    connection.execute(update(Calendar).where(Calendar.id == row.id).values(**kept))
    return True


def _renew(
    connection: Connection, calendar_id: int, contents: Mapping[int, Content], now: datetime
) -> tuple[dict[int, Shown], datetime]:
    """Compare what is to be shown with what was, draw what differs, remember it; return what is shown now, and
    the moment of the last change."""
    before = {
        row.shift_id: Shown(row.fingerprint, row.sequence, row.changed_at, row.block)
        for row in connection.execute(
            select(
                CalendarEvent.shift_id,
                CalendarEvent.fingerprint,
                CalendarEvent.sequence,
                CalendarEvent.changed_at,
                CalendarEvent.block,
            ).where(CalendarEvent.calendar_id == calendar_id)
        )
    }
    prints = {shift_id: content.fingerprint for shift_id, content in contents.items()}
    same = {
        shift_id: shown
        for shift_id, shown in before.items()
        if shown.block is not None and prints.get(shift_id) == shown.fingerprint
    }
    changed = [shift_id for shift_id in contents if shift_id not in same]
    gone = [shift_id for shift_id, shown in before.items() if shown.block is not None and shift_id not in contents]
    noted = facts.last_noted(connection, changed) if changed else {}
    drawn = {
        shift_id: _draw(contents[shift_id], prints[shift_id], before.get(shift_id), noted.get(shift_id), now)
        for shift_id in changed
    }
    _remember(connection, calendar_id, drawn, before, gone, now)
    # What leaves a calendar leaves no event behind that would tell when: that was now.
    seen_at = max(shown.changed_at for shown in drawn.values()) if drawn and not gone else now
    return same | drawn, seen_at


def _draw(content: Content, fingerprint: str, before: Shown | None, noted: datetime | None, now: datetime) -> Shown:
    sequence = 0 if before is None else before.sequence + 1
    # The log tells the moment exactly, where it tells of this change; else it is now, when it is first seen.
    told = noted is not None and noted <= now and (before is None or noted > before.changed_at)
    changed_at = later(before.changed_at if before else None, noted if told and noted else now)
    return Shown(fingerprint, sequence, changed_at, text.block(content, text.Stamp(sequence, changed_at)))


def _remember(
    connection: Connection,
    calendar_id: int,
    drawn: Mapping[int, Shown],
    before: Mapping[int, Shown],
    gone: Sequence[int],
    now: datetime,
) -> None:
    values = {
        shift_id: {"calendar_id": calendar_id, "shift_id": shift_id, **shown._asdict()}
        for shift_id, shown in drawn.items()
    }
    replaced = [shift_id for shift_id in drawn if shift_id in before]
    own = CalendarEvent.calendar_id == calendar_id
    if replaced:
        connection.execute(delete(CalendarEvent).where(own, CalendarEvent.shift_id.in_(replaced)))
    if values:
        connection.execute(insert(CalendarEvent), list(values.values()))
    if gone:
        connection.execute(update(CalendarEvent).where(own, CalendarEvent.shift_id.in_(gone)).values(block=None))
    oldest = now - MEMORY_KEPT
    forgotten = [shift_id for shift_id, shown in before.items() if shown.block is None and shown.changed_at < oldest]
    if forgotten:
        connection.execute(delete(CalendarEvent).where(own, CalendarEvent.shift_id.in_(set(forgotten) - drawn.keys())))

"""Making one person of two records. Every column that names a person is either in `POINTS`, or is named in `SETTLED`
beside the function that settles it; a test compares them with the tables."""

from typing import Any

from sqlalchemy import Connection, String, cast, delete, func, insert, literal, select, update

from scheduler.bookings import waiting_list
from scheduler.bookings.editing import take_off
from scheduler.bookings.places import change_places, hold
from scheduler.bookings.rules import BookingState, Ended
from scheduler.bookings.tables import Booking
from scheduler.calendars.making import STALE
from scheduler.calendars.rules import CalendarKind
from scheduler.calendars.tables import Calendar, CalendarEvent, CalendarFeed
from scheduler.doubles import queries
from scheduler.doubles.rules import Clash, OneRecord, Why, YourOwnRecord, clashes
from scheduler.gaps.rules import AskState
from scheduler.gaps.tables import Ask, Asking
from scheduler.kit import audit
from scheduler.kit.audit import AuditEntry, Change
from scheduler.kit.database import AnyRow
from scheduler.messages.rules import MessageState
from scheduler.messages.tables import Incoming, Message, TextPreference
from scheduler.money.tables import LedgerEntry, Payout
from scheduler.nights.tables import Shift
from scheduler.people.queries import person_page
from scheduler.people.roles import hold_roles
from scheduler.people.rules import NEVER, Acting, MembershipState
from scheduler.people.tables import Membership, Person, PersonNote, RoleGrant, SignInCode, SignInSession
from scheduler.registers.tables import MemberList
from scheduler.reports.tables import Report
from scheduler.steering.tables import Consent, Decision, SteeringMember
from scheduler.walks.tables import Arrival, WalkedFor, WalkNote

# Whom a change speaks of is the one thing in the log that follows: it is the same person.
POINTS: tuple[Any, ...] = (
    AuditEntry.actor_person_id,
    AuditEntry.person_id,
    Shift.leader_person_id,
    Booking.handing_over_to,
    Message.person_id,
    Message.queued_by,
    Incoming.person_id,
    Asking.started_by,
    Asking.ended_by,
    WalkNote.written_by,
    LedgerEntry.entered_by,
    Payout.frozen_by,
    Report.frozen_by,
    Decision.proposed_by,
    Consent.given_by,
    SteeringMember.person_id,
    MemberList.person_id,
)
SETTLED: tuple[Any, ...] = (
    Booking.person_id,
    Ask.person_id,
    Membership.person_id,
    RoleGrant.person_id,
    PersonNote.person_id,
    PersonNote.writer_person_id,
    SignInCode.person_id,
    SignInSession.person_id,
    TextPreference.person_id,
    CalendarFeed.person_id,
    Arrival.person_id,
    WalkedFor.person_id,
)


def merge(connection: Connection, acting: Acting, kept_id: int, gone_id: int) -> None:
    """Make one person of two: the kept record's name, number and birth date stay, and everything that named the other
    names it. Places that one person cannot hold end, the next in line is told, and she of a walk that she loses.

    Raises NotFound, OneRecord, YourOwnRecord or BothWalked.
    """
    if kept_id == gone_id:
        raise OneRecord
    if acting.person_id == gone_id:
        raise YourOwnRecord
    hold_roles(connection, acting.partnership_id)
    kept, gone = (person_page(connection, acting.partnership_id, one) for one in (kept_id, gone_id))
    _hold(connection, acting, kept_id, gone_id)
    found = clashes(queries.places(connection, kept_id), queries.places(connection, gone_id), acting.now)
    for clash in found:
        _end(connection, acting, clash)
    _settle_bookings(connection, kept_id, gone_id)
    _settle_asks(connection, kept_id, gone_id)
    _settle_memberships(connection, kept_id, gone_id)
    _settle_roles(connection, kept_id, gone_id)
    _settle_notes(connection, kept_id, gone_id)
    _settle_calendars(connection, acting, kept_id, gone_id)
    _settle_walks(connection, kept_id, gone_id)
    _settle_ways_in(connection, kept_id, gone_id)
    to_number = {"to_phone": kept.phone}
    unsent = Message.person_id == gone_id, Message.state == MessageState.QUEUED
    connection.execute(update(Message).where(*unsent).values(**to_number))
    for column in POINTS:
        connection.execute(update(column.table).where(column == gone_id).values({column: kept_id}))
    # Nobody hands a walk over to herself.
    own = Booking.person_id == kept_id, Booking.handing_over_to == kept_id
    connection.execute(update(Booking).where(*own).values(handing_over_since=None, handing_over_to=None))
    _let_go(connection, kept_id, gone_id)
    change = Change(
        "person.merged",
        person_id=kept_id,
        before={"clubs": ", ".join(name for name, _ in kept.clubs)},
        after={"record": gone_id, "clubs": ", ".join(dict.fromkeys(name for name, _ in (*kept.clubs, *gone.clubs)))},
    )
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


def _hold(connection: Connection, acting: Acting, kept_id: int, gone_id: int) -> None:
    """Hold both, and everybody who may get a place that they free, in the one order that all keep."""
    theirs = select(Booking.shift_id).where(
        Booking.person_id.in_([kept_id, gone_id]), Booking.state.in_([BookingState.BOOKED, BookingState.WAITING])
    )
    eager = {
        person
        for shift_id in connection.execute(theirs).scalars().all()
        for person in waiting_list.eager(connection, shift_id)
    }
    hold(connection, acting.partnership_id, {kept_id, gone_id, *eager})
    # A key that others may point to is changed: whoever is about to point to this record waits, and then finds none.
    connection.execute(update(Person).where(Person.id == gone_id).values(phone=f"gone:{gone_id}"))


def _end(connection: Connection, acting: Acting, clash: Clash) -> None:
    place = clash.ends
    if place.starts_at > acting.now:
        tell = clash.why is Why.SAME_TIME
        take_off(connection, acting, place.shift_id, place.person_id, tell_person=tell)
        return
    row = connection.execute(select(Booking.place_held).where(Booking.id == place.booking_id)).one()
    connection.execute(
        update(Booking)
        .where(Booking.id == place.booking_id)
        .values(
            state=BookingState.CANCELLED,
            ended_at=acting.now,
            ended_because=Ended.BOOKED_ELSEWHERE,
            offered_until=None,
            place_held=False,
            handing_over_since=None,
            handing_over_to=None,
        )
    )
    counted = place.state is not BookingState.WAITING
    change_places(connection, place.shift_id, booked=-counted, held=-row.place_held)


def _settle_bookings(connection: Connection, kept_id: int, gone_id: int) -> None:
    # A form's key is its person's own; two people's may be alike.
    key = Booking.once + literal(":") + cast(Booking.id, String)
    connection.execute(update(Booking).where(Booking.person_id == gone_id).values(person_id=kept_id, once=key))


def _settle_asks(connection: Connection, kept_id: int, gone_id: int) -> None:
    """Move the questions; of two about one shift the answered one counts, else the earlier."""
    counting = Ask.state != AskState.WITHDRAWN
    both = select(Ask.shift_id).where(Ask.person_id == kept_id, counting)
    rows = connection.execute(
        select(Ask.id, Ask.shift_id, Ask.answered_at)
        .where(Ask.person_id.in_([kept_id, gone_id]), counting, Ask.shift_id.in_(both))
        .order_by(Ask.shift_id, Ask.answered_at.is_(None), Ask.id)
    ).all()
    first = {row.shift_id: row.id for row in reversed(rows)}
    second = [row.id for row in rows if row.id != first[row.shift_id]]
    connection.execute(update(Ask).where(Ask.id.in_(second)).values(state=AskState.WITHDRAWN))
    connection.execute(update(Ask).where(Ask.person_id == gone_id).values(person_id=kept_id))


def _settle_memberships(connection: Connection, kept_id: int, gone_id: int) -> None:
    """Move the memberships; of two in one club that have not ended, one stays, and it is approved if either was."""
    lasting = Membership.state != MembershipState.ENDED
    mine = {
        row.club_id: row
        for row in connection.execute(select(Membership).where(Membership.person_id == kept_id, lasting))
    }
    theirs = connection.execute(select(Membership).where(Membership.person_id == gone_id, lasting)).all()
    for row in theirs:
        other = mine.get(row.club_id)
        if other is None:
            continue
        connection.execute(delete(Membership).where(Membership.id == row.id))
        best = row if _later_state(row) > _later_state(other) else other
        values = {"state": best.state, "decided_at": best.decided_at, "asked_at": min(row.asked_at, other.asked_at)}
        connection.execute(update(Membership).where(Membership.id == other.id).values(**values))
    connection.execute(update(Membership).where(Membership.person_id == gone_id).values(person_id=kept_id))
    agreed = connection.execute(select(Person.values_agreed_at).where(Person.id == gone_id)).scalar_one()
    never = update(Person).where(Person.id == kept_id, Person.values_agreed_at == NEVER)
    connection.execute(never.values(values_agreed_at=agreed))


def _later_state(membership: AnyRow) -> bool:
    return membership.state is MembershipState.APPROVED


def _settle_roles(connection: Connection, kept_id: int, gone_id: int) -> None:
    mine = select(RoleGrant.role, RoleGrant.club_id).where(RoleGrant.person_id == kept_id)
    held = {(row.role, row.club_id) for row in connection.execute(mine)}
    theirs = connection.execute(
        select(RoleGrant.id, RoleGrant.role, RoleGrant.club_id).where(RoleGrant.person_id == gone_id)
    ).all()
    twice = [row.id for row in theirs if (row.role, row.club_id) in held]
    connection.execute(delete(RoleGrant).where(RoleGrant.id.in_(twice)))
    connection.execute(update(RoleGrant).where(RoleGrant.person_id == gone_id).values(person_id=kept_id))


def _settle_notes(connection: Connection, kept_id: int, gone_id: int) -> None:
    """Put the notes of one writer on both into one; a note that a person would have on herself is forgotten."""
    both = [kept_id, gone_id]
    rows = connection.execute(
        select(PersonNote)
        .where(PersonNote.writer_person_id.in_(both) | PersonNote.person_id.in_(both))
        .order_by(PersonNote.written_at)
    ).all()
    connection.execute(delete(PersonNote).where(PersonNote.writer_person_id.in_(both) | PersonNote.person_id.in_(both)))
    notes: dict[tuple[int, int], dict[str, Any]] = {}
    for row in rows:
        writer, subject = (kept_id if one == gone_id else one for one in (row.writer_person_id, row.person_id))
        if writer == subject:
            continue
        known = notes.get((writer, subject))
        notes[writer, subject] = {
            "writer_person_id": writer,
            "person_id": subject,
            "partnership_id": row.partnership_id,
            "text": f"{known['text']}\n{row.text}" if known else row.text,
            "written_at": row.written_at,
        }
    if notes:
        connection.execute(insert(PersonNote), list(notes.values()))


def _settle_calendars(connection: Connection, acting: Acting, kept_id: int, gone_id: int) -> None:
    """Let the addresses of both show the one person's walks. Of two addresses of one calendar the one that was fetched
    last goes on; what its readers have seen keeps its sequence."""
    for pair in queries.addresses_in_both(connection, kept_id, gone_id):
        rows = connection.execute(
            select(CalendarFeed.id, CalendarFeed.fetched_at).where(CalendarFeed.id.in_(pair))
        ).all()
        lasting = max(rows, key=lambda row: (row.fetched_at or STALE, row.id == pair[0]))
        ending = CalendarFeed.id.in_([one for one in pair if one != lasting.id])
        connection.execute(update(CalendarFeed).where(ending).values(ended_at=acting.now))
    connection.execute(update(CalendarFeed).where(CalendarFeed.person_id == gone_id).values(person_id=kept_id))
    own = {
        row.subject_id: row.id
        for row in connection.execute(
            select(Calendar.subject_id, Calendar.id)
            .where(Calendar.kind == CalendarKind.MINE, Calendar.subject_id.in_([kept_id, gone_id]))
            .order_by(Calendar.id)
        )
    }
    theirs, mine = own.get(gone_id), own.get(kept_id)
    if theirs is None:
        return
    if mine is None:
        values = {"subject_id": kept_id, "fresh_until": STALE}
        connection.execute(update(Calendar).where(Calendar.id == theirs).values(**values))
        return
    _join_calendars(connection, mine, theirs)


def _join_calendars(connection: Connection, mine: int, theirs: int) -> None:
    connection.execute(update(Calendar).where(Calendar.id == mine).values(fresh_until=STALE))
    seen = {
        row.shift_id: row for row in connection.execute(select(CalendarEvent).where(CalendarEvent.calendar_id == mine))
    }
    for row in connection.execute(select(CalendarEvent).where(CalendarEvent.calendar_id == theirs)).all():
        other = seen.get(row.shift_id)
        if other is None:
            connection.execute(
                update(CalendarEvent)
                .where(CalendarEvent.calendar_id == theirs, CalendarEvent.shift_id == row.shift_id)
                .values(calendar_id=mine)
            )
            continue
        # Drawn anew with a sequence above what either's readers have seen.
        values = {
            "fingerprint": "",
            "sequence": max(row.sequence, other.sequence),
            "changed_at": max(row.changed_at, other.changed_at),
        }
        connection.execute(
            update(CalendarEvent)
            .where(CalendarEvent.calendar_id == mine, CalendarEvent.shift_id == row.shift_id)
            .values(**values)
        )
    connection.execute(update(CalendarFeed).where(CalendarFeed.calendar_id == theirs).values(calendar_id=mine))
    connection.execute(delete(CalendarEvent).where(CalendarEvent.calendar_id == theirs))
    connection.execute(delete(Calendar).where(Calendar.id == theirs))


def _settle_walks(connection: Connection, kept_id: int, gone_id: int) -> None:
    """Move who was there and for which club. Nobody is there twice: who has walked with both was refused before."""
    for table in (Arrival, WalkedFor):
        mine = select(table.shift_id).where(table.person_id == kept_id)
        connection.execute(
            delete(table).where(
                table.person_id == gone_id, table.shift_id.in_(list(connection.execute(mine).scalars()))
            )
        )
        connection.execute(update(table).where(table.person_id == gone_id).values(person_id=kept_id))


def _settle_ways_in(connection: Connection, kept_id: int, gone_id: int) -> None:
    """Sign the record that is gone out; what it chose about texts counts where the kept one chose nothing."""
    connection.execute(delete(SignInSession).where(SignInSession.person_id == gone_id))
    connection.execute(delete(SignInCode).where(SignInCode.person_id == gone_id))
    chosen = select(TextPreference.person_id).where(TextPreference.person_id == kept_id)
    theirs = TextPreference.person_id == gone_id
    if connection.execute(chosen).first() is None:
        connection.execute(update(TextPreference).where(theirs).values(person_id=kept_id))
    connection.execute(delete(TextPreference).where(theirs))


def _let_go(connection: Connection, kept_id: int, gone_id: int) -> None:
    both = connection.execute(
        select(
            func.min(Person.created_at).label("created_at"),
            func.max(Person.last_asked_at).label("asked_at"),
            func.min(Person.may_lead_since).label("may_lead_since"),
            func.max(Person.extract_seen_on).label("extract_seen_on"),
        ).where(Person.id.in_([kept_id, gone_id]))
    ).one()
    values = {
        "created_at": both.created_at,
        "last_asked_at": both.asked_at,
        "may_lead_since": both.may_lead_since,
        "extract_seen_on": both.extract_seen_on,
    }
    connection.execute(update(Person).where(Person.id == kept_id).values(**values))
    connection.execute(delete(Person).where(Person.id == gone_id))

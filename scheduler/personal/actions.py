"""Forgetting a person, in one transaction: first what is to come ends as usual, then what says who it was goes."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, exists, select, update

from scheduler.bookings import actions as bookings
from scheduler.bookings import waiting_list
from scheduler.bookings.places import hold
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.calendars import making
from scheduler.calendars.rules import CalendarKind
from scheduler.calendars.tables import Calendar, CalendarEvent, CalendarFeed
from scheduler.kit import audit
from scheduler.kit.audit import AuditEntry, Change
from scheduler.kit.language import catalogue
from scheduler.kit.refusals import NotFound
from scheduler.messages.cleaning import forget_at_operator
from scheduler.messages.rules import MessageState
from scheduler.messages.tables import Incoming, LostText, Message, PhoneStanding, TextPreference
from scheduler.messages.texts import render
from scheduler.nights.tables import Shift
from scheduler.people.roles import hold_roles
from scheduler.people.rules import (
    NEVER,
    NO_ANSWER_KEPT,
    NO_NAME,
    NOT_BORN,
    Acting,
    MembershipState,
    Role,
    nowhere,
)
from scheduler.people.tables import Membership, Person, PersonNote, RoleGrant, SignInCode, SignInSession
from scheduler.personal.rules import NAMING, TELLING_WHO, OnlyCoordinator, OutNow
from scheduler.registers.tables import MemberList
from scheduler.steering import actions as steering
from scheduler.walks.tables import WalkNote

FINAL = (
    *(MessageState.SENT, MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.FAILED),
    *(MessageState.EXPIRED, MessageState.DROPPED),
)


def forget(connection: Connection, acting: Acting, public_url: str, *, wished: bool = True) -> None:
    """Forget the acting person for ever, as `wished`, or because she never answered the club that put her in.

    Coming places are free again and the next in line is told; sessions, calendar addresses, codes, texts, the seat in
    the steering group and the words of own notes go; what was walked and paid stays as numbers.

    `public_url` is the deployment's. Raises OnlyCoordinator, or OutNow in the middle of a walk.
    """
    person_id = acting.person_id
    assert person_id is not None, "the worker is nobody"
    # Two coordinators who leave at once come one after the other.
    hold_roles(connection, acting.partnership_id)
    check_may_leave(connection, acting)
    shifts = coming_shifts(connection, acting)
    hold(connection, acting.partnership_id, {person_id, *_next_in_line(connection, shifts)})
    person = connection.execute(
        select(Person.first_name, Person.last_name, Person.phone).where(
            Person.id == person_id, Person.forgotten_at.is_(None)
        )
    ).first()
    if person is None:
        raise NotFound
    _end_what_is_to_come(connection, acting, person_id)
    names = {person.first_name, f"{person.first_name} {person.last_name}"}
    _forget_texts(connection, acting, person_id, person.phone, names)
    _forget_ways_in(connection, acting, person_id, person.phone)
    connection.execute(
        update(WalkNote).where(WalkNote.written_by == person_id).values(text="", forgotten_at=acting.now)
    )
    steering.leave(connection, acting.partnership_id, person_id)
    connection.execute(delete(MemberList).where(MemberList.person_id == person_id))
    connection.execute(
        delete(PersonNote).where((PersonNote.person_id == person_id) | (PersonNote.writer_person_id == person_id))
    )
    connection.execute(
        update(AuditEntry)
        .where(AuditEntry.person_id == person_id, AuditEntry.what.in_(TELLING_WHO))
        .values(before={}, after={})
    )
    connection.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(
            first_name=NO_NAME,
            last_name="",
            phone=nowhere(person_id),
            born_on=NOT_BORN,
            forgotten_at=acting.now,
            may_lead_since=None,
            extract_seen_on=None,
        )
    )
    change = Change("person.forgotten" if wished else "person.let_go", person_id=person_id)
    audit.record(connection, acting.partnership_id, acting.now, person_id if wished else None, change)
    _forget_in_calendars(connection, acting, person_id, public_url)


def never_agreed(connection: Connection, now: datetime) -> list[tuple[int, int]]:
    """Return partnership and id of each person whom a club has put in, who has never agreed to the values, and whose
    last invitation ended over a week ago: by a no, by the club or by time."""
    later = exists().where(
        Membership.person_id == Person.id,
        (Membership.state != MembershipState.ENDED) | (Membership.decided_at > now - NO_ANSWER_KEPT),
    )
    some_role = exists().where(RoleGrant.person_id == Person.id)
    rows = connection.execute(
        select(Person.partnership_id, Person.id)
        .where(Person.values_agreed_at == NEVER, Person.forgotten_at.is_(None), ~later, ~some_role)
        .order_by(Person.id)
    )
    return [(row.partnership_id, row.id) for row in rows]


def let_go(connection: Connection, acting: Acting, public_url: str) -> bool:
    """Forget the acting person if she still is one of those who `never_agreed`; return whether she was."""
    assert acting.person_id is not None
    hold(connection, acting.partnership_id, [acting.person_id])
    if (acting.partnership_id, acting.person_id) not in never_agreed(connection, acting.now):
        return False
    forget(connection, acting, public_url, wished=False)
    return True


def check_may_leave(connection: Connection, acting: Acting) -> None:
    """Raise OnlyCoordinator or OutNow where the acting person cannot be forgotten now."""
    coordinators = set(
        connection.execute(
            select(RoleGrant.person_id).where(
                RoleGrant.partnership_id == acting.partnership_id, RoleGrant.role == Role.COORDINATOR
            )
        ).scalars()
    )
    if coordinators == {acting.person_id}:
        raise OnlyCoordinator
    out = connection.execute(
        select(Booking.id)
        .join(Shift, Shift.id == Booking.shift_id)
        .where(
            Booking.person_id == acting.person_id,
            Booking.state == BookingState.BOOKED,
            Shift.starts_at <= acting.now,
            Shift.ends_at > acting.now,
        )
    ).first()
    if out is not None:
        raise OutNow


def coming_shifts(connection: Connection, acting: Acting) -> list[int]:
    """Return the coming shifts on which the acting person has a place, or one in the list."""
    return list(
        connection.execute(
            select(Shift.id)
            .join(Booking, Booking.shift_id == Shift.id)
            .where(
                Booking.person_id == acting.person_id,
                Booking.state.in_([BookingState.BOOKED, BookingState.WAITING]),
                Shift.starts_at > acting.now,
            )
            .order_by(Shift.id)
        ).scalars()
    )


def _next_in_line(connection: Connection, shifts: Collection[int]) -> set[int]:
    return {person_id for shift_id in shifts for person_id in waiting_list.eager(connection, shift_id)}


def _end_what_is_to_come(connection: Connection, acting: Acting, person_id: int) -> None:
    """Answer no to walks that were offered by name, leave every coming shift as its owner would, and end roles and
    memberships."""
    offered = connection.execute(
        select(Booking.id).where(Booking.handing_over_to == person_id, Booking.state == BookingState.BOOKED)
    ).scalars()
    for booking_id in list(offered):
        bookings.refuse_take_over(connection, acting, booking_id)
    coming = coming_shifts(connection, acting)
    own = connection.execute(
        select(Booking.id).where(
            Booking.person_id == person_id,
            Booking.shift_id.in_(coming),
            Booking.state.in_([BookingState.BOOKED, BookingState.WAITING]),
        )
    ).scalars()
    for booking_id in sorted(own):
        bookings.cancel(connection, acting, booking_id, cannot_come=True)
    connection.execute(
        update(Shift)
        .where(Shift.leader_person_id == person_id, Shift.starts_at > acting.now)
        .values(leader_person_id=None)
    )
    _end_roles_and_memberships(connection, acting, person_id)


def _end_roles_and_memberships(connection: Connection, acting: Acting, person_id: int) -> None:
    roles = connection.execute(delete(RoleGrant).where(RoleGrant.person_id == person_id).returning(RoleGrant.role))
    changes = [
        Change("role.withdrawn", person_id=person_id, before={"role": role.value}) for role in list(roles.scalars())
    ]
    memberships = connection.execute(
        update(Membership)
        .where(Membership.person_id == person_id, Membership.state != MembershipState.ENDED)
        .values(state=MembershipState.ENDED, decided_at=acting.now)
    ).rowcount
    after = {"membership": MembershipState.ENDED.value}
    changes += [Change("membership.ended", person_id=person_id, after=after)] * memberships
    if changes:
        audit.record(connection, acting.partnership_id, acting.now, person_id, changes)


def _forget_texts(connection: Connection, acting: Acting, person_id: int, phone: str, names: set[str]) -> None:
    """Empty the texts to and from the person, and take the name out of those to others."""
    _take_name_out(connection, acting, person_id, names)
    theirs = (Message.person_id == person_id) | (
        (Message.partnership_id == acting.partnership_id) & (Message.to_phone == phone)
    )
    _drop(connection, acting, theirs)
    emptied = update(Message).where(theirs).values(words={}, body="", to_phone="", choices=None)
    came = update(Incoming).where(Incoming.person_id == person_id).values(body="")
    sids = [
        *connection.execute(emptied.returning(Message.sid)).scalars(),
        *connection.execute(came.returning(Incoming.sid)).scalars(),
        *connection.execute(delete(LostText).where(LostText.to_phone == phone).returning(LostText.sid)).scalars(),
    ]
    forget_at_operator(connection, [sid for sid in sids if sid], acting.now)
    connection.execute(delete(TextPreference).where(TextPreference.person_id == person_id))


def _drop(connection: Connection, acting: Acting, which: ColumnElement[bool]) -> None:
    connection.execute(
        update(Message)
        .where(which, Message.state.not_in(FINAL))
        .values(state=MessageState.DROPPED, settled_at=acting.now, claim=None)
    )


def _take_name_out(connection: Connection, acting: Acting, person_id: int, names: set[str]) -> None:
    """Let texts to others about this person's walks speak of "somebody"; what was passed on from her goes whole."""
    told_of = select(Booking.shift_id).where(Booking.person_id == person_id)
    asked_about = select(Message.shift_id).where(Message.person_id == person_id, Message.shift_id.is_not(None))
    naming = connection.execute(
        select(Message.id, Message.kind, Message.state, Message.language, Message.words).where(
            Message.partnership_id == acting.partnership_id,
            Message.kind.in_(NAMING),
            Message.body != "",
            Message.shift_id.in_(told_of) | Message.shift_id.in_(asked_about),
        )
    ).all()
    emptied = []
    for row in naming:
        if row.words.get("name") not in names:
            continue
        if row.state is not MessageState.QUEUED:
            emptied.append(row.id)
            continue
        words = {**row.words, "name": catalogue(row.language).gettext("Somebody")}
        values = {"words": words, "body": render(row.kind, row.language, words)}
        connection.execute(update(Message).where(Message.id == row.id).values(values))
    came = connection.execute(select(Incoming.id).where(Incoming.person_id == person_id)).scalars()
    passed_on = Message.about.in_([f"incoming:{one}" for one in came])
    which = (Message.partnership_id == acting.partnership_id) & (Message.id.in_(emptied) | passed_on)
    _drop(connection, acting, which)
    sids = connection.execute(update(Message).where(which).values(words={}, body="").returning(Message.sid)).scalars()
    forget_at_operator(connection, [sid for sid in sids if sid], acting.now)


def _forget_ways_in(connection: Connection, acting: Acting, person_id: int, phone: str) -> None:
    """End every device, code and calendar address, and what is known of the number if nobody else has it."""
    connection.execute(delete(SignInSession).where(SignInSession.person_id == person_id))
    codes = connection.execute(
        select(SignInCode.id, SignInCode.person_id, SignInCode.joining).where(
            SignInCode.partnership_id == acting.partnership_id
        )
    )
    ended = [row.id for row in codes if row.person_id == person_id or (row.joining or {}).get("phone") == phone]
    connection.execute(delete(SignInCode).where(SignInCode.id.in_(ended)))
    elsewhere = exists().where(Person.phone == phone, Person.id != person_id)
    connection.execute(delete(PhoneStanding).where(PhoneStanding.phone == phone, ~elsewhere))


def _forget_in_calendars(connection: Connection, acting: Acting, person_id: int, public_url: str) -> None:
    """Empty the person's own calendar, and make those anew that showed the name to others. An ended address goes on
    answering that it is gone."""
    connection.execute(
        update(CalendarFeed)
        .where(CalendarFeed.person_id == person_id, CalendarFeed.ended_at.is_(None))
        .values(ended_at=acting.now)
    )
    connection.execute(
        update(CalendarFeed)
        .where(CalendarFeed.person_id == person_id)
        .values(nonce="", fetched_at=None, fetched_by=None)
    )
    own = select(Calendar.id).where(
        Calendar.partnership_id == acting.partnership_id,
        Calendar.kind == CalendarKind.MINE,
        Calendar.subject_id == person_id,
    )
    connection.execute(delete(CalendarEvent).where(CalendarEvent.calendar_id.in_(own)))
    making.note_changes(connection, acting.partnership_id, acting.now)
    shown = connection.execute(
        select(Calendar.id)
        .where(
            Calendar.partnership_id == acting.partnership_id,
            Calendar.kind == CalendarKind.MINE,
            Calendar.subject_id != person_id,
            Calendar.fresh_until <= acting.now,
            Calendar.body_bytes > 0,
        )
        .order_by(Calendar.id)
    ).scalars()
    for calendar_id in list(shown):
        making.make(connection, calendar_id, public_url, acting.now)
    connection.execute(update(Calendar).where(Calendar.id.in_(own)).values(body=b"", body_bytes=0, etag=""))

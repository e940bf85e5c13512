"""What a coordinator changes on one shift: its facts, who is on it, and taking a call-off back.

Nothing here sends a text unless `tell` says so, except that a freed or added place goes to the waiting list by its
own rules. A change of facts carries the edition that the coordinator has seen: the later of two is refused.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from scheduler.bookings import actions, waiting_list
from scheduler.bookings.changes import affected_by, hold_everybody, plain, tell_booked
from scheduler.bookings.places import (
    change_places,
    end_booking,
    facts,
    hold,
    hold_and_read,
    note,
    overlapping_booking_id,
    read,
    take_held_place,
    take_place,
)
from scheduler.bookings.reminding import note_told
from scheduler.bookings.rules import (
    AlreadyEnded,
    Begun,
    BookingState,
    CalledOff,
    CannotAllCome,
    ChangedMeanwhile,
    Ended,
    Full,
    NotCalledOff,
    PlacesTaken,
    check_may_take,
    reminders_at,
)
from scheduler.bookings.tables import Booking
from scheduler.bookings.telling import about, tell, text_about, words
from scheduler.kit import audit
from scheduler.kit.audit import AuditEntry, Change
from scheduler.kit.database import AnyRow
from scheduler.kit.refusals import Invalid, NotFound
from scheduler.messages.actions import Recipient, drop, queue
from scheduler.messages.rules import MessageKind, allowed_at
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area
from scheduler.people.rules import Acting, is_adult
from scheduler.people.tables import Person


@dataclass(frozen=True, slots=True)
class ShiftFacts:
    """What a coordinator may change on a shift; `meeting_place` "" means the area's own."""

    starts_at: datetime
    ends_at: datetime
    minimum: int
    wanted: int
    meeting_place: str
    note: str
    leader_person_id: int | None
    night_id: int


NAMES = ("night_id", "starts_at", "ends_at", "minimum", "wanted", "meeting_place", "note", "leader_person_id")


def current(connection: Connection, partnership_id: int, shift_id: int) -> AnyRow:
    """Return a shift's facts, its edition, state, places, night and area. Raises NotFound."""
    columns = [getattr(Shift, name) for name in NAMES]
    row: AnyRow | None = connection.execute(
        select(
            *columns,
            Shift.edition,
            Shift.decision,
            Shift.state,
            Shift.booked,
            Shift.held,
            Shift.area_id,
            Night.date,
            Area.meeting_place.label("area_meeting_place"),
        )
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(Shift.id == shift_id, Shift.partnership_id == partnership_id)
    ).first()
    if row is None:
        raise NotFound
    return row


def edit(
    connection: Connection, acting: Acting, shift_id: int, new: ShiftFacts, edition: int, *, tell_people: bool
) -> int:
    """Write a shift's new facts and return how many are told; nobody is unless `tell_people`, and then only of
    another time or meeting place.

    Raises NotFound, CalledOff, Begun, Invalid, ChangedMeanwhile (not the edition that was seen), PlacesTaken
    (fewer places than people) or CannotAllCome (moved to where somebody cannot come).
    """
    hold_everybody(connection, acting, shift_id)
    old = current(connection, acting.partnership_id, shift_id)
    _check(acting, old, new)
    values = {name: getattr(new, name) for name in NAMES if getattr(new, name) != getattr(old, name)}
    if old.edition != edition:
        raise ChangedMeanwhile(who_changed(connection, shift_id))
    if not values:
        return 0
    changed = connection.execute(
        update(Shift)
        .where(Shift.id == shift_id, Shift.edition == edition, Shift.booked + Shift.held <= new.wanted)
        .values(**values, revision=Shift.revision + 1, edition=Shift.edition + 1)
    )
    if changed.rowcount != 1:
        now_so = current(connection, acting.partnership_id, shift_id)
        if now_so.edition != edition:
            raise ChangedMeanwhile(who_changed(connection, shift_id))
        raise PlacesTaken(now_so.booked + now_so.held)
    now_so = current(connection, acting.partnership_id, shift_id)
    told = ["date" if name == "night_id" else name for name in values]
    before, after = (plain({name: getattr(row, name) for name in told}) for row in (old, now_so))
    change = Change("shift.changed", shift_id=shift_id, before=before, after=after)
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)
    number_told = _follow(connection, acting, shift_id, set(values), tell_people=tell_people)
    if new.wanted > old.wanted and old.state is ShiftState.PUBLISHED:
        waiting_list.give_places(connection, acting, shift_id, waiting_list.eager(connection, shift_id))
    return number_told


def _check(acting: Acting, old: AnyRow, new: ShiftFacts) -> None:
    if old.state is ShiftState.CALLED_OFF:
        raise CalledOff
    if old.starts_at <= acting.now or old.state is ShiftState.WALKED:
        raise Begun
    if new.ends_at <= new.starts_at or new.starts_at <= acting.now or not 1 <= new.minimum <= new.wanted:
        raise Invalid(problem="request")


def who_changed(connection: Connection, shift_id: int) -> str:
    """Return the first name of whoever changed the shift last."""
    return (
        connection.execute(
            select(Person.first_name)
            .join(AuditEntry, AuditEntry.actor_person_id == Person.id)
            .where(AuditEntry.shift_id == shift_id, AuditEntry.what.in_(["shift.changed", "shift.state"]))
            .order_by(AuditEntry.id.desc())
        )
        .scalars()
        .first()
        or ""
    )


def _follow(connection: Connection, acting: Acting, shift_id: int, changed: set[str], *, tell_people: bool) -> int:
    """Do what follows from another time or place: check who can come, ask anew, tell. Return how many are told."""
    affected = affected_by(connection, acting, shift_id)
    if changed & {"starts_at", "ends_at", "night_id"}:
        if names := who_cannot(connection, shift_id):
            raise CannotAllCome(names)
        connection.execute(update(Booking).where(Booking.shift_id == shift_id).values(confirmed_at=None))
        if not tell_people:
            return 0
        for row in affected:
            due_at = reminders_at(row.date, row.starts_at, acting.zone)[MessageKind.REMINDER_THREE_HOURS]
            if row.booking_state is BookingState.BOOKED and due_at <= acting.now:
                note_told(connection, row, row.booking_id, acting.now)
        each = f":{int(affected[0].starts_at.timestamp())}:{int(acting.now.timestamp())}" if affected else ""
        return tell_booked(connection, acting, affected, MessageKind.MOVED, each=each)
    if "meeting_place" in changed and tell_people:
        each = f":{int(acting.now.timestamp())}"
        return tell_booked(connection, acting, affected, MessageKind.OTHER_PLACE, each=each)
    return 0


def who_cannot(connection: Connection, shift_id: int) -> list[str]:
    """Return the first names of those booked who hold a place elsewhere at that time, or are under 18 then."""
    rows = connection.execute(
        select(Person.first_name, Person.born_on, Night.date, overlapping_booking_id().label("overlapping_id"))
        .select_from(Booking)
        .join(Person, Person.id == Booking.person_id)
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .where(Booking.shift_id == shift_id, Booking.state == BookingState.BOOKED)
        .order_by(Booking.id)
    )
    return [row.first_name for row in rows if row.overlapping_id is not None or not is_adult(row.born_on, row.date)]


def copy_words(connection: Connection, shift_id: int, like: AnyRow) -> None:
    """Give a new shift the meeting place and the note of another."""
    connection.execute(
        update(Shift).where(Shift.id == shift_id).values(meeting_place=like.meeting_place, note=like.note)
    )


def reinstate(connection: Connection, acting: Acting, shift_id: int, *, tell_people: bool) -> int:
    """Walk a called-off shift after all; with `tell_people` those whose booking ended by the call-off are asked
    to book again. Returns how many are told. Raises NotFound or NotCalledOff."""
    old = current(connection, acting.partnership_id, shift_id)
    changed = connection.execute(
        update(Shift)
        .where(Shift.id == shift_id, Shift.state == ShiftState.CALLED_OFF, Shift.starts_at > acting.now)
        .values(state=ShiftState.PUBLISHED, revision=Shift.revision + 1, edition=Shift.edition + 1)
    )
    if changed.rowcount != 1:
        raise NotCalledOff
    states = {"state": old.state.value}, {"state": ShiftState.PUBLISHED.value}
    after = Change("shift.state", shift_id=shift_id, before=states[0], after=states[1])
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, after)
    if not tell_people:
        return 0
    people = were_on(connection, shift_id)
    for person in people:
        row = read(connection, acting.partnership_id, shift_id, person.id)
        due_at = allowed_at(acting.now, acting.zone, row.starts_at)
        _tell_with_link(
            connection, acting, row, MessageKind.REINSTATED, person.booking_id, due_at, f"/shifts/{shift_id}"
        )
    return len(people)


def were_on(connection: Connection, shift_id: int) -> list[AnyRow]:
    """Return id, first name and booking of those whose place, also in line, ended by the call-off."""
    return list(
        connection.execute(
            select(Person.id, Person.first_name, Booking.id.label("booking_id"))
            .join(Person, Person.id == Booking.person_id)
            .where(Booking.shift_id == shift_id, Booking.ended_because == Ended.CALLED_OFF)
            .order_by(Booking.id)
        )
    )


def _tell_with_link(
    connection: Connection, acting: Acting, row: AnyRow, kind: MessageKind, booking_id: int, due_at: datetime, link: str
) -> None:
    said = words(acting, row, link, row.language)
    text = text_about(row, kind, booking_id, due_at, said, f":{int(acting.now.timestamp())}")
    queue(connection, acting.partnership_id, Recipient(row.phone, row.language, row.person_id), text, acting.now)


def put_on(
    connection: Connection, acting: Acting, shift_id: int, person_id: int, once: str, *, tell_person: bool
) -> int:
    """Give somebody a place, from the waiting list too, by the same rules as any booking; return the booking's id.

    Raises NotFound, Full and the refusals of `rules.check_may_take`.
    """
    row = hold_and_read(connection, acting.partnership_id, shift_id, person_id, once)
    if row.mine_state is BookingState.WAITING:
        check_may_take(facts(connection, row), acting.now)
        take = take_held_place if row.place_held else take_place
        if not take(connection, shift_id):
            raise Full
        waiting_list.move_up(connection, acting, row, row.mine_id)
        booking_id = int(row.mine_id)
    elif row.mine_id is not None:
        return int(row.mine_id)
    else:
        booking_id = actions.book(connection, acting, shift_id, person_id, once)
    if tell_person:
        due_at = allowed_at(acting.now, acting.zone, row.starts_at)
        tell(connection, acting, row, MessageKind.PUT_ON, booking_id, due_at)
    return booking_id


def take_off(connection: Connection, acting: Acting, shift_id: int, person_id: int, *, tell_person: bool) -> None:
    """End somebody's place on the shift or in its list; a freed place goes to the next in line.

    Raises NotFound, AlreadyEnded or Begun.
    """
    held = {person_id, *waiting_list.eager(connection, shift_id)}
    hold(connection, acting.partnership_id, held)
    row = read(connection, acting.partnership_id, shift_id, person_id)
    if row.mine_id is None or row.mine_state not in {BookingState.BOOKED, BookingState.WAITING}:
        raise AlreadyEnded
    if acting.now >= row.starts_at:
        raise Begun
    end_booking(connection, row.mine_id, Ended.TAKEN_OFF, acting.now)
    drop(connection, about(row.mine_id), acting.now)
    drop(connection, f"hand_over:{row.mine_id}", acting.now)
    booked = row.mine_state is BookingState.BOOKED
    change_places(connection, shift_id, booked=-1 if booked else 0, held=-1 if row.place_held else 0)
    note(connection, acting, "booking.ended", row, row.mine_state, Ended.TAKEN_OFF)
    if tell_person:
        due_at = allowed_at(acting.now, acting.zone, row.starts_at)
        _tell_with_link(connection, acting, row, MessageKind.TAKEN_OFF, row.mine_id, due_at, "/nights")
    waiting_list.give_places(connection, acting, shift_id, held)

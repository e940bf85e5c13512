"""Verbs on places: book, cancel, hand over, take over. The waiting list's own verbs stand in `waiting_list.py`."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select, update

from scheduler.bookings import waiting_list
from scheduler.bookings.candidates import fitting_people, may_be_asked
from scheduler.bookings.places import (
    change_places,
    end_booking,
    facts,
    hold,
    hold_and_read,
    insert_booking,
    note,
    read,
    take_and_insert,
)
from scheduler.bookings.rules import (
    AlreadyEnded,
    Begun,
    BookingState,
    Ended,
    Full,
    NotHandedOver,
    NotYours,
    TakenByAnother,
    TooEarly,
    TooLateToCancel,
    check_may_take,
    check_shift_open,
    may_cancel_freely,
)
from scheduler.bookings.tables import Booking
from scheduler.bookings.telling import about, tell, words
from scheduler.kit.database import AnyRow
from scheduler.kit.refusals import Invalid, NotFound, Refusal
from scheduler.messages.actions import Question, Recipient, Text, drop, queue
from scheduler.messages.rules import MessageKind, QuestionKind, allowed_at
from scheduler.nights.tables import Shift
from scheduler.people.rules import Acting, Role
from scheduler.people.tables import Person, RoleGrant

MOST_AT_ONCE = 30


def book(connection: Connection, acting: Acting, shift_id: int, person_id: int, once: str) -> int:
    """Give a person a place on a shift and return the booking's id; the same form again is the same booking.

    Raises NotFound, the refusals of `rules.check_may_take`, or Full when every place is taken or held.
    """
    row = hold_and_read(connection, acting.partnership_id, shift_id, person_id, once)
    return _book_held(connection, acting, row, once)


def _book_held(connection: Connection, acting: Acting, row: AnyRow, once: str) -> int:
    if row.once_id is not None and row.once_id != row.mine_id:
        return int(row.once_id)
    if row.mine_state is BookingState.WAITING and row.offered_until is not None:
        waiting_list.accept(connection, acting, row.mine_id)
    if row.mine_id is not None:
        return int(row.mine_id)
    check_may_take(facts(connection, row), acting.now)
    if row.booked + row.held >= row.wanted:
        raise Full
    return take_and_insert(connection, acting, row, once)


def book_several(
    connection: Connection, acting: Acting, shift_ids: Iterable[int], person_id: int, once: str
) -> tuple[list[int], list[tuple[int, Refusal]]]:
    """Book each of several shifts that can be booked, in one transaction.

    Returns the bookings' ids, and for each other shift its id and the refusal. Raises Invalid for more than
    30 shifts or none.
    """
    wanted = sorted(set(shift_ids))
    if not wanted or len(wanted) > MOST_AT_ONCE:
        raise Invalid("shift", "none" if not wanted else "too_many")
    hold(connection, acting.partnership_id, [person_id])
    booked: list[int] = []
    refused: list[tuple[int, Refusal]] = []
    for shift_id in wanted:
        try:
            row = read(connection, acting.partnership_id, shift_id, person_id, once)
            booked.append(_book_held(connection, acting, row, once))
        except Refusal as refusal:  # a refusal comes before anything is written for that shift
            refused.append((shift_id, refusal))
    return booked, refused


def cancel(connection: Connection, acting: Acting, booking_id: int, *, cannot_come: bool = False) -> None:
    """End the acting person's own booking or place in the list; a freed place goes to the next in line.

    Ending what has ended changes nothing. Raises NotYours, Begun, and, under 24 hours before the start
    unless `cannot_come`, TooLateToCancel. With `cannot_come` the coordinators are told at once.
    """
    shift_id = _shift_of(connection, acting, booking_id)
    assert acting.person_id is not None
    held = {acting.person_id, *waiting_list.eager(connection, shift_id)}
    hold(connection, acting.partnership_id, held)
    row = read(connection, acting.partnership_id, shift_id, acting.person_id)
    if row.mine_id != booking_id:
        return
    if row.mine_state is BookingState.WAITING:
        waiting_list.decline(connection, acting, booking_id, Ended.CANCELLED)
        return
    if row.mine_state is not BookingState.BOOKED:
        raise AlreadyEnded
    if acting.now >= row.starts_at:
        raise Begun
    late = not may_cancel_freely(row.starts_at, acting.now)
    if late and not cannot_come:
        raise TooLateToCancel(booking_id)
    because = Ended.COULD_NOT_COME if late else Ended.CANCELLED
    end_booking(connection, booking_id, because, acting.now)
    drop(connection, about(booking_id), acting.now)
    drop(connection, _asks_about(booking_id), acting.now)
    change_places(connection, shift_id, booked=-1)
    note(connection, acting, "booking.ended", row, BookingState.BOOKED, because)
    if late:
        _tell_coordinators(connection, acting, row, booking_id)
    waiting_list.give_places(connection, acting, shift_id, held)


def _shift_of(connection: Connection, acting: Acting, booking_id: int) -> int:
    shift_id = connection.execute(
        select(Booking.shift_id).where(Booking.id == booking_id, Booking.person_id == acting.person_id)
    ).scalar()
    if shift_id is None:
        raise NotYours
    return shift_id


def _tell_coordinators(connection: Connection, acting: Acting, row: AnyRow, booking_id: int) -> None:
    coordinators = connection.execute(
        select(Person.id, Person.phone, Person.language)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(RoleGrant.partnership_id == acting.partnership_id, RoleGrant.role == Role.COORDINATOR)
    )
    for coordinator in coordinators:
        queue(
            connection,
            acting.partnership_id,
            Recipient(coordinator.phone, coordinator.language, coordinator.id),
            Text(
                kind=MessageKind.LATE_CANCELLATION,
                fact=f"{about(booking_id)}:late:{coordinator.id}",
                about=f"shift:{row.shift_id}",
                words={
                    **words(acting, row, f"/lead/shifts/{row.shift_id}", coordinator.language),
                    "name": row.first_name,
                    "booked": str(row.booked - 1),
                    "wanted": str(row.wanted),
                },
                due_at=allowed_at(acting.now, acting.zone, row.starts_at),
                deadline_at=row.starts_at,
                shift_id=row.shift_id,
                starts_at=row.starts_at,
            ),
            acting.now,
        )


def hand_over(connection: Connection, acting: Acting, booking_id: int, to_person_id: int | None) -> None:
    """Offer the acting person's walk to one named person, or to everybody who fits. It stays theirs until
    somebody takes it. Raises NotYours, AlreadyEnded, Begun, or Invalid("to") for somebody who does not fit."""
    shift_id = _shift_of(connection, acting, booking_id)
    assert acting.person_id is not None
    hold(connection, acting.partnership_id, [acting.person_id])
    row = read(connection, acting.partnership_id, shift_id, acting.person_id)
    if row.mine_id != booking_id or row.mine_state is not BookingState.BOOKED:
        raise AlreadyEnded
    check_shift_open(row.state, row.starts_at, acting.now)
    if to_person_id is None:
        asked = fitting_people(connection, acting.partnership_id, shift_id, acting.now)
        kind = MessageKind.HAND_OVER_ASKED
    else:
        who = acting.person_id, to_person_id
        asked = may_be_asked(connection, acting.partnership_id, shift_id, *who, acting.now)
        kind = MessageKind.HAND_OVER_OFFERED
        if not asked:
            raise Invalid("to", "does_not_fit")
    connection.execute(
        update(Booking)
        .where(Booking.id == booking_id)
        .values(handing_over_since=acting.now, handing_over_to=to_person_id)
    )
    change_places(connection, shift_id)
    note(connection, acting, "booking.handing_over", row, BookingState.BOOKED, "handing_over")
    due_at = allowed_at(acting.now, acting.zone, row.starts_at)
    for person in asked:
        queue(
            connection,
            acting.partnership_id,
            Recipient(person.phone, person.language, person.id),
            Text(
                kind=kind,
                fact=f"{_asks_about(booking_id)}:{acting.now:%s}:{person.id}",
                about=_asks_about(booking_id),
                words={
                    **words(acting, row, f"/shifts/{shift_id}", person.language),
                    "name": row.first_name,
                },
                due_at=due_at,
                deadline_at=row.starts_at,
                shift_id=shift_id,
                starts_at=row.starts_at,
                question=Question(QuestionKind.HAND_OVER, booking_id, row.starts_at),
            ),
            acting.now,
        )


def keep(connection: Connection, acting: Acting, booking_id: int) -> None:
    """Take back an offered hand-over; the walk was the acting person's all the time. Raises NotYours, AlreadyEnded."""
    shift_id = _shift_of(connection, acting, booking_id)
    assert acting.person_id is not None
    hold(connection, acting.partnership_id, [acting.person_id])
    row = read(connection, acting.partnership_id, shift_id, acting.person_id)
    if row.mine_id != booking_id:
        raise AlreadyEnded
    if _stop_handing_over(connection, booking_id):
        drop(connection, _asks_about(booking_id), acting.now)
        change_places(connection, shift_id)
        note(connection, acting, "booking.kept", row, "handing_over", BookingState.BOOKED)


def _stop_handing_over(connection: Connection, booking_id: int) -> bool:
    return (
        connection.execute(
            update(Booking)
            .where(Booking.id == booking_id, Booking.handing_over_since.is_not(None))
            .values(handing_over_since=None, handing_over_to=None)
        ).rowcount
        == 1
    )


def _asks_about(booking_id: int) -> str:
    return f"hand_over:{booking_id}"


def refuse_take_over(connection: Connection, acting: Acting, booking_id: int) -> None:
    """Say no to a walk that was offered to the acting person by name; the giver keeps it and is told.

    Raises NotHandedOver when it is not offered to this person.
    """
    giver = _being_handed_over(connection, acting, booking_id)
    hold(connection, acting.partnership_id, [giver.person_id])
    row = read(connection, acting.partnership_id, giver.shift_id, giver.person_id)
    if giver.handing_over_to != acting.person_id or not _stop_handing_over(connection, booking_id):
        raise NotHandedOver
    drop(connection, _asks_about(booking_id), acting.now)
    change_places(connection, row.shift_id)
    note(connection, acting, "booking.kept", row, "handing_over", BookingState.BOOKED)
    due_at = allowed_at(acting.now, acting.zone, row.starts_at)
    name = _first_name(connection, acting)
    tell(connection, acting, row, MessageKind.HAND_OVER_DECLINED, booking_id, due_at, each=str(acting.now), name=name)


def take_over(connection: Connection, acting: Acting, booking_id: int, once: str) -> int:
    """Take a walk that somebody hands over and return the new booking's id; the giver is free and told.

    Raises NotHandedOver, TakenByAnother, and the refusals of `rules.check_may_take`.
    """
    assert acting.person_id is not None
    giver = _being_handed_over(connection, acting, booking_id)
    hold(connection, acting.partnership_id, [giver.person_id, acting.person_id])
    row = read(connection, acting.partnership_id, giver.shift_id, acting.person_id, once)
    if row.mine_id is not None and row.mine_state is not BookingState.WAITING:
        return int(row.mine_id)
    if giver.handing_over_to not in {None, acting.person_id}:
        raise NotHandedOver
    check_may_take(facts(connection, row), acting.now)
    given = read(connection, acting.partnership_id, giver.shift_id, giver.person_id)
    still_open = connection.execute(
        select(Booking.id).where(
            Booking.id == booking_id,
            Booking.state == BookingState.BOOKED,
            Booking.handing_over_since.is_not(None),
        )
    ).first()
    if still_open is None or not end_booking(connection, booking_id, Ended.HANDED_OVER, acting.now):
        raise TakenByAnother
    drop(connection, about(booking_id), acting.now)
    drop(connection, _asks_about(booking_id), acting.now)
    note(connection, acting, "booking.ended", given, "handing_over", Ended.HANDED_OVER)
    if row.mine_id is not None:
        end_booking(connection, row.mine_id, Ended.BOOKED_ELSEWHERE, acting.now)
        change_places(connection, row.shift_id, held=-1 if row.place_held else 0)
    change_places(connection, row.shift_id)
    new_id = insert_booking(connection, acting, row, BookingState.BOOKED, once)
    note(connection, acting, "booking.booked", row, None, BookingState.BOOKED)
    due_at = allowed_at(acting.now, acting.zone, row.starts_at)
    tell(connection, acting, given, MessageKind.HAND_OVER_TAKEN, booking_id, due_at, name=row.first_name)
    return new_id


def _being_handed_over(connection: Connection, acting: Acting, booking_id: int) -> AnyRow:
    found = connection.execute(
        select(Booking.shift_id, Booking.person_id, Booking.handing_over_since, Booking.handing_over_to).where(
            Booking.id == booking_id, Booking.partnership_id == acting.partnership_id
        )
    ).first()
    if found is None or (found.handing_over_to is not None and found.handing_over_to != acting.person_id):
        raise NotYours
    return found


def _first_name(connection: Connection, acting: Acting) -> str:
    return connection.execute(select(Person.first_name).where(Person.id == acting.person_id)).scalar_one()


def record_attendance(connection: Connection, acting: Acting, shift_id: int, attended: Collection[int]) -> int:
    """Write who came to a shift that has begun: the others who were booked did not. Returns how many came.

    Writing the same again changes nothing. Raises NotFound or, before the start, TooEarly.
    """
    shift = connection.execute(
        select(Shift.starts_at).where(Shift.id == shift_id, Shift.partnership_id == acting.partnership_id)
    ).first()
    if shift is None:
        raise NotFound
    if acting.now < shift.starts_at:
        raise TooEarly
    change_places(connection, shift_id)
    booked = connection.execute(
        select(Booking.id, Booking.person_id, Booking.shift_id, Booking.state).where(
            Booking.shift_id == shift_id,
            Booking.state.in_([BookingState.BOOKED, BookingState.ATTENDED, BookingState.NO_SHOW]),
        )
    ).all()
    for row in booked:
        state = BookingState.ATTENDED if row.person_id in attended else BookingState.NO_SHOW
        if row.state is not state:
            connection.execute(update(Booking).where(Booking.id == row.id).values(state=state))
            note(connection, acting, "booking.attendance", row, row.state, state)
    return sum(row.person_id in attended for row in booked)

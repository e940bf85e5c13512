"""The waiting list: joining it, and giving a freed place to the next in line.

A freed place is held for the first in line until a deadline, then for the next. Who ticked "take it for me"
is moved up at once. Under three hours before the start nothing is held: everybody in the list is told, and
the first to answer gets the place; somebody from outside may then take it too, since a full team comes first.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Row, exists, select, update

from scheduler.bookings.places import (
    SHIFT_COLUMNS,
    change_places,
    end_booking,
    hold,
    hold_and_read,
    insert_booking,
    lock_full,
    note,
    overlapping_booking_id,
    read,
    take_and_insert,
    take_held_place,
    take_place,
)
from scheduler.bookings.places import facts as facts_of
from scheduler.bookings.rules import (
    BookingState,
    Ended,
    NothingOffered,
    NotYours,
    TakenByAnother,
    answer_before,
    check_may_take,
)
from scheduler.bookings.tables import Booking
from scheduler.bookings.telling import about, tell
from scheduler.kit.database import AnyRow
from scheduler.kit.language import short_day
from scheduler.messages.actions import drop
from scheduler.messages.rules import MessageKind, allowed_at
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area
from scheduler.people.rules import Acting, MembershipState, is_adult
from scheduler.people.tables import Membership, Person


def join(
    connection: Connection, acting: Acting, shift_id: int, person_id: int, once: str, *, auto_take: bool = False
) -> int:
    """Put a person last in the shift's waiting list and return the booking's id.

    Who is in it, or on the shift, already gets that booking. If a place is free after all, it is booked.
    Raises the refusals of `rules.check_may_take`.
    """
    row = hold_and_read(connection, acting.partnership_id, shift_id, person_id, once)
    known: int | None = row.mine_id or row.once_id
    if known is not None:
        return known
    check_may_take(facts_of(connection, row), acting.now)
    if not lock_full(connection, shift_id):
        return take_and_insert(connection, acting, row, once)
    booking_id = insert_booking(connection, acting, row, BookingState.WAITING, once, auto_take=auto_take)
    note(connection, acting, "booking.waiting", row, None, BookingState.WAITING)
    return booking_id


def change_auto_take(connection: Connection, acting: Acting, booking_id: int, *, auto_take: bool) -> None:
    """Remember "take it for me" for the person's own place in a list. Raises NotYours."""
    assert acting.person_id is not None
    hold(connection, acting.partnership_id, [acting.person_id])
    changed = connection.execute(
        update(Booking)
        .where(
            Booking.id == booking_id,
            Booking.person_id == acting.person_id,
            Booking.state == BookingState.WAITING,
        )
        .values(auto_take=auto_take)
    )
    if changed.rowcount != 1:
        raise NotYours


def accept(connection: Connection, acting: Acting, booking_id: int) -> None:
    """Take the place that is offered to the acting person.

    Raises NotYours, NothingOffered (no offer, or past its deadline), TakenByAnother (under three hours:
    somebody else answered first) and the refusals of `rules.check_may_take`.
    """
    row = _own(connection, acting, booking_id)
    if row.mine_state is BookingState.BOOKED:
        return
    if row.offered_until is None or row.offered_until <= acting.now:
        raise NothingOffered
    check_may_take(facts_of(connection, row), acting.now)
    take = take_held_place if row.place_held else take_place
    if not take(connection, row.shift_id):
        raise TakenByAnother
    move_up(connection, acting, row, booking_id)


def _own(connection: Connection, acting: Acting, booking_id: int) -> AnyRow:
    """Hold the acting person and return the fresh facts of the own active booking. Raises NotYours."""
    assert acting.person_id is not None
    hold(connection, acting.partnership_id, [acting.person_id])
    shift_id = connection.execute(
        select(Booking.shift_id).where(Booking.id == booking_id, Booking.person_id == acting.person_id)
    ).scalar()
    if shift_id is None:
        raise NotYours
    row = read(connection, acting.partnership_id, shift_id, acting.person_id)
    if row.mine_id != booking_id:
        raise NothingOffered
    return row


def move_up(connection: Connection, acting: Acting, row: AnyRow, booking_id: int) -> None:
    """Make a place in the list a booking; the caller has taken the place on the shift."""
    connection.execute(
        update(Booking)
        .where(Booking.id == booking_id)
        .values(state=BookingState.BOOKED, offered_until=None, place_held=False, made_at=acting.now)
    )
    drop(connection, about(booking_id), acting.now)
    note(connection, acting, "booking.booked", row, BookingState.WAITING, BookingState.BOOKED)


def decline(connection: Connection, acting: Acting, booking_id: int, because: Ended = Ended.DECLINED) -> None:
    """Say no to an offered place, or leave the list; a held place goes to the next. Raises NotYours."""
    found = connection.execute(
        select(Booking.shift_id, Booking.person_id).where(
            Booking.id == booking_id, Booking.partnership_id == acting.partnership_id
        )
    ).first()
    if found is None or acting.person_id not in {None, found.person_id}:
        raise NotYours
    held = {found.person_id, *eager(connection, found.shift_id)}
    hold(connection, acting.partnership_id, held)
    row = read(connection, acting.partnership_id, found.shift_id, found.person_id)
    if row.mine_id != booking_id or row.mine_state is not BookingState.WAITING:
        return
    end_booking(connection, booking_id, because, acting.now)
    drop(connection, about(booking_id), acting.now)
    note(connection, acting, "booking.ended", row, BookingState.WAITING, because)
    if because is Ended.OFFER_EXPIRED:
        due_at = allowed_at(acting.now, acting.zone, row.starts_at)
        tell(connection, acting, row, MessageKind.OFFER_ENDED, booking_id, due_at)
    if row.place_held:
        change_places(connection, row.shift_id, held=-1)
        give_places(connection, acting, row.shift_id, held)


def eager(connection: Connection, shift_id: int) -> list[int]:
    """Return the ids of those in the list who want a place without being asked: whoever frees a place holds
    them too, since they may be moved up in the same transaction."""
    return list(
        connection.execute(
            select(Booking.person_id).where(
                Booking.shift_id == shift_id, Booking.state == BookingState.WAITING, Booking.auto_take
            )
        ).scalars()
    )


def give_places(connection: Connection, acting: Acting, shift_id: int, held_people: Collection[int]) -> None:
    """Give the shift's free places to the waiting list, in order. The caller has locked the shift and holds
    `held_people`; who ticked "take it for me" too late to be among them is offered the place instead."""
    waiting = _in_line(connection, shift_id)
    if not waiting:
        return
    first = waiting[0]
    if first.state is not ShiftState.PUBLISHED or acting.now >= first.starts_at:
        return
    free = first.wanted - first.booked - first.held
    for row in waiting:
        if free <= 0:
            return
        if row.offered_until is not None and row.place_held:
            continue
        if not (row.approved and is_adult(row.born_on, row.date)) or row.overlapping_id is not None:
            end_booking(connection, row.booking_id, Ended.BOOKED_ELSEWHERE, acting.now)
            note(connection, acting, "booking.ended", row, BookingState.WAITING, Ended.BOOKED_ELSEWHERE)
            continue
        if row.auto_take and row.person_id in held_people:
            change_places(connection, shift_id, booked=1)
            move_up(connection, acting, row, row.booking_id)
            due_at = allowed_at(acting.now, acting.zone, row.starts_at)
            tell(connection, acting, row, MessageKind.PLACE_YOURS, row.booking_id, due_at)
            free -= 1
        elif _offer(connection, acting, row):
            free -= 1


def _offer(connection: Connection, acting: Acting, row: AnyRow) -> bool:
    """Offer a place to one in line; return whether it is held for that person."""
    told_at = allowed_at(acting.now, acting.zone, row.starts_at)
    until = answer_before(told_at, row.starts_at)
    held = until is not None
    connection.execute(
        update(Booking)
        .where(Booking.id == row.booking_id)
        .values(offered_until=until or row.starts_at, place_held=held)
    )
    if until is None:
        tell(connection, acting, row, MessageKind.PLACE_FREE_FIRST_ANSWER, row.booking_id, acting.now)
    else:
        change_places(connection, row.shift_id, held=1)
        local = until.astimezone(acting.zone)
        shown = f"{short_day(local.date(), row.language)} {local:%H.%M}"
        tell(connection, acting, row, MessageKind.PLACE_OFFERED, row.booking_id, told_at, answer_by=until, until=shown)
    note(connection, acting, "booking.offered", row, BookingState.WAITING, BookingState.WAITING)
    return held


def _in_line(connection: Connection, shift_id: int) -> list[AnyRow]:
    approved = exists().where(
        Membership.person_id == Person.id, Membership.state == MembershipState.APPROVED
    ).correlate(Person)  # fmt: skip
    return list(
        connection.execute(
            select(
                *SHIFT_COLUMNS,
                Booking.id.label("booking_id"),
                Booking.auto_take,
                Booking.offered_until,
                Booking.place_held,
                Person.id.label("person_id"),
                Person.born_on,
                Person.phone,
                Person.language,
                approved.label("approved"),
                overlapping_booking_id().label("overlapping_id"),
            )
            .select_from(Booking)
            .join(Shift, Shift.id == Booking.shift_id)
            .join(Night, Night.id == Shift.night_id)
            .join(Area, Area.id == Shift.area_id)
            .join(Person, Person.id == Booking.person_id)
            .where(Booking.shift_id == shift_id, Booking.state == BookingState.WAITING)
            .order_by(Booking.id)
        )
    )


def expired_offers(connection: Connection, now: datetime) -> list[Row[int, int]]:
    """Return booking and partnership ids of held offers that nobody answered in time."""
    return list(
        connection.execute(
            select(Booking.id, Booking.partnership_id)
            .where(Booking.state == BookingState.WAITING, Booking.place_held, Booking.offered_until <= now)
            .order_by(Booking.id)
        )
    )

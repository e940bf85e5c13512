"""Saying "I am coming"."""

from sqlalchemy import Connection, select, update

from scheduler.bookings.places import hold, note, read
from scheduler.bookings.rules import AlreadyEnded, BookingState, NotYours, check_shift_open
from scheduler.bookings.tables import Booking
from scheduler.people.rules import Acting


def confirm(connection: Connection, acting: Acting, booking_id: int) -> None:
    """Note that the acting person is coming; saying it twice is saying it once.

    Raises NotYours, AlreadyEnded, or the refusals of a shift that is over or called off.
    """
    assert acting.person_id is not None
    hold(connection, acting.partnership_id, [acting.person_id])
    shift_id = connection.execute(
        select(Booking.shift_id).where(Booking.id == booking_id, Booking.person_id == acting.person_id)
    ).scalar()
    if shift_id is None:
        raise NotYours
    row = read(connection, acting.partnership_id, shift_id, acting.person_id)
    if row.mine_id != booking_id or row.mine_state is not BookingState.BOOKED:
        raise AlreadyEnded
    check_shift_open(row.state, row.starts_at, acting.now)
    confirmed = connection.execute(
        update(Booking).where(Booking.id == booking_id, Booking.confirmed_at.is_(None)).values(confirmed_at=acting.now)
    ).rowcount
    if confirmed:
        note(connection, acting, "booking.confirmed", row, BookingState.BOOKED, "confirmed")

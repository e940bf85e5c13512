"""Calling a whole shift off, and what `editing.py` needs to change one: who is on it, and telling them at once."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from scheduler.bookings.places import SHIFT_COLUMNS, change_places, end_booking, hold, note
from scheduler.bookings.rules import Begun, BookingState, CalledOff, Ended
from scheduler.bookings.tables import Booking
from scheduler.bookings.telling import about, text_about, walk_words
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnyRow
from scheduler.kit.phone import as_swedes_write
from scheduler.kit.refusals import NotFound
from scheduler.messages.actions import Recipient, drop, queue_many, take_back
from scheduler.messages.rules import MessageKind, allowed_at
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Partnership
from scheduler.people.rules import Acting
from scheduler.people.tables import Person


def affected_by(connection: Connection, acting: Acting, shift_id: int) -> list[AnyRow]:
    """Return everybody who is booked or in line, with the shift's facts, by booking id."""
    return list(
        connection.execute(
            select(
                *SHIFT_COLUMNS,
                Booking.id.label("booking_id"),
                Booking.state.label("booking_state"),
                Booking.place_held,
                Person.id.label("person_id"),
                Person.phone,
                Person.language,
                Partnership.id.label("partnership_id"),
                Partnership.time_zone,
                Partnership.coordinator_phone,
            )
            .select_from(Booking)
            .join(Shift, Shift.id == Booking.shift_id)
            .join(Night, Night.id == Shift.night_id)
            .join(Area, Area.id == Shift.area_id)
            .join(Person, Person.id == Booking.person_id)
            .join(Partnership, Partnership.id == Booking.partnership_id)
            .where(
                Booking.shift_id == shift_id,
                Booking.partnership_id == acting.partnership_id,
                Booking.state.in_([BookingState.BOOKED, BookingState.WAITING]),
            )
            .order_by(Booking.id)
        )
    )


def hold_everybody(connection: Connection, acting: Acting, shift_id: int) -> None:
    """Hold everybody on the shift, so that none of them books or leaves meanwhile."""
    people = connection.execute(
        select(Booking.person_id).where(
            Booking.shift_id == shift_id,
            Booking.partnership_id == acting.partnership_id,
            Booking.state.in_([BookingState.BOOKED, BookingState.WAITING]),
        )
    ).scalars()
    hold(connection, acting.partnership_id, list(people))


def plain(values: dict[str, Any]) -> dict[str, str]:
    """Return the facts of a shift as the log keeps them."""
    return {
        name: value.isoformat(timespec="minutes")
        if isinstance(value, datetime)
        else str(value if value is not None else "")
        for name, value in values.items()
    }


def call_off(connection: Connection, acting: Acting, shift_id: int) -> int:
    """Call a shift off: every booking and place in line ends, and those who were booked are told at once.

    Returns how many were told. Raises NotFound, CalledOff or Begun.
    """
    hold_everybody(connection, acting, shift_id)
    _end_shift(connection, acting, shift_id)
    affected = affected_by(connection, acting, shift_id)
    for row in affected:
        end_booking(connection, row.booking_id, Ended.CALLED_OFF, acting.now)
        drop(connection, about(row.booking_id), acting.now)
        drop(connection, f"hand_over:{row.booking_id}", acting.now)
        note(connection, acting, "booking.ended", row, row.booking_state, Ended.CALLED_OFF)
    booked = sum(row.booking_state is BookingState.BOOKED for row in affected)
    change_places(connection, shift_id, booked=-booked, held=-sum(row.place_held for row in affected))
    return tell_booked(connection, acting, affected, MessageKind.CALLED_OFF)


def _end_shift(connection: Connection, acting: Acting, shift_id: int) -> None:
    found = connection.execute(
        select(Shift.state, Shift.starts_at).where(Shift.id == shift_id, Shift.partnership_id == acting.partnership_id)
    ).first()
    if found is None:
        raise NotFound
    if found.state is ShiftState.CALLED_OFF:
        raise CalledOff
    if found.starts_at <= acting.now or found.state is ShiftState.WALKED:
        raise Begun
    connection.execute(
        update(Shift)
        .where(Shift.id == shift_id)
        .values(state=ShiftState.CALLED_OFF, revision=Shift.revision + 1, edition=Shift.edition + 1)
    )
    change = Change(
        "shift.changed",
        shift_id=shift_id,
        before={"state": found.state.value},
        after={"state": ShiftState.CALLED_OFF.value},
    )
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


# A text of another hour tells the meeting place too.
OF_CHANGES = frozenset({MessageKind.MOVED, MessageKind.OTHER_PLACE})


def tell_booked(
    connection: Connection, acting: Acting, affected: list[AnyRow], kind: MessageKind, each: str = ""
) -> int:
    """Queue a text of one kind to everybody of `affected` who was booked; return to how many. What waits for the
    morning about an earlier change is taken back: the new text tells all."""
    waited = set()
    if kind in OF_CHANGES:
        waited = take_back(connection, [about(row.booking_id) for row in affected], OF_CHANGES, acting.now)
    letters = []
    for row in affected:
        if row.booking_state is not BookingState.BOOKED:
            continue
        said = {
            **walk_words(row, acting.zone, row.language),
            "link": f"{acting.site}/bookings/{row.booking_id}",
            "phone": as_swedes_write(row.coordinator_phone),
        }
        due_at = allowed_at(acting.now, acting.zone, row.starts_at)
        moved = (about(row.booking_id), MessageKind.MOVED) in waited
        text = text_about(row, MessageKind.MOVED if moved else kind, row.booking_id, due_at, said, each)
        letters.append((acting.partnership_id, Recipient(row.phone, row.language, row.person_id), text))
    queue_many(connection, letters, acting.now)
    return len(letters)

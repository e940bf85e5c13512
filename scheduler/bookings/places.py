"""What every verb on bookings is built of: holding people, reading fresh facts, taking and giving back places.
What people are told of it stands in `telling.py`.

Only `actions.py` and `waiting_list.py` use this. The order is always people (ascending by id), then the shift:
the same order everywhere is what keeps two verbs from waiting for each other.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    exists,
    insert,
    select,
    update,
)

from scheduler.bookings.rules import BookingState, Ended, Facts, OtherWalk
from scheduler.bookings.tables import Booking
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnyRow, LostRace, spelled_out
from scheduler.kit.mapping import aliased
from scheduler.kit.ready import Ready, Step, together
from scheduler.kit.refusals import NotFound
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club
from scheduler.people.rules import Acting, MembershipState
from scheduler.people.tables import Membership, Person

_HOLD = Ready(
    update(Person)
    .where(Person.id == bindparam("held_id"), Person.partnership_id == bindparam("tenant_id"))
    .values(revision=Person.revision + 1)
)


def hold(connection: Connection, partnership_id: int, person_ids: Iterable[int]) -> None:
    """Lock people by a write, ascending by id, until the transaction ends. Raises NotFound for a stranger."""
    for person_id in sorted(set(person_ids)):
        if _HOLD.run(connection, {"held_id": person_id, "tenant_id": partnership_id}).touched != 1:
            raise NotFound


_Other, _OtherShift = aliased(Booking), aliased(Shift)


def _is_member(state: MembershipState) -> Any:  # noqa: ANN401 - a column expression
    return exists().where(Membership.person_id == Person.id, Membership.state == state).correlate(Person)


def overlapping_booking_id() -> Any:  # noqa: ANN401 - a column expression
    """Return a subquery: a place that Person holds at the time of Shift, on another shift."""
    return (
        select(_Other.id)
        .join(_OtherShift, _OtherShift.id == _Other.shift_id)
        .where(
            _Other.person_id == Person.id,
            _Other.state == BookingState.BOOKED,
            _Other.shift_id != Shift.id,
            _OtherShift.starts_at < Shift.ends_at,
            _OtherShift.ends_at > Shift.starts_at,
        )
        .correlate(Person, Shift)
        .limit(1)
        .scalar_subquery()
    )


def is_of_host_club() -> Any:  # noqa: ANN401 - a column expression
    """Return whether Person is an approved member of the club that has taken Shift."""
    return (
        exists()
        .where(
            Membership.person_id == Person.id,
            Membership.club_id == Shift.host_club_id,
            Membership.state == MembershipState.APPROVED,
        )
        .correlate(Person, Shift)
    )


# How a shift stands, and when and where it is walked.
STANDING_COLUMNS = (
    Shift.id.label("shift_id"),
    Shift.state,
    Shift.starts_at,
    Shift.ends_at,
    Shift.minimum,
    Shift.wanted,
    Shift.booked,
    Shift.held,
    Night.date,
    Area.name.label("area"),
)
SHIFT_COLUMNS = (
    *STANDING_COLUMNS,
    Area.gathers_minutes_before,
    Area.meeting_place.label("area_meeting_place"),
    Shift.meeting_place,
)
_FACTS = Ready(
    select(
        *SHIFT_COLUMNS,
        Person.id.label("person_id"),
        Person.first_name,
        Person.born_on,
        Person.phone,
        Person.language,
        _is_member(MembershipState.APPROVED).label("approved"),
        _is_member(MembershipState.PENDING).label("pending"),
        overlapping_booking_id().label("overlapping_id"),
        Shift.members_first_until,
        is_of_host_club().label("of_host_club"),
        Booking.id.label("mine_id"),
        Booking.state.label("mine_state"),
        Booking.offered_until,
        Booking.place_held,
        select(_Other.id)
        .where(_Other.person_id == Person.id, _Other.once == bindparam("once"), _Other.shift_id == Shift.id)
        .correlate(Person, Shift)
        .scalar_subquery()
        .label("once_id"),
        exists()
        .where(_Other.shift_id == Shift.id, _Other.state == BookingState.WAITING)
        .correlate(Shift)
        .label("somebody_waits"),
    )
    .select_from(Shift)
    .join(Night, Night.id == Shift.night_id)
    .join(Area, Area.id == Shift.area_id)
    .join(Person, Person.partnership_id == Shift.partnership_id)
    .outerjoin(
        Booking,
        and_(Booking.shift_id == Shift.id, Booking.person_id == Person.id, Booking.state != BookingState.CANCELLED),
    )
    .where(
        Shift.id == bindparam("shift_id"),
        Shift.partnership_id == bindparam("tenant_id"),
        Person.id == bindparam("person_id"),
    )
)


def read(connection: Connection, partnership_id: int, shift_id: int, person_id: int, once: str = "") -> AnyRow:
    """Return what must be known to decide about this person on this shift. Call it under the person's hold.

    Raises NotFound for a shift that does not exist in this partnership.
    """
    row: AnyRow | None = _FACTS.first(connection, _asked(partnership_id, shift_id, person_id, once))
    if row is None:
        raise NotFound
    return row


def hold_and_read(connection: Connection, partnership_id: int, shift_id: int, person_id: int, once: str) -> Any:  # noqa: ANN401
    """Hold one person, then `read`: the facts are read after the lock is held, and asked for at the same time."""
    held, found = together(
        connection,
        (_HOLD, {"held_id": person_id, "tenant_id": partnership_id}),
        (_FACTS, _asked(partnership_id, shift_id, person_id, once)),
    )
    if held.touched != 1 or not found.rows:
        raise NotFound
    return _FACTS.typed(connection.dialect, found.rows[0])


def _asked(partnership_id: int, shift_id: int, person_id: int, once: str) -> dict[str, object]:
    return {"shift_id": shift_id, "tenant_id": partnership_id, "person_id": person_id, "once": once}


def facts(connection: Connection, row: AnyRow) -> Facts:
    """Return the row of `read` as the rules want it."""
    return Facts(
        state=row.state,
        night=row.date,
        starts_at=row.starts_at,
        born_on=row.born_on,
        approved=row.approved,
        pending=row.pending,
        overlapping=_other_walk(connection, row.overlapping_id) if row.overlapping_id is not None else None,
        kept_for=_kept_for(connection, row) if row.members_first_until is not None and not row.of_host_club else None,
    )


def _kept_for(connection: Connection, row: AnyRow) -> tuple[str, datetime] | None:
    """Return the host club and until when its members come first, to somebody who is none of them."""
    club = connection.execute(
        select(Club.name).join(Shift, Shift.host_club_id == Club.id).where(Shift.id == row.shift_id)
    ).scalar()
    return (club, row.members_first_until) if club is not None else None


def _other_walk(connection: Connection, booking_id: int) -> OtherWalk:
    row = connection.execute(
        select(Booking.id, Night.date, Area.name, Shift.starts_at, Shift.ends_at)
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(Booking.id == booking_id)
    ).one()
    return OtherWalk(*row)


_TAKE = Ready(
    update(Shift)
    .where(
        Shift.id == bindparam("taken_id"),
        Shift.booked + Shift.held < Shift.wanted,
        Shift.state == ShiftState.PUBLISHED,
    )
    .values(booked=Shift.booked + 1, revision=Shift.revision + 1)
)


def take_place(connection: Connection, shift_id: int) -> bool:
    """Take a free place of a published shift; False when there is none. The count and the lock are one UPDATE."""
    return _TAKE.run(connection, {"taken_id": shift_id}).touched == 1


def take_held_place(connection: Connection, shift_id: int) -> bool:
    """Turn a held place into a booked one; False when the shift is no longer published."""
    taken = connection.execute(
        update(Shift)
        .where(Shift.id == shift_id, Shift.held > 0, Shift.state == ShiftState.PUBLISHED)
        .values(booked=Shift.booked + 1, held=Shift.held - 1, revision=Shift.revision + 1)
    )
    return taken.rowcount == 1


def lock_full(connection: Connection, shift_id: int) -> bool:
    """Lock a published shift that has no free place; False when it has one."""
    locked = connection.execute(
        update(Shift)
        .where(
            Shift.id == shift_id,
            Shift.booked + Shift.held >= Shift.wanted,
            Shift.state == ShiftState.PUBLISHED,
        )
        .values(revision=Shift.revision + 1)
    )
    return locked.rowcount == 1


def change_places(connection: Connection, shift_id: int, *, booked: int = 0, held: int = 0) -> None:
    """Lock the shift and add to its counts; the database refuses what would pass `wanted` or fall below 0."""
    connection.execute(
        update(Shift)
        .where(Shift.id == shift_id)
        .values(booked=Shift.booked + booked, held=Shift.held + held, revision=Shift.revision + 1)
    )


_INSERT = Ready(
    insert(Booking).returning(Booking.id),
    columns=("partnership_id", "shift_id", "person_id", "state", "made_at", "once", "auto_take", "place_held"),
)


def insert_booking(
    connection: Connection, acting: Acting, row: AnyRow, state: BookingState, once: str, *, auto_take: bool = False
) -> int:
    """Write a booking or a place in the waiting list for the person and shift of `row`; return its id."""
    written = _INSERT.run(connection, _written(acting, row, state, once, auto_take=auto_take))
    return int(written.rows[0][0])


def take_and_insert(connection: Connection, acting: Acting, row: AnyRow, once: str) -> int:
    """Take a place that `row` shows as free and write its booking and its audit entry, all asked for at once;
    return the booking's id. Raises LostRace if somebody has taken it since `row` was read."""
    taken, written, _ = together(
        connection,
        (_TAKE, {"taken_id": row.shift_id}),
        (_INSERT, _written(acting, row, BookingState.BOOKED, once)),
        _entry(acting, "booking.booked", row, None, BookingState.BOOKED),
    )
    if taken.touched != 1:
        raise LostRace
    return int(written.rows[0][0])


def _written(
    acting: Acting, row: AnyRow, state: BookingState, once: str, *, auto_take: bool = False
) -> dict[str, object]:
    return {
        "partnership_id": acting.partnership_id,
        "shift_id": row.shift_id,
        "person_id": row.person_id,
        "state": state,
        "made_at": acting.now,
        "once": once,
        "auto_take": auto_take,
        "place_held": False,
    }


_END = spelled_out(
    update(Booking)
    .where(Booking.id == bindparam("booking_id"), Booking.state.in_([BookingState.BOOKED, BookingState.WAITING]))
    .values(
        state=BookingState.CANCELLED,
        ended_at=bindparam("now"),
        ended_because=bindparam("because"),
        offered_until=None,
        place_held=False,
        handing_over_since=None,
        handing_over_to=None,
    )
)


def end_booking(connection: Connection, booking_id: int, because: Ended, now: datetime) -> bool:
    """Cancel a booking or a place in the list; False when it had ended already."""
    ended = connection.execute(_END, {"booking_id": booking_id, "because": because, "now": now})
    return ended.rowcount == 1


def note(
    connection: Connection, acting: Acting, what: str, row: AnyRow, before: str | None, after: str, **more: object
) -> None:
    """Write the audit entry of a booking's change of state."""
    together(connection, _entry(acting, what, row, before, after, **more))


def _entry(acting: Acting, what: str, row: AnyRow, before: str | None, after: str, **more: object) -> Step:
    change = Change(
        what,
        shift_id=row.shift_id,
        person_id=row.person_id,
        before={"booking": before} if before else {},
        after={"booking": after, **more},
    )
    return audit.entry(acting.partnership_id, acting.now, acting.person_id, change)

"""One person as a coordinator sees her, beside who she is: her walks, what is to come, how she can be reached."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.messages.rules import TextGroup
from scheduler.messages.standing import Standing, preference, standing
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Agreement, Area


@dataclass(frozen=True, slots=True)
class Coming:
    """A place on a coming shift, or in its queue."""

    shift_id: int
    date: date
    area: str
    waiting: bool


@dataclass(frozen=True, slots=True)
class Walks:
    """`season`: walks in the agreement's term of today; `last`: the night of the latest, None for none."""

    season: int
    in_all: int
    last: date | None
    coming: list[Coming]
    number: Standing
    off: frozenset[TextGroup]


def walks(connection: Connection, person_id: int, phone: str, today: date, now: datetime) -> Walks:
    """Return what a person has walked and will, and whether texts reach her."""
    in_term = Night.agreement_id.in_(
        select(Agreement.id).where(
            Agreement.partnership_id == Night.partnership_id, Agreement.starts_on <= today, Agreement.ends_on >= today
        )
    )
    walked = connection.execute(
        select(func.count().filter(in_term).label("season"), func.count().label("in_all"), func.max(Night.date))
        .select_from(Booking)
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .where(Booking.person_id == person_id, Booking.state == BookingState.ATTENDED)
    ).one()
    coming = connection.execute(
        select(Shift.id, Night.date, Area.name, Booking.state == BookingState.WAITING)
        .select_from(Booking)
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(
            Booking.person_id == person_id,
            Booking.state.in_([BookingState.BOOKED, BookingState.WAITING]),
            Shift.ends_at > now,
        )
        .order_by(Shift.starts_at, Shift.id)
    )
    return Walks(
        season=walked[0],
        in_all=walked[1],
        last=walked[2],
        coming=[Coming(*row) for row in coming],
        number=standing(connection, phone),
        off=preference(connection, person_id).off,
    )

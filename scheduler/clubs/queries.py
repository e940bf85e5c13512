from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, exists, func, select

from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnySelect
from scheduler.kit.mapping import aliased
from scheduler.money.queries import club_sums
from scheduler.nights.hosting import ClubStanding, OpenShift
from scheduler.nights.rules import Coverage, ShiftState, coverage
from scheduler.nights.tables import ClubWish, Night, Shift
from scheduler.partnership.tables import Area, Club
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership


@dataclass(frozen=True, slots=True)
class ClubShift:
    """A shift that a club has taken. `members_first_until` None: open for everybody."""

    id: int
    date: date
    area: str
    starts_at: datetime
    ends_at: datetime
    state: ShiftState
    booked: int
    wanted: int
    coverage: Coverage
    members_first_until: datetime | None
    reserve_club: str | None


def standings(connection: Connection, partnership_id: int, agreement_id: int) -> list[ClubStanding]:
    """Return what each club's fair share rests on, by name."""
    able = (
        select(func.count(func.distinct(Membership.person_id)))
        .where(Membership.club_id == Club.id, Membership.state == MembershipState.APPROVED)
        .correlate(Club)
        .scalar_subquery()
    )
    had = (
        select(func.count(Shift.id))
        .join(Night, Night.id == Shift.night_id)
        .where(
            Shift.host_club_id == Club.id,
            Shift.state != ShiftState.CALLED_OFF,
            Night.agreement_id == agreement_id,
        )
        .correlate(Club)
        .scalar_subquery()
    )
    wish = (
        select(ClubWish.shifts)
        .where(ClubWish.club_id == Club.id, ClubWish.agreement_id == agreement_id)
        .correlate(Club)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(Club.id, Club.name, able, wish, had, Club.ended_on)
        .where(Club.partnership_id == partnership_id)
        .order_by(Club.name)
    )
    return [ClubStanding(*row) for row in rows]


def earned(connection: Connection, agreement_id: int) -> dict[int, int]:
    """Return what each club has earned in a term so far, in öre, by the club's id."""
    return {one.club_id: one.amount_ore for one in club_sums(connection, agreement_id)}


def open_shifts(
    connection: Connection, partnership_id: int, agreement_id: int, now: datetime, last: date | None = None
) -> list[OpenShift]:
    """Return the coming shifts of a term that no club has taken, by time, to and with the night `last`."""
    wanted = (
        select(Shift.id, Night.date, Area.name, Shift.starts_at)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(
            Shift.partnership_id == partnership_id,
            Night.agreement_id == agreement_id,
            Shift.host_club_id.is_(None),
            Shift.state.in_([ShiftState.PLANNED, ShiftState.PUBLISHED]),
            Shift.starts_at > now,
        )
        .order_by(Shift.starts_at, Shift.id)
    )
    if last is not None:
        wanted = wanted.where(Night.date <= last)
    return [OpenShift(*row) for row in connection.execute(wanted)]


def club_shifts(connection: Connection, partnership_id: int, club_id: int, agreement_id: int) -> list[ClubShift]:
    """Return the shifts of a term that a club has taken, by time."""
    reserve = select(Club.name).where(Club.id == Shift.reserve_club_id).correlate(Shift).scalar_subquery()
    wanted: AnySelect = (
        select(
            Shift.id,
            Night.date,
            Area.name,
            Shift.starts_at,
            Shift.ends_at,
            Shift.state,
            Shift.booked,
            Shift.wanted,
            Shift.minimum,
            Shift.members_first_until,
            reserve.label("reserve_club"),
        )
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(
            Shift.partnership_id == partnership_id,
            Shift.host_club_id == club_id,
            Night.agreement_id == agreement_id,
        )
        .order_by(Shift.starts_at, Shift.id)
    )
    return [
        ClubShift(
            id=row.id,
            date=row.date,
            area=row.name,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            state=row.state,
            booked=row.booked,
            wanted=row.wanted,
            coverage=coverage(row.booked, row.minimum, row.wanted),
            members_first_until=row.members_first_until,
            reserve_club=row.reserve_club,
        )
        for row in connection.execute(wanted)
    ]


def somebody_waits(connection: Connection, shift_id: int) -> bool:
    """Return whether the shift has a waiting list: its places go to those in it, whatever their club."""
    waiting = exists().where(Booking.shift_id == shift_id, Booking.state == BookingState.WAITING)
    return bool(connection.execute(select(waiting)).scalar())


def members_of_no_other(connection: Connection, club_id: int) -> int:
    """Return how many approved members a club has who are approved in no other."""
    other = aliased(Membership)
    elsewhere = exists().where(
        other.person_id == Membership.person_id, other.club_id != club_id, other.state == MembershipState.APPROVED
    )
    alone = select(func.count()).where(
        Membership.club_id == club_id, Membership.state == MembershipState.APPROVED, ~elsewhere
    )
    return connection.execute(alone).scalar_one()

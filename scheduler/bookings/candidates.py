"""Whom to ask to take a walk: who could, and whom the giver may know by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, exists, func, or_, select

from scheduler.bookings.places import is_of_host_club, overlapping_booking_id
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnyRow, AnySelect
from scheduler.kit.mapping import aliased
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Club
from scheduler.people.rules import MembershipState, is_adult
from scheduler.people.tables import Membership, Person

MOST_ASKED = 12
MOST_TO_PICK = 30


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could take a walk. `phone` is E.164."""

    id: int
    first_name: str
    club: str
    phone: str
    language: str


def _candidates(shift_id: int, now: datetime) -> AnySelect:
    """Approved adults who hold no place at that time and are not on the shift already; while the host club's members
    come first, only they."""
    on_it = aliased(Booking)
    return (
        select(
            Person.id,
            Person.first_name,
            func.min(Club.name).label("club"),
            Person.phone,
            Person.language,
            Person.born_on,
            Night.date,
        )
        .select_from(Shift)
        .join(Night, Night.id == Shift.night_id)
        .join(Person, Person.partnership_id == Shift.partnership_id)
        .join(Membership, and_(Membership.person_id == Person.id, Membership.state == MembershipState.APPROVED))
        .join(Club, Club.id == Membership.club_id)
        .where(
            Shift.id == shift_id,
            overlapping_booking_id().is_(None),
            or_(Shift.members_first_until.is_(None), Shift.members_first_until <= now, is_of_host_club()),
            ~exists().where(
                on_it.shift_id == Shift.id, on_it.person_id == Person.id, on_it.state == BookingState.BOOKED
            ).correlate(Shift, Person),
        )
        .group_by(Person.id, Person.first_name, Person.phone, Person.language, Person.born_on, Night.date)
    )  # fmt: skip


def _grown_up(rows: Iterable[AnyRow]) -> list[Candidate]:
    return [
        Candidate(row.id, row.first_name, row.club, row.phone, row.language)
        for row in rows
        if is_adult(row.born_on, row.date)
    ]


def fitting_people(connection: Connection, partnership_id: int | None, shift_id: int, now: datetime) -> list[Candidate]:
    """Return whom to ask to take a walk: at most twelve, those in its waiting list first, then those who have
    walked least, so that it is not always the same who are asked."""
    waiting, walked = aliased(Booking), aliased(Booking)
    wanted = (
        _candidates(shift_id, now)
        .outerjoin(
            waiting,
            and_(
                waiting.shift_id == Shift.id,
                waiting.person_id == Person.id,
                waiting.state == BookingState.WAITING,
            ),
        )
        .outerjoin(walked, and_(walked.person_id == Person.id, walked.state == BookingState.ATTENDED))
        .order_by(func.min(waiting.id).is_(None), func.min(waiting.id), func.count(walked.id), Person.id)
        .limit(MOST_ASKED)
    )
    if partnership_id is not None:
        wanted = wanted.where(Shift.partnership_id == partnership_id)
    return _grown_up(connection.execute(wanted))


def people_to_pick(connection: Connection, shift_id: int, giver_id: int, now: datetime) -> list[Candidate]:
    """Return whom the giver of a walk may ask by name: people she has walked with, and her own club's.

    Nobody else's name is shown (rule 10). At most thirty, by name.
    """
    return _grown_up(
        connection.execute(_known_to(shift_id, giver_id, now).order_by(Person.first_name).limit(MOST_TO_PICK))
    )


def may_be_asked(
    connection: Connection, partnership_id: int, shift_id: int, giver_id: int, person_id: int, now: datetime
) -> list[Candidate]:
    """Return the one person, if the giver may offer the walk to her; else nothing."""
    wanted = _known_to(shift_id, giver_id, now).where(Person.id == person_id, Person.partnership_id == partnership_id)
    return _grown_up(connection.execute(wanted))


def _known_to(shift_id: int, giver_id: int, now: datetime) -> AnySelect:
    hers, theirs = aliased(Booking), aliased(Booking)
    together = (
        exists()
        .where(
            hers.person_id == giver_id,
            theirs.person_id == Person.id,
            hers.shift_id == theirs.shift_id,
            hers.state == BookingState.ATTENDED,
            theirs.state == BookingState.ATTENDED,
        )
        .correlate(Person)
    )
    her_clubs = select(Membership.club_id).where(
        Membership.person_id == giver_id, Membership.state == MembershipState.APPROVED
    )
    same_club = aliased(Membership)
    clubmate = (
        exists()
        .where(
            same_club.person_id == Person.id,
            same_club.state == MembershipState.APPROVED,
            same_club.club_id.in_(her_clubs),
        )
        .correlate(Person)
    )
    return _candidates(shift_id, now).where(or_(together, clubmate), Person.id != giver_id)

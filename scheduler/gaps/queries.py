from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from scheduler.bookings.cards import Card
from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.queries import Walker, meeting_at, walkers_of
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnyRow
from scheduler.kit.refusals import NotFound
from scheduler.nights.rules import Coverage, NightFlag, ShiftState, coverage, night_flag, urgency
from scheduler.nights.season import Special
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club
from scheduler.people.tables import Person


@dataclass(frozen=True, slots=True)
class BoardNight:
    """A coming night on the board. `need` is the highest urgency of its shifts; 0 when all are full."""

    date: date
    days_left: int
    flag: NightFlag
    special: Special | None
    cards: list[Card]
    need: int
    missing_to_minimum: int
    missing_to_wanted: int

    @property
    def in_danger(self) -> bool:
        return self.missing_to_minimum > 0


def board(cards: Iterable[Card], today: date) -> list[BoardNight]:
    """Return the coming nights that have an open area, by date."""
    by_date: dict[date, list[Card]] = defaultdict(list)
    for card in cards:
        if card.state is ShiftState.PUBLISHED:
            by_date[card.date].append(card)
    return [_board_night(night, listed, today) for night, listed in sorted(by_date.items())]


def _board_night(night: date, cards: list[Card], today: date) -> BoardNight:
    days_left = (night - today).days
    special = cards[0].special
    return BoardNight(
        date=night,
        days_left=days_left,
        flag=night_flag(card.coverage for card in cards),
        special=special,
        cards=cards,
        need=max(
            urgency(
                card.missing_to_minimum,
                card.missing_to_wanted,
                days_left,
                card.flag,
                special=special is not None,
            )
            for card in cards
        ),
        missing_to_minimum=sum(card.missing_to_minimum for card in cards),
        missing_to_wanted=sum(card.missing_to_wanted for card in cards),
    )


def ranked(nights: Iterable[BoardNight]) -> list[BoardNight]:
    """Return the nights on which a team would not walk, the most urgent first."""
    return sorted((night for night in nights if night.in_danger), key=lambda night: (-night.need, night.date))


@dataclass(frozen=True, slots=True)
class InLine:
    person_id: int
    first_name: str
    since: datetime
    offered_until: datetime | None
    auto_take: bool


@dataclass(frozen=True, slots=True)
class LeadShift:
    """A shift as the coordinator sees it: with people, numbers and the waiting list."""

    id: int
    date: date
    starts_at: datetime
    ends_at: datetime
    area: str
    meeting_place: str
    meeting_at: datetime
    minimum: int
    wanted: int
    booked: int
    held: int
    state: ShiftState
    coverage: Coverage
    special: Special | None
    host_club: str | None
    note: str
    walkers: list[Walker]
    waiting: list[InLine]


def lead_shift(connection: Connection, partnership_id: int, shift_id: int, now: datetime) -> LeadShift:
    """Return a shift with its people, for coordinators. Raises NotFound, also for another partnership's."""
    row: AnyRow | None = connection.execute(
        select(*SHIFT_COLUMNS, Shift.note, Night.special, Club.name.label("host_club"))
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .outerjoin(Club, Club.id == Shift.host_club_id)
        .where(Shift.id == shift_id, Shift.partnership_id == partnership_id)
    ).first()
    if row is None:
        raise NotFound
    waiting = connection.execute(
        select(Person.id, Person.first_name, Booking.made_at, Booking.offered_until, Booking.auto_take)
        .join(Person, Person.id == Booking.person_id)
        .where(Booking.shift_id == shift_id, Booking.state == BookingState.WAITING)
        .order_by(Booking.id)
    )
    return LeadShift(
        id=row.shift_id,
        date=row.date,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        area=row.area,
        meeting_place=row.meeting_place or row.area_meeting_place,
        meeting_at=meeting_at(row),
        minimum=row.minimum,
        wanted=row.wanted,
        booked=row.booked,
        held=row.held,
        state=row.state,
        coverage=coverage(row.booked, row.minimum, row.wanted),
        special=row.special,
        host_club=row.host_club,
        note=row.note,
        walkers=walkers_of(connection, [shift_id], now, for_person_id=None).get(shift_id, []),
        waiting=[InLine(*line) for line in waiting],
    )

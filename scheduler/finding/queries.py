from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import Connection, bindparam, select

from scheduler.bookings.cards import SHOWN, Card, Looking, NightCards, Step
from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.queries import Walker, meeting_at, walkers_of
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnyRow
from scheduler.kit.ready import Ready
from scheduler.kit.refusals import NotFound
from scheduler.nights.rules import Coverage, NightFlag, ShiftState
from scheduler.nights.season import Special
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club

DAYS_IN_MONTH_VIEW = 35


@dataclass(frozen=True, slots=True)
class Week:
    number: int
    monday: date
    sunday: date
    cards: list[Card]


def weeks(listed: Iterable[Card]) -> list[Week]:
    """Return the cards by ISO week, which Swedes plan by."""
    by_monday: dict[date, list[Card]] = defaultdict(list)
    for card in listed:
        by_monday[card.date - timedelta(days=card.date.weekday())].append(card)
    return [
        Week(monday.isocalendar().week, monday, monday + timedelta(days=6), found)
        for monday, found in sorted(by_monday.items())
    ]


@dataclass(frozen=True, slots=True)
class CellShift:
    area: str
    booked: int
    wanted: int
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of the five-week view. `shifts` are the open areas, `mine` whether the person walks that night."""

    date: date
    is_today: bool
    shifts: tuple[CellShift, ...]
    flag: NightFlag
    special: Special | None
    mine: bool


@lru_cache(maxsize=16)
def five_weeks(nights: tuple[NightCards, ...], today: date, area: str | None = None) -> tuple[tuple[Cell, ...], ...]:
    """Return five rows of seven days from this week's Monday; of all areas, or of one by name."""
    by_date = {night.date: [card for card in night.cards if area in {None, card.area}] for night in nights}
    monday = today - timedelta(days=today.weekday())
    days = [monday + timedelta(days=number) for number in range(DAYS_IN_MONTH_VIEW)]
    cells = tuple(_cell(day, by_date.get(day, []), today) for day in days)
    return tuple(cells[start : start + 7] for start in range(0, DAYS_IN_MONTH_VIEW, 7))


def _cell(day: date, found: list[Card], today: date) -> Cell:
    opened = [card for card in found if card.state in {ShiftState.PUBLISHED, ShiftState.WALKED}]
    return Cell(
        date=day,
        is_today=day == today,
        shifts=tuple(CellShift(card.area, card.booked, card.wanted, card.coverage) for card in opened),
        flag=found[0].flag if found else NightFlag.NONE,
        special=found[0].special if found else None,
        mine=any(card.step is Step.MINE for card in found),
    )


# By date, the latest first: found in the index of nights, where a maximum would read every shift.
_LAST_PUBLISHED = Ready(
    select(Night.date)
    .join(Shift, Shift.night_id == Night.id)
    .where(Night.partnership_id == bindparam("tenant_id"), Shift.state == ShiftState.PUBLISHED)
    .order_by(Night.date.desc())
    .limit(1)
)


def last_published(connection: Connection, partnership_id: int) -> date | None:
    """Return the last night that has a published shift."""
    row = _LAST_PUBLISHED.first(connection, {"tenant_id": partnership_id})
    return None if row is None else row.date


_MORE_PLANNED = Ready(
    select(Shift.id)
    .join(Night, Night.id == Shift.night_id)
    .where(
        Night.partnership_id == bindparam("tenant_id"),
        Night.date >= bindparam("today"),
        Shift.state == ShiftState.PLANNED,
    )
    .limit(1)
)


def more_is_planned(connection: Connection, partnership_id: int, today: date) -> bool:
    """Return whether coming nights are planned and not yet published."""
    return bool(_MORE_PLANNED.raw(connection, {"tenant_id": partnership_id, "today": today}))


def habits(connection: Connection, person_id: int) -> Counter[tuple[str, int]]:
    """Return how often the person has walked each area, and each weekday, as ("area", n) and ("", weekday)."""
    counted: Counter[tuple[str, int]] = Counter()
    for row in connection.execute(
        select(Area.name, Night.date)
        .select_from(Booking)
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(Booking.person_id == person_id, Booking.state == BookingState.ATTENDED)
    ):
        counted[row.name, -1] += 1
        counted["", row.date.weekday()] += 1
    return counted


def night_exists(connection: Connection, partnership_id: int, night: date) -> AnyRow | None:
    """Return date and special name of a night, or None."""
    return connection.execute(
        select(Night.date, Night.special, Night.left_out).where(
            Night.partnership_id == partnership_id, Night.date == night
        )
    ).first()


@dataclass(frozen=True, slots=True)
class ShiftDetail:
    """What the page of one shift says beside its card. `walkers` is None where names are not to be seen."""

    meeting_place: str
    meeting_at: datetime
    note: str
    host_club: str | None
    walkers: list[Walker] | None


def night_of(connection: Connection, partnership_id: int, shift_id: int) -> date:
    """Return the night of a shift that is not still being planned. Raises NotFound."""
    night = connection.execute(
        select(Night.date)
        .join(Shift, Shift.night_id == Night.id)
        .where(Shift.id == shift_id, Shift.partnership_id == partnership_id, Shift.state.in_(SHOWN))
    ).scalar()
    if night is None:
        raise NotFound
    return night


def shift_detail(connection: Connection, looking: Looking, card: Card) -> ShiftDetail:
    """Return the details of a shift; names only for who is on it (rule 10)."""
    row = connection.execute(
        select(*SHIFT_COLUMNS, Shift.note, Club.name.label("host_club"))
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .outerjoin(Club, Club.id == Shift.host_club_id)
        .where(Shift.id == card.shift_id)
    ).one()
    walkers = None
    if card.step is Step.MINE:
        found = walkers_of(connection, [card.shift_id], looking.now, for_person_id=looking.person_id)
        walkers = found.get(card.shift_id, [])
    return ShiftDetail(
        meeting_place=row.meeting_place or row.area_meeting_place,
        meeting_at=meeting_at(row),
        note=row.note,
        host_club=row.host_club,
        walkers=walkers,
    )

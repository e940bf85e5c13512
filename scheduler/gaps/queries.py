from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection, select

from scheduler.bookings.cards import Card, Looking, NightCards, night_cards
from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.queries import Walker, meeting_at, walkers_of
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.gaps.candidates import Askable, askable
from scheduler.gaps.history import Search, Team, asks_so_far, believed, chosen, searches, teams
from scheduler.gaps.risk import Beliefs, beliefs, under_minimum
from scheduler.gaps.rules import Need, Policy, danger
from scheduler.kit.database import AnyRow
from scheduler.kit.ready import answers
from scheduler.kit.refusals import NotFound
from scheduler.messages.rules import LEFT, Answer, QuestionKind
from scheduler.messages.spending import SEGMENT_ORE
from scheduler.messages.tables import Message
from scheduler.nights.budget import Further, further
from scheduler.nights.rules import Coverage, NightFlag, ShiftState, coverage, night_flag
from scheduler.nights.season import Special
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club
from scheduler.people.tables import Person

BOARD_DAYS = 35
NO_RECORDS = beliefs({})
TAKES_A_PLACE = frozenset({QuestionKind.PLACE_OFFERED, QuestionKind.HAND_OVER, QuestionKind.GAP})


class BoardArea(NamedTuple):
    """One shift on the board: how it stands, what endangers it and the search for people to it."""

    card: Card
    need: Need
    danger: int
    search: Search | None


@dataclass(frozen=True, slots=True, eq=False)
class BoardNight:
    """A coming night on the board, the same object as long as nothing of it changes. `danger`
    is the highest of its shifts; 0 when none needs the coordinator."""

    date: date
    days_left: int
    flag: NightFlag
    special: Special | None
    areas: tuple[BoardArea, ...]
    danger: int

    @property
    def cards(self) -> list[Card]:
        return [one.card for one in self.areas]

    @property
    def missing_to_minimum(self) -> int:
        return sum(one.need.missing_to_minimum for one in self.areas)

    @property
    def risk_percent(self) -> int:
        return max(one.need.risk_percent for one in self.areas)


@dataclass(frozen=True, slots=True)
class Known:
    """The nights that are shown and those around them, and what the board knows beside their shifts."""

    nights: Sequence[NightCards] = ()
    believed: Beliefs = NO_RECORDS
    teams: Mapping[int, Team] = field(default_factory=dict)
    searches: Mapping[int, Search] = field(default_factory=dict)
    asks_so_far: tuple[int, int] = (0, 0)
    policy: Policy = field(default_factory=Policy)
    segment_ore: int = SEGMENT_ORE
    further: Further | None = None
    askable: Askable = field(default_factory=Askable)


NOTHING = Known()


def known(connection: Connection, looking: Looking, today: date, last: date) -> Known:
    """Return it for the nights from this week on, by nine statements sent at once."""
    partnership_id, now = looking.partnership_id, looking.now
    # Yesterday too: who walked then may not have rested yet.
    first = today - timedelta(days=max(today.weekday(), 1))
    nights, believed_now, teams_now, searches_now, asks, (policy, segment_ore), further_now, askable_now = answers(
        connection,
        night_cards(looking, first, last),
        believed(partnership_id, now),
        teams(partnership_id, now),
        searches(partnership_id, now),
        asks_so_far(partnership_id),
        chosen(partnership_id),
        further(partnership_id, today, now),
        askable(partnership_id, now),
    )
    return Known(nights, believed_now, teams_now, searches_now, asks, policy, segment_ore, further_now, askable_now)


def board(nights: Iterable[NightCards], today: date, beside: Known = NOTHING) -> list[BoardNight]:
    """Return the coming nights that have an open area, by date."""
    return [
        _board_night(
            night,
            today,
            beside.believed,
            tuple([beside.teams.get(card.shift_id) for card in night.coming]),
            tuple([beside.searches.get(card.shift_id) for card in night.coming]),
        )
        for night in nights
        if night.coming
    ]


@lru_cache(maxsize=256)
def _board_night(
    night: NightCards,
    today: date,
    believed: Beliefs,
    teams: tuple[Team | None, ...],
    searches: tuple[Search | None, ...],
) -> BoardNight:
    days_left = (night.date - today).days
    flag = night_flag(card.coverage for card in night.coming)
    needs = [_need(card, days_left, flag, team, believed) for card, team in zip(night.coming, teams, strict=True)]
    areas = tuple(map(BoardArea, night.coming, needs, map(danger, needs), searches))
    return BoardNight(
        date=night.date,
        days_left=days_left,
        flag=flag,
        special=night.coming[0].special,
        areas=areas,
        danger=max(one.danger for one in areas),
    )


def _need(card: Card, days_left: int, flag: NightFlag, team: Team | None, believed: Beliefs) -> Need:
    missing = card.missing_to_minimum
    chance = under_minimum(dict(team.by_club), card.minimum, believed) if team is not None and not missing else 0.0
    return Need(
        missing_to_minimum=missing,
        days_left=days_left,
        flag=flag,
        special=card.special is not None,
        risk_percent=round(100 * chance),
        only_newcomers=team is not None and team.only_newcomers,
    )


def ranked(nights: Iterable[BoardNight]) -> list[BoardNight]:
    """Return the nights of the next five weeks that need the coordinator, the most urgent first."""
    return sorted(
        (night for night in nights if night.danger and night.days_left < BOARD_DAYS),
        key=lambda night: (-night.danger, night.date),
    )


@dataclass(frozen=True, slots=True)
class Said:
    """What a walker has said about the walk, and how: `coming` by JA or on the page, `asked` by a reminder without
    an answer yet, `by_text` when the place itself was taken by answering a text."""

    coming: bool = False
    asked: bool = False
    by_text: bool = False


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
    said: dict[int, Said]
    waiting: list[InLine]


def said_by_walkers(connection: Connection, shift_id: int) -> dict[int, Said]:
    """Return what those who are booked on a shift have said about it, by person id."""
    asked = connection.execute(
        select(Message.person_id, Message.question, Message.answer)
        .where(Message.shift_id == shift_id, Message.question.is_not(None), Message.state.in_(LEFT))
        .order_by(Message.id)
    ).all()
    took = {row.person_id for row in asked if row.question in TAKES_A_PLACE and row.answer is Answer.YES}
    reminded = {row.person_id for row in asked if row.question is QuestionKind.COMING}
    booked = connection.execute(
        select(Booking.person_id, Booking.confirmed_at).where(
            Booking.shift_id == shift_id, Booking.state == BookingState.BOOKED
        )
    )
    return {
        row.person_id: Said(
            coming=row.confirmed_at is not None,
            asked=row.confirmed_at is None and row.person_id in reminded,
            by_text=row.person_id in took,
        )
        for row in booked
    }


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
        said=said_by_walkers(connection, shift_id),
        waiting=[InLine(*line) for line in waiting],
    )

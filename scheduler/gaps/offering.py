"""What an ask would be, told before the tap: whom, how many, and for how much."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from scheduler.bookings.cards import NightCards
from scheduler.gaps.actions import missing, place_of
from scheduler.gaps.candidates import Place, candidates, how_many_fit
from scheduler.gaps.history import asks_so_far, chosen, teams
from scheduler.gaps.queries import BoardArea, BoardNight, Known
from scheduler.gaps.risk import Beliefs, goal, under_minimum
from scheduler.gaps.rules import REST, AskingState, Candidate, wave_size, yes_chance
from scheduler.kit.database import AnyRow
from scheduler.kit.ready import answers
from scheduler.messages.rules import allowed_at
from scheduler.messages.spending import spending
from scheduler.nights.budget import Offer as SecondArea

# What an area that is opened at short notice most likely needs: at least two, four places.
USUAL = (2, 4)


@dataclass(frozen=True, slots=True)
class Offer:
    """One tap: it asks so many people for so much; a question is one segment. `later_at`: when, if not now."""

    people: int
    cost_ore: int
    later_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """The next wave of one shift: who would be asked, in turn, and who comes after them."""

    goal: int
    offer: Offer
    first: list[Candidate]
    after: list[Candidate]
    at_ceiling: bool

    @property
    def places(self) -> dict[int, int]:
        """Return which number in turn each is, by person id; who was asked lately may stand behind all of them."""
        return {one.person_id: number for number, one in enumerate([*self.first, *self.after], start=1)}


def needs_search(area: BoardArea) -> bool:
    """Return whether an ask can be offered for a shift on the board."""
    running = area.search is not None and area.search.state is AskingState.RUNNING
    return bool(area.danger) and area.card.booked + area.card.held < area.card.wanted and not running


def key_of(night: date) -> int:
    """Return under which number the offer of asking for one more area on a night stands beside those of shifts."""
    return -night.toordinal()


def for_second(
    connection: Connection, partnership_id: int, second: SecondArea, believed: Beliefs, now: datetime, zone: ZoneInfo
) -> Offer | None:
    """Return what asking at once would be for one more area on a night; None when nobody fits."""
    asks, (policy, price) = answers(connection, asks_so_far(partnership_id), chosen(partnership_id))
    size = _second_size(second, believed, yes_chance(*asks), now)
    place = Place(key_of(second.date), partnership_id, second.date, second.starts_at, second.ends_at)
    people = how_many_fit(connection, place, size, policy.asks_a_week, now)
    return Offer(people, people * price, _later(now, zone)) if people else None


def _second_size(second: SecondArea, believed: Beliefs, chance: float, now: datetime) -> int:
    return wave_size(goal(*USUAL, 0, 0.0, believed), second.starts_at - now, chance)


def offers(
    nights: Iterable[BoardNight], seconds: Iterable[SecondArea], beside: Known, now: datetime, zone: ZoneInfo
) -> dict[int, Offer]:
    """Return what asking would be for the shifts that need people, by shift id, and for one more area on nights, by
    `key_of`."""
    by_date = {night.date: night for night in beside.nights}
    chance = yes_chance(*beside.asks_so_far)
    later = _later(now, zone)

    def offer(key: int, night: date, starts_at: datetime, ends_at: datetime, size: int) -> Offer:
        people = beside.askable.fitting(key, near(by_date, night, starts_at, ends_at), size)
        return Offer(people, people * beside.segment_ore, later)

    offered = {}
    for area in (area for night in nights for area in night.areas if needs_search(area)):
        card = area.card
        taken = card.booked + card.held
        wanted_now = goal(card.minimum, card.wanted, taken, area.need.risk_percent / 100, beside.believed)
        size = wave_size(max(wanted_now - taken, 0), card.starts_at - now, chance)
        if size:  # newcomers alone are enough people: nobody is asked by number, but somebody can be chosen
            offered[card.shift_id] = offer(card.shift_id, card.date, card.starts_at, card.ends_at, size)
    for second in seconds:
        key, size = key_of(second.date), _second_size(second, beside.believed, chance, now)
        offered[key] = offer(key, second.date, second.starts_at, second.ends_at, size)
    return offered


def near(by_date: Mapping[date, NightCards], night: date, starts_at: datetime, ends_at: datetime) -> list[int]:
    """Return the shifts that leave no rest beside these hours, as `Conditions` says it of one shift."""
    around = [by_date.get(night + timedelta(days=days)) for days in (-1, 0, 1)]
    return [
        card.shift_id
        for beside in around
        if beside is not None
        for card in beside.cards
        if card.starts_at < ends_at + REST and card.ends_at > starts_at - REST
    ]


def _later(now: datetime, zone: ZoneInfo) -> datetime | None:
    allowed = allowed_at(now, zone)
    return allowed if allowed > now else None


def plan(
    connection: Connection, row: AnyRow, believed: Beliefs, now: datetime, zone: ZoneInfo, *, whole_team: bool = False
) -> Planned:
    """Return the next wave for one shift, by the facts of `actions.shift_facts`: for enough people, or for every
    place."""
    wanted = row.wanted if whole_team else goal_of(connection, row, believed, now)
    asks, (taken, price) = answers(connection, asks_so_far(row.partnership_id), chosen(row.partnership_id))
    size = wave_size(missing(row, wanted), row.starts_at - now, yes_chance(*asks))
    found = candidates(connection, place_of(row), row.area_id, taken.asks_a_week, now)
    first = found[:size]
    return Planned(
        wanted,
        Offer(len(first), len(first) * price, _later(now, zone)),
        first,
        found[size:],
        spending(connection, row.partnership_id, now).reached,
    )


def goal_of(connection: Connection, row: AnyRow, believed: Beliefs, now: datetime) -> int:
    """Return how many walkers a search for this shift looks for."""
    team = teams(row.partnership_id, now).ask(connection).get(row.shift_id)
    chance = under_minimum(dict(team.by_club), row.minimum, believed) if team is not None else 0.0
    return goal(row.minimum, row.wanted, row.booked + row.held, chance, believed)

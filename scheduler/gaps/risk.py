"""How likely a team that looks full today ends under its minimum. Pure; a small model that says what it assumes.

Each walker on a team either walks or is lost: says inside the last day that she cannot come, or does not appear.
A walk that is handed over is kept. How often that happens is learned for the season and, from there, for each club:
a Beta distribution, so that little history means a cautious figure near the season's, and none at all the prior's.
Walkers of one club are lost alike (beta-binomial), clubs independently. Not modelled: weather, friends who drop out
together, who has confirmed. The calibration compares what was foretold of each past shift, from what was known
before it, with what happened.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from math import exp, lgamma

from scheduler.gaps.rules import RISKY_PERCENT


@dataclass(frozen=True, slots=True)
class Beta:
    """What is believed of the chance that a walker is lost; `lost` and `kept` count like observations."""

    lost: float
    kept: float

    @property
    def mean(self) -> float:
        return self.lost / (self.lost + self.kept)


# Before any history: one of twelve is lost. An assumption that a dozen walks outweigh.
PRIOR = Beta(1, 11)
# A club is believed to be like the season until about so many of its own walks say otherwise.
CLUB_WEIGHT = 20
# A search also finds a spare where a team of exactly the minimum would fail more often than this.
ENOUGH = 0.10


@dataclass(frozen=True, slots=True)
class Record:
    """How the places of a club, or of the season, have ended."""

    lost: int = 0
    kept: int = 0


def of_season(records: Iterable[Record]) -> Beta:
    """Return what is believed of anybody, from all records."""
    listed = list(records)
    return Beta(PRIOR.lost + sum(one.lost for one in listed), PRIOR.kept + sum(one.kept for one in listed))


def of_club(season: Beta, record: Record) -> Beta:
    """Return what is believed of a club's walkers."""
    return Beta(season.mean * CLUB_WEIGHT + record.lost, (1 - season.mean) * CLUB_WEIGHT + record.kept)


@dataclass(frozen=True, slots=True, eq=False)
class Beliefs:
    """What the season so far says; the same object as long as it says the same. A club
    without a record is believed to be like the season."""

    season: Beta
    clubs: Mapping[int, Beta]

    def of(self, club_id: int) -> Beta:
        return self.clubs.get(club_id) or of_club(self.season, Record())


def beliefs(records: Mapping[int, Record]) -> Beliefs:
    """Return what is believed, from each club's record."""
    season = of_season(records.values())
    return Beliefs(season, {club_id: of_club(season, record) for club_id, record in records.items()})


@lru_cache(maxsize=4096)
def beta_binomial(number: int, belief: Beta) -> tuple[float, ...]:
    """Return the chances that 0, 1, … of `number` walkers of one club are lost."""
    a, b = belief.lost, belief.kept
    whole = lgamma(a) + lgamma(b) - lgamma(a + b)
    return tuple(
        exp(
            lgamma(number + 1) - lgamma(lost + 1) - lgamma(number - lost + 1)
            + lgamma(lost + a) + lgamma(number - lost + b) - lgamma(number + a + b) - whole
        )
        for lost in range(number + 1)
    )  # fmt: skip


def under_minimum(team: Mapping[int, int], minimum: int, believed: Beliefs) -> float:
    """Return the chance that a team, as walkers by club, ends under its minimum; 1 for one that is under it now."""
    walkers = sum(team.values())
    spare = walkers - minimum
    if spare < 0:
        return 1.0
    chances = [1.0]
    for club_id, number in sorted(team.items()):
        chances = _together(chances, beta_binomial(number, believed.of(club_id)))
    return max(0.0, 1 - sum(chances[: spare + 1]))


def _together(one: Sequence[float], other: Sequence[float]) -> list[float]:
    found = [0.0] * (len(one) + len(other) - 1)
    for i, first in enumerate(one):
        for j, second in enumerate(other):
            found[i + j] += first * second
    return found


@lru_cache(maxsize=256)
def enough_walkers(minimum: int, wanted: int, believed: Beliefs) -> int:
    """Return how many walkers a search looks for: the minimum, and a spare where one of ten such teams would fail."""
    return next(
        (number for number in range(minimum, wanted) if _fails(number, minimum, believed.season) <= ENOUGH), wanted
    )


def goal(minimum: int, wanted: int, walkers: int, chance: float, believed: Beliefs) -> int:
    """Return how many walkers a search looks for, for a team of so many that fails with this chance: enough, and one
    more where a team that should be enough is at risk all the same."""
    enough = enough_walkers(minimum, wanted, believed)
    at_risk = 100 * chance >= RISKY_PERCENT
    return min(walkers + 1, wanted) if at_risk and walkers >= enough else enough


def _fails(number: int, minimum: int, belief: Beta) -> float:
    return 1 - sum(beta_binomial(number, belief)[: number - minimum + 1])


@dataclass(frozen=True, slots=True)
class PastShift:
    """A shift that is over: by club, how many stood on it a day before and how many of them were lost."""

    starts_at: datetime
    minimum: int
    stood: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """One line of the calibration: shifts foretold between two percentages, what was foretold and what happened."""

    from_percent: int
    to_percent: int
    shifts: int
    foretold_percent: float
    happened_percent: float


BOUNDS = (0, 5, 10, 20, 40, 101)


def calibration(past: Iterable[PastShift]) -> list[Checked]:
    """Return how often teams that had their minimum ended under it, beside what was foretold of each from what
    was known before it."""
    records: dict[int, Record] = defaultdict(Record)
    told: list[tuple[float, bool]] = []
    for shift in sorted(past, key=lambda one: one.starts_at):
        team = {club_id: stood for club_id, stood, _ in shift.stood}
        lost = sum(one for *_, one in shift.stood)
        if sum(team.values()) >= shift.minimum:
            chance = under_minimum(team, shift.minimum, beliefs(records))
            told.append((100 * chance, sum(team.values()) - lost < shift.minimum))
        for club_id, stood, gone in shift.stood:
            known = records[club_id]
            records[club_id] = Record(known.lost + gone, known.kept + stood - gone)
    return [line for bounds in pairwise(BOUNDS) if (line := _line(told, *bounds)) is not None]


def _line(told: Sequence[tuple[float, bool]], least: int, most: int) -> Checked | None:
    inside = [(percent, failed) for percent, failed in told if least <= percent < most]
    if not inside:
        return None
    return Checked(
        least,
        min(most, 100),
        len(inside),
        sum(percent for percent, _ in inside) / len(inside),
        100 * sum(failed for _, failed in inside) / len(inside),
    )

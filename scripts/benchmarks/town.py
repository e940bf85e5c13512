"""The invented town of the season bench: ninety people with habits, the same in every run.

What each of them does is drawn from a seed, the person and the occasion, never from what was drawn before: the
same people with the same colds and the same forgetfulness live through every season.

Assumed, not measured: how often people look at the list by themselves (three of ten never do, most one week in
twenty, the keenest one in three), how often life gets in the way of a booked walk (one in fourteen), how many forget
without a reminder (5 to 25 %) and with one (a sixth of that), how many answer a question (three of four, most within
three hours), how many say yes (5 to 45 %, less on the wrong weekday, in another area or soon after a walk). No
friends who come together, no weather, no season, no fatigue with texts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

SEED = 2022
PEOPLE = 90
FIRST_NUMBER = 46701740605
NIGHTS = (4, 5)
LIFE_HAPPENS = 1 / 14


def chance(*occasion: object) -> float:
    """A number from 0 to 1 that depends on the seed and the occasion alone."""
    return Random(f"{SEED}|{'|'.join(str(part) for part in occasion)}").random()


@dataclass(frozen=True)
class Habits:
    """How one person is. Chances are from 0 to 1."""

    number: int
    looks: float
    weekday: int
    area: int
    says_yes: float
    answers: float
    forgets: float

    @property
    def phone(self) -> str:
        return f"+{FIRST_NUMBER + self.number}"

    def looks_at_the_list(self, week: int) -> bool:
        return chance("looks", self.number, week) < self.looks

    def likes(self, weekday: int, area: int) -> float:
        """How gladly this person walks there and then: 1 is most."""
        return (1.0 if weekday == self.weekday else 0.45) * (1.0 if area == self.area else 0.7)

    def yes_to(self, shift: int, weekday: int, area: int, *, walked_lately: bool) -> bool:
        willing = self.says_yes * self.likes(weekday, area) * (0.6 if walked_lately else 1.0)
        return chance("yes", self.number, shift) < willing

    def answer_after(self, shift: int) -> timedelta | None:
        """How long until this person answers a question, or None for never."""
        drawn = chance("answers", self.number, shift)
        if drawn >= self.answers:
            return None
        share = drawn / self.answers
        if share < 0.75:
            return timedelta(minutes=3 + 177 * share / 0.75)
        return timedelta(hours=3 + 21 * (share - 0.75) / 0.25)

    def hindered_before(self, shift: int) -> timedelta | None:
        """How long before the start life gets in the way of a walk, or None."""
        if chance("life", self.number, shift) >= LIFE_HAPPENS:
            return None
        return timedelta(hours=1 + 239 * chance("when", self.number, shift) ** 2)

    def forgets_to_come(self, shift: int, *, reminded: bool) -> bool:
        return chance("forgets", self.number, shift) < (self.forgets / 6 if reminded else self.forgets)

    def tells(self, shift: int) -> bool:
        """Whether this person tells of a hindrance without being asked."""
        return chance("tells", self.number, shift) < 0.6


def townspeople() -> list[Habits]:
    return [_one(number) for number in range(PEOPLE)]


def _one(number: int) -> Habits:
    kind, much = chance("kind", number), chance("much", number)
    looks = 0.0 if kind < 0.3 else 0.01 + 0.07 * much if kind < 0.85 else 0.15 + 0.25 * much
    return Habits(
        number=number,
        looks=looks,
        weekday=NIGHTS[chance("weekday", number) < 0.5],
        area=int(3 * chance("area", number)),
        says_yes=0.05 + 0.40 * chance("willing", number),
        answers=0.75,
        forgets=0.05 + 0.20 * chance("forgetful", number),
    )


def local_hours(day_of_week: int) -> tuple[int, ...]:
    """At which hours of a day anybody looks: often from Thursday to Saturday, seldom else."""
    return tuple(range(8, 22)) if day_of_week in {3, 4, 5} else (8, 12, 16, 18, 20)


def at(moment: datetime, hour: int) -> datetime:
    return moment.replace(hour=hour, minute=0, second=0, microsecond=0)

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from scheduler.kit.refusals import Conflict


class ClubLeft(Conflict):
    """The club takes no part on that day."""

    room = "partnership"

    def __init__(self, club: str, ended_on: date) -> None:
        super().__init__(club, ended_on)
        self.club, self.ended_on = club, ended_on


class BudgetLineKind(StrEnum):
    """What a budget line is for. Unforeseen pays, for example, for a second area on the same night."""

    WEEKEND_NIGHTS = "weekend_nights"
    MATERIAL = "material"
    UNFORESEEN = "unforeseen"


@dataclass(frozen=True, slots=True)
class Sums:
    """An agreement's money in öre: promised in its text, budgeted in its lines, and the difference."""

    promised_ore: int
    budgeted_ore: int

    @property
    def unallocated_ore(self) -> int:
        """Return what is promised and stands on no line; negative when the lines pass the promise."""
        return self.promised_ore - self.budgeted_ore


def sums(promised_ore: int, line_amounts_ore: Iterable[int]) -> Sums:
    """Return promised, budgeted and unallocated öre of one agreement."""
    return Sums(promised_ore=promised_ore, budgeted_ore=sum(line_amounts_ore))


def paid_area_nights(amount_ore: int, night_rate_ore: int) -> int:
    """Return how many area-nights a line pays for at the agreement's rate (250,000 kr at 2,500 kr: 100)."""
    return amount_ore // night_rate_ore if night_rate_ore else 0


def has_left(ended_on: date | None, day: date) -> bool:
    """Return whether a club that leaves on `ended_on` (None: it stays) takes no part on a day."""
    return ended_on is not None and day >= ended_on

from collections.abc import Iterable
from enum import StrEnum


class ShiftState(StrEnum):
    PLANNED = "planned"
    PUBLISHED = "published"
    CALLED_OFF = "called_off"
    WALKED = "walked"


class Coverage(StrEnum):
    """How a shift stands. Under its minimum the team does not walk."""

    UNCOVERED = "uncovered"
    THIN = "thin"
    FULL = "full"


class NightFlag(StrEnum):
    """What a night with two or more open areas is marked with, the most urgent last."""

    NONE = "none"
    TWO_AREAS = "two_areas"
    TWO_AREAS_NEED_COVERAGE = "two_areas_need_coverage"


def coverage(booked: int, minimum: int, wanted: int) -> Coverage:
    """Return uncovered (fewer than `minimum`), thin (fewer than `wanted`) or full."""
    if booked < minimum:
        return Coverage.UNCOVERED
    return Coverage.THIN if booked < wanted else Coverage.FULL


def night_flag(open_areas: Iterable[Coverage]) -> NightFlag:
    """Return the flag of a night from the coverage of its open areas (published and not called off)."""
    listed = list(open_areas)
    if sum(one is Coverage.UNCOVERED for one in listed) > 1:
        return NightFlag.TWO_AREAS_NEED_COVERAGE
    return NightFlag.TWO_AREAS if len(listed) > 1 else NightFlag.NONE


DAY_WEIGHTS = ((0, 10), (1, 6), (3, 4), (7, 2))
TWO_AREAS_FIRST = 10_000


def urgency(missing_to_minimum: int, missing_to_wanted: int, days_left: int, flag: NightFlag, *, special: bool) -> int:
    """Return how much a shift needs people; 0 for a full one, and higher is more urgent.

    People missing to the minimum count ten times those missing to the goal; the sum is weighted by the days
    left (today 10, tomorrow 6, within three days 4, within a week 2, later 1); a special night adds to a
    shift that lacks people, and two uncovered areas on one night come before everything else.
    """
    if missing_to_wanted <= 0:
        return 0
    weight = next((weight for days, weight in DAY_WEIGHTS if days_left <= days), 1)
    score = (10 * max(missing_to_minimum, 0) + missing_to_wanted) * weight
    if special:
        score += 5
    if flag is NightFlag.TWO_AREAS_NEED_COVERAGE and missing_to_minimum > 0:
        score += TWO_AREAS_FIRST
    return score

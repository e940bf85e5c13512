"""Which gap comes first, how many are asked at a time, and who of those who could walk."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from math import comb

from scheduler.kit.refusals import Conflict, Invalid
from scheduler.nights.rules import DAY_WEIGHTS, TWO_AREAS_FIRST, NightFlag

RISKY_PERCENT = 20
RISK_DAYS = 14
NEWCOMERS_DAYS = 3
POINTS_A_PERSON = 10
POINTS_SPECIAL = 5
POINTS_TWO_AREAS = 5
POINTS_NEWCOMERS = 1


class AskingState(StrEnum):
    """Where a search for people stands. `proposed` waits for a coordinator's yes to the autopilot's proposal;
    `over` means that the shift began or was called off first."""

    PROPOSED = "proposed"
    RUNNING = "running"
    MET = "met"
    STOPPED = "stopped"
    OVER = "over"


OPEN = (AskingState.PROPOSED, AskingState.RUNNING)


class AskState(StrEnum):
    """What became of one ask. `too_late`: said yes when every place was taken; `withdrawn`: never left us."""

    ASKED = "asked"
    YES = "yes"
    NO = "no"
    SILENT = "silent"
    TOO_LATE = "too_late"
    WITHDRAWN = "withdrawn"


class AutopilotMode(StrEnum):
    OFF = "off"
    PROPOSES = "proposes"
    ACTS = "acts"


class NothingMissing(Conflict):
    """The shift has the people that it needs; nobody has to be asked."""

    room = "gaps"


class NotAsking(Conflict):
    """The search was stopped, or has found everybody."""

    room = "gaps"


class WrongPolicy(Invalid):
    """The autopilot's days or the limit of asks are no such number. `field` names which."""

    room = "gaps"


# ---------------------------------------------------------------- which gap comes first


@dataclass(frozen=True, slots=True)
class Need:
    """What is known of one coming shift. `risk_percent`: the chance that it ends under its minimum, 0 where not
    told; `only_newcomers`: it has people, and none of them has walked before."""

    missing_to_minimum: int
    days_left: int
    flag: NightFlag = NightFlag.NONE
    special: bool = False
    risk_percent: int = 0
    only_newcomers: bool = False


def at_risk(need: Need) -> bool:
    """Return whether a shift that has its minimum today is likely enough to lose it, within two weeks."""
    return need.missing_to_minimum <= 0 and need.risk_percent >= RISKY_PERCENT and need.days_left <= RISK_DAYS


def newcomers_alone(need: Need) -> bool:
    """Return whether only newcomers walk, within three days."""
    return need.only_newcomers and need.days_left <= NEWCOMERS_DAYS


def danger(need: Need) -> int:
    """Return how much a shift needs the coordinator; 0 for one that does not, and higher comes first.

    Each person missing to the minimum counts ten, a shift at risk its risk in tenths (20 % is two), newcomers
    alone one; the sum is weighted by the days left (today 10, tomorrow 6, within three days 4, within a week 2,
    later 1). A special night and a second area add five each to what is in danger. Two areas that need coverage
    come before everything else.
    """
    points = POINTS_A_PERSON * max(need.missing_to_minimum, 0)
    points += need.risk_percent // 10 if at_risk(need) else 0
    points += POINTS_NEWCOMERS if newcomers_alone(need) else 0
    if not points:
        return 0
    weight = next((weight for days, weight in DAY_WEIGHTS if need.days_left <= days), 1)
    score = points * weight
    score += POINTS_SPECIAL if need.special else 0
    score += POINTS_TWO_AREAS if need.flag is not NightFlag.NONE else 0
    if need.flag is NightFlag.TWO_AREAS_NEED_COVERAGE and need.missing_to_minimum > 0:
        score += TWO_AREAS_FIRST
    return score


# ---------------------------------------------------------------- how many, and how long they have

# Least time left, how sure the first answers should fill the gap, how long a wave has to answer.
PACES = (
    (timedelta(days=7), 0.50, timedelta(hours=24)),
    (timedelta(days=2), 0.65, timedelta(hours=12)),
    (timedelta(days=1), 0.80, timedelta(hours=4)),
    (timedelta(hours=6), 0.90, timedelta(hours=1)),
    (timedelta(0), 0.95, timedelta(minutes=20)),
)
MOST_A_PLACE = 8
MOST_A_WAVE = 24
# Before anybody has answered: about one of four says yes. An assumption, soon outweighed by the own answers.
YES_BEFORE, NO_BEFORE = 2, 6
ASKS_A_WEEK = 2
WEEK = timedelta(days=7)
# So long after a fruitless look it is tried again: somebody may have had a week's rest from questions.
LOOK_AGAIN = timedelta(hours=6)
MOST_ASKS_A_WEEK = 7
MOST_DAYS_AHEAD = 60


def yes_chance(yes: int, others: int) -> float:
    """Return the chance that an ask is answered by yes, from how the asks so far have ended."""
    return (YES_BEFORE + yes) / (YES_BEFORE + NO_BEFORE + yes + others)


def wave_size(missing: int, left: timedelta, chance: float) -> int:
    """Return how many questions should be out at once for so many missing people.

    The smallest number by which the gap is filled with the sureness that the time left asks for (half with a
    week left, 95 % in the last hours), never more than eight for a place nor 24 in all.
    """
    if missing <= 0 or left <= timedelta(0):
        return 0
    return _enough_asks(missing, next(sure for least, sure, _ in PACES if left >= least), chance)


@lru_cache(maxsize=1024)
def _enough_asks(missing: int, sureness: float, chance: float) -> int:
    most = min(MOST_A_PLACE * missing, MOST_A_WAVE)
    return next((number for number in range(missing, most) if _at_least(missing, number, chance) >= sureness), most)


def _at_least(wanted: int, number: int, chance: float) -> float:
    """Return the chance of at least `wanted` yes of `number` asks."""
    fewer = sum(comb(number, yes) * chance**yes * (1 - chance) ** (number - yes) for yes in range(wanted))
    return 1 - fewer


def time_to_answer(left: timedelta) -> timedelta:
    """Return how long a wave has before the next is asked: a day with a week left, twenty minutes at last."""
    return next((patience for least, _, patience in PACES if left >= least), PACES[-1][2])


# ---------------------------------------------------------------- who

NEVER_ASKED_DAYS = 60
POINTS_A_WALK = 4
MOST_WALKS_COUNTED = 15
POINTS_AREA = 20
POINTS_WEEKDAY = 20
POINTS_RESTED = 15
REST = timedelta(hours=11)
RESTED = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could walk. Walks are those of a year; `rested`: no other walk within five days of this one."""

    person_id: int
    first_name: str
    club: str
    asked_days_ago: int | None
    walks: int
    walks_here: int
    walks_this_weekday: int
    rested: bool


def points(one: Candidate) -> float:
    """Return how early somebody is asked; higher is earlier.

    A day since the last question is one point, up to sixty (never asked is sixty); each walk of the year takes
    four away; up to twenty each for the share of own walks in this area and on this weekday; fifteen for rest.
    """
    asked = NEVER_ASKED_DAYS if one.asked_days_ago is None else min(one.asked_days_ago, NEVER_ASKED_DAYS)
    return (
        asked
        - POINTS_A_WALK * min(one.walks, MOST_WALKS_COUNTED)
        + POINTS_AREA * (one.walks_here + 1) / (one.walks + 3)
        + POINTS_WEEKDAY * (one.walks_this_weekday + 1) / (one.walks + 2)
        + (POINTS_RESTED if one.rested else 0)
    )


def in_turn(candidates: list[Candidate]) -> list[Candidate]:
    """Return who is asked first, first."""
    return sorted(candidates, key=lambda one: (-points(one), one.person_id))


class WhyNot(StrEnum):
    """Why somebody is not asked, the first reason that holds."""

    NOT_APPROVED = "not_approved"
    TOO_YOUNG = "too_young"
    ON_IT = "on_it"
    WALKS_NEAR = "walks_near"
    NO_TEXTS = "no_texts"
    ASKED_ABOUT_IT = "asked_about_it"
    HAS_A_QUESTION = "has_a_question"
    ASKED_ENOUGH = "asked_enough"


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether somebody may be asked about a shift."""

    approved: bool
    adult: bool
    on_it: bool
    walks_near: bool
    texts_wanted: bool
    asked_about_it: bool
    has_a_question: bool
    asks_this_week: int


def why_not(one: Standing, asks_a_week: int) -> WhyNot | None:
    """Return why somebody is not asked, or None for who may be."""
    reasons = (
        (not one.approved, WhyNot.NOT_APPROVED),
        (not one.adult, WhyNot.TOO_YOUNG),
        (one.asked_about_it, WhyNot.ASKED_ABOUT_IT),
        (one.on_it, WhyNot.ON_IT),
        (one.walks_near, WhyNot.WALKS_NEAR),
        (not one.texts_wanted, WhyNot.NO_TEXTS),
        (one.has_a_question, WhyNot.HAS_A_QUESTION),
        (one.asks_this_week >= asks_a_week, WhyNot.ASKED_ENOUGH),
    )
    return next((reason for holds, reason in reasons if holds), None)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a partnership has chosen: the autopilot and the limit."""

    mode: AutopilotMode = AutopilotMode.OFF
    days_ahead: int = 5
    asks_a_week: int = ASKS_A_WEEK


def checked_policy(mode: str, days_ahead: str, asks_a_week: str) -> Policy:
    """Return what was typed as a policy. Raises WrongPolicy("mode" | "days_ahead" | "asks_a_week")."""
    if mode not in set(AutopilotMode):
        raise WrongPolicy("mode", "unknown")
    return Policy(
        AutopilotMode(mode),
        _number("days_ahead", days_ahead, 1, MOST_DAYS_AHEAD),
        _number("asks_a_week", asks_a_week, 1, MOST_ASKS_A_WEEK),
    )


def _number(field: str, text: str, least: int, most: int) -> int:
    typed = text.strip()
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= 3 and least <= int(typed) <= most):  # noqa: PLR2004
        raise WrongPolicy(field, "number")
    return int(typed)


def answers_until(now: datetime, starts_at: datetime) -> datetime:
    """Return until when a wave sent now has time, at most until the start."""
    return min(now + time_to_answer(starts_at - now), starts_at)

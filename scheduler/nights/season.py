"""Which nights of a term matter, which the budget lets the clubs walk, and why each other is left out.

Pure: dates in, a plan out. A night is the date on which its evening starts.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum, auto
from itertools import product
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from scheduler.kit.refusals import Invalid

FRIDAY, SATURDAY = 4, 5
DAY = timedelta(days=1)


class Special(StrEnum):
    """What makes a night matter, most significant first: the nights with most young people out, what the
    coordinator named, evenings before a day off, evenings of days off, pay-day weekends (twelve a year).
    A night with two names keeps the upper; a budget too small even for these gives up the lowest first.
    """

    MIDSUMMER_EVE = auto()
    WALPURGIS = auto()
    LAST_SCHOOL_DAY = auto()
    NEW_YEAR_EVE = auto()
    CHRISTMAS_DAY = auto()  # the homecomers' night (hemvändarkvällen)
    LUCIA_EVE = auto()  # 12 December: people stay up until the morning of Lucia
    HOME_GAME = auto()
    LOCAL_EVENT = auto()  # a fair, a festival
    ALL_SAINTS_EVE = auto()
    ASCENSION_EVE = auto()
    NATIONAL_DAY_EVE = auto()
    TWELFTH_NIGHT = auto()
    MAUNDY_THURSDAY = auto()
    EASTER_EVE = auto()
    PENTECOST_EVE = auto()
    CHRISTMAS_EVE = auto()
    HOLIDAY_EVE = auto()  # before a holiday without a name here
    MIDSUMMER_DAY = auto()
    FIRST_OF_MAY = auto()
    NATIONAL_DAY = auto()
    BOXING_DAY = auto()
    GOOD_FRIDAY = auto()
    ALL_SAINTS = auto()
    NEW_YEAR_DAY = auto()
    EPIPHANY = auto()
    LUCIA = auto()
    HOLIDAY = auto()  # without a name here, such as Easter Monday: never a Friday or a Saturday
    PAYDAY_WEEKEND = auto()


# What no calendar knows: the municipality names these nights itself, in its own list.
LOCAL = (Special.LAST_SCHOOL_DAY, Special.HOME_GAME, Special.LOCAL_EVENT)


class LeftOut(StrEnum):
    """Why a possible night is not walked. The order of the ordinary ones is the order of giving them up."""

    NOBODY_WALKS = auto()
    CHOSEN_BY_HAND = auto()
    QUIET_WINTER_NIGHT = auto()  # nothing special, January or February
    QUIET_DARK_NIGHT = auto()  # nothing special, November, December or March
    ORDINARY_NIGHT = auto()  # nothing special, April to October
    TOO_FEW_PAID_NIGHTS = auto()  # special, and no ordinary night was left to give up


Problem = Literal["none", "no_length", "no_other", "upside_down", "outside_term", "both", "too_many"]


class Unplannable(Invalid):
    """A season cannot be planned so. `nights`: the dates at fault, where there are such.

    `both` is a night chosen and skipped, `too_many` more nights chosen than are paid for.
    """

    room: ClassVar[str] = "nights"

    def __init__(self, field: str, problem: Problem, nights: Iterable[date] = ()) -> None:
        super().__init__(field, problem)
        self.nights = tuple(sorted(nights))


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a season's nights look: weekdays (0 is Monday), local times (`ends` at or before `starts` on the
    clock is the next day), areas in rotation, the second area of each planned double night, and how many walk:
    `minimum` and `wanted`, or None for each area's own.

    Refuses what has no weekdays, no areas or no length, and a second area that is the only one.
    """

    weekdays: frozenset[int]
    starts: time
    ends: time
    areas: tuple[int, ...]
    second_areas: Mapping[date, int] = field(default_factory=dict)
    minimum: int | None = None
    wanted: int | None = None

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= set(range(7)):
            raise Unplannable("weekdays", "none")
        if not self.areas:
            raise Unplannable("areas", "none")
        if self.starts == self.ends:
            raise Unplannable("ends", "no_length")
        if alone := [night for night, area in self.second_areas.items() if set(self.areas) == {area}]:
            raise Unplannable("second_areas", "no_other", alone)


@dataclass(frozen=True, slots=True)
class PlannedNight:
    """A possible night. `areas`: the first area, then the second on a double night; none when left out."""

    night: date
    special: Special | None
    areas: tuple[int, ...]
    left_out: LeftOut | None


@dataclass(frozen=True, slots=True)
class Season:
    """Every possible night of a term, by date."""

    nights: tuple[PlannedNight, ...]

    @property
    def walked(self) -> tuple[PlannedNight, ...]:
        return tuple(planned for planned in self.nights if planned.left_out is None)


def moments(night: date, starts: time, ends: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the shift of `night` starts and ends, in UTC; `ends` at or before `starts` is the next day.

    A local time that comes twice (October) is the first of the two; one that never comes (March) is moved
    on by the missing hour: 02:30 is 03:30 summer time. Refuses a shift that would end before it starts.
    """
    starts_at = datetime.combine(night, starts, zone).astimezone(UTC)
    ends_at = datetime.combine(night if ends > starts else night + DAY, ends, zone).astimezone(UTC)
    if starts == ends or ends_at <= starts_at:
        raise Unplannable("ends", "no_length", [night])
    return starts_at, ends_at


# Act on public holidays (SFS 1989:253); the eves and Lucia by custom.
BY_DATE = {
    (1, 1): Special.NEW_YEAR_DAY, (1, 5): Special.TWELFTH_NIGHT, (1, 6): Special.EPIPHANY,
    (4, 30): Special.WALPURGIS, (5, 1): Special.FIRST_OF_MAY,
    (6, 5): Special.NATIONAL_DAY_EVE, (6, 6): Special.NATIONAL_DAY,
    (12, 12): Special.LUCIA_EVE, (12, 13): Special.LUCIA,
    (12, 24): Special.CHRISTMAS_EVE, (12, 25): Special.CHRISTMAS_DAY, (12, 26): Special.BOXING_DAY,
    (12, 31): Special.NEW_YEAR_EVE,
}  # fmt: skip
DAYS_AFTER_GOOD_FRIDAY = {
    -1: Special.MAUNDY_THURSDAY,
    0: Special.GOOD_FRIDAY,
    1: Special.EASTER_EVE,
    40: Special.ASCENSION_EVE,
    50: Special.PENTECOST_EVE,
}


def special_nights(first: date, last: date, own: Iterable[tuple[date, Special]] = ()) -> dict[date, Special]:
    """The nights from `first` to `last` that matter, each with its most significant name, by date; `own` are
    those of the municipality's own list.

    The `holidays` library (0.109) gives the public holidays without the Sundays, and as "de facto" the eves
    that the Annual Leave Act (SFS 1977:480, 7 §) counts as Sundays. Refuses a last day before the first.
    """
    import holidays  # here, so that web workers do without it

    if last < first:
        raise Unplannable("last", "upside_down", [first, last])
    years = range(first.year, last.year + 1)
    public = set(holidays.country_holidays("SE", years=years))
    days_off = public | set(holidays.country_holidays("SE", years=years, categories="de_facto"))
    named = [*_named_nights(years, public)]
    known = {night for night, _ in named}
    named += [(day, Special.HOLIDAY) for day in public - known]
    named += [(day - DAY, Special.HOLIDAY_EVE) for day in public - known]
    named += [(night, Special.PAYDAY_WEEKEND) for night in _payday_weekends(years, days_off)]
    named += own
    named.sort(key=lambda pair: (pair[0], -list(Special).index(pair[1])))  # the most significant is kept
    return {night: special for night, special in named if first <= night <= last}


def _named_nights(years: Iterable[int], public: Iterable[date]) -> Iterator[tuple[date, Special]]:
    for year in years:
        for (month, day), special in BY_DATE.items():
            yield date(year, month, day), special
        friday = _friday_from(date(year, 6, 19))
        yield from ((friday, Special.MIDSUMMER_EVE), (friday + DAY, Special.MIDSUMMER_DAY))
        friday = _friday_from(date(year, 10, 30))
        yield from ((friday, Special.ALL_SAINTS_EVE), (friday + DAY, Special.ALL_SAINTS))
    for day_off in public:  # Good Friday is the only Friday among them from 20 March to 23 April
        if day_off.weekday() == FRIDAY and (3, 20) <= (day_off.month, day_off.day) <= (4, 23):
            yield from ((day_off + days * DAY, special) for days, special in DAYS_AFTER_GOOD_FRIDAY.items())


def _payday_weekends(years: Iterable[int], days_off: Collection[date]) -> Iterator[date]:
    """Pay-day is the 25th or the last working day before it; then the first Friday from it, and Saturday."""
    for year, month in product(years, range(1, 13)):
        payday = date(year, month, 25)
        while payday.weekday() >= SATURDAY or payday in days_off:
            payday -= DAY
        yield from (_friday_from(payday), _friday_from(payday) + DAY)


def _friday_from(day: date) -> date:
    return day + (FRIDAY - day.weekday()) % 7 * DAY


def plan_season(
    pattern: Pattern,
    term_first: date,
    term_last: date,
    paid_nights: int,
    specials: Mapping[date, Special],
    *,
    nobody_walks: Collection[date] | None = None,
    skip: Collection[date] = (),
    extra: Collection[date] = (),
) -> Season:
    """The plan of a term: all its possible nights, of which at most `paid_nights` are walked.

    `extra` and double nights are chosen: walked whatever their weekday, and paid. `skip` is not walked, nor
    is `nobody_walks` (by default Christmas Eve) unless chosen; then what `_quietest` gives up. Refuses a term
    upside down, chosen or skipped nights outside it, a night both chosen and skipped, more chosen than paid.
    """
    chosen = {*extra, *pattern.second_areas}
    _check(chosen, set(skip), term_first, term_last, paid_nights)
    term = (term_first + days * DAY for days in range((term_last - term_first).days + 1))
    possible = [night for night in term if night.weekday() in pattern.weekdays or night in chosen]
    if nobody_walks is None:
        nobody_walks = [night for night in possible if (night.month, night.day) == (12, 24)]
    free = [night for night in possible if night not in chosen]
    why = {night: LeftOut.NOBODY_WALKS for night in free if night in nobody_walks}
    why |= {night: LeftOut.CHOSEN_BY_HAND for night in free if night in skip}
    rest = {night: specials.get(night) for night in free if night not in why}
    quietest = _quietest(rest, len(chosen) + len(rest) - paid_nights, why)
    why |= {night: _why(night, rest[night]) for night in quietest}
    areas = {night: areas_on(pattern, night, possible[0]) for night in possible if night not in why}
    return Season(tuple(PlannedNight(n, specials.get(n), areas.get(n, ()), why.get(n)) for n in possible))


def _check(chosen: set[date], skip: set[date], first: date, last: date, paid_nights: int) -> None:
    if last < first:
        raise Unplannable("term_last", "upside_down", [first, last])
    if outside := [night for night in chosen | skip if not first <= night <= last]:
        raise Unplannable("extra", "outside_term", outside)
    if chosen & skip:
        raise Unplannable("skip", "both", chosen & skip)
    if len(chosen) > paid_nights:
        raise Unplannable("extra", "too_many", chosen)


def _quietest(nights: Mapping[date, Special | None], count: int, left_out: Iterable[date]) -> list[date]:
    """The `count` nights to give up: ordinary ones before special ones (the least significant first), one
    night of a week before a second one, January and February before the other dark months before the light
    ones, school nights before Fridays before Saturdays; among equals, spread evenly.

    A product decision, made to be explained and corrected by hand; no count of visitors stands behind it.
    """
    need = {night: _need(night, special) for night, special in nights.items()}
    given_up = Counter(night.isocalendar()[:2] for night in left_out)
    equals: defaultdict[tuple[int, ...], list[date]] = defaultdict(list)
    for night in sorted(need, key=lambda night: (need[night], night)):
        of_special, of_season, of_weekday = need[night]
        week = night.isocalendar()[:2]
        equals[of_special, given_up[week], of_season, of_weekday].append(night)
        given_up[week] += 1
    quietest: list[date] = []
    for rank in sorted(equals):
        tier, left = equals[rank], min(count - len(quietest), len(equals[rank]))
        quietest += [tier[(2 * n + 1) * len(tier) // (2 * left)] for n in range(left)]  # evenly apart
    return quietest


def _need(night: date, special: Special | None) -> tuple[int, int, int]:
    """How much a night is needed by its name, its season and its weekday: less is quieter."""
    of_special = 0 if special is None else len(Special) - list(Special).index(special)
    of_weekday = {FRIDAY: 1, SATURDAY: 2}.get(night.weekday(), 0)
    return of_special, list(LeftOut).index(_why(night, None)), of_weekday


def _why(night: date, special: Special | None) -> LeftOut:
    winter, dark = LeftOut.QUIET_WINTER_NIGHT, LeftOut.QUIET_DARK_NIGHT
    by_month = {1: winter, 2: winter, 3: dark, 11: dark, 12: dark}
    return LeftOut.TOO_FEW_PAID_NIGHTS if special else by_month.get(night.month, LeftOut.ORDINARY_NIGHT)


def swapped(season: Season, pattern: Pattern, walked: Collection[date], paid_nights: int) -> Season:
    """The season with exactly the nights `walked`, as the coordinator ticked them. What the plan left out and
    stays so keeps its reason. Refuses more nights than are paid for, and nights that are not among the possible.
    """
    possible = [planned.night for planned in season.nights]
    if unknown := set(walked) - set(possible):
        raise Unplannable("walk", "outside_term", unknown)
    if len(set(walked)) > paid_nights:
        raise Unplannable("walk", "too_many", walked)
    return Season(
        tuple(
            replace(planned, areas=planned.areas or areas_on(pattern, planned.night, possible[0]), left_out=None)
            if planned.night in walked
            else replace(planned, areas=(), left_out=planned.left_out or LeftOut.CHOSEN_BY_HAND)
            for planned in season.nights
        )
    )


def areas_on(pattern: Pattern, night: date, first: date) -> tuple[int, ...]:
    """The areas of a night. The rotation moves one step a day and one a week: no area has all the Fridays, and
    leaving a night out moves no other night. On a double night the planned area is second, and the first is
    another.
    """
    weeks, weekday = divmod((night - first).days + first.weekday(), 7)
    turn = (weeks + weekday - first.weekday()) % len(pattern.areas)
    rotation = pattern.areas[turn:] + pattern.areas[:turn]
    second = pattern.second_areas.get(night)
    return rotation[:1] if second is None else (next(a for a in rotation if a != second), second)

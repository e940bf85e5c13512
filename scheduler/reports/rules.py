import calendar
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from enum import StrEnum, auto
from typing import Any, ClassVar

from scheduler.kit.refusals import Conflict, NotFound

MONTHS_IN_QUARTER = 3
PERCENT = 100


class PeriodKind(StrEnum):
    MONTH = auto()
    QUARTER = auto()


class NoReport(NotFound):
    """There is no such report or period here."""

    room: ClassVar[str] = "reports"


class NotOverYet(Conflict):
    """The period has not ended: its figures cannot be frozen."""

    room: ClassVar[str] = "reports"


class NotesMissing(Conflict):
    """Shifts of the period are over and lack their note; report first, then freeze."""

    room: ClassVar[str] = "reports"

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


class LinkOver(NotFound):
    """The reader link has ended, by time, views or hand, or never was: the answer is the same."""

    room: ClassVar[str] = "reports"


@dataclass(frozen=True, slots=True)
class Period:
    """A month or a quarter, by its nights: an evening belongs to the date on which it starts."""

    kind: PeriodKind
    first: date
    last: date


def period(kind: PeriodKind, day: date) -> Period:
    """Return the month or quarter that holds `day`."""
    months = 1 if kind is PeriodKind.MONTH else MONTHS_IN_QUARTER
    first_month = day.month - (day.month - 1) % months
    first = date(day.year, first_month, 1)
    after = first_month + months
    next_first = date(day.year + 1, 1, 1) if after > 12 else date(day.year, after, 1)  # noqa: PLR2004 - December
    return Period(kind, first, next_first - timedelta(days=1))


def periods(starts_on: date, ends_on: date, today: date) -> list[Period]:
    """Return the months and quarters of a term that have begun, the latest first."""
    found: list[Period] = []
    for kind in PeriodKind:
        day = starts_on
        while day <= min(ends_on, today):
            one = period(kind, day)
            found.append(one)
            day = one.last + timedelta(days=1)
    return sorted(found, key=lambda one: (one.last, one.kind), reverse=True)


@dataclass(frozen=True, slots=True)
class AreaCount:
    """An area's shifts in a period. `not_walked` were over without enough people."""

    area: str
    planned: int
    walked: int
    called_off: int
    not_walked: int


@dataclass(frozen=True, slots=True)
class ClubCount:
    club: str
    shifts: int
    heads: int
    amount_ore: int


@dataclass(frozen=True, slots=True)
class LineCount:
    """A budget line: its amount, what the period used, what is used up to the period's end, the forecast."""

    line: str
    amount_ore: int
    period_ore: int
    used_ore: int
    forecast_ore: int


@dataclass(frozen=True, slots=True)
class NightCount:
    """One shift in the calendar of coverage. `state`: walked, called_off, not_walked or coming."""

    night: str
    area: str
    people: int
    wanted: int
    state: str

    @property
    def sign(self) -> "Sign":
        """Return how the calendar shows it."""
        if self.state == "walked":
            return Sign.FULL if self.people >= self.wanted else Sign.THIN
        return Sign(self.state)


class Sign(StrEnum):
    """What a shift looks like in the calendar of coverage: walked by all who were wanted, walked by fewer, or not."""

    FULL = auto()
    THIN = auto()
    NOT_WALKED = auto()
    CALLED_OFF = auto()
    COMING = auto()


@dataclass(frozen=True, slots=True)
class CoverageMonth:
    """A month of the calendar of coverage: weeks from Monday on of days, 0 outside the month, and each day's shifts."""

    first: date
    weeks: list[list[int]]
    shifts: dict[int, list[NightCount]]

    def signs(self, day: int) -> list[Sign]:
        return [one.sign for one in self.shifts.get(day, ())]


def calendar_of(nights: Iterable[NightCount]) -> list[CoverageMonth]:
    """Return the months in which there are shifts, by time."""
    by_month: dict[date, dict[int, list[NightCount]]] = defaultdict(lambda: defaultdict(list))
    for one in nights:
        night = date.fromisoformat(one.night)
        by_month[night.replace(day=1)][night.day].append(one)
    return [
        CoverageMonth(first, calendar.monthcalendar(first.year, first.month), dict(shifts))
        for first, shifts in sorted(by_month.items())
    ]


def signs_used(months: Sequence[CoverageMonth]) -> list[Sign]:
    """Return the signs that these months hold, in the order in which they are explained."""
    found = {sign for month in months for day in month.shifts for sign in month.signs(day)}
    return [sign for sign in Sign if sign in found]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a report says. `minutes` are walked by all walkers together, `coverage_percent` is how many
    of the wanted walkers came to the walked shifts."""

    areas: list[AreaCount]
    clubs: list[ClubCount]
    lines: list[LineCount]
    nights: list[NightCount]
    double_nights: int
    walkers: int
    new_walkers: int
    minutes: int
    coverage_percent: int
    notes: int
    follow_ups: int
    moods: dict[str, int] = field(default_factory=dict)
    young_people: dict[str, int] = field(default_factory=dict)
    happened: dict[str, int] = field(default_factory=dict)

    @property
    def planned(self) -> int:
        return sum(one.planned for one in self.areas)

    @property
    def walked(self) -> int:
        return sum(one.walked for one in self.areas)

    @property
    def called_off(self) -> int:
        return sum(one.called_off for one in self.areas)

    @property
    def not_walked(self) -> int:
        return sum(one.not_walked for one in self.areas)

    @property
    def hours(self) -> int:
        """Return full hours walked by all walkers together."""
        return self.minutes // 60

    @property
    def paid_ore(self) -> int:
        return sum(one.amount_ore for one in self.clubs)

    def as_json(self) -> dict[str, Any]:
        """Return what is kept of frozen figures."""
        return asdict(self)


def from_json(kept: Mapping[str, Any]) -> Figures:
    """Return frozen figures as they were."""
    given = dict(kept)
    for name, kind in (("areas", AreaCount), ("clubs", ClubCount), ("lines", LineCount), ("nights", NightCount)):
        given[name] = [kind(**row) for row in given[name]]
    return Figures(**given)


def percent(part: int, whole: int) -> int:
    """Return a whole percentage, rounded half up; 0 of nothing."""
    return (2 * PERCENT * part + whole) // (2 * whole) if whole else 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that was corrected after its report was frozen. `what` is a figure's or a club's name."""

    what: str
    then: int
    now: int
    in_ore: bool = False


COUNTS = ("planned", "walked", "called_off", "not_walked", "double_nights", "walkers", "new_walkers", "hours", "notes")


def differences(then: Figures, now: Figures) -> list[Difference]:
    """Return what is different now from what was frozen: counts, and each club's sum."""
    found = [
        Difference(name, getattr(then, name), getattr(now, name))
        for name in COUNTS
        if getattr(then, name) != getattr(now, name)
    ]
    before, after = _sums(then.clubs), _sums(now.clubs)
    found += [
        Difference(club, before.get(club, 0), after.get(club, 0), in_ore=True)
        for club in sorted({*before, *after})
        if before.get(club, 0) != after.get(club, 0)
    ]
    return found


def _sums(clubs: Iterable[ClubCount]) -> dict[str, int]:
    return {one.club: one.amount_ore for one in clubs}

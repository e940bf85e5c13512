"""What a coordinator types about a season, turned into what the planner asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time

from scheduler.kit.language import day as day_words
from scheduler.kit.language import gettext
from scheduler.leading.rules import MOST_PLACES
from scheduler.leading.typed import Typed
from scheduler.nights.season import Pattern
from scheduler.partnership.queries import AgreementView

FIELDS = ("first", "last", "starts", "ends", "minimum", "wanted", "skip", "extra", "two_areas")
USUAL = {"starts": "21:00", "ends": "01:00"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A season as it was asked for; every value is sound by itself."""

    first: date
    last: date
    pattern: Pattern
    skip: list[date]
    extra: list[date]


class SeasonForm(Typed):
    """The form of a season: eleven inputs at most, most of them filled in already or needless."""

    def __init__(
        self, fields: Mapping[str, str], weekdays: Sequence[str], area_ids: Sequence[str], known_areas: Sequence[int]
    ) -> None:
        super().__init__({name: fields.get(name, "") for name in FIELDS})
        self.weekdays = [int(one) for one in weekdays if one in {"0", "1", "2", "3", "4", "5", "6"}]
        self.area_ids = [area for area in known_areas if str(area) in set(area_ids)]

    def wanted(self, today: date, agreements: Sequence[AgreementView]) -> Wanted | None:
        """Return what was asked for, or None with a sentence at each field that is at fault."""
        first, last = self.day("first", today), self.day("last", today)
        starts, ends = self.clock("starts"), self.clock("ends")
        near = first or today
        skip, extra, doubles = self.days("skip", near), self.days("extra", near), self.days("two_areas", near)
        if first is not None and last is not None:
            self._check_term(first, last, today, agreements)
        if starts is not None and starts == ends:
            self.wrong("ends", gettext("The walk would have no length. Type a later end."))
        if not self.weekdays:
            self.wrong("weekdays", gettext("Tick at least one weekday."))
        if not self.area_ids:
            self.wrong("areas", gettext("Tick at least one area."))
        elif doubles and len(self.area_ids) < 2:  # noqa: PLR2004 - a second area needs two
            self.wrong("two_areas", gettext("Tick a second area too, or leave this field empty."))
        outside = [] if first is None or last is None else [n for n in (*extra, *doubles) if not first <= n <= last]
        for night in outside:
            name = "extra" if night in extra else "two_areas"
            self.wrong(name, gettext("%(day)s is outside the period.", day=day_words(night)))
        for night in {*extra, *doubles} & set(skip):
            self.wrong("skip", gettext("%(day)s is both to be walked and left out.", day=day_words(night)))
        places = self._places()
        if self.errors or first is None or last is None or starts is None or ends is None:
            return None
        return Wanted(first, last, self._pattern(starts, ends, doubles, places), skip, extra)

    def _places(self) -> tuple[int, int] | None:
        """Return the least and the most who walk, or None for each area's own."""
        if not self.text("minimum") and not self.text("wanted"):
            return None
        if not self.text("minimum") or not self.text("wanted"):
            self.wrong("minimum", gettext("Fill in both, or neither for the areas' own."))
            return None
        minimum, wanted = self.number("minimum", 1, MOST_PLACES), self.number("wanted", 1, MOST_PLACES)
        if minimum is None or wanted is None:
            return None
        if minimum > wanted:
            self.wrong("minimum", gettext("The least cannot be more than the number of places."))
        return minimum, wanted

    def _pattern(self, starts: time, ends: time, doubles: Sequence[date], places: tuple[int, int] | None) -> Pattern:
        areas = tuple(self.area_ids)
        second = {night: areas[(number + 1) % len(areas)] for number, night in enumerate(sorted(set(doubles)))}
        return Pattern(frozenset(self.weekdays), starts, ends, areas, second, *(places or ()))

    def _check_term(self, first: date, last: date, today: date, agreements: Sequence[AgreementView]) -> None:
        if last < first:
            self.wrong("last", gettext("The last night is before the first."))
        elif first < today:
            self.wrong("first", gettext("That day has passed."))
        elif not any(term.starts_on <= first and last <= term.ends_on for term in agreements):
            terms = "; ".join(f"{term.starts_on} – {term.ends_on}" for term in agreements)  # noqa: RUF001
            self.wrong(
                "last",
                gettext("The season must lie within one agreement's term: %(terms)s.", terms=terms or "–"),  # noqa: RUF001
            )

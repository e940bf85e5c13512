"""Names of periods and figures in the reader's language."""

from collections.abc import Callable
from datetime import date, timedelta

from scheduler.kit.language import counted, current, gettext, kronor, weekday
from scheduler.reports.rules import CoverageMonth, Difference, Period, PeriodKind, Sign, calendar_of, period, signs_used


def period_words(one: Period) -> str:
    """Return "november 2026" or "kvartal 4 2026"."""
    from babel.dates import format_date

    if one.kind is PeriodKind.MONTH:
        return str(format_date(one.first, "LLLL y", locale=current()))
    return gettext("quarter %(number)s %(year)s", number=(one.first.month + 2) // 3, year=one.first.year)


def report_title(one: Period) -> str:
    """Return what a report is called: the monthly follow-up, or the document for the boards."""
    if one.kind is PeriodKind.MONTH:
        return gettext("Monthly follow-up, %(period)s", period=period_words(one))
    return gettext("Quarterly report, %(period)s", period=period_words(one))


def figure_words(name: str) -> str:
    """Return the name of a figure; a club's name stays as it is."""
    return words_of_figures().get(name, name)


def words_of_figures() -> dict[str, str]:
    """Return the name of each figure."""
    return {
        "planned": gettext("Shifts planned"),
        "walked": gettext("Shifts walked"),
        "called_off": gettext("Called off"),
        "not_walked": gettext("Not walked, too few people"),
        "double_nights": gettext("Nights with two areas"),
        "coverage_percent": gettext("Walkers who came, of those wanted"),
        "walkers": gettext("Different people who walked"),
        "new_walkers": gettext("Of them for the first time"),
        "hours": gettext("Hours walked"),
        "notes": gettext("Notes written"),
        "follow_ups": gettext("Notes with something to follow up"),
    }


def night_state_words(state: str) -> str:
    """Return how a shift ended."""
    return {
        "walked": gettext("Walked"),
        "called_off": gettext("Called off"),
        "not_walked": gettext("Not walked"),
        "coming": gettext("To come"),
    }[state]


def sign_words(sign: str) -> str:
    """Return what a sign of the calendar means."""
    return {
        Sign.FULL: gettext("Walked, as many as wanted"),
        Sign.THIN: gettext("Walked, fewer than wanted"),
        Sign.NOT_WALKED: gettext("Not walked, too few people"),
        Sign.CALLED_OFF: gettext("Called off"),
        Sign.COMING: gettext("To come"),
    }[Sign(sign)]


def month_title(first: date) -> str:
    """Return "november 2026"."""
    return period_words(period(PeriodKind.MONTH, first))


def weekday_letters() -> list[tuple[str, str]]:
    """Return the days of a week from Monday on: first letter and name."""
    monday = date(2024, 1, 1)
    names = [weekday(monday + timedelta(days=place)) for place in range(7)]
    return [(name[0].upper(), name) for name in names]


def month_words(month: CoverageMonth) -> str:
    """Return a month of the calendar in words: how many of each sign."""
    return "{}. {}".format(
        month_title(month.first),
        ", ".join(
            f"{sign_words(sign)}: {sum(month.signs(day).count(sign) for day in month.shifts)}"
            for sign in signs_used([month])
        ),
    )


def difference_words(one: Difference) -> str:
    """Return a correction as a sentence."""
    then, now = (kronor(one.then), kronor(one.now)) if one.in_ore else (counted(one.then), counted(one.now))
    return gettext("%(what)s: %(then)s when frozen, now %(now)s.", what=figure_words(one.what), then=then, now=now)


SHOW: dict[str, Callable[..., object]] = {
    "period_words": period_words,
    "report_title": report_title,
    "figure_words": figure_words,
    "night_state_words": night_state_words,
    "difference_words": difference_words,
    "sign_words": sign_words,
    "month_title": month_title,
    "weekday_letters": weekday_letters,
    "coverage_calendar": calendar_of,
    "signs_used": signs_used,
}

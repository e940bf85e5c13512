"""Languages: the catalogues, and dates, times and numbers as people read them.

The catalogues are the .po files themselves, read once per process; there is nothing to compile or forget.
"""

import io
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from flask import g
from werkzeug.datastructures import LanguageAccept

LANGUAGES = ("sv", "en")
FOLDER = Path(__file__).parents[2] / "translations"
ORE_PER_KRONA = 100


@cache
def catalogue(language: str) -> NullTranslations:
    """Return the translations into one of LANGUAGES."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        messages = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return GNUTranslations(compiled)


def current() -> str:
    """Return the language of this request: the person's, else what the visitor chose, else Swedish."""
    try:
        language: str = g.language
    except (AttributeError, RuntimeError):  # not chosen yet, or no request at all
        return LANGUAGES[0]
    return language


def choose(person_language: str | None, chosen: str | None, accepted: LanguageAccept) -> str:
    """Return the language to answer in: the account's, then the cookie's, then the browser's, then Swedish."""
    for wanted in (person_language, chosen):
        if wanted in LANGUAGES:
            return wanted
    return accepted.best_match(LANGUAGES) or LANGUAGES[0]


def own_names() -> list[tuple[str, str]]:
    """Return each language's code and its name in itself."""
    return [(code, (Locale(code).get_display_name(code) or code).capitalize()) for code in LANGUAGES]


def gettext(message: str, **values: object) -> str:
    """Return the message in the language of this request, with its values put in."""
    translated = catalogue(current()).gettext(message)
    return translated % values if values else translated


def ngettext(singular: str, plural: str, num: int, **values: object) -> str:
    """Return the form that fits `num`, with its values put in."""
    return catalogue(current()).ngettext(singular, plural, num) % {"num": num, **values}


def pgettext(context: str, message: str) -> str:
    return catalogue(current()).pgettext(context, message)


def npgettext(context: str, singular: str, plural: str, num: int) -> str:
    return catalogue(current()).npgettext(context, singular, plural, num) % {"num": num}


@lru_cache(maxsize=4096)
def _dated(day: date, pattern: str, language: str) -> str:
    return format_date(day, pattern, locale=language)


def day(value: date, language: str | None = None) -> str:
    """Return "fredag 27 november"."""
    return _dated(value, "EEEE d MMMM", language or current())


def short_day(value: date, language: str | None = None) -> str:
    """Return "fre 27 nov"; abbreviations without their full stops."""
    return _dated(value, "EEE d MMM", language or current()).replace(".", "")


def weekday(value: date, language: str | None = None) -> str:
    return _dated(value, "EEEE", language or current())


def clock(value: datetime) -> str:
    """Return "21:00" in the partnership's time zone."""
    return f"{value.astimezone(zone()):%H:%M}"


def moment(value: datetime) -> str:
    """Return "fre 27 nov 18:00" in the partnership's time zone."""
    local = value.astimezone(zone())
    return f"{short_day(local.date())} {local:%H:%M}"


def past_day(value: date, today: date) -> str:
    """Return "fredag 27 november", with its year where that is not today's."""
    return day(value) if value.year == today.year else _dated(value, "EEEE d MMMM y", current())


def past_short_day(value: date, today: date) -> str:
    """Return "fre 27 nov", with its year where that is not today's."""
    return short_day(value) if value.year == today.year else f"{short_day(value)} {value.year}"


def past_moment(value: datetime, today: date) -> str:
    """Return "fre 27 nov 18:00" in the partnership's time zone, with its year where that is not today's."""
    local = value.astimezone(zone())
    return f"{past_short_day(local.date(), today)} {local:%H:%M}"


def week(value: date) -> int:
    """Return the ISO week number, by which Swedes plan."""
    return value.isocalendar().week


def zone() -> ZoneInfo:
    """Return the time zone of the partnership that is looked at."""
    found: ZoneInfo = g.zone
    return found


def kronor(ore: int) -> str:
    """Return "2 500 kr", or "833,33 kr" where there are öre, as the reader's language writes it; a minus
    sign before a negative sum; it never breaks."""
    return kronor_in(ore, current())


@lru_cache(maxsize=4096)
def kronor_in(ore: int, language: str) -> str:
    """Return what `kronor` does, in one of LANGUAGES."""
    told = catalogue(language).gettext("%(sum)s kr") % {"sum": _number(ore, language, "#,##0")}
    return told.replace(" ", "\u00a0").replace("-", "\u2212")


def counted(number: int) -> str:
    """Return a number of things as digits, with a minus sign before a negative one."""
    return str(number).replace("-", "\u2212")


def kronor_typed(ore: int) -> str:
    """Return "2500" or "0,50", as somebody types a sum into a field."""
    return _number(ore, current(), "0")


def _number(ore: int, language: str, whole: str) -> str:
    pattern = whole if ore % ORE_PER_KRONA == 0 else f"{whole}.00"
    return format_decimal(ore / ORE_PER_KRONA, pattern, language)


def listed(words: Iterable[str]) -> str:
    """Return "Anna, Björn och Cecilia" in the language of this request."""
    from babel.lists import format_list

    return format_list(list(words), locale=current())

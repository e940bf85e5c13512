"""Names of special nights, reasons for left-out nights and days as people say them, in the reader's language."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from scheduler.kit.language import catalogue, gettext, ngettext, weekday
from scheduler.nights.season import LeftOut, Special


def special_name(special: Special) -> str:
    """Return the name of a special night."""
    names = {
        Special.MIDSUMMER_EVE: gettext("Midsummer Eve"),
        Special.WALPURGIS: gettext("Walpurgis"),
        Special.LAST_SCHOOL_DAY: gettext("Last school day"),
        Special.NEW_YEAR_EVE: gettext("New Year's Eve"),
        Special.CHRISTMAS_DAY: gettext("Christmas Day"),
        Special.LUCIA_EVE: gettext("Lucia night"),
        Special.HOME_GAME: gettext("Home game"),
        Special.LOCAL_EVENT: gettext("Event in town"),
        Special.ALL_SAINTS_EVE: gettext("All Saints' Eve"),
        Special.ASCENSION_EVE: gettext("Ascension Eve"),
        Special.NATIONAL_DAY_EVE: gettext("National Day Eve"),
        Special.TWELFTH_NIGHT: gettext("Twelfth Night"),
        Special.MAUNDY_THURSDAY: gettext("Maundy Thursday"),
        Special.EASTER_EVE: gettext("Easter Eve"),
        Special.PENTECOST_EVE: gettext("Pentecost Eve"),
        Special.CHRISTMAS_EVE: gettext("Christmas Eve"),
        Special.HOLIDAY_EVE: gettext("Holiday eve"),
        Special.MIDSUMMER_DAY: gettext("Midsummer Day"),
        Special.FIRST_OF_MAY: gettext("First of May"),
        Special.NATIONAL_DAY: gettext("National Day"),
        Special.BOXING_DAY: gettext("Boxing Day"),
        Special.GOOD_FRIDAY: gettext("Good Friday"),
        Special.ALL_SAINTS: gettext("All Saints' Day"),
        Special.NEW_YEAR_DAY: gettext("New Year's Day"),
        Special.EPIPHANY: gettext("Epiphany"),
        Special.LUCIA: gettext("Lucia"),
        Special.HOLIDAY: gettext("Holiday"),
        Special.PAYDAY_WEEKEND: gettext("Pay-day weekend"),
    }
    return names[special]


def left_out_reason(left_out: LeftOut) -> str:
    """Return why a night is not walked, as a sentence."""
    sentences = {
        LeftOut.NOBODY_WALKS: gettext("Nobody walks on this evening."),
        LeftOut.CHOSEN_BY_HAND: gettext("The coordinator has left this night out."),
        LeftOut.QUIET_WINTER_NIGHT: gettext(
            "The budget does not reach to every night. An ordinary night in January or February is among the quietest."
        ),
        LeftOut.QUIET_DARK_NIGHT: gettext(
            "The budget does not reach to every night. An ordinary night in the dark months is among the quieter ones."
        ),
        LeftOut.ORDINARY_NIGHT: gettext(
            "The budget does not reach to every night. This is an ordinary one, without a holiday or pay-day."
        ),
        LeftOut.TOO_FEW_PAID_NIGHTS: gettext("The budget pays for too few nights to reach this one."),
    }
    return sentences[left_out]


def relative_day(night: date, today: date) -> str:
    """Return "i kväll", "i morgon" or "om 3 dagar"; for a past night the weekday."""
    days = (night - today).days
    if days == 0:
        return gettext("tonight")
    if days == 1:
        return gettext("tomorrow")
    if days < 0:
        return weekday(night)
    return ngettext("in %(num)s day", "in %(num)s days", days)


def end_in_text(starts_at: datetime, ends_at: datetime, zone: ZoneInfo, language: str) -> str:
    """Return "02.00", as texts write it: what the clock shows at the end, and that clocks change when they do so
    during the walk, or when the hour of the end comes twice."""
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    time = f"{end:%H.%M}"
    twice = end.replace(fold=0).utcoffset() != end.replace(fold=1).utcoffset()
    if start.utcoffset() == end.utcoffset() and not twice:
        return time
    words = catalogue(language)
    if end.dst():
        return words.gettext("%(time)s summer time (the clocks change)") % {"time": time}
    return words.gettext("%(time)s winter time (the clocks change)") % {"time": time}

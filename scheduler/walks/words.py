"""The choices of a walk note and the steps of an evening, in the reader's language."""

from collections.abc import Callable

from scheduler.kit.language import gettext
from scheduler.walks.rules import CheckItem, Happened, Mood, Silence, YoungPeople


def mood_words(mood: str) -> str:
    """Return a mood in words."""
    return {
        Mood.CALM: gettext("Calm"),
        Mood.LIVELY: gettext("Lively"),
        Mood.TENSE: gettext("Tense"),
    }[Mood(mood)]


def young_people_words(count: str) -> str:
    """Return about how many young people were met, in words."""
    return {
        YoungPeople.NONE: gettext("Nobody"),
        YoungPeople.UP_TO_10: gettext("1 to 10"),
        YoungPeople.UP_TO_30: gettext("11 to 30"),
        YoungPeople.OVER_30: gettext("More than 30"),
    }[YoungPeople(count)]


def happened_words(happened: str) -> str:
    """Return the kind of event in words."""
    return {
        Happened.NOTHING: gettext("Nothing special"),
        Happened.HELPED: gettext("We helped somebody"),
        Happened.DRINKING: gettext("Alcohol or drugs"),
        Happened.TROUBLE: gettext("Trouble or damage"),
    }[Happened(happened)]


def check_words(item: str) -> str:
    """Return an item of the leader's checklist as a sentence."""
    return {
        CheckItem.BRIEFING: gettext("Briefing: golden rules, route, phone numbers"),
        CheckItem.VESTS_OUT: gettext("Vests and lamps are handed out"),
        CheckItem.POLICE_TOLD: gettext("The police (114 14) know that we go out"),
        CheckItem.VESTS_BACK: gettext("Vests and lamps are back"),
        CheckItem.POLICE_TOLD_BACK: gettext("The police know that we are done"),
    }[CheckItem(item)]


def silence_words(silence: str) -> str:
    """Return why a team should be called."""
    return {
        Silence.NOBODY_HERE: gettext("Nobody has said that they are at the place. Call."),
        Silence.NOT_OUT: gettext("They have not gone out. Call."),
        Silence.NOT_HEARD: gettext("Silent for two hours. Call."),
        Silence.NOT_BACK: gettext("They have not said that they are done. Call."),
    }[Silence(silence)]


SHOW: dict[str, Callable[..., object]] = {
    "mood_words": mood_words,
    "young_people_words": young_people_words,
    "happened_words": happened_words,
    "check_words": check_words,
    "silence_words": silence_words,
    "moods": lambda: list(Mood),
    "young_people_choices": lambda: list(YoungPeople),
    "happened_choices": lambda: list(Happened),
}

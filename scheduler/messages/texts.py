"""The wording of every text, in one place. Each fits one GSM-7 segment with names and places of usual length;
longer ones are shortened here, never by the operator.
"""

from collections.abc import Callable, Mapping
from functools import cache
from gettext import NullTranslations

from scheduler.kit.language import catalogue
from scheduler.messages.rules import ONE_SEGMENT_CHARACTERS, MessageKind, gsm7_length, to_gsm7

Words = Mapping[str, str]


def _sign_in_code(words: NullTranslations) -> str:
    # The last line lets the phone fill the code in by itself (WICG: sms-one-time-codes).
    return words.gettext("Your code for Lykta: %(code)s\nTell it to nobody.\n\n@%(host)s #%(code)s")


def _approved(words: NullTranslations) -> str:
    return words.gettext("Welcome! %(club)s has approved you as a night walker. Book your first night: %(link)s")


def _reminder_two_days(words: NullTranslations) -> str:
    return words.gettext(
        "You walk %(day)s at %(starts)s-%(ends)s, %(area)s. Meet at %(meets)s, %(place)s. Cannot come? %(link)s"
    )


def _reminder_three_hours(words: NullTranslations) -> str:
    return words.gettext(
        "Tonight at %(starts)s-%(ends)s: night walk, %(area)s. Meet at %(meets)s, %(place)s. Ill? %(link)s"
    )


def _place_offered(words: NullTranslations) -> str:
    return words.gettext(
        "A place is free: %(day)s %(starts)s-%(ends)s, %(area)s. It is kept for you until %(until)s. Answer: %(link)s"
    )


def _place_free_first_answer(words: NullTranslations) -> str:
    return words.gettext("A place is free %(day)s %(starts)s-%(ends)s, %(area)s. The first to answer gets it: %(link)s")


def _place_yours(words: NullTranslations) -> str:
    return words.gettext(
        "You have a place: %(day)s %(starts)s-%(ends)s, %(area)s. Meet at %(meets)s, %(place)s. Cannot? %(link)s"
    )


def _offer_ended(words: NullTranslations) -> str:
    return words.gettext("The place %(day)s, %(area)s, has gone to the next in line. More nights: %(link)s")


def _hand_over_offered(words: NullTranslations) -> str:
    return words.gettext(
        "%(name)s asks: can you take the night walk %(day)s %(starts)s-%(ends)s, %(area)s? Answer: %(link)s"
    )


def _hand_over_asked(words: NullTranslations) -> str:
    return words.gettext(
        "Can you walk %(day)s %(starts)s-%(ends)s, %(area)s? Somebody needs to hand over. Take it: %(link)s"
    )


def _hand_over_taken(words: NullTranslations) -> str:
    return words.gettext("%(name)s has taken your night walk %(day)s, %(area)s. You do not need to come.")


def _hand_over_declined(words: NullTranslations) -> str:
    return words.gettext("%(name)s cannot take your night walk %(day)s, %(area)s. It is still yours: %(link)s")


def _late_cancellation(words: NullTranslations) -> str:
    return words.gettext("%(name)s cannot come %(day)s %(starts)s, %(area)s. Now %(booked)s of %(wanted)s. %(link)s")


TEXTS: dict[MessageKind, Callable[[NullTranslations], str]] = {
    MessageKind.SIGN_IN_CODE: _sign_in_code,
    MessageKind.APPROVED: _approved,
    MessageKind.REMINDER_TWO_DAYS: _reminder_two_days,
    MessageKind.REMINDER_THREE_HOURS: _reminder_three_hours,
    MessageKind.PLACE_OFFERED: _place_offered,
    MessageKind.PLACE_FREE_FIRST_ANSWER: _place_free_first_answer,
    MessageKind.PLACE_YOURS: _place_yours,
    MessageKind.OFFER_ENDED: _offer_ended,
    MessageKind.HAND_OVER_OFFERED: _hand_over_offered,
    MessageKind.HAND_OVER_ASKED: _hand_over_asked,
    MessageKind.HAND_OVER_TAKEN: _hand_over_taken,
    MessageKind.HAND_OVER_DECLINED: _hand_over_declined,
    MessageKind.LATE_CANCELLATION: _late_cancellation,
}
# Shortened in this order when a text is too long; codes, times and links are never cut.
SHORTENED = ("name", "club", "place", "area")
SHORTEST_CHARACTERS = 8


@cache
def _pattern(kind: MessageKind, language: str) -> str:
    return to_gsm7(TEXTS[kind](catalogue(language)))


def render(kind: MessageKind, language: str, words: Words) -> str:
    """Return the text of a message: GSM-7, one segment wherever shortening names and places can make it so."""
    plain = {name: to_gsm7(value) for name, value in words.items()}
    pattern = _pattern(kind, language)
    text = pattern % plain
    for name in SHORTENED:
        excess = gsm7_length(text) - ONE_SEGMENT_CHARACTERS
        if excess <= 0:
            break
        if name in plain:
            kept = max(SHORTEST_CHARACTERS, len(plain[name]) - excess)
            plain[name] = plain[name][:kept].rstrip()
            text = pattern % plain
    return text

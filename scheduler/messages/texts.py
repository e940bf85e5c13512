"""The wording of every text, in one place. Each fits one GSM-7 segment; what is too long is shortened here, in the
order of `GIVES_WAY`, never by the operator.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from gettext import NullTranslations

from scheduler.kit.language import LANGUAGES, catalogue
from scheduler.messages.replies import REPLIES, Pattern
from scheduler.messages.rules import AT_ONCE, ONE_SEGMENT_CHARACTERS, MessageKind, Reply, gsm7_length, to_gsm7

Words = Mapping[str, str]


def _sign_in_code(words: NullTranslations) -> str:
    # The last line lets the phone fill the code in by itself (WICG: sms-one-time-codes).
    return words.gettext("Your code for Lykta: %(code)s\nTell it to nobody.\n\n@%(host)s #%(code)s")


def _approved(words: NullTranslations) -> str:
    return words.gettext("Welcome! %(club)s has approved you as a night walker. Book your first night: %(link)s")


def _invited(words: NullTranslations) -> str:
    return words.gettext("%(club)s would like you as a night walker in Lykta. Answer here with this number: %(link)s")


def _reminder_two_days(words: NullTranslations) -> str:
    return words.gettext(
        "Night walk %(day)s %(starts)s-%(ends)s, %(area)s. Meet %(meets)s, %(place)s. Coming? Reply YES or NO. %(link)s"
    )


def _reminder_three_hours(words: NullTranslations) -> str:
    return words.gettext(
        "Today %(day)s %(starts)s-%(ends)s: night walk, %(area)s. Meet %(meets)s, %(place)s. "
        "Coming? Reply YES or NO. %(link)s"
    )


def _place_offered(words: NullTranslations) -> str:
    return words.gettext(
        "A place is free: %(day)s %(starts)s-%(ends)s, %(area)s. "
        "Kept for you until %(until)s. Reply YES or NO. %(link)s"
    )


def _place_free_first_answer(words: NullTranslations) -> str:
    return words.gettext(
        "A place is free %(day)s %(starts)s-%(ends)s, %(area)s. The first to answer gets it. Reply YES or NO. %(link)s"
    )


def _place_yours(words: NullTranslations) -> str:
    return words.gettext(
        "You have a place: %(day)s %(starts)s-%(ends)s, %(area)s. Meet at %(meets)s, %(place)s. Cannot? %(link)s"
    )


def _offer_ended(words: NullTranslations) -> str:
    return words.gettext("The place %(day)s, %(area)s, has gone to the next in line. More nights: %(link)s")


def _hand_over_offered(words: NullTranslations) -> str:
    return words.gettext(
        "%(name)s asks: can you take the night walk %(day)s %(starts)s-%(ends)s, %(area)s? Reply YES or NO. %(link)s"
    )


def _hand_over_asked(words: NullTranslations) -> str:
    return words.gettext(
        "Night walk %(day)s %(starts)s-%(ends)s, %(area)s: can you? Somebody cannot come. Reply YES or NO. %(link)s"
    )


def _hand_over_taken(words: NullTranslations) -> str:
    return words.gettext("%(name)s has taken your night walk %(day)s, %(area)s. You do not need to come.")


def _hand_over_declined(words: NullTranslations) -> str:
    return words.gettext("%(name)s cannot take your night walk %(day)s, %(area)s. It is still yours: %(link)s")


def _gap_asked(words: NullTranslations) -> str:
    return words.gettext(
        "Night walk %(day)s %(starts)s-%(ends)s, %(area)s: can you? We lack %(missing)s. Reply YES or NO. %(link)s"
    )


def _late_cancellation(words: NullTranslations) -> str:
    return words.gettext("%(name)s cannot come %(day)s %(starts)s, %(area)s. Now %(booked)s of %(wanted)s. %(link)s")


def _called_off(words: NullTranslations) -> str:
    return words.gettext(
        "CALLED OFF: the night walk %(day)s %(starts)s, %(area)s. You do not need to come. Questions: %(phone)s"
    )


def _moved(words: NullTranslations) -> str:
    return words.gettext(
        "CHANGED: the night walk %(day)s is now %(starts)s-%(ends)s, %(area)s. Meet %(meets)s, %(place)s. "
        "Coming? YES or NO. %(link)s"
    )


def _other_place(words: NullTranslations) -> str:
    return words.gettext(
        "NEW MEETING PLACE %(day)s %(starts)s-%(ends)s, %(area)s: %(place)s at %(meets)s. Cannot come? %(link)s"
    )


def _reinstated(words: NullTranslations) -> str:
    return words.gettext("ON AGAIN: the night walk %(day)s %(starts)s-%(ends)s, %(area)s. Can you come? Book: %(link)s")


def _put_on(words: NullTranslations) -> str:
    return words.gettext(
        "You have been put on the night walk %(day)s %(starts)s-%(ends)s, %(area)s. "
        "Meet %(meets)s, %(place)s. Cannot? %(link)s"
    )


def _taken_off(words: NullTranslations) -> str:
    return words.gettext(
        "You are no longer on the night walk %(day)s %(starts)s, %(area)s. You do not need to come. "
        "Other nights: %(link)s"
    )


def _number_code(words: NullTranslations) -> str:
    return words.gettext("Code for your new number in Lykta: %(code)s\nTell it to nobody.\n\n@%(host)s #%(code)s")


def _number_changed(words: NullTranslations) -> str:
    return words.gettext("Your number in Lykta is now another one. Was it not you? Call %(phone)s.")


def _number_asked(words: NullTranslations) -> str:
    return words.gettext("Lykta: is this %(name)s's number now? Say yes: %(link)s Not you? Do nothing.")


def _passed_on(words: NullTranslations) -> str:
    return words.gettext("From %(name)s: %(text)s Answer: %(link)s")


def _notice(_words: NullTranslations) -> str:
    return "%(text)s"


def _ceiling_near(words: NullTranslations) -> str:
    return words.gettext(
        "Texts this month: %(spent)s of %(ceiling)s kr. Requests and sendings stop at the ceiling. %(link)s"
    )


TEXTS: dict[MessageKind, Pattern] = {
    MessageKind.SIGN_IN_CODE: _sign_in_code,
    MessageKind.NUMBER_CODE: _number_code,
    MessageKind.NUMBER_CHANGED: _number_changed,
    MessageKind.APPROVED: _approved,
    MessageKind.INVITED: _invited,
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
    MessageKind.GAP_ASKED: _gap_asked,
    MessageKind.LATE_CANCELLATION: _late_cancellation,
    MessageKind.CALLED_OFF: _called_off,
    MessageKind.MOVED: _moved,
    MessageKind.OTHER_PLACE: _other_place,
    MessageKind.REINSTATED: _reinstated,
    MessageKind.PUT_ON: _put_on,
    MessageKind.TAKEN_OFF: _taken_off,
    MessageKind.NUMBER_ASKED: _number_asked,
    MessageKind.PASSED_ON: _passed_on,
    MessageKind.NOTICE: _notice,
    MessageKind.CEILING_NEAR: _ceiling_near,
}
NEVER_SHORTENED = frozenset({MessageKind.NOTICE})
# Without its link this text asks for nothing.
LINK_IS_ALL = frozenset({MessageKind.NUMBER_ASKED})
SHORT_CHARACTERS, SHORTEST_CHARACTERS = 16, 8


def _cut(word: str, excess: int, least: int) -> str:
    """Return the word without its last characters, so many GSM-7 places fewer, but never under `least` letters."""
    kept = word
    while excess > gsm7_length(word) - gsm7_length(kept) and len(kept) > least:
        kept = kept[:-1]
    return kept.rstrip()


def _to_short(word: str, excess: int) -> str:
    return _cut(word, excess, SHORT_CHARACTERS)


def _to_shortest(word: str, excess: int) -> str:
    return _cut(word, excess, SHORTEST_CHARACTERS)


def _without_note(ends: str, _excess: int) -> str:
    """Return "02.00 summer time" of "02.00 summer time (the clocks change)"."""
    return ends.partition(" (")[0]


def _without_scheme(link: str, _excess: int) -> str:
    return link.removeprefix("https://").removeprefix("http://")


def _gone(_link: str, _excess: int) -> str:
    return ""


# What gives way, in this order, when a text is too long. Codes and times never do, nor what clock they are of.
GIVES_WAY: tuple[tuple[str, Callable[[str, int], str]], ...] = (
    ("ends", _without_note),
    ("text", _to_shortest),
    ("name", _to_shortest),
    ("club", _to_shortest),
    ("place", _to_short),
    ("area", _to_short),
    ("link", _without_scheme),
    ("place", _to_shortest),
    ("area", _to_shortest),
    ("link", _gone),
)


@cache
def _pattern(kind: MessageKind | Reply, language: str) -> str:
    pattern = REPLIES[kind] if isinstance(kind, Reply) else TEXTS[kind]
    return to_gsm7(pattern(catalogue(language)))


def render(kind: MessageKind | Reply, language: str, words: Words) -> str:
    """Return the text of a message: GSM-7, and one segment whatever people, places and our address are called.

    Only a coordinator's own words may take more than one.
    """
    plain = {name: to_gsm7(value) for name, value in words.items()}
    pattern = _pattern(kind, language)
    text = pattern % plain
    if kind in NEVER_SHORTENED:
        return text
    for name, shorter in GIVES_WAY:
        excess = gsm7_length(text) - ONE_SEGMENT_CHARACTERS
        if excess <= 0:
            break
        if name in plain and not (shorter is _gone and kind in LINK_IS_ALL):
            plain[name] = shorter(plain[name], excess)
            text = (pattern % plain).rstrip(" :")
    return text


def is_text(found: str, sent: str) -> bool:
    """Return whether a text that the operator has is one that was sent."""
    # A trial account's texts begin with a sentence of the operator's own.
    return found.strip() == sent.strip() or found.strip().endswith(f" - {sent.strip()}")


# Of these there is one a month, whatever its sums.
ONCE = frozenset({MessageKind.CEILING_NEAR})
_NAME = re.compile(r"%\((\w+)\)s")
# What these words look like; all others may be anything.
_SHAPES = {
    "day": r"\S+ \d+ \S+",
    "starts": r"\d\d\.\d\d",
    "meets": r"\d\d\.\d\d",
    "ends": r"\d\d\.\d\d.*?",
    "link": r"\S*",
}


@cache
def _shape(kind: MessageKind | Reply, language: str) -> re.Pattern[str]:
    """Return what every text of a kind looks like, whatever its words."""
    parts = _NAME.split(_pattern(kind, language))
    shape = "(?:.* - )?"
    for literal, name in zip(parts[::2], [*parts[1::2], ""], strict=True):
        # A link that gave way has taken what stood before it along.
        shape += re.escape(literal.rstrip(" :")) + "[ :]*" if name == "link" else re.escape(literal)
        shape += f"(?P<{name}>{_SHAPES.get(name, '.*?')})" if name else ""
    return re.compile(shape, re.DOTALL)


def is_text_about(kind: MessageKind | Reply, language: str, words: Words, found: str) -> bool:
    """Return whether a text that the operator has is of this kind and about the same evening and thing, in whatever
    words: hours, place, area and names may have been others."""
    if kind in NEVER_SHORTENED or kind in AT_ONCE:
        return False
    for other in LANGUAGES:
        seen = _shape(kind, other).fullmatch(found.strip())
        if seen is None:
            continue
        if kind in ONCE:
            return True
        told = seen.groupdict()
        if "day" in told and other == language and told["day"] != to_gsm7(words.get("day", "")):
            return False
        if told.get("link"):
            return _thing(told["link"]) is not None and _thing(told["link"]) == _thing(words.get("link"))
        # A text without a link, or that had to do without: the day alone must tell.
        return "day" in told and other == language
    return False


def _thing(link: str | None) -> str | None:
    """Return "bookings/7" of a link to one; None for a link that is about nothing in particular."""
    seen = re.search(r"/(\w+/\d+)$", link or "")
    return seen[1] if seen else None

"""The wording of what we answer to an answer, each one segment like all texts."""

from collections.abc import Callable
from gettext import NullTranslations

from scheduler.messages.rules import Reply

Pattern = Callable[[NullTranslations], str]


def _coming(words: NullTranslations) -> str:
    return words.gettext("Thank you! See you %(day)s at %(meets)s, %(place)s.")


def _cancelled(words: NullTranslations) -> str:
    return words.gettext(
        "You are off the night walk %(day)s %(starts)s, %(area)s. Thank you for telling us. More nights: %(link)s"
    )


def _cancelled_late(words: NullTranslations) -> str:
    return words.gettext(
        "You are off the night walk %(day)s %(starts)s, %(area)s. The coordinator knows. Thank you for telling us."
    )


def _place_yours(words: NullTranslations) -> str:
    return words.gettext(
        "The place is yours: %(day)s %(starts)s-%(ends)s, %(area)s. Meet %(meets)s, %(place)s. %(link)s"
    )


def _declined(words: NullTranslations) -> str:
    return words.gettext("Noted: not %(day)s, %(area)s. Thank you for answering. More nights: %(link)s")


def _answered_already(words: NullTranslations) -> str:
    return words.gettext("You have answered about %(day)s, %(area)s, already. Changed your mind? %(link)s")


def _too_late(words: NullTranslations) -> str:
    return words.gettext("It is too late to answer about %(day)s, %(area)s. See how it stands: %(link)s")


def _taken_by_another(words: NullTranslations) -> str:
    return words.gettext("Somebody else was first to %(day)s, %(area)s. Thank you anyway! More nights: %(link)s")


def _not_possible(words: NullTranslations) -> str:
    return words.gettext("%(day)s, %(area)s: that could not be done by text. See why: %(link)s")


def _nothing_asked(words: NullTranslations) -> str:
    return words.gettext("We have asked you nothing just now. Your walks: text MINE. More nights: %(link)s")


def _choose(words: NullTranslations) -> str:
    return words.gettext("Which walk? Reply with its number: %(walks)s")


def _walks(words: NullTranslations) -> str:
    return words.gettext("Your walks: %(walks)s")


def _no_walks(words: NullTranslations) -> str:
    return words.gettext("You have no walks booked. Nights that need you: %(link)s")


def _help(words: NullTranslations) -> str:
    return words.gettext(
        "Reply YES or NO to our latest question. MINE: your walks. STOP: no more texts. START: texts again. "
        "Call: %(phone)s"
    )


def _stopped(words: NullTranslations) -> str:
    return words.gettext(
        "You get no more texts from Lykta, not even reminders. Your booked walks stay. Reply START to get texts again."
    )


def _started(words: NullTranslations) -> str:
    return words.gettext("You get texts from Lykta again. Reply STOP to end them.")


def _passed_on(words: NullTranslations) -> str:
    return words.gettext("Thank you, the coordinator reads it. In a hurry? Call %(phone)s.")


def _unclear(words: NullTranslations) -> str:
    return words.gettext("We did not understand that. Reply YES or NO, or text HELP. In a hurry? Call %(phone)s.")


REPLIES: dict[Reply, Pattern] = {
    Reply.COMING: _coming,
    Reply.CANCELLED: _cancelled,
    Reply.CANCELLED_LATE: _cancelled_late,
    Reply.PLACE_YOURS: _place_yours,
    Reply.DECLINED: _declined,
    Reply.ANSWERED_ALREADY: _answered_already,
    Reply.TOO_LATE: _too_late,
    Reply.TAKEN_BY_ANOTHER: _taken_by_another,
    Reply.NOT_POSSIBLE: _not_possible,
    Reply.NOTHING_ASKED: _nothing_asked,
    Reply.CHOOSE: _choose,
    Reply.WALKS: _walks,
    Reply.NO_WALKS: _no_walks,
    Reply.HELP: _help,
    Reply.STOPPED: _stopped,
    Reply.STARTED: _started,
    Reply.PASSED_ON: _passed_on,
    Reply.UNCLEAR: _unclear,
}

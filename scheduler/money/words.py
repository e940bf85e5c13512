"""Sums, budget lines and deviations in the reader's language."""

from collections.abc import Callable

from scheduler.kit.language import gettext, kronor
from scheduler.money.rules import Deviation, DeviationKind, EntryKind, Unsettled
from scheduler.partnership.rules import BudgetLineKind


def line_words(line: str) -> str:
    """Return the name of a budget line."""
    return {
        BudgetLineKind.WEEKEND_NIGHTS: gettext("Weekend nights"),
        BudgetLineKind.MATERIAL: gettext("Material"),
        BudgetLineKind.UNFORESEEN: gettext("Unforeseen, such as two areas on one night"),
    }[BudgetLineKind(line)]


def entry_words(kind: str) -> str:
    """Return what kind of entry it is."""
    return {
        EntryKind.NIGHT: gettext("Walked shift"),
        EntryKind.REVERSAL: gettext("Correction"),
        EntryKind.PURCHASE: gettext("Purchase"),
    }[EntryKind(kind)]


def unsettled_words(why: str) -> str:
    """Return why a shift does not become money."""
    return {
        Unsettled.NOT_OVER: gettext("The shift is not over. Settle it when it has been walked."),
        Unsettled.CALLED_OFF: gettext("The shift is called off: nobody walked, nothing is paid."),
        Unsettled.NO_NOTE: gettext("The note and who came are missing. Report first, then pay."),
        Unsettled.TOO_FEW: gettext("Fewer than the minimum came, so it is not a walked shift and nothing is paid."),
        Unsettled.NO_CLUB: gettext(
            "Nobody who came belonged to a club and no club hosts the shift, so nobody can be paid."
        ),
    }[Unsettled(why)]


def deviation_words(deviation: Deviation) -> str:
    """Return what deviates, as a sentence."""
    if deviation.kind is DeviationKind.LINE_PASSED and deviation.line is not None:
        return gettext(
            "%(line)s will cost %(becomes)s by the end of the term; the agreement says %(agreed)s.",
            line=line_words(deviation.line),
            becomes=kronor(deviation.becomes),
            agreed=kronor(deviation.agreed),
        )
    if deviation.kind is DeviationKind.SECOND_AREAS:
        return gettext(
            "%(becomes)s second areas are open or walked; the unforeseen line pays for %(agreed)s.",
            becomes=deviation.becomes,
            agreed=deviation.agreed,
        )
    return gettext(
        "%(club)s has %(becomes)s, more than twice an equal share of %(agreed)s.",
        club=deviation.club,
        becomes=kronor(deviation.becomes),
        agreed=kronor(deviation.agreed),
    )


SHOW: dict[str, Callable[..., object]] = {
    "line_words": line_words,
    "entry_words": entry_words,
    "unsettled_words": unsettled_words,
    "deviation_words": deviation_words,
}

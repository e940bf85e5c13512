"""Partners, kinds of decision and what is wrong with a form, in the reader's language."""

from collections.abc import Callable

from scheduler.kit.language import gettext
from scheduler.kit.refusals import Invalid
from scheduler.steering.rules import DecisionKind, Partner, Standing


def partner_words(partner: str) -> str:
    return {
        Partner.MUNICIPALITY: gettext("The municipality"),
        Partner.CLUB: gettext("The coordinating club"),
    }[Partner(partner)]


def decision_words(kind: str) -> str:
    return {
        DecisionKind.ORDINARY: gettext("Decision"),
        DecisionKind.DEVIATION: gettext("Deviation from plan or budget"),
        DecisionKind.EXTENSION: gettext("Extension of the agreement"),
    }[DecisionKind(kind)]


def standing_words(standing: str) -> str:
    return {
        Standing.OPEN: gettext("Open: it takes both partners."),
        Standing.DECIDED: gettext("Decided by both partners."),
        Standing.REFUSED: gettext("One partner said no."),
    }[Standing(standing)]


def problem_sentence(refusal: Invalid) -> str:
    """Return what is wrong with one field, and what to do."""
    special = {
        ("email", "wrong"): gettext("That is no e-mail address. Leave it empty if there is none."),
        ("starts_at", "past"): gettext("Choose a time that is still to come."),
        ("starts_at", "wrong"): gettext("Choose day and time."),
        ("decision", "wrong"): gettext("Choose the decision that the new rate rests on."),
        ("from_on", "wrong"): gettext("Type the date, like 2026-11-23."),
        ("from_on", "past"): gettext("Choose a night that is still to come: what was walked keeps its rate."),
        ("from_on", "outside"): gettext("That date is outside the agreement."),
        ("rate", "empty"): gettext("Type what a walked shift is to cost."),
        ("rate", "not_a_sum"): gettext("That is not a sum. Type it like 1 250 or 1 250,50."),
        ("rate", "zero"): gettext("Type a sum above zero."),
        ("rate", "too_large"): gettext("That is more than a million kronor. Check the sum."),
        ("minutes", "range"): gettext("A meeting lasts 1 to 600 minutes."),
    }
    general = {
        "empty": gettext("Fill this in."),
        "too_long": gettext("That is too long."),
        "wrong": gettext("Choose one."),
    }
    return special.get((refusal.field, refusal.problem)) or general[refusal.problem]


SHOW: dict[str, Callable[..., object]] = {
    "partner_words": partner_words,
    "decision_words": decision_words,
    "standing_words": standing_words,
    "partners": lambda: list(Partner),
    "decision_kinds": lambda: list(DecisionKind),
}

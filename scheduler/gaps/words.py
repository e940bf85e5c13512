"""Reasons, states and sums as people read them, in the reader's language."""

from collections.abc import Callable
from datetime import timedelta

from scheduler.gaps.queries import BoardArea, BoardNight
from scheduler.gaps.rules import Candidate, WhyNot, at_risk, newcomers_alone
from scheduler.kit.language import gettext, ngettext
from scheduler.nights.words import relative_day

OFTEN = 0.6
KNOWN_FROM_WALKS = 3


def reasons(night: BoardNight) -> list[str]:
    """Return why a night needs the coordinator, beside what its badges say, in words."""
    told = [relative_day(night.date, night.date - timedelta(days=night.days_left))]
    if night.missing_to_minimum:
        told.append(ngettext("one missing to the minimum", "%(num)s missing to the minimum", night.missing_to_minimum))
    return told


def area_reasons(area: BoardArea) -> list[str]:
    """Return what endangers one shift although it has its people today."""
    told = []
    if at_risk(area.need):
        told.append(
            gettext(
                "Enough have booked, but the risk is %(percent)s %% that too few come", percent=area.need.risk_percent
            )
        )
    if newcomers_alone(area.need):
        told.append(gettext("only newcomers"))
    return told


def why(one: Candidate) -> list[str]:
    """Return why somebody is asked in her turn, the weightiest first."""
    told = []
    if one.asked_days_ago is None:
        told.append(gettext("never asked"))
    else:
        told.append(ngettext("asked yesterday", "asked %(num)s days ago", max(one.asked_days_ago, 1)))
    told.append(ngettext("%(num)s walk this year", "%(num)s walks this year", one.walks))
    known = one.walks >= KNOWN_FROM_WALKS
    if known and one.walks_here >= OFTEN * one.walks:
        told.append(gettext("likes this area"))
    if known and one.walks_this_weekday >= OFTEN * one.walks:
        told.append(gettext("likes this weekday"))
    told.append(gettext("rested") if one.rested else gettext("walks within five days"))
    return told


def because(reason: WhyNot) -> str:
    """Return why somebody is not asked, as a sentence."""
    sentences = {
        WhyNot.NOT_APPROVED: gettext("No club has approved this person."),
        WhyNot.TOO_YOUNG: gettext("Has not turned 18 on that night."),
        WhyNot.ON_IT: gettext("Has or had a place or a number in the queue of this shift."),
        WhyNot.WALKS_NEAR: gettext("Walks another shift that evening, or one too near."),
        WhyNot.NO_TEXTS: gettext("Wants no such texts, or no text arrives."),
        WhyNot.ASKED_ABOUT_IT: gettext("Has been asked about this shift."),
        WhyNot.HAS_A_QUESTION: gettext("Has a question that is not answered yet."),
        WhyNot.ASKED_ENOUGH: gettext("Has been asked as often this week as the limit allows."),
    }
    return sentences[reason]


# What pages show of it, by the names that templates use.
SHOW: dict[str, Callable[..., object]] = {"night_reasons": reasons, "area_reasons": area_reasons}

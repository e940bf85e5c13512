from datetime import date, datetime, timedelta
from enum import StrEnum

from scheduler.kit.refusals import Conflict

# The most walkers that a shift can have.
MOST_PLACES = 20
RESTS_AFTER = timedelta(days=90)


class Activity(StrEnum):
    """How an approved member walks."""

    NEW = "new"
    ACTIVE = "active"
    RESTING = "resting"


class LeadingRefusal(Conflict):
    room = "leading"


class PlanTaken(LeadingRefusal):
    """Somebody has booked, or been asked, on one of the plan's nights: it can no longer be undone as a whole."""


class NightTaken(LeadingRefusal):
    """The night to give up has people on it, or is walked no longer."""


class NothingLeft(LeadingRefusal):
    """The budget pays for no more nights: one must be given up for another."""


class AlreadyWalked(LeadingRefusal):
    """The night is walked already; somebody else was first."""


def reaches(starts_at: datetime, now: datetime) -> bool:
    """Return whether a night can still be planned: it has not begun."""
    return starts_at > now


def activity(
    member_since: datetime, last_walk: date | None, *, has_coming: bool, now: datetime, today: date
) -> Activity:
    """Return how an approved member walks: active is who has walked within 90 days, new who has never walked and
    became a member within 90 days, and each stays so with a place on a coming shift; all others rest."""
    lately = last_walk >= today - RESTS_AFTER if last_walk is not None else member_since >= now - RESTS_AFTER
    if not lately and not has_coming:
        return Activity.RESTING
    return Activity.NEW if last_walk is None else Activity.ACTIVE

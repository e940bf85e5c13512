from datetime import datetime

from scheduler.kit.refusals import Conflict


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

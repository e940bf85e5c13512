import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from enum import StrEnum, auto
from typing import ClassVar

from scheduler.kit.refusals import Conflict, Invalid, NotAllowed, NotFound

LONGEST_LINE_CHARACTERS = 120
LONGEST_TEXT_CHARACTERS = 2000
LONGEST_MEETING_MINUTES = 600
SHORT_NOTICE = timedelta(days=7)
MEMBERS_OF_EACH = 2


class Partner(StrEnum):
    MUNICIPALITY = auto()
    CLUB = auto()


class DecisionKind(StrEnum):
    ORDINARY = auto()
    DEVIATION = auto()
    EXTENSION = auto()


class Standing(StrEnum):
    """How a decision stands: open until both partners have answered, no if either says no."""

    OPEN = auto()
    DECIDED = auto()
    REFUSED = auto()


class NothingHere(NotFound):
    """No such member, meeting or decision here."""

    room: ClassVar[str] = "steering"


class NotYourPartner(NotAllowed):
    """Each partner consents by its own hand."""

    room: ClassVar[str] = "steering"


class AlreadyDecided(Conflict):
    """Both partners have answered; a change is a new decision."""

    room: ClassVar[str] = "steering"


class NotDecided(Conflict):
    """Both partners have not decided on an extension of this agreement."""

    room: ClassVar[str] = "steering"


class MeetingOver(Conflict):
    """The meeting is cancelled: a new one has to be called."""

    room: ClassVar[str] = "steering"


class RateNotDecided(Conflict):
    """Both partners have not decided on a deviation of this agreement that the new rate could rest on."""

    room: ClassVar[str] = "steering"


class SeatTaken(Conflict):
    """The seat is somebody's already, or the person has another one."""

    room: ClassVar[str] = "steering"


class AlreadyRenewed(Conflict):
    """There is an agreement for the time after this one."""

    room: ClassVar[str] = "steering"


def standing(answers: Mapping[Partner, bool]) -> Standing:
    """Return how a decision stands: it takes both partners' yes, and one no ends it."""
    if not all(answers.values()):
        return Standing.REFUSED
    return Standing.DECIDED if set(answers) == set(Partner) else Standing.OPEN


def partner_of(roles: Collection[str]) -> Partner | None:
    """Return for which partner somebody with these roles answers: the municipality's reader for the municipality, a
    coordinator for the club, who has both for nobody."""
    found = [
        partner
        for role, partner in (("municipality", Partner.MUNICIPALITY), ("coordinator", Partner.CLUB))
        if role in roles
    ]
    return found[0] if len(found) == 1 else None


def line(field: str, typed: str, most: int = LONGEST_LINE_CHARACTERS) -> str:
    """Return a text with its white space mended. Raises Invalid(field, "empty" or "too_long")."""
    text = " ".join(typed.split()) if most == LONGEST_LINE_CHARACTERS else typed.strip()
    if not text:
        raise Invalid(field, "empty")
    if len(text) > most:
        raise Invalid(field, "too_long")
    return text


def mail_address(typed: str) -> str:
    """Return an address for calendar invitations, or "" for none. Raises Invalid("email", "wrong")."""
    address = typed.strip()
    if address and not re.fullmatch(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9.\-]{1,180}\.[A-Za-z]{2,24}", address):
        raise Invalid("email", "wrong")
    return address


def next_term(ends_on: date) -> tuple[date, date]:
    """Return first and last day of the agreement after one that ends on this day: the day after, and a year on."""
    starts_on = ends_on + timedelta(days=1)
    # The last day of February in a leap year has no twin; the agreement then ends a day earlier.
    last_day = min(ends_on.day, 28) if ends_on.month == 2 else ends_on.day  # noqa: PLR2004 - February
    return starts_on, date(ends_on.year + 1, ends_on.month, last_day)

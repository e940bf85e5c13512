from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from scheduler.kit.refusals import Invalid
from scheduler.messages.rules import not_in_alphabet, segments, to_gsm7

LONGEST_AHEAD = timedelta(days=60)
LONGEST_CHARACTERS = 459  # three segments


class AudienceKind(StrEnum):
    NIGHT = "night"
    SHIFT = "shift"
    UNANSWERED = "unanswered"
    CLUB = "club"
    EVERYBODY = "everybody"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a sending goes to: a night, a shift (or those of it who have not said that they come), a club …"""

    kind: AudienceKind
    number: int = 0
    night: date | None = None

    @property
    def word(self) -> str:
        """Return the audience as forms carry it."""
        return f"{self.kind}:{self.night.isoformat() if self.night else self.number}"


LARGEST_NUMBER = 2**31 - 1  # what a column holds


def audience(word: str) -> Audience:
    """Return the audience that a form names. Raises Invalid("to") for none."""
    kind, _, rest = word.partition(":")
    try:
        if kind == AudienceKind.NIGHT:
            return Audience(AudienceKind.NIGHT, night=date.fromisoformat(rest))
        number = int(rest or 0)
        if 0 <= number <= LARGEST_NUMBER:
            return Audience(AudienceKind(kind), number)
    except ValueError:
        pass
    raise Invalid("to", "none_chosen")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a coordinator wants to send: to whom, the words as they were typed, and not before when (None: now)."""

    to: Audience
    typed: str
    at: datetime | None = None


def chosen_moment(day: str, clock: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return the instant of a typed "2026-11-27" and "17:30" in the zone; None for neither, which means now.

    Raises Invalid("when") for half of it, what is no time, what is past, or more than sixty days ahead.
    """
    if not day.strip() and not clock.strip():
        return None
    try:
        at = datetime.combine(date.fromisoformat(day.strip()), time.fromisoformat(clock.strip()), tzinfo=zone)
    except ValueError:
        raise Invalid("when", "unreadable") from None
    if at <= now:
        raise Invalid("when", "past")
    if at > now + LONGEST_AHEAD:
        raise Invalid("when", "far")
    return at.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody in an audience. `reachable` is False for a number that is dead or stopped, or news switched off."""

    person_id: int
    name: str
    phone: str
    language: str
    reachable: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What a sending would be: the text as phones show it, and what it costs in öre."""

    text: str
    changed: list[str]
    segments: int
    characters: int
    receivers: int
    unreachable: list[str]
    cost_ore: int
    passes_ceiling: bool
    wanted_at: datetime
    leaves_at: datetime


def as_sent(typed: str) -> str:
    """Return the words as they are sent. Raises Invalid("text") for none, or more than three segments."""
    text = "\n".join(line.rstrip() for line in to_gsm7(typed.strip().replace("\r\n", "\n")).splitlines()).strip()
    if not text:
        raise Invalid("text", "empty")
    if segments(text) > 3:  # noqa: PLR2004 - a text, not a letter
        raise Invalid("text", "too_long")
    return text


def lost(typed: str) -> list[str]:
    """Return the characters that a text cannot carry and that are replaced or left out."""
    return [character for character in not_in_alphabet(typed) if not character.isspace()]

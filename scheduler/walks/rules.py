import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum, auto
from typing import ClassVar

from scheduler.kit.refusals import Conflict, Invalid, NotFound

OPENS_BEFORE = timedelta(hours=6)
TEAM_MAY_WRITE = timedelta(days=3)
LONGEST_TEXT_CHARACTERS = 500
# A check-in that waited for a signal says how long; more than a night is no wait.
LONGEST_WAIT = timedelta(hours=12)
LATE_OUT = timedelta(minutes=30)
LATE_BACK = timedelta(minutes=30)
SILENT_AFTER = timedelta(hours=2)
TEXT_KEPT = timedelta(days=90)
# A quarter's report is made within a month; the text does not wait for one that is never made.
REPORT_MADE_WITHIN = timedelta(days=31)


class Mood(StrEnum):
    """How the evening felt."""

    CALM = auto()
    LIVELY = auto()
    TENSE = auto()


class YoungPeople(StrEnum):
    """About how many young people the team met."""

    NONE = auto()
    UP_TO_10 = auto()
    UP_TO_30 = auto()
    OVER_30 = auto()


class Happened(StrEnum):
    """The kind of event that marked the evening."""

    NOTHING = auto()
    HELPED = auto()
    DRINKING = auto()
    TROUBLE = auto()


class CheckItem(StrEnum):
    """The leader's checklist, in the order of the evening."""

    BRIEFING = auto()
    VESTS_OUT = auto()
    POLICE_TOLD = auto()
    VESTS_BACK = auto()
    POLICE_TOLD_BACK = auto()


class Stage(StrEnum):
    """Where the evening stands for one walker: what the one button says next."""

    COMING = auto()
    HERE = auto()
    OUT = auto()
    DONE = auto()
    NOTED = auto()


class Silence(StrEnum):
    """Why the coordinator should call a team."""

    NOBODY_HERE = auto()
    NOT_OUT = auto()
    NOT_HEARD = auto()
    NOT_BACK = auto()


class NotOnShift(NotFound):
    """Not on this shift, or there is no such shift: the answer is the same."""

    room: ClassVar[str] = "walks"


class NotYet(Conflict):
    """The evening has not come."""

    room: ClassVar[str] = "walks"

    def __init__(self, opens_at: datetime) -> None:
        super().__init__(opens_at)
        self.opens_at = opens_at


class NotWalking(Conflict):
    """The shift is called off or was never published: nobody walks it."""

    room: ClassVar[str] = "walks"


class TooFew(Conflict):
    """Fewer than the minimum are here: the team does not walk."""

    room: ClassVar[str] = "walks"

    def __init__(self, here: int, minimum: int) -> None:
        super().__init__(here, minimum)
        self.here, self.minimum = here, minimum


class NotOut(Conflict):
    """The team has not gone out, so it cannot be done."""

    room: ClassVar[str] = "walks"


class NoteClosed(Conflict):
    """The team's days to write the note are over; the coordinator can still mend it."""

    room: ClassVar[str] = "walks"


def stage(*, here: bool, out_at: datetime | None, done_at: datetime | None, noted: bool) -> Stage:
    """Return where the evening stands."""
    if noted:
        return Stage.NOTED
    if done_at is not None:
        return Stage.DONE
    if out_at is not None:
        return Stage.OUT
    return Stage.HERE if here else Stage.COMING


def check_going_on(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raise NotYet before the evening opens, six hours before the start, and NoteClosed long after its end."""
    if now < starts_at - OPENS_BEFORE:
        raise NotYet(starts_at - OPENS_BEFORE)
    if now > ends_at + TEAM_MAY_WRITE:
        raise NoteClosed


def tapped_at(now: datetime, waited_seconds: int, starts_at: datetime) -> datetime:
    """Return when a check-in was tapped that waited for a signal; never before the evening opened."""
    waited = min(timedelta(seconds=max(waited_seconds, 0)), LONGEST_WAIT)
    return max(now - waited, min(now, starts_at - OPENS_BEFORE))


def silence(
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    *,
    here: int,
    out_at: datetime | None,
    done_at: datetime | None,
    heard_at: datetime | None,
) -> Silence | None:
    """Return why a team should be called, or None: nobody here at the start, not out half an hour later,
    silent for two hours, not back half an hour after the end."""
    if done_at is not None or now < starts_at:
        return None
    if out_at is None:
        if here == 0:
            return Silence.NOBODY_HERE
        return Silence.NOT_OUT if now >= starts_at + LATE_OUT else None
    if now >= ends_at + LATE_BACK:
        return Silence.NOT_BACK
    return Silence.NOT_HEARD if now - max(heard_at or out_at, out_at) >= SILENT_AFTER else None


@dataclass(frozen=True, slots=True)
class Answers:
    """The four choices of a note and its short text, accepted."""

    mood: Mood
    young_people: YoungPeople
    happened: Happened
    follow_up: bool
    text: str


def note_text(typed: str) -> str:
    """Return the text with its white space mended. Raises Invalid("text", "too_long") over 500 characters."""
    text = "\n".join(" ".join(line.split()) for line in typed.strip().splitlines())
    if len(text) > LONGEST_TEXT_CHARACTERS:
        raise Invalid("text", "too_long")
    return text


# A telephone number, an identity number, a registration plate.
_NUMBER = re.compile(r"\+?\d(?:[\s\-/]?\d){5,}|\b[A-ZÅÄÖ]{3}[ ]?\d{2}[\dA-Z]\b", re.IGNORECASE)
# A word with a capital that does not begin a sentence.
_NAME = re.compile(r"(?<=[^\s.!?:\n])[ ,(]+([A-ZÅÄÖÉ][a-zåäöéü]{2,}(?:[ -][A-ZÅÄÖÉ][a-zåäöéü]+)*)")
_FREE_WORDS = frozenset({"Polisen", "Halloween", "Lucia", "Valborg", "Systembolaget", "Facebook", "Snapchat"})


def looks_personal(text: str, places: frozenset[str] = frozenset()) -> list[str]:
    """Return the parts of a text that look like a person's name or number, in order of reading.

    `places` are names that are no persons (areas, clubs). A guess that warns, never one that refuses.
    """
    found = [(match.start(), match.group()) for match in _NUMBER.finditer(text)]
    known = _FREE_WORDS | {word for place in places for word in place.split()} | places
    for match in _NAME.finditer(text):
        name = match.group(1)
        if not set(name.split()) <= known and name not in known:
            found.append((match.start(1), name))
    return [part for _, part in sorted(found)]


def quarter_end(day: date) -> date:
    """Return the last day of the quarter that holds `day`."""
    month = 3 * ((day.month - 1) // 3) + 4
    first_of_next = date(day.year + 1, 1, 1) if month > 12 else date(day.year, month, 1)  # noqa: PLR2004 - December
    return first_of_next - timedelta(days=1)


def text_forgotten_on(night: date, reported_on: date | None) -> date:
    """Return the first day without a note's text: 90 days after the quarter's report, and where none was made,
    90 days after the month in which it should have been."""
    return (reported_on or quarter_end(night) + REPORT_MADE_WITHIN) + TEXT_KEPT

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from scheduler.kit.refusals import Conflict, NotFound
from scheduler.messages.rules import MessageKind, allowed_at
from scheduler.nights.rules import ShiftState
from scheduler.people.rules import is_adult

FREE_TO_CANCEL = timedelta(hours=24)
FIRST_TO_ANSWER = timedelta(hours=3)
PHONES_SHOWN = timedelta(hours=24)


class BookingState(StrEnum):
    BOOKED = "booked"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    ATTENDED = "attended"
    NO_SHOW = "no_show"


ACTIVE = (BookingState.BOOKED, BookingState.WAITING, BookingState.ATTENDED, BookingState.NO_SHOW)


class Ended(StrEnum):
    """Why a booking is cancelled."""

    CANCELLED = "cancelled"
    COULD_NOT_COME = "could_not_come"
    HANDED_OVER = "handed_over"
    DECLINED = "declined"
    OFFER_EXPIRED = "offer_expired"
    BOOKED_ELSEWHERE = "booked_elsewhere"
    CALLED_OFF = "called_off"
    TAKEN_OFF = "taken_off"


class BookingRefusal(Conflict):
    room = "bookings"


class Full(BookingRefusal):
    """Every place is taken or held; the queue is open."""

    def __init__(self, waiting: int = 0) -> None:
        super().__init__(waiting)
        self.waiting = waiting


class TooYoung(BookingRefusal):
    """Not yet 18 on the date of the night."""


class NotAMember(BookingRefusal):
    """No approved membership; `pending` says that one waits for approval."""

    def __init__(self, *, pending: bool) -> None:
        super().__init__(pending)
        self.pending = pending


@dataclass(frozen=True, slots=True)
class OtherWalk:
    """The walk that a refused booking would overlap."""

    booking_id: int
    date: date
    area: str
    starts_at: datetime
    ends_at: datetime


class Overlapping(BookingRefusal):
    """The person holds a place at that time already."""

    def __init__(self, other: OtherWalk) -> None:
        super().__init__(other)
        self.other = other


class Begun(BookingRefusal):
    """The shift has started."""


class CalledOff(BookingRefusal):
    """The shift is called off."""


class NotPublished(NotFound):
    """The shift is still being planned; to a volunteer it does not exist."""

    room = "bookings"


class NotYours(NotFound):
    """Somebody else's booking, or none: the answer is the same."""

    room = "bookings"


class AlreadyEnded(BookingRefusal):
    """The booking is cancelled, or the walk is over."""


class TooLateToCancel(BookingRefusal):
    """Less than 24 hours left: hand over, or say that you cannot come."""

    def __init__(self, booking_id: int) -> None:
        super().__init__(booking_id)
        self.booking_id = booking_id


class TooEarly(BookingRefusal):
    """Attendance can be written once the shift has begun."""


class NothingOffered(BookingRefusal):
    """No place is offered to this person, or the deadline has passed."""


class TakenByAnother(BookingRefusal):
    """Somebody else was first."""


class NotHandedOver(BookingRefusal):
    """The walk is not being handed over, or not to this person."""


class ClubFirst(BookingRefusal):
    """The host club's own members take the places until a moment; this person is none of them."""

    def __init__(self, club: str, until: datetime) -> None:
        super().__init__(club, until)
        self.club = club
        self.until = until


class ChangedMeanwhile(BookingRefusal):
    """Another coordinator has changed the shift since it was read; `by` is her name, "" when nobody's."""

    def __init__(self, by: str = "") -> None:
        super().__init__(by)
        self.by = by


class PlacesTaken(BookingRefusal):
    """Fewer places than are booked or held; `taken` says how many those are."""

    def __init__(self, taken: int) -> None:
        super().__init__(taken)
        self.taken = taken


class CannotAllCome(BookingRefusal):
    """People of the shift walk elsewhere, or are under 18, at the time that it would be moved to."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(names)
        self.names = names


class NotCalledOff(BookingRefusal):
    """The shift is not called off, or its time has passed, so there is nothing to reinstate."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What must be known to decide whether a person may take a place. Read under the person's hold."""

    state: ShiftState
    night: date
    starts_at: datetime
    born_on: date
    approved: bool
    pending: bool
    overlapping: OtherWalk | None
    kept_for: tuple[str, datetime] | None = None


def check_shift_open(state: ShiftState, starts_at: datetime, now: datetime) -> None:
    """Raise NotPublished, CalledOff or Begun unless places on the shift can be taken."""
    if state is ShiftState.PLANNED:
        raise NotPublished
    if state is ShiftState.CALLED_OFF:
        raise CalledOff
    if now >= starts_at or state is ShiftState.WALKED:
        raise Begun


def check_may_take(facts: Facts, now: datetime) -> None:
    """Raise the first reason why the person may not take a place: rules 1, 2 and 4 of the domain, and that
    the host club's members come first (`kept_for` is that club, not the person's, and until when)."""
    check_shift_open(facts.state, facts.starts_at, now)
    if not facts.approved:
        raise NotAMember(pending=facts.pending)
    if not is_adult(facts.born_on, facts.night):
        raise TooYoung
    if facts.overlapping is not None:
        raise Overlapping(facts.overlapping)
    if facts.kept_for is not None and now < facts.kept_for[1]:
        raise ClubFirst(*facts.kept_for)


def overlap(starts_at: datetime, ends_at: datetime, other_starts_at: datetime, other_ends_at: datetime) -> bool:
    """Return whether two shifts share time; one that starts when the other ends does not."""
    return starts_at < other_ends_at and other_starts_at < ends_at


def may_cancel_freely(starts_at: datetime, now: datetime) -> bool:
    """Return whether at least 24 hours are left."""
    return starts_at - now >= FREE_TO_CANCEL


ALLOWANCES = (
    (timedelta(days=7), timedelta(hours=24)),
    (timedelta(days=2), timedelta(hours=12)),
    (timedelta(days=1), timedelta(hours=4)),
    (timedelta(hours=0), timedelta(hours=1)),
)


def answer_before(told_at: datetime, starts_at: datetime) -> datetime | None:
    """Return until when a freed place is kept for the first in line, who is told at `told_at`.

    A day when a week is left, twelve hours with two days, four hours with one day, an hour on the same day,
    and never into the last three hours. None when under three hours are left: the first to answer gets it.
    """
    left = starts_at - told_at
    if left <= FIRST_TO_ANSWER:
        return None
    allowance = next(allowance for least, allowance in ALLOWANCES if left >= least)
    return min(told_at + allowance, starts_at - FIRST_TO_ANSWER)


TWO_DAYS_USELESS = timedelta(hours=12)


def reminders_at(night: date, starts_at: datetime, zone: ZoneInfo) -> dict[MessageKind, datetime]:
    """Return when each reminder of a walk is due: two days before at 18:00 local time, and three hours before
    the start, both moved out of the quiet hours (rule 9)."""
    two_days = datetime.combine(night - timedelta(days=2), time(18), tzinfo=zone).astimezone(UTC)
    return {
        MessageKind.REMINDER_TWO_DAYS: two_days,
        MessageKind.REMINDER_THREE_HOURS: allowed_at(starts_at - timedelta(hours=3), zone, starts_at),
    }


def reminder_deadline(kind: MessageKind, starts_at: datetime) -> datetime:
    """Return after when a reminder is not sent any more: the first one twelve hours before the start (the
    second is near), the second at the start."""
    return starts_at - TWO_DAYS_USELESS if kind is MessageKind.REMINDER_TWO_DAYS else starts_at


def phones_visible(starts_at: datetime, now: datetime, *, noted: bool) -> bool:
    """Return whether people of one shift see each other's numbers: from 24 hours before until the walk note."""
    return starts_at - now <= PHONES_SHOWN and not noted

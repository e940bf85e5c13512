import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo

QUIET_FROM = time(21)
QUIET_UNTIL = time(8)
SOON = timedelta(hours=6)

# The GSM 03.38 default alphabet; the second line counts two characters each.
GSM7_ONE = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_TWO = frozenset("^{}\\[~]|€")
GSM7 = GSM7_ONE | GSM7_TWO
ONE_SEGMENT_CHARACTERS = 160
OF_SEVERAL_CHARACTERS = 153
LIKENESSES = str.maketrans(
    {"–": "-", "—": "-", "’": "'", "‘": "'", "”": '"', "“": '"', "…": "...", "ł": "l", "Ł": "L", "ð": "d",  # noqa: RUF001
     "Ð": "D", "þ": "th", "Þ": "Th", "đ": "d", "Đ": "D", "œ": "oe", "Œ": "OE", "\u00a0": " "}
)  # fmt: skip


class MessageState(StrEnum):
    """Where a message stands: the whole list.

    `sending` is claimed by a worker; `unknown` was handed to the operator, whose answer never came; `unsettled`
    could not be found out and waits for a person. `expired` and `dropped` were never sent: too late, or no
    longer so.
    """

    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    UNSETTLED = "unsettled"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    EXPIRED = "expired"
    DROPPED = "dropped"


# What left us, or may have: it counts as asked, and as paid.
LEFT = (
    MessageState.SENDING,
    MessageState.UNKNOWN,
    MessageState.UNSETTLED,
    MessageState.SENT,
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
)


class MessageKind(StrEnum):
    SIGN_IN_CODE = "sign_in_code"
    NUMBER_CODE = "number_code"
    NUMBER_CHANGED = "number_changed"
    NUMBER_ASKED = "number_asked"
    APPROVED = "approved"
    INVITED = "invited"
    REMINDER_TWO_DAYS = "reminder_two_days"
    REMINDER_THREE_HOURS = "reminder_three_hours"
    PLACE_OFFERED = "place_offered"
    PLACE_FREE_FIRST_ANSWER = "place_free_first_answer"
    PLACE_YOURS = "place_yours"
    OFFER_ENDED = "offer_ended"
    HAND_OVER_OFFERED = "hand_over_offered"
    HAND_OVER_ASKED = "hand_over_asked"
    HAND_OVER_TAKEN = "hand_over_taken"
    HAND_OVER_DECLINED = "hand_over_declined"
    GAP_ASKED = "gap_asked"
    LATE_CANCELLATION = "late_cancellation"
    CALLED_OFF = "called_off"
    MOVED = "moved"
    OTHER_PLACE = "other_place"
    REINSTATED = "reinstated"
    PUT_ON = "put_on"
    TAKEN_OFF = "taken_off"
    ANSWER = "answer"
    PASSED_ON = "passed_on"
    NOTICE = "notice"
    CEILING_NEAR = "ceiling_near"


class Reply(StrEnum):
    """What an answer by SMS is answered with; the wording stands in `replies.py`. No word is
    one of MessageKind's too: words of equal letters are equal."""

    COMING = "coming"
    CANCELLED = "cancelled"
    CANCELLED_LATE = "cancelled_late"
    PLACE_YOURS = "place_taken"
    DECLINED = "declined"
    ANSWERED_ALREADY = "answered_already"
    TOO_LATE = "too_late"
    TAKEN_BY_ANOTHER = "taken_by_another"
    NOT_POSSIBLE = "not_possible"
    NOTHING_ASKED = "nothing_asked"
    CHOOSE = "choose"
    WALKS = "walks"
    NO_WALKS = "no_walks"
    HELP = "help"
    STOPPED = "stopped"
    STARTED = "started"
    PASSED_ON = "words_passed_on"
    UNCLEAR = "unclear"


class QuestionKind(StrEnum):
    """What a text asks, so that JA and NEJ mean something. `subject_id` is the booking (or, for a room above,
    the row of its own) that it is about."""

    COMING = "coming"
    PLACE_OFFERED = "place_offered"
    HAND_OVER = "hand_over"
    CHOICE = "choice"
    GAP = "gap"


class Answer(StrEnum):
    YES = "yes"
    NO = "no"


class Lane(IntEnum):
    """The order of leaving. The first lane has a sender of its own, so that a code never waits behind others."""

    AT_ONCE = 0
    SOON = 1
    PLANNED = 2
    MANY = 3


AT_ONCE = frozenset({MessageKind.SIGN_IN_CODE, MessageKind.NUMBER_CODE, MessageKind.NUMBER_CHANGED, MessageKind.ANSWER})
REMINDERS = frozenset({MessageKind.REMINDER_TWO_DAYS, MessageKind.REMINDER_THREE_HOURS})
# What a person asked for a moment ago may come at any hour.
ANY_HOUR = AT_ONCE
# The number itself is being proven: neither STOPP nor a preference is in the way.
CODES = frozenset({MessageKind.SIGN_IN_CODE, MessageKind.NUMBER_CODE})
# Where the month's ceiling holds. Reminders, codes, answers and changes of one's own walk always go.
UNDER_CEILING = frozenset({MessageKind.NOTICE, MessageKind.INVITED, MessageKind.HAND_OVER_ASKED, MessageKind.GAP_ASKED})


def lane_of(kind: MessageKind) -> Lane:
    """Return the lane in which a text of this kind leaves."""
    if kind in AT_ONCE:
        return Lane.AT_ONCE
    if kind in REMINDERS:
        return Lane.PLANNED
    return Lane.MANY if kind in {MessageKind.NOTICE, MessageKind.INVITED} else Lane.SOON


class TextGroup(StrEnum):
    """What a person can switch off. What is in no group comes as long as the person has not said STOPP."""

    TWO_DAYS = "two_days"
    THREE_HOURS = "three_hours"
    REQUESTS = "requests"
    NEWS = "news"


GROUPS = {
    MessageKind.REMINDER_TWO_DAYS: TextGroup.TWO_DAYS,
    MessageKind.REMINDER_THREE_HOURS: TextGroup.THREE_HOURS,
    MessageKind.HAND_OVER_ASKED: TextGroup.REQUESTS,
    MessageKind.GAP_ASKED: TextGroup.REQUESTS,
    MessageKind.NOTICE: TextGroup.NEWS,
}


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Between which local times a person is left alone. Nobody's are shorter than 21:00 to 08:00."""

    starts: time = QUIET_FROM
    ends: time = QUIET_UNTIL


EVERYBODYS = QuietHours()


def allowed_at(
    wanted: datetime, zone: ZoneInfo, shift_starts_at: datetime | None = None, quiet: QuietHours = EVERYBODYS
) -> datetime:
    """Return the first instant at or after `wanted` at which a text may leave: not in the quiet hours (21:00 to
    08:00 local time, or the person's own longer ones), except about a shift that starts within six hours."""
    if shift_starts_at is not None and shift_starts_at - wanted <= SOON:
        return wanted
    local = wanted.astimezone(zone)
    if quiet.ends <= local.time() < quiet.starts:
        return wanted
    morning_date = local.date() if local.time() < quiet.ends else local.date() + timedelta(days=1)
    morning = datetime.combine(morning_date, quiet.ends, tzinfo=zone).astimezone(wanted.tzinfo)
    if shift_starts_at is None:
        return morning
    return max(wanted, min(morning, shift_starts_at - SOON))


def to_gsm7(text: str) -> str:
    """Return the text in the GSM-7 alphabet, so that a name cannot turn one segment into three: letters
    lose marks that the alphabet lacks (ł is l, ç is c), and what has no likeness is left out."""
    if GSM7.issuperset(text):
        return text.replace("\r", " ")
    kept = []
    for character in text.translate(LIKENESSES):
        if character in GSM7:
            kept.append(character)
            continue
        bare = unicodedata.normalize("NFKD", character)
        kept.extend(part for part in bare if part in GSM7_ONE)
    return "".join(kept).replace("\r", " ")


def gsm7_length(text: str) -> int:
    """Return how many GSM-7 characters the text takes; 160 fit one segment."""
    return len(text) + sum(text.count(character) for character in GSM7_TWO)


def segments(text: str) -> int:
    """Return how many segments a GSM-7 text is sent (and paid) as. A character of two never lies across two."""
    if gsm7_length(text) <= ONE_SEGMENT_CHARACTERS:
        return 1
    filled, count = 0, 1
    for character in text:
        width = 2 if character in GSM7_TWO else 1
        if filled + width > OF_SEVERAL_CHARACTERS:
            filled, count = 0, count + 1
        filled += width
    return count


def not_in_alphabet(text: str) -> list[str]:
    """Return the characters that cannot be sent as they are, each once, in their order."""
    return [character for character in dict.fromkeys(text) if character not in GSM7]


def lasts_until(spent_ore: int, ceiling_ore: int, day: int) -> int:
    """Return on which day of a month of this spending the ceiling is reached, at the pace so far."""
    if spent_ore <= 0:
        return 99
    return math.floor(ceiling_ore / (spent_ore / day))

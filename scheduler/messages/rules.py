import unicodedata
from datetime import datetime, time, timedelta
from enum import StrEnum
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
LIKENESSES = str.maketrans(
    {"–": "-", "—": "-", "’": "'", "‘": "'", "”": '"', "“": '"', "…": "...", "ł": "l", "Ł": "L", "ð": "d",  # noqa: RUF001
     "Ð": "D", "þ": "th", "Þ": "Th", "đ": "d", "Đ": "D", "œ": "oe", "Œ": "OE", "\u00a0": " "}
)  # fmt: skip


class MessageState(StrEnum):
    """Where a message stands. `expired` and `dropped` were never sent: too late, or no longer so."""

    QUEUED = "queued"
    SENT = "sent"
    EXPIRED = "expired"
    DROPPED = "dropped"


class MessageKind(StrEnum):
    SIGN_IN_CODE = "sign_in_code"
    APPROVED = "approved"
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
    LATE_CANCELLATION = "late_cancellation"


def allowed_at(wanted: datetime, zone: ZoneInfo, shift_starts_at: datetime | None = None) -> datetime:
    """Return the first instant at or after `wanted` at which a text may leave: not between 21:00 and 08:00
    local time, except about a shift that starts within six hours."""
    if shift_starts_at is not None and shift_starts_at - wanted <= SOON:
        return wanted
    local = wanted.astimezone(zone)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return wanted
    morning_date = local.date() if local.time() < QUIET_UNTIL else local.date() + timedelta(days=1)
    morning = datetime.combine(morning_date, QUIET_UNTIL, tzinfo=zone).astimezone(wanted.tzinfo)
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

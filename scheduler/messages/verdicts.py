"""What an operator's answer means, as a table: pure, without the operator's library.

Codes and what they mean: twilio.com/docs/api/errors/NNNNN. A create that timed out, was reset or gave 5xx may
have been sent ("sending an SMS is not idempotent", errors/20500): it is unknown, never simply tried again.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from scheduler.messages.rules import MessageState


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    DEAD_NUMBER = "dead_number"
    OPTED_OUT = "opted_out"
    REFUSED = "refused"
    SET_UP = "set_up"
    LATER = "later"
    UNKNOWN = "unknown"
    TOO_LATE = "too_late"
    NOT_CALLED = "not_called"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call. `code` is the operator's error code or our own word for the fault."""

    verdict: Verdict
    sid: str | None = None
    status: str = ""
    code: str = ""
    retry_after: timedelta | None = None


DEAD_NUMBERS = frozenset({21211, 21614, 21635, 30005, 30006})
OPTED_OUT = 21610
CONTENT = frozenset({30004, 30007, 21617, 21602})
SET_UP = frozenset({20003, 20404, 21212, 21408, 21603, 21606, 21608, 21612, 21659, 21703, 30002})
NEVER_PROCESSED = frozenset({20429, 21611})
TOO_LATE = 30036
MAY_PASS = frozenset({30001, 30003, 30008, 30500})

TOO_MANY_REQUESTS = 429
SERVER_ERRORS = 500
NOT_OUR_ACCOUNT = frozenset({401, 403, 404})


def verdict_of(status: int, code: int) -> Verdict:
    """Return what an error answer means, from its HTTP status and the operator's code."""
    if code in SET_UP:
        return Verdict.SET_UP
    if code in NEVER_PROCESSED or status == TOO_MANY_REQUESTS:
        return Verdict.LATER
    if status >= SERVER_ERRORS:
        return Verdict.UNKNOWN
    if code in DEAD_NUMBERS:
        return Verdict.DEAD_NUMBER
    if code == OPTED_OUT:
        return Verdict.OPTED_OUT
    if code == TOO_LATE:
        return Verdict.TOO_LATE
    if status in NOT_OUR_ACCOUNT:
        return Verdict.SET_UP
    return Verdict.REFUSED


# The operator's words for where a message stands, and ours. An unknown word changes nothing.
STATUSES = {
    "accepted": MessageState.SENT,
    "scheduled": MessageState.SENT,
    "queued": MessageState.SENT,
    "sending": MessageState.SENT,
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "read": MessageState.DELIVERED,
    "partially_delivered": MessageState.UNDELIVERED,
    "undelivered": MessageState.UNDELIVERED,
    "failed": MessageState.UNDELIVERED,
    "canceled": MessageState.UNDELIVERED,
}
# From where a receipt may move a message: only forward. `queued` is one that was given up as not sent, and was.
FORWARD = {
    MessageState.SENT: (MessageState.SENDING, MessageState.UNKNOWN, MessageState.UNSETTLED),
    MessageState.UNDELIVERED: (
        MessageState.SENDING,
        MessageState.UNKNOWN,
        MessageState.UNSETTLED,
        MessageState.SENT,
    ),
    MessageState.DELIVERED: (
        MessageState.SENDING,
        MessageState.UNKNOWN,
        MessageState.UNSETTLED,
        MessageState.SENT,
        MessageState.UNDELIVERED,
    ),
}

"""Writing down what became of calls, each under the claim that it was made with."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, case, or_, update

from scheduler.messages import standing
from scheduler.messages.halt import halt
from scheduler.messages.outbox import Leaving
from scheduler.messages.rules import MessageState
from scheduler.messages.tables import Message
from scheduler.messages.verdicts import Outcome, Verdict

TRY_AGAIN = timedelta(seconds=20)
LONGEST_PAUSE = timedelta(minutes=15)

_RECORD_SENT = (
    update(Message)
    .where(
        Message.id == bindparam("row_id"),
        Message.claim == bindparam("token"),
        or_(Message.state == MessageState.SENDING, Message.state == MessageState.UNKNOWN),
    )
    .values(state=MessageState.SENT, sid=bindparam("operators_sid"), sent_at=bindparam("now"), error=None)
)


def record_all(
    connection: Connection,
    answered: Sequence[tuple[Leaving, Outcome]],
    now: datetime,
    pause: timedelta = TRY_AGAIN,
) -> None:
    """Write what became of calls, where the claim still stands. `pause` is the shortest time until a text that
    the operator would not take now is tried again."""
    # Where a receipt came before the call returned, the row is past this already.
    sent = [
        {"row_id": leaving.id, "token": leaving.claim, "operators_sid": outcome.sid, "now": now}
        for leaving, outcome in answered
        if outcome.verdict is Verdict.ACCEPTED
    ]
    if sent:
        connection.execute(_RECORD_SENT, sent)
    for leaving, outcome in answered:
        if outcome.verdict is not Verdict.ACCEPTED:
            _record_other(connection, leaving, outcome, now, pause)


def _record_other(connection: Connection, leaving: Leaving, outcome: Outcome, now: datetime, pause: timedelta) -> None:
    mine = (
        update(Message)
        .where(Message.id == leaving.id, Message.claim == leaving.claim, Message.state == MessageState.SENDING)
        .values(error=outcome.code or None)
    )
    match outcome.verdict:
        case Verdict.UNKNOWN:
            mine = mine.values(state=MessageState.UNKNOWN)
        case Verdict.SET_UP:
            halt(connection, outcome.code, now)
            mine = mine.values(**_back(now))
        case Verdict.LATER:
            later = now + _pause(outcome, leaving.attempt, pause)
            mine = mine.values(**{**_back(later), "attempts": Message.attempts})
        case Verdict.NOT_CALLED:
            mine = mine.values(**_back(now))
        case Verdict.TOO_LATE:
            mine = mine.values(state=MessageState.EXPIRED, settled_at=now)
        case _:
            mine = mine.values(state=MessageState.FAILED, settled_at=now)
    if outcome.verdict is Verdict.DEAD_NUMBER:
        standing.note_dead(connection, leaving.phone, outcome.code, now)
    if outcome.verdict is Verdict.OPTED_OUT:
        standing.stop(connection, leaving.phone, now)
    connection.execute(mine)


def _back(due_at: datetime) -> dict[str, object]:
    # A text waits its turn from when it was due; one that is put off waits from then.
    return {
        "state": MessageState.QUEUED,
        "claim": None,
        "claimed_at": None,
        "attempts": Message.attempts - 1,
        "due_at": case((Message.due_at > due_at, Message.due_at), else_=due_at),
    }


def _pause(outcome: Outcome, attempt: int, pause: timedelta) -> timedelta:
    return min(outcome.retry_after or pause * 2 ** min(attempt - 1, 6), LONGEST_PAUSE)

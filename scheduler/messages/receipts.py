"""What the operator tells of a text after it has taken it: by its webhook, when asked, or when looked up.

Receipts come early, late, doubled and in any order: a text only ever moves forward.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select, update

from scheduler.kit.database import AnyRow
from scheduler.messages import standing
from scheduler.messages.cleaning import KEPT, forget_at_operator
from scheduler.messages.port import Found
from scheduler.messages.rules import MessageState
from scheduler.messages.tables import Message
from scheduler.messages.verdicts import DEAD_NUMBERS, FORWARD, MAY_PASS, OPTED_OUT, STATUSES, TOO_LATE

ONCE_MORE_AFTER = timedelta(minutes=30)
MOST_ATTEMPTS = 5
GIVEN_UP_AFTER = timedelta(hours=1)
POLLED_AFTER = timedelta(hours=1)
POLLED_UNTIL = timedelta(hours=24)
AT_ONCE_MOST = 20


def nonce(secret_key: str, message_id: int, attempt: int) -> str:
    """Return the last part of a try's callback address: which try it was, and proof that the address is ours."""
    mac = hmac.new(secret_key.encode(), f"sms:{message_id}:{attempt}".encode(), hashlib.sha256).hexdigest()
    return f"{attempt}-{mac[:20]}"


def attempt_of(secret_key: str, message_id: int, given: str) -> int | None:
    """Return which try a callback address speaks of; None for one that is not ours."""
    attempt = given.partition("-")[0]
    if not attempt.isascii() or not attempt.isdecimal() or len(attempt) > 4:  # noqa: PLR2004 - nobody tries so often
        return None
    return int(attempt) if hmac.compare_digest(given, nonce(secret_key, message_id, int(attempt))) else None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the operator says: its id of the text, its word for where it stands, and an error code or ""."""

    sid: str
    status: str
    code: str


def note_receipt(connection: Connection, message_id: int, receipt: Receipt, now: datetime, attempt: int = 0) -> bool:
    """Move a text forward by a receipt; return whether it moved. An unknown word or text changes nothing.

    `attempt` is the try that the receipt speaks of; 0 where it is surely the present one.
    """
    state = STATUSES.get(receipt.status)
    if state is None:
        return False
    code = int(receipt.code) if receipt.code.isdecimal() else 0
    row = connection.execute(
        select(Message.attempts, Message.state, Message.deadline_at, Message.to_phone, Message.sid).where(
            Message.id == message_id
        )
    ).first()
    if row is None:
        return False
    _note_number(connection, row.to_phone, state, code, now)
    if attempt and attempt != row.attempts:
        # An earlier try than the present one: only that it arrived still counts, or that it left after all.
        left_after_all = state is not MessageState.UNDELIVERED and row.state is MessageState.QUEUED and row.sid is None
        if state is not MessageState.DELIVERED and not left_after_all:
            return False
    before = FORWARD[state]
    if state is not MessageState.UNDELIVERED and row.sid is None:
        before = (*before, MessageState.QUEUED)
    change = update(Message).where(Message.id == message_id, Message.state.in_(before))
    if state is MessageState.UNDELIVERED and code == TOO_LATE:
        state = MessageState.EXPIRED
    may_pass = code in MAY_PASS and row.attempts < 2 and row.deadline_at > now + ONCE_MORE_AFTER  # noqa: PLR2004
    if state is MessageState.UNDELIVERED and may_pass:
        forget_at_operator(connection, [receipt.sid], now + KEPT)  # the next try gets an id of its own
        change = change.values(
            state=MessageState.QUEUED, sid=receipt.sid, due_at=now + ONCE_MORE_AFTER, error=str(code), claim=None
        )
        return connection.execute(change).rowcount == 1
    settled_at = now if state is not MessageState.SENT else None
    change = change.values(state=state, sid=receipt.sid, error=str(code) if code else None, settled_at=settled_at)
    if row.state in {MessageState.SENDING, MessageState.UNKNOWN, MessageState.UNSETTLED, MessageState.QUEUED}:
        change = change.values(sent_at=now)
    return connection.execute(change).rowcount == 1


def _note_number(connection: Connection, phone: str, state: MessageState, code: int, now: datetime) -> None:
    if not phone:  # forgotten meanwhile
        return
    if code in DEAD_NUMBERS:
        standing.note_dead(connection, phone, str(code), now)
    elif code == OPTED_OUT:
        standing.stop(connection, phone, now)
    elif state is MessageState.DELIVERED:
        standing.revive(connection, phone)


def note_stale(connection: Connection, claimed_before: datetime) -> int:
    """Call unknown what a worker claimed before then and has said nothing of: it has died in the middle."""
    return connection.execute(
        update(Message)
        .where(Message.state == MessageState.SENDING, Message.claimed_at <= claimed_before)
        .values(state=MessageState.UNKNOWN, error="worker_died")
    ).rowcount


def take_unknown(
    connection: Connection, claimed_before: datetime, asked_before: datetime, now: datetime
) -> list[AnyRow]:
    """Take unknown texts to look up at the operator, each at most once in a while, whoever asks."""
    wanted = (
        select(Message.id)
        .where(
            Message.state == MessageState.UNKNOWN,
            Message.claimed_at <= claimed_before,
            or_(Message.looked_at.is_(None), Message.looked_at <= asked_before),
        )
        .order_by(Message.claimed_at)
        .limit(AT_ONCE_MOST)
        .with_for_update(skip_locked=True)
        .cte("wanted")
    )
    return list(
        connection.execute(
            update(Message)
            .where(Message.id.in_(select(wanted.c.id)), Message.state == MessageState.UNKNOWN)
            .values(looked_at=now)
            .returning(
                Message.id,
                Message.to_phone,
                Message.body,
                Message.claim,
                Message.claimed_at,
                Message.attempts,
                Message.due_at,
                Message.deadline_at,
            )
        )
    )


def settle_unknown(connection: Connection, row: AnyRow, found: Sequence[Found] | None, now: datetime) -> None:
    """Decide about an unknown text by what the operator knows (None: it could not be asked).

    Found: it was sent. Not found: it was not, and goes out once more while there is time. What cannot be found
    out in an hour is left to a person.
    """
    mine = update(Message).where(
        Message.id == row.id, Message.claim == row.claim, Message.state == MessageState.UNKNOWN
    )
    known = set()
    if found:
        sids = [one.sid for one in found]
        known = set(connection.execute(select(Message.sid).where(Message.sid.in_(sids))).scalars())
    match = next((one for one in found or () if one.sid not in known), None)
    if match is not None:
        note_receipt(connection, row.id, Receipt(match.sid, match.status, match.code), now)
    elif found is None:
        if now >= max(row.claimed_at, row.deadline_at) + GIVEN_UP_AFTER:
            connection.execute(mine.values(state=MessageState.UNSETTLED, settled_at=now))
    elif row.deadline_at <= now:
        connection.execute(mine.values(state=MessageState.EXPIRED, settled_at=now))
    elif row.attempts >= MOST_ATTEMPTS:
        connection.execute(mine.values(state=MessageState.UNSETTLED, settled_at=now))
    else:
        due_at = max(row.due_at, now)
        connection.execute(
            mine.values(state=MessageState.QUEUED, due_at=due_at, claim=None, claimed_at=None, error=None)
        )


def take_silent(connection: Connection, now: datetime) -> list[AnyRow]:
    """Take texts that left over an hour ago and of which no receipt has come, to ask about."""
    wanted = (
        select(Message.id)
        .where(
            Message.state == MessageState.SENT,
            Message.sid.is_not(None),
            Message.sent_at <= now - POLLED_AFTER,
            Message.sent_at >= now - POLLED_UNTIL,
            or_(Message.looked_at.is_(None), Message.looked_at <= now - POLLED_AFTER),
        )
        .limit(AT_ONCE_MOST)
        .with_for_update(skip_locked=True)
        .cte("wanted")
    )
    return list(
        connection.execute(
            update(Message)
            .where(Message.id.in_(select(wanted.c.id)))
            .values(looked_at=now)
            .returning(Message.id, Message.sid)
        )
    )

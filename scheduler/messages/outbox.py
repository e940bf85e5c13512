"""The outbox as the worker sees it: claim, read the facts again, and write down what became of it.

A claim is committed before the operator is called, and every outcome is written under its claim, so that any
number of workers on any number of machines may do this at once. No transaction lasts over a call.
"""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, case, or_, select, update
from sqlalchemy.exc import DBAPIError

from scheduler.kit.database import AnyRow
from scheduler.messages import standing
from scheduler.messages.halt import halt
from scheduler.messages.rules import (
    ANY_HOUR,
    CODES,
    GROUPS,
    UNDER_CEILING,
    MessageState,
    Reply,
    TextGroup,
    allowed_at,
    segments,
)
from scheduler.messages.spending import at_ceiling
from scheduler.messages.tables import Message
from scheduler.messages.texts import render
from scheduler.messages.verdicts import Outcome, Verdict
from scheduler.partnership.tables import Partnership

log = logging.getLogger("scheduler.messages")
TRY_AGAIN = timedelta(seconds=20)
LONGEST_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A text as it is now: to whom, in which language, of which words. `due_at` moves one that is not due yet."""

    phone: str
    language: str
    words: Mapping[str, str]
    starts_at: datetime | None = None
    due_at: datetime | None = None
    deadline_at: datetime | None = None


# From the first word of `about` to who knows whether it is still so: None for a row means that it no longer is.
Rereading = Callable[[Connection, Sequence[AnyRow], datetime], Mapping[int, Fresh | None]]


@dataclass(frozen=True, slots=True)
class Leaving:
    """A claimed text that is to leave now. `kept_until` bounds how long the operator may keep it."""

    id: int
    claim: str
    attempt: int
    phone: str
    body: str
    kept_until: datetime


_CLAIMED = (
    Message.id,
    Message.partnership_id,
    Message.person_id,
    Message.kind,
    Message.lane,
    Message.reply,
    Message.about,
    Message.subject_id,
    Message.shift_id,
    Message.words,
    Message.to_phone,
    Message.language,
    Message.body,
    Message.due_at,
    Message.deadline_at,
    Message.starts_at,
    Message.attempts,
)


def claim(
    connection: Connection,
    now: datetime,
    lanes: Sequence[int],
    most: int,
    rereading: Mapping[str, Rereading],
    *,
    only_phones_from: str = "",
) -> tuple[list[Leaving], int]:
    """Claim texts that are due, read their facts again, and return those that are to leave now, made anew, and
    how many were claimed in all.

    What is no longer so is dropped; what may not leave yet goes back; a broken one fails alone. With
    `only_phones_from`, a prefix, every other number is refused (the demo).
    """
    token = secrets.token_hex(8)
    # A named subquery: PostgreSQL then runs it once, and never locks more than `most`.
    wanted = (
        select(Message.id)
        .where(
            Message.state == MessageState.QUEUED,
            Message.lane.in_(lanes),
            Message.due_at <= now,
            Message.deadline_at > now,
        )
        .order_by(Message.lane, Message.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("wanted")
    )
    rows = connection.execute(
        update(Message)
        .where(Message.id.in_(select(wanted.c.id)), Message.state == MessageState.QUEUED)
        .values(state=MessageState.SENDING, claim=token, claimed_at=now, looked_at=None, attempts=Message.attempts + 1)
        .returning(*_CLAIMED)
    ).all()
    if not rows:
        return [], 0
    decisions = _decide(connection, rows, now, rereading, only_phones_from)
    _put_aside(connection, decisions, now)
    leaving = [
        Leaving(row.id, token, row.attempts, fresh.phone, text, fresh.deadline_at or row.deadline_at)
        for row, fresh, text in decisions.leaving
    ]
    return leaving, len(rows)


@dataclass(slots=True)
class _Decisions:
    leaving: list[tuple[AnyRow, Fresh, str]]
    aside: list[tuple[AnyRow, MessageState, str]]
    later: list[tuple[AnyRow, datetime]]


def _decide(
    connection: Connection,
    rows: Sequence[AnyRow],
    now: datetime,
    rereading: Mapping[str, Rereading],
    only_phones_from: str,
) -> _Decisions:
    decisions = _Decisions([], [], [])
    fresh = _reread(connection, rows, now, rereading)
    known = standing.standings(connection, {one.phone for one in fresh.values() if isinstance(one, Fresh)})
    people = {row.person_id for row in rows if row.person_id is not None}
    chosen = standing.preferences(connection, people)
    zones = _zones(connection, {row.partnership_id for row in rows})
    full = at_ceiling(connection, {row.partnership_id for row in rows if row.kind in UNDER_CEILING}, now)
    for row in sorted(rows, key=lambda row: (row.lane, row.due_at, row.id)):
        found = fresh[row.id]
        if not isinstance(found, Fresh):
            decisions.aside.append((row, *found))
            continue
        preference = chosen.get(row.person_id, standing.UNCHANGED)
        refusal = _refusal(row, found, known.get(found.phone, standing.REACHABLE), preference.off, only_phones_from)
        if refusal is not None:
            decisions.aside.append((row, *refusal))
            continue
        may_leave = max(
            found.due_at or now,
            now
            if row.kind in ANY_HOUR
            else allowed_at(now, zones[row.partnership_id], found.starts_at, preference.quiet),
        )
        if row.kind in UNDER_CEILING and row.partnership_id in full:
            may_leave = max(may_leave, now + timedelta(hours=1))
        if may_leave > now:
            decisions.later.append((row, may_leave))
        else:
            _render(decisions, row, found)
    return decisions


def _render(decisions: _Decisions, row: AnyRow, fresh: Fresh) -> None:
    try:
        # Texts that were queued before words were kept go as they were written.
        text = render(row.reply or row.kind, fresh.language, fresh.words) if fresh.words else row.body
    except (KeyError, TypeError, ValueError):
        log.exception("text %s cannot be made", row.id)
        decisions.aside.append((row, MessageState.FAILED, "broken"))
        return
    decisions.leaving.append((row, fresh, text))


def _reread(
    connection: Connection, rows: Sequence[AnyRow], now: datetime, rereading: Mapping[str, Rereading]
) -> dict[int, Fresh | tuple[MessageState, str]]:
    """Return what each row is now, or the state and the word that it ends with."""
    found: dict[int, Fresh | tuple[MessageState, str]] = {}
    by_room: dict[str, list[AnyRow]] = {}
    for row in rows:
        by_room.setdefault(row.about.partition(":")[0], []).append(row)
    for room, its_rows in by_room.items():
        read = rereading.get(room, _as_it_was)
        for row, fresh in _each(connection, its_rows, now, read):
            found[row.id] = fresh if fresh is not None else (MessageState.DROPPED, "no_longer_so")
    return found


def _each(
    connection: Connection, rows: Sequence[AnyRow], now: datetime, read: Rereading
) -> list[tuple[AnyRow, Fresh | tuple[MessageState, str] | None]]:
    """Read all rows at once; when one breaks that, each alone, so that it breaks nothing but itself."""
    try:
        fresh = read(connection, rows, now)
    except DBAPIError:
        raise
    except Exception:
        if len(rows) > 1:
            return [one for row in rows for one in _each(connection, [row], now, read)]
        log.exception("the facts of text %s cannot be read", rows[0].id)
        return [(rows[0], (MessageState.FAILED, "broken"))]
    return [(row, fresh.get(row.id)) for row in rows]


def _as_it_was(_connection: Connection, rows: Sequence[AnyRow], _now: datetime) -> dict[int, Fresh | None]:
    return {row.id: Fresh(row.to_phone, row.language, row.words, row.starts_at) for row in rows}


def _refusal(
    row: AnyRow, fresh: Fresh, known: standing.Standing, off: frozenset[TextGroup], only_phones_from: str
) -> tuple[MessageState, str] | None:
    """Return why a text may not leave for this number and person, or None."""
    if only_phones_from and not fresh.phone.startswith(only_phones_from):
        return MessageState.FAILED, "not_in_the_demo"
    if known.dead_at is not None:
        return MessageState.FAILED, "dead_number"
    if known.stopped_at is not None and row.kind not in CODES and row.reply is not Reply.STOPPED:
        return MessageState.DROPPED, "stopped"
    if GROUPS.get(row.kind) in off:
        return MessageState.DROPPED, "switched_off"
    return None


def _zones(connection: Connection, partnership_ids: set[int]) -> dict[int, ZoneInfo]:
    rows = connection.execute(select(Partnership.id, Partnership.time_zone).where(Partnership.id.in_(partnership_ids)))
    return {row.id: ZoneInfo(row.time_zone) for row in rows}


_SET_ASIDE = (
    update(Message)
    .where(Message.id == bindparam("row_id"))
    .values(state=bindparam("new_state"), error=bindparam("word"), settled_at=bindparam("now"), claim=None)
)
_SET_BACK = (
    update(Message)
    .where(Message.id == bindparam("row_id"))
    .values(
        state=MessageState.QUEUED,
        due_at=bindparam("later"),
        claim=None,
        claimed_at=None,
        attempts=Message.attempts - 1,
    )
)
_SET_LEAVING = (
    update(Message)
    .where(Message.id == bindparam("row_id"))
    .values(
        to_phone=bindparam("phone"),
        body=bindparam("text"),
        segments=bindparam("count"),
        starts_at=bindparam("starts"),
        deadline_at=bindparam("deadline"),
    )
)


def _put_aside(connection: Connection, decisions: _Decisions, now: datetime) -> None:
    if decisions.aside:
        rows = [
            {"row_id": row.id, "new_state": state, "word": word, "now": now} for row, state, word in decisions.aside
        ]
        connection.execute(_SET_ASIDE, rows)
    if decisions.later:
        connection.execute(_SET_BACK, [{"row_id": row.id, "later": later} for row, later in decisions.later])
    if decisions.leaving:
        rows = [
            {
                "row_id": row.id,
                "phone": fresh.phone,
                "text": text,
                "count": segments(text),
                "starts": fresh.starts_at,
                "deadline": fresh.deadline_at or row.deadline_at,
            }
            for row, fresh, text in decisions.leaving
        ]
        connection.execute(_SET_LEAVING, rows)


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


def expire(connection: Connection, now: datetime) -> int:
    """End what is past its deadline and never left; return how many there were."""
    return connection.execute(
        update(Message)
        .where(Message.state == MessageState.QUEUED, Message.deadline_at <= now)
        .values(state=MessageState.EXPIRED, settled_at=now)
    ).rowcount

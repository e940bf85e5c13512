"""Claiming what is due: which texts leave now, made anew from their facts, and which do not.

A claim is committed before the operator is called, and every outcome is written under its claim (`recording.py`),
so that any number of workers on any number of machines may do this at once. No transaction lasts over a call.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, select, update

from scheduler.kit.database import AnyRow
from scheduler.messages import resting, standing
from scheduler.messages.rereading import Fresh, Rereading, read_again
from scheduler.messages.rules import (
    ANY_HOUR,
    CODES,
    GROUPS,
    UNDER_CEILING,
    Lane,
    MessageState,
    Reply,
    TextGroup,
    allowed_at,
    segments,
)
from scheduler.messages.spending import at_ceiling
from scheduler.messages.tables import Message
from scheduler.messages.texts import render
from scheduler.partnership.tables import Partnership

log = logging.getLogger("scheduler.messages")


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
    Message.claim,
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
    Message.segments,
    Message.queued_at,
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

    What is no longer so is dropped; what may not leave yet goes back; a broken one fails alone; what has left already,
    in a past that this database has lost, is noted as sent. While texts are held back after a rest only codes and
    answers that were asked for since may leave. With
    `only_phones_from`, a prefix, every other number is refused (the demo).
    """
    token = secrets.token_hex(8)
    rest = resting.standing(connection)
    held = [] if rest is None else [Message.lane == Lane.AT_ONCE, Message.queued_at > rest.begun_at]
    # A named subquery: PostgreSQL then runs it once, and never locks more than `most`.
    wanted = (
        select(Message.id)
        .where(
            Message.state == MessageState.QUEUED,
            Message.lane.in_(lanes),
            Message.due_at <= now,
            Message.deadline_at > now,
            *held,
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
    left: list[tuple[AnyRow, AnyRow]]


def _decide(
    connection: Connection,
    rows: Sequence[AnyRow],
    now: datetime,
    rereading: Mapping[str, Rereading],
    only_phones_from: str,
) -> _Decisions:
    decisions = _Decisions([], [], [], [])
    fresh = read_again(connection, rows, now, rereading)
    phones = {one.phone for one in fresh.values() if isinstance(one, Fresh)}
    known = standing.standings(connection, phones)
    lost = resting.lost_to(connection, phones)
    people = {row.person_id for row in rows if row.person_id is not None}
    chosen = standing.preferences(connection, people)
    zones = _zones(connection, {row.partnership_id for row in rows})
    full = at_ceiling(connection, {row.partnership_id for row in rows if row.kind in UNDER_CEILING}, now, rows[0].claim)
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
            _render(decisions, row, found, lost.get(found.phone, []))
    return decisions


def _render(decisions: _Decisions, row: AnyRow, fresh: Fresh, lost: list[AnyRow]) -> None:
    try:
        # Texts that were queued before words were kept go as they were written.
        text = render(row.reply or row.kind, fresh.language, fresh.words) if fresh.words else row.body
    except (KeyError, TypeError, ValueError):
        log.exception("text %s cannot be made", row.id)
        decisions.aside.append((row, MessageState.FAILED, "broken"))
        return
    words = fresh.words or {"text": text}
    same = None
    if row.kind not in CODES:
        same = next((one for one in lost if resting.is_same(row, fresh.language, words, text, one)), None)
    if same is not None:
        lost.remove(same)
        decisions.left.append((row, same))
    else:
        decisions.leaving.append((row, fresh, text))


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
    resting.note_left(connection, decisions.left, now)
    changed = [row for row in map(_as_it_leaves, decisions.leaving) if row is not None]
    if changed:
        connection.execute(_SET_LEAVING, changed)


def _as_it_leaves(one: tuple[AnyRow, Fresh, str]) -> dict[str, object] | None:
    """Return what a text is now, to be written; None for one that leaves as it was queued, which is most."""
    row, fresh, text = one
    now = {
        "phone": fresh.phone,
        "text": text,
        "count": segments(text),
        "starts": fresh.starts_at,
        "deadline": fresh.deadline_at or row.deadline_at,
    }
    queued = (row.to_phone, row.body, row.segments, row.starts_at, row.deadline_at)
    return {"row_id": row.id, **now} if tuple(now.values()) != queued else None


def expire(connection: Connection, now: datetime) -> int:
    """End what is past its deadline and never left; return how many there were."""
    return connection.execute(
        update(Message)
        .where(Message.state == MessageState.QUEUED, Message.deadline_at <= now)
        .values(state=MessageState.EXPIRED, settled_at=now)
    ).rowcount

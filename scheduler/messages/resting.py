"""After a rest of all workers, or in a database that was put back from a copy: what left meanwhile is read at the
operator before anything else leaves, so that nobody is told a thing twice.

A text that the operator has and the outbox does not know is *lost*: it is kept for a week, and a text of the same
words to the same number takes its place. So does one in other words, if it comes from the copy or is made by the
clock alone, and is of the same kind about the same evening: a shift may have been moved in between.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select, update

from scheduler.kit.database import AnyRow
from scheduler.kit.upsert import insertion_of_new
from scheduler.messages.cleaning import forget_at_operator
from scheduler.messages.rules import REMINDERS, MessageKind, MessageState
from scheduler.messages.tables import Incoming, LostText, Message, SendingRest
from scheduler.messages.texts import is_text, is_text_about
from scheduler.messages.verdicts import STATUSES

KEPT = timedelta(days=7)
# The operator's clock and ours may differ by so much.
CLOCK_SKEW = timedelta(seconds=60)
AT_ONCE_MOST = 500
# What the worker makes by itself, so that it may make it anew after a copy was put back.
BY_THE_CLOCK = REMINDERS | {
    MessageKind.PLACE_OFFERED,
    MessageKind.PLACE_FREE_FIRST_ANSWER,
    MessageKind.PLACE_YOURS,
    MessageKind.OFFER_ENDED,
    MessageKind.GAP_ASKED,
    MessageKind.CEILING_NEAR,
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A text, out or in, as the operator lists it."""

    sid: str
    phone: str
    body: str
    status: str
    incoming: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Rest:
    """Since when nobody knows what left, and since when texts are held back for it."""

    since: datetime
    begun_at: datetime


def standing(connection: Connection) -> Rest | None:
    """Return the rest for which texts are held back, or None."""
    row = connection.execute(select(SendingRest.since, SendingRest.begun_at)).first()
    return Rest(row.since, row.begun_at) if row is not None else None


def begin(connection: Connection, since: datetime, now: datetime) -> None:
    """Hold texts back until it is known what left since then. An earlier `since` that stands already is kept."""
    connection.execute(insertion_of_new(connection, SendingRest), {"id": 1, "since": since, "begun_at": now})
    connection.execute(update(SendingRest).where(SendingRest.since > since).values(since=since))


def end(connection: Connection, rest: Rest, listed: Sequence[Listed], now: datetime) -> int:
    """Keep which of the operator's texts the outbox does not know, let all others go, and return how many they are.
    Does nothing when another worker has done it."""
    ended = connection.execute(delete(SendingRest).where(SendingRest.since == rest.since))
    if not ended.rowcount:
        return 0
    lost = [one for one in listed if one.created_at >= rest.since - CLOCK_SKEW]
    known = _known(connection, [one.sid for one in lost])
    lost = [one for one in lost if one.sid not in known]
    forget_at_operator(connection, [one.sid for one in lost if one.incoming], now)
    rows = [
        {
            "sid": one.sid,
            "to_phone": one.phone,
            "body": one.body,
            "status": one.status,
            "left_at": one.created_at,
            "copied_at": rest.since,
            "noted_at": now,
        }
        for one in lost
        if not one.incoming
    ]
    if rows:
        connection.execute(insertion_of_new(connection, LostText), rows)
    return len(rows)


def _known(connection: Connection, sids: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(sids), AT_ONCE_MOST):
        some = sids[start : start + AT_ONCE_MOST]
        for column in (Message.sid, Incoming.sid):
            known.update(str(row[0]) for row in connection.execute(select(column).where(column.in_(some))))
    return known


def lost_to(connection: Connection, phones: Collection[str]) -> dict[str, list[AnyRow]]:
    """Return the lost texts to these numbers, the oldest first."""
    rows = connection.execute(
        select(LostText.__table__).where(LostText.to_phone.in_(phones)).order_by(LostText.left_at, LostText.sid)
    )
    found: dict[str, list[AnyRow]] = {}
    for row in rows:
        found.setdefault(row.to_phone, []).append(row)
    return found


def is_same(row: AnyRow, language: str, words: Mapping[str, str], text: str, lost: AnyRow) -> bool:
    """Return whether a lost text is what this one is about to say."""
    if is_text(lost.body, text):
        return True
    made_anew = row.kind in BY_THE_CLOCK or row.queued_at <= lost.copied_at
    return made_anew and is_text_about(row.reply or row.kind, language, words, lost.body)


_LEFT = (
    update(Message)
    .where(Message.id == bindparam("row_id"))
    .values(
        state=bindparam("new_state"),
        sid=bindparam("operators_sid"),
        body=bindparam("text"),
        sent_at=bindparam("left"),
        claimed_at=bindparam("left"),
        settled_at=bindparam("settled"),
        claim=None,
        error=None,
    )
)


def note_left(connection: Connection, pairs: Sequence[tuple[AnyRow, AnyRow]], now: datetime) -> None:
    """Write that these texts (each with its lost one) have left already, in the words in which they did."""
    if not pairs:
        return
    rows = []
    for row, lost in pairs:
        state = STATUSES.get(lost.status, MessageState.SENT)
        rows.append(
            {
                "row_id": row.id,
                "new_state": state,
                "operators_sid": lost.sid,
                "text": lost.body,
                "left": lost.left_at,
                "settled": now if state is not MessageState.SENT else None,
            }
        )
    connection.execute(_LEFT, rows)
    connection.execute(delete(LostText).where(LostText.sid.in_([lost.sid for _row, lost in pairs])))


def forget_lost(connection: Connection, now: datetime) -> int:
    """Let go of lost texts after a week; the operator is told to forget their words in time."""
    old = connection.execute(delete(LostText).where(LostText.noted_at < now - KEPT).returning(LostText.sid)).scalars()
    sids = list(old)
    forget_at_operator(connection, sids, now)
    return len(sids)

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.refusals import Conflict, Invalid, NotFound
from scheduler.messages.actions import Recipient, Text, queue_many, send_again
from scheduler.messages.rules import MessageKind, MessageState, allowed_at, segments
from scheduler.messages.spending import spending
from scheduler.messages.tables import Incoming, Message
from scheduler.sendings.queries import next_start, receivers
from scheduler.sendings.rules import AudienceKind, Draft, Preview, as_sent, lost

SENDING_LIVES = timedelta(days=2)


class NotAgain(Conflict):
    """The text is on its way, has arrived, or its time is past."""

    room = "sendings"


def preview(connection: Connection, partnership_id: int, draft: Draft, zone: ZoneInfo, now: datetime) -> Preview:
    """Return what a sending would be, to the öre. Raises Invalid for words that cannot be sent, an audience of
    which nobody can be reached, or a time when the walk has begun."""
    text = as_sent(draft.typed)
    people = receivers(connection, partnership_id, draft.to)
    reached = [one for one in people if one.reachable]
    if not reached:
        raise Invalid("to", "nobody")
    month = spending(connection, partnership_id, now)
    cost_ore = len(reached) * segments(text) * month.segment_ore
    wanted_at, starts_at = _when(connection, partnership_id, draft, now)
    return Preview(
        text=text,
        changed=lost(draft.typed),
        segments=segments(text),
        characters=len(text),
        receivers=len(reached),
        unreachable=[one.name for one in people if not one.reachable],
        cost_ore=cost_ore,
        passes_ceiling=month.spent_ore + cost_ore > month.ceiling_ore,
        wanted_at=wanted_at,
        leaves_at=allowed_at(wanted_at, zone, starts_at),
    )


def _when(connection: Connection, partnership_id: int, draft: Draft, now: datetime) -> tuple[datetime, datetime | None]:
    """Return when a sending is to leave, and when the walk that it is about starts."""
    wanted_at = draft.at or now
    starts_at = next_start(connection, partnership_id, draft.to, now)
    if starts_at is not None and wanted_at >= starts_at:
        raise Invalid("when", "after_start")
    return wanted_at, starts_at


def send(
    connection: Connection,
    partnership_id: int,
    by_person_id: int,
    draft: Draft,
    once: str,
    zone: ZoneInfo,
    now: datetime,
) -> int:
    """Queue a sending and return to how many; the same form again is the same sending. Raises Invalid."""
    to, text = draft.to, as_sent(draft.typed)
    people = [one for one in receivers(connection, partnership_id, to) if one.reachable]
    wanted_at, starts_at = _when(connection, partnership_id, draft, now)
    due_at = allowed_at(wanted_at, zone, starts_at)
    about_shift = to.number if to.kind in {AudienceKind.SHIFT, AudienceKind.UNANSWERED} else None
    letters = [
        (
            partnership_id,
            Recipient(one.phone, one.language, one.person_id),
            Text(
                kind=MessageKind.NOTICE,
                fact=f"notice:{once}:{one.person_id}",
                about=f"notice:{once}",
                words={"text": text, "to": to.word},
                due_at=due_at,
                deadline_at=starts_at or due_at + SENDING_LIVES,
                shift_id=about_shift,
                starts_at=starts_at,
                queued_by=by_person_id,
            ),
        )
        for one in people
    ]
    queue_many(connection, letters, now)
    change = Change("texts.sent", shift_id=about_shift, after={"to": to.word, "asked": len(letters)})
    audit.record(connection, partnership_id, now, by_person_id, change)
    return len(letters)


def again(connection: Connection, partnership_id: int, message_id: int, now: datetime) -> None:
    """Send a text again that surely did not arrive, or that somebody has looked into. Raises NotAgain."""
    if not send_again(connection, partnership_id, message_id, now):
        raise NotAgain


def take_back(connection: Connection, partnership_id: int, by_person_id: int, message_id: int, now: datetime) -> None:
    """Take back a whole sending, as far as it waits. Raises NotFound, and NotAgain when all of it has left."""
    sending = connection.execute(
        select(Message.about, Message.shift_id).where(
            Message.id == message_id, Message.partnership_id == partnership_id, Message.kind == MessageKind.NOTICE
        )
    ).first()
    if sending is None:
        raise NotFound
    waiting = connection.execute(
        update(Message)
        .where(
            Message.partnership_id == partnership_id,
            Message.about == sending.about,
            Message.state == MessageState.QUEUED,
        )
        .values(state=MessageState.DROPPED, settled_at=now, error="taken_back")
    ).rowcount
    if not waiting:
        raise NotAgain
    change = Change("texts.taken_back", shift_id=sending.shift_id, after={"asked": waiting})
    audit.record(connection, partnership_id, now, by_person_id, change)


def note_read(connection: Connection, partnership_id: int, incoming_id: int, now: datetime) -> None:
    """Note that a coordinator has read a text. Raises NotFound."""
    read = connection.execute(
        update(Incoming)
        .where(Incoming.id == incoming_id, Incoming.partnership_id == partnership_id)
        .values(seen_at=now)
    ).rowcount
    if not read:
        raise NotFound

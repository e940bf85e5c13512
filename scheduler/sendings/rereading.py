"""What a coordinator's text is just before it leaves: only to those whom it still concerns."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from scheduler.kit.database import AnyRow
from scheduler.messages.rereading import Fresh
from scheduler.people import reaching
from scheduler.sendings.queries import next_start, still_in
from scheduler.sendings.rules import AudienceKind, audience

OF_A_WALK = frozenset({AudienceKind.NIGHT, AudienceKind.SHIFT, AudienceKind.UNANSWERED})


def reread(connection: Connection, messages: Sequence[AnyRow], now: datetime) -> dict[int, Fresh | None]:
    """Return texts to people of a night or a group, to the number that they have now; None for who has left the
    night or the group since it was written, and for a walk that has begun."""
    fresh = reaching.reread(connection, messages, now)
    sendings: dict[tuple[int, str], list[AnyRow]] = {}
    for message in messages:
        # Older texts do not know their audience.
        if "to" in message.words:
            sendings.setdefault((message.partnership_id, message.words["to"]), []).append(message)
    for (partnership_id, word), its_messages in sendings.items():
        to = audience(word)
        still = still_in(connection, partnership_id, to, {message.person_id for message in its_messages})
        starts_at = next_start(connection, partnership_id, to, now)
        over = to.kind in OF_A_WALK and starts_at is None
        for message in its_messages:
            found = fresh[message.id]
            if found is None or over or message.person_id not in still:
                fresh[message.id] = None
            elif starts_at is not None:
                fresh[message.id] = replace(found, starts_at=starts_at, deadline_at=starts_at)
    return fresh

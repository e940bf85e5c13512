"""How people are reached: their number as it is now, and who is told when the month's texts near the ceiling."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from scheduler.kit.database import AnyRow
from scheduler.messages.actions import Recipient, Text, queue_many
from scheduler.messages.rereading import Fresh
from scheduler.messages.rules import MessageKind, allowed_at
from scheduler.messages.spending import note_warned, spending
from scheduler.people.rules import Role
from scheduler.people.tables import Person, RoleGrant


def reread(connection: Connection, messages: Sequence[AnyRow], _now: datetime) -> dict[int, Fresh | None]:
    """Return texts that tell of nothing that changes, to the number and in the language that people have now."""
    rows = connection.execute(
        select(Person.id, Person.phone, Person.language).where(
            Person.id.in_({message.person_id for message in messages if message.person_id is not None})
        )
    )
    people = {row.id: row for row in rows}
    fresh: dict[int, Fresh | None] = {}
    for message in messages:
        person = people.get(message.person_id)
        if person is None:
            fresh[message.id] = None
        else:
            fresh[message.id] = Fresh(person.phone, person.language, message.words, message.starts_at)
    return fresh


def coordinators(connection: Connection, partnership_id: int) -> list[Recipient]:
    """Return the coordinators as recipients."""
    rows = connection.execute(
        select(Person.id, Person.phone, Person.language)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(RoleGrant.partnership_id == partnership_id, RoleGrant.role == Role.COORDINATOR)
        .order_by(Person.id)
    )
    return [Recipient(row.phone, row.language, row.id) for row in rows]


def warn_of_ceilings(connection: Connection, sites: Mapping[int, tuple[str, ZoneInfo]], now: datetime) -> int:
    """Tell the coordinators, once a month, that four fifths of the month's ceiling are spent; return of how many
    partnerships."""
    warned = 0
    for partnership_id, (site, zone) in sites.items():
        month = spending(connection, partnership_id, now)
        if not month.near or month.warned_month == month.month:
            continue
        if not note_warned(connection, partnership_id, month.month):
            continue
        warned += 1
        due_at = allowed_at(now, zone)
        text = Text(
            kind=MessageKind.CEILING_NEAR,
            fact=f"ceiling:{month.month}",
            about=f"ceiling:{partnership_id}",
            words={
                "spent": str(month.spent_ore // 100),
                "ceiling": str(month.ceiling_ore // 100),
                "link": f"{site}/lead/texts",
            },
            due_at=due_at,
            deadline_at=due_at + timedelta(days=2),
        )
        queue_many(
            connection,
            [(partnership_id, to, _for_one(text, to.person_id)) for to in coordinators(connection, partnership_id)],
            now,
        )
    return warned


def _for_one(text: Text, person_id: int | None) -> Text:
    return replace(text, fact=f"{text.fact}:{person_id}")

"""What is known of a number and what a person has chosen: whether a text may leave, and when."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import Connection, select, update

from scheduler.kit.upsert import upsert
from scheduler.messages.rules import EVERYBODYS, QUIET_FROM, QUIET_UNTIL, QuietHours, TextGroup
from scheduler.messages.tables import PhoneStanding, TextPreference


@dataclass(frozen=True, slots=True)
class Standing:
    """How a number stands. `dead_code` is the operator's word for why no text reaches it."""

    stopped_at: datetime | None = None
    dead_at: datetime | None = None
    dead_code: str | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """What a person has chosen."""

    off: frozenset[TextGroup] = frozenset()
    quiet: QuietHours = EVERYBODYS


REACHABLE, UNCHANGED = Standing(), Preference()


def standings(connection: Connection, phones: Iterable[str]) -> dict[str, Standing]:
    """Return how numbers stand; one without anything known is left out."""
    rows = connection.execute(select(PhoneStanding.__table__).where(PhoneStanding.phone.in_(set(phones))))
    return {row.phone: Standing(row.stopped_at, row.dead_at, row.dead_code) for row in rows}


def standing(connection: Connection, phone: str) -> Standing:
    return standings(connection, [phone]).get(phone, REACHABLE)


def stop(connection: Connection, phone: str, now: datetime) -> None:
    """Note that the number's owner wants no more texts."""
    _write(connection, phone, stopped_at=now)


def start(connection: Connection, phone: str) -> None:
    """Note that the number's owner wants texts again; a text from it also shows that the number lives."""
    _write(connection, phone, stopped_at=None, dead_at=None, dead_code=None)


def note_dead(connection: Connection, phone: str, code: str, now: datetime) -> None:
    """Note that no text reaches a number: it is not used again until somebody has looked at it."""
    _write(connection, phone, dead_at=now, dead_code=code)


def revive(connection: Connection, phone: str) -> None:
    """Use a number again: somebody has looked at it, or its owner has proven it."""
    connection.execute(update(PhoneStanding).where(PhoneStanding.phone == phone).values(dead_at=None, dead_code=None))


def _write(connection: Connection, phone: str, **values: object) -> None:
    upsert(connection, PhoneStanding, {"phone": phone}, values)


def preferences(connection: Connection, person_ids: Collection[int]) -> dict[int, Preference]:
    """Return what people have chosen; who has chosen nothing is left out."""
    rows = connection.execute(select(TextPreference.__table__).where(TextPreference.person_id.in_(person_ids)))
    known = {group.value for group in TextGroup}
    return {
        row.person_id: Preference(
            frozenset(TextGroup(word) for word in row.off if word in known),
            QuietHours(row.quiet_starts, row.quiet_ends),
        )
        for row in rows
    }


def preference(connection: Connection, person_id: int) -> Preference:
    return preferences(connection, [person_id]).get(person_id, UNCHANGED)


def choose(
    connection: Connection, person_id: int, off: Collection[TextGroup], quiet_starts: time, quiet_ends: time
) -> None:
    """Keep what a person has chosen. Nobody's quiet hours are shorter than everybody's."""
    values = {
        "off": sorted(group.value for group in off),
        "quiet_starts": min(quiet_starts, QUIET_FROM),
        "quiet_ends": max(quiet_ends, QUIET_UNTIL),
    }
    upsert(connection, TextPreference, {"person_id": person_id}, values)

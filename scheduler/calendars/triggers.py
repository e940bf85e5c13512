"""Triggers that write a CalendarChange with every change that a calendar may show.

They stand in the database, so that no room, command or operator can forget one, and they only insert: no row is
shared, so bookings never wait for each other because of calendars. A change is committed together with its mark,
whoever makes it and however late: whoever sees the one sees the other.
They are put in place after every migration (`migrations/env.py`): SQLite drops a table's triggers with the table
when a migration rebuilds it.
"""

from typing import NamedTuple

from sqlalchemy import Connection, inspect, text

from scheduler.calendars.rules import ChangeKind

PREFIX = "calendar_sees_"


class Watched(NamedTuple):
    """Which columns of a table can be seen, and what a change of them may be seen in."""

    table: str
    kind: ChangeKind
    subject: str
    columns: tuple[str, ...]
    tenant: str = "partnership_id"


WATCHED = (
    Watched(
        "shift",
        ChangeKind.NIGHT,
        "night_id",
        (
            "night_id", "area_id", "starts_at", "ends_at", "minimum", "wanted", "booked", "state", "meeting_place",
            "host_club_id",
        ),
    ),
    Watched("booking", ChangeKind.SHIFT, "shift_id", ("shift_id", "person_id", "state", "ended_because")),
    Watched("night", ChangeKind.NIGHT, "id", ("date", "special")),
    Watched("person", ChangeKind.PERSON, "id", ("first_name", "language")),
    Watched("membership", ChangeKind.PERSON, "person_id", ("person_id", "club_id", "state")),
    Watched("role_grant", ChangeKind.PERSON, "person_id", ("person_id", "role", "club_id")),
    Watched(
        "area", ChangeKind.ALL, "0", ("name", "meeting_place", "gathers_minutes_before", "latitude", "longitude")
    ),
    Watched("club", ChangeKind.ALL, "0", ("name",)),
    Watched(
        "partnership", ChangeKind.ALL, "0", ("name", "municipality", "host_name", "time_zone"), tenant="id"
    ),
)  # fmt: skip


def place(connection: Connection) -> None:
    """Put every trigger in place, over older ones of the same name; nothing where the tables are not there yet."""
    if not inspect(connection).has_table("calendar_change"):
        return
    remove(connection)
    for watched in WATCHED:
        for event in ("insert", "update", "delete"):
            for statement in _statements(connection.dialect.name, watched, event):
                connection.execute(text(statement))


def remove(connection: Connection) -> None:
    """Take every trigger away, for a migration below the one that made the tables."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in found:
            if name.startswith(PREFIX):
                connection.execute(text(f"DROP TRIGGER {name}"))
        return
    for watched in WATCHED:
        for event in ("insert", "update", "delete"):
            connection.execute(text(f"DROP FUNCTION IF EXISTS {_name(watched, event)}() CASCADE"))


def _name(watched: Watched, event: str) -> str:
    return f"{PREFIX}{watched.table}_{event}"


def _statements(dialect: str, watched: Watched, event: str) -> list[str]:
    name = _name(watched, event)
    marks = {"insert": ["NEW"], "update": ["NEW", "OLD"], "delete": ["OLD"]}[event]
    if event == "update" and watched.subject not in watched.columns:
        marks = ["NEW"]
    body = " ".join(f"{_mark(watched, row)};" for row in marks)
    when = ""
    if event == "update":
        differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
        changed = " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in watched.columns)
        when = f"WHEN ({changed})"
    if dialect == "sqlite":
        return [f"CREATE TRIGGER {name} AFTER {event} ON {watched.table} FOR EACH ROW {when} BEGIN {body} END"]
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$",
        f"CREATE TRIGGER {name} AFTER {event} ON {watched.table} FOR EACH ROW {when} EXECUTE FUNCTION {name}()",
    ]


def _mark(watched: Watched, row: str) -> str:
    subject = watched.subject if watched.subject == "0" else f"{row}.{watched.subject}"
    # A shift that moves to another night is seen in both; a second mark of the same night does no harm.
    return (
        "INSERT INTO calendar_change (partnership_id, kind, subject_id) "  # noqa: S608 - our own words only
        f"VALUES ({row}.{watched.tenant}, '{watched.kind.value}', {subject})"
    )

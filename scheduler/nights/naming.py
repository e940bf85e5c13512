"""The municipality's own list: nights that matter here and that no calendar knows, named by people."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Connection, delete, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.upsert import upsert
from scheduler.nights.season import Special, special_nights
from scheduler.nights.tables import LocalNight, Night


def local_nights(connection: Connection, partnership_id: int, first: date) -> list[tuple[date, Special]]:
    """Return the list from `first` on, by date."""
    rows = connection.execute(
        select(LocalNight.night, LocalNight.special)
        .where(LocalNight.partnership_id == partnership_id, LocalNight.night >= first)
        .order_by(LocalNight.night)
    )
    return [(row.night, row.special) for row in rows]


def name(
    connection: Connection, partnership_id: int, nights: Iterable[date], special: Special, now: datetime, by: int
) -> None:
    """Put nights on the list, or give those that stand there this name; planned ones are marked at once.
    `by` is the id of who does it."""
    for night in sorted(set(nights)):
        before = _on_list(connection, partnership_id, night)
        upsert(connection, LocalNight, {"partnership_id": partnership_id, "night": night}, {"special": special})
        _mark(connection, partnership_id, night, before, special, now, by)


def unname(connection: Connection, partnership_id: int, night: date, now: datetime, by: int) -> None:
    """Take a night off the list; one that is not on it stays as it is."""
    before = _on_list(connection, partnership_id, night)
    if before is not None:
        connection.execute(
            delete(LocalNight).where(LocalNight.partnership_id == partnership_id, LocalNight.night == night)
        )
        _mark(connection, partnership_id, night, before, None, now, by)


def _on_list(connection: Connection, partnership_id: int, night: date) -> Special | None:
    return connection.execute(
        select(LocalNight.special).where(LocalNight.partnership_id == partnership_id, LocalNight.night == night)
    ).scalar()


def _mark(
    connection: Connection,
    partnership_id: int,
    night: date,
    before: Special | None,
    after: Special | None,
    now: datetime,
    by: int,
) -> None:
    """Let a planned night have its most significant name, and the log tell of it."""
    if before is after:
        return
    special = special_nights(night, night, [] if after is None else [(night, after)]).get(night)
    connection.execute(
        update(Night).where(Night.partnership_id == partnership_id, Night.date == night).values(special=special)
    )
    change = Change(
        "night.named",
        before={"night": str(night), "special": before},
        after={"night": str(night), "special": after},
    )
    audit.record(connection, partnership_id, now, by, change)

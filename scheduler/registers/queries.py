from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, select

from scheduler.partnership.queries import clubs_with_us
from scheduler.people.inviting import known_by_phone
from scheduler.people.rules import Acting
from scheduler.registers.columns import Column, missing
from scheduler.registers.rules import (
    COMES_IN,
    Clubs,
    Field,
    ListGone,
    Row,
    Standing,
    compared,
    read_rows,
)
from scheduler.registers.tables import MemberList

LIVES = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class StoredList:
    """A member list as it is kept."""

    id: int
    club_id: int
    columns: list[Column]
    fields: dict[Field, int]
    rows: list[tuple[int, list[str]]]
    outcome: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class Preview:
    """A list as it would come in. `groups` hold the faulty rows of equal faults together, the largest first."""

    rows: list[Row]
    lacking: list[Field]

    @property
    def coming(self) -> list[Row]:
        return [row for row in self.rows if row.standing in COMES_IN]

    @property
    def faulty(self) -> int:
        return sum(row.standing is Standing.FAULTY for row in self.rows)

    @property
    def groups(self) -> list[list[Row]]:
        found: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            if row.standing is Standing.FAULTY:
                found.setdefault(row.faults, []).append(row)
        return sorted(found.values(), key=lambda rows: (-len(rows), rows[0].number))

    def standing(self, *wanted: str) -> list[Row]:
        """Return the rows of these standings."""
        return [row for row in self.rows if row.standing in wanted]


def stored(connection: Connection, acting: Acting, list_id: int) -> StoredList:
    """Return a member list to whoever has sent it. Raises ListGone for any other, or one an hour old."""
    row = connection.execute(
        select(
            MemberList.id,
            MemberList.club_id,
            MemberList.columns,
            MemberList.fields,
            MemberList.rows,
            MemberList.outcome,
        ).where(
            MemberList.id == list_id,
            MemberList.partnership_id == acting.partnership_id,
            MemberList.person_id == acting.person_id,
            MemberList.read_at > acting.now - LIVES,
        )
    ).first()
    if row is None:
        raise ListGone
    return StoredList(
        id=row.id,
        club_id=row.club_id,
        columns=[Column(heading, tuple(samples)) for heading, samples in row.columns],
        fields={Field(field): at for field, at in row.fields.items()},
        rows=[(number, cells) for number, cells in row.rows],
        outcome=row.outcome,
    )


def where_to(
    connection: Connection, partnership_id: int, own: frozenset[int] | None, chosen: int, today: date
) -> Clubs:
    """Return the clubs that rows may name, those that may get them (None: all), and the one for the others."""
    by_id = {club.id: club.name for club in clubs_with_us(connection, partnership_id, today)}
    return Clubs(by_id, frozenset(by_id) if own is None else own & by_id.keys(), chosen)


def preview(
    connection: Connection,
    partnership_id: int,
    rows: Sequence[tuple[int, Sequence[str]]],
    fields: dict[Field, int],
    clubs: Clubs,
    today: date,
) -> Preview:
    """Return what would become of each row if the list came in now; nothing while a field lacks its column."""
    lacking = missing(fields)
    if lacking:
        return Preview([], lacking)
    said = read_rows(rows, fields, clubs, today)
    phones = sorted({row.phone for row in said if row.phone})
    return Preview(compared(said, known_by_phone(connection, partnership_id, phones)), [])


def day_of(now: datetime, acting: Acting) -> date:
    """Return the date of an instant in the partnership's zone."""
    return now.astimezone(acting.zone).date()

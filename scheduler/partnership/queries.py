from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Row, bindparam, select

from scheduler.kit.ready import Ready
from scheduler.kit.refusals import NotFound
from scheduler.partnership.rules import BudgetLineKind, ClubLeft, Sums, has_left, paid_area_nights, sums
from scheduler.partnership.tables import Agreement, Area, BudgetLine, Club, Partnership


@dataclass(frozen=True, slots=True)
class AgreementView:
    """One term with its lines in öre, its sums, and how many nights each line pays for."""

    id: int
    starts_on: date
    ends_on: date
    night_rate_ore: int
    lines: dict[BudgetLineKind, int]
    sums: Sums

    def paid_nights(self, kind: BudgetLineKind) -> int:
        """Return how many area-nights the line of this kind pays for."""
        return paid_area_nights(self.lines.get(kind, 0), self.night_rate_ore)


def agreement_on(connection: Connection, partnership_id: int, day: date) -> AgreementView:
    """Return the agreement whose term holds `day`. Raises NotFound where none does."""
    row = connection.execute(
        select(Agreement.id, Agreement.starts_on, Agreement.ends_on, Agreement.night_rate_ore, Agreement.promised_ore)
        .where(Agreement.partnership_id == partnership_id, Agreement.starts_on <= day, Agreement.ends_on >= day)
        .order_by(Agreement.starts_on.desc())
    ).first()
    if row is None:
        raise NotFound
    found = connection.execute(select(BudgetLine.kind, BudgetLine.amount_ore).where(BudgetLine.agreement_id == row.id))
    lines = {line.kind: line.amount_ore for line in found}
    return AgreementView(
        id=row.id,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        night_rate_ore=row.night_rate_ore,
        lines=lines,
        sums=sums(row.promised_ore, lines.values()),
    )


_AREAS = Ready(select(Area.id, Area.name).where(Area.partnership_id == bindparam("tenant_id")).order_by(Area.name))


def areas(connection: Connection, partnership_id: int) -> list[tuple[int, str]]:
    """Return id and name of the areas, by name."""
    return [(area_id, name) for area_id, name in _AREAS.raw(connection, {"tenant_id": partnership_id})]


def club_by_invitation(connection: Connection, partnership_id: int, code: str) -> Row[int, str] | None:
    """Return id and name of the club that the invitation belongs to, or None."""
    return connection.execute(
        select(Club.id, Club.name).where(Club.partnership_id == partnership_id, Club.invitation_code == code)
    ).first()


def check_with_us(connection: Connection, partnership_id: int, club_ids: Collection[int], day: date) -> None:
    """Raise ClubLeft for the first of the clubs that takes no part on a day, NotFound for one that is not the
    partnership's. Nobody lets a club leave until the caller's transaction has ended."""
    # SQLite has no such lock and needs none: there is one writer at a time.
    wanted = select(Club.name, Club.ended_on).where(Club.partnership_id == partnership_id, Club.id.in_(club_ids))
    found = connection.execute(wanted.order_by(Club.id).with_for_update(read=True)).all()
    if len(found) != len(set(club_ids)):
        raise NotFound
    for row in found:
        if has_left(row.ended_on, day):
            raise ClubLeft(row.name, row.ended_on)


def club_by_code(connection: Connection, code: str) -> int | None:
    """Return the id of the club, of any partnership, that has this invitation code."""
    return connection.execute(select(Club.id).where(Club.invitation_code == code)).scalar()


def clubs(connection: Connection, partnership_id: int) -> list[Row[int, str, str]]:
    """Return id, name and invitation code of the clubs, by name."""
    return list(
        connection.execute(
            select(Club.id, Club.name, Club.invitation_code)
            .where(Club.partnership_id == partnership_id)
            .order_by(Club.name)
        )
    )


def clubs_with_us(connection: Connection, partnership_id: int, day: date) -> list[Row[int, str, str]]:
    """Return what `clubs` does, of those that take part on a day."""
    gone = select(Club.id).where(Club.partnership_id == partnership_id, Club.ended_on <= day)
    left = set(connection.execute(gone).scalars())
    return [one for one in clubs(connection, partnership_id) if one.id not in left]


def default_partnership_id(connection: Connection) -> int:
    """Return the partnership that answers on the deployment's own address. Raises NotFound where none does."""
    return partnership_id_of(connection, "")


def partnership_id_of(connection: Connection, host_name: str) -> int:
    """Return the partnership of a host name ("" is the deployment's own). Raises NotFound where none is."""
    found = connection.execute(select(Partnership.id).where(Partnership.host_name == host_name)).scalar()
    if found is None:
        raise NotFound
    return found

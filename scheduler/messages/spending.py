"""What texts cost: counted in segments, priced by the partnership, held under a ceiling for each month.

The ceiling holds what a coordinator sends by hand and the requests to take a walk. Reminders, codes, answers and
changes of one's own walk always go: a team that is not reminded costs more than a text.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select, update

from scheduler.kit.upsert import upsert
from scheduler.messages.rules import LEFT
from scheduler.messages.tables import Message, TextPlan
from scheduler.partnership.tables import Partnership

SEGMENT_ORE = 50
CEILING_ORE = 500_00
WARNED_AT_PERCENT = 80


@dataclass(frozen=True, slots=True)
class Spending:
    """A month's texts: how many left, in how many segments, what they cost and the most they may cost, in öre."""

    texts: int
    segments: int
    segment_ore: int
    ceiling_ore: int
    month: str
    warned_month: str = ""

    @property
    def spent_ore(self) -> int:
        return self.segments * self.segment_ore

    @property
    def near(self) -> bool:
        """Return whether four fifths of the ceiling are spent."""
        return self.spent_ore * 100 >= self.ceiling_ore * WARNED_AT_PERCENT

    @property
    def reached(self) -> bool:
        return self.spent_ore >= self.ceiling_ore


def spending(connection: Connection, partnership_id: int, now: datetime, *, apart_from: str = "") -> Spending:
    """Return what the texts of this month, in the partnership's zone, have cost so far, apart from those of one
    claim, about which it is still to be decided."""
    row = connection.execute(
        select(Partnership.time_zone, TextPlan.segment_ore, TextPlan.ceiling_ore, TextPlan.warned_month)
        .outerjoin(TextPlan, TextPlan.partnership_id == Partnership.id)
        .where(Partnership.id == partnership_id)
    ).one()
    planned = row.segment_ore is not None
    local = now.astimezone(ZoneInfo(row.time_zone))
    begun = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    count = connection.execute(
        select(func.count(Message.id), func.coalesce(func.sum(Message.segments), 0)).where(
            Message.partnership_id == partnership_id,
            Message.claimed_at >= begun,
            Message.state.in_(LEFT),
            func.coalesce(Message.claim, "-") != apart_from,
        )
    ).one()
    return Spending(
        texts=count[0],
        segments=int(count[1] or 0),
        segment_ore=row.segment_ore if planned else SEGMENT_ORE,
        ceiling_ore=row.ceiling_ore if planned else CEILING_ORE,
        month=f"{local:%Y-%m}",
        warned_month=row.warned_month if planned else "",
    )


def at_ceiling(connection: Connection, partnership_ids: Collection[int], now: datetime, claim: str) -> set[int]:
    """Return which of these partnerships have spent their month's ceiling before this claim."""
    return {one for one in partnership_ids if spending(connection, one, now, apart_from=claim).reached}


def change_plan(connection: Connection, partnership_id: int, segment_ore: int, ceiling_ore: int) -> None:
    """Keep what a segment costs and the most for a month, in öre; a warning already given counts no more."""
    values: dict[str, object] = {"segment_ore": segment_ore, "ceiling_ore": ceiling_ore, "warned_month": ""}
    _keep(connection, partnership_id, values)


def note_warned(connection: Connection, partnership_id: int, month: str) -> bool:
    """Note that a month's warning is given; False when it was already."""
    known = connection.execute(
        update(TextPlan)
        .where(TextPlan.partnership_id == partnership_id, TextPlan.warned_month != month)
        .values(warned_month=month)
    ).rowcount
    if known:
        return True
    if connection.execute(select(TextPlan.partnership_id).where(TextPlan.partnership_id == partnership_id)).first():
        return False
    _keep(
        connection,
        partnership_id,
        {"segment_ore": SEGMENT_ORE, "ceiling_ore": CEILING_ORE, "warned_month": month},
    )
    return True


def _keep(connection: Connection, partnership_id: int, values: dict[str, object]) -> None:
    upsert(connection, TextPlan, {"partnership_id": partnership_id}, values)

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from scheduler.partnership.tables import Partnership
from scheduler.reports.rules import Figures, NoReport, Period, PeriodKind, from_json
from scheduler.reports.tables import Report


@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen report, without its figures."""

    id: int
    period: Period
    version: int
    frozen_at: datetime


def frozen_reports(connection: Connection, partnership_id: int) -> list[Frozen]:
    """Return the frozen reports, the latest period first, of each period the latest version first."""
    rows = connection.execute(
        select(Report.id, Report.kind, Report.first_on, Report.last_on, Report.version, Report.frozen_at)
        .where(Report.partnership_id == partnership_id)
        .order_by(Report.last_on.desc(), Report.kind, Report.version.desc())
    )
    return [Frozen(row.id, Period(row.kind, row.first_on, row.last_on), row.version, row.frozen_at) for row in rows]


def frozen(connection: Connection, partnership_id: int, report_id: int) -> tuple[Frozen, Figures]:
    """Return a frozen report with its figures. Raises NoReport."""
    row = connection.execute(
        select(
            Report.id, Report.kind, Report.first_on, Report.last_on, Report.version, Report.frozen_at, Report.figures
        ).where(Report.id == report_id, Report.partnership_id == partnership_id)
    ).first()
    if row is None:
        raise NoReport
    found = Frozen(row.id, Period(row.kind, row.first_on, row.last_on), row.version, row.frozen_at)
    return found, from_json(row.figures)


def quarters_reported(connection: Connection) -> dict[tuple[int, date], date]:
    """Return the local day on which each partnership's quarter was first reported, by partnership and last day."""
    rows = connection.execute(
        select(
            Report.partnership_id,
            Report.last_on,
            Partnership.time_zone,
            func.min(Report.frozen_at).label("first_frozen_at"),
        )
        .join(Partnership, Partnership.id == Report.partnership_id)
        .where(Report.kind == PeriodKind.QUARTER)
        .group_by(Report.partnership_id, Report.last_on, Partnership.time_zone)
    )
    return {
        (row.partnership_id, row.last_on): row.first_frozen_at.astimezone(ZoneInfo(row.time_zone)).date()
        for row in rows
    }

from datetime import date

from sqlalchemy import Connection, func, insert, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.queries import AgreementView
from scheduler.partnership.tables import Agreement
from scheduler.people.rules import Acting
from scheduler.reports.figures import figures
from scheduler.reports.rules import NotesMissing, NotOverYet, Period
from scheduler.reports.tables import Report
from scheduler.walks.tables import WalkNote


def freeze(connection: Connection, acting: Acting, agreement: AgreementView, period: Period) -> int:
    """Keep a period's figures as they are now; return the report's id. Freezing again makes a further version.

    Raises NotOverYet before the period has ended, NotesMissing while a shift that had a team lacks its note.
    """
    if acting.now.astimezone(acting.zone).date() <= period.last:
        raise NotOverYet
    missing = notes_missing(connection, agreement.id, period.first, period.last)
    if missing:
        raise NotesMissing(missing)
    # A write first: two who freeze at once come one after the other.
    connection.execute(
        update(Agreement).where(Agreement.id == agreement.id).values(promised_ore=Agreement.promised_ore)
    )
    version = connection.execute(
        select(func.coalesce(func.max(Report.version), 0) + 1).where(
            Report.partnership_id == acting.partnership_id,
            Report.kind == period.kind,
            Report.first_on == period.first,
        )
    ).scalar_one()
    report_id = connection.execute(
        insert(Report)
        .values(
            partnership_id=acting.partnership_id,
            agreement_id=agreement.id,
            kind=period.kind,
            first_on=period.first,
            last_on=period.last,
            version=version,
            figures=figures(connection, agreement, period, acting.now).as_json(),
            frozen_at=acting.now,
            frozen_by=acting.person_id,
        )
        .returning(Report.id)
    ).scalar_one()
    audit.record(
        connection,
        acting.partnership_id,
        acting.now,
        acting.person_id,
        Change("report.frozen", after={"first": period.first.isoformat(), "version": version}),
    )
    return report_id


def notes_missing(connection: Connection, agreement_id: int, first: date, last: date) -> int:
    """Return how many shifts of a period had a team of the minimum and lack their note."""
    return connection.execute(
        select(func.count())
        .select_from(Shift)
        .join(Night, Night.id == Shift.night_id)
        .outerjoin(WalkNote, WalkNote.shift_id == Shift.id)
        .where(
            Night.agreement_id == agreement_id,
            Night.date.between(first, last),
            Shift.state.in_([ShiftState.PUBLISHED, ShiftState.WALKED]),
            Shift.booked >= Shift.minimum,
            WalkNote.shift_id.is_(None),
        )
    ).scalar_one()

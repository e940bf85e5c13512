from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, select

from scheduler.money.rules import Deviation, deviation_from_json
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Agreement, Area
from scheduler.people.tables import Person
from scheduler.steering.rules import DecisionKind, NothingHere, Partner, Standing, standing
from scheduler.steering.tables import Consent, Decision, Meeting, Opening, SteeringMember


@dataclass(frozen=True, slots=True)
class MemberView:
    id: int
    partner: Partner
    name: str
    email: str
    person_id: int | None


def members(connection: Connection, partnership_id: int) -> list[MemberView]:
    """Return the group, the municipality's members first."""
    rows = connection.execute(
        select(
            SteeringMember.id,
            SteeringMember.partner,
            SteeringMember.name,
            SteeringMember.email,
            SteeringMember.person_id,
        )
        .where(SteeringMember.partnership_id == partnership_id)
        .order_by(SteeringMember.partner.desc(), SteeringMember.id)
    )
    return [MemberView(*row) for row in rows]


def seats(connection: Connection, person_id: int) -> list[MemberView]:
    """Return the seats that somebody has said are hers."""
    town = select(Person.partnership_id).where(Person.id == person_id)
    listed = members(connection, connection.execute(town).scalar_one())
    return [one for one in listed if one.person_id == person_id]


@dataclass(frozen=True, slots=True)
class MeetingView:
    id: int
    starts_at: datetime
    minutes: int
    place: str
    agenda: str
    sequence: int
    changed_at: datetime
    organizer_name: str
    organizer_email: str
    cancelled: bool

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)


_MEETING = select(
    Meeting.id,
    Meeting.starts_at,
    Meeting.minutes,
    Meeting.place,
    Meeting.agenda,
    Meeting.sequence,
    Meeting.changed_at,
    Meeting.organizer_name,
    Meeting.organizer_email,
    Meeting.cancelled_at.is_not(None).label("cancelled"),
)


def meetings(connection: Connection, partnership_id: int) -> list[MeetingView]:
    """Return the meetings, the latest first."""
    rows = connection.execute(
        _MEETING.where(Meeting.partnership_id == partnership_id).order_by(Meeting.starts_at.desc()).limit(50)
    )
    return [MeetingView(**row) for row in rows.mappings()]


def meeting(connection: Connection, partnership_id: int, meeting_id: int) -> MeetingView:
    """Return one meeting. Raises NothingHere."""
    wanted = _MEETING.where(Meeting.id == meeting_id, Meeting.partnership_id == partnership_id)
    row = connection.execute(wanted).mappings().first()
    if row is None:
        raise NothingHere
    return MeetingView(**row)


@dataclass(frozen=True, slots=True)
class DecisionView:
    id: int
    agreement_id: int
    kind: DecisionKind
    title: str
    text: str
    proposed_at: datetime
    deviations: list[Deviation]
    meeting_id: int | None
    meets_at: datetime | None
    answers: dict[Partner, bool]

    @property
    def standing(self) -> Standing:
        return standing(self.answers)


def that_may_open(connection: Connection, partnership_id: int, agreement_id: int) -> list[DecisionView]:
    """Return the decisions of an agreement's term by which a second area may be opened: decided by both partners."""
    return [
        one
        for one in decisions(connection, partnership_id)
        if one.agreement_id == agreement_id
        and one.kind is not DecisionKind.EXTENSION
        and one.standing is Standing.DECIDED
    ]


def opened(connection: Connection, partnership_id: int) -> dict[int, list[tuple[date, str]]]:
    """Return night and area of what was opened by each decision, by the decision's id."""
    rows = connection.execute(
        select(Opening.decision_id, Night.date, Area.name)
        .join(Shift, Shift.id == Opening.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(Shift.partnership_id == partnership_id)
        .order_by(Night.date)
    )
    found: dict[int, list[tuple[date, str]]] = defaultdict(list)
    for row in rows:
        found[row.decision_id].append((row.date, row.name))
    return found


def decisions(connection: Connection, partnership_id: int) -> list[DecisionView]:
    """Return the decisions, the latest first, each with the partners' answers."""
    answers: dict[int, dict[Partner, bool]] = defaultdict(dict)
    given = connection.execute(
        select(Consent.decision_id, Consent.partner, Consent.agreed)
        .join(Decision, Decision.id == Consent.decision_id)
        .where(Decision.partnership_id == partnership_id)
    )
    for row in given:
        answers[row.decision_id][row.partner] = row.agreed
    rows = connection.execute(
        select(
            Decision.id,
            Decision.agreement_id,
            Decision.kind,
            Decision.title,
            Decision.text,
            Decision.proposed_at,
            Decision.deviations,
            Decision.meeting_id,
            Meeting.starts_at.label("meets_at"),
        )
        .outerjoin(Meeting, Meeting.id == Decision.meeting_id)
        .where(Decision.partnership_id == partnership_id)
        .order_by(Decision.id.desc())
    )
    return [
        DecisionView(
            id=row.id,
            agreement_id=row.agreement_id,
            kind=row.kind,
            title=row.title,
            text=row.text,
            proposed_at=row.proposed_at,
            deviations=[deviation_from_json(one) for one in row.deviations],
            meeting_id=row.meeting_id,
            meets_at=row.meets_at,
            answers=answers[row.id],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Noticed:
    """A deviation of the ledger as it is now, and the latest decision about it."""

    deviation: Deviation
    decision: DecisionView | None


def noticed(present: Iterable[Deviation], decided: Sequence[DecisionView]) -> list[Noticed]:
    """Return each deviation with what the group has said of it; `decided` are the decisions, the latest first."""
    return [
        Noticed(one, next((it for it in decided if one.key in {about.key for about in it.deviations}), None))
        for one in present
    ]


def terms(connection: Connection, partnership_id: int) -> dict[int, tuple[date, date]]:
    """Return first and last day of each agreement, by id and in order of time."""
    rows = connection.execute(
        select(Agreement.id, Agreement.starts_on, Agreement.ends_on)
        .where(Agreement.partnership_id == partnership_id)
        .order_by(Agreement.starts_on)
    )
    return {row.id: (row.starts_on, row.ends_on) for row in rows}


def decided_deviations(listed: Iterable[DecisionView], agreement_id: int) -> list[DecisionView]:
    """Return those of an agreement's decisions that are deviations and that both partners have decided on."""
    return [
        one
        for one in listed
        if one.agreement_id == agreement_id and one.kind is DecisionKind.DEVIATION and one.standing is Standing.DECIDED
    ]

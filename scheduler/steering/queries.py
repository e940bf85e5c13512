from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from scheduler.steering.rules import DecisionKind, NothingHere, Partner, Standing, standing
from scheduler.steering.tables import Consent, Decision, Meeting, SteeringMember


@dataclass(frozen=True, slots=True)
class MemberView:
    id: int
    partner: Partner
    name: str
    email: str


def members(connection: Connection, partnership_id: int) -> list[MemberView]:
    """Return the group, the municipality's members first."""
    rows = connection.execute(
        select(SteeringMember.id, SteeringMember.partner, SteeringMember.name, SteeringMember.email)
        .where(SteeringMember.partnership_id == partnership_id)
        .order_by(SteeringMember.partner.desc(), SteeringMember.id)
    )
    return [MemberView(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class MeetingView:
    id: int
    starts_at: datetime
    minutes: int
    place: str
    agenda: str
    sequence: int
    changed_at: datetime
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
    Meeting.cancelled_at.is_not(None),
)


def meetings(connection: Connection, partnership_id: int) -> list[MeetingView]:
    """Return the meetings, the latest first."""
    rows = connection.execute(
        _MEETING.where(Meeting.partnership_id == partnership_id).order_by(Meeting.starts_at.desc()).limit(50)
    )
    return [MeetingView(*row) for row in rows]


def meeting(connection: Connection, partnership_id: int, meeting_id: int) -> MeetingView:
    """Return one meeting. Raises NothingHere."""
    row = connection.execute(_MEETING.where(Meeting.id == meeting_id, Meeting.partnership_id == partnership_id)).first()
    if row is None:
        raise NothingHere
    return MeetingView(*row)


@dataclass(frozen=True, slots=True)
class DecisionView:
    id: int
    agreement_id: int
    kind: DecisionKind
    title: str
    text: str
    proposed_at: datetime
    answers: dict[Partner, bool]

    @property
    def standing(self) -> Standing:
        return standing(self.answers)


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
        select(Decision.id, Decision.agreement_id, Decision.kind, Decision.title, Decision.text, Decision.proposed_at)
        .where(Decision.partnership_id == partnership_id)
        .order_by(Decision.id.desc())
    )
    return [DecisionView(*row, answers[row.id]) for row in rows]

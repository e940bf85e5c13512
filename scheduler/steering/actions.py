from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, delete, exists, insert, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.refusals import Invalid
from scheduler.kit.upsert import upsert
from scheduler.money import actions as money
from scheduler.money.rules import Deviation
from scheduler.nights import budget
from scheduler.partnership.actions import sign_agreement
from scheduler.partnership.queries import AgreementView, agreement_on
from scheduler.partnership.tables import Agreement
from scheduler.people.rules import Acting
from scheduler.steering.queries import decided_deviations, decisions, meeting, members, seats, that_may_open
from scheduler.steering.rules import (
    LONGEST_MEETING_MINUTES,
    LONGEST_TEXT_CHARACTERS,
    AlreadyDecided,
    AlreadyRenewed,
    DecisionKind,
    MeetingOver,
    NotDecided,
    NothingHere,
    NotYourPartner,
    Partner,
    RateNotDecided,
    SeatTaken,
    Standing,
    line,
    mail_address,
    next_term,
)
from scheduler.steering.tables import Consent, Decision, Meeting, Opening, SteeringMember

NOBODY = {"organizer_name": "", "organizer_email": ""}


def add_member(connection: Connection, acting: Acting, partner: Partner, name: str, email: str) -> int:
    """Add a member of the group and return the id. Raises Invalid for a name or address that is none."""
    member_id = connection.execute(
        insert(SteeringMember)
        .values(
            partnership_id=acting.partnership_id, partner=partner, name=line("name", name), email=mail_address(email)
        )
        .returning(SteeringMember.id)
    ).scalar_one()
    _tell(connection, acting, "steering.member", {"partner": partner.value})
    return member_id


def remove_member(connection: Connection, acting: Acting, member_id: int) -> None:
    """Take somebody out of the group, name and address with them; meetings that she called lose both when they are over
    (`forget_callers`). Raises NothingHere."""
    gone = connection.execute(
        delete(SteeringMember).where(
            SteeringMember.id == member_id, SteeringMember.partnership_id == acting.partnership_id
        )
    ).rowcount
    if not gone:
        raise NothingHere
    _tell(connection, acting, "steering.member_gone", {})


def take_seat(connection: Connection, acting: Acting, member_id: int, partner: Partner | None) -> None:
    """Note that a seat is the acting person's own; again changes nothing. `partner` is for whom she may answer.

    Raises NothingHere, NotYourPartner for the other's seat, or SeatTaken when it is somebody else's or she has one.
    """
    # A write first: two who take it at once come one after the other.
    held = connection.execute(
        update(SteeringMember)
        .where(SteeringMember.id == member_id, SteeringMember.partnership_id == acting.partnership_id)
        .values(name=SteeringMember.name)
    ).rowcount
    if not held:
        raise NothingHere
    listed = members(connection, acting.partnership_id)
    seat = next(one for one in listed if one.id == member_id)
    if seat.partner != partner:
        raise NotYourPartner
    taken = {one.id for one in listed if one.person_id == acting.person_id}
    if taken == {member_id}:
        return
    if taken or seat.person_id is not None:
        raise SeatTaken
    connection.execute(update(SteeringMember).where(SteeringMember.id == member_id).values(person_id=acting.person_id))
    _tell(connection, acting, "steering.seat", {"partner": seat.partner.value})


def leave(connection: Connection, partnership_id: int, person_id: int) -> None:
    """Take away somebody's own seat, and her name and address from the meetings that she called. What was decided and
    what stood on the agenda stays as it was written."""
    for seat in seats(connection, person_id):
        connection.execute(
            update(Meeting)
            .where(
                Meeting.partnership_id == partnership_id,
                Meeting.organizer_name == seat.name,
                Meeting.organizer_email == seat.email,
            )
            .values(NOBODY)
        )
        connection.execute(delete(SteeringMember).where(SteeringMember.id == seat.id))


def forget_callers(connection: Connection, now: datetime) -> int:
    """Forget who called the meetings that are over, where that one is in the group no longer; return of how many
    meetings. Until then calendars need her: they take a file of another caller for another meeting."""
    still_there = exists().where(
        SteeringMember.partnership_id == Meeting.partnership_id,
        SteeringMember.name == Meeting.organizer_name,
        SteeringMember.email == Meeting.organizer_email,
    )
    over = Meeting.starts_at <= now - timedelta(minutes=LONGEST_MEETING_MINUTES)
    return connection.execute(
        update(Meeting).where(Meeting.organizer_email != "", over, ~still_there).values(NOBODY)
    ).rowcount


def _tell(connection: Connection, acting: Acting, what: str, after: dict[str, object]) -> None:
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, Change(what, after=after))


def call_meeting(
    connection: Connection,
    acting: Acting,
    starts_at: datetime,
    minutes: int,
    place: str,
    agenda: str,
    partner: Partner | None = None,
) -> int:
    """Call a meeting and return its id; either partner may, also at short notice. Raises Invalid for one that has
    been, or without a place or length. `partner` calls it: its first member with an address is the organizer."""
    wanted = _meeting(acting, starts_at, minutes, place, agenda)
    callers = [one for one in members(connection, acting.partnership_id) if one.partner == partner and one.email]
    meeting_id = connection.execute(
        insert(Meeting)
        .values(
            partnership_id=acting.partnership_id,
            sequence=0,
            organizer_name=callers[0].name if callers else "",
            organizer_email=callers[0].email if callers else "",
            **wanted,
        )
        .returning(Meeting.id)
    ).scalar_one()
    _tell(connection, acting, "steering.meeting", {"starts_at": starts_at.isoformat()})
    return meeting_id


def _meeting(acting: Acting, starts_at: datetime, minutes: int, place: str, agenda: str) -> dict[str, object]:
    if starts_at <= acting.now:
        raise Invalid("starts_at", "past")
    if not 1 <= minutes <= LONGEST_MEETING_MINUTES:
        raise Invalid("minutes", "range")
    if len(agenda) > LONGEST_TEXT_CHARACTERS:
        raise Invalid("agenda", "too_long")
    return {
        "starts_at": starts_at,
        "minutes": minutes,
        "place": line("place", place),
        "agenda": agenda.strip(),
        "changed_at": acting.now,
    }


def change_meeting(
    connection: Connection,
    acting: Acting,
    meeting_id: int,
    starts_at: datetime,
    minutes: int,
    place: str,
    agenda: str,
) -> None:
    """Move or reword a meeting; its file then mends what calendars hold. The same again changes nothing. Raises
    NothingHere, MeetingOver for one that is cancelled, or Invalid as when it is called."""
    connection.execute(
        update(Meeting)
        .where(Meeting.id == meeting_id, Meeting.partnership_id == acting.partnership_id)
        .values(place=Meeting.place)
    )
    found = meeting(connection, acting.partnership_id, meeting_id)
    if found.cancelled:
        raise MeetingOver
    wanted = _meeting(acting, starts_at, minutes, place, agenda)
    same = (found.starts_at, found.minutes, found.place, found.agenda)
    if same == (starts_at, minutes, wanted["place"], wanted["agenda"]):
        return
    connection.execute(update(Meeting).where(Meeting.id == meeting_id).values(sequence=Meeting.sequence + 1, **wanted))
    _tell(connection, acting, "steering.meeting_changed", {"starts_at": starts_at.isoformat()})


def cancel_meeting(connection: Connection, acting: Acting, meeting_id: int) -> None:
    """Cancel a meeting; its file then takes it out of calendars. Cancelling again changes nothing. Raises
    NothingHere."""
    found = connection.execute(
        select(Meeting.id).where(Meeting.id == meeting_id, Meeting.partnership_id == acting.partnership_id)
    ).first()
    if found is None:
        raise NothingHere
    changed = connection.execute(
        update(Meeting)
        .where(Meeting.id == meeting_id, Meeting.cancelled_at.is_(None))
        .values(cancelled_at=acting.now, changed_at=acting.now, sequence=Meeting.sequence + 1)
    ).rowcount
    if changed:
        _tell(connection, acting, "steering.meeting_cancelled", {})


def propose(
    connection: Connection,
    acting: Acting,
    agreement_id: int,
    kind: DecisionKind,
    title: str,
    text: str,
    *,
    deviations: Iterable[Deviation] = (),
    meeting_id: int | None = None,
) -> int:
    """Put a decision to both partners and return its id; `deviations` of the ledger are kept with it as they are now.
    Raises Invalid without a title or for a text too long, NothingHere for a meeting that is not here."""
    if len(text) > LONGEST_TEXT_CHARACTERS:
        raise Invalid("text", "too_long")
    if meeting_id is not None:
        meeting(connection, acting.partnership_id, meeting_id)
    decision_id = connection.execute(
        insert(Decision)
        .values(
            partnership_id=acting.partnership_id,
            agreement_id=agreement_id,
            kind=kind,
            title=line("title", title),
            text=text.strip(),
            deviations=[one.as_json() for one in deviations],
            meeting_id=meeting_id,
            proposed_at=acting.now,
            proposed_by=acting.person_id,
        )
        .returning(Decision.id)
    ).scalar_one()
    _tell(connection, acting, "steering.proposed", {"kind": kind.value})
    return decision_id


def answer(connection: Connection, acting: Acting, decision_id: int, partner: Partner | None, *, agreed: bool) -> None:
    """Write a partner's answer; the same answer again changes nothing.

    `partner` is for whom the acting person may answer. Raises NotYourPartner for None, NothingHere, or AlreadyDecided
    when the partner has answered otherwise.
    """
    # A write first: two answers at once come one after the other.
    held = connection.execute(
        update(Decision)
        .where(Decision.id == decision_id, Decision.partnership_id == acting.partnership_id)
        .values(title=Decision.title)
    ).rowcount
    if not held:
        raise NothingHere
    if partner is None:
        raise NotYourPartner
    known = connection.execute(
        select(Consent.agreed).where(Consent.decision_id == decision_id, Consent.partner == partner)
    ).scalar()
    if known is not None:
        if known is not agreed:
            raise AlreadyDecided
        return
    connection.execute(
        insert(Consent).values(
            decision_id=decision_id, partner=partner, agreed=agreed, given_at=acting.now, given_by=acting.person_id
        )
    )
    _tell(connection, acting, "steering.answered", {"partner": partner.value, "agreed": agreed})


def change_rate(
    connection: Connection, acting: Acting, agreement: AgreementView, decision_id: int, from_on: date, rate_ore: int
) -> None:
    """Let another night rate hold for the nights from a coming date on, by a deviation that both partners have
    decided on; what was walked before keeps the rate it had.

    Raises RateNotDecided, or Invalid for a date that is past or outside the agreement.
    """
    decided = {one.id for one in decided_deviations(decisions(connection, acting.partnership_id), agreement.id)}
    if decision_id not in decided:
        raise RateNotDecided
    if not agreement.starts_on <= from_on <= agreement.ends_on:
        raise Invalid("from_on", "outside")
    money.change_rate(connection, acting, from_on, rate_ore)
    _tell(connection, acting, "steering.rate", {"decision": decision_id})


def open_area(connection: Connection, acting: Acting, night: date, area_id: int, decision_id: int) -> int:
    """Open one more area on a night beyond the line, by a decision of both partners; return the shift's id.

    Raises NotDecided for any other decision, and what `nights.budget.open_area` raises.
    """
    agreement = agreement_on(connection, acting.partnership_id, night)
    by = {one.id: one for one in that_may_open(connection, acting.partnership_id, agreement.id)}.get(decision_id)
    if by is None:
        raise NotDecided
    told = f"{by.proposed_at.astimezone(acting.zone).date()}: {by.title}"
    shift_id = budget.open_area(connection, acting, night, area_id, told)
    upsert(connection, Opening, {"shift_id": shift_id}, {"decision_id": decision_id})
    change = Change("shift.decided", shift_id=shift_id, after={"decision": told})
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)
    return shift_id


def renew(connection: Connection, acting: Acting, agreement: AgreementView) -> int:
    """Make next year's agreement from this one, with its rate, promise and lines; return its id.

    Raises NotDecided without an extension that both partners have decided on, AlreadyRenewed where there is one.
    """
    connection.execute(
        update(Agreement).where(Agreement.id == agreement.id).values(promised_ore=Agreement.promised_ore)
    )
    decided = [
        one
        for one in decisions(connection, acting.partnership_id)
        if one.kind is DecisionKind.EXTENSION and one.agreement_id == agreement.id and one.standing is Standing.DECIDED
    ]
    if not decided:
        raise NotDecided
    starts_on, ends_on = next_term(agreement.ends_on)
    later = connection.execute(
        select(Agreement.id).where(Agreement.partnership_id == acting.partnership_id, Agreement.ends_on >= starts_on)
    ).first()
    if later is not None:
        raise AlreadyRenewed
    agreement_id = sign_agreement(
        connection,
        acting.partnership_id,
        starts_on=starts_on,
        ends_on=ends_on,
        night_rate_ore=agreement.night_rate_ore,
        promised_ore=agreement.sums.promised_ore,
        lines_ore=agreement.lines,
    )
    _tell(connection, acting, "steering.renewed", {"starts_on": starts_on.isoformat()})
    return agreement_id

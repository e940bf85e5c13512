import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    select,
)

from scheduler.kit.audit import AuditEntry
from scheduler.kit.database import AnyRow
from scheduler.kit.ready import Ready
from scheduler.kit.refusals import NotFound
from scheduler.partnership.tables import Club, Partnership
from scheduler.people.rules import (
    MembershipState,
    Role,
    Visitor,
    VisitorPartnership,
    VisitorPerson,
    roles_of,
)
from scheduler.people.tables import Membership, Person, RoleGrant, SignInSession

LOG_PAGE = 200
# What the log keeps in a form that is no words: instants, days, and people by their id.
MOMENTS, DAYS, PEOPLE = ("starts_at", "ends_at"), ("date", "publish_on"), ("leader_person_id",)
Shown = str | date | datetime


def digest(secret: str) -> str:
    """Return what is stored of a secret of 128 bits or more: a plain SHA-256 cannot be guessed backwards."""
    return hashlib.sha256(secret.encode()).hexdigest()


_VISITOR = Ready(
    select(
        Partnership.id,
        Partnership.name,
        Partnership.municipality,
        Partnership.host_name,
        Partnership.time_zone,
        Partnership.team_phone,
        Partnership.coordinator_phone,
        SignInSession.id.label("session_id"),
        Person.id.label("person_id"),
        Person.first_name,
        Person.last_name,
        Person.language,
        select(func.aggregate_strings(Membership.state, ","))
        .where(Membership.person_id == Person.id, Membership.state != MembershipState.ENDED)
        .correlate(Person)
        .scalar_subquery()
        .label("memberships"),
        select(func.aggregate_strings(RoleGrant.role, ","))
        .where(RoleGrant.person_id == Person.id)
        .correlate(Person)
        .scalar_subquery()
        .label("granted"),
    )
    .select_from(Partnership)
    .outerjoin(
        SignInSession,
        and_(
            SignInSession.partnership_id == Partnership.id,
            SignInSession.secret_hash == bindparam("secret_hash"),
            SignInSession.ended_at.is_(None),
        ),
    )
    .outerjoin(Person, Person.id == SignInSession.person_id)
    .where(Partnership.host_name == bindparam("host_name"))
)


def visitor(connection: Connection, host_name: str, session_secret: str | None) -> Visitor:
    """Return who looks, and at which partnership's pages, in one statement.

    `host_name` is "" for the deployment's own address; a partnership of None means that no tenant answers there.
    """
    row = _VISITOR.first(
        connection, {"host_name": host_name, "secret_hash": digest(session_secret) if session_secret else ""}
    )
    if row is None:
        return Visitor(partnership=None)
    partnership = VisitorPartnership(*row[:7])
    if row.person_id is None:
        return Visitor(partnership=partnership)
    memberships = (row.memberships or "").split(",")
    return Visitor(
        partnership=partnership,
        person=VisitorPerson(row.person_id, row.first_name, row.last_name, row.language),
        session_id=row.session_id,
        roles=roles_of(
            approved=MembershipState.APPROVED in memberships,
            granted=(row.granted or "").split(",") if row.granted else (),
        ),
        pending=MembershipState.PENDING in memberships,
        invited=MembershipState.INVITED in memberships,
    )


def person_by_phone(connection: Connection, partnership_id: int, phone: str) -> Row[int, str] | None:
    """Return id and language of the person with this E.164 number, or None."""
    return connection.execute(
        select(Person.id, Person.language).where(Person.partnership_id == partnership_id, Person.phone == phone)
    ).first()


@dataclass(frozen=True, slots=True)
class Device:
    id: int
    name: str
    last_seen_at: datetime
    current: bool


def devices(connection: Connection, person_id: int, current_session_id: int | None) -> list[Device]:
    """Return the person's signed-in devices, the latest first."""
    rows = connection.execute(
        select(SignInSession.id, SignInSession.device, SignInSession.last_seen_at)
        .where(SignInSession.person_id == person_id, SignInSession.ended_at.is_(None))
        .order_by(SignInSession.last_seen_at.desc(), SignInSession.id.desc())
    )
    return [Device(row.id, row.device, row.last_seen_at, row.id == current_session_id) for row in rows]


def phone_of(connection: Connection, person_id: int) -> str:
    """Return the person's E.164 number."""
    return connection.execute(select(Person.phone).where(Person.id == person_id)).scalar_one()


def contact_club_ids(connection: Connection, person_id: int) -> frozenset[int]:
    """Return the ids of the clubs whose contact this person is."""
    return frozenset(
        connection.execute(
            select(Club.id)
            .join(RoleGrant, RoleGrant.club_id == Club.id)
            .where(RoleGrant.person_id == person_id, RoleGrant.role == Role.CONTACT)
        ).scalars()
    )


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who waits for approval. Every applicant was 18 when registering."""

    membership_id: int
    name: str
    club: str
    phone: str
    asked_at: datetime


def applicants(connection: Connection, partnership_id: int, club_ids: frozenset[int] | None) -> list[Applicant]:
    """Return pending memberships, the oldest first; `club_ids` None means all clubs."""
    found = _memberships(partnership_id, club_ids).where(Membership.state == MembershipState.PENDING)
    return [
        Applicant(row.id, f"{row.first_name} {row.last_name}", row.club, row.phone, row.asked_at)
        for row in connection.execute(found.order_by(Membership.asked_at, Membership.id))
    ]


def approved_count(connection: Connection, partnership_id: int, club_ids: frozenset[int] | None) -> int:
    """Return how many memberships are approved in these clubs."""
    approved = _memberships(partnership_id, club_ids).where(Membership.state == MembershipState.APPROVED)
    return connection.execute(select(func.count()).select_from(approved.subquery())).scalar_one()


def _memberships(partnership_id: int, club_ids: frozenset[int] | None) -> Select[int, datetime, str, str, str, str]:
    wanted = (
        select(
            Membership.id,
            Membership.asked_at,
            Person.first_name,
            Person.last_name,
            Person.phone,
            Club.name.label("club"),
        )
        .join(Person, Person.id == Membership.person_id)
        .join(Club, Club.id == Membership.club_id)
        .where(Membership.partnership_id == partnership_id)
    )
    return wanted if club_ids is None else wanted.where(Membership.club_id.in_(club_ids))


class Held(NamedTuple):
    """A role that somebody has; a contact's names the club."""

    role: Role
    club_id: int | None
    club: str | None


@dataclass(frozen=True, slots=True)
class PersonPage:
    """What a coordinator sees of a person; never the birth date."""

    id: int
    name: str
    phone: str
    clubs: list[tuple[str, MembershipState]]
    roles: list[Held]
    may_lead: bool
    extract_seen_on: date | None


def person_page(connection: Connection, partnership_id: int, person_id: int) -> PersonPage:
    """Return a person for the coordinator. Raises NotFound, also for another partnership's, or a forgotten one."""
    person = connection.execute(
        select(
            *(Person.id, Person.first_name, Person.last_name, Person.phone),
            *(Person.may_lead_since, Person.extract_seen_on),
        ).where(Person.id == person_id, Person.partnership_id == partnership_id, Person.forgotten_at.is_(None))
    ).first()
    if person is None:
        raise NotFound
    memberships = connection.execute(
        select(Club.name, Membership.state)
        .join(Club, Club.id == Membership.club_id)
        .where(Membership.person_id == person_id)
        .order_by(Membership.id)
    )
    roles = connection.execute(
        select(RoleGrant.role, RoleGrant.club_id, Club.name)
        .outerjoin(Club, Club.id == RoleGrant.club_id)
        .where(RoleGrant.person_id == person_id)
        .order_by(RoleGrant.role, RoleGrant.id)
    )
    return PersonPage(
        id=person.id,
        name=f"{person.first_name} {person.last_name}",
        phone=person.phone,
        clubs=[(row.name, row.state) for row in memberships],
        roles=[Held(*row) for row in roles],
        may_lead=person.may_lead_since is not None,
        extract_seen_on=person.extract_seen_on,
    )


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the audit log. `who` is "" for the product itself (the worker). A detail is what was changed, before
    and after: words, a moment, a day, or the first name of the person who was meant."""

    id: int
    at: datetime
    who: str
    what: str
    whom: str
    details: list[tuple[str, Shown, Shown]]
    shift_id: int | None


def log(
    connection: Connection,
    partnership_id: int,
    *,
    shift_id: int | None = None,
    person_id: int | None = None,
    before_id: int | None = None,
) -> list[LogEntry]:
    """Return the audit entries, also those of a shift or of a person alone, the latest first; at most 200, of those
    before the entry `before_id`."""
    actor, whom = Person.__table__.alias("actor"), Person.__table__.alias("whom")
    wanted = (
        select(
            AuditEntry.id,
            AuditEntry.at,
            AuditEntry.what,
            AuditEntry.before,
            AuditEntry.after,
            AuditEntry.shift_id,
            func.trim(actor.c.first_name + " " + actor.c.last_name).label("who"),
            func.trim(whom.c.first_name + " " + whom.c.last_name).label("whom"),
        )
        .outerjoin(actor, actor.c.id == AuditEntry.actor_person_id)
        .outerjoin(whom, whom.c.id == AuditEntry.person_id)
        .where(AuditEntry.partnership_id == partnership_id)
        .order_by(AuditEntry.id.desc())
        .limit(LOG_PAGE)
    )
    if shift_id is not None:
        wanted = wanted.where(AuditEntry.shift_id == shift_id)
    if person_id is not None:
        wanted = wanted.where(AuditEntry.person_id == person_id)
    if before_id is not None:
        wanted = wanted.where(AuditEntry.id < before_id)
    rows = connection.execute(wanted).all()
    names = _names(connection, rows)
    return [
        LogEntry(
            row.id,
            row.at,
            row.who or "",
            row.what,
            row.whom or "",
            _differences(row.before, row.after, names),
            row.shift_id,
        )
        for row in rows
    ]


def _names(connection: Connection, rows: Iterable[AnyRow]) -> dict[str, str]:
    """Return the first names of those whom entries name by their id alone, by the id as the log keeps it."""
    ids = {str(kept[name]) for row in rows for kept in (row.before, row.after) for name in PEOPLE if kept.get(name)}
    if not ids:
        return {}
    found = connection.execute(
        select(Person.id, Person.first_name).where(Person.id.in_([int(one) for one in ids if one.isdecimal()]))
    )
    return {str(row.id): row.first_name for row in found}


def _differences(
    before: dict[str, object], after: dict[str, object], names: Mapping[str, str]
) -> list[tuple[str, Shown, Shown]]:
    return [
        (name, _shown(name, before.get(name), names), _shown(name, after.get(name), names))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _shown(name: str, value: object, names: Mapping[str, str]) -> Shown:
    text = "" if value is None else str(value)
    if name in PEOPLE:
        return names.get(text, "")
    try:
        if name in MOMENTS:
            return datetime.fromisoformat(text)
        return date.fromisoformat(text) if name in DAYS else text
    except ValueError:
        return text

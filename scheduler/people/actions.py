"""Verbs on people: joining, approving, granting roles. Signing in stands in `signing_in.py`, giving and taking roles
from a page in `roles.py`."""

from datetime import date, datetime, timedelta
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnyRow
from scheduler.kit.refusals import NotFound
from scheduler.messages.actions import Recipient, Text, queue
from scheduler.messages.rules import MessageKind, allowed_at
from scheduler.partnership.queries import check_with_us
from scheduler.partnership.tables import Club
from scheduler.people.inviting import accept_invitation
from scheduler.people.rules import (
    AlreadyDecided,
    MembershipState,
    NotYourClub,
    Role,
    Visitor,
    VisitorPartnership,
)
from scheduler.people.tables import Membership, Person, RoleGrant, SignInSession

WELCOME_KEPT = timedelta(days=7)


class Joining(TypedDict):
    """What a new member typed, kept with the code until the number is proven. `born_on` is ISO."""

    club_id: int
    first_name: str
    last_name: str
    phone: str
    born_on: str
    language: str


def register(
    connection: Connection,
    partnership_id: int,
    now: datetime,
    *,
    first_name: str,
    last_name: str,
    phone: str,
    born_on: date,
    language: str = "sv",
) -> int:
    """Create a person whose details the forms have checked, and return the id."""
    person_id = connection.execute(
        insert(Person)
        .values(
            partnership_id=partnership_id,
            first_name=first_name,
            last_name=last_name,
            phone=phone,
            born_on=born_on,
            language=language,
            values_agreed_at=now,
            created_at=now,
            revision=0,
        )
        .returning(Person.id)
    ).scalar_one()
    audit.record(connection, partnership_id, now, person_id, Change("person.registered", person_id=person_id))
    return person_id


def ask_to_join(connection: Connection, partnership_id: int, person_id: int, club_id: int, now: datetime) -> None:
    """Put a pending membership before the club. Asking again while one is pending or approved changes nothing; who
    was invited has hereby said yes, and agreed to the values that the form showed."""
    known = connection.execute(
        select(Membership.id, Membership.state).where(
            Membership.person_id == person_id,
            Membership.club_id == club_id,
            Membership.state != MembershipState.ENDED,
        )
    ).first()
    if known is not None:
        if known.state is MembershipState.INVITED:
            accept_invitation(connection, partnership_id, person_id, known.id, now)
        return
    connection.execute(
        insert(Membership).values(
            partnership_id=partnership_id,
            person_id=person_id,
            club_id=club_id,
            state=MembershipState.PENDING,
            asked_at=now,
            decided_at=None,
        )
    )
    audit.record(
        connection,
        partnership_id,
        now,
        person_id,
        Change("membership.asked", person_id=person_id, after={"club": _club_name(connection, club_id)}),
    )


def finish_joining(connection: Connection, partnership_id: int, joining: Joining, now: datetime) -> int:
    """Turn what was typed into a person with a pending membership, now that the number is proven.

    Who is known by that number keeps the details that are there. Returns the person's id.
    """
    known = connection.execute(
        select(Person.id).where(Person.partnership_id == partnership_id, Person.phone == joining["phone"])
    ).scalar()
    person_id = known or register(
        connection,
        partnership_id,
        now,
        first_name=joining["first_name"],
        last_name=joining["last_name"],
        phone=joining["phone"],
        born_on=date.fromisoformat(joining["born_on"]),
        language=joining["language"],
    )
    ask_to_join(connection, partnership_id, person_id, joining["club_id"], now)
    return person_id


def decide(
    connection: Connection,
    visitor: Visitor,
    membership_id: int,
    now: datetime,
    *,
    approve: bool,
    contact_of: frozenset[int],
    link: str,
) -> None:
    """Approve or decline a pending membership; an approval is told by SMS.

    `contact_of`: the clubs whose contact the visitor is; a coordinator may decide for all of them.
    Raises NotFound, NotYourClub, ClubLeft (on approving), or AlreadyDecided when somebody else was first.
    """
    assert visitor.partnership is not None
    assert visitor.person is not None
    partnership_id = visitor.partnership.id
    found = connection.execute(
        select(Membership.club_id, Membership.person_id, Club.name.label("club"), Person.phone, Person.language)
        .join(Club, Club.id == Membership.club_id)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id == membership_id, Membership.partnership_id == partnership_id)
    ).first()
    if found is None:
        raise NotFound
    if Role.COORDINATOR not in visitor.roles and found.club_id not in contact_of:
        raise NotYourClub
    if approve:
        today = now.astimezone(ZoneInfo(visitor.partnership.time_zone)).date()
        check_with_us(connection, partnership_id, [found.club_id], today)
    state = MembershipState.APPROVED if approve else MembershipState.ENDED
    changed = connection.execute(
        update(Membership)
        .where(Membership.id == membership_id, Membership.state == MembershipState.PENDING)
        .values(state=state, decided_at=now)
    ).rowcount
    if not changed:
        raise AlreadyDecided
    audit.record(
        connection,
        partnership_id,
        now,
        visitor.person.id,
        Change(
            "membership.approved" if approve else "membership.declined",
            person_id=found.person_id,
            before={"membership": MembershipState.PENDING.value},
            after={"membership": state.value, "club": found.club},
        ),
    )
    if approve:
        _tell_approved(connection, visitor.partnership, membership_id, found, now, link)


def _tell_approved(
    connection: Connection,
    partnership: VisitorPartnership,
    membership_id: int,
    member: AnyRow,
    now: datetime,
    link: str,
) -> None:
    due_at = allowed_at(now, ZoneInfo(partnership.time_zone))
    queue(
        connection,
        partnership.id,
        Recipient(member.phone, member.language, member.person_id),
        Text(
            kind=MessageKind.APPROVED,
            fact=f"membership:{membership_id}:approved",
            about=f"membership:{membership_id}",
            words={"club": member.club, "link": link},
            due_at=due_at,
            deadline_at=due_at + WELCOME_KEPT,
        ),
        now,
    )


def grant_role(
    connection: Connection,
    partnership_id: int,
    person_id: int,
    role: Role,
    now: datetime,
    *,
    club_id: int | None = None,
    by_person_id: int | None = None,
) -> None:
    """Give a person a role; a contact's role names the club. What is granted already stays as it is."""
    held = connection.execute(
        select(RoleGrant.id).where(
            RoleGrant.person_id == person_id, RoleGrant.role == role, RoleGrant.club_id.is_not_distinct_from(club_id)
        )
    ).first()
    if held is not None:
        return
    connection.execute(
        insert(RoleGrant).values(partnership_id=partnership_id, person_id=person_id, role=role, club_id=club_id)
    )
    after: dict[str, Any] = {"role": role.value}
    if club_id is not None:
        after["club"] = _club_name(connection, club_id)
    audit.record(
        connection, partnership_id, now, by_person_id, Change("role.granted", person_id=person_id, after=after)
    )


def withdraw_role(
    connection: Connection,
    partnership_id: int,
    person_id: int,
    role: Role,
    now: datetime,
    *,
    by_person_id: int | None,
    club_id: int | None = None,
) -> bool:
    """Take a role away, a contact's for one club, and end the person's sessions, so that no open page keeps the old
    rights. False when it was not held."""
    removed = connection.execute(
        delete(RoleGrant).where(
            RoleGrant.person_id == person_id, RoleGrant.role == role, RoleGrant.club_id.is_not_distinct_from(club_id)
        )
    ).rowcount
    if removed:
        end_all_sessions(connection, person_id, now)
        before = {"role": role.value} | ({"club": _club_name(connection, club_id)} if club_id is not None else {})
        change = Change("role.withdrawn", person_id=person_id, before=before)
        audit.record(connection, partnership_id, now, by_person_id, change)
    return removed > 0


def change_details(
    connection: Connection, visitor: Visitor, now: datetime, *, first_name: str, last_name: str, language: str
) -> None:
    """Keep what a person typed about herself on the page "me"."""
    assert visitor.partnership is not None
    assert visitor.person is not None
    before = {
        "first_name": visitor.person.first_name,
        "last_name": visitor.person.last_name,
        "language": visitor.person.language,
    }
    after = {"first_name": first_name, "last_name": last_name, "language": language}
    if before == after:
        return
    connection.execute(update(Person).where(Person.id == visitor.person.id).values(**after))
    audit.record(
        connection,
        visitor.partnership.id,
        now,
        visitor.person.id,
        Change("person.changed", person_id=visitor.person.id, before=before, after=after),
    )


def end_all_sessions(connection: Connection, person_id: int, now: datetime) -> None:
    """Sign a person out on every device."""
    connection.execute(
        update(SignInSession)
        .where(SignInSession.person_id == person_id, SignInSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def _club_name(connection: Connection, club_id: int) -> str:
    return connection.execute(select(Club.name).where(Club.id == club_id)).scalar_one()


def approve_all_asked_before(connection: Connection, partnership_id: int, asked_before: datetime, now: datetime) -> int:
    """Approve every pending membership asked for before an instant, and return how many there were."""
    return _approve_where(connection, partnership_id, now, Membership.asked_at < asked_before)


def approve_memberships_of(connection: Connection, partnership_id: int, person_id: int, now: datetime) -> int:
    """Approve a person's pending memberships, and return how many there were."""
    return _approve_where(connection, partnership_id, now, Membership.person_id == person_id)


def _approve_where(connection: Connection, partnership_id: int, now: datetime, condition: ColumnElement[bool]) -> int:
    pending = connection.execute(
        select(Membership.id, Membership.person_id, Club.name.label("club"))
        .join(Club, Club.id == Membership.club_id)
        .where(Membership.partnership_id == partnership_id, Membership.state == MembershipState.PENDING, condition)
    ).all()
    for row in pending:
        connection.execute(
            update(Membership).where(Membership.id == row.id).values(state=MembershipState.APPROVED, decided_at=now)
        )
        change = Change("membership.approved", person_id=row.person_id, after={"club": row.club})
        audit.record(connection, partnership_id, now, None, change)
    return len(pending)

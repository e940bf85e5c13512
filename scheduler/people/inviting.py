"""A club puts people in, many at once: each becomes a person with an invited membership, and a member by her own yes.

Nobody who has not said yes, and agreed to the values, can be booked, asked or put on a shift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.upsert import insertion_of_new
from scheduler.messages.actions import Recipient, Text, drop, queue_many
from scheduler.messages.rules import MessageKind, allowed_at
from scheduler.partnership.tables import Club
from scheduler.people.rules import (
    INVITATION_LIVES,
    NEVER,
    Acting,
    InvitationOver,
    MembershipState,
    is_same_person,
)
from scheduler.people.tables import Membership, Person

INVITATION_KEPT = timedelta(days=7)
NUMBERS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody whom a club puts in; `phone` is E.164."""

    first_name: str
    last_name: str
    phone: str
    born_on: date
    club_id: int


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody who has a number already, and her memberships that have not ended, by club."""

    id: int
    first_name: str
    last_name: str
    born_on: date
    language: str
    memberships: Mapping[int, MembershipState]


@dataclass(frozen=True, slots=True)
class Invited:
    """How many were invited and told by text; `left_out`: somebody else got the number, or the membership, first."""

    invited: int
    told: int
    left_out: int


def known_by_phone(connection: Connection, partnership_id: int, phones: Sequence[str]) -> dict[str, KnownPerson]:
    """Return the people of a partnership who have one of these numbers, by number."""
    found: dict[str, Any] = {}
    memberships: dict[int, dict[int, MembershipState]] = {}
    for at in range(0, len(phones), NUMBERS_AT_ONCE):
        some = phones[at : at + NUMBERS_AT_ONCE]
        mine = (Person.partnership_id == partnership_id, Person.phone.in_(some))
        people = select(
            Person.id, Person.first_name, Person.last_name, Person.born_on, Person.language, Person.phone
        ).where(*mine)
        found |= {row.phone: row for row in connection.execute(people)}
        not_ended = (
            select(Membership.person_id, Membership.club_id, Membership.state)
            .join(Person, Person.id == Membership.person_id)
            .where(*mine, Membership.state != MembershipState.ENDED)
        )
        for row in connection.execute(not_ended):
            memberships.setdefault(row.person_id, {})[row.club_id] = row.state
    return {
        phone: KnownPerson(
            row.id, row.first_name, row.last_name, row.born_on, row.language, memberships.get(row.id, {})
        )
        for phone, row in found.items()
    }


def invite_many(connection: Connection, acting: Acting, newcomers: Sequence[Newcomer], *, tell: bool) -> Invited:
    """Invite each of them to a club; who has the number already keeps her details and gets the membership.

    A number or membership that somebody else has written meanwhile is left as it is. `tell`: by a text to each.
    """
    # By number, so that two who import the same list wait for each other in one order.
    wanted = sorted(newcomers, key=lambda one: one.phone)
    if not wanted:
        return Invited(0, 0, 0)
    _register(connection, acting, wanted)
    known = known_by_phone(connection, acting.partnership_id, [one.phone for one in wanted])
    asked = {
        (known[one.phone].id, one.club_id): one
        for one in wanted
        if one.club_id not in known[one.phone].memberships
        and is_same_person(known[one.phone], one.first_name, one.last_name, one.born_on)
    }
    fresh = _ask(connection, acting, list(asked))
    rows = connection.execute(select(Club.id, Club.name).where(Club.partnership_id == acting.partnership_id))
    clubs = {row.id: row.name for row in rows}
    changes = [
        Change(
            "membership.invited",
            person_id=person_id,
            after={"membership": MembershipState.INVITED.value, "club": clubs[club_id]},
        )
        for _id, person_id, club_id in fresh
    ]
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, changes)
    if tell:
        letters = [(id_, asked[who, club], clubs[club]) for id_, who, club in fresh]
        _tell(connection, acting, [(id_, known[one.phone], one, club) for id_, one, club in letters])
    return Invited(len(fresh), len(fresh) if tell else 0, len(newcomers) - len(fresh))


def _register(connection: Connection, acting: Acting, newcomers: Sequence[Newcomer]) -> None:
    """Make a person of each whose number nobody has."""
    rows = [
        {
            "partnership_id": acting.partnership_id,
            "first_name": one.first_name,
            "last_name": one.last_name,
            "phone": one.phone,
            "born_on": one.born_on,
            "language": "sv",
            "values_agreed_at": NEVER,
            "created_at": acting.now,
            "revision": 0,
        }
        for one in newcomers
    ]
    connection.execute(insertion_of_new(connection, Person), rows)


def _ask(connection: Connection, acting: Acting, wanted: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Invite each person to a club; return membership, person and club of those who had none there."""
    if not wanted:
        return []
    rows = [
        {
            "partnership_id": acting.partnership_id,
            "person_id": person_id,
            "club_id": club_id,
            "state": MembershipState.INVITED,
            "asked_at": acting.now,
            "decided_at": None,
        }
        for person_id, club_id in wanted
    ]
    inserted = insertion_of_new(connection, Membership).returning(
        Membership.id, Membership.person_id, Membership.club_id
    )
    return sorted((row.id, row.person_id, row.club_id) for row in connection.execute(inserted, rows))


def _tell(connection: Connection, acting: Acting, invited: list[tuple[int, KnownPerson, Newcomer, str]]) -> None:
    due_at = allowed_at(acting.now, acting.zone)
    letters = [
        (
            acting.partnership_id,
            Recipient(one.phone, person.language, person.id),
            Text(
                kind=MessageKind.INVITED,
                fact=f"membership:{membership_id}:invited",
                about=f"membership:{membership_id}",
                words={"club": club, "link": f"{acting.site}/welcome"},
                due_at=due_at,
                deadline_at=due_at + INVITATION_KEPT,
                queued_by=acting.person_id,
            ),
        )
        for membership_id, person, one, club in invited
    ]
    queue_many(connection, letters, acting.now)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A club's question to somebody who has not answered it. `agreed`: to the values, once and for all."""

    membership_id: int
    club_id: int
    club: str
    agreed: bool
    ends_at: datetime


def invitations(connection: Connection, person_id: int) -> list[Invitation]:
    """Return a person's unanswered invitations, the oldest first."""
    rows = connection.execute(
        select(Membership.id, Membership.club_id, Club.name, Person.values_agreed_at, Membership.asked_at)
        .join(Club, Club.id == Membership.club_id)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.person_id == person_id, Membership.state == MembershipState.INVITED)
        .order_by(Membership.id)
    )
    return [
        Invitation(row.id, row.club_id, row.name, row.values_agreed_at != NEVER, row.asked_at + INVITATION_LIVES)
        for row in rows
    ]


def accept_invitation(
    connection: Connection, partnership_id: int, person_id: int, membership_id: int, now: datetime
) -> None:
    """Make a person, who agrees to the values, a member of the club that has invited her.

    Raises InvitationOver when it is answered already, taken back, or not hers.
    """
    _answer(connection, partnership_id, person_id, membership_id, MembershipState.APPROVED, now)
    connection.execute(
        update(Person).where(Person.id == person_id, Person.values_agreed_at == NEVER).values(values_agreed_at=now)
    )


def decline_invitation(
    connection: Connection, partnership_id: int, person_id: int, membership_id: int, now: datetime
) -> None:
    """Note a person's no to an invitation. Raises InvitationOver as `accept_invitation` does."""
    _answer(connection, partnership_id, person_id, membership_id, MembershipState.ENDED, now)


def end_unanswered(connection: Connection, now: datetime) -> int:
    """End the invitations that nobody has answered in sixty days; return how many."""
    ended = connection.execute(
        update(Membership)
        .where(Membership.state == MembershipState.INVITED, Membership.asked_at <= now - INVITATION_LIVES)
        .values(state=MembershipState.ENDED, decided_at=now)
        .returning(Membership.id, Membership.partnership_id, Membership.person_id, Membership.club_id)
    ).all()
    clubs = select(Club.id, Club.name).where(Club.id.in_({row.club_id for row in ended}))
    names = {row.id: row.name for row in connection.execute(clubs)}
    for row in sorted(ended):
        drop(connection, f"membership:{row.id}", now)
        change = Change(
            "membership.unanswered",
            person_id=row.person_id,
            before={"membership": MembershipState.INVITED.value},
            after={"membership": MembershipState.ENDED.value, "club": names[row.club_id]},
        )
        audit.record(connection, row.partnership_id, now, None, change)
    return len(ended)


def _answer(
    connection: Connection,
    partnership_id: int,
    person_id: int,
    membership_id: int,
    state: MembershipState,
    now: datetime,
) -> None:
    club_id = connection.execute(
        update(Membership)
        .where(
            Membership.id == membership_id,
            Membership.partnership_id == partnership_id,
            Membership.person_id == person_id,
            Membership.state == MembershipState.INVITED,
        )
        .values(state=state, decided_at=now)
        .returning(Membership.club_id)
    ).scalar()
    if club_id is None:
        raise InvitationOver
    drop(connection, f"membership:{membership_id}", now)
    yes = state is MembershipState.APPROVED
    change = Change(
        "membership.accepted" if yes else "membership.refused",
        person_id=person_id,
        before={"membership": MembershipState.INVITED.value},
        after={
            "membership": state.value,
            "club": connection.execute(select(Club.name).where(Club.id == club_id)).scalar_one(),
        },
    )
    audit.record(connection, partnership_id, now, person_id, change)

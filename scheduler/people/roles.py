"""Giving and taking roles. Who may give which stands in `permissions.GIVEN_BY`."""

from datetime import datetime

from sqlalchemy import Connection, exists, select, update

from scheduler.kit.refusals import Invalid, NotFound
from scheduler.partnership.tables import Club, Partnership
from scheduler.people import notes
from scheduler.people.actions import grant_role, withdraw_role
from scheduler.people.permissions import may_give
from scheduler.people.rules import LastCoordinator, NotYourRole, NotYourself, Role, Visitor
from scheduler.people.tables import Person, RoleGrant


def hold_roles(connection: Connection, partnership_id: int) -> None:
    """Let others wait who would give or take roles, so that two cannot take each other's at once."""
    connection.execute(update(Partnership).where(Partnership.id == partnership_id).values(name=Partnership.name))


def give(
    connection: Connection, visitor: Visitor, person_id: int, role: Role, now: datetime, *, club_id: int | None = None
) -> None:
    """Give somebody a role; a contact's names the club. Giving what is held already changes nothing.

    Raises NotFound, Invalid (a contact without a club), NotYourRole or NotYourself.
    """
    assert visitor.partnership is not None
    assert visitor.person is not None
    _check(connection, visitor, person_id, role, club_id)
    if person_id == visitor.person.id:
        raise NotYourself
    hold_roles(connection, visitor.partnership.id)
    grant_role(
        connection, visitor.partnership.id, person_id, role, now, club_id=club_id, by_person_id=visitor.person.id
    )


def take(
    connection: Connection, visitor: Visitor, person_id: int, role: Role, now: datetime, *, club_id: int | None = None
) -> None:
    """Take a role away: the person is signed out everywhere, and a coordinator's notes on people go with the role.

    Taking what is not held changes nothing. Raises NotFound, Invalid, NotYourRole or LastCoordinator.
    """
    assert visitor.partnership is not None
    assert visitor.person is not None
    partnership_id = visitor.partnership.id
    _check(connection, visitor, person_id, role, club_id)
    hold_roles(connection, partnership_id)
    me = visitor.person.id
    held = withdraw_role(connection, partnership_id, person_id, role, now, by_person_id=me, club_id=club_id)
    if held and role is Role.COORDINATOR:
        check_a_coordinator_is_left(connection, partnership_id)
        notes.forget_by(connection, person_id)


def check_a_coordinator_is_left(connection: Connection, partnership_id: int) -> None:
    """Raise LastCoordinator when nobody is coordinator any more. Call it under `hold_roles`."""
    left = exists().where(RoleGrant.partnership_id == partnership_id, RoleGrant.role == Role.COORDINATOR)
    if not connection.execute(select(left)).scalar():
        raise LastCoordinator


def _check(connection: Connection, visitor: Visitor, person_id: int, role: Role, club_id: int | None) -> None:
    assert visitor.partnership is not None
    person = select(Person.id).where(
        Person.id == person_id, Person.partnership_id == visitor.partnership.id, Person.forgotten_at.is_(None)
    )
    if connection.execute(person).first() is None:
        raise NotFound
    if (role is Role.CONTACT) is not (club_id is not None):
        raise Invalid(problem="request")
    known = select(Club.id).where(Club.id == club_id, Club.partnership_id == visitor.partnership.id)
    if club_id is not None and connection.execute(known).first() is None:
        raise NotFound
    if not may_give(role, visitor):
        raise NotYourRole

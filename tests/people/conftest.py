"""The people who walk through every address of the matrix."""

import pytest
from sqlalchemy import select

from scheduler.bookings import actions
from scheduler.partnership.queries import clubs
from scheduler.people.actions import grant_role
from scheduler.people.rules import MembershipState, Role
from scheduler.people.tables import Membership
from tests import make


@pytest.fixture
def cast(database, town):
    """One of each kind, a shift, and bookings of an outsider: one plain, one offered to somebody by name."""
    return database.write(lambda connection: play(connection, town))


def play(connection, town):
    """Return the ids of one person of each kind, and those that the addresses of the matrix name."""
    ids = {"pending": make.person(connection, town, "Pia", state=MembershipState.PENDING)}
    ids["volunteer"] = make.person(connection, town, "Vera")
    ids["contact"] = make.person(connection, town, "Kim")
    grant_role(connection, town.id, ids["contact"], Role.CONTACT, make.NOW, club_id=town.club_id)
    ids["coordinator"] = make.person(connection, town, "Karin")
    grant_role(connection, town.id, ids["coordinator"], Role.COORDINATOR, make.NOW)
    ids["municipality"] = make.person(connection, town, "Mats", state=None)
    grant_role(connection, town.id, ids["municipality"], Role.MUNICIPALITY, make.NOW)
    outsider, friend = make.people(connection, town, 2)
    shift = make.shift(connection, town)
    other = make.shift(connection, town, make.SATURDAY)
    acting = make.acting(town, outsider)
    booking = actions.book(connection, acting, other, outsider, "a")
    offered = actions.book(connection, acting, shift, outsider, "b")
    actions.hand_over(connection, acting, offered, friend)
    return ids, {
        "shift": shift,
        "booking": booking,
        "offered": offered,
        "club": town.club_id,
        "person": outsider,
        "friend": friend,
        "membership": membership(connection, outsider),
        "invitation": invitation(connection, town),
    }


def membership(connection, person_id):
    return connection.execute(select(Membership.id).where(Membership.person_id == person_id)).scalar_one()


def invitation(connection, town):
    return clubs(connection, town.id)[0].invitation_code

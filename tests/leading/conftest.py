import pytest

from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from tests import make


def coordinator(connection, town, name="Karin"):
    person = make.person(connection, town, name)
    grant_role(connection, town.id, person, Role.COORDINATOR, make.NOW)
    return person


@pytest.fixture
def karin(visitor, database, town):
    """The coordinator, signed in."""
    return visitor.sign_in(database.write(lambda connection: coordinator(connection, town)))

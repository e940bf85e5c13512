"""`flask people …`, as the one who sets a town up uses it."""

import pytest
from sqlalchemy import select

from scheduler.kit.audit import AuditEntry
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership
from tests import make


@pytest.fixture
def run(app, town):
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(args=["people", *words])


def test_the_first_coordinator_gets_the_role_and_is_approved_and_the_log_tells_both(run, database, town):
    eva = database.write(
        lambda connection: make.person(connection, town, state=MembershipState.PENDING, number="+46701740611")
    )
    assert run("grant", "070-174 06 11", "coordinator").exit_code == 0
    with database.reading() as connection:
        state = connection.execute(select(Membership.state).where(Membership.person_id == eva)).scalar_one()
        told = connection.execute(select(AuditEntry.what).where(AuditEntry.person_id == eva)).scalars().all()
    assert state is MembershipState.APPROVED
    assert {"role.granted", "membership.approved"} <= set(told)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("070-174 06 99", "coordinator"), "join first"),
        (("070-174 06 11", "contact"), "--club"),
        (("070-174 06 11", "coordinator", "--club", "Nattvandring Timrå IK"), "--club"),
        (("070-174 06 11", "coordinator", "--host", "elsewhere.example"), "no such partnership"),
        (("08-123 456", "coordinator"), "mobile"),
        (("070-174 06 11", "king"), "coordinator"),
    ],
)
def test_what_cannot_be_granted_is_said_in_a_sentence(run, database, town, words, said):
    database.write(lambda connection: make.person(connection, town, number="+46701740611"))
    told = run("grant", *words)
    assert told.exit_code != 0
    assert said in told.output
    assert "Traceback" not in told.output


def test_each_club_has_its_link(run):
    told = run("invite")
    assert told.exit_code == 0
    assert "Nattvandring Timrå IK: http://127.0.0.1:8000/join/" in told.output

import io

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from tests import make
from tests.visitor import HTML, Visitor


def leader(connection, town, name="Karin", role=Role.COORDINATOR, club=None):
    person = make.person(connection, town, name)
    grant_role(connection, town.id, person, role, make.NOW, club_id=club)
    return person


@pytest.fixture
def karin(visitor, database, town):
    """The coordinator, signed in."""
    return visitor.sign_in(database.write(lambda connection: leader(connection, town)))


@pytest.fixture
def kim(app, database, town):
    """The contact of the town's first club, signed in."""
    person = database.write(lambda connection: leader(connection, town, "Kim", Role.CONTACT, town.club_id))
    return Visitor(app, town).sign_in(person)


def bring_in(visitor, path, **fields):
    """Confirm the list as the preview shows it, and look at what came of it."""
    form = next(iter(visitor.forms_to(path)))
    sent = {
        field.get("name"): field.get("value") for field in form.iter(f"{HTML}input") if field.get("type") == "hidden"
    }
    visitor.follow(visitor.send(path, {**sent, **fields}))


def upload(visitor, content, status=303, name="medlemmar.csv", **fields):
    """Send a file and, where it is taken, look at the preview; return its address."""
    sent = {"csrf_token": visitor.token(), "club": visitor.town.club_id, **fields}
    boundary, body = encode_multipart({**sent, "file": FileStorage(io.BytesIO(content), name)})
    kind = f'multipart/form-data; boundary="{boundary}"'
    base = f"http://{visitor.host}"
    answer = visitor.client.post("/lead/people/import", data=body, content_type=kind, base_url=base)
    visitor._checked(answer, status)
    if status != 303:
        return ""
    visitor.follow(answer)
    return answer.headers["Location"]

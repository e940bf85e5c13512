"""Every route for every kind of visitor against a written matrix; a route missing from it fails."""

import pytest

from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from tests import make
from tests.people.matrix import FRAME, KINDS, MATRIX, POST_MATRIX
from tests.visitor import Visitor


def sign_in(visitor, ids, kind):
    return visitor if kind == "nobody" else visitor.sign_in(ids[kind])


def test_the_matrix_names_every_route(app):
    routes = {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods & {"GET", "POST", "PUT", "DELETE", "PATCH"}
        if rule.endpoint not in FRAME
    }
    written = {(endpoint, "GET") for endpoint in MATRIX} | {(endpoint, "POST") for endpoint in POST_MATRIX}
    assert routes == written


@pytest.mark.parametrize("kind", KINDS)
def test_each_visitor_sees_what_the_matrix_says(visitor, cast, kind):
    ids, names = cast
    sign_in(visitor, ids, kind)
    for path, expected in MATRIX.values():
        visitor.get(path.format(**names), expected[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_each_visitor_does_what_the_matrix_says(app, town, cast, kind):
    ids, names = cast
    for path, expected in POST_MATRIX.values():
        visitor = sign_in(Visitor(app, town), ids, kind)
        visitor.send(path.format(**names), {}, expected[kind])


@pytest.mark.parametrize("kind", ["nobody", "volunteer", "coordinator"])
def test_no_form_works_without_the_pages_own_token(app, town, cast, kind):
    ids, names = cast
    for path, _ in POST_MATRIX.values():
        visitor = sign_in(Visitor(app, town), ids, kind)
        visitor.send(path.format(**names), {}, 403, token=False)
        visitor.send(path.format(**names), {"csrf_token": "somebody else's"}, 403, token=False)
        stolen = Visitor(app, town).token()
        visitor.send(path.format(**names), {"csrf_token": stolen}, 403, token=False)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_form_works_from_another_site_even_with_the_token(app, town, cast, headers):
    ids, names = cast
    for path, _ in POST_MATRIX.values():
        visitor = sign_in(Visitor(app, town), ids, "volunteer")
        visitor.send(path.format(**names), {}, 403, headers=headers)


def test_what_changes_things_is_no_address_to_look_at(visitor, cast):
    ids, names = cast
    visitor.sign_in(ids["coordinator"])
    for endpoint, (path, _) in POST_MATRIX.items():
        if endpoint not in MATRIX and path not in {shown for shown, _ in MATRIX.values()}:
            visitor.get(path.format(**names), 405)


def test_nothing_of_another_town_can_be_seen_or_guessed(app, database, town, cast):
    """Walk every address with the ids of one town as the coordinator of another."""
    _, names = cast
    other = database.write(lambda connection: make.town(connection, "Nattvandring Ånge", "ange.example"))

    def write(connection):
        person = make.person(connection, other, "Olle")
        grant_role(connection, other.id, person, Role.COORDINATOR, make.NOW)
        make.shift(connection, other)
        return person

    boss = database.write(write)
    stranger = Visitor(app, other, host="ange.example").sign_in(boss)
    theirs = {"/", "/nights", "/nights/2026-11-27", "/tonight", "/mine", "/bookings", "/me", "/joined", "/lead",
              "/lead/members", "/lead/now",
              "/lead/texts", "/lead/texts/new", "/me/texts", "/me/number", "/demo/sms",
              "/me/calendar", "/me/calendar/needs/0"}  # fmt: skip
    theirs |= {"/lead/season", "/lead/season/plan", "/lead/season/own", "/lead/log"}
    theirs |= {"/welcome", "/lead/people/import"}
    theirs |= {"/lead/people", "/lead/people/doubles", "/lead/clubs", "/lead/clubs/proposal"}
    theirs |= {"/lead/autopilot", "/number"}
    theirs |= {"/accounts", "/accounts.csv", "/accounts.json"}
    theirs |= {"/lead/money/payouts", "/lead/money/payouts.csv"}
    theirs |= {"/lead/reports", "/lead/reports/month/2026-11-01", "/lead/reports/month/2026-11-01.pdf"}
    theirs |= {
        "/lead/steering",
        "/lead/steering/areas/2026-11-27",
        "/me/data",
        "/me/data.json",
        "/me/forget",
        "/forgotten",
        "/offline",
    }
    theirs |= {"/lead/money", "/lead/money/entries", "/lead/money/purchases/new"}
    theirs |= {"/lead/nights/2026-11-27/areas", "/lead/season", "/lead/season/plan", "/lead/log"}
    for path, _ in MATRIX.values():
        if path in theirs:
            stranger.get(path)
            assert "Arenaområdet 27" not in stranger.words()
            assert "Nattvandring Timrå" not in stranger.text
        elif "sign-in" not in path and path != "/me/number/code":
            stranger.get(
                path.format(**names), 410 if path in {"/number/never-sent", "/lead/people/import/999999"} else 404
            )
    for endpoint, (path, _) in POST_MATRIX.items():
        if "{" in path and endpoint != "people.join":
            Visitor(app, other, host="ange.example").sign_in(boss).send(path.format(**names), {}, 404)
    stranger.get(f"/lead/people/{names['person']}", 404)


def test_a_session_of_one_town_is_nobody_in_another(app, database, town, cast):
    ids, _ = cast
    database.write(lambda connection: make.town(connection, "Nattvandring Ånge", "ange.example"))
    traveller = Visitor(app, town, host="ange.example").sign_in(ids["coordinator"])
    traveller.get("/lead", 303)


def test_a_contact_decides_for_the_own_club_only(app, database, town, cast):
    from sqlalchemy import select

    from scheduler.partnership.actions import add_club
    from scheduler.people.actions import ask_to_join
    from scheduler.people.tables import Membership

    ids, _ = cast

    def write(connection):
        club = add_club(connection, town.id, "Vivsta Gymnastik")
        person = make.person(connection, town, "Olle", state=None)
        ask_to_join(connection, town.id, person, club, make.NOW)
        return club, connection.execute(select(Membership.id).where(Membership.person_id == person)).scalar_one()

    club, membership = database.write(write)
    contact = Visitor(app, town).sign_in(ids["contact"])
    contact.send(f"/lead/members/{membership}/approve", status=403)
    contact.get(f"/lead/clubs/{club}/invitation", 403)
    contact.get("/lead/members")
    assert "Olle" not in contact.words()
    boss = Visitor(app, town).sign_in(ids["coordinator"])
    boss.send(f"/lead/members/{membership}/approve")
    boss.send(f"/lead/members/{membership}/approve", status=409)

"""The frame over HTTP: what every answer carries, what is refused, and what a fault looks like."""

import json
import logging
from urllib.parse import urljoin, urlsplit

import pytest
from sqlalchemy.exc import OperationalError

from scheduler import create_app
from scheduler.kit.database import Database
from scheduler.kit.frame import HEADERS
from scheduler.kit.web import safe_next
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from tests import make
from tests.conftest import settings
from tests.visitor import Visitor

LEAVING = [
    "//evil.example", "///evil.example", "////evil.example", "https://evil.example", "http:evil.example",
    "\\\\evil.example", "/\\evil.example", "/\t/evil.example", "\t//evil.example", "/\n/evil.example",
    "javascript:alert(1)", "data:text/html,x", "/%2f/evil.example\\", "evil.example", "@evil.example",
    "https:evil.example", "/..//evil.example", "/a//evil.example", "\x00//evil.example", "/\r\nSet-Cookie:x",
    " //evil.example", "/ /evil.example", "https://127.0.0.1:8000@evil.example", "//127.0.0.1:8000@evil.example",
    "/nights#//evil", "/;//evil.example", "/\u2028/evil.example", "／／evil.example", "",  # noqa: RUF001
]  # fmt: skip


@pytest.mark.parametrize("target", LEAVING)
def test_no_next_leads_away(target):
    shown = safe_next(target)
    landed = urlsplit(urljoin("http://127.0.0.1:8000/sign-in", shown))
    assert landed.netloc == "127.0.0.1:8000"
    assert shown.startswith("/")
    assert not shown.startswith("//")


@pytest.mark.parametrize("target", ["/", "/nights", "/nights/2026-11-27", "/nights?view=month&area=2", "/shifts/7"])
def test_a_good_next_is_kept(target):
    assert safe_next(target) == target


def test_next_leads_home_through_the_whole_sign_in(visitor):
    for target in LEAVING:
        visitor.get("/sign-in", query_string={"next": target})
        assert "evil" not in visitor.get("/sign-in", query_string={"next": target}).headers.get("Location", "")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nope",
        "/sign-in",
        "/static/style/app.css",
        "/static/nope.css",
        "/healthz",
        "/readyz",
        "/robots.txt",
        "/favicon.ico",
    ],
)
def test_every_answer_carries_the_headers(visitor, path):
    answer = visitor.client.get(path, base_url="http://127.0.0.1:8000")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "Cache-Control" in answer.headers


def test_pages_are_kept_by_nobody_and_assets_by_everybody(visitor):
    page = visitor.get("/")
    assert page.headers["Cache-Control"] == "private, no-store"
    style = next(part for part in visitor.text.split('"') if part.startswith("/static/style/"))
    answer = visitor.client.get(style, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    again = visitor.client.get(style, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::1", "a b", "evil.example:8000"])
def test_a_foreign_host_is_refused_and_never_stands_in_a_link(app, town, host):
    answer = app.test_client().get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.get_data(as_text=True)


def test_a_forwarded_host_changes_nothing(visitor):
    answer = visitor.get("/nights", 303, headers={"X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.headers["Location"]


def test_a_body_of_10_megabytes_gets_a_clear_answer(visitor):
    visitor.send("/sign-in", {"phone": "0" * 10_000_000}, 413, token=False)
    assert "för mycket" in visitor.words()


def test_more_fields_than_any_form_has_get_a_clear_answer(visitor):
    answer = visitor.client.post(
        "/sign-in", data="&".join(f"a{number}=1" for number in range(5000)),
        content_type="application/x-www-form-urlencoded", base_url="http://127.0.0.1:8000",
    )  # fmt: skip
    assert answer.status_code in {400, 403, 413}
    assert "<h1>" in answer.get_data(as_text=True)


def test_malformed_utf_8_and_nul_get_a_clear_answer(visitor):
    for body in (b"phone=\xff\xfe", b"phone=%ff%fe", b"phone=%00070"):
        answer = visitor.client.post(
            "/sign-in", data=body, content_type="application/x-www-form-urlencoded", base_url="http://127.0.0.1:8000"
        )
        # Without readable bytes there is no token either: refused before it is read, or as unreadable.
        assert answer.status_code in {403, 422}
        assert "Gå tillbaka" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "path",
    [
"/nights/2026-02-30", "/nights/x", "/nights/99999-01-01", "/shifts/-1", "/shifts/0", "/shifts/99999999999999999999",
     "/shifts/%00", "/shifts/1%2f2", "/bookings/abc", "/%ff", "/join/" + "x" * 500, "/lead/shifts/2147483648"],
)  # fmt: skip
def test_addresses_that_lead_nowhere_say_so(visitor, database, town, path):
    eva = database.write(lambda connection: make.person(connection, town))
    visitor.sign_in(eva)
    answer = visitor.get(path, 403 if "lead" in path and "2147483648" not in path else 404)
    assert "<h1>" in answer.get_data(as_text=True)


def test_a_nul_in_an_address_reaches_neither_database(each_database):
    town = each_database.write(make.town)
    app = create_app(settings(str(each_database.engine.url)), clock=make.SetClock(), database=each_database)
    visitor = Visitor(app, town)
    for path in ("/join/%00", "/join/a%00b", "/nights/%00", "/read/%00"):
        assert "<h1>" in visitor.get(path, 404).get_data(as_text=True)
    assert "Sidan finns inte" in visitor.send("/join/%00", {"first_name": "Eva"}, 404).get_data(as_text=True)

    def write(connection):
        karin = make.person(connection, town, "Karin")
        grant_role(connection, town.id, karin, Role.COORDINATOR, make.NOW)
        return karin, make.shift(connection, town)

    karin, shift = each_database.write(write)
    visitor.sign_in(karin)
    for path in (f"/lead/shifts/{shift}/change", "/lead/people", f"/lead/people/{karin}/double"):
        visitor.get(f"{path}?q=%00")


@pytest.mark.parametrize(
    "query", ["area=x", "area=-1", "area=99999999999999999999", "weeks=0", "weeks=1000000", "view=%00"]
)
def test_odd_queries_do_no_harm(visitor, database, town, query):
    eva = database.write(lambda connection: make.person(connection, town))
    visitor.sign_in(eva).get(f"/nights?{query}")


@pytest.mark.parametrize("sent", ["%ff%fe", "%c3", "%ed%a0%bd", "a%ffb"])
def test_a_name_that_is_no_utf_8_is_not_kept_as_something_else(visitor, database, town, sent):
    eva = database.write(lambda connection: make.person(connection, town, "Evalotta"))
    token = visitor.sign_in(eva).token()
    body = f"first_name={sent}&last_name=Lyktdal&language=sv&csrf_token={token}"
    answer = visitor.client.post(
        "/me", data=body, content_type="application/x-www-form-urlencoded", base_url="http://127.0.0.1:8000"
    )
    assert answer.status_code == 422
    assert "tecken som inte går att läsa" in answer.get_data(as_text=True)
    assert "Evalotta" in visitor.get("/me").get_data(as_text=True)


def test_a_tampered_cookie_is_nobody(visitor, database, town):
    eva = database.write(lambda connection: make.person(connection, town))
    visitor.sign_in(eva).get("/mine")
    for value in ("", "x", "e30.x.y", "\xff", "a" * 3000):
        visitor.client.set_cookie("lykta", value, domain="127.0.0.1")
        visitor.get("/mine", 303)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor):
    visitor.get("/sign-in")
    cookie = visitor.client.get("/sign-in", base_url="http://127.0.0.1:8000").headers.get("Set-Cookie", "")
    secure = create_app(settings(public_url="https://lykta.example"))
    assert secure.config["SESSION_COOKIE_NAME"] == "__Host-lykta"
    assert secure.config["SESSION_COOKIE_SECURE"]
    assert not cookie or ("HttpOnly" in cookie and "SameSite=Lax" in cookie)


class Away(Database):
    """A database that is away."""

    def __init__(self) -> None:
        super().__init__("sqlite:////nowhere/away.sqlite3")

    def reading(self):
        raise OperationalError("away", {}, TimeoutError())

    def write(self, _work):
        raise OperationalError("away", {}, TimeoutError())


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_database_that_is_away_gets_a_kind_page(app, visitor, method):
    token = visitor.token()
    app.database = Away()
    answer = getattr(visitor.client, method)("/sign-in", base_url="http://127.0.0.1:8000", data={"csrf_token": token})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "Försök igen om en stund" in answer.get_data(as_text=True)
    assert app.test_client().get("/healthz").status_code == 200


def test_readyz_tells_a_database_that_is_not_migrated(app, tmp_path):
    assert app.test_client().get("/readyz").status_code == 200
    app.database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "db upgrade" in answer.get_data(as_text=True)
    app.database.dispose()


def test_our_own_fault_shows_a_number_and_no_trace(tmp_path, caplog):
    app = create_app(settings(f"sqlite:///{tmp_path / 'x.sqlite3'}"))

    def broken():
        raise ZeroDivisionError("Eva Lyktdal 070-174 06 05")

    app.add_url_rule("/broken", "broken", broken)
    with caplog.at_level(logging.INFO):
        answer = app.test_client().get("/broken", base_url="http://127.0.0.1:8000")
    assert answer.status_code == 500
    text = answer.get_data(as_text=True)
    lines = [json.loads(record.message) for record in caplog.records if record.name.startswith("scheduler")]
    assert "ZeroDivisionError" not in text
    assert all(line["id"] in text for line in lines)
    assert {"ZeroDivisionError"} == {line["fault"] for line in lines if "fault" in line}
    assert "Eva" not in caplog.text
    assert "070" not in caplog.text


def test_a_request_is_one_line_of_log_without_secrets_or_people(visitor, database, town, caplog):
    eva = database.write(lambda connection: make.person(connection, town, "Evalotta"))
    with caplog.at_level(logging.INFO, logger="scheduler"):
        visitor.sign_in(eva).get("/mine")
        visitor.get("/join/secret-invitation-code", 404)
        visitor.send("/me", {"first_name": "Evalotta", "last_name": "Lyktdal", "language": "sv"})
    assert "secret-invitation" not in caplog.text
    assert "Evalotta" not in caplog.text
    line = next(json.loads(record.message) for record in caplog.records if "/mine" in record.message)
    assert set(line) == {"at", "id", "method", "route", "status", "milliseconds"}


def test_an_empty_database_says_what_to_do(app):
    answer = app.test_client().get("/", base_url="http://127.0.0.1:8000")
    assert answer.status_code == 503
    assert "partnership create" in answer.get_data(as_text=True)


def test_the_language_follows_the_person_then_the_choice_then_the_browser(app, database, town):
    visitor = Visitor(app, town)
    visitor.get("/sign-in", headers={"Accept-Language": "en"})
    assert "Sign in" in visitor.words()
    visitor.get("/sign-in", headers={"Accept-Language": "so"})
    assert "Logga in" in visitor.words()
    visitor.send("/language", {"language": "en", "next": "/tonight"})
    visitor.get("/sign-in")
    assert "Sign in" in visitor.words()
    eva = database.write(lambda connection: make.person(connection, town, language="sv"))
    visitor.sign_in(eva).get("/mine")
    assert "Mina pass" in visitor.words()

"""Nonsense in every field of every form and in every query, as every kind of visitor: a clear answer, never a fault."""

import re
from pathlib import Path
from random import Random

import pytest

from scheduler import create_app
from tests import make
from tests.conftest import settings
from tests.people.conftest import play
from tests.people.matrix import KINDS, MATRIX, POST_MATRIX
from tests.visitor import Visitor, inspected

HOUSE = Path(__file__).parents[2]
# What the pages of the house send, and what their addresses may ask.
FIELDS = sorted({
    name
    for template in (HOUSE / "templates").rglob("*.html")
    for name in re.findall(r'name="([a-z_]+)"', template.read_text())
} - {"csrf_token"})  # fmt: skip
QUERIES = sorted({
    name
    for source in (HOUSE / "scheduler").rglob("*.py")
    for name in re.findall(r'args\.get(?:list)?\("([a-z_]+)"', source.read_text())
})  # fmt: skip
NONSENSE = [
    "", " ", "0", "-1", "1", "2", "3.5", "1e9", "99999999999999999999", "2147483648", "NaN", "inf", "²", "١٢", "½", "Ⅷ",
    "2026-11-27", "2026-12-20", "9999-12-31", "0001-01-01", "2026-02-30", "22:00", "24:00", "02:30", "22:00:00.5",
    "2026-10-25T02:30", "0701740605", "+46701740605", "070-174 06 05", "on", "x", "true", "[]", "{}", "a@b", "sv", "en",
    "a\x00b", "\ufeff", "\u202eetul", "\U0001f319" * 300, "å" * 10_000, "'; drop table person; --", "<script>alert(1)",
    "{{ 7 * 7 }}", "%s%n", "../../etc/passwd", "=1+1", "\r\nX: y", "everybody:", "club:1", "club:x", "area:99999999999",
    "volunteer", "coordinator", "contact:1", "3,50", "1 000", "-0", "1_000", "0x10", "\ud7ff", "https://evil.example",
]  # fmt: skip
ODD_BODIES = [
    ("application/json", b'{"name": [1, null]}'),
    ("application/json", b"{"),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf"),
    ("multipart/form-data; boundary=x", b"--x\r\n\xff\xfe: \x00\r\n\r\n\r\n--x--"),
    ("text/plain; charset=no-such", b"csrf_token=1"),
    ("application/x-www-form-urlencoded; charset=utf-16", b"a=%zz&&&===&b"),
    ("", b"\x00\x01\x02"),
]  # fmt: skip


def answered(answer, path, sent):
    """Assert that `answer` says something clear: another page, a file, or a page that says what is wrong."""
    said = f"{path} {sent!r:.400}"
    assert answer.status_code in {200, 204, 302, 303, 400, 403, 404, 405, 409, 410, 413, 415, 422, 429}, said
    assert "\x00" not in answer.headers.get("Location", "")
    if answer.status_code not in {302, 303} and answer.mimetype == "text/html" and answer.data:
        inspected(answer.get_data(as_text=True))


def act_out(app, town, cast, kind, rounds):
    """Send `rounds` forms of nonsense to every address as `kind`, some fields of each left out."""
    ids, names = cast
    chance = Random(f"nonsense of {kind}")
    visitor = Visitor(app, town)
    for endpoint, (path, _) in POST_MATRIX.items():
        if endpoint in {"doubles.merge", "personal.forget"} and kind == "coordinator":
            continue  # They take away the one who sends the rest.
        for _ in range(rounds):
            if kind != "nobody":
                visitor.sign_in(ids[kind])
            fields = chance.sample(FIELDS, chance.randrange(len(FIELDS)))
            sent = {name: chance.choices(NONSENSE, k=chance.choice((1, 1, 1, 3))) for name in fields}
            answer = visitor.client.post(
                path.format(**names), data=sent | {"csrf_token": visitor.token()}, base_url=make.SITE
            )
            answered(answer, path, sent)


@pytest.mark.parametrize("kind", KINDS)
def test_nonsense_in_the_fields_of_any_form_is_answered_clearly(app, town, cast, kind):
    act_out(app, town, cast, kind, rounds=2)


def test_neither_database_stumbles_over_nonsense_from_a_coordinator(each_database):
    town = each_database.write(make.town)
    app = create_app(settings(str(each_database.engine.url)), clock=make.SetClock(), database=each_database)
    cast = each_database.write(lambda connection: play(connection, town))
    act_out(app, town, cast, "coordinator", rounds=8)


@pytest.mark.parametrize("kind", ["nobody", "volunteer", "coordinator"])
def test_a_body_that_is_no_form_is_answered_clearly(app, town, cast, kind):
    ids, names = cast
    visitor = Visitor(app, town)
    for path, _ in POST_MATRIX.values():
        if kind != "nobody":
            visitor.sign_in(ids[kind])
        for content_type, body in ODD_BODIES:
            answer = visitor.client.post(path.format(**names), data=body, content_type=content_type, base_url=make.SITE)
            answered(answer, path, body)


@pytest.mark.parametrize("kind", KINDS)
def test_nonsense_in_a_query_is_answered_clearly(app, town, cast, kind):
    ids, names = cast
    chance = Random(f"queries of {kind}")
    visitor = Visitor(app, town)
    if kind != "nobody":
        visitor.sign_in(ids[kind])
    for path, _ in MATRIX.values():
        for _ in range(3):
            asked = {name: chance.choice(NONSENSE)[:500] for name in QUERIES}
            answered(
                visitor.client.get(path.partition("?")[0].format(**names), query_string=asked, base_url=make.SITE),
                path,
                asked,
            )

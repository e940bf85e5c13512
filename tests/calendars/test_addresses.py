"""The secret, conditional requests, and what a program is told when there is nothing to tell."""

import logging
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from scheduler.bookings import actions as bookings
from scheduler.calendars import actions, making
from scheduler.calendars.remembered import MOST_ANSWERS, MOST_BYTES, Good, Remembered
from scheduler.calendars.rules import PROGRAMS, CalendarKind, program, stored, token, ways
from scheduler.calendars.tables import CalendarFeed
from scheduler.kit.database import Database
from scheduler.people.actions import grant_role, withdraw_role
from scheduler.people.rules import MembershipState, Role
from scheduler.people.tables import Membership
from tests import make
from tests.calendars.reading import Program, events, subscribe
from tests.conftest import SECRET
from tests.visitor import Visitor


@pytest.fixture
def eva(database, town):
    def write(connection):
        person = make.person(connection, town, "Eva")
        shift = make.shift(connection, town)
        bookings.book(connection, make.acting(town, person), shift, person, "a")
        return person

    return database.write(write)


@pytest.fixture
def feed(app, database, town, eva):
    return Program(app, subscribe(database, town, eva))


@pytest.fixture
def told(feed):
    answer = feed.poll(200)
    return answer.headers["ETag"], answer.headers["Last-Modified"]


# ---------------------------------------------------------------- conditional requests


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_None_Match": "{tag}"}, 304),
        ({"If_None_Match": "W/{tag}"}, 304),
        ({"If_None_Match": '"another", {tag}'}, 304),
        ({"If_None_Match": 'W/"another",W/{tag} , "third"'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"another"'}, 200),
        ({"If_None_Match": ""}, 200),
        ({"If_None_Match": '"'}, 200),
        ({"If_None_Match": '"another"', "If_Modified_Since": "{date}"}, 200),
        ({"If_Modified_Since": "{date}"}, 304),
        ({"If_Modified_Since": "Sun, 22 Nov 2037 12:00:00 GMT"}, 304),
        ({"If_Modified_Since": "Sunday, 22-Nov-37 12:00:00 GMT"}, 304),
        ({"If_Modified_Since": "Mon, 23 Nov 2020 11:59:59 GMT"}, 200),
        ({"If_Modified_Since": "yesterday"}, 200),
        ({"If_Modified_Since": "Mon, 99 Nov 2026 99:00:00 GMT"}, 200),
        ({"If_Modified_Since": "0"}, 200),
        ({"If_Match": "{tag}"}, 200),
        ({"If_Match": "*"}, 200),
        ({"If_Match": "W/{tag}"}, 412),
        ({"If_Match": '"another"'}, 412),
        ({"If_Unmodified_Since": "{date}"}, 200),
        ({"If_Unmodified_Since": "Mon, 23 Nov 2020 11:59:59 GMT"}, 412),
        ({"If_Match": "{tag}", "If_None_Match": "{tag}"}, 304),
        ({"Range": "bytes=0-9"}, 200),
    ],
)
def test_a_conditional_request_is_answered_by_the_book(feed, told, headers, status):
    tag, changed = told
    sent = {name: value.replace("{tag}", tag).replace("{date}", changed) for name, value in headers.items()}
    answer = feed.poll(status, **sent)
    if status in {200, 304}:
        assert (answer.headers["ETag"], answer.headers["Last-Modified"]) == told
    if status == 304:
        assert answer.data == b""
        assert "Content-Type" not in answer.headers
        assert answer.headers["Cache-Control"].startswith("private")


def test_head_tells_what_get_would(feed, told):
    whole = feed.poll(200)
    head = feed.client.head(feed.path, base_url="http://127.0.0.1:8000")
    assert head.data == b""
    assert dict(head.headers) == dict(whole.headers)
    asked = feed.client.head(feed.path, base_url="http://127.0.0.1:8000", headers={"If-None-Match": told[0]})
    assert asked.status_code == 304


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "options"])
def test_a_calendar_can_only_be_read(feed, method):
    answer = getattr(feed.client, method)(feed.path, base_url="http://127.0.0.1:8000")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


# ---------------------------------------------------------------- the secret


def wrong_tokens(right):
    flipped = right[:20] + ("A" if right[20] != "A" else "B") + right[21:]
    swapped = right.swapcase()
    return {
        "another case": swapped, "upper": right.upper(), "one letter": flipped, "short": right[:-1],
        "long": right + "A", "very long": right * 2000, "none": "", "padded": right + "=", "a space": right + "%20",
        "a line": right + "%0A", "a nought": right + "%00", "a slash": right[:20] + "/" + right[20:],
        "letters of other scripts": "å" * 43, "not UTF-8": "%ff" * 43, "dots": "..%2F" + right,
        "unknown": token(SECRET, "nobody's nonce"), "its own selector": "".join(stored(right))[:43],
    }  # fmt: skip


@pytest.mark.parametrize("how", wrong_tokens("x" * 43))
def test_only_the_exact_address_opens_a_calendar(feed, how):
    right = feed.path.removeprefix("/calendar/").removesuffix(".ics")
    wrong = Program.__new__(Program)
    wrong.client, wrong.host = feed.client, feed.host
    wrong.path = f"/calendar/{wrong_tokens(right)[how]}.ics"
    answer = wrong.poll(404)
    assert b"VEVENT" not in answer.data
    assert "Set-Cookie" not in answer.headers
    feed.poll(200)


def test_an_address_that_is_spelled_with_percent_signs_is_the_same_address(feed):
    right = feed.path.removeprefix("/calendar/").removesuffix(".ics")
    feed.path = f"/calendar/%{ord(right[0]):02x}{right[1:]}.ics"
    feed.poll(200)


def test_an_address_holds_at_least_144_bits_and_its_row_does_not_give_it_away(feed, database):
    right = feed.path.removeprefix("/calendar/").removesuffix(".ics")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", right)
    with database.reading() as connection:
        row = connection.execute(select(*CalendarFeed.__table__.c)).one()
    assert right not in str(row)
    assert token("another key of the very same length as ours", row.nonce) != right


def test_a_changed_address_is_gone_for_ever_and_the_new_one_works(app, visitor, feed, eva):
    visitor.sign_in(eva).send("/me/calendar/address")
    gone = feed.poll(410)
    assert b"VEVENT" not in gone.data
    assert "Set-Cookie" not in gone.headers
    feed.poll(410, If_None_Match="*")
    visitor.get("/me/calendar?saved=address")
    new = re.search(r'value="http://127.0.0.1:8000(/calendar/[^"]+)"', visitor.text)[1]
    assert new != feed.path
    assert Program(app, new).events()
    feed.poll(410)


def test_an_address_opens_nothing_on_another_towns_host(app, database, feed):
    other = database.write(lambda connection: make.town(connection, "Nattvandring Ånge", "ange.example"))
    Program(app, feed.path, host="ange.example").poll(404)
    Program(app, feed.path, host="unknown.example").poll(404)
    olle = database.write(lambda connection: make.person(connection, other, "Olle"))
    theirs = Program(app, subscribe(database, other, olle), host="ange.example")
    theirs.events()
    theirs.host = feed.host
    theirs.poll(404)


def test_who_may_no_longer_see_a_calendar_finds_its_address_gone(app, database, town, eva):
    database.write(lambda connection: grant_role(connection, town.id, eva, Role.COORDINATOR, make.NOW))
    needs = Program(app, subscribe(database, town, eva, CalendarKind.NEEDS))
    needs.events()
    database.write(
        lambda connection: withdraw_role(connection, town.id, eva, Role.COORDINATOR, make.NOW, by_person_id=eva)
    )
    needs.poll(410)
    club = Program(app, subscribe(database, town, eva, CalendarKind.CLUB, town.club_id))
    club.events()
    database.write(
        lambda connection: connection.execute(
            update(Membership).where(Membership.person_id == eva).values(state=MembershipState.ENDED)
        )
    )
    club.poll(410)


def test_the_secret_is_in_no_log_no_header_and_on_no_other_page(app, database, town, feed, told, caplog, eva, visitor):
    secret = feed.path.removeprefix("/calendar/").removesuffix(".ics")
    caplog.set_level(logging.DEBUG)
    app.database = Database("sqlite:////nowhere/at/all.sqlite3")
    feed.poll(200)
    feed.poll(304, If_None_Match=told[0])
    app.database = database
    feed.poll(200)
    feed.client.post(feed.path, base_url="http://127.0.0.1:8000")
    app.test_client().get(feed.path + "/", base_url="http://127.0.0.1:8000")
    assert len(caplog.records) >= 4
    assert secret not in caplog.text
    assert secret not in str(feed.poll(200).headers)
    visitor.get("/robots.txt")
    robots = visitor.client.get("/robots.txt", base_url="http://127.0.0.1:8000").get_data(as_text=True)
    assert "/calendar" not in robots
    boss = database.write(lambda connection: make.person(connection, town, "Karin"))
    database.write(lambda connection: grant_role(connection, town.id, boss, Role.COORDINATOR, make.NOW))
    visitor.sign_in(eva).send("/me/calendar/address")
    coordinator = Visitor(app, town).sign_in(boss)
    for path in ("/", "/nights", "/me", "/me/calendar", "/lead", f"/lead/people/{eva}", "/lead/shifts/1"):
        coordinator.get(path)
        assert secret not in coordinator.text
    visitor.get("/me/calendar")
    assert (
        "same-origin" in visitor.client.get("/me/calendar", base_url="http://127.0.0.1:8000").headers["Referrer-Policy"]
    )


# ---------------------------------------------------------------- trouble


def test_with_the_database_away_the_last_good_calendar_is_served_or_503(app, database, feed, told, eva, town):
    other = Program(app, subscribe(database, town, eva, CalendarKind.NIGHTS))
    good = feed.poll(200).data
    app.database = Database("sqlite:////nowhere/at/all.sqlite3")
    assert feed.poll(200).data == good
    feed.poll(304, If_None_Match=told[0])
    never_read = other.poll(503)
    assert int(never_read.headers["Retry-After"]) > 0
    assert b"VCALENDAR" not in never_read.data
    app.database = database
    other.poll(200)


def test_with_the_renderer_failing_the_last_good_bytes_are_served(app, database, feed, told, town, eva):
    """A calendar that cannot be made, here because its partnership's time zone is none."""
    good = feed.poll(200).data
    database.write(lambda connection: connection.execute(text("UPDATE partnership SET time_zone = 'Nowhere/None'")))
    assert feed.poll(200).data == good
    feed.poll(304, If_None_Match=told[0])
    never_made = Program(app, subscribe(database, town, eva, CalendarKind.NIGHTS))
    never_made.poll(503)
    database.write(lambda connection: connection.execute(text("UPDATE partnership SET time_zone = 'Europe/Stockholm'")))
    never_made.poll(200)


def test_another_writer_that_holds_the_database_leaves_the_feed_readable(app, tmp_path, database, feed, told):
    """The note of who fetched waits for nobody for long, and an unchanged feed asks for no lock at all."""
    held = database.engine.connect()
    held.exec_driver_sql("COMMIT") if held.in_transaction() else None
    raw = held.connection.dbapi_connection
    raw.execute("BEGIN IMMEDIATE")
    try:
        feed.poll(304, If_None_Match=told[0])
        feed.poll(200)
    finally:
        raw.execute("ROLLBACK")
        held.close()


def test_a_new_public_address_or_version_is_drawn_anew(database, feed, told, town):
    with database.reading() as connection:
        calendar = connection.execute(select(CalendarFeed.calendar_id)).scalar_one()
    made = database.write(lambda unit: making.make(unit, calendar, "https://lykta.example", make.NOW))
    assert made
    feed.poll(200)


# ---------------------------------------------------------------- who fetched


def test_the_last_fetch_is_noted_once_an_hour_and_shown(visitor, database, feed, eva, clock):
    page = visitor.sign_in(eva)
    page.get("/me/calendar")
    assert "Inget program har hämtat" in page.words()
    feed.poll(200, User_Agent="Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Thunderbird/153.0")
    page.get("/me/calendar")
    assert "Senast hämtad mån 23 nov 13:00 av Thunderbird" in page.words()
    clock.instant += timedelta(minutes=59)
    feed.poll(200, User_Agent="Google-Calendar-Importer")
    page.get("/me/calendar")
    assert "13:00 av Thunderbird" in page.words()
    clock.instant += timedelta(minutes=1)
    feed.poll(200, User_Agent="<script>alert(1)</script>" * 100)
    page.get("/me/calendar")
    assert "14:00 av ett okänt program" in page.words()


@pytest.mark.parametrize("name", sorted({name for _, name in PROGRAMS}))
def test_each_program_is_known_by_a_mark(name):
    mark = next(mark for mark, found in PROGRAMS if found == name)
    assert program(f"x {mark.upper()} y") == name


def test_the_worker_makes_what_has_changed_before_anybody_asks(app, database, town, feed, told, eva):
    shift = database.write(lambda connection: make.shift(connection, town, make.SATURDAY))
    database.write(lambda connection: bookings.book(connection, make.acting(town, eva), shift, eva, "b"))
    assert actions.make_what_is_stale(database, make.SITE, make.NOW) == 1
    assert actions.make_what_is_stale(database, make.SITE, make.NOW) == 0
    assert shift in feed.events()


# ---------------------------------------------------------------- the page


@pytest.mark.parametrize(
    ("agent", "first"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605", "program"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/605", "program"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel) Chrome/140 Mobile", "google"),
        ("Mozilla/5.0 (Windows NT 10.0) Edg/140", "outlook"),
        ("", "program"),
    ],
)
def test_the_way_that_suits_the_device_comes_first_and_all_are_there(visitor, eva, agent, first):
    assert ways(agent)[0] == first
    page = visitor.sign_in(eva)
    page.get("/me/calendar", headers={"User-Agent": agent})
    for start in (
        "webcal://127.0.0.1:8000/calendar/", "https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2F",
        "https://outlook.live.com/calendar/0/addfromweb?url=", "https://outlook.office.com/calendar/0/addfromweb?url=",
        "/bookings/1/calendar.ics",
    ):  # fmt: skip
        assert f'href="{start}' in page.text
    assert "<svg" in page.text


def test_looking_at_the_page_again_keeps_the_address(visitor, eva):
    page = visitor.sign_in(eva)
    shown = set()
    for _ in range(3):
        page.get("/me/calendar")
        shown.add(re.search(r"webcal://[^\"]+", page.text)[0])
    assert len(shown) == 1


def test_one_walk_as_a_file_is_the_same_event_as_in_the_feed(visitor, feed, eva, database, town):
    page = visitor.sign_in(eva)
    answer = page.get("/bookings/1/calendar.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    alone, whole = events(answer.data), events(feed.poll(200).data)
    assert {(uid, event["DTSTART"], event["DTEND"], event["SUMMARY"]) for uid, event in alone.items()} == {
        (uid, event["DTSTART"], event["DTEND"], event["SUMMARY"]) for uid, event in whole.items()
    }
    stranger = database.write(lambda connection: make.person(connection, town, "Olle"))
    Visitor(page.app, town).sign_in(stranger).get("/bookings/1/calendar.ics", 404)


def test_whose_calendars_there_are_decides_who_looks(app, database, town, eva):
    page = Visitor(app, town).sign_in(eva)
    page.get("/me/calendar/nights/0")
    page.get("/me/calendar/nights/7", 404)
    page.get(f"/me/calendar/area/{town.arena}")
    page.get("/me/calendar/area/999", 404)
    page.get(f"/me/calendar/club/{town.club_id}")
    page.get("/me/calendar/needs/0", 403)
    page.send("/me/calendar/needs/0/address", status=403)
    other = database.write(lambda connection: make.town(connection, "Nattvandring Ånge", "ange.example"))
    page.get(f"/me/calendar/area/{other.centre}", 404)
    page.get(f"/me/calendar/club/{other.club_id}", 404)
    page.send(f"/me/calendar/club/{other.club_id}/address", status=404)


def test_memory_holds_so_many_bytes_and_no_more():
    kept = Remembered()
    body = b"x" * 100_000
    for number in range(3 * MOST_ANSWERS):
        kept.keep(f"address {number}", Good(f"tag {number}", make.NOW))
        kept.keep_body(f"tag {number}", body)
    assert sum(kept.body(f"tag {number}") is not None for number in range(3 * MOST_ANSWERS)) == MOST_BYTES // len(body)
    assert kept.get("address 0") is None
    assert kept.get(f"address {3 * MOST_ANSWERS - 1}") == Good(f"tag {3 * MOST_ANSWERS - 1}", make.NOW)
    for _ in range(100):
        kept.keep_body("one and the same", body)
    assert kept.body("one and the same") == body


def test_a_change_of_address_is_in_the_log_without_the_address(app, database, town, visitor, eva):
    visitor.sign_in(eva).send("/me/calendar/address")
    boss = database.write(lambda connection: make.person(connection, town, "Karin"))
    database.write(lambda connection: grant_role(connection, town.id, boss, Role.COORDINATOR, make.NOW))
    coordinator = Visitor(app, town).sign_in(boss)
    coordinator.get(f"/lead/people/{eva}")
    assert "bytte en kalenders adress" in coordinator.words()
    assert "/calendar/" not in coordinator.text

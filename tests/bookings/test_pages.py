"""Booking over HTTP: what a volunteer sees, what a refusal offers, and how many statements a page takes."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select, update

from scheduler.bookings.tables import Booking
from scheduler.kit.audit import AuditEntry
from scheduler.messages.tables import Message
from scheduler.nights.tables import Shift
from scheduler.people.rules import MembershipState
from tests import make
from tests.visitor import Visitor


@pytest.fixture
def shift(database, town):
    return database.write(lambda connection: make.shift(connection, town))


@pytest.fixture
def eva(database, town):
    return database.write(lambda connection: make.person(connection, town))


def another(database, town, name="Anna"):
    return database.write(lambda connection: make.person(connection, town, name))


def filled(database, town, app, shift, number=4):
    for index in range(number):
        Visitor(app, town).sign_in(another(database, town, f"P{index}")).send(f"/shifts/{shift}/bookings")


def counted(database, table):
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_one_tap_books_and_the_booking_has_its_own_page(visitor, eva, shift):
    visitor.sign_in(eva).get("/")
    assert visitor.forms_to(f"/shifts/{shift}/bookings")
    answer = visitor.send(f"/shifts/{shift}/bookings", {"once": "key"})
    assert re.fullmatch(r"/bookings/\d+", answer.headers["Location"])
    visitor.follow(answer)
    assert "Bokat: fredag 27 november" in visitor.words()
    assert visitor.forms_to(answer.headers["Location"] + "/cancel")
    visitor.get("/mine")
    assert "fredag 27 november" in visitor.words().lower()


def test_undo_is_one_tap_and_the_page_tells_the_present_state(visitor, database, eva, shift):
    booking = visitor.sign_in(eva).send(f"/shifts/{shift}/bookings").headers["Location"]
    answer = visitor.send(f"{booking}/cancel")
    assert answer.headers["Location"] == booking
    visitor.follow(answer)
    assert "Du har lämnat passet" in visitor.words()
    with database.reading() as connection:
        assert make.places(connection, shift) == (0, 0)


def test_the_same_form_twice_and_the_script_s_way_are_one_booking(visitor, database, eva, shift):
    first = visitor.sign_in(eva).send(f"/shifts/{shift}/bookings", {"once": "key"})
    again = visitor.send(f"/shifts/{shift}/bookings", {"once": "key"}, 200, headers={"X-Lykta-Fetch": "1"})
    assert again.headers["X-Location"] == first.headers["Location"]
    assert counted(database, Booking) == 1


def test_a_full_shift_says_so_and_offers_the_queue_and_other_nights(app, visitor, database, town, eva, shift):
    near = database.write(lambda connection: make.shift(connection, town, make.SATURDAY))
    filled(database, town, app, shift)
    visitor.sign_in(eva).send(f"/shifts/{shift}/bookings", status=409)
    assert "Passet är fullt" in visitor.words()
    assert visitor.forms_to(f"/shifts/{shift}/bookings"), "the queue is one tap away"
    assert visitor.forms_to(f"/shifts/{near}/bookings"), "and so is the nearest night"
    answer = visitor.send(f"/shifts/{shift}/bookings", {"waiting": "yes"})
    visitor.follow(answer)
    assert "Du är nr 1 i kön" in visitor.words()


def test_a_clash_links_to_the_walk_that_is_in_the_way(visitor, database, town, eva, shift):
    other = database.write(lambda connection: make.shift(connection, town, area=town.arena))
    mine = visitor.sign_in(eva).send(f"/shifts/{shift}/bookings").headers["Location"]
    visitor.send(f"/shifts/{other}/bookings", status=409)
    assert f'href="{mine}"' in visitor.text


def test_each_reason_has_its_own_sentence(app, visitor, database, town, clock, eva, shift):
    pending = database.write(lambda connection: make.person(connection, town, state=MembershipState.PENDING))
    Visitor(app, town).sign_in(pending).send(f"/shifts/{shift}/bookings", status=409)
    visitor.sign_in(pending).send(f"/shifts/{shift}/bookings", status=409)
    assert "inte godkänt dig än" in visitor.words()
    visitor.sign_in(eva)
    database.write(lambda connection: make.call_off(connection, shift))
    visitor.send(f"/shifts/{shift}/bookings", status=409)
    assert "inställt" in visitor.words()
    begun = database.write(lambda connection: make.shift(connection, town, make.SATURDAY))
    clock.instant = make.before_start(0, make.SATURDAY)
    visitor.send(f"/shifts/{begun}/bookings", status=409)
    assert "redan börjat" in visitor.words()


def test_inside_24_hours_leaving_offers_two_ways_and_blames_nobody(visitor, database, clock, eva, shift):
    booking = visitor.sign_in(eva).send(f"/shifts/{shift}/bookings").headers["Location"]
    clock.instant = make.before_start(5)
    visitor.get(booking)
    assert not visitor.forms_to(f"{booking}/cancel")
    visitor.send(f"{booking}/cancel", status=409)
    assert f'href="{booking}/leave"' in visitor.text
    visitor.get(f"{booking}/leave")
    assert visitor.forms_to(f"{booking}/hand-over")
    assert visitor.forms_to(f"{booking}/cannot-come")
    visitor.follow(visitor.send(f"{booking}/cannot-come"))
    with database.reading() as connection:
        assert make.places(connection, shift) == (0, 0)


def test_handing_over_to_a_named_person_is_answered_on_her_page(app, visitor, database, town, eva, shift):
    anna = another(database, town)
    booking = visitor.sign_in(eva).send(f"/shifts/{shift}/bookings").headers["Location"]
    visitor.get(f"{booking}/hand-over")
    assert "Anna" in visitor.words()
    visitor.follow(visitor.send(f"{booking}/hand-over", {"to": str(anna)}))
    assert "Du har frågat Anna" in visitor.words()
    friend = Visitor(app, town).sign_in(anna)
    friend.get("/mine")
    assert friend.forms_to(f"{booking}/take-over")
    friend.follow(friend.send(f"{booking}/take-over"))
    assert "Bokat" in friend.words()
    visitor.get(booking)
    assert "Någon har tagit över" in visitor.words()


def test_several_nights_in_one_go_and_the_result_survives_a_reload(app, visitor, database, town, eva, shift):
    full = database.write(lambda connection: make.shift(connection, town, make.SATURDAY, minimum=1, wanted=1))
    filled(database, town, app, full, 1)
    visitor.sign_in(eva).get("/nights?several=1")
    answer = visitor.send("/bookings", {"shift": [str(shift), str(full)], "once": "key"})
    for _ in range(2):
        visitor.follow(answer)
        assert "1 kväll bokad" in visitor.words()
        assert "fullt" in visitor.words()
    visitor.send("/bookings", {}, 422)
    visitor.send("/bookings", {"shift": [str(number) for number in range(1, 40)]}, 422)
    visitor.send("/bookings", {"shift": ["x"]}, 422)
    visitor.get("/bookings?booking=99999&refused=1-evil&refused=x")
    for never in ("9" * 20, "9" * 5000, "2147483648"):
        visitor.get(f"/bookings?refused={never}-full", 422)


@pytest.mark.parametrize(
    "path",
    [
        "/shifts/999/bookings",
        "/shifts/2147483647/bookings",
        "/shifts/99999999999/bookings",
        "/shifts/-5/bookings",
        "/bookings/999/cancel",
    ],
)
def test_what_does_not_exist_is_not_found(visitor, eva, path):
    visitor.sign_in(eva).send(path, status=404)


def test_odd_fields_do_no_harm(visitor, database, eva, shift):
    visitor.sign_in(eva)
    visitor.send(f"/shifts/{shift}/bookings", {"once": "x" * 5000, "waiting": "", "shift": "7"})
    assert counted(database, Booking) == 1
    visitor.get("/mine")


def test_names_and_numbers_are_seen_by_those_on_the_shift_and_only_when_it_is_near(
    app, visitor, database, town, clock, eva, shift
):
    anna = database.write(lambda connection: make.person(connection, town, "Annika", number="+46701740677"))
    Visitor(app, town).sign_in(anna).send(f"/shifts/{shift}/bookings")
    visitor.sign_in(eva).get(f"/shifts/{shift}")
    assert "Annika" not in visitor.text
    booking = visitor.send(f"/shifts/{shift}/bookings").headers["Location"]
    visitor.get(booking)
    assert "Annika" in visitor.text
    assert "06 77" not in visitor.text
    clock.instant = make.before_start(24)
    visitor.get(booking)
    assert "070-174 06 77" in visitor.text
    visitor.get("/tonight")
    assert "Annika" not in visitor.text


def test_a_hostile_name_is_only_a_name(app, visitor, database, town, eva, shift):
    for name in ('"><img src=x onerror=alert(1)>', "=HYPERLINK(1)", "{{ 7*7 }}", "</script><b>", "محمد", "😀"):
        person = another(database, town, name)
        Visitor(app, town).sign_in(person).send(
            f"/shifts/{shift}/bookings", status=303 if name[0] not in "م😀" else 409
        )
    with database.reading() as connection:
        assert make.places(connection, shift) == (4, 0)
    database.write(lambda connection: connection.execute(update(Shift).values(wanted=6)))
    visitor.sign_in(eva).follow(visitor.send(f"/shifts/{shift}/bookings"))
    assert "<img" not in visitor.text
    assert "49" not in visitor.words()


def statements(database, action):
    counted = []
    listener = lambda *details: counted.append(details[2])  # noqa: E731
    event.listen(database.engine, "before_cursor_execute", listener)
    try:
        action()
    finally:
        event.remove(database.engine, "before_cursor_execute", listener)
    return len([text for text in counted if not text.startswith(("BEGIN", "PRAGMA"))])


def test_a_booking_takes_at_most_12_statements(visitor, database, eva, shift):
    token = visitor.sign_in(eva).token()
    sent = {"csrf_token": token, "once": "key"}
    assert (
        statements(database, lambda: visitor.client.post(f"/shifts/{shift}/bookings", data=sent, base_url=make.SITE))
        <= 12
    )
    assert counted(database, Booking) == 1
    assert counted(database, Message) == 0, "reminders are planned by the worker"
    assert counted(database, AuditEntry) >= 1


@pytest.mark.parametrize("path", ["/", "/nights", "/nights?view=month", "/nights?weeks=60", "/tonight"])
def test_a_page_takes_the_same_few_statements_for_3_and_for_300_nights(visitor, database, town, eva, path):
    def nights(first, last):
        def write(connection):
            for number in range(first, last):
                make.shift(connection, town, make.FRIDAY + timedelta(days=number))

        database.write(write)

    visitor.sign_in(eva)
    nights(0, 3)
    few = statements(database, lambda: visitor.get(path))
    nights(3, 300)
    many = statements(database, lambda: visitor.get(path))
    assert few <= 6
    assert many <= 6
    assert abs(many - few) <= 1, "one statement asks whether more is planned, where no more is shown"


def test_a_signed_out_tap_is_kept_and_sent_after_signing_in(app, visitor, database, town, shift):
    eva = database.write(lambda connection: make.person(connection, town, number="+46701740605"))
    visitor.sign_in(eva)
    token = visitor.token()
    visitor.client.delete_cookie("lykta", domain="127.0.0.1")
    visitor.send(
        f"/shifts/{shift}/bookings",
        {"csrf_token": token, "once": "key"},
        403,
        token=False,
        headers={"Origin": make.SITE},
    )
    kept = re.search(r'name="kept" value="([^"]+)"', visitor.text)[1]
    visitor.send("/sign-in", {"phone": "070-174 06 05", "kept": kept}, 200)
    with database.reading() as connection:
        code = connection.execute(select(Message.body).order_by(Message.id.desc())).scalars().first()[-6:]
    kept = re.search(r'name="kept" value="([^"]+)"', visitor.text)[1]
    visitor.send("/sign-in/code", {"code": code, "kept": kept}, 200)
    assert visitor.forms_to(f"/shifts/{shift}/bookings")
    assert counted(database, Booking) == 0, "nothing is sent by itself"
    pages_own = re.search(r'name="csrf_token" value="([^"]+)"', visitor.text)[1]
    sent = {"csrf_token": pages_own, "once": "key"}
    visitor.follow(visitor.send(f"/shifts/{shift}/bookings", sent, token=False))
    assert "Bokat" in visitor.words()

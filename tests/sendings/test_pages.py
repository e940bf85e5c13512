"""What a coordinator sees and sends."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from scheduler.bookings import actions
from scheduler.messages import halt, resting, standing
from scheduler.messages.rules import CODES, MessageKind, MessageState
from scheduler.messages.spending import change_plan, spending
from scheduler.messages.tables import Incoming, Message
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from scheduler.worker import once, sender
from tests import make

EVA = "+46701740605"


@pytest.fixture
def scene(database, town, visitor):
    def write(connection):
        boss = make.person(connection, town, "Karin", number="+46701740606")
        grant_role(connection, town.id, boss, Role.COORDINATOR, make.NOW)
        eva = make.person(connection, town, "Eva", number=EVA)
        shift = make.shift(connection, town)
        actions.book(connection, make.acting(town, eva), shift, eva, "a")
        return boss, eva, shift

    boss, eva, shift = database.write(write)
    visitor.sign_in(boss)
    return visitor, eva, shift


def sent(database):
    with database.reading() as connection:
        return connection.execute(select(Message.__table__).order_by(Message.id)).all()


def write_text(visitor, to, text, status=200):
    visitor.get("/lead/texts/new")
    key = re.search(r'name="sending" value="([^"]+)"', visitor.text)[1]
    fields = {"to": to, "text": text, "sending": key}
    visitor.send("/lead/texts/new", fields, status)
    return fields


def test_a_text_is_shown_with_its_cost_before_it_is_sent_once(scene, database, app):
    visitor, _eva, _shift = scene
    fields = write_text(visitor, "night:2026-11-27", "Ta med reflexväst — det regnar 🌧")
    assert "Ta med reflexväst - det regnar" in visitor.words()
    assert "1 sms (30 tecken), 1 mottagare, ≈ 0,50 kr" in visitor.words()
    assert "Ett sms kan inte bära — 🌧" in visitor.words()
    assert sent(database) == []
    for _ in range(2):
        visitor.send("/lead/texts/new", fields | {"step": "send"})
    (row,) = sent(database)
    assert (row.kind.value, row.to_phone, row.body) == ("notice", EVA, "Ta med reflexväst - det regnar")
    once(app)
    visitor.get("/lead/texts")
    assert "Eva Lyktdal Från samordnaren" in visitor.words()
    assert "I demon: visat, inte skickat" in visitor.words()
    assert "0,50 kr av 500 kr, 1 sms." in visitor.words()


def at(day, clock, night="night:2026-11-27", text="Ta med reflexväst"):
    return {"to": night, "text": text, "day": day, "clock": clock, "sending": "one"}


def test_a_text_may_wait_for_its_time_and_reaches_those_whom_it_still_concerns(scene, database, app, town):
    visitor, eva, shift = scene
    other = database.write(lambda c: make.person(c, town, "Olle", number="+46701740607"))
    booking = database.write(lambda c: actions.book(c, make.acting(town, other), shift, other, "b"))
    fields = at("2026-11-26", "12:00")
    visitor.send("/lead/texts/new", fields, 200)
    assert "Det skickas tors 26 nov 12:00" in visitor.words()
    visitor.send("/lead/texts/new", fields | {"step": "send"})
    once(app)
    assert [row.state for row in sent(database)] == ["queued", "queued"]
    visitor.get("/lead/texts/people/" + str(eva))
    assert "Väntar till tors 26 nov 12:00" in visitor.words()
    database.write(lambda c: actions.cancel(c, make.acting(town, other), booking))
    app.clock.instant = make.NOW + timedelta(days=3)
    once(app)
    assert {row.to_phone: row.state.value for row in sent(database) if row.kind == "notice"} == {
        EVA: "sent",
        "+46701740607": "dropped",
    }


def test_a_sending_that_waits_can_be_taken_back_whole(scene, database, app):
    visitor, _eva, _shift = scene
    visitor.send("/lead/texts/new", at("2026-11-26", "12:00", "everybody:") | {"step": "send"})
    first = sent(database)[0].id
    visitor.follow(visitor.send(f"/lead/texts/{first}/take-back"))
    assert {row.state.value for row in sent(database)} == {"dropped"}
    visitor.send(f"/lead/texts/{first}/take-back", status=409)
    app.clock.instant = make.NOW + timedelta(days=3)
    once(app)
    assert {row.state.value for row in sent(database) if row.kind == "notice"} == {"dropped"}


@pytest.mark.parametrize(
    ("day", "hour", "says"),
    [
        ("2026-11-26", "", "Ange både dag och tid"),
        ("", "12:00", "Ange både dag och tid"),
        ("2026-02-30", "12:00", "Ange både dag och tid"),
        ("2026-11-23", "08:00", "Den tiden har varit"),
        ("2027-06-01", "12:00", "mer än sextio dagar"),
        ("2026-11-28", "12:00", "Då har vandringen börjat"),
    ],
)
def test_a_time_that_cannot_be_is_told_and_kept(scene, database, day, hour, says):
    visitor, _eva, _shift = scene
    visitor.send("/lead/texts/new", at(day, hour), 422)
    assert says in visitor.words()
    assert f'value="{day}"' in visitor.text
    assert f'value="{hour}"' in visitor.text
    assert sent(database) == []


@pytest.mark.parametrize(
    ("to", "text", "says"),
    [
        ("", "Hej", "Välj vem sms:et går till."),
        ("night:yesterday", "Hej", "Välj vem"),
        ("everybody:", "  \n ", "Skriv vad sms:et ska säga."),
        ("everybody:", "🌙🌙", "Skriv vad"),
        ("everybody:", "x" * 460, "högst 459 tecken"),
        ("club:999", "Hej", "Ingen där kan nås"),
    ],
)
def test_bad_input_is_told_and_what_was_typed_is_kept(scene, to, text, says):
    visitor, _eva, _shift = scene
    write_text(visitor, to, text, 422)
    assert says in visitor.words()
    assert text.strip() in visitor.text


def test_who_cannot_be_reached_is_named_and_not_paid_for(scene, database):
    visitor, eva, shift = scene
    database.write(lambda connection: standing.stop(connection, EVA, make.NOW))
    write_text(visitor, f"shift:{shift}", "Hej", 422)
    write_text(visitor, "everybody:", "Hej")
    assert "Nås inte med sms: Eva Lyktdal." in visitor.words()
    assert "1 mottagare" in visitor.words()
    visitor.get(f"/lead/texts/people/{eva}")
    assert "Har svarat STOPP" in visitor.words()


def test_a_dead_number_is_shown_and_used_again_after_a_look(scene, database):
    visitor, eva, _shift = scene
    database.write(lambda connection: standing.note_dead(connection, EVA, "21614", make.NOW))
    visitor.get(f"/lead/texts/people/{eva}")
    assert "Inget sms når numret (21614" in visitor.words()
    visitor.follow(visitor.send(f"/lead/texts/people/{eva}/use-number"))
    assert "Inget sms når" not in visitor.words()


def test_the_ceiling_holds_what_is_written_by_hand_and_warns_before(scene, database, app, town):
    visitor, _eva, shift = scene
    visitor.follow(visitor.send("/lead/texts/plan", {"segment": "0,50", "ceiling": "1"}))
    for text in ("Ett", "Två", "Tre"):
        fields = write_text(visitor, f"shift:{shift}", text)
        visitor.send("/lead/texts/new", fields | {"step": "send"})
        once(app)
    states = [row.state for row in sent(database) if row.kind == "notice"]
    assert states == [MessageState.SENT, MessageState.SENT, MessageState.QUEUED]
    with database.reading() as connection:
        assert spending(connection, town.id, make.NOW).reached
    visitor.get("/lead/texts")
    assert "Taket är nått" in visitor.words()
    once(app)
    assert [row.kind for row in sent(database)].count("ceiling_near") == 1
    once(app)
    assert [row.kind for row in sent(database)].count("ceiling_near") == 1
    database.write(lambda connection: change_plan(connection, town.id, 50, 50_000))
    app.clock.instant = make.NOW + timedelta(hours=2)
    once(app)
    assert sent(database)[2].state in {MessageState.SENT, MessageState.QUEUED}


@pytest.mark.parametrize("fields", [{}, {"segment": "x", "ceiling": "500"}, {"segment": "1", "ceiling": "-5"}])
def test_sums_that_are_none_are_told(scene, fields):
    visitor, _eva, _shift = scene
    visitor.send("/lead/texts/plan", fields, 422)
    assert "Skriv summorna i kronor" in visitor.words()
    assert {name: visitor.page.find(f".//*[@id='{name}']").get("value") for name in ("segment", "ceiling")} == {
        "segment": fields.get("segment", ""),
        "ceiling": fields.get("ceiling", ""),
    }


def test_what_did_not_arrive_can_be_sent_again_once(scene, database, app):
    visitor, _eva, shift = scene
    fields = write_text(visitor, f"shift:{shift}", "Hej")
    visitor.send("/lead/texts/new", fields | {"step": "send"})
    once(app)
    database.write(lambda connection: connection.execute(update(Message).values(state=MessageState.UNDELIVERED)))
    visitor.get(f"/lead/texts/shifts/{shift}")
    assert "Kom inte fram" in visitor.words()
    message = sent(database)[0].id
    assert visitor.forms_to(f"/lead/texts/{message}/again")
    visitor.send(f"/lead/texts/{message}/again")
    visitor.send(f"/lead/texts/{message}/again", status=409)


def test_the_page_says_that_the_account_is_refused_and_when_the_worker_was_last_at_work(scene, database, app):
    visitor, _eva, _shift = scene
    visitor.get("/lead/texts")
    assert "har aldrig körts" in visitor.words()
    assert app.test_client().get("/readyz").text == "ready\nworker last at work: never\n"
    once(app)
    app.clock.instant = make.NOW + timedelta(seconds=20)
    database.write(lambda connection: halt.halt(connection, "20003", make.NOW))
    visitor.get("/lead/texts")
    assert "senast för 20 s sedan" in visitor.words()
    assert "godtar inte vårt konto (20003)" in visitor.words()
    assert app.test_client().get("/readyz").text == "ready\nworker last at work: 20 s ago\n"
    visitor.send("/lead/texts/resume")
    assert sender(app).send_due((0, 1, 2, 3)).put_off is False


def test_words_from_people_are_read_and_put_away(scene, database, town):
    from scheduler.answers.actions import Came, receive

    visitor, eva, _shift = scene
    came = Came("SM1", EVA, "Vilken grind?")
    database.write(lambda connection: receive(connection, came, make.SITE, make.NOW))
    visitor.get("/lead/texts")
    assert "Vilken grind?" in visitor.words()
    assert f"/lead/texts/new?to=person%3A{eva}" in visitor.text or f"/lead/texts/new?to=person:{eva}" in visitor.text
    with database.reading() as connection:
        incoming = connection.execute(select(Incoming.id)).scalar_one()
    visitor.follow(visitor.send(f"/lead/texts/read/{incoming}"))
    assert "Att läsa" not in visitor.words()


@pytest.mark.parametrize("number", ["2147483648", "9" * 20, "-2147483649"])
def test_nobody_can_be_written_to_whom_no_number_names(scene, number):
    visitor, _eva, _shift = scene
    for kind in ("person", "shift", "unanswered", "club", "area"):
        visitor.get(f"/lead/texts/new?to={kind}:{number}")
        visitor.send("/lead/texts/new", {"to": f"{kind}:{number}", "text": "Ta med lampa."}, 422)
        assert "Välj vem" in visitor.words()
        assert "Ta med lampa." in visitor.words()


def test_the_page_says_that_texts_wait_until_it_is_known_what_left(scene, database):
    visitor, _eva, _shift = scene
    assert "Sms väntar:" not in visitor.get("/lead/texts").text
    database.write(lambda c: resting.begin(c, make.NOW - timedelta(hours=3), make.NOW))
    assert "Sms väntar: vi frågar operatören vad som skickades sedan" in visitor.get("/lead/texts").text


@pytest.mark.parametrize("kind", [kind for kind in MessageKind if kind not in CODES])
def test_every_kind_of_text_has_a_name(app, kind):
    with app.test_request_context():
        module = app.jinja_env.get_template("sendings/words.html").module
        assert module.kind(SimpleNamespace(kind=kind.value)).strip() != kind.value

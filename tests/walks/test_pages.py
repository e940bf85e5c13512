from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.bookings import actions as bookings
from scheduler.kit.audit import AuditEntry
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from tests import make
from tests.visitor import HTML, Visitor

START = make.before_start(0)
CALM = {"mood": "calm", "young_people": "up_to_10", "happened": "nothing", "follow_up": "no"}


@pytest.fixture
def scene(database, town, clock):
    def write(connection):
        people = make.people(connection, town, 3)
        shift = make.shift(connection, town)
        for person in people:
            bookings.book(connection, make.acting(town, person), shift, person, "k")
        return people, shift

    people, shift = database.write(write)
    clock.instant = START
    return people, shift


def buttons(visitor):
    return [" ".join("".join(one.itertext()).split()) for one in visitor.page.iter(f"{HTML}button")]


def test_one_button_leads_through_the_evening_from_home_to_the_note(visitor, scene, clock):
    (eva, anna, _), shift = scene
    answer = visitor.sign_in(eva).get("/", 303)
    assert answer.headers["Location"] == f"/shifts/{shift}/walk", "the evening takes the place of Home"
    visitor.follow(answer)
    assert "Jag är på plats" in buttons(visitor)
    for form, shown in (
        ({"step": "here"}, "Vi går ut"),
        ({"step": "out", "here": [eva, anna]}, "Vi är klara"),
        ({"step": "well"}, "Vi är klara"),
        ({"step": "done"}, "Ångra: vi är kvar ute"),
    ):
        visitor.follow(visitor.send(f"/shifts/{shift}/walk", form))
        assert shown in buttons(visitor)
    clock.instant = START + timedelta(hours=5)
    visitor.follow(visitor.get("/", 303))
    assert "Skriv daganteckning" in visitor.words()
    clock.instant = START + timedelta(hours=11)
    visitor.get("/")
    assert "Skriv daganteckningen: Centrum" in visitor.words()
    answer = visitor.send(f"/shifts/{shift}/note", {**CALM, "came": [eva, anna]})
    visitor.follow(answer)
    assert "Passet är gånget" in visitor.words()
    visitor.get("/")
    assert "Skriv daganteckningen" not in visitor.words()


def test_the_log_tells_each_step_that_was_taken_back(visitor, scene, database):
    (eva, anna, _), shift = scene
    visitor.sign_in(eva)
    for form in ({"step": "here"}, {"step": "out", "here": [eva, anna]}, {"step": "done"}, {"step": "not_done"}):
        visitor.send(f"/shifts/{shift}/walk", form)
    with database.reading() as connection:
        told = connection.execute(select(AuditEntry.what).order_by(AuditEntry.id)).scalars().all()
    assert told[-3:] == ["walk.out", "walk.done", "walk.not_done"]


def test_who_never_tapped_finds_the_note_when_the_evening_is_over(visitor, scene, clock):
    (eva, _, _), shift = scene
    clock.instant = START + timedelta(hours=5)
    visitor.sign_in(eva).get(f"/shifts/{shift}/walk")
    assert f"/shifts/{shift}/note" in visitor.text


def test_the_evening_is_dark_whatever_the_phone_prefers(visitor, scene):
    (eva, _, _), shift = scene
    visitor.sign_in(eva).get(f"/shifts/{shift}/walk")
    assert visitor.page.get("class") == "dark"
    assert 'content="dark"' in visitor.text


def test_one_alone_is_told_so(visitor, scene):
    (eva, _, _), shift = scene
    visitor.sign_in(eva).send(f"/shifts/{shift}/walk", {"step": "out", "here": [eva]}, 409)
    assert "ingen går ensam" in visitor.words()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"mood": ""}, "Välj hur kvällen kändes"),
        ({"young_people": "thousands"}, "Välj ungefär hur många"),
        ({"text": "x" * 10_000}, "högst 500 tecken"),
        ({"text": "Vi mötte Kalle vid bron"}, "Kalle"),
        ({"text": "ring 070-174 06 05"}, "070-174 06 05"),
    ],
)
def test_a_note_that_needs_mending_keeps_what_was_typed(visitor, scene, changed, told):
    (eva, anna, _), shift = scene
    visitor.sign_in(eva).send(f"/shifts/{shift}/note", {**CALM, "came": [eva, anna], **changed}, 422)
    assert told in visitor.words()
    ticked = {one.get("value") for one in visitor.page.iter(f"{HTML}input") if one.get("checked") is not None}
    assert {str(eva), str(anna)} <= ticked
    if "text" in changed:
        assert changed["text"][:20] in visitor.text


def test_a_text_that_points_to_nobody_may_be_saved(visitor, scene):
    (eva, anna, _), shift = scene
    fields = {**CALM, "came": [eva, anna], "text": "Vi hälsade på Nalle", "sure": "yes"}
    visitor.sign_in(eva).follow(visitor.send(f"/shifts/{shift}/note", fields))
    assert "Nalle" in visitor.words()


@pytest.mark.parametrize("sent", [{"came": ["x"]}, {"came": ["9" * 40]}, {"came": [-1]}])
def test_people_who_do_not_exist_did_not_come(visitor, scene, sent):
    (eva, _, _), shift = scene
    visitor.sign_in(eva).send(f"/shifts/{shift}/note", {**CALM, **sent})
    visitor.get(f"/shifts/{shift}/noted")
    assert "Färre än 2 kom" in visitor.words()


def test_a_step_that_does_not_exist_is_refused(visitor, scene):
    (eva, _, _), shift = scene
    visitor.sign_in(eva).send(f"/shifts/{shift}/walk", {"step": "fly"}, 422)
    visitor.send(f"/shifts/{shift}/walk", {"step": "out", "here": ["x"]}, 422)


def test_the_coordinator_sees_all_areas_now_and_writes_a_missing_note(app, database, town, scene, clock):
    (eva, anna, _), shift = scene
    karin = database.write(lambda connection: make.person(connection, town, "Karin"))
    database.write(lambda connection: grant_role(connection, town.id, karin, Role.COORDINATOR, make.NOW))
    Visitor(app, town).sign_in(eva).send(f"/shifts/{shift}/walk", {"step": "here"})
    boss = Visitor(app, town).sign_in(karin)
    boss.get("/lead/now")
    assert "1 är på plats" in boss.words()
    clock.instant = START + timedelta(hours=3)
    boss.get("/lead/now")
    assert "De har inte gått ut. Ring." in boss.words()
    clock.instant = START + timedelta(days=10)
    boss.get("/lead/now")
    assert "3 bokade" in boss.words()
    boss.follow(boss.send(f"/shifts/{shift}/note", {**CALM, "came": [eva, anna]}))
    boss.get("/lead/now")
    assert "Alla pass har sin daganteckning" in boss.words()


def test_what_a_team_asks_to_follow_up_is_listed_until_somebody_has_seen_to_it(app, database, town, scene, clock):
    (eva, anna, bo), shift = scene
    database.write(lambda connection: grant_role(connection, town.id, bo, Role.COORDINATOR, make.NOW))
    clock.instant = START + timedelta(hours=5)
    team, boss = Visitor(app, town).sign_in(eva), Visitor(app, town).sign_in(bo)
    asked = {**CALM, "follow_up": "yes", "text": "Två lampor är trasiga.", "came": [eva, anna]}

    def listed():
        boss.get("/lead/now")
        return "Inget att följa upp." not in boss.words()

    def settle(done):
        boss.send(f"/lead/follow-ups/{shift}", {"done": done})

    assert not listed()
    team.send(f"/shifts/{shift}/note", asked)
    assert listed()
    assert "Två lampor är trasiga." in boss.words()
    settle("yes")
    settle("yes")
    assert not listed()
    assert "Uppföljt den senaste veckan: 1" in boss.words()
    settle("no")
    assert listed()
    settle("yes")
    team.send(f"/shifts/{shift}/note", {**asked, "came": [eva]})
    assert not listed(), "who came is no new thing to follow up"
    team.send(f"/shifts/{shift}/note", {**asked, "text": "Tre lampor är trasiga."})
    assert listed(), "what is told anew is to be followed up anew"
    settle("yes")
    clock.instant += timedelta(days=8)
    assert not listed()
    assert "Uppföljt den senaste veckan" not in boss.words()
    boss.get(f"/lead/shifts/{shift}")
    assert "följde upp det som anteckningen bad om" in boss.words()
    assert "tog tillbaka att det var uppföljt" in boss.words()


def test_only_a_note_that_asks_for_it_is_followed_up(app, database, town, scene, clock):
    (eva, anna, bo), shift = scene
    database.write(lambda connection: grant_role(connection, town.id, bo, Role.COORDINATOR, make.NOW))
    clock.instant = START + timedelta(hours=5)
    boss = Visitor(app, town).sign_in(bo)
    boss.send(f"/lead/follow-ups/{shift}", {"done": "yes"}, 404)
    Visitor(app, town).sign_in(eva).send(f"/shifts/{shift}/note", {**CALM, "came": [eva, anna]})
    boss.send(f"/lead/follow-ups/{shift}", {"done": "yes"}, 404)
    boss.send(f"/lead/follow-ups/{shift}", {"done": "perhaps"}, 422)

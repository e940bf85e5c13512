"""The board and asking from it, as the coordinator meets them."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select, update

from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.gaps.tables import Asking
from scheduler.kit.audit import AuditEntry
from scheduler.messages.spending import change_plan
from scheduler.nights.season import Special
from scheduler.nights.tables import Night
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from tests import make
from tests.gaps.story import Story
from tests.visitor import HTML, Visitor


@pytest.fixture
def story(app, database):
    made = Story(database, walkers=12)
    app.clock.instant = made.now
    return made


@pytest.fixture
def boss(app, story):
    return Visitor(app, story.town).sign_in(story.boss)


def nights(visitor):
    """Return the headings of the nights that need the coordinator, in order."""
    (listed,) = [one for one in visitor.page.iter(f"{HTML}ol") if one.get("class") == "cards"]
    return ["".join(one.itertext()).strip() for one in listed.iter(f"{HTML}h2")]


def test_the_most_urgent_night_stands_first_and_two_areas_on_top(boss, story):
    story.new_shift(make.FRIDAY - timedelta(days=1))
    double = make.FRIDAY + timedelta(days=21)
    story.new_shift(double)
    story.new_shift(double, area=story.town.arena)
    boss.get("/lead")
    assert nights(boss) == ["fredag 18 december", "torsdag 26 november", "fredag 27 november"]
    assert "3 kvällar behöver dig" in boss.words()
    assert "om 2 dagar · saknar 2 till minst" in boss.words()


def test_a_special_night_comes_before_its_like(boss, story, database):
    story.new_shift(make.SATURDAY)
    boss.get("/lead")
    assert nights(boss)[0] == "fredag 27 november"
    special = update(Night).where(Night.date == make.SATURDAY).values(special=Special.PAYDAY_WEEKEND)
    database.write(lambda c: c.execute(special))
    boss.get("/lead")
    assert nights(boss)[0] == "lördag 28 november"
    assert "Löningshelg" in boss.words()


def test_the_button_says_how_many_and_how_much_and_one_tap_asks_just_them(boss, story):
    boss.get("/lead")
    (form,) = boss.forms_to(f"/lead/shifts/{story.shift}/asking")
    told = "".join(form.itertext())
    people, price = re.search(r"Fråga (\d+) personer · ([\d,]+)\xa0kr", told).groups()
    assert float(price.replace(",", ".")) == int(people) * 0.5
    fields = {one.get("name"): one.get("value") for one in form.iter(f"{HTML}input")}
    boss.follow(boss.send(f"/lead/shifts/{story.shift}/asking", {"people": fields["people"]}))
    assert f"Frågar: {people} tillfrågade, 0 ja, 0 nej." in boss.words()
    assert len(story.leave()) == int(people)
    boss.get("/lead")
    assert boss.forms_to(f"/lead/shifts/{story.shift}/asking") == []
    assert len(boss.forms_to(f"/lead/shifts/{story.shift}/asking/stop")) == 1
    assert f"{people} tillfrågade" in boss.words()


def test_every_night_that_needs_people_has_its_button(boss, story):
    shifts = [story.new_shift(make.FRIDAY + timedelta(days=days)) for days in range(1, 15)]
    boss.get("/lead")
    assert [len(boss.forms_to(f"/lead/shifts/{shift}/asking")) for shift in (story.shift, *shifts)] == [1] * 15


def test_the_price_is_the_partnership_s_own(boss, story, database):
    database.write(lambda c: change_plan(c, story.town.id, 68, 100_00))
    boss.get("/lead")
    people = int(re.search(r"Fråga (\d+) personer", boss.words())[1])
    assert f"{people * 0.68:.2f}".replace(".", ",") in boss.words().replace("\xa0", " ")


def test_the_page_says_why_her_and_why_not_him(boss, story):
    rested, walker, young = story.person("Vila"), story.person("Ivrig"), story.person("Upptagen")
    for weeks in range(1, 5):
        story.walked(walker, make.FRIDAY - timedelta(weeks=weeks))
    story.asked_at(walker, story.now - timedelta(days=3))
    story.book(young)
    boss.get(f"/lead/shifts/{story.shift}/asking?name=vila")
    assert re.search(r"Passar, nummer \d+ i tur\. aldrig tillfrågad · 0 pass i år · utvilad", boss.words())
    boss.get(f"/lead/shifts/{story.shift}/asking?name=IVRIG")
    assert "tillfrågad för 3 dagar sedan · 4 pass i år · går gärna här · går gärna den här veckodagen" in boss.words()
    boss.get(f"/lead/shifts/{story.shift}/asking?name=Upptagen")
    assert "Har eller hade en plats, eller står i kön, på det här passet." in boss.words()
    for name in ("%25", "_", "zzz", "<b>"):
        boss.get(f"/lead/shifts/{story.shift}/asking?name={name}xx")
        assert "Ingen heter så." in boss.words()
    assert rested


def test_by_night_the_button_says_when_they_are_asked(app, boss, story):
    app.clock.instant = story.now = make.before_start(47)
    boss.get("/lead")
    assert "Det är natt: de tillfrågas tors 26 nov 08:00." in boss.words()
    boss.follow(boss.send(f"/lead/shifts/{story.shift}/asking", {"people": "4"}))
    assert "Frågar: 0 tillfrågade, 0 ja, 0 nej. Fler tillfrågas tors 26 nov 08:00." in boss.words()


def test_more_people_are_never_promised_a_question_by_night(app, boss, story):
    app.clock.instant = story.now = make.before_start(53)
    boss.get("/lead")
    boss.follow(boss.send(f"/lead/shifts/{story.shift}/asking", {"people": "4"}))
    assert "Frågar: 4 tillfrågade, 0 ja, 0 nej. Fler tillfrågas tors 26 nov 08:00." in boss.words()


def test_a_team_of_a_club_that_often_fails_is_at_risk_in_words(boss, story, database):
    past = [story.new_shift(make.FRIDAY - timedelta(weeks=weeks), wanted=12) for weeks in range(1, 7)]
    for number, shift in enumerate(past):
        for person in story.people[:4]:
            state = BookingState.NO_SHOW if (number + person) % 2 else BookingState.ATTENDED
            row = {
                "partnership_id": story.town.id, "shift_id": shift, "person_id": person, "state": state,
                "made_at": make.NOW, "once": f"p{person}", "auto_take": False, "place_held": False,
            }  # fmt: skip
            database.write(lambda c, row=row: c.execute(insert(Booking).values(**row)))
    for person in story.people[:2]:
        story.book(person)
    boss.get("/lead")
    assert nights(boss) == ["fredag 27 november"]
    assert re.search(r"Nog har bokat, men risken är \d\d % att för få kommer", boss.words())
    boss.follow(boss.send(f"/lead/shifts/{story.shift}/asking", {"people": "3"}))
    assert "Frågar: 3 tillfrågade" in boss.words()
    boss.get("/lead/autopilot")
    assert "Förutsett" in boss.words()


def test_what_needs_nobody_is_not_asked_for(boss, story):
    for person in story.people[:4]:
        story.book(person)
    boss.get("/lead")
    assert "bara nya" in boss.words()
    story.walked(story.people[0], make.FRIDAY - timedelta(weeks=1))
    boss.get("/lead")
    assert "Alla kvällar har ett lag" in boss.words()
    boss.send(f"/lead/shifts/{story.shift}/asking", {}, 409)
    assert "Passet har de personer det behöver." in boss.words()
    for odd in ("-1", "x", "9" * 30):
        boss.send(f"/lead/shifts/{story.shift}/asking", {"people": odd}, 422)


def test_a_full_team_can_be_asked_for_beyond_what_is_needed(boss, story, database):
    for person in story.people[:3]:
        story.book(person)
    path = f"/lead/shifts/{story.shift}/asking"
    boss.get(path)
    assert "tills alla 4 platser är tagna" in boss.words()
    form = next(f for f in boss.forms_to(path) if any(i.get("name") == "goal" for i in f.iter(f"{HTML}input")))
    promised = next(i.get("value") for i in form.iter(f"{HTML}input") if i.get("name") == "people")
    boss.follow(boss.send(path, {"people": promised, "goal": "all"}))
    assert f"Frågar: {promised} tillfrågade" in boss.words()
    assert "tills alla" not in boss.words(), "it is asked for already"


def test_a_search_that_runs_can_be_made_to_look_for_a_full_team(boss, story):
    path = f"/lead/shifts/{story.shift}/asking"
    boss.send(path, {"people": "2"})
    boss.follow(boss.send(path, {"people": "9", "goal": "all"}))
    with story.database.reading() as connection:
        assert connection.execute(select(Asking.goal)).scalars().all() == [4]
    boss.get("/lead/log")
    assert "började söka fler personer" in boss.words()


def test_stopping_and_turning_a_proposal_down(boss, story):
    boss.send("/lead/autopilot", {"mode": "proposes", "days_ahead": "5", "asks_a_week": "2"})
    story.work()
    boss.get("/lead")
    assert "Autopiloten föreslår att fråga." in boss.words()
    assert len(boss.forms_to(f"/lead/shifts/{story.shift}/asking")) == 1
    boss.follow(boss.send(f"/lead/shifts/{story.shift}/asking/stop"))
    assert "Stoppat" in boss.words()
    boss.send(f"/lead/shifts/{story.shift}/asking/stop", {}, 409)
    assert "Det finns inget att stoppa." in boss.words()


def test_the_autopilot_s_form_keeps_what_was_typed_and_says_what_is_wrong(boss, story):
    boss.send("/lead/autopilot", {"mode": "acts", "days_ahead": "många", "asks_a_week": "2"}, 422)
    assert "Skriv ett helt tal från 1 till 60." in boss.words()
    assert 'value="många"' in boss.text
    assert "Autopiloten är av." in boss.words()
    boss.follow(boss.send("/lead/autopilot", {"mode": "acts", "days_ahead": "7", "asks_a_week": "1"}))
    assert "Autopiloten frågar själv. Stäng av den här" in boss.words()
    boss.send("/lead/autopilot", {"mode": "acts", "days_ahead": "7", "asks_a_week": "1"})
    with story.database.reading() as connection:
        changes = select(AuditEntry.id).where(AuditEntry.what == "autopilot.changed")
        assert len(connection.execute(changes).all()) == 1, "saving what is chosen already changes nothing"
    assert story.work()


def test_the_municipality_sees_the_numbers_and_can_ask_nobody(app, story, database):
    eye = story.person("Mats", state=None)
    database.write(lambda c: grant_role(c, story.town.id, eye, Role.MUNICIPALITY, make.NOW))
    story.ask()
    visitor = Visitor(app, story.town).sign_in(eye)
    visitor.get("/lead")
    assert nights(visitor) == ["fredag 27 november"]
    assert "/asking" not in visitor.text
    assert "Eva" not in visitor.words()


def test_the_board_takes_at_most_ten_statements_however_many_nights(boss, story, database):
    def statements():
        seen = []
        event.listen(database.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        boss.get("/lead")
        return [one for one in seen if not one.startswith("BEGIN")]

    few = statements()
    for week in range(1, 30):
        for area in (story.town.centre, story.town.arena):
            story.new_shift(make.FRIDAY + timedelta(weeks=week), area=area)
    many = statements()
    assert len(few) <= 10
    assert len(many) // 2 <= 10, "two listeners hear each"


def test_candidates_are_found_by_the_index_of_turns(story, database):
    """However many people there are, those whose turn it is are read first, and no more than are looked at."""
    from scheduler.gaps import actions
    from scheduler.gaps.candidates import candidates

    seen = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: seen.append(given[2:4]))
    with database.reading() as c:
        row = actions.shift_facts(c, story.town.id, story.shift)
        seen.clear()
        candidates(c, actions.place_of(row), row.area_id, 2, story.now)
        assert len(seen) == 1
        plan = c.exec_driver_sql("EXPLAIN QUERY PLAN " + seen[0][0], tuple(seen[0][1])).all()
    steps = [row[3] for row in plan]
    assert any("ix_person_turn" in step for step in steps)
    assert not [step for step in steps if step.startswith("SCAN ") and "pool" not in step and "anon" not in step]

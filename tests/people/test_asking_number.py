"""A coordinator notes a number for somebody; it is used when its owner has said yes."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.messages import standing
from scheduler.messages.tables import Message
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from scheduler.people.tables import Person
from tests import make
from tests.visitor import Visitor

OLD, NEW, BOSS = "+46701740605", "+46701740677", "+46701740606"


class Scene:
    def __init__(self, app, database, town):
        self.database = database
        self.eva = database.write(lambda c: make.person(c, town, "Eva", number=OLD))
        boss = database.write(lambda c: make.person(c, town, "Karin", number=BOSS))
        database.write(lambda c: grant_role(c, town.id, boss, Role.COORDINATOR, make.NOW))
        self.boss, self.owner = Visitor(app, town).sign_in(boss), Visitor(app, town)

    def note(self, number, status=None):
        return self.boss.send(f"/lead/people/{self.eva}/number", {"phone": number}, status)

    def texts(self, phone):
        with self.database.reading() as c:
            return c.execute(select(Message.body, Message.state).where(Message.to_phone == phone)).all()

    def link(self):
        return re.search(r"/number/\S+", self.texts(NEW)[-1].body)[0]

    def phone(self):
        with self.database.reading() as c:
            return c.execute(select(Person.phone).where(Person.id == self.eva)).scalar_one()


@pytest.fixture
def scene(app, database, town):
    return Scene(app, database, town)


def test_a_noted_number_is_used_after_its_owner_s_yes_and_not_before(scene, app, town):
    device = Visitor(app, town).sign_in(scene.eva)
    scene.note("070-174 06 77", 303)
    scene.boss.get(f"/lead/people/{scene.eva}/number")
    assert "Väntar på ja från 070-174 06 77" in scene.boss.words()
    scene.boss.get(f"/lead/texts/people/{scene.eva}")
    assert "/number/" not in scene.boss.text, "the link is for the owner alone"
    scene.owner.get(scene.link())
    assert "Hej Eva! Är det här ditt nummer nu?" in scene.owner.words()
    assert scene.phone() == OLD, "opening the link says nothing"
    device.get("/mine", 200)
    scene.owner.follow(scene.owner.send(scene.link()))
    assert "Ditt nummer är ändrat" in scene.owner.words()
    assert scene.phone() == NEW
    device.get("/mine", 303)
    assert "annat nummer" in scene.texts(OLD)[-1].body or "ett annat" in scene.texts(OLD)[-1].body
    scene.owner.get(scene.link(), 410)
    scene.boss.get(f"/lead/people/{scene.eva}")
    assert "fick frågan om ett nytt nummer" in scene.boss.words()


def test_only_the_last_question_counts_and_no_longer_than_three_days(scene, app):
    scene.note("070-174 06 77", 303)
    first = scene.link()
    scene.note("070-174 06 78", 303)
    scene.owner.get(first, 410)
    assert scene.texts(NEW)[-1].state == "dropped"
    scene.note("070-174 06 77", 303)
    app.clock.instant = make.NOW + timedelta(days=3, minutes=1)
    scene.owner.send(scene.link(), status=410)
    assert scene.phone() == OLD


def test_a_dead_number_is_used_again_when_it_is_edited_or_confirmed_as_it_is(scene):
    for number in (OLD, NEW):
        scene.database.write(lambda c, number=number: standing.note_dead(c, number, "21614", make.NOW))
    scene.note("070-174 06 05", 303)
    scene.note("070-174 06 77", 303)
    with scene.database.reading() as c:
        assert all(one.dead_at is None for one in standing.standings(c, [OLD, NEW]).values())
    assert len(scene.texts(OLD)) == 0


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Skriv ditt mobilnummer"),
        ("060-123456", "fast telefon"),
        ("070-174 06 06", "Någon annan har redan det numret"),
        ("x" * 40, "inte ett helt mobilnummer"),
    ],
)
def test_a_number_that_cannot_be_theirs_is_told_and_kept(scene, typed, says):
    scene.note(typed, 422)
    assert says in scene.boss.words()
    assert f'value="{typed}"' in scene.boss.text

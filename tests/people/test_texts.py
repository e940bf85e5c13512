"""A person's own choices about texts, and changing the number."""

import re

import pytest
from sqlalchemy import select

from scheduler.messages import standing
from scheduler.messages.rules import TextGroup
from scheduler.messages.tables import Message
from scheduler.people.tables import Person
from tests import make
from tests.visitor import Visitor

OLD, NEW = "+46701740605", "+46701740677"


@pytest.fixture
def eva(database, town):
    return database.write(lambda connection: make.person(connection, town, number=OLD))


def code_to(database, phone):
    with database.reading() as connection:
        bodies = connection.execute(
            select(Message.body).where(Message.to_phone == phone).order_by(Message.id.desc())
        ).scalars()
        return re.search(r"#(\d{6})$", next(iter(bodies)))[1]


def phone_of(database, person):
    with database.reading() as connection:
        return connection.execute(select(Person.phone).where(Person.id == person)).scalar_one()


def test_choices_are_kept_and_quiet_hours_are_never_shorter_than_everybody_s(visitor, database, eva):
    visitor.sign_in(eva)
    visitor.follow(visitor.send("/me/texts", {"on": ["three_hours", "nonsense"], "not_after": "19", "not_before": "3"}))
    assert "Sparat" in visitor.words()
    with database.reading() as connection:
        chosen = standing.preference(connection, eva)
    assert chosen.off == {TextGroup.TWO_DAYS, TextGroup.REQUESTS, TextGroup.NEWS}
    assert (chosen.quiet.starts.hour, chosen.quiet.ends.hour) == (19, 8)
    assert 'value="three_hours" checked' in visitor.text
    assert 'value="two_days" checked' not in visitor.text


def test_stopp_is_shown_and_ends_with_a_tick(visitor, database, eva):
    database.write(lambda connection: standing.stop(connection, OLD, make.NOW))
    visitor.sign_in(eva)
    visitor.get("/me/texts")
    assert "Du svarade STOPP" in visitor.words()
    visitor.follow(visitor.send("/me/texts", {"start": "yes"}))
    assert "Du svarade STOPP" not in visitor.words()


def test_a_new_number_is_proven_before_anything_changes(visitor, database, app, town, eva):
    other = Visitor(app, town).sign_in(eva)
    visitor.sign_in(eva)
    database.write(lambda connection: standing.note_dead(connection, NEW, "21614", make.NOW))
    visitor.follow(visitor.send("/me/number", {"phone": "070-174 06 77"}))
    assert phone_of(database, eva) == OLD
    visitor.send("/me/number/code", {"code": "000000"}, 422)
    assert "Du har 4 försök kvar" in visitor.words()
    visitor.follow(visitor.send("/me/number/code", {"code": code_to(database, NEW)}))
    assert phone_of(database, eva) == NEW
    other.get("/me", 303)
    with database.reading() as connection:
        assert standing.standing(connection, NEW).dead_at is None
        bodies = connection.execute(select(Message.body).where(Message.to_phone == OLD)).scalars().all()
    assert bodies == ["Ditt nummer i Lykta är nu ett annat. Var det inte du? Ring 070-174 06 99."]


def test_a_number_that_somebody_has_gets_no_code_and_the_page_tells_nothing(visitor, database, town, eva):
    database.write(lambda connection: make.person(connection, town, "Anna", number=NEW))
    visitor.sign_in(eva)
    visitor.follow(visitor.send("/me/number", {"phone": NEW}))
    assert "Om numret är ledigt" in visitor.words()
    with database.reading() as connection:
        assert connection.execute(select(Message.id).where(Message.to_phone == NEW)).all() == []


def test_a_number_code_is_no_sign_in_code_and_codes_are_limited(visitor, database, eva):
    visitor.sign_in(eva)
    visitor.send("/me/number", {"phone": "08-123 456"}, 422)
    for _ in range(6):
        visitor.send("/me/number", {"phone": NEW})
    visitor.send("/me/number", {"phone": NEW}, 429)
    assert "många koder" in visitor.words()
    for _ in range(5):
        visitor.send("/me/number/code", {"code": "000000"}, 422)
    visitor.send("/me/number/code", {"code": code_to(database, NEW)}, 422)
    assert phone_of(database, eva) == OLD

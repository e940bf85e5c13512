"""Codes and sessions, on both databases, in parallel too."""

import re
import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from scheduler.messages.tables import Message
from scheduler.people import signing_in
from scheduler.people.queries import visitor
from scheduler.people.signing_in import Outcome
from scheduler.people.tables import SignInCode, SignInSession
from tests import make
from tests.conftest import SECRET

EVA = "+46701740605"


class Door:
    def __init__(self, database):
        self.database, self.now = database, make.NOW
        self.town = database.write(make.town)
        self.eva = database.write(lambda c: make.person(c, self.town, number=EVA))

    def ask(self, number=EVA, address="192.0.2.1"):
        return self.database.write(
            lambda c: signing_in.ask_for_code(
                c, self.town.id, number, self.now, address=address, host="lykta.example", secret_key=SECRET
            )
        )

    def code(self):
        with self.database.reading() as c:
            body = c.execute(select(Message.body).order_by(Message.id.desc())).scalars().first()
        return re.search(r"#(\d{6})$", body)[1]

    def answer(self, challenge, typed):
        return self.database.write(
            lambda c: signing_in.answer_code(
                c, self.town.id, challenge, typed, self.now, secret_key=SECRET, device="test"
            )
        )


@pytest.fixture
def door(each_database):
    return Door(each_database)


def at_once(verb, times):
    start, answers = threading.Barrier(times), []

    def run():
        start.wait()
        answers.append(verb())

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_the_right_code_signs_in_once_and_only_once(door):
    challenge = door.ask()
    answer = door.answer(challenge, door.code())
    assert answer.outcome is Outcome.SIGNED_IN
    with door.database.reading() as c:
        assert visitor(c, "", answer.secret).person.id == door.eva
        stored = c.execute(select(SignInSession.secret_hash)).scalar_one()
    assert answer.secret not in stored
    assert door.answer(challenge, door.code()).outcome is Outcome.ENDED


def test_spaces_in_a_typed_code_do_no_harm(door):
    challenge = door.ask()
    code = door.code()
    assert door.answer(challenge, f" {code[:3]} {code[3:]} ").outcome is Outcome.SIGNED_IN


def test_five_wrong_tries_end_a_code(door):
    challenge = door.ask()
    right = door.code()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert [door.answer(challenge, wrong).tries_left for _ in range(5)] == [4, 3, 2, 1, 0]
    assert door.answer(challenge, right).outcome is Outcome.ENDED


def test_a_code_dies_after_ten_minutes_and_in_another_browser(door):
    challenge = door.ask()
    code = door.code()
    assert door.answer("another browser's challenge", code).outcome is Outcome.ENDED
    door.now += timedelta(minutes=10)
    assert door.answer(challenge, code).outcome is Outcome.ENDED


def test_a_code_of_one_number_does_not_work_for_another(door):
    door.database.write(lambda c: make.person(c, door.town, "Adam", number="+46701740606"))
    mine = door.ask()
    my_code = door.code()
    theirs = door.ask("+46701740606")
    if door.code() != my_code:
        assert door.answer(theirs, my_code).outcome is Outcome.WRONG
    assert door.answer(mine, my_code).outcome is Outcome.SIGNED_IN


def test_64_wrong_guesses_at_once_are_compared_five_times(door):
    challenge = door.ask()
    wrong = f"{(int(door.code()) + 1) % 1_000_000:06d}"
    told = Counter(answer.outcome for answer in at_once(lambda: door.answer(challenge, wrong), 64))
    # The fifth guess is compared too, and ends the code.
    assert told == {Outcome.WRONG: 4, Outcome.ENDED: 60}
    with door.database.reading() as c:
        assert c.execute(select(SignInCode.tries_left)).scalar_one() == 0


def test_64_right_codes_at_once_are_one_session(door):
    challenge = door.ask()
    code = door.code()
    told = Counter(answer.outcome for answer in at_once(lambda: door.answer(challenge, code), 64))
    assert told == {Outcome.SIGNED_IN: 1, Outcome.ENDED: 63}


def test_a_number_gets_six_codes_an_hour_however_many_ask_at_once(door):
    given = [challenge for challenge in at_once(door.ask, 20) if challenge is not None]
    assert len(given) == signing_in.MOST_CODES_PER_NUMBER
    door.now += timedelta(hours=1)
    assert door.ask() is not None


def test_an_address_is_limited_whatever_numbers_it_tries(door):
    numbers = (f"+4670174{number:04d}" for number in range(9000, 9000 + signing_in.MOST_CODES_PER_ADDRESS + 5))
    given = [challenge for challenge in (door.ask(number) for number in numbers) if challenge is not None]
    assert len(given) == signing_in.MOST_CODES_PER_ADDRESS
    assert door.ask(address="192.0.2.2") is not None


def test_an_unknown_number_gets_a_challenge_and_no_text(door):
    assert door.ask("+46701740699") is not None
    with door.database.reading() as c:
        assert c.execute(select(Message.id)).all() == []


def test_no_code_and_no_number_can_be_read_from_the_tables_of_codes_and_limits(door):
    door.ask()
    code = door.code()
    with door.database.reading() as c:
        stored = str(c.exec_driver_sql("SELECT * FROM sign_in_code").all())
        stored += str(c.exec_driver_sql("SELECT * FROM limit_count").all())
    assert code not in stored
    assert "701740605" not in stored


def test_a_session_that_is_ended_is_nobody(door):
    secret = door.database.write(lambda c: signing_in.start_session(c, door.town.id, door.eva, "test", door.now))
    with door.database.reading() as c:
        me = visitor(c, "", secret)
    assert door.database.write(lambda c: signing_in.end_session(c, door.eva, me.session_id, door.now))
    with door.database.reading() as c:
        assert visitor(c, "", secret).person is None
    assert not door.database.write(lambda c: signing_in.end_session(c, door.eva, me.session_id, door.now))


def test_old_codes_and_counts_are_forgotten(door):
    door.ask()
    door.database.write(lambda c: c.execute(update(SignInCode).values(joining={"phone": EVA})))
    door.now += timedelta(hours=4)
    assert door.database.write(lambda c: signing_in.forget_old(c, door.now)) == 3

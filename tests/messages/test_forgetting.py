"""After thirty days nobody holds the words of a text any more: not the outbox, and not the operator."""

import pytest
from sqlalchemy import insert, select

from scheduler.messages.cleaning import MOST_TRIES, forget_bodies
from scheduler.messages.tables import Incoming, Message, Redaction
from tests.messages.test_sending import Outbox, receipt


@pytest.fixture
def outbox(each_database, twilio):
    twilio.tell(status="delivered")
    made = Outbox(each_database, twilio)
    yield made
    made.sender.close()


def forget(outbox):
    outbox.database.write(lambda connection: forget_bodies(connection, outbox.clock.now()))
    return outbox.sender.redact()


def held(twilio):
    return [one["body"] for one in twilio.messages() if one["body"]]


def waiting(outbox):
    return outbox.read(lambda connection: connection.execute(select(Redaction.sid)).scalars().all())


def test_old_words_are_emptied_here_and_at_the_operator_and_young_ones_kept(outbox, twilio):
    outbox.queue("a")
    outbox.send()
    outbox.later(days=20)
    outbox.queue("b")
    outbox.send()
    assert forget(outbox) == 0
    outbox.later(days=11)
    assert forget(outbox) == 1
    assert held(twilio) == ["Text b"]
    assert [row.body for row in outbox.rows()] == ["", "Text b"]
    assert outbox.rows()[0].sid, "that it was sent is still known"
    assert forget(outbox) == 0, "once is enough"
    assert waiting(outbox) == []


def test_what_people_wrote_is_emptied_there_too(outbox, twilio):
    outbox.queue("stands in for one that came in")
    outbox.send()
    sid = twilio.messages()[0]["sid"]
    came = {"sid": sid, "partnership_id": outbox.town.id, "person_id": outbox.eva, "body": "Hej", "meaning": "words",
            "received_at": outbox.clock.now(), "passed_on": False}  # fmt: skip
    outbox.database.write(lambda connection: connection.execute(insert(Incoming).values(**came)))
    outbox.later(days=31)
    assert forget(outbox) == 1
    assert held(twilio) == []


@pytest.mark.parametrize("answer", [[500, 20500], [429, 20429], [401, 20003]])
def test_an_operator_that_cannot_be_asked_is_left_in_peace_and_asked_the_next_day(outbox, twilio, answer):
    for name in "abc":
        outbox.queue(name)
    outbox.send()
    outbox.later(days=31)
    twilio.tell(redact=answer)
    assert forget(outbox) == 0
    assert [row.body for row in outbox.rows()] == ["", "", ""], "here it is forgotten all the same"
    twilio.tell(redact=[])
    assert forget(outbox) == 2, "only the one that was tried waits for a day"
    outbox.later(days=1, minutes=1)
    assert forget(outbox) == 1
    assert held(twilio) == []


def test_one_that_cannot_be_emptied_now_stops_no_others(outbox, twilio):
    twilio.tell(status="queued")
    outbox.queue("a")
    outbox.send()
    twilio.tell(status="delivered")
    outbox.queue("b")
    outbox.send()
    outbox.later(days=31)
    assert forget(outbox) == 1
    assert held(twilio) == ["Text a"]
    assert len(waiting(outbox)) == 1


def test_what_the_operator_does_not_know_is_done_and_what_never_works_is_given_up(outbox, twilio):
    outbox.queue("a")
    outbox.send()
    outbox.later(days=31)
    twilio.tell(redact=[404, 20404])
    assert forget(outbox) == 1
    outbox.queue("b")
    outbox.send()
    outbox.later(days=31)
    twilio.tell(redact=[409, 20009])
    for _ in range(MOST_TRIES):
        assert forget(outbox) == 0
        assert len(waiting(outbox)) == 1
        outbox.later(days=1, minutes=1)
    forget(outbox)
    assert waiting(outbox) == []


def test_a_text_that_left_twice_for_not_arriving_is_emptied_twice(outbox, twilio):
    outbox.queue("a")
    outbox.send()
    receipt(outbox, "undelivered", "30003", sid=twilio.messages()[0]["sid"])
    outbox.later(minutes=31)
    outbox.send()
    assert len(held(twilio)) == 2
    outbox.later(days=31)
    forget(outbox)
    assert held(twilio) == []


def test_a_pass_empties_no_more_than_it_can_carry(outbox, twilio):
    for number in range(25):
        outbox.queue(str(number))
    outbox.send()
    outbox.later(days=31)
    assert forget(outbox) == 20
    assert forget(outbox) == 5


def test_in_the_demo_nothing_is_asked_of_anybody(each_database, twilio):
    outbox = Outbox(each_database, twilio, twilio_account_sid="", demo=True)
    outbox.queue("a")
    outbox.send()
    outbox.later(days=31)
    assert forget(outbox) == 0
    assert outbox.read(lambda connection: connection.execute(select(Message.body)).scalar_one()) == ""

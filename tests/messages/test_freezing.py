"""A worker that is frozen in the middle of a call texts nobody when it wakes: others have taken the text over."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler.kit.database import Database
from scheduler.messages.lease import Lease
from scheduler.messages.tables import Message
from scheduler.messages.worker import ALL
from tests import make
from tests.messages import freezing, sending
from tests.messages.crashing import queue_texts


def freeze_take_over_and_thaw(url, twilio, place, patience):
    """Return how often the one text left, how often before the frozen process woke, and its state."""
    queue_texts(url, 1)
    database, moment = Database(url), threading.Event()
    frozen = freezing.start(url, twilio.base, place, patience)
    while not freezing.is_frozen(frozen):
        moment.wait(0.02)
    other = sending.sender(url, twilio.base, threads=1, patience=freezing.PATIENCE)

    def states():
        with database.reading() as connection:
            return list(connection.execute(select(Message.state)).scalars())

    while states() != ["sent"]:
        other.send_all_due(ALL, lambda: True)
        other.look_up()
        moment.wait(0.05)
    before = len(twilio.messages())
    freezing.thaw(frozen)
    database.dispose()
    other._database.dispose()
    assert frozen.exitcode == 0
    assert 0 in twilio.searches(), "it was looked for at the operator before it was sent again"
    return len(twilio.messages()), before


@pytest.mark.parametrize("place", freezing.PLACES)
def test_a_frozen_worker_does_not_send_what_another_has_sent_meanwhile(each_url, twilio, place):
    assert freeze_take_over_and_thaw(each_url, twilio, freezing.PLACES[place], freezing.PATIENCE) == (1, 1)


def test_a_machine_that_slept_is_told_by_the_clock_on_the_wall():
    clock = make.SetClock()
    lease = Lease.begin(30, clock)
    assert lease.holds()
    clock.instant += timedelta(seconds=31)
    assert not lease.holds()
    clock.instant -= timedelta(hours=2)
    assert lease.holds(), "a clock that is set back says nothing"


def test_the_end_of_the_claim_is_what_keeps_it_from_sending(each_url, twilio):
    """The control: the same freeze with a claim that never ends."""
    place = freezing.PLACES["before connecting"]
    assert freeze_take_over_and_thaw(each_url, twilio, place, freezing.NEVER_ENDING) == (2, 1)


def test_what_remains_is_the_step_between_the_last_question_and_the_kernel(each_url, twilio):
    """No clock can guard this one: the README says so."""
    place = freezing.AFTER_THE_LAST_QUESTION
    assert freeze_take_over_and_thaw(each_url, twilio, place, freezing.PATIENCE) == (2, 1)

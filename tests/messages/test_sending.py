"""One sender against the operator's stand-in, one fault at a time, through the real package, on both databases."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from scheduler.messages import halt, standing
from scheduler.messages.actions import Recipient, Text, queue, send_again
from scheduler.messages.outbox import claim
from scheduler.messages.receipts import Receipt, note_receipt
from scheduler.messages.rereading import Fresh
from scheduler.messages.rules import Lane, MessageKind, TextGroup
from scheduler.messages.tables import Message
from scheduler.messages.verdicts import Outcome, Verdict
from scheduler.messages.worker import ALL, FAST, ORDINARY, Patience, Sender
from tests import make
from tests.conftest import settings

EVA = "+46701740605"
WORDS = dict.fromkeys(("name", "day", "starts", "area", "booked", "wanted", "spent", "ceiling", "link"), "x") | {
    "code": "123456",
    "host": "x.example",
}


class Outbox:
    """A town's outbox, its sender, and a clock to turn."""

    def __init__(self, database, twilio, **given):
        self.database, self.clock = database, make.SetClock()
        # Noon of yesterday: whatever the hour of the test, the operator's own clock is later.
        self.clock.instant = datetime.now(UTC).replace(hour=12) - timedelta(days=1)
        self.town = database.write(make.town)
        self.eva = database.write(lambda connection: make.person(connection, self.town, number=EVA))
        chosen = settings("sqlite:///x", **{"demo": False, **twilio.settings(), **given})
        self.rereading = {}
        self.sender = Sender(
            database, self.clock, chosen, self.rereading, threads=1, patience=Patience(call_seconds=0.4)
        )

    def queue(self, fact="a", kind=MessageKind.NOTICE, phone=EVA, hours=5, **more):
        now = self.clock.now()
        text = Text(
            kind=kind,
            fact=fact,
            about=more.pop("about", f"loose:{fact}"),
            words=WORDS | {"text": f"Text {fact}"},
            due_at=now,
            deadline_at=now + timedelta(hours=hours),
            **more,
        )
        self.database.write(
            lambda connection: queue(connection, self.town.id, Recipient(phone, "sv", self.eva), text, now)
        )

    def send(self, lanes=ALL):
        return self.sender.send_all_due(lanes, lambda: True)

    def later(self, **how):
        self.clock.instant += timedelta(**how)

    def rows(self):
        with self.database.reading() as connection:
            return connection.execute(select(Message.__table__).order_by(Message.id)).all()

    def states(self):
        return [row.state.value for row in self.rows()]

    def read(self, question):
        with self.database.reading() as connection:
            return question(connection)


@pytest.fixture
def outbox(each_database, twilio):
    made = Outbox(each_database, twilio)
    yield made
    made.sender.close()


def test_a_text_is_sent_once_with_its_callback_and_validity(outbox, twilio):
    outbox.queue()
    assert outbox.send() == 1
    assert outbox.send() == 0
    (taken,) = twilio.messages()
    assert taken["body"] == "Text a"
    assert taken["fields"]["ValidityPeriod"] == str(5 * 3600)
    (row,) = outbox.rows()
    assert (row.state.value, row.sid, row.segments, row.attempts) == ("sent", taken["sid"], 1, 1)
    assert taken["fields"]["StatusCallback"].startswith(f"{make.SITE}/sms/status/{row.id}/1-")


@pytest.mark.parametrize("fault", ["500-after", "reset-after", "hang-after", "cut-after"])
def test_what_was_taken_without_an_answer_is_found_and_not_sent_again(outbox, twilio, fault):
    twilio.tell(next=[fault])
    outbox.queue()
    outbox.send()
    assert outbox.states() == ["unknown"]
    outbox.later(seconds=30)
    outbox.send()
    assert outbox.sender.look_up() == 0, "not before the operator surely knows"
    outbox.later(seconds=100)
    assert outbox.sender.look_up() == 0, "it may have left as late as the claim lasted"
    outbox.later(seconds=30)
    outbox.sender.look_up()
    outbox.send()
    assert outbox.states() == ["sent"]
    assert len(twilio.messages()) == 1
    assert outbox.rows()[0].sid == twilio.messages()[0]["sid"]


@pytest.mark.parametrize("fault", ["503-before", "reset-before", "hang-before"])
def test_what_was_not_taken_is_looked_for_and_then_sent_once(outbox, twilio, fault):
    twilio.tell(next=[fault])
    outbox.queue()
    outbox.send()
    assert outbox.states() == ["unknown"]
    outbox.later(seconds=160)
    outbox.sender.look_up()
    assert outbox.states() == ["queued"]
    outbox.send()
    assert outbox.states() == ["sent"]
    assert len(twilio.messages()) == 1


def test_a_busy_operator_is_asked_again_later_and_the_text_goes_once(outbox, twilio):
    twilio.tell(next=["429"])
    outbox.queue()
    outbox.send()
    assert outbox.states() == ["queued"]
    assert outbox.send() == 0, "not at once"
    outbox.later(minutes=2)
    assert outbox.send() == 1
    assert len(twilio.messages()) == 1


def test_an_operator_that_cannot_be_reached_costs_no_doubt(each_database, twilio):
    outbox = Outbox(each_database, twilio, twilio_api_base="http://127.0.0.1:9")
    outbox.queue(hours=1)
    outbox.send()
    assert (outbox.states(), outbox.rows()[0].error) == (["queued"], "not_connected")


def test_the_way_out_that_the_environment_names_is_taken(each_database, twilio, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    outbox = Outbox(each_database, twilio)
    outbox.queue(hours=1)
    outbox.send()
    assert (outbox.states(), outbox.rows()[0].error) == (["unknown"], "ProxyError")
    assert twilio.messages() == []


def test_several_callers_write_down_every_answer_and_what_was_not_taken(each_database, twilio):
    outbox = Outbox(each_database, twilio)
    outbox.sender.close()
    outbox.sender = Sender(
        each_database, outbox.clock, outbox.sender._settings, {}, threads=3, patience=Patience(call_seconds=0.4)
    )
    for number in range(40):
        outbox.queue(str(number), phone=f"+467017406{10 + number}")
    twilio.tell(next=["429", "500-after"])
    accepted = outbox.send()
    outbox.sender.close()
    assert accepted in {22, 38}, "a busy operator is left in peace after the batch"
    states = outbox.states()
    assert (states.count("sent"), states.count("unknown")) == (accepted, 1)
    assert len({one["to"] for one in twilio.messages()}) == len(twilio.messages()) == accepted + 1


def test_two_texts_of_the_same_words_are_not_taken_for_each_other(outbox, twilio):
    twilio.tell(next=["500-after", "503-before"])
    outbox.queue("a")
    outbox.queue("b")
    outbox.database.write(lambda connection: connection.execute(update(Message).values(words={"text": "Samma"})))
    outbox.send()
    assert outbox.states() == ["unknown", "unknown"]
    outbox.later(seconds=160)
    outbox.sender.look_up()
    outbox.send()
    assert sorted(outbox.states()) == ["sent", "sent"]
    assert len(twilio.messages()) == 2
    assert len({row.sid for row in outbox.rows()}) == 2


@pytest.mark.parametrize("code", [21211, 21614, 21635])
def test_a_dead_number_is_shown_and_not_used_again_until_somebody_looked(outbox, twilio, code):
    twilio.tell(codes={EVA: [400, code]})
    outbox.queue("a")
    outbox.send()
    outbox.queue("b")
    twilio.tell(codes={})
    outbox.send()
    assert [(row.state.value, row.error) for row in outbox.rows()] == [("failed", str(code)), ("failed", "dead_number")]
    assert twilio.messages() == []
    outbox.database.write(lambda connection: standing.revive(connection, EVA))
    outbox.queue("c")
    outbox.send()
    assert len(twilio.messages()) == 1


def test_an_opt_out_stops_all_further_texts_to_that_number_and_no_others(outbox, twilio):
    twilio.tell(codes={EVA: [400, 21610]})
    outbox.queue("a")
    outbox.send()
    twilio.tell(codes={})
    outbox.queue("b")
    outbox.queue("c", phone="+46701740606")
    outbox.queue("code", kind=MessageKind.SIGN_IN_CODE)
    outbox.send()
    assert outbox.states() == ["failed", "dropped", "sent", "sent"]
    outbox.database.write(lambda connection: standing.start(connection, EVA))
    outbox.queue("d")
    outbox.send()
    assert outbox.states()[-1] == "sent"


@pytest.mark.parametrize("answer", [(401, 20003), (403, 0), (400, 21408), (404, 20404), (400, 21608)])
def test_a_fault_of_our_own_set_up_stops_everything_and_blames_nobody(outbox, twilio, answer):
    twilio.tell(codes={"*": answer})
    outbox.queue("a")
    outbox.queue("b", phone="+46701740606")
    outbox.queue("short", hours=0.3)
    outbox.send()
    assert set(outbox.states()) == {"queued"}
    stopped = outbox.read(halt.halted)
    assert stopped is not None
    assert stopped.code == str(answer[1] or answer[0])
    calls = outbox.read(standing_rows)
    assert calls == []
    twilio.tell(codes={})
    assert outbox.send() == 0, "nothing is tried for five minutes"
    outbox.later(minutes=20)
    while outbox.send():
        pass
    assert outbox.read(halt.halted) is None
    assert outbox.states()[:2] == ["sent", "sent"]
    assert outbox.states()[2] == "queued", "its time is past: the pass ends it as too late"


def standing_rows(connection):
    from scheduler.messages.tables import PhoneStanding

    return connection.execute(select(PhoneStanding.phone)).all()


def test_a_broken_text_fails_alone(outbox, twilio):
    def read(_connection, rows, _now):
        return {row.id: Fresh(row.to_phone, "sv", {"text": {}["no such thing"]} if row.about == "odd:1" else row.words)
                for row in rows}  # fmt: skip

    outbox.rereading["odd"] = read
    outbox.queue("a", about="odd:1")
    outbox.queue("b", about="odd:2")
    outbox.queue("c")
    outbox.database.write(
        lambda connection: connection.execute(update(Message).where(Message.fact == "c").values(words={"no": "text"}))
    )
    outbox.queue("d")
    outbox.send()
    assert [(row.state.value, row.error) for row in outbox.rows()] == [
        ("failed", "broken"),
        ("sent", None),
        ("failed", "broken"),
        ("sent", None),
    ]


def test_what_is_no_longer_so_is_dropped_and_what_changed_is_told_as_it_is(outbox, twilio):
    outbox.rereading["fact"] = lambda _connection, rows, _now: {
        row.id: None if row.about == "fact:gone" else Fresh("+46701740699", "sv", {"text": "Nytt"}) for row in rows
    }
    outbox.queue("a", about="fact:gone")
    outbox.queue("b", about="fact:changed")
    outbox.send()
    assert outbox.states() == ["dropped", "sent"]
    assert [(one["to"], one["body"]) for one in twilio.messages()] == [("+46701740699", "Nytt")]


def test_nothing_leaves_in_the_quiet_hours_not_even_what_a_sleeping_worker_left_behind(outbox, twilio):
    outbox.clock.instant = datetime(2026, 11, 27, 19, 30, tzinfo=UTC)  # 20.30 in Sweden
    outbox.queue("a", hours=24)
    outbox.queue("near", kind=MessageKind.LATE_CANCELLATION, starts_at=datetime(2026, 11, 28, 0, 0, tzinfo=UTC))
    outbox.later(hours=2)
    assert outbox.send() == 1
    assert outbox.states() == ["queued", "sent"]
    assert outbox.rows()[0].due_at == datetime(2026, 11, 28, 7, 0, tzinfo=UTC)
    outbox.later(hours=11)
    assert outbox.send() == 1


def test_a_person_s_own_choice_holds_in_every_text(outbox, twilio):
    from datetime import time

    outbox.database.write(
        lambda connection: standing.choose(connection, outbox.eva, {TextGroup.NEWS}, time(19), time(9))
    )
    outbox.queue("a")
    outbox.queue("c", kind=MessageKind.CEILING_NEAR)
    outbox.clock.instant = outbox.clock.now().replace(hour=18, minute=45) + timedelta(days=1)
    outbox.database.write(
        lambda connection: connection.execute(
            update(Message).values(deadline_at=outbox.clock.now() + timedelta(days=2))
        )
    )
    outbox.send()
    assert outbox.states() == ["dropped", "queued"]
    assert outbox.rows()[0].error == "switched_off"
    assert outbox.rows()[1].due_at > outbox.clock.now() + timedelta(hours=12)


def test_a_code_waits_for_no_mass_sending(outbox, twilio):
    for number in range(5):
        outbox.queue(f"mass{number}", phone=f"+4670174061{number}")
    outbox.queue("code", kind=MessageKind.SIGN_IN_CODE)
    outbox.send(FAST)
    assert ["#123456" in one["body"] for one in twilio.messages()] == [True]
    outbox.send(ORDINARY)
    assert len(twilio.messages()) == 6


def test_two_workers_never_claim_the_same_text(outbox):
    for number in range(30):
        outbox.queue(str(number))
    taken = [
        leaving.id
        for _ in range(10)
        for leaving in outbox.database.write(
            lambda connection: claim(connection, outbox.clock.now(), (Lane.MANY,), 4, {})
        )[0]
    ]
    assert len(taken) == len(set(taken)) == 30


def test_a_frozen_worker_does_not_call_for_what_it_claimed_long_ago(each_database, twilio):
    outbox = Outbox(each_database, twilio)
    outbox.sender._patience = Patience(claim_seconds=-1)
    outbox.queue()
    outbox.sender.send_due(ALL)
    assert outbox.states() == ["queued"]
    assert twilio.messages() == []


def test_a_demo_texts_nobody_outside_the_numbers_of_fiction(each_database, twilio):
    outbox = Outbox(each_database, twilio, demo=True)
    outbox.queue("a", phone="+46701234567")
    outbox.queue("b", phone="+46701740655")
    outbox.send()
    assert [(row.state.value, row.error) for row in outbox.rows()] == [("failed", "not_in_the_demo"), ("sent", None)]


def test_without_twilio_nothing_is_sent_and_nothing_is_said_to_be(each_database, twilio):
    outbox = Outbox(each_database, twilio, twilio_account_sid="", twilio_auth_token="", twilio_sender="")
    outbox.queue()
    assert outbox.send() == 0
    assert outbox.states() == ["queued"]


def receipt(outbox, status, code="", attempt=1, sid="SM" + "0" * 31 + "1"):
    row = outbox.rows()[0]
    return outbox.database.write(
        lambda connection: note_receipt(connection, row.id, Receipt(sid, status, code), outbox.clock.now(), attempt)
    )


@pytest.mark.parametrize(
    ("statuses", "ends"),
    [
        (["queued", "sent", "delivered"], "delivered"),
        (["delivered", "sent", "queued"], "delivered"),
        (["sent", "sent", "delivered", "delivered"], "delivered"),
        (["undelivered", "sent"], "undelivered"),
        (["delivered", "undelivered", "failed"], "delivered"),
        (["undelivered", "delivered"], "delivered"),
        (["hocus pocus", "sent", ""], "sent"),
        (["read"], "delivered"),
    ],
)
def test_receipts_in_any_order_only_move_a_text_forward(outbox, twilio, statuses, ends):
    outbox.queue()
    outbox.send()
    for status in statuses:
        receipt(outbox, status)
    assert outbox.states() == [ends]


def test_a_receipt_before_the_answer_counts_and_settles_an_unknown_text(outbox, twilio):
    twilio.tell(next=["reset-after"])
    outbox.queue()
    outbox.send()
    assert outbox.states() == ["unknown"]
    receipt(outbox, "delivered")
    assert outbox.states() == ["delivered"]
    assert outbox.rows()[0].sid == twilio.messages()[0]["sid"]


def test_a_receipt_for_what_was_given_up_as_not_sent_keeps_it_from_going_twice(outbox, twilio):
    twilio.tell(next=["503-before"])
    outbox.queue()
    outbox.send()
    outbox.later(seconds=160)
    outbox.sender.look_up()
    assert outbox.states() == ["queued"]
    receipt(outbox, "sent")
    assert outbox.states() == ["sent"]
    assert outbox.send() == 0


def test_what_did_not_arrive_for_a_passing_reason_is_tried_once_more_after_half_an_hour(outbox, twilio):
    outbox.queue()
    outbox.send()
    receipt(outbox, "undelivered", "30003")
    assert outbox.states() == ["queued"]
    receipt(outbox, "sent")
    receipt(outbox, "undelivered", "30003")
    assert outbox.send() == 0
    outbox.later(minutes=31)
    assert outbox.send() == 1
    receipt(outbox, "undelivered", "30003", attempt=2, sid="SM" + "0" * 31 + "2")
    assert outbox.states() == ["undelivered"]


def test_a_lost_receipt_is_asked_for_after_an_hour(outbox, twilio):
    twilio.tell(status="delivered")
    outbox.queue()
    outbox.send()
    assert outbox.states() == ["sent"]
    outbox.later(minutes=30)
    assert outbox.sender.look_up() == 0
    outbox.later(minutes=40)
    assert outbox.sender.look_up() == 1
    assert outbox.states() == ["delivered"]


def test_a_receipt_that_overtakes_the_answer_is_not_taken_back_by_it(each_database, twilio):
    class Overtaken:
        """An operator whose receipt comes while the call still waits for its answer."""

        def send(self, leaving, _callback, now):
            arrived = Receipt("SM" + "9" * 32, "delivered", "")
            each_database.write(lambda connection: note_receipt(connection, leaving.id, arrived, now, leaving.attempt))
            return Outcome(Verdict.ACCEPTED, sid="SM" + "9" * 32, status="accepted")

    outbox = Outbox(each_database, twilio)
    outbox.sender = Sender(each_database, outbox.clock, outbox.sender._settings, {}, threads=1, port=Overtaken)
    outbox.queue()
    outbox.send()
    assert outbox.states() == ["delivered"]


def test_a_coordinator_may_send_again_what_surely_did_not_arrive(outbox, twilio):
    outbox.queue("a")
    outbox.send()
    receipt(outbox, "undelivered", "30006")
    again = SimpleNamespace(id=outbox.rows()[0].id)
    outbox.database.write(lambda connection: standing.revive(connection, EVA))
    assert outbox.database.write(lambda c: send_again(c, outbox.town.id, again.id, outbox.clock.now()))
    assert not outbox.database.write(lambda c: send_again(c, outbox.town.id, again.id, outbox.clock.now()))
    assert outbox.send() == 1
    assert len(twilio.messages()) == 2

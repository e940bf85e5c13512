"""An answer by SMS, from the operator's signed call to what has become of the booking and the one text back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from scheduler import create_app
from scheduler.answers.actions import Came, receive
from scheduler.bookings import actions, waiting_list
from scheduler.bookings.queries import booking_page
from scheduler.bookings.reminding import plan_batch
from scheduler.kit.database import Database
from scheduler.messages import standing
from scheduler.messages.outbox import claim
from scheduler.messages.rules import Lane, MessageKind
from scheduler.messages.tables import Incoming, Message, Redaction
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from scheduler.worker import REREADING
from tests import make
from tests.conftest import settings
from tests.servers.twilio import ACCOUNT, SERVICE, TOKEN, signed

EVA, BOSS = "+46701740605", "+46701740606"
LANES = (Lane.AT_ONCE, Lane.SOON, Lane.PLANNED, Lane.MANY)


class Story:
    def __init__(self, database):
        self.database, self.now = database, make.before_start(60)
        self.town = database.write(make.town)
        self.eva = database.write(lambda c: make.person(c, self.town, "Eva", number=EVA))
        self.boss = database.write(lambda c: make.person(c, self.town, "Karin", number=BOSS))
        database.write(lambda c: grant_role(c, self.town.id, self.boss, Role.COORDINATOR, make.NOW))
        self.shift = database.write(lambda c: make.shift(c, self.town, minimum=1, wanted=2))
        self.sids = 0

    def book(self, person, shift=None):
        acting = make.acting(self.town, person, self.now)
        shift = shift or self.shift
        return self.database.write(lambda c: actions.book(c, acting, shift, person, f"{person}-{shift}"))

    def remind(self, hours):
        kind = MessageKind.REMINDER_TWO_DAYS if hours > 24 else MessageKind.REMINDER_THREE_HOURS
        self.now = make.before_start(hours)
        self.database.write(lambda c: plan_batch(c, kind, 0, self.now, {self.town.id: make.SITE}))
        return self.leave()

    def leave(self):
        """Let what is due leave; return the words by number."""
        rows = self.database.write(lambda c: claim(c, self.now, LANES, 50, REREADING))[0]
        return [(row.phone, row.body) for row in rows]

    def text(self, body, phone=EVA, sid=None):
        """Text us, and return the texts that leave because of it."""
        self.sids += 1
        self.now += timedelta(seconds=5)
        came = Came(sid or f"SM{self.sids}", phone, body)
        self.database.write(lambda c: receive(c, came, make.SITE, self.now))
        return self.leave()

    def state(self, booking, person):
        with self.database.reading() as c:
            return booking_page(c, self.town.id, person, booking, self.now).state


@pytest.fixture
def story(each_database):
    return Story(each_database)


def test_yes_confirms_and_is_answered_in_one_text(story):
    booking = story.book(story.eva)
    story.remind(51)
    assert story.text("Ja") == [(EVA, "Tack! Vi ses fre 27 nov kl 20.45, Y:et på torget.")]
    assert story.state(booking, story.eva) == "booked"
    assert story.text("ja") == [
        (EVA, f"Du har redan svarat om fre 27 nov, Centrum. Ändrat dig? {make.SITE}/bookings/{booking}")
    ]


def test_no_cancels_and_a_second_no_changes_nothing(story):
    booking = story.book(story.eva)
    story.remind(51)
    ((to, body),) = story.text("NEJ")
    assert (to, body[:56]) == (EVA, "Du är avbokad från nattvandringen fre 27 nov 21.00, Cent")
    assert story.state(booking, story.eva) == "cancelled"
    assert "redan svarat" in story.text("nej")[0][1]


def test_i_am_coming_can_be_taken_back_and_a_late_no_reaches_the_coordinator(story):
    booking = story.book(story.eva)
    story.remind(51)
    story.text("ja")
    story.remind(3)
    told = dict(story.text("Nej tyvärr, sjuk"))
    assert "Samordnaren vet" in told[EVA]
    assert told[BOSS].startswith("Eva kan inte komma fre 27 nov 21.00, Centrum. Nu 0 av 2.")
    assert story.state(booking, story.eva) == "cancelled"


def test_an_answer_with_more_words_is_done_and_read_by_a_person(story):
    story.book(story.eva)
    story.remind(3)
    told = dict(story.text("Ja tack men jag kommer 20 min sent"))
    assert told[EVA].startswith("Tack! Vi ses")
    assert told[BOSS] == (f"Från Eva Lyktdal: Ja tack men jag kommer 20 min sent Svara: {make.SITE}/lead/texts")


def test_a_free_place_is_taken_by_yes_and_goes_on_by_no(story):
    story.book(story.boss)
    friend = story.database.write(lambda c: make.person(c, story.town))
    taken = story.book(friend)
    acting = make.acting(story.town, story.eva, story.now)
    waits = story.database.write(lambda c: waiting_list.join(c, acting, story.shift, story.eva, "q"))
    leaving = make.acting(story.town, friend, story.now)
    story.database.write(lambda c: actions.cancel(c, leaving, taken))
    assert "Hålls åt dig" in story.leave()[0][1]
    assert story.text("Ja gärna")[0][1].startswith("Platsen är din: fre 27 nov 21.00-01.00")
    assert story.state(waits, story.eva) == "booked"


def test_yes_after_the_deadline_is_told_so(story):
    test_setup = story.book(story.boss)
    friend = story.database.write(lambda c: make.person(c, story.town))
    taken = story.book(friend)
    acting = make.acting(story.town, story.eva, story.now)
    story.database.write(lambda c: waiting_list.join(c, acting, story.shift, story.eva, "q"))
    leaving = make.acting(story.town, friend, story.now)
    story.database.write(lambda c: actions.cancel(c, leaving, taken))
    story.leave()
    story.now += timedelta(days=2)
    assert "för sent" in story.text("JA")[0][1]
    assert test_setup


def test_the_latest_question_that_is_still_open_is_meant(story):
    saturday = story.database.write(lambda c: make.shift(c, story.town, make.SATURDAY))
    first, second = story.book(story.eva), story.book(story.eva, saturday)
    story.remind(51)
    story.now = make.before_start(51, make.SATURDAY)
    story.database.write(
        lambda c: plan_batch(c, MessageKind.REMINDER_TWO_DAYS, 0, story.now, {story.town.id: make.SITE})
    )
    story.leave()
    assert "lör 28 nov" in story.text("nej")[0][1]
    assert (story.state(first, story.eva), story.state(second, story.eva)) == ("booked", "cancelled")


def test_a_no_to_nothing_gets_a_short_list_and_the_number_picks(story):
    saturday = story.database.write(lambda c: make.shift(c, story.town, make.SATURDAY))
    first, second = story.book(story.eva), story.book(story.eva, saturday)
    assert story.text("Nej") == [
        (EVA, "Vilket pass? Svara med dess siffra: 1 fre 27 nov 21.00 Centrum, 2 lör 28 nov 21.00 Centrum")
    ]
    assert "lör 28 nov" in story.text("2")[0][1]
    assert (story.state(first, story.eva), story.state(second, story.eva)) == ("booked", "cancelled")
    assert "förstod vi inte" in story.text("1")[0][1], "one list is answered once"


def test_a_yes_to_nothing_without_any_walk_is_told_kindly(story):
    assert "inte frågat dig något" in story.text("ja")[0][1]


def test_mine_help_and_words(story):
    assert story.text("MINA") == [(EVA, f"Du har inga bokade pass. Kvällar som behöver dig: {make.SITE}/nights")]
    story.book(story.eva)
    assert story.text("mina pass") == [(EVA, "Dina pass: 1 fre 27 nov 21.00 Centrum")]
    assert "070-174 06 99" in story.text("hjälp")[0][1]
    told = dict(story.text("Vilken tid är det samling?"))
    assert told[EVA].startswith("Tack, samordnaren läser det.")
    assert told[BOSS].startswith("Från Eva Lyktdal: Vilken tid är det samling?")


@pytest.mark.parametrize("body", ["", "🌙🌙🌙", "\x00"])
def test_what_says_nothing_is_answered_and_bothers_nobody(story, body):
    assert [to for to, _ in story.text(body)] == [EVA]


def test_sixteen_hundred_letters_reach_the_coordinator_as_one_segment(story):
    told = dict(story.text("hallå " * 266))
    assert len(told[BOSS]) <= 160
    with story.database.reading() as c:
        assert len(c.execute(select(Incoming.body)).scalar_one()) == 1596


def test_stop_stops_everything_but_its_own_confirmation_and_start_resumes(story):
    booking = story.book(story.eva)
    assert story.text(" STOPP ")[0][1].startswith("Du får inga fler sms")
    assert story.remind(51) == []
    assert story.text("START")[0][1].startswith("Du får sms från Lykta igen")
    assert len(story.remind(3)) == 1
    assert story.state(booking, story.eva) == "booked"


def test_the_same_text_twice_is_acted_on_once(story):
    story.book(story.eva)
    story.remind(51)
    assert len(story.text("nej", sid="SMsame")) == 1
    assert story.text("nej", sid="SMsame") == []


def test_a_stranger_changes_nothing_and_her_words_are_not_kept(story):
    for body in ("STOPP", "JA", "Hej vem är du"):
        assert story.text(body, phone="+46701234567") == []
    with story.database.reading() as c:
        assert set(c.execute(select(Incoming.body)).scalars()) == {""}
        assert standing.standing(c, "+46701234567").stopped_at is None
        assert c.execute(select(Message.id)).all() == []
        assert len(c.execute(select(Redaction.sid)).all()) == 3, "nor are they to be, at the operator's"


def test_a_number_of_two_people_means_whose_question_came_last(story):
    other = story.database.write(lambda c: make.town(c, "Nattvandring Ånge", "ange.example"))
    olle = story.database.write(lambda c: make.person(c, other, "Olle", number=EVA))
    theirs = story.database.write(lambda c: make.shift(c, other))
    acting = make.acting(other, olle, story.now)
    his = story.database.write(lambda c: actions.book(c, acting, theirs, olle, "o"))
    hers = story.book(story.eva)
    story.remind(51)
    story.now = make.before_start(50.9)
    story.database.write(
        lambda c: plan_batch(
            c, MessageKind.REMINDER_TWO_DAYS, 0, story.now, {story.town.id: make.SITE, other.id: "http://ange.example"}
        )
    )
    story.leave()
    story.text("nej")
    with story.database.reading() as c:
        assert booking_page(c, other.id, olle, his, story.now).state == "cancelled"
    assert story.state(hers, story.eva) == "booked"


def test_a_machine_that_answers_answers_is_not_answered_for_ever(story):
    answered = sum(bool(story.text("?")) for _ in range(40))
    assert answered == 20


# ---------------------------------------------------------------- the operator's calls


@pytest.fixture
def site(tmp_path, empty_sqlite):
    import shutil

    shutil.copyfile(empty_sqlite, tmp_path / "site.sqlite3")
    database = Database(f"sqlite:///{tmp_path / 'site.sqlite3'}")
    given = settings(
        demo=False, twilio_account_sid=ACCOUNT, twilio_auth_token=TOKEN, twilio_sender=SERVICE,
        public_url="https://lykta.example",
    )  # fmt: skip
    app = create_app(given, clock=make.SetClock(make.before_start(60)), database=database)
    story = Story(database)
    yield app.test_client(), story
    database.dispose()


FIELDS = {"MessageSid": "SM1", "From": EVA, "Body": "MINA", "Something": "new"}


def test_a_signed_call_behind_a_proxy_is_acted_on_and_a_forged_one_is_not(site):
    client, story = site
    path = "/sms/inbound"
    good = signed(path, FIELDS, "https://lykta.example")
    for headers in (
        {},
        {"X-Twilio-Signature": "nonsense"},
        signed(path, FIELDS, "https://lykta.example", "t" * 31 + "x"),
        signed(path, FIELDS, "http://lykta.example"),
        signed(path, FIELDS | {"Body": "NEJ"}, "https://lykta.example"),
    ):
        assert client.post(path, data=FIELDS, headers=headers).status_code == 403
    with story.database.reading() as c:
        assert c.execute(select(Incoming.id)).all() == []
    answer = client.post(path, data=FIELDS, headers=good, base_url="http://10.0.0.7:8000")
    assert (answer.status_code, answer.data) == (200, b"<Response/>")
    with story.database.reading() as c:
        assert c.execute(select(Message.reply)).scalars().all() == ["no_walks"]


def test_a_receipt_is_taken_with_its_signature_and_proof_and_an_odd_one_does_no_harm(site):
    from scheduler.messages.receipts import nonce
    from tests.conftest import SECRET

    client, story = site
    story.text("MINA")
    with story.database.reading() as c:
        message = c.execute(select(Message.id)).scalar_one()

    def call(path, fields, **more):
        return client.post(path, data=fields, headers=signed(path, fields, "https://lykta.example", **more)).status_code

    def state():
        with story.database.reading() as c:
            return c.execute(select(Message.state)).scalar_one()

    fields = {"MessageSid": "SM9", "MessageStatus": "delivered"}
    path = f"/sms/status/{message}/{nonce(SECRET, message, 1)}"
    assert call(path, fields, token="another") == 403
    assert client.post(path, data=fields).status_code == 403
    assert call(f"/sms/status/{message}/1-0000", fields) == 403
    assert state() == "sending"
    assert call(f"/sms/status/999/{nonce(SECRET, 999, 1)}", fields) == 204
    assert call(path, fields | {"MessageStatus": "hocus", "More": "fields"}) == 204
    assert call(path, {}) == 204
    assert state() == "sending"
    assert call(path, fields) == 204
    assert call(path, fields | {"MessageStatus": "sent"}) == 204
    assert state() == "delivered"

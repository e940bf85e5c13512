"""What the rules say is deleted is deleted by the worker, with a count in its log."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, insert, select, update

from scheduler import worker
from scheduler.messages import standing
from scheduler.messages.actions import Recipient, Text, queue
from scheduler.messages.rules import MessageKind, MessageState
from scheduler.messages.tables import Incoming, Message, PhoneStanding
from scheduler.people.signing_in import ask_for_code, end_session, start_session
from scheduler.people.tables import LimitCount, SignInCode, SignInSession
from scheduler.walks.actions import write_note
from scheduler.walks.rules import Answers, Happened, Mood, YoungPeople
from scheduler.walks.tables import WalkNote
from tests import make
from tests.conftest import SECRET

NUMBER = "+46701740688"


def fill(connection, town):
    """Leave one of each thing that is to be forgotten, as of the Monday."""
    eva, anna = make.people(connection, town, 2)
    night = date(2026, 11, 20)
    shift = make.shift(connection, town, night)
    from scheduler.bookings import actions as bookings

    early = datetime(2026, 11, 16, 12, tzinfo=UTC)
    for person in (eva, anna):
        bookings.book(connection, make.acting(town, person, early), shift, person, f"{person}")
    answers = Answers(Mood.CALM, YoungPeople.UP_TO_10, Happened.NOTHING, follow_up=False, text="Lugnt vid kiosken.")
    write_note(connection, make.acting(town, eva), shift, answers, {eva, anna})
    text = Text(
        kind=MessageKind.NOTICE, fact="notice:1", about="notice:1", words={"text": "Hej"},
        due_at=make.NOW, deadline_at=make.NOW + timedelta(days=1),
    )  # fmt: skip
    queue(connection, town.id, Recipient(NUMBER, "sv", None), text, make.NOW)
    connection.execute(update(Message).values(state=MessageState.DELIVERED))
    connection.execute(
        insert(Incoming).values(
            sid="SM1", partnership_id=town.id, person_id=eva, body="Hej", meaning="words", received_at=make.NOW,
            passed_on=False,
        )
    )  # fmt: skip
    ask_for_code(connection, town.id, NUMBER, make.NOW, address="a", host="h", secret_key=SECRET)
    standing.stop(connection, NUMBER, make.NOW)
    start_session(connection, town.id, eva, "Android", make.NOW)
    start_session(connection, town.id, anna, "Android", make.NOW + timedelta(days=60))
    end_session(connection, eva, connection.execute(select(func.min(SignInSession.id))).scalar_one(), make.NOW)


def left(database):
    counted = {
        "notes": select(func.count()).select_from(WalkNote).where(WalkNote.text != ""),
        "texts": select(func.count()).select_from(Message).where(Message.body != ""),
        "numbers in texts": select(func.count()).select_from(Message).where(Message.to_phone != ""),
        "texts in": select(func.count()).select_from(Incoming).where(Incoming.body != ""),
        "codes": select(func.count()).select_from(SignInCode),
        "limits": select(func.count()).select_from(LimitCount),
        "devices": select(func.count()).select_from(SignInSession),
        "numbers": select(func.count()).select_from(PhoneStanding),
    }
    with database.reading() as connection:
        return {name: connection.execute(wanted).scalar_one() for name, wanted in counted.items()}


def test_the_worker_forgets_what_the_rules_say_and_counts_it(shared_app, each_database, clock):
    app = shared_app
    app.database, app.clock = each_database, clock
    town = each_database.write(make.town)
    each_database.write(lambda connection: fill(connection, town))
    assert min(left(each_database).values()) >= 1
    clock.instant = make.NOW + timedelta(days=29)
    told = worker.once(app)
    assert "codes forgotten: 3" in told
    assert "numbers forgotten: 1" in told
    assert "notes forgotten" not in told
    assert left(each_database) == {
        "notes": 1, "texts": 1, "numbers in texts": 1, "texts in": 1, "codes": 0, "limits": 0, "devices": 2,
        "numbers": 0,
    }  # fmt: skip
    clock.instant = make.NOW + timedelta(days=31)
    told = worker.once(app)
    assert "texts forgotten: 2" in told
    assert "devices forgotten: 1" in told
    # The quarter ends on 31 December, its report is due within a month, and 90 days later the words go.
    clock.instant = datetime(2027, 5, 5, 12, tzinfo=UTC)
    told = worker.once(app)
    assert "notes forgotten: 1" in told
    assert "devices forgotten: 1" in told
    assert set(left(each_database).values()) == {0}
    with each_database.reading() as connection:
        assert connection.execute(select(WalkNote.mood)).scalars().all() == [Mood.CALM]
        assert connection.execute(select(Message.state)).scalars().all() == [MessageState.DELIVERED]
    assert "forgotten" not in worker.once(app)

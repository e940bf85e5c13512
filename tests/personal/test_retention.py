"""What the rules say is deleted is deleted by the worker, with a count in its log."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, insert, select, update

from scheduler import worker
from scheduler.messages import standing
from scheduler.messages.actions import Recipient, Text, queue
from scheduler.messages.rules import MessageKind, MessageState
from scheduler.messages.tables import Incoming, Message, PhoneStanding
from scheduler.people.actions import grant_role
from scheduler.people.inviting import Newcomer, accept_invitation, decline_invitation, invite_many
from scheduler.people.queries import log
from scheduler.people.rules import Role
from scheduler.people.signing_in import ask_for_code, end_session, start_session
from scheduler.people.tables import LimitCount, Membership, Person, SignInCode, SignInSession
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


def invited(connection, town, *names):
    people = [
        Newcomer(name, "Kvistgren", f"+4670174066{number}", date(1985, 8, 22), town.club_id)
        for number, name in enumerate(names)
    ]
    invite_many(connection, make.acting(town, None), people, tell=True)
    return dict(connection.execute(select(Person.first_name, Person.id)).all())


def names(database):
    with database.reading() as connection:
        return set(connection.execute(select(Person.first_name)).scalars())


def test_an_invitation_that_nobody_answers_ends_and_its_person_is_forgotten(app, visitor, database, town, clock):
    people = database.write(lambda connection: invited(connection, town, "Åsa", "Bo", "Cia", "Disa"))
    signed_in = visitor.sign_in(people["Åsa"])
    signed_in.get("/welcome")
    assert "Inbjudan slutar fre 22 jan" in signed_in.words()

    def answer(connection):
        rows = connection.execute(select(Membership.person_id, Membership.id)).all()
        of = {row.person_id: row.id for row in rows}
        accept_invitation(connection, town.id, people["Bo"], of[people["Bo"]], make.NOW)
        decline_invitation(connection, town.id, people["Cia"], of[people["Cia"]], make.NOW)

    database.write(answer)
    texts = worker.sender(app)
    steps = [(timedelta(days=6), 0, 0), (timedelta(days=7), 0, 1), (timedelta(days=59), 0, 0),
             (timedelta(days=60), 2, 0), (timedelta(days=66), 0, 0)]  # fmt: skip
    for later, ended, forgotten in steps:
        clock.instant = make.NOW + later
        done = worker.one_pass(app, texts)
        assert (done["invitations ended"], done["people forgotten who never agreed"]) == (ended, forgotten), later
    assert names(database) == {"Åsa", "Bo", "–", "Disa"}  # noqa: RUF001
    with database.reading() as connection:
        assert (
            connection.execute(select(func.count(Message.id)).where(Message.state == MessageState.QUEUED)).scalar() == 0
        )
    database.write(
        lambda connection: invite_many(
            connection,
            make.acting(town, None, clock.instant),
            [Newcomer("Disa", "Kvistgren", "+46701740663", date(1985, 8, 22), town.club_id)],
            tell=False,
        )
    )
    clock.instant = make.NOW + timedelta(days=67)
    assert worker.one_pass(app, texts)["people forgotten who never agreed"] == 1
    texts.close()
    assert names(database) == {"–", "Bo", "Disa"}, "who was asked anew is kept"  # noqa: RUF001
    with database.reading() as connection:
        told = [(one.what, one.who) for one in log(connection, town.id, person_id=people["Åsa"])]
    assert told[:2] == [("person.let_go", ""), ("membership.unanswered", "")]


def test_who_never_agreed_and_has_a_role_is_kept(app, database, town, clock):
    def write(connection):
        asa = invited(connection, town, "Åsa")["Åsa"]
        grant_role(connection, town.id, asa, Role.MUNICIPALITY, make.NOW)

    database.write(write)
    texts = worker.sender(app)
    for days in (61, 90):
        clock.instant = make.NOW + timedelta(days=days)
        assert worker.one_pass(app, texts)["people forgotten who never agreed"] == 0
    texts.close()
    assert names(database) == {"Åsa"}

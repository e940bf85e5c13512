"""The commands that operators rely on."""

import pytest
from sqlalchemy import select

from scheduler.bookings import actions, waiting_list
from scheduler.bookings.queries import booking_page
from scheduler.bookings.reminding import plan_batch
from scheduler.kit import migrating
from scheduler.kit.database import Database
from scheduler.messages.rules import MessageKind, MessageState
from scheduler.messages.tables import Message
from scheduler.nights.tables import Night, Shift
from tests import make

CREATE = [
    "partnership", "create", "--name", "Nattvandring Ånge", "--municipality", "Ånge kommun", "--club", "Ånge IF",
    "--area", "Centrum:Torget", "--area", "Stationen:Perrongen", "--starts", "2025-12-22", "--ends", "2026-12-31",
    "--promised", "275000", "--weekend-nights", "250000", "--material", "5000", "--unforeseen", "15000",
]  # fmt: skip


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()

    def invoke(*words, code=0):
        result = runner.invoke(args=list(words))
        assert result.exit_code == code, result.output
        return result.output

    return invoke


def test_a_host_that_leaves_no_room_in_a_text_is_refused(run):
    assert "no room in a text" in run(*CREATE, "--host", f"{'x' * 58}.se", code=1)


def test_a_partnership_is_made_planned_and_led_from_the_command_line(app, database, run):
    link = run(*CREATE).split()[-1]
    assert link.startswith("http://127.0.0.1:8000/join/")
    assert "unallocated 5 000 kr" in run("partnership", "show")
    plan = run("nights", "plan", "--publish")
    assert "106 nights are possible from 2025-12-22 to 2026-12-31, the budget pays for 100, 100 are planned" in plan
    assert plan.count("left out:") == 6
    assert "quiet_winter_night" in plan
    assert run("nights", "plan", code=1).startswith("Error: The agreement's season is planned already.")
    with database.reading() as connection:
        assert len(connection.execute(select(Shift.id)).all()) == 100
        assert len(connection.execute(select(Night.id).where(Night.left_out.is_not(None))).all()) == 6
    assert "Ånge IF" in run("people", "invite")
    assert "join first" in run("people", "grant", "070-174 06 05", "coordinator", code=1)
    assert "agrees" in run("bookings", "check")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nights", "plan", "--area", "Ingenstans"], "There is no area 'Ingenstans'"),
        (["nights", "plan", "--from", "25:00"], "no time like 21:00"),
        (["nights", "plan", "--skip", "2030-01-01"], "outside_term"),
        (["nights", "plan", "--on", "2030-01-01"], "no agreement on that day"),
        (["nights", "plan", "--host", "nowhere.example"], "no partnership"),
        (["people", "grant", "08-123", "coordinator"], "no Swedish mobile number"),
        (CREATE, "there already"),
    ],
)
def test_a_wrong_word_on_the_command_line_gets_a_clear_answer(run, words, told):
    run(*CREATE)
    output = run(*words, code=1 if "grant" not in words and "25:00" not in words else 2)
    assert told in output


def test_the_worker_passes_an_unanswered_offer_on(app, database, clock, run):
    town = database.write(make.town)

    def write(connection):
        eva, anna, adam = make.people(connection, town, 3)
        shift = make.shift(connection, town, minimum=1, wanted=1)
        booking = actions.book(connection, make.acting(town, eva), shift, eva, "a")
        first = waiting_list.join(connection, make.acting(town, anna), shift, anna, "b")
        second = waiting_list.join(connection, make.acting(town, adam), shift, adam, "c")
        actions.cancel(connection, make.acting(town, eva), booking)
        return (anna, first), (adam, second)

    (anna, first), (adam, second) = database.write(write)
    assert "offers passed on" not in run("worker", "--once")
    clock.instant = make.NOW.replace(hour=23, minute=59).replace(day=24)
    assert "offers passed on: 1" in run("worker", "--once")
    with database.reading() as connection:
        assert booking_page(connection, town.id, anna, first, clock.instant).ended_because == "offer_expired"
        assert booking_page(connection, town.id, adam, second, clock.instant).state == "offered"


def test_a_text_that_is_too_late_is_never_shown(app, database, clock, run):
    town = database.write(make.town)
    eva = database.write(lambda connection: make.person(connection, town))
    shift = database.write(lambda connection: make.shift(connection, town))
    database.write(lambda connection: actions.book(connection, make.acting(town, eva), shift, eva, "a"))
    clock.instant = make.before_start(51)
    app.database.write(
        lambda connection: plan_batch(connection, MessageKind.REMINDER_TWO_DAYS, 0, clock.instant, {town.id: make.SITE})
    )
    clock.instant = make.before_start(-1)
    assert "messages too late: 1" in run("worker", "--once")
    with database.reading() as connection:
        assert set(connection.execute(select(Message.state)).scalars()) == {MessageState.EXPIRED}


def test_prepare_refuses_to_run_the_demo_on_a_real_partnership(run):
    run(*CREATE)
    assert "holds a real partnership" in run("prepare", code=1)


def test_prepare_makes_and_fills_an_empty_database(app, tmp_path, run):
    app.database = Database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    assert "The demo partnership is in place." in run("prepare")
    assert run("prepare") == "The database is ready.\n"
    with app.database.reading() as connection:
        assert migrating.is_migrated(connection)
    app.database.dispose()


def test_an_area_is_put_on_the_map_from_the_command_line(run, town):
    assert "Centrum meets at 62.487, 17.3258" in run("partnership", "locate", "Centrum", "62.487", "17.3258")
    assert "There is no area 'Månen'" in run("partnership", "locate", "Månen", "1", "1", code=1)
    assert "Latitude goes from -90" in run("partnership", "locate", "Centrum", "91", "17", code=1)

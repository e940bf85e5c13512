"""From the coordinator's tap to the walker's JA, through the worker, the operator and its signed call."""

import shutil

import pytest
from sqlalchemy import select

from scheduler import create_app, worker
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import Database
from tests import make
from tests.conftest import settings
from tests.gaps.story import Story
from tests.messages.conftest import twilio, twilio_process  # noqa: F401 - fixtures
from tests.servers.twilio import signed
from tests.visitor import Visitor


@pytest.fixture
def site(tmp_path, empty_sqlite, twilio):  # noqa: F811 - the fixture
    shutil.copyfile(empty_sqlite, tmp_path / "site.sqlite3")
    url = f"sqlite:///{tmp_path / 'site.sqlite3'}"
    database = Database(url)
    clock = make.SetClock(make.before_start(60))
    given = settings(url, **{"demo": False, **twilio.settings()})
    yield create_app(given, clock=clock, database=database), Story(database, walkers=6), clock, twilio
    database.dispose()


def test_a_tap_becomes_texts_and_two_yes_become_a_team(site):
    app, story, clock, operator = site
    boss = Visitor(app, story.town).sign_in(story.boss)
    boss.send(f"/lead/shifts/{story.shift}/asking", {"people": "5"})
    worker.once(app)
    sent = operator.messages()
    assert len(sent) == 5
    assert all("Kan du nattvandra fre 27 nov 21.00-01.00, Centrum?" in one["body"] for one in sent)
    for number, one in enumerate(sent[:3]):
        fields = {"MessageSid": f"SM{number}", "From": one["to"], "Body": "Ja"}
        headers = signed("/sms/inbound", fields, make.SITE)
        assert app.test_client().post("/sms/inbound", data=fields, headers=headers).status_code == 200
    worker.once(app)
    assert sum("Platsen är din" in one["body"] for one in operator.messages()) == 3
    with story.database.reading() as c:
        booked = select(Booking.id).where(Booking.shift_id == story.shift, Booking.state == BookingState.BOOKED)
        assert len(c.execute(booked).all()) == 3
    assert story.state() == "met"
    clock.instant = make.before_start(30)
    worker.once(app)
    assert sum("Kan du nattvandra" in one["body"] for one in operator.messages()) == 5, "nobody else is bothered"


def test_the_autopilot_s_texts_leave_by_day_only(site):
    app, story, clock, operator = site
    story.steer("acts", days_ahead=7)
    clock.instant = make.before_start(70)  # Tuesday 23:00
    worker.once(app)
    assert operator.messages() == []
    clock.instant = make.before_start(61)  # Wednesday 08:00
    worker.once(app)
    worker.once(app)
    asked = [one for one in operator.messages() if "Kan du nattvandra" in one["body"]]
    assert len(asked) == len({one["to"] for one in asked}) >= 3


def test_without_an_operator_the_pages_say_that_nothing_leaves(tmp_path, empty_sqlite):
    shutil.copyfile(empty_sqlite, tmp_path / "mute.sqlite3")
    url = f"sqlite:///{tmp_path / 'mute.sqlite3'}"
    database = Database(url)
    app = create_app(settings(url, demo=False), clock=make.SetClock(make.before_start(60)), database=database)
    story = Story(database, walkers=4)
    boss = Visitor(app, story.town).sign_in(story.boss)
    for path in ("/lead", f"/lead/shifts/{story.shift}/asking", "/lead/autopilot"):
        boss.get(path)
        assert "Inga sms går härifrån" in boss.words(), path
    database.dispose()

import shutil
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from scheduler.bookings.cards import Looking, night_cards
from scheduler.bookings.queries import drift
from scheduler.bookings.tables import Booking
from scheduler.demo.actions import fill_once, terms
from scheduler.gaps.queries import board
from scheduler.kit.database import Database
from scheduler.money.queries import terms as agreements
from scheduler.nights.rules import Coverage, NightFlag, ShiftState
from scheduler.nights.tables import Shift
from scheduler.partnership.queries import agreement_on, clubs
from scheduler.partnership.tables import Area
from scheduler.people.tables import Person
from scheduler.steering.queries import decisions
from scheduler.steering.rules import DecisionKind, Standing
from tests import make
from tests.visitor import Visitor


def fill(database, now=make.NOW):
    assert fill_once(database, now, make.SITE)
    return database


def test_filling_twice_changes_nothing_and_the_same_seed_gives_the_same_demo(each_database, tmp_path, empty_sqlite):
    fill(each_database)
    assert not fill_once(each_database, make.NOW, make.SITE)
    shutil.copyfile(empty_sqlite, tmp_path / "twin.sqlite3")
    twin = fill(Database(f"sqlite:///{tmp_path / 'twin.sqlite3'}"))
    wanted = select(Booking.shift_id, Booking.person_id, Booking.state).order_by(Booking.id)
    with each_database.reading() as one, twin.reading() as other:
        assert one.execute(wanted).all() == other.execute(wanted).all()
        assert drift(one) == []
    twin.dispose()


def test_the_demo_carries_the_agreement_and_invented_people_only(database):
    fill(database)
    with database.reading() as connection:
        agreement = agreement_on(connection, 1, make.NOW.date())
        assert (agreement.starts_on, agreement.ends_on) == (date(2025, 12, 22), date(2026, 12, 31))
        assert agreement.night_rate_ore == 250_000
        assert agreement.sums.promised_ore == 27_500_000
        assert agreement.sums.budgeted_ore == 27_000_000
        assert agreement.sums.unallocated_ore == 500_000
        phones = connection.execute(select(Person.phone)).scalars().all()
        assert len(phones) == 90
        assert all("+46701740605" <= phone <= "+46701740699" for phone in phones)
        assert len(clubs(connection, 1)) >= 6
        names = connection.execute(select(Area.name).order_by(Area.name)).scalars().all()
        assert names == ["Arenaområdet", "Centrum", "Sörberge"]
        walked = connection.execute(select(func.count()).where(Shift.state == ShiftState.WALKED)).scalar_one()
        assert walked > 70


@pytest.mark.parametrize(
    "today",
    [
        date(2026, 11, 23),
        date(2026, 1, 2),
        date(2026, 6, 20),
        date(2026, 12, 24),
        date(2026, 12, 31),
        date(2028, 2, 29),
    ],
)
def test_on_every_day_of_the_year_the_coming_nights_show_every_state(database, today):
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    fill(database, now)
    with database.reading() as connection:
        coming = board(
            night_cards(Looking(1, 1, volunteer=True, now=now), today, today + timedelta(days=60)).ask(connection),
            today,
        )
    shown = [card for night in coming for card in night.cards]
    assert {card.coverage for card in shown} == set(Coverage)
    assert NightFlag.TWO_AREAS_NEED_COVERAGE in {night.flag for night in coming[:4]}
    assert any(card.waiting for card in shown)
    assert terms(today)[0][0] <= today <= terms(today)[-1][1]


def test_each_role_has_its_link_and_lands_where_it_works(app, database):
    fill(database)
    town = make.Town(1, 1, 1, 1, 1)
    for role, landing in (("volunteer", "/"), ("contact", "/"), ("coordinator", "/lead"), ("municipality", "/lead")):
        visitor = Visitor(app, town)
        answer = visitor.get(f"/demo/sign-in/{role}", 303)
        assert answer.headers["Location"] == landing
        visitor.get(landing)
    visitor.get("/demo/sms")
    assert "nattvandring" in visitor.words()


def test_without_the_demo_its_pages_do_not_exist(tmp_path):
    from scheduler import create_app
    from tests.conftest import settings

    app = create_app(settings(f"sqlite:///{tmp_path / 'x.sqlite3'}", demo=False))
    client = app.test_client()
    assert client.get("/demo/sms", base_url=make.SITE).status_code == 404
    assert client.get("/demo/sign-in/coordinator", base_url=make.SITE).status_code == 404
    assert "demo" not in app.cli.commands


def test_the_demo_s_phone_can_answer(app, database):
    """A visitor picks whose phone to look at, answers as that person, and sees the answer's answer."""
    fill(database)
    visitor = Visitor(app, make.Town(1, 1, 1, 1, 1))
    visitor.get("/demo/sms?phone=%2B46701740609")
    visitor.follow(visitor.send("/demo/sms", {"phone": "+46701740609", "body": "MINA"}))
    assert "MINA" in visitor.words()
    assert "Dina pass:" in visitor.words() or "inga bokade pass" in visitor.words()
    visitor.send("/demo/sms", {"phone": "+46701234567", "body": "MINA"}, 422)


def test_the_demo_has_its_papers_and_its_sums_agree(database):
    from scheduler.money.payouts import payouts
    from scheduler.money.queries import budget, reconciliation
    from scheduler.reports.queries import frozen_reports
    from scheduler.steering.queries import decisions
    from scheduler.steering.rules import Standing

    fill(database)
    with database.reading() as connection:
        agreement = agreement_on(connection, 1, make.NOW.date())
        sums = reconciliation(connection, agreement.id)
        money = budget(connection, agreement, make.NOW, make.NOW.date())
        assert sums.agrees
        assert sums.by_night == 250_000 * money.nights_walked > 70 * 250_000
        assert [one.period.last for one in frozen_reports(connection, 1)] == [date(2026, 9, 30)]
        assert len(payouts(connection, agreement.id)) >= 6
        stand = [one.standing for one in decisions(connection, 1)]
        assert stand == [Standing.OPEN, Standing.DECIDED, Standing.DECIDED]


@pytest.mark.parametrize("today", [date(2026, 11, 24), date(2026, 12, 31), date(2026, 6, 20), date(2026, 1, 2)])
def test_an_agreement_follows_another_only_by_a_decision_of_both_partners(database, today):
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    fill(database, now)
    with database.reading() as connection:
        _, *followed = agreements(connection, 1)
        extensions = [one for one in decisions(connection, 1) if one.kind is DecisionKind.EXTENSION]
        held = agreement_on(connection, 1, today).id
    decided = {one.agreement_id for one in extensions if one.standing is Standing.DECIDED}
    assert decided == set(followed)
    open_ones = {one.agreement_id for one in extensions if one.standing is Standing.OPEN}
    assert open_ones == {held} - decided
    assert all(one.proposed_at < now for one in extensions if one.standing is Standing.DECIDED)


def test_the_two_areas_of_walpurgis_were_decided_on_before_they_were_walked(database):
    fill(database)
    with database.reading() as connection:
        [found] = [one for one in decisions(connection, 1) if one.kind is DecisionKind.DEVIATION]
    assert found.standing is Standing.DECIDED
    assert found.proposed_at.date() < date(make.NOW.year, 4, 30)

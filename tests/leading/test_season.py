"""Planning a season on its pages: what a coordinator sees, saves, publishes and undoes."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from scheduler import worker
from scheduler.bookings.actions import book
from scheduler.kit.audit import AuditEntry
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import LeftOut
from scheduler.nights.tables import Night, Shift
from tests import make
from tests.visitor import HTML

FIRST, LAST = date(2026, 12, 4), date(2027, 1, 30)
ASKED = {
    "first": str(FIRST),
    "last": str(LAST),
    "weekday": ["4", "5"],
    "starts": "21",
    "ends": "01.00",
}


def asked(town, **more):
    return {**ASKED, "area": [str(town.centre), str(town.arena)], **more}


def ticked(visitor):
    return [
        field.get("value")
        for field in visitor.page.iter(f"{HTML}input")
        if field.get("name") == "walk" and field.get("checked") is not None
    ]


def nights(database):
    with database.reading() as connection:
        return {row.date: row.left_out for row in connection.execute(select(Night.date, Night.left_out))}


def states(database):
    with database.reading() as connection:
        rows = connection.execute(select(Shift.state, func.count()).group_by(Shift.state))
        return {row.state: row[1] for row in rows}


def plan(karin, town, **more):
    karin.get("/lead/season/plan", query_string=asked(town, **more))
    return karin.send("/lead/season/plan", asked(town, walk=ticked(karin), **more))


def plan_id(karin):
    karin.get("/lead/season")
    return re.search(r"/lead/season/(\d+)/", karin.text)[1]


def test_the_form_is_filled_in_and_asks_for_at_most_twelve_things(karin):
    karin.get("/lead/season/plan")
    fields = {f.get("name") for f in karin.page.iter(f"{HTML}input") if f.get("type") != "hidden"}
    assert len(fields) <= 11, "and on the preview one more: the day to publish on"
    assert 'value="2026-11-23"' in karin.text
    assert 'value="2027-12-31"' in karin.text


def test_a_season_is_seen_saved_as_a_draft_and_published(karin, town, database):
    karin.send("/lead/season/own", {"special": "last_school_day", "nights": "18/12"})
    karin.get("/lead/season/plan", query_string=asked(town))
    assert "18 kvällar är möjliga" in karin.words()
    assert "Skolavslutning" in karin.words()
    assert "Ingen går den här kvällen" not in karin.words()
    assert nights(database) == {}
    karin.follow(plan(karin, town))
    assert "utkast" in karin.words()
    assert states(database) == {ShiftState.PLANNED: len(nights(database))}
    karin.get("/nights/2026-12-11", 404)
    karin.follow(karin.send(f"/lead/season/{plan_id(karin)}/publish"))
    assert list(states(database)) == [ShiftState.PUBLISHED]
    karin.get("/nights/2026-12-11")
    karin.get("/lead/log")
    assert "planerade kvällar" in karin.words()


def test_more_nights_than_the_budget_pays_for_are_left_out_with_reasons_and_can_be_swapped(karin, town, database):
    year = {"first": "2027-01-01", "last": "2027-12-31"}
    karin.get("/lead/season/plan", query_string=asked(town, **year))
    possible = [f.get("value") for f in karin.page.iter(f"{HTML}input") if f.get("name") == "walk"]
    kept = ticked(karin)
    assert len(kept) == 100 < len(possible)
    assert "bland de lugnaste" in karin.words()
    out = next(night for night in possible if night not in kept)
    karin.send("/lead/season/plan", asked(town, **year, walk=[*kept, out]), 422)
    assert "101 kvällar" in karin.words()
    assert out in ticked(karin)
    assert nights(database) == {}
    karin.send("/lead/season/plan", asked(town, **year, walk=[*kept[1:], out]))
    written = nights(database)
    assert written[date.fromisoformat(out)] is None
    assert written[date.fromisoformat(kept[0])] is LeftOut.CHOSEN_BY_HAND
    assert sum(reason is None for reason in written.values()) == 100


def test_a_saved_season_swaps_one_night_for_another(karin, town, database):
    year = {"first": "2027-01-01", "last": "2027-12-31"}
    karin.follow(plan(karin, town, **year))
    walk, give_up = re.search(r'name="walk" value="(\d+)".*?<option value="(\d+)"', karin.text, re.DOTALL).groups()
    with database.reading() as connection:
        names = dict(connection.execute(select(Night.id, Night.date)).all())
    karin.send("/lead/season/swap", {"walk": walk}, 409)
    karin.follow(karin.send("/lead/season/swap", {"walk": walk, "give_up": give_up}))
    written = nights(database)
    assert written[names[int(walk)]] is None
    assert written[names[int(give_up)]] is LeftOut.CHOSEN_BY_HAND
    assert states(database) == {ShiftState.PLANNED: 100}
    karin.send("/lead/season/swap", {"walk": walk, "give_up": give_up}, 409)
    karin.follow(karin.send("/lead/season/swap", {"walk": give_up, "give_up": walk}))
    assert nights(database)[names[int(give_up)]] is None


def test_a_night_with_people_is_not_given_up(karin, town, database):
    karin.follow(plan(karin, town, first="2027-01-01", last="2027-12-31"))
    karin.send(f"/lead/season/{plan_id(karin)}/publish")
    with database.reading() as connection:
        shift, night = connection.execute(
            select(Shift.id, Shift.night_id).join(Night, Night.id == Shift.night_id).order_by(Night.date)
        ).first()
        out = connection.execute(select(Night.id).where(Night.left_out.is_not(None))).scalars().first()

    def write(connection):
        eva = make.person(connection, town)
        book(connection, make.acting(town, eva), shift, eva, "a")

    database.write(write)
    karin.send("/lead/season/swap", {"walk": out, "give_up": night}, 409)
    assert "Någon går" in karin.words()
    with database.reading() as connection:
        assert connection.execute(select(Shift.state).where(Shift.id == shift)).scalar() is ShiftState.PUBLISHED
        assert connection.execute(select(Shift.id).where(Shift.night_id == out)).first() is None


def test_the_worker_publishes_on_the_day(karin, town, database, app, clock):
    karin.get("/lead/season/plan", query_string=asked(town))
    karin.send("/lead/season/plan", asked(town, walk=ticked(karin), publish_on="2026-11-30"))
    count = states(database)[ShiftState.PLANNED]
    clock.instant = make.NOW + timedelta(days=6)
    assert worker.publish_plans(app, clock.instant) == 0
    clock.instant = make.NOW + timedelta(days=7)
    assert worker.publish_plans(app, clock.instant) == count
    assert states(database) == {ShiftState.PUBLISHED: count}
    assert worker.publish_plans(app, clock.instant) == 0


def test_the_day_can_be_changed_and_taken_back(karin, town, database, app):
    plan(karin, town)
    number = plan_id(karin)
    karin.follow(karin.send(f"/lead/season/{number}/publish-on", {"publish_on": "2026-12-01"}))
    assert "tisdag 1 december" in karin.words()
    karin.send(f"/lead/season/{number}/publish-on", {"publish_on": "2026-11-01"}, 422)
    assert "redan varit" in karin.words()
    karin.send(f"/lead/season/{number}/publish-on", {"publish_on": ""})
    karin.get("/lead/log")
    assert "valde när kvällar läggs ut" in karin.words()
    assert "Läggs ut: tisdag 1 december →" in karin.words()
    assert worker.publish_plans(app, make.NOW + timedelta(days=60)) == 0


def test_a_whole_plan_is_undone_until_somebody_has_booked(karin, town, each_database):
    """On both databases, by the action itself."""
    from scheduler.leading.actions import undo_plan
    from scheduler.leading.rules import PlanTaken
    from scheduler.nights.actions import write_season
    from scheduler.nights.season import Pattern, plan_season

    def write(connection):
        where = make.town(connection)
        eva = make.person(connection, where)
        from datetime import time

        pattern = Pattern(frozenset({4, 5}), time(21), time(1), (where.centre,))
        for first in (date(2026, 12, 4), date(2027, 1, 8)):
            season = plan_season(pattern, first, first + timedelta(days=8), 10, {})
            write_season(
                connection, where.id, where.agreement_id, season, pattern, make.STOCKHOLM, make.NOW, publish=True
            )
        plans = connection.execute(select(Night.plan_id, func.min(Night.id)).group_by(Night.plan_id)).all()
        first_plan, second_plan = sorted(row.plan_id for row in plans)
        shift = (
            connection.execute(
                select(Shift.id).join(Night, Night.id == Shift.night_id).where(Night.plan_id == second_plan)
            )
            .scalars()
            .first()
        )
        book(connection, make.acting(where, eva), shift, eva, "a")
        return where, eva, first_plan, second_plan

    where, eva, first_plan, second_plan = each_database.write(write)
    acting = make.acting(where, eva)
    each_database.write(lambda connection: undo_plan(connection, acting, first_plan))
    with pytest.raises(PlanTaken):
        each_database.write(lambda connection: undo_plan(connection, acting, second_plan))
    with each_database.reading() as connection:
        left = list(connection.execute(select(Night.plan_id).distinct()).scalars())
        told = connection.execute(select(AuditEntry.what).where(AuditEntry.what == "season.undone")).all()
    assert left == [second_plan]
    assert len(told) == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"last": "2026-12-01"}, "före den första"),
        ({"last": "2028-01-31"}, "inom en överenskommelses tid"),
        ({"first": "2026-11-01"}, "redan varit"),
        ({"first": "i morgon"}, "Skriv ett datum"),
        ({"starts": "25:00"}, "Skriv en tid"),
        ({"starts": "01:00"}, "inte ha någon längd"),
        ({"weekday": []}, "minst en veckodag"),
        ({"area": []}, "minst ett område"),
        ({"area": ["999999"]}, "minst ett område"),
        ({"skip": "31/12 snart"}, "”snart” är inget datum"),
        ({"extra": "2027-06-01"}, "utanför perioden"),
        ({"skip": "5/12", "extra": "5/12"}, "både"),
        ({"first": "\x00", "last": "🌙" * 50}, "Skriv ett datum"),
    ],
)
def test_what_cannot_be_planned_is_told_at_the_field_and_stays_typed(karin, town, database, typed, sentence):
    karin.get("/lead/season/plan", 422, query_string=asked(town, **typed))
    assert sentence in karin.words()
    karin.send("/lead/season/plan", asked(town, **typed), 422)
    assert nights(database) == {}


def test_what_is_planned_already_is_told_and_left_alone(karin, town, database):
    plan(karin, town)
    before = nights(database)
    karin.get("/lead/season/plan", query_string=asked(town, last="2027-02-27"))
    assert "18 kvällar är redan planerade" in karin.words()
    assert "fre 4 dec, lör 5 dec, fre 11 dec" in karin.words(), "each of them by its day"
    karin.send("/lead/season/plan", asked(town, last="2027-02-27", walk=ticked(karin)))
    assert set(before) < set(nights(database))
    karin.get("/lead/season/plan", 422, query_string=asked(town))
    assert "redan planerade" in karin.words()


def test_a_season_says_how_many_walk_and_shows_each_nights_area(karin, town, database):
    karin.get("/lead/season/plan", query_string=asked(town))
    assert "lör 30 jan · Centrum · Löningshelg" in karin.words()
    plan(karin, town, minimum="3", wanted="6")
    with database.reading() as connection:
        assert set(connection.execute(select(Shift.minimum, Shift.wanted)).all()) == {(3, 6)}
    karin.get("/lead/season/plan", 422, query_string=asked(town, minimum="3"))
    assert "Fyll i båda" in karin.words()
    karin.get("/lead/season/plan", 422, query_string=asked(town, minimum="5", wanted="4"))
    assert "Minst kan inte vara fler än antalet platser" in karin.words()


def test_two_areas_and_an_extra_weekday_are_planned_by_date(karin, town, database):
    plan(karin, town, two_areas="2026-12-12", extra="2026-12-16")
    with database.reading() as connection:
        counts = dict(
            connection.execute(
                select(Night.date, func.count()).join(Shift, Shift.night_id == Night.id).group_by(Night.date)
            ).all()
        )
    assert counts[date(2026, 12, 12)] == 2
    assert counts[date(2026, 12, 16)] == 1
    assert counts[date(2026, 12, 11)] == 1

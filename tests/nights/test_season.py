import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.nights.season import (
    LeftOut,
    Pattern,
    Season,
    Special,
    Unplannable,
    moments,
    plan_season,
    special_nights,
)
from scheduler.nights.words import end_in_text

STOCKHOLM = ZoneInfo("Europe/Stockholm")
DAY = timedelta(days=1)
THE_2022_TERM = date(2021, 12, 22), date(2022, 12, 31)
ARENA, CENTRE, SORBERGE = 1, 2, 3


def pattern(weekdays=(4, 5), starts=time(20), ends=time(0), areas=(ARENA, CENTRE, SORBERGE), double=None):
    return Pattern(frozenset(weekdays), starts, ends, tuple(areas), double or {})


def plan(first, last, paid=100, *, named=None, like=None, **by_hand) -> Season:
    named = special_nights(first, last) if named is None else named
    return plan_season(like or pattern(), first, last, paid, named, **by_hand)


def left_out(season):
    return {planned.night: planned.left_out for planned in season.nights if planned.left_out}


def walked(season):
    return {planned.night for planned in season.walked}


# Which nights matter


@pytest.mark.parametrize(
    ("night", "special"),
    [
        (date(2021, 12, 24), Special.CHRISTMAS_EVE),
        (date(2021, 12, 25), Special.CHRISTMAS_DAY),
        (date(2021, 12, 26), Special.BOXING_DAY),
        (date(2021, 12, 31), Special.NEW_YEAR_EVE),
        (date(2022, 1, 1), Special.NEW_YEAR_DAY),
        (date(2022, 1, 5), Special.TWELFTH_NIGHT),
        (date(2022, 1, 6), Special.EPIPHANY),
        (date(2022, 4, 14), Special.MAUNDY_THURSDAY),
        (date(2022, 4, 15), Special.GOOD_FRIDAY),
        (date(2022, 4, 16), Special.EASTER_EVE),
        (date(2022, 4, 17), Special.HOLIDAY_EVE),  # Easter Day: Easter Monday is a day off
        (date(2022, 4, 18), Special.HOLIDAY),
        (date(2022, 4, 30), Special.WALPURGIS),  # also a pay-day Saturday
        (date(2022, 5, 1), Special.FIRST_OF_MAY),
        (date(2022, 5, 25), Special.ASCENSION_EVE),
        (date(2022, 5, 26), Special.HOLIDAY),
        (date(2022, 6, 4), Special.PENTECOST_EVE),
        (date(2022, 6, 5), Special.NATIONAL_DAY_EVE),  # also Pentecost
        (date(2022, 6, 6), Special.NATIONAL_DAY),
        (date(2022, 6, 24), Special.MIDSUMMER_EVE),
        (date(2022, 6, 25), Special.MIDSUMMER_DAY),
        (date(2022, 11, 4), Special.ALL_SAINTS_EVE),
        (date(2022, 11, 5), Special.ALL_SAINTS),
        (date(2022, 12, 12), Special.LUCIA_EVE),
        (date(2022, 12, 13), Special.LUCIA),
        (date(2022, 1, 28), Special.PAYDAY_WEEKEND),
        (date(2022, 1, 29), Special.PAYDAY_WEEKEND),
    ],
)
def test_the_nights_of_the_2022_term_have_their_names(night, special):
    assert special_nights(*THE_2022_TERM)[night] is special


@pytest.mark.parametrize(
    ("pay_day", "nights"),
    [
        ("2022-02-25", ["2022-02-25", "2022-02-26"]),  # the 25th is the Friday itself
        ("2022-05-25", ["2022-05-27", "2022-05-28"]),  # a Wednesday
        ("2026-01-25", ["2026-01-23", "2026-01-24"]),  # a Sunday: paid on the Friday before
        ("2026-04-25", ["2026-04-24", "2026-04-25"]),  # a Saturday: paid on the Friday before
        ("2021-10-25", ["2021-10-29", "2021-10-30"]),  # a Monday
        ("2019-02-25", ["2019-03-01", "2019-03-02"]),  # a Monday in February: the weekend is in March
        ("2022-12-25", ["2022-12-23"]),  # Christmas Day on a Sunday: Christmas Eve keeps its name
        ("2023-12-25", ["2023-12-22", "2023-12-23"]),  # on a Monday: Christmas Eve and a Saturday before it
        ("2024-12-25", ["2024-12-27", "2024-12-28"]),  # on a Wednesday: paid on Monday the 23rd
        ("2025-12-25", ["2025-12-27"]),  # on a Thursday: Boxing Day keeps its name
        ("2027-03-25", []),  # the weekend is Easter's
        ("2027-06-25", []),  # and this one Midsummer's
    ],
)
def test_pay_day_makes_the_first_weekend_from_the_25th_or_the_working_day_before_it(pay_day, nights):
    around = date.fromisoformat(pay_day)
    named = special_nights(around - 9 * DAY, around + 9 * DAY)
    found = [night.isoformat() for night, special in named.items() if special is Special.PAYDAY_WEEKEND]
    assert found == nights


@pytest.mark.parametrize("year", range(2005, 2061))
def test_every_day_off_and_the_evening_before_every_public_holiday_matters(year):
    named = special_nights(date(year - 1, 12, 31), date(year, 12, 31))
    assert all(day in named for day in holidays.country_holidays("SE", years=year, categories="de_facto"))
    assert all({day, day - DAY} <= named.keys() for day in holidays.country_holidays("SE", years=year))


@pytest.mark.parametrize("year", range(2005, 2061))
def test_a_holiday_without_a_name_of_its_own_is_never_on_a_friday_or_saturday(year):
    named = special_nights(date(year, 1, 1), date(year, 12, 31))
    nameless = [night for night, special in named.items() if special in {Special.HOLIDAY, Special.HOLIDAY_EVE}]
    assert nameless
    assert not [night for night in nameless if night.weekday() in {4, 5}]


@pytest.mark.parametrize("year", range(2005, 2061))
def test_the_names_are_those_of_the_holidays_library(year):
    named = special_nights(date(year, 1, 1), date(year, 12, 31))
    every = "public", "de_facto", "optional"
    library = holidays.country_holidays("SE", years=year, categories=every, language="en_US")
    for special, name in {
        Special.WALPURGIS: "Walpurgis Night (from 2pm)",
        Special.MAUNDY_THURSDAY: "Maundy Thursday (from 2pm)",
        Special.GOOD_FRIDAY: "Good Friday",
        Special.EASTER_EVE: "Holy Saturday",
        Special.MIDSUMMER_EVE: "Midsummer Eve",
        Special.MIDSUMMER_DAY: "Midsummer Day",
        Special.ALL_SAINTS_EVE: "All Saints' Eve (from 2pm)",
        Special.ALL_SAINTS: "All Saints' Day",
    }.items():
        assert [night for night, found in named.items() if found is special] == library.get_named(name, "exact")


def test_what_the_coordinator_names_is_stronger_than_a_pay_day():
    pay_friday, pay_saturday = date(2026, 9, 25), date(2026, 9, 26)
    named = special_nights(
        date(2026, 6, 1),
        date(2026, 12, 31),
        [(date(2026, 6, 11), Special.LAST_SCHOOL_DAY), (pay_friday, Special.HOME_GAME)],
    )
    assert named[date(2026, 6, 11)] is Special.LAST_SCHOOL_DAY
    assert named[pay_friday] is Special.HOME_GAME
    assert named[pay_saturday] is Special.PAYDAY_WEEKEND


def test_walpurgis_stays_walpurgis_when_there_is_a_home_game():
    night = date(2027, 4, 30)
    assert special_nights(night, night, [(night, Special.HOME_GAME)]) == {night: Special.WALPURGIS}


def test_only_nights_of_the_period_are_named_and_they_come_by_date():
    first, last = date(2026, 3, 1), date(2026, 5, 31)
    nights = list(
        special_nights(first, last, [(date(2026, 2, 28), Special.HOME_GAME), (date(2026, 6, 2), Special.LOCAL_EVENT)])
    )
    assert nights == sorted(nights)
    assert nights[0] == date(2026, 3, 27)
    assert nights[-1] == date(2026, 5, 30)


def test_the_holidays_library_is_loaded_only_when_a_season_is_planned():
    asked = "import sys, scheduler.nights.season; print('holidays' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "False"


def test_years_that_the_holidays_library_does_not_know_still_have_their_fixed_nights():
    assert special_nights(date(2150, 4, 30), date(2150, 4, 30)) == {date(2150, 4, 30): Special.WALPURGIS}


def test_a_period_that_ends_before_it_begins_is_refused():
    with pytest.raises(Unplannable) as refused:
        special_nights(date(2026, 2, 1), date(2026, 1, 31))
    assert refused.value.problem == "upside_down"


# When a shift starts and ends


@pytest.mark.parametrize(
    ("night", "starts", "ends", "instants", "hours"),
    [
        # an ordinary summer night, and an ordinary winter night
        (date(2026, 7, 3), time(20), time(0), ("2026-07-03T18:00", "2026-07-03T22:00"), 4),
        (date(2026, 1, 9), time(21), time(2), ("2026-01-09T20:00", "2026-01-10T01:00"), 5),
        (date(2026, 1, 9), time(18), time(21, 30), ("2026-01-09T17:00", "2026-01-09T20:30"), 3.5),
        # back to winter time at 03:00 on 25 October 2026: 02:00 to 03:00 comes twice
        (date(2026, 10, 24), time(21), time(1), ("2026-10-24T19:00", "2026-10-24T23:00"), 4),
        (date(2026, 10, 24), time(20), time(2), ("2026-10-24T18:00", "2026-10-25T00:00"), 6),
        (date(2026, 10, 24), time(20), time(2, 30), ("2026-10-24T18:00", "2026-10-25T00:30"), 6.5),
        (date(2026, 10, 24), time(21), time(3, 30), ("2026-10-24T19:00", "2026-10-25T02:30"), 7.5),
        # on to summer time at 02:00 on 28 March 2027: 02:00 to 03:00 never comes
        (date(2027, 3, 27), time(21), time(1), ("2027-03-27T20:00", "2027-03-28T00:00"), 4),
        (date(2027, 3, 27), time(20), time(2), ("2027-03-27T19:00", "2027-03-28T01:00"), 6),
        (date(2027, 3, 27), time(20), time(2, 30), ("2027-03-27T19:00", "2027-03-28T01:30"), 6.5),
        (date(2027, 3, 27), time(21), time(3, 30), ("2027-03-27T20:00", "2027-03-28T01:30"), 5.5),
    ],
)
def test_a_shift_has_its_instants_on_ordinary_nights_and_when_the_clock_changes(night, starts, ends, instants, hours):
    starts_at, ends_at = moments(night, starts, ends, STOCKHOLM)
    assert (starts_at, ends_at) == tuple(datetime.fromisoformat(at).replace(tzinfo=UTC) for at in instants)
    assert starts_at.tzinfo is ends_at.tzinfo is UTC
    assert ends_at - starts_at == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("night", "starts", "ends"),
    [
        (date(2026, 7, 3), time(20), time(20)),
        (date(2027, 3, 28), time(2, 30), time(3)),  # 02:30 is 03:30 that night, after the end
    ],
)
def test_a_shift_that_would_not_last_is_refused(night, starts, ends):
    with pytest.raises(Unplannable) as refused:
        moments(night, starts, ends, STOCKHOLM)
    assert (refused.value.problem, refused.value.nights) == ("no_length", (night,))


# Which nights are walked


def test_the_2022_term_has_108_nights_and_the_100_that_are_paid_are_walked():
    season = plan(*THE_2022_TERM)
    assert len(season.nights) == 108
    assert len(season.walked) == 100


def test_the_2022_term_leaves_out_two_christmas_eves_and_the_six_ordinary_fridays_of_the_winter():
    assert left_out(plan(*THE_2022_TERM)) == {
        date(2021, 12, 24): LeftOut.NOBODY_WALKS,
        date(2022, 1, 7): LeftOut.QUIET_WINTER_NIGHT,
        date(2022, 1, 14): LeftOut.QUIET_WINTER_NIGHT,
        date(2022, 1, 21): LeftOut.QUIET_WINTER_NIGHT,
        date(2022, 2, 4): LeftOut.QUIET_WINTER_NIGHT,
        date(2022, 2, 11): LeftOut.QUIET_WINTER_NIGHT,
        date(2022, 2, 18): LeftOut.QUIET_WINTER_NIGHT,
        date(2022, 12, 24): LeftOut.NOBODY_WALKS,
    }


@pytest.mark.parametrize(
    ("first", "last", "possible", "nobody_walks", "quiet"),
    [
        (date(2021, 12, 22), date(2022, 12, 31), 108, 2, 6),
        (date(2025, 12, 22), date(2026, 12, 31), 106, 0, 6),
        (date(2026, 12, 22), date(2027, 12, 31), 107, 1, 6),
    ],
)
def test_each_years_term_walks_100_nights(first, last, possible, nobody_walks, quiet):
    season = plan(first, last)
    assert len(season.nights) == possible
    assert len(season.walked) == 100
    reasons = Counter(left_out(season).values())
    assert reasons == +Counter({LeftOut.NOBODY_WALKS: nobody_walks, LeftOut.QUIET_WINTER_NIGHT: quiet})


def test_equally_quiet_nights_are_left_out_evenly_apart():
    january_to_march = plan(date(2025, 12, 22), date(2026, 12, 31), paid=104)
    assert list(left_out(january_to_march)) == [date(2026, 1, 9), date(2026, 2, 13)]


def test_a_season_without_enough_nights_walks_all_but_those_that_nobody_walks():
    season = plan(*THE_2022_TERM, paid=107)
    assert set(left_out(season).values()) == {LeftOut.NOBODY_WALKS}
    assert len(season.walked) == 106


def test_the_coordinator_can_say_who_walks_at_christmas():
    assert not left_out(plan(*THE_2022_TERM, paid=108, nobody_walks=[]))
    both = [date(2021, 12, 24), date(2021, 12, 25)]
    assert list(left_out(plan(*THE_2022_TERM, paid=108, nobody_walks=both))) == both


def test_a_night_skipped_by_hand_saves_a_quiet_one():
    skipped = date(2022, 7, 15)
    reasons = left_out(plan(*THE_2022_TERM, skip=[skipped]))
    assert reasons[skipped] is LeftOut.CHOSEN_BY_HAND
    assert Counter(reasons.values())[LeftOut.QUIET_WINTER_NIGHT] == 5


def test_an_extra_night_counts_as_paid_and_costs_a_quiet_one():
    walpurgis_on_a_thursday = date(2026, 4, 30)
    season = plan(date(2025, 12, 22), date(2026, 12, 31), extra=[walpurgis_on_a_thursday])
    assert walpurgis_on_a_thursday in walked(season)
    assert len(season.nights) == 107
    assert len(season.walked) == 100


def test_a_night_chosen_by_hand_is_walked_however_quiet_it_is():
    quiet, christmas_eve = date(2022, 1, 14), date(2021, 12, 24)
    season = plan(*THE_2022_TERM, extra=[quiet, christmas_eve])
    assert {quiet, christmas_eve} <= walked(season)
    assert len(season.walked) == 100


def test_both_nights_of_a_weekend_go_only_when_every_other_weekend_has_lost_one():
    ordinary = plan(date(2026, 8, 31), date(2026, 9, 20), paid=3, named={})
    assert Counter(night.isocalendar().week for night in left_out(ordinary)) == {36: 1, 37: 1, 38: 1}
    fewer = plan(date(2026, 8, 31), date(2026, 9, 20), paid=2, named={})
    assert max(Counter(night.isocalendar().week for night in left_out(fewer)).values()) == 2


def test_a_weekend_that_lost_a_night_by_hand_is_spared():
    term = date(2026, 8, 31), date(2026, 9, 20)
    assert list(left_out(plan(*term, paid=5, named={}))) == [date(2026, 9, 11)]
    saturday_by_hand = plan(*term, paid=4, named={}, skip=[date(2026, 9, 12)])
    assert list(left_out(saturday_by_hand)) == [date(2026, 9, 12), date(2026, 9, 18)]


def test_special_nights_go_last_and_the_least_significant_of_them_first():
    walpurgis, pay_friday, ordinary = date(2027, 4, 30), date(2027, 4, 23), date(2027, 4, 17)
    term = date(2027, 4, 17), walpurgis
    named = special_nights(*term)
    one_less = plan(*term, paid=3, named=named)
    assert left_out(one_less) == {ordinary: LeftOut.ORDINARY_NIGHT}
    two_less = plan(*term, paid=2, named=named)
    assert left_out(two_less) == {
        ordinary: LeftOut.ORDINARY_NIGHT,
        pay_friday: LeftOut.TOO_FEW_PAID_NIGHTS,
    }
    assert walked(plan(*term, paid=1, named=named)) == {walpurgis}


def test_the_seasons_give_up_their_nights_from_the_darkest_to_the_lightest():
    term = date(2026, 1, 1), date(2026, 12, 31)
    reasons = [set(left_out(plan(*term, paid=paid, named={})).values()) for paid in (103, 90, 70)]
    winter, dark, light = LeftOut.QUIET_WINTER_NIGHT, LeftOut.QUIET_DARK_NIGHT, LeftOut.ORDINARY_NIGHT
    assert reasons == [{winter}, {winter, dark}, {winter, dark, light}]


def test_school_nights_go_before_fridays_and_fridays_before_saturdays():
    week = date(2026, 9, 7), date(2026, 9, 13)
    every_day = pattern(weekdays=range(7))
    assert walked(plan(*week, paid=2, named={}, like=every_day)) == {date(2026, 9, 11), date(2026, 9, 12)}
    assert walked(plan(*week, paid=1, named={}, like=every_day)) == {date(2026, 9, 12)}


# Which areas


def test_the_first_night_has_the_first_area_and_each_day_and_week_moves_on_by_one():
    season = plan(date(2026, 9, 1), date(2026, 9, 19))
    assert [planned.areas[0] for planned in season.nights] == [1, 2, 2, 3, 3, 1]


def test_two_areas_take_turns_with_fridays_and_saturdays():
    season = plan(date(2026, 9, 4), date(2026, 9, 19), like=pattern(areas=[ARENA, CENTRE]))
    assert [night.areas for night in season.nights] == [
        (ARENA,),
        (CENTRE,),
        (CENTRE,),
        (ARENA,),
        (ARENA,),
        (CENTRE,),
    ]


@pytest.mark.parametrize("areas", [[ARENA], [ARENA, CENTRE], [ARENA, CENTRE, SORBERGE], [1, 2, 3, 4]])
def test_the_areas_of_the_2022_term_get_about_as_many_nights_each_and_both_weekdays(areas):
    season = plan(*THE_2022_TERM, like=pattern(areas=areas))
    nights = Counter(planned.areas[0] for planned in season.walked)
    assert set(nights) == set(areas)
    assert max(nights.values()) - min(nights.values()) <= 3
    on = {(planned.areas[0], planned.night.weekday()) for planned in season.walked}
    assert on == {(area, weekday) for area in areas for weekday in (4, 5)}


def test_leaving_out_a_night_moves_no_other_nights_area():
    before = {planned.night: planned.areas for planned in plan(*THE_2022_TERM, paid=108).walked}
    after = {planned.night: planned.areas for planned in plan(*THE_2022_TERM, paid=60).walked}
    assert after.items() <= before.items()


def test_a_left_out_night_has_no_area():
    assert all((planned.areas == ()) == bool(planned.left_out) for planned in plan(*THE_2022_TERM).nights)


def test_a_planned_double_night_is_walked_in_two_different_areas_whatever_its_turn():
    nights = [date(2022, 1, 7), date(2022, 1, 8), date(2022, 1, 14), date(2022, 4, 27)]
    double = pattern(double=dict.fromkeys(nights, CENTRE))
    areas = {planned.night: planned.areas for planned in plan(*THE_2022_TERM, like=double).walked}
    assert len(areas) == 100
    assert [areas[night][1] for night in nights] == [CENTRE] * 4
    assert all(areas[night][0] in {ARENA, SORBERGE} for night in nights)


# What is refused


@pytest.mark.parametrize(
    ("unfit", "field", "problem"),
    [
        ({"weekdays": []}, "weekdays", "none"),
        ({"weekdays": [4, 7]}, "weekdays", "none"),
        ({"areas": []}, "areas", "none"),
        ({"ends": time(20)}, "ends", "no_length"),
        ({"areas": [ARENA, ARENA], "double": {date(2022, 4, 30): ARENA}}, "second_areas", "no_other"),
    ],
)
def test_a_pattern_that_cannot_be_walked_is_refused(unfit, field, problem):
    with pytest.raises(Unplannable) as refused:
        pattern(**unfit)
    assert (refused.value.field, refused.value.problem) == (field, problem)


OUTSIDE, INSIDE = date(2023, 1, 6), date(2022, 4, 30)


@pytest.mark.parametrize(
    ("wish", "problem", "nights"),
    [
        ({"extra": [OUTSIDE, INSIDE]}, "outside_term", (OUTSIDE,)),
        ({"skip": [OUTSIDE]}, "outside_term", (OUTSIDE,)),
        ({"like": pattern(double={OUTSIDE: CENTRE})}, "outside_term", (OUTSIDE,)),
        ({"extra": [INSIDE], "skip": [INSIDE]}, "both", (INSIDE,)),
        ({"like": pattern(double={INSIDE: CENTRE}), "skip": [INSIDE]}, "both", (INSIDE,)),
        ({"extra": [INSIDE], "paid": 0}, "too_many", (INSIDE,)),
        ({"paid": -1}, "too_many", ()),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_with_its_nights(wish, problem, nights):
    with pytest.raises(Unplannable) as refused:
        plan(*THE_2022_TERM, **wish)
    assert (refused.value.problem, refused.value.nights) == (problem, nights)


def test_a_term_upside_down_is_refused():
    with pytest.raises(Unplannable) as refused:
        plan(date(2022, 12, 31), date(2021, 12, 22), named={})
    assert (refused.value.field, refused.value.problem) == ("term_last", "upside_down")


# Whatever the term, the pattern and the wishes


@st.composite
def wishes(draw):
    first = draw(st.dates(date(2000, 1, 1), date(2060, 12, 31)))
    days = [first + n * DAY for n in range(draw(st.integers(1, 400)))]
    some_days = st.sets(st.sampled_from(days), max_size=8)
    extra = draw(some_days)
    return {
        "first": first,
        "last": days[-1],
        "paid": draw(st.integers(len(extra), len(extra) + 200)),
        "like": pattern(weekdays=draw(st.sets(st.integers(0, 6), min_size=1))),
        "extra": extra,
        "skip": draw(some_days) - extra,
        "nobody_walks": draw(st.none() | some_days),
    }


@given(wishes())
def test_every_possible_night_is_planned_once_and_as_many_are_walked_as_are_paid_for(wish):
    season = plan(**wish)
    nights = [planned.night for planned in season.nights]
    days = (wish["last"] - wish["first"]).days + 1
    term = [wish["first"] + n * DAY for n in range(days)]
    assert nights == [day for day in term if day.weekday() in wish["like"].weekdays or day in wish["extra"]]
    by_choice = {LeftOut.NOBODY_WALKS, LeftOut.CHOSEN_BY_HAND}
    reasons = left_out(season)
    kept_back = sum(reason in by_choice for reason in reasons.values())
    assert len(season.walked) + len(reasons) == len(nights)
    assert len(season.walked) == min(wish["paid"], len(nights) - kept_back)
    assert wish["extra"] <= walked(season)
    assert not wish["skip"] & walked(season)


@given(wishes())
def test_the_same_wishes_give_the_same_season(wish):
    assert plan(**wish) == plan(**wish)


@given(wishes())
def test_each_reason_is_true(wish):
    for planned in plan(**wish).nights:
        month = planned.night.month
        match planned.left_out:
            case LeftOut.NOBODY_WALKS if wish["nobody_walks"] is None:
                assert (month, planned.night.day) == (12, 24)
            case LeftOut.NOBODY_WALKS:
                assert planned.night in wish["nobody_walks"]
            case LeftOut.CHOSEN_BY_HAND:
                assert planned.night in wish["skip"]
            case LeftOut.QUIET_WINTER_NIGHT:
                assert (planned.special, month in {1, 2}) == (None, True)
            case LeftOut.QUIET_DARK_NIGHT:
                assert (planned.special, month in {3, 11, 12}) == (None, True)
            case LeftOut.ORDINARY_NIGHT:
                assert (planned.special, 4 <= month <= 10) == (None, True)
            case LeftOut.TOO_FEW_PAID_NIGHTS:
                assert planned.special is not None
            case None:
                assert planned.areas


@given(wishes())
def test_a_special_night_is_left_out_only_when_no_ordinary_night_is_left(wish):
    season = plan(**wish)
    if LeftOut.TOO_FEW_PAID_NIGHTS in left_out(season).values():
        assert all(planned.special or planned.night in wish["extra"] for planned in season.walked)


@given(wishes())
def test_one_more_paid_night_is_at_most_one_more_walked(wish):
    fewer, more = plan(**wish), plan(**{**wish, "paid": wish["paid"] + 1})
    assert 0 <= len(more.walked) - len(fewer.walked) <= 1


@pytest.mark.parametrize(
    ("night", "starts", "ends", "said"),
    [
        (date(2026, 10, 24), time(21), time(1), "01.00"),
        (date(2026, 10, 24), time(20), time(2), "02.00 sommartid (klockan ställs om)"),
        (date(2026, 10, 24), time(21), time(3, 30), "03.30 vintertid (klockan ställs om)"),
        (date(2027, 3, 27), time(21), time(1), "01.00"),
        (date(2027, 3, 27), time(20), time(2), "03.00 sommartid (klockan ställs om)"),
        (date(2026, 11, 27), time(20), time(2), "02.00"),
    ],
)
def test_a_text_says_what_the_clock_shows_at_the_end_and_that_it_changes(night, starts, ends, said):
    starts_at, ends_at = moments(night, starts, ends, STOCKHOLM)
    assert end_in_text(starts_at, ends_at, STOCKHOLM, "sv") == said

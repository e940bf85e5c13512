from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.gaps.risk import (
    Beliefs,
    Beta,
    PastShift,
    Record,
    beliefs,
    beta_binomial,
    calibration,
    enough_walkers,
    goal,
    under_minimum,
)
from scheduler.gaps.rules import (
    MOST_A_PLACE,
    MOST_A_WAVE,
    RISKY_PERCENT,
    AutopilotMode,
    Candidate,
    Need,
    Policy,
    Standing,
    WhyNot,
    WrongPolicy,
    checked_policy,
    danger,
    in_turn,
    points,
    time_to_answer,
    wave_size,
    why_not,
    yes_chance,
)
from scheduler.nights.rules import NightFlag

DAYS = st.integers(0, 60)
NEEDS = st.builds(
    Need,
    missing_to_minimum=st.integers(0, 4),
    days_left=DAYS,
    flag=st.sampled_from([NightFlag.NONE, NightFlag.TWO_AREAS]),
    special=st.booleans(),
    risk_percent=st.integers(0, 100),
    only_newcomers=st.booleans(),
)


# ---------------------------------------------------------------- the rank


@given(NEEDS, st.integers(1, 4), DAYS, st.booleans())
def test_two_areas_that_need_coverage_come_before_everything_else(other, missing, days, special):
    both = Need(missing, days, NightFlag.TWO_AREAS_NEED_COVERAGE, special)
    assert danger(both) > danger(other)


@given(NEEDS)
def test_one_more_missing_or_a_day_less_never_makes_a_gap_less_urgent(need):
    def changed(**more):
        return Need(**({name: getattr(need, name) for name in Need.__slots__} | more))

    if need.missing_to_minimum:
        assert danger(changed(missing_to_minimum=need.missing_to_minimum + 1)) > danger(need)
    if need.days_left:
        assert danger(changed(days_left=need.days_left - 1)) >= danger(need)
    if need.risk_percent < 100 and not need.missing_to_minimum:
        assert danger(changed(risk_percent=need.risk_percent + 1)) >= danger(need)
    assert danger(changed(special=True)) >= danger(need)


@pytest.mark.parametrize(
    ("need", "score"),
    [
        (Need(0, 0), 0),
        (Need(0, 3, special=True, flag=NightFlag.TWO_AREAS), 0),
        (Need(1, 0), 100),
        (Need(2, 1), 120),
        (Need(2, 3), 80),
        (Need(2, 7), 40),
        (Need(2, 8), 20),
        (Need(2, 8, special=True), 25),
        (Need(0, 1, risk_percent=RISKY_PERCENT - 1), 0),
        (Need(0, 1, risk_percent=35), 18),
        (Need(0, 15, risk_percent=90), 0),
        (Need(0, 2, only_newcomers=True), 4),
        (Need(0, 4, only_newcomers=True), 0),
    ],
)
def test_the_rank_is_what_its_words_say(need, score):
    assert danger(need) == score


# ---------------------------------------------------------------- waves


@given(st.integers(0, 6), st.integers(-5, 400), st.floats(0.02, 0.9))
def test_a_wave_is_never_smaller_than_the_gap_nor_larger_than_the_limits(missing, hours, chance):
    size = wave_size(missing, timedelta(hours=hours), chance)
    if missing and hours > 0:
        assert missing <= size <= min(MOST_A_WAVE, MOST_A_PLACE * missing)
    else:
        assert size == 0


@given(st.integers(1, 3), st.integers(1, 300), st.integers(1, 300), st.floats(0.05, 0.9))
def test_less_time_never_makes_a_wave_smaller_or_its_patience_longer(missing, one, other, chance):
    sooner, later = sorted((timedelta(hours=one), timedelta(hours=other)))
    assert wave_size(missing, sooner, chance) >= wave_size(missing, later, chance)
    assert time_to_answer(sooner) <= time_to_answer(later)


def test_a_place_is_not_offered_to_thirty_people():
    sizes = [wave_size(1, timedelta(days=days), yes_chance(0, 0)) for days in (10, 4, 1.5, 0.5, 0.1)]
    assert sizes == [3, 4, 6, 8, 8]


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_chance_of_a_yes_follows_the_answers(yes, others):
    assert 0 < yes_chance(yes, others) < 1
    assert yes_chance(yes + 1, others) > yes_chance(yes, others) > yes_chance(yes, others + 1)


# ---------------------------------------------------------------- whose turn


def candidate(person_id=1, asked_days_ago=20, walks=4, walks_here=2, walks_this_weekday=2, rested=True):
    return Candidate(person_id, "Eva", "IK", asked_days_ago, walks, walks_here, walks_this_weekday, rested)


@given(st.integers(0, 58), st.integers(0, 14))
def test_longer_since_asked_and_fewer_walks_come_first(days, walks):
    assert points(candidate(asked_days_ago=days + 1)) > points(candidate(asked_days_ago=days))
    alike = {"walks_here": 0, "walks_this_weekday": 0}
    assert points(candidate(walks=walks, **alike)) > points(candidate(walks=walks + 1, **alike))


def test_never_asked_liking_it_and_being_rested_come_before():
    assert points(candidate(asked_days_ago=None)) > points(candidate(asked_days_ago=59))
    assert points(candidate(walks_here=3)) > points(candidate(walks_here=2))
    assert points(candidate(walks_this_weekday=3)) > points(candidate(walks_this_weekday=2))
    assert points(candidate(rested=True)) > points(candidate(rested=False))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), unique=True, max_size=8))
def test_the_turn_does_not_depend_on_the_order_of_reading(people):
    listed = [candidate(number, days, walks, 0, 0) for number, (days, walks) in enumerate(people)]
    assert in_turn(listed) == in_turn(listed[::-1])


FREE = {
    "approved": True, "adult": True, "on_it": False, "walks_near": False, "texts_wanted": True,
    "asked_about_it": False, "has_a_question": False, "asks_this_week": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"approved": False}, WhyNot.NOT_APPROVED),
        ({"adult": False}, WhyNot.TOO_YOUNG),
        ({"on_it": True}, WhyNot.ON_IT),
        ({"walks_near": True}, WhyNot.WALKS_NEAR),
        ({"texts_wanted": False}, WhyNot.NO_TEXTS),
        ({"asked_about_it": True, "has_a_question": True}, WhyNot.ASKED_ABOUT_IT),
        ({"has_a_question": True}, WhyNot.HAS_A_QUESTION),
        ({"asks_this_week": 1}, None),
        ({"asks_this_week": 2}, WhyNot.ASKED_ENOUGH),
    ],
)
def test_why_not_him(changed, reason):
    assert why_not(Standing(**(FREE | changed)), 2) is reason


# ---------------------------------------------------------------- what is typed


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (("flies", "5", "2"), "mode"),
        (("acts", "0", "2"), "days_ahead"),
        (("acts", "61", "2"), "days_ahead"),
        (("acts", "", "2"), "days_ahead"),
        (("acts", "5.5", "2"), "days_ahead"),
        (("acts", "²", "2"), "days_ahead"),
        (("acts", "5", "8"), "asks_a_week"),
        (("acts", "5", "-1"), "asks_a_week"),
        (("acts", "5", "1" * 5000), "asks_a_week"),
    ],
)
def test_a_policy_that_is_none_says_which_field(typed, field):
    with pytest.raises(WrongPolicy) as refused:
        checked_policy(*typed)
    assert refused.value.field == field


def test_a_policy_is_read_as_typed():
    assert checked_policy("acts", " 7 ", "3") == Policy(AutopilotMode.ACTS, 7, 3)


# ---------------------------------------------------------------- the risk


RECORDS = st.dictionaries(st.integers(1, 6), st.builds(Record, st.integers(0, 30), st.integers(0, 200)), max_size=6)
TEAMS = st.dictionaries(st.integers(1, 8), st.integers(1, 4), max_size=4)


@given(st.integers(0, 12), st.floats(0.1, 50), st.floats(0.1, 200))
def test_the_chances_of_losing_none_one_or_more_add_up(number, lost, kept):
    assert sum(beta_binomial(number, Beta(lost, kept))) == pytest.approx(1)


@given(RECORDS, TEAMS, st.integers(1, 5))
def test_risk_is_a_chance_and_another_walker_never_raises_it(records, team, minimum):
    believed = beliefs(records)
    risk = under_minimum(team, minimum, believed)
    assert 0 <= risk <= 1
    assert under_minimum({**team, 1: team.get(1, 0) + 1}, minimum, believed) <= risk + 1e-9
    assert under_minimum(team, minimum + 1, believed) >= risk - 1e-9


def test_without_any_history_the_figures_are_sensible():
    nothing = beliefs({})
    exact, one_more = (under_minimum({1: number}, 2, nothing) for number in (2, 3))
    assert 0.12 < exact < 0.20
    assert one_more < 0.05
    assert under_minimum({1: 1}, 2, nothing) == 1
    assert enough_walkers(2, 4, nothing) == 3


def test_a_club_that_often_fails_is_believed_to_and_its_town_only_a_little():
    believed = beliefs({1: Record(lost=15, kept=15), 2: Record(lost=2, kept=118)})
    assert believed.of(1).mean > 0.3
    assert believed.of(2).mean < 0.06
    assert believed.of(2).mean < believed.of(3).mean < believed.of(1).mean, "one without a record is like the season"
    assert under_minimum({1: 2}, 2, believed) > 0.5


def test_a_search_for_a_team_that_is_enough_and_at_risk_looks_for_one_more():
    flaky = Beliefs(Beta(1, 40), {1: Beta(10, 10)})
    assert goal(2, 4, 1, 1.0, flaky) == 2
    assert goal(2, 4, 2, under_minimum({1: 2}, 2, flaky), flaky) == 3
    assert goal(2, 4, 4, 1.0, flaky) == 4


def test_the_calibration_foretells_each_shift_from_what_was_known_before_it():
    start = datetime(2026, 1, 2, 20, tzinfo=UTC)
    past = [
        PastShift(start + timedelta(days=7 * week), 2, ((1, 2, int(week % 5 == 0)), (2, 1, 0))) for week in range(60)
    ]
    lines = calibration(past)
    assert sum(line.shifts for line in lines) == 60
    assert calibration(past[::-1]) == lines
    for line in lines:
        assert line.from_percent <= line.foretold_percent <= line.to_percent
    assert calibration([]) == []


def test_on_people_who_are_lost_as_believed_what_is_foretold_happens():
    from random import Random

    random, start = Random(7), datetime(2020, 1, 3, 20, tzinfo=UTC)
    past = []
    for number in range(3000):
        gone = sum(random.random() < 0.15 for _ in range(2))
        past.append(PastShift(start + timedelta(days=number), 2, ((number % 3, 2, gone),)))
    (line,) = [one for one in calibration(past) if one.shifts > 1000]
    assert abs(line.foretold_percent - line.happened_percent) < 3

import pytest

from scheduler.nights.rules import Coverage, NightFlag, coverage, night_flag, urgency

U, T, F = Coverage.UNCOVERED, Coverage.THIN, Coverage.FULL


@pytest.mark.parametrize(
    ("booked", "minimum", "wanted", "expected"),
    [(0, 2, 4, U), (1, 2, 4, U), (2, 2, 4, T), (3, 2, 4, T), (4, 2, 4, F), (1, 1, 1, F), (0, 1, 1, U), (2, 2, 2, F)],
)
def test_coverage_follows_the_minimum_and_the_goal(booked, minimum, wanted, expected):
    assert coverage(booked, minimum, wanted) is expected


@pytest.mark.parametrize(
    ("open_areas", "expected"),
    [
        ([], NightFlag.NONE),
        ([U], NightFlag.NONE),
        ([F, T], NightFlag.TWO_AREAS),
        ([U, F], NightFlag.TWO_AREAS),
        ([U, U], NightFlag.TWO_AREAS_NEED_COVERAGE),
        ([U, F, U], NightFlag.TWO_AREAS_NEED_COVERAGE),
    ],
)
def test_the_flag_follows_the_open_areas(open_areas, expected):
    assert night_flag(open_areas) is expected


def need(missing_min, missing_goal, days, flag=NightFlag.NONE, *, special=False):
    return urgency(missing_min, missing_goal, days, flag, special=special)


def test_two_areas_that_need_coverage_come_before_everything():
    assert need(1, 3, 40, NightFlag.TWO_AREAS_NEED_COVERAGE) > need(2, 4, 0, special=True)


def test_a_full_shift_needs_nobody_and_a_nearer_emptier_one_more_than_a_later_fuller_one():
    assert need(0, 0, 0, special=True) == 0
    assert need(2, 4, 1) > need(2, 4, 3) > need(2, 4, 7) > need(2, 4, 20) > need(0, 1, 20) > 0
    assert need(2, 4, 3) > need(1, 3, 3) > need(0, 2, 3)
    assert need(1, 3, 3, special=True) > need(1, 3, 3)

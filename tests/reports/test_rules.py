from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.reports.rules import (
    AreaCount,
    ClubCount,
    Difference,
    Figures,
    LineCount,
    NightCount,
    PeriodKind,
    Sign,
    calendar_of,
    differences,
    from_json,
    percent,
    period,
    periods,
    signs_used,
)

MONTH, QUARTER = PeriodKind.MONTH, PeriodKind.QUARTER


@pytest.mark.parametrize(
    ("kind", "day", "first", "last"),
    [
        (MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
        (MONTH, date(2027, 1, 1), date(2027, 1, 1), date(2027, 1, 31)),
        (MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        (QUARTER, date(2026, 12, 31), date(2026, 10, 1), date(2026, 12, 31)),
        (QUARTER, date(2027, 1, 1), date(2027, 1, 1), date(2027, 3, 31)),
        (QUARTER, date(2026, 10, 25), date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_holds_its_day_from_first_to_last(kind, day, first, last):
    found = period(kind, day)
    assert (found.first, found.last) == (first, last)


@given(st.sampled_from(PeriodKind), st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_every_day_lies_in_exactly_one_period_of_a_kind(kind, day):
    found = period(kind, day)
    assert found.first <= day <= found.last
    assert period(kind, found.first) == period(kind, found.last) == found


def test_the_periods_of_a_term_that_have_begun():
    found = periods(date(2025, 12, 22), date(2026, 12, 31), date(2026, 2, 10))
    assert [(one.kind, one.first) for one in found] == [
        (QUARTER, date(2026, 1, 1)),
        (MONTH, date(2026, 2, 1)),
        (MONTH, date(2026, 1, 1)),
        (QUARTER, date(2025, 10, 1)),
        (MONTH, date(2025, 12, 1)),
    ]


def some(walked=3, ore=250_000):
    return Figures(
        areas=[AreaCount("Centrum", 5, walked, 1, 1)],
        clubs=[ClubCount("Timrå IK", walked, 6, ore)],
        lines=[LineCount("material", 500_000, 0, 0, 0)],
        nights=[NightCount("2026-11-27", "Centrum", 3, 4, "walked")],
        double_nights=0, walkers=5, new_walkers=1, minutes=719, coverage_percent=75, notes=3, follow_ups=0,
        moods={"calm": 3}, young_people={"none": 3}, happened={"nothing": 3},
    )  # fmt: skip


def test_frozen_figures_come_back_as_they_were():
    assert from_json(some().as_json()) == some()
    assert (some().hours, some().planned, some().paid_ore) == (11, 5, 250_000)


def test_a_correction_shows_what_it_was_and_what_it_is():
    assert differences(some(), some()) == []
    assert differences(some(), some(walked=2, ore=0)) == [
        Difference("walked", 3, 2),
        Difference("Timrå IK", 250_000, 0, in_ore=True),
    ]


@pytest.mark.parametrize(("part", "whole", "shown"), [(0, 0, 0), (1, 3, 33), (2, 3, 67), (1, 8, 13), (4, 4, 100)])
def test_percentages_are_rounded_half_up(part, whole, shown):
    assert percent(part, whole) == shown


@pytest.mark.parametrize(
    ("state", "people", "sign"),
    [
        ("walked", 4, Sign.FULL),
        ("walked", 5, Sign.FULL),
        ("walked", 3, Sign.THIN),
        ("not_walked", 1, Sign.NOT_WALKED),
        ("called_off", 0, Sign.CALLED_OFF),
        ("coming", 4, Sign.COMING),
    ],
)
def test_a_shift_has_one_sign_in_the_calendar(state, people, sign):
    assert NightCount("2026-11-27", "Centrum", people, 4, state).sign is sign


def test_the_calendar_of_coverage_holds_the_months_with_shifts_and_both_areas_of_a_night():
    nights = [
        NightCount("2026-05-30", "Centrum", 4, 4, "walked"),
        NightCount("2026-03-01", "Centrum", 2, 4, "walked"),
        NightCount("2026-05-30", "Arena", 1, 4, "not_walked"),
    ]
    march, may = calendar_of(nights)
    assert (march.first, may.first) == (date(2026, 3, 1), date(2026, 5, 1))
    assert march.weeks[0] == [0, 0, 0, 0, 0, 0, 1]
    assert (march.signs(1), march.signs(2)) == ([Sign.THIN], [])
    assert may.signs(30) == [Sign.FULL, Sign.NOT_WALKED]
    assert signs_used([march, may]) == [Sign.FULL, Sign.THIN, Sign.NOT_WALKED]
    assert calendar_of([]) == []

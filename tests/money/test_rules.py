from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.kit.refusals import Invalid
from scheduler.money.rules import (
    DeviationKind,
    Entry,
    LineState,
    Share,
    WalkedShift,
    deviations,
    ore,
    rate_on,
    receipt_type,
    reconcile,
    shares,
    split,
    wanted_settlements,
)
from scheduler.partnership.rules import BudgetLineKind

RATE = 250_000
START = datetime(2026, 11, 27, 20, tzinfo=UTC)
FIRST, FURTHER = BudgetLineKind.WEEKEND_NIGHTS, BudgetLineKind.UNFORESEEN


@pytest.mark.parametrize(
    ("heads", "amounts"),
    [
        ({1: 4}, {1: 250_000}),
        ({1: 1, 2: 1, 3: 1}, {1: 83_334, 2: 83_333, 3: 83_333}),
        ({1: 1, 2: 2}, {1: 83_333, 2: 166_667}),
        ({2: 3, 1: 4}, {1: 142_857, 2: 107_143}),
        ({1: 0, 2: 2}, {2: 250_000}),
        ({}, {}),
    ],
)
def test_the_rate_is_split_by_heads_and_largest_remainder(heads, amounts):
    assert {share.club_id: share.amount_ore for share in split(RATE, heads)} == amounts


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**9), st.dictionaries(st.integers(1, 40), st.integers(0, 12), max_size=12))
def test_shares_sum_exactly_and_are_never_an_ore_off(rate, heads):
    found = split(rate, heads)
    total = sum(heads.values())
    assert sum(share.amount_ore for share in found) == (rate if total else 0)
    for share in found:
        assert abs(share.amount_ore - rate * heads[share.club_id] / total) < 1


def test_the_host_club_gets_all_and_walkers_without_a_club_count_for_nobody():
    assert shares(RATE, 7, {1: 2, None: 1}) == (Share(7, RATE, 3),)
    assert shares(RATE, None, {1: 2, None: 1}) == (Share(1, RATE, 2),)
    assert shares(RATE, None, {None: 3}) == ()


def walked(shift_id, minutes=0, host=None, heads=((1, 2),), rate=RATE):
    return WalkedShift(shift_id, 1, START + timedelta(minutes=minutes), rate, host, heads)


def test_the_first_walked_area_is_on_the_weekend_line_and_each_further_on_the_unforeseen():
    found = wanted_settlements([walked(9), walked(3), walked(5, minutes=-30)])
    assert {shift: one.line for shift, one in found.items()} == {5: FIRST, 3: FURTHER, 9: FURTHER}


@st.composite
def nights(draw):
    """One night's history: what it looked like each time somebody settled it."""
    state = st.dictionaries(
        st.integers(1, 4),
        st.tuples(
            st.none() | st.integers(1, 4),
            st.dictionaries(st.none() | st.integers(1, 4), st.integers(1, 4), max_size=4),
            st.sampled_from([RATE, RATE + 1, 99_999]),
        ),
        max_size=3,
    )
    return draw(st.lists(state, min_size=1, max_size=8))


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nights())
def test_whatever_happens_to_a_night_its_sums_agree_and_settling_again_changes_nothing(history):
    ledger, reversed_ids, versions = [], set(), {}
    for state in history:
        wanted = wanted_settlements(
            walked(shift_id, host=host, heads=tuple(heads.items()), rate=rate)
            for shift_id, (host, heads, rate) in state.items()
        )
        for again in (False, True):
            standing = [entry for entry in ledger if entry.id not in reversed_ids]
            steps = reconcile(standing, versions, wanted)
            if again:
                assert steps.reverse == steps.write == ()
            reversed_ids |= {entry.id for entry in steps.reverse}
            for shift_id, version, settlement in steps.write:
                assert versions.get(shift_id, 0) < version
                versions[shift_id] = version
                for share in settlement.shares:
                    ledger.append(Entry(len(ledger), shift_id, version, settlement.line, share))
    standing = [entry for entry in ledger if entry.id not in reversed_ids]
    paid = {shift_id for shift_id, one in wanted.items()}
    assert {entry.shift_id for entry in standing} == paid
    assert sum(entry.share.amount_ore for entry in standing) == sum(state[shift_id][2] for shift_id in paid)
    assert len({entry.shift_id for entry in standing if entry.line is FIRST}) <= 1


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("1250", 125_000), ("1 250,50", 125_050), ("1250.5 kr", 125_050), ("25:-", 2_500), ("0,01", 1)],
)
def test_sums_are_read_as_swedes_type_them(typed, amount):
    assert ore(typed) == amount


@pytest.mark.parametrize(
    ("typed", "problem"),
    [("", "empty"), ("gratis", "not_a_sum"), ("-5", "not_a_sum"), ("0", "zero"), ("1000001", "too_large"),
     ("1,234,567", "not_a_sum"), ("12345678901", "not_a_sum"), ("٣", "not_a_sum"), ("1e5", "not_a_sum")],
)  # fmt: skip
def test_what_is_no_sum_is_refused(typed, problem):
    with pytest.raises(Invalid) as refused:
        ore(typed)
    assert refused.value.problem == problem


def test_a_receipt_is_what_it_holds_not_what_it_is_called():
    assert receipt_type(b"%PDF-1.7 ...") == "application/pdf"
    assert receipt_type(b"\xff\xd8\xff\xe0") == "image/jpeg"
    for content, problem in (
        (b"", "empty"),
        (b"#!/bin/sh\nrm", "wrong_type"),
        (b"<html>%PDF-", "wrong_type"),
        (b"%PDF-" + b"x" * 5 * 1024 * 1024, "too_large"),
    ):
        with pytest.raises(Invalid) as refused:
            receipt_type(content)
        assert refused.value.problem == problem


def test_a_changed_rate_holds_from_its_night_on():
    changes = [(date(2026, 7, 1), 260_000), (date(2026, 10, 1), 270_000)]
    assert rate_on(date(2026, 6, 30), RATE, changes) == RATE
    assert rate_on(date(2026, 7, 1), RATE, changes) == 260_000
    assert rate_on(date(2026, 12, 31), RATE, changes) == 270_000


def test_a_deviation_is_noticed_before_it_happens():
    line = LineState(FURTHER, 1_500_000, 1_250_000, 250_000, 0)
    assert deviations([line], 6, RATE, {}, 6) == []
    passed = LineState(FURTHER, 1_500_000, 1_250_000, 250_000, 250_000)
    kinds = [one.kind for one in deviations([passed], 7, RATE, {}, 7)]
    assert kinds == [DeviationKind.LINE_PASSED, DeviationKind.SECOND_AREAS]
    drift = deviations([], 0, RATE, {"A": 900, "B": 50, "C": 50}, 10)
    assert [(one.kind, one.club) for one in drift] == [(DeviationKind.CLUB_DRIFTS, "A")]
    assert deviations([], 0, RATE, {"A": 900, "B": 50, "C": 50}, 9) == []

from datetime import UTC, date, datetime, timedelta

import pytest

from scheduler.bookings.rules import answer_before, may_cancel_freely, overlap, phones_visible, reminders_at
from scheduler.messages.rules import MessageKind
from tests.make import STOCKHOLM

START = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "allowance"),
    [
        (timedelta(days=10), timedelta(hours=24)),
        (timedelta(days=7), timedelta(hours=24)),
        (timedelta(days=3), timedelta(hours=12)),
        (timedelta(days=1), timedelta(hours=4)),
        (timedelta(hours=10), timedelta(hours=1)),
        (timedelta(hours=3, minutes=20), timedelta(minutes=20)),
    ],
)
def test_a_place_is_kept_for_longer_the_more_time_is_left(left, allowance):
    told_at = START - left
    assert answer_before(told_at, START) == told_at + allowance


@pytest.mark.parametrize("left", [timedelta(hours=3), timedelta(hours=1), timedelta(0)])
def test_under_three_hours_nothing_is_held(left):
    assert answer_before(START - left, START) is None


def test_shifts_that_only_touch_do_not_overlap():
    hour = timedelta(hours=1)
    assert not overlap(START, START + hour, START + hour, START + 2 * hour)
    assert overlap(START, START + hour, START + hour / 2, START + 2 * hour)
    assert overlap(START, START + 3 * hour, START + hour, START + 2 * hour)


def test_the_24_hours_are_counted_to_the_start():
    assert may_cancel_freely(START, START - timedelta(hours=24))
    assert not may_cancel_freely(START, START - timedelta(hours=24) + timedelta(seconds=1))


def test_numbers_are_seen_from_24_hours_before_until_the_walk_is_noted():
    assert not phones_visible(START, START - timedelta(hours=25), noted=False)
    assert phones_visible(START, START - timedelta(hours=24), noted=False)
    assert phones_visible(START, START + timedelta(hours=6), noted=False)
    assert not phones_visible(START, START + timedelta(hours=6), noted=True)


@pytest.mark.parametrize(
    ("night", "starts_at", "two_days", "three_hours"),
    [
        # Ordinary: 21:00 in Stockholm in November is 20:00 UTC.
        (date(2026, 11, 27), START, datetime(2026, 11, 25, 17, tzinfo=UTC), datetime(2026, 11, 27, 17, tzinfo=UTC)),
        # The Saturdays before the clock changes: two days before, it is still the old time.
        (
            date(2026, 10, 24),
            datetime(2026, 10, 24, 18, tzinfo=UTC),
            datetime(2026, 10, 22, 16, tzinfo=UTC),
            datetime(2026, 10, 24, 15, tzinfo=UTC),
        ),
        (
            date(2027, 3, 27),
            datetime(2027, 3, 27, 19, tzinfo=UTC),
            datetime(2027, 3, 25, 17, tzinfo=UTC),
            datetime(2027, 3, 27, 16, tzinfo=UTC),
        ),
        # The Monday after the change in October is winter time, its Saturday was summer time.
        (
            date(2026, 10, 26),
            datetime(2026, 10, 26, 20, tzinfo=UTC),
            datetime(2026, 10, 24, 16, tzinfo=UTC),
            datetime(2026, 10, 26, 17, tzinfo=UTC),
        ),
    ],
)
def test_reminders_are_due_at_18_two_days_before_and_three_hours_before(night, starts_at, two_days, three_hours):
    assert reminders_at(night, starts_at, STOCKHOLM) == {
        MessageKind.REMINDER_TWO_DAYS: two_days,
        MessageKind.REMINDER_THREE_HOURS: three_hours,
    }

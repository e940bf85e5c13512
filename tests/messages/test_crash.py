"""The outbox survives what a night brings: lost answers, hangs, and workers that are killed in the middle.

`scripts/bench texts` runs the same with a thousand texts and a kill every second.
"""

import pytest

from tests.messages.crashing import crash


def test_nobody_is_texted_twice_and_nothing_is_lost_when_workers_are_killed(each_url):
    told = crash(each_url, "guarded", 160, workers=4, share=0.3, seconds=60, kill_every=1.0)
    assert told.twice == 0, told
    assert told.never == 0, told
    assert told.complaints == []
    assert told.kills >= 2, told
    assert set(told.states) <= {"sent", "delivered", "unsettled"}, told
    assert told.states["sent"] >= 150, told


@pytest.mark.parametrize("how", ["naive"])
def test_a_worker_that_tries_again_what_was_not_confirmed_does_text_twice(each_url, how):
    """The control: the same night without looking up."""
    told = crash(each_url, how, 100, workers=4, share=0.3, seconds=8, kill_every=1.0)
    assert told.twice > 0, told

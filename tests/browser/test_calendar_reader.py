"""Thunderbird's parser, ical.js, in a browser whose own zone is neither UTC nor the town's."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.calendars.readers import Held
from tests.calendars.seasons import a_season, both_clock_nights

pytestmark = pytest.mark.browser
ICAL_JS = Path(__file__).parents[1] / "calendars" / "vendor" / "ical.js"

READ = """(text) => {
    const calendar = new ICAL.Component(ICAL.parse(text));
    return calendar.getAllSubcomponents("vevent").map((found) => {
        const event = new ICAL.Event(found);
        return [event.uid, event.startDate.toJSDate().toISOString(), event.endDate.toJSDate().toISOString(),
            event.startDate.zone.tzid, event.summary, found.getFirstPropertyValue("status")];
    });
}"""


@pytest.fixture
def thunderbird(chromium: Browser) -> Any:
    context = chromium.new_context(timezone_id="America/New_York")
    page = context.new_page()
    page.evaluate(ICAL_JS.read_text())

    def read(body: bytes) -> dict[str, Held]:
        found = {}
        for uid, start, end, zone, title, status in page.evaluate(READ, body.decode()):
            assert zone == "UTC"
            moments = [datetime.fromisoformat(moment) for moment in (start, end)]
            found[uid] = Held(*moments, title, status == "CANCELLED")
        return found

    yield read
    context.close()


def test_the_parser_holds_the_season(thunderbird, app, database, town, clock):
    program, held = a_season(app, database, town, clock)
    assert thunderbird(program.poll(200).data) == held


def test_the_parser_holds_both_nights_of_changed_clocks(thunderbird, app, database, town, clock):
    program, held = both_clock_nights(app, database, town, clock)
    assert thunderbird(program.poll(200).data) == held

"""Inside the last 24 hours: 18:00 on the Friday, three hours before the walk."""

import re

import pytest
from playwright.sync_api import Page, expect

from scheduler.bookings.actions import book
from tests.browser.conftest import Enter
from tests.browser.journeys import expect_booked, sign_in_by_phone, wait_out_a_double_tap
from tests.browser.site import Site

pytestmark = pytest.mark.browser


def tonight(site: Site) -> int:
    """Return the shift of the evening; it has one place left."""
    shift = site.coming()[0]
    assert shift.wanted - shift.booked == 1
    return int(shift.id)


def her_booking(friday: Site, enter: Enter, *, script: bool = True) -> tuple[Page, int]:
    """Return the page of the volunteer's booking of the evening."""
    volunteer = friday.person("volunteer")
    booking_id = friday.act(volunteer, book, tonight(friday), volunteer, "earlier")
    page = enter(friday, "volunteer", script=script)
    page.goto(f"/bookings/{booking_id}")
    expect_booked(page)
    if script:
        wait_out_a_double_tap(page)
    return page, booking_id


@pytest.mark.parametrize("script", [True, False])
def test_whom_nobody_has_relieved_yet_still_walks_and_may_keep_the_shift(
    friday: Site, enter: Enter, script: bool
) -> None:
    page, booking_id = her_booking(friday, enter, script=script)
    expect(page.locator("form[action$='/cancel']")).to_have_count(0)
    page.get_by_role("link", name="Jag kan inte gå").tap()
    page.locator("form[action$='/hand-over'] button").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Lämnas över: "))
    expect(page.get_by_role("status")).to_contain_text("ditt tills någon tar det")
    assert [booking.id for booking in friday.bookings(friday.person("volunteer"))] == [booking_id]
    if script:
        wait_out_a_double_tap(page)
    page.locator("form[action$='/keep'] button").tap()
    expect_booked(page)


def test_somebody_else_takes_the_shift_over_with_one_tap(friday: Site, enter: Enter) -> None:
    page, _ = her_booking(friday, enter)
    page.get_by_role("link", name="Jag kan inte gå").tap()
    page.locator("form[action$='/hand-over'] button").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Lämnas över: "))
    other = enter(friday, "contact")
    other.goto(f"/shifts/{friday.coming()[0].id}")
    other.locator("form[action$='/take-over'] button").tap()
    expect_booked(other)
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("Någon har tagit över ditt pass")
    assert friday.bookings(friday.person("volunteer")) == []
    assert len(friday.bookings(friday.person("contact"))) == 1


def test_one_person_is_asked_and_answers_under_her_own_shifts(friday: Site, enter: Enter) -> None:
    page, booking_id = her_booking(friday, enter)
    page.goto(f"/bookings/{booking_id}/hand-over")
    button = page.locator("form[action$='/hand-over'] button").first
    asked = int(button.get_attribute("value") or 0)
    button.tap()
    expect(page.get_by_role("status")).to_contain_text("ditt tills någon tar det")
    other = enter(friday)
    sign_in_by_phone(other, friday.phone(asked))
    other.locator("nav a[href='/mine']").tap()
    other.locator("form[action$='/take-over'] button").tap()
    expect_booked(other)
    assert friday.bookings(friday.person("volunteer")) == []


def test_who_cannot_come_at_all_is_free_at_once_and_the_coordinator_is_told(friday: Site, enter: Enter) -> None:
    page, _ = her_booking(friday, enter)
    page.get_by_role("link", name="Jag kan inte gå").tap()
    page.locator("form[action$='/cannot-come'] button").tap()
    expect(page.get_by_role("status")).to_contain_text("Samordnaren vet")
    assert friday.bookings(friday.person("volunteer")) == []
    assert friday.coming()[0].booked == 3
    page.goto("/demo/sms")
    expect(page.locator(".bubble", has_text="kan inte komma").first).to_be_visible()

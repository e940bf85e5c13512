import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.journeys import BOOK, code_in_texts, expect_booked, posts
from tests.browser.site import Site

pytestmark = pytest.mark.browser


def booked_count(site: Site) -> int:
    return len(site.bookings(site.person("volunteer")))


def test_without_signal_the_button_comes_back_with_a_word_and_the_next_tap_books_once(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    page.goto("/")
    button = page.locator(BOOK).first
    words = button.inner_text()
    page.context.set_offline(True)
    for _ in range(2):
        button.tap()
        expect(page.get_by_role("alert")).to_have_text(re.compile("^Inte skickat .* Tryck igen"))
        expect(button).not_to_have_attribute("aria-busy", "true")
        assert button.inner_text() == words
    assert page.url == f"{site.address}/"
    assert booked_count(site) == 0
    page.context.set_offline(False)
    button.tap()
    expect_booked(page)
    assert booked_count(site) == 1


def test_an_answer_that_is_lost_on_the_way_does_not_book_twice(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    page.goto("/")
    page.route("**/bookings", lambda route: (route.fetch(), route.abort()), times=1)
    button = page.locator(BOOK).first
    button.tap()
    expect(page.get_by_role("alert")).to_be_visible()
    assert booked_count(site) == 1
    button.tap()
    expect_booked(page)
    assert booked_count(site) == 1


def _go_on_after_signing_in(page: Page, site: Site) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Logga in")
    expect(page.get_by_role("status")).to_contain_text("sparat")
    page.get_by_label("Mobilnummer").fill("070-174 06 05")
    page.get_by_role("button", name="Skicka kod").tap()
    page.get_by_label("Kod").fill(code_in_texts(page))
    page.get_by_role("button", name="Logga in").tap()
    expect(page.get_by_role("status")).to_contain_text("Inget är skickat än")
    assert booked_count(site) == 0
    page.locator("form[action$='/bookings'] button").tap()
    expect_booked(page)
    assert booked_count(site) == 1


def test_a_tap_after_the_session_was_ended_elsewhere_is_kept_until_she_has_signed_in(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    page.goto("/")
    other = enter(site, "volunteer")
    other.goto("/me")
    other.locator("form[action$='/end'] button").first.tap()
    expect(other.locator("form[action$='/end']")).to_have_count(0)
    page.locator(BOOK).first.tap()
    _go_on_after_signing_in(page, site)


@pytest.mark.parametrize("script", [True, False])
def test_a_tap_after_the_cookie_is_gone_is_kept_until_she_has_signed_in(site: Site, enter: Enter, script: bool) -> None:
    page = enter(site, "volunteer", script=script)
    page.goto("/")
    page.context.clear_cookies()
    sent = posts(page)
    page.locator(BOOK).first.tap()
    _go_on_after_signing_in(page, site)
    assert len([request for request in sent if request.url.endswith("/bookings")]) <= 3

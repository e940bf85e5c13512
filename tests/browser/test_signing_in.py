import re

import pytest
from playwright.sync_api import expect

from scheduler.demo.actions import demo_phone
from tests.browser.conftest import Enter
from tests.browser.journeys import ask_for_code, code_in_texts, sign_in_by_phone
from tests.browser.site import Site

pytestmark = pytest.mark.browser

VISIBLE_FIELDS = "main input:not([type=hidden])"


def test_a_phone_number_and_the_code_from_the_text_let_her_in(site: Site, enter: Enter) -> None:
    page = enter(site)
    sign_in_by_phone(page, "070-174 06 05")
    expect(page).to_have_url(f"{site.address}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hej Eva")


@pytest.mark.parametrize("script", [True, False])
def test_signing_in_takes_two_fields_that_the_phone_fills_in(site: Site, enter: Enter, script: bool) -> None:
    page = enter(site, script=script)
    page.goto("/sign-in")
    number = page.locator(VISIBLE_FIELDS)
    expect(number).to_have_count(1)
    expect(number).to_have_attribute("type", "tel")
    expect(number).to_have_attribute("autocomplete", "tel")
    ask_for_code(page, demo_phone("volunteer"))
    code = page.locator(VISIBLE_FIELDS)
    expect(code).to_have_count(1)
    expect(code).to_have_attribute("autocomplete", "one-time-code")
    expect(code).to_have_attribute("inputmode", "numeric")
    expect(code).to_have_attribute("type", "text")


def test_a_wrong_code_says_so_and_the_right_one_still_works(site: Site, enter: Enter) -> None:
    page = enter(site)
    ask_for_code(page, demo_phone("volunteer"))
    right = code_in_texts(page)
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    page.get_by_label("Kod").fill(wrong)
    page.get_by_role("button", name="Logga in").tap()
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"\w+.*\."))
    expect(page.get_by_label("Kod")).to_have_value(wrong)
    page.get_by_label("Kod").fill(right)
    page.get_by_role("button", name="Logga in").tap()
    expect(page).to_have_url(f"{site.address}/")


def test_what_is_no_phone_number_is_kept_with_a_sentence_at_the_field(site: Site, enter: Enter) -> None:
    page = enter(site)
    ask_for_code(page, "060-12 34 56")
    field = page.get_by_label("Mobilnummer")
    expect(field).to_have_value("060-12 34 56")
    expect(field).to_have_attribute("aria-invalid", "true")
    sentence = page.locator(f"#{(field.get_attribute('aria-describedby') or '').split()[-1]}")
    expect(sentence).to_contain_text("fast telefon")


def test_signing_out_leaves_nothing_behind_back(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    page.goto("/mine")
    page.goto("/me")
    page.get_by_role("button", name="Logga ut").last.tap()
    expect(page).to_have_url(f"{site.address}/")
    expect(page.get_by_role("link", name="Logga in")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("/sign-in"))

"""A season of 34 nights on a phone: how many inputs it takes, and how long."""

import re
import time
from datetime import date

import pytest
from playwright.sync_api import expect

from scheduler.partnership.actions import sign_agreement
from scheduler.partnership.rules import BudgetLineKind
from tests.browser.conftest import Enter
from tests.browser.site import Site

pytestmark = pytest.mark.browser

MOST_INPUTS, MOST_SECONDS = 12, 90


def test_a_season_of_34_nights_takes_few_inputs_and_is_undone_in_one(site: Site, enter: Enter) -> None:
    site.database.write(
        lambda connection: sign_agreement(
            connection,
            1,
            starts_on=date(2028, 1, 1),
            ends_on=date(2028, 12, 31),
            night_rate_ore=250_000,
            promised_ore=27_500_000,
            lines_ore={BudgetLineKind.WEEKEND_NIGHTS: 25_000_000},
        )
    )
    page = enter(site, "coordinator")
    page.goto("/")
    begun, inputs = time.monotonic(), 0
    for address in ("/lead", "/lead/season", "/lead/season/plan"):
        page.locator(f"a[href='{address}']:visible").first.tap()
        page.wait_for_url(f"**{address}")
        inputs += 1
    for label, typed in (("Första kvällen", "2028-01-07"), ("Sista kvällen", "2028-04-29")):
        page.get_by_label(label).fill(typed)
        inputs += 1
    for button in ("Visa kvällarna", "Spara utkast"):
        page.get_by_role("button", name=button).tap()
        inputs += 1
    expect(page.get_by_role("status")).to_contain_text("sparade som utkast")
    expect(page.locator("article.card", has_text="34 kvällar")).to_contain_text("34 är utkast")
    assert inputs <= MOST_INPUTS
    assert time.monotonic() - begun < MOST_SECONDS
    page.locator("article.card", has_text="34 kvällar").get_by_text("Ångra alltihop").tap()
    page.get_by_role("button", name=re.compile(r"^Ångra 34 kvällar")).tap()
    expect(page.get_by_role("status")).to_contain_text("borttagna")


def test_a_second_area_is_one_tap_on_the_shifts_page_with_its_price(site: Site, enter: Enter) -> None:
    page = enter(site, "coordinator")
    single = next(shift for shift in site.coming() if sum(other.date == shift.date for other in site.coming()) == 1)
    page.goto(f"/lead/shifts/{single.id}")
    page.get_by_role("button", name=re.compile(r"^Öppna .* · 2 500 kr ")).first.tap()
    expect(page).not_to_have_url(f"{site.address}/lead/shifts/{single.id}")
    assert sum(other.date == single.date for other in site.coming()) == 2

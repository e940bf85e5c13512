"""The night itself, from the phone of who leads the walk."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.evenings import begin, tonight
from tests.browser.journeys import TAPS
from tests.browser.site import Site

pytestmark = pytest.mark.browser

MOST_TAPS_FOR_A_CALM_NOTE = 5


def test_one_button_leads_through_the_evening_and_a_calm_note_takes_five_taps(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    begin(friday, shift)
    page = enter(friday, "volunteer")
    page.add_init_script(TAPS)
    page.goto("/")
    expect(page).to_have_url(f"{friday.address}/shifts/{shift}/walk")
    expect(page.locator(".walkers a[href^='tel:+46']").first).to_be_visible()
    expect(page.locator(".walkers a[href^='sms:+46']").first).to_be_visible()
    page.get_by_role("button", name="Jag är på plats").tap()
    expect(page.get_by_role("button", name="Vi går ut")).to_be_visible()
    for box in page.locator("[name=here]:visible").all():
        box.check()
    page.get_by_role("button", name="Vi går ut").tap()
    expect(page.get_by_text("Ni är ute sedan")).to_be_visible()
    for item in ("briefing", "vests_out", "police_told"):
        page.locator(f"label:has([name=item][value={item}])").tap()
    page.get_by_role("button", name="Spara listan").tap()
    expect(page.locator("[name=item]:checked")).to_have_count(3)
    page.get_by_role("button", name="Vi är klara").tap()
    page.get_by_role("link", name="Skriv daganteckning").first.tap()
    page.wait_for_url("**/note")
    page.evaluate("sessionStorage.setItem('taps', 0)")
    for name, value in {"mood": "calm", "young_people": "none", "happened": "nothing", "follow_up": "no"}.items():
        page.locator(f"label:has([name={name}][value={value}])").tap()
    page.locator("form[data-draft] button").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Daganteckningen är inne")
    expect(page.get_by_text("Passet är gånget")).to_be_visible()
    assert 0 < page.evaluate("Number(sessionStorage.getItem('taps'))") <= MOST_TAPS_FOR_A_CALM_NOTE

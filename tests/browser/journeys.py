"""Ways through the pages that several tests go, in the words that a Swede reads."""

import re
from contextlib import closing

from playwright.sync_api import Locator, Page, Request, expect

BOOK = 'form[action$="/bookings"]:not(:has([name=waiting])) button'
QUEUE = 'form[action$="/bookings"]:has([name=waiting]) button'
# Counts what a finger taps, as long as the tab is open.
TAPS = """addEventListener("pointerdown", (event) => {
    if (event.isTrusted) sessionStorage.setItem("taps", Number(sessionStorage.getItem("taps")) + 1);
}, { capture: true })"""


def ask_for_code(page: Page, number: str) -> None:
    if "/sign-in" not in page.url:
        page.goto("/sign-in")
    page.get_by_label("Mobilnummer").fill(number)
    page.get_by_role("button", name="Skicka kod").tap()


def code_in_texts(page: Page) -> str:
    """Return the code that was just asked for, read in the demo's texts in a tab of its own."""
    expect(page.get_by_label("Kod")).to_be_visible()
    with closing(page.context.new_page()) as texts:
        texts.goto("/demo/sms")
        newest = texts.locator(".bubble").first.inner_text()
    found = re.search(r"\b\d{6}\b", newest)
    assert found, newest
    return found[0]


def sign_in_by_phone(page: Page, number: str) -> None:
    ask_for_code(page, number)
    page.get_by_label("Kod").fill(code_in_texts(page))
    page.get_by_role("button", name="Logga in").tap()


def expect_booked(page: Page) -> None:
    """Wait for the confirmation page, which has an address of its own."""
    expect(page).to_have_url(re.compile(r"/bookings/\d+$"))
    expect(page.get_by_role("status").get_by_role("heading", level=1)).to_have_text(re.compile("^Bokat: "))


def posts(page: Page) -> list[Request]:
    """Return a list that grows with each POST that the page sends."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    return sent


def middle(button: Locator) -> tuple[float, float]:
    box = button.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def wait_out_a_double_tap(page: Page) -> None:
    """Wait as long as a new page takes a tap for the second half of a double tap."""
    page.evaluate("new Promise((done) => setTimeout(done, 550))")

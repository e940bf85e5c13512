import io
import re

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from scheduler.gaps.actions import accept
from tests.browser.conftest import Enter
from tests.browser.journeys import BOOK, TAPS, code_in_texts, expect_booked, posts
from tests.browser.site import Site

pytestmark = pytest.mark.browser

MOST_TAPS_TO_ASK = 2
MOST_TAPS_TO_FILL = 3


def test_the_coordinator_sees_the_nights_that_need_her_with_their_flags_first(site: Site, enter: Enter) -> None:
    page = enter(site, "coordinator")
    page.goto("/lead")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^\d+ kvällar behöver dig$"))
    first = page.locator("main ol > li").first
    expect(first.get_by_role("heading")).to_have_text("lördag 28 november")
    expect(first.locator(".badge", has_text="Två områden behöver folk")).to_be_visible()
    expect(first.locator(".coverage")).to_have_count(2)
    expect(first).to_contain_text(re.compile(r"\d av 4"))
    coming = {shift.date for shift in site.coming()}
    page.get_by_role("link", name="Fler kvällar").tap()
    # A coming night stands once: above, where it needs somebody, or among the others.
    listed = page.locator("main ol.cards h2, section:has(#all) li.card h3")
    expect(listed).to_have_count(len(coming))
    assert len(set(listed.all_inner_texts())) == len(coming)


def test_the_coordinator_opens_a_shift_and_reads_who_walks_and_what_has_happened(site: Site, enter: Enter) -> None:
    page = enter(site, "coordinator")
    page.goto("/lead")
    shift = site.coming()[0]
    page.locator(f"a[href='/lead/shifts/{shift.id}']").first.tap()
    expect(page.locator("a[href^='/lead/people/']")).to_have_count(shift.booked)
    expect(page.locator(".log li").first).to_be_visible()
    page.locator("a[href^='/lead/people/']").first.tap()
    expect(page.locator("a[href^='tel:+46']")).to_be_visible()


def test_a_gap_is_asked_for_by_one_tap_that_says_how_many_and_for_how_much(site: Site, enter: Enter) -> None:
    page = enter(site, "coordinator")
    page.goto("/lead")
    button = page.locator("main ol > li").first.get_by_role("button", name=re.compile("^Fråga")).first
    told = re.match(r"Fråga (\d+) person(?:er)? · [\d,]+\xa0kr", button.inner_text())
    assert told
    button.tap()
    expect(page.get_by_role("status")).to_contain_text(f"Frågar: {told[1]} tillfrågade, 0 ja, 0 nej.")
    page.get_by_role("button", name="Sluta fråga").tap()
    expect(page.get_by_role("status")).to_contain_text("Stoppat")


def test_from_home_a_gap_is_asked_for_in_two_taps_and_the_answers_fill_it(site: Site, enter: Enter) -> None:
    page = enter(site, "coordinator")
    page.add_init_script(TAPS)
    page.goto("/")
    page.locator("nav.tabs a[href='/lead']").tap()
    area = page.locator("main ol > li").first.locator("li.area", has=page.get_by_role("button", name="Fråga")).first
    shift = int(str(area.locator("form").first.get_attribute("action")).split("/")[3])
    missing = site.missing(shift)
    assert missing
    area.get_by_role("button", name="Fråga").first.tap()
    expect(page.get_by_role("status")).to_contain_text("0 ja, 0 nej.")
    assert page.evaluate("Number(sessionStorage.getItem('taps'))") <= MOST_TAPS_TO_ASK
    for ask in site.asks(shift)[:missing]:
        site.act(ask.person_id, accept, ask.id)
    page.reload()
    expect(page.get_by_role("status")).to_contain_text(f"{missing} ja")
    assert site.missing(shift) == 0
    assert page.evaluate("Number(sessionStorage.getItem('taps'))") <= MOST_TAPS_TO_FILL


def test_a_newcomer_joins_by_her_clubs_link_is_approved_and_books(site: Site, enter: Enter) -> None:
    page = enter(site)
    page.goto("/join/demo-2")
    typed = {"Förnamn": "Zarah", "Efternamn": "Nylykta", "Mobilnummer": "060-123456", "Födelsedatum": "2012-02-30"}
    for label, text in typed.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Skicka kod").tap()
    problems = page.get_by_role("alert")
    expect(problems.get_by_role("link")).to_have_count(3)
    for label, text in typed.items():
        expect(page.get_by_label(label)).to_have_value(text)
    problems.get_by_role("link").first.tap()
    expect(page.get_by_label("Mobilnummer")).to_be_focused()

    page.get_by_label("Mobilnummer").fill("070 174 06 97")
    page.get_by_label("Födelsedatum").fill("1990-05-31")
    page.get_by_label("Jag delar").check()
    page.get_by_role("button", name="Skicka kod").tap()
    page.get_by_label("Kod").fill(code_in_texts(page))
    page.get_by_role("button", name="Logga in").tap()
    expect(page).to_have_url(f"{site.address}/joined")
    expect(page.get_by_role("heading", level=1)).to_have_text("Välkommen Zarah!")
    page.goto("/nights")
    expect(page.locator("article.card").first).to_be_visible()
    expect(page.locator(BOOK)).to_have_count(0)

    contact = enter(site, "contact")
    contact.goto("/")
    contact.locator("nav.tabs a[href^='/lead']").tap()
    contact.get_by_role("button", name="Godkänn Zarah Nylykta").tap()
    expect(contact.get_by_role("heading", name="Zarah Nylykta")).to_have_count(0)

    page.goto("/")
    page.locator(BOOK).first.tap()
    expect_booked(page)


def test_an_old_invitation_says_so(site: Site, enter: Enter) -> None:
    page = enter(site)
    answer = page.goto("/join/no-such-club")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("main")).to_contain_text("gäller inte längre")


def test_a_form_that_names_no_address_is_sent_once_to_its_own_page(site: Site, enter: Enter) -> None:
    page = enter(site, "coordinator")
    page.goto("/lead/autopilot")
    sent = posts(page)
    page.get_by_label("Föreslå").check()
    page.get_by_role("button", name="Spara").tap()
    expect(page.get_by_label("Föreslå")).to_be_checked()
    page.wait_for_load_state()
    assert [request.url for request in sent] == [f"{site.address}/lead/autopilot"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_reads_the_code_of_the_invitation_and_is_led_to_the_club(site: Site, enter: Enter, scheme: str) -> None:
    page = enter(site, "contact")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto("/lead/clubs/2/invitation")
    shown = Image.open(io.BytesIO(page.get_by_role("img", name="QR").screenshot()))
    (code,) = zxingcpp.read_barcodes(shown.convert("L"))
    assert code.text.startswith(f"{site.address}/join/")
    page.goto(code.text)
    expect(page.get_by_role("button", name="Skicka kod")).to_be_visible()


def test_a_receipt_that_is_too_large_is_told_before_it_is_sent(site: Site, enter: Enter) -> None:
    page = enter(site, "coordinator")
    page.goto("/lead/money/purchases/new")
    page.get_by_label("Vad som köptes").fill("Batterier")
    receipt = page.get_by_label("Kvitto")
    receipt.set_input_files(
        {"name": "kvitto.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-" + b"x" * 6_000_000}
    )
    assert "större än 5 MB" in str(receipt.evaluate("field => field.validationMessage"))
    sent = posts(page)
    page.get_by_role("button", name="Spara").tap()
    expect(receipt).to_be_focused()
    assert not sent
    receipt.set_input_files({"name": "kvitto.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"})
    assert not receipt.evaluate("field => field.validationMessage")
    expect(page.get_by_label("Vad som köptes")).to_have_value("Batterier")

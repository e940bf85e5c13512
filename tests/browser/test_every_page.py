"""The bar of every page in every state: valid, quiet, reachable by all, readable in every mode and at every size."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, CDPSession, Page, Request, Response

from tests.browser.conftest import PHONE, phone
from tests.browser.journeys import sign_in_by_phone
from tests.browser.places import INVITED, PLACES, Ids, Place, furnish, furnish_friday
from tests.browser.site import Site
from tests.visitor import inspected

pytestmark = pytest.mark.browser

MEASURES = (Path(__file__).parent / "measures.js").read_text()
NEWCOMER = "070-174 06 92"  # the demo's first person who waits to be approved
Scheme = Literal["dark", "light"]
SCHEMES: tuple[Scheme, Scheme] = ("dark", "light")
AXE_AT: tuple[tuple[int, tuple[Scheme, ...]], ...] = ((320, ("dark",)), (360, ("light",)), (1280, SCHEMES))
NORMAL_FONT, TWICE_THE_FONT = 16, 32


@dataclass
class Town:
    """Furnished sites, their kept states, and one browser for each person."""

    site: Site
    kept: Path
    ids: Ids
    pages: dict[str, Page] = field(default_factory=dict)


@dataclass
class Arrived:
    """A page on which somebody has arrived, and what was noticed on the way."""

    place: Place
    page: Page
    session: CDPSession
    html: str
    noticed: list[str]


def _page(chromium: Browser, site: Site) -> Page:
    return phone(chromium, site, is_mobile=False).new_page()


@pytest.fixture(scope="module")
def monday_town(chromium: Browser, monday_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    site = monday_site
    site.restore(site.beginning)
    ids = furnish(site)
    pages = {
        role: _page(chromium, site)
        for role in ("", "newcomer", "invited", "volunteer", "contact", "coordinator", "municipality")
    }
    for role in ("volunteer", "contact", "coordinator", "municipality"):
        pages[role].context.add_cookies([site.sign_in(role)])
    pages["leaver"] = _page(chromium, site)
    pages["leaver"].context.add_cookies([site.sign_in("contact")])
    sign_in_by_phone(pages["newcomer"], NEWCOMER)
    pages["newcomer"].wait_for_url("**/")
    sign_in_by_phone(pages["invited"], INVITED)
    pages["invited"].wait_for_url("**/welcome")
    yield Town(site, site.keep(tmp_path_factory.mktemp("kept") / "monday.sqlite3"), ids, pages)
    for page in pages.values():
        page.context.close()


@pytest.fixture(scope="module")
def friday_town(chromium: Browser, friday_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    site = friday_site
    site.restore(site.beginning)
    ids = furnish_friday(site)
    pages = {role: _page(chromium, site) for role in ("", "volunteer")}
    pages["volunteer"].context.add_cookies([site.sign_in("volunteer")])
    yield Town(site, site.keep(tmp_path_factory.mktemp("kept") / "friday.sqlite3"), ids, pages)
    for page in pages.values():
        page.context.close()


@pytest.fixture(scope="module", params=PLACES, ids=str)
def arrived(request: pytest.FixtureRequest) -> Iterator[Arrived]:
    """Every place in turn; all that is measured there is measured before the next."""
    place: Place = request.param
    town: Town = request.getfixturevalue("friday_town" if place.on_friday else "monday_town")
    town.site.restore(town.kept)
    page = town.pages[place.role]
    noticed: list[str] = []
    answers: list[Response] = []

    def hear(message: Any) -> None:
        # The browser itself reports an answer of 4xx, which is the right one in some places.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            noticed.append(message.text)

    def see(request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(town.site.address).netloc:
            noticed.append(f"asks another host: {request.url}")

    def take(response: Response) -> None:
        if response.request.resource_type == "document" and response.status not in {302, 303}:
            answers.append(response)
        elif response.status >= 400 and response.request.resource_type != "fetch":
            noticed.append(f"{response.status} for {response.url}")

    listeners = {
        "console": hear,
        "pageerror": lambda error: noticed.append(str(error)),
        "request": see,
        "response": take,
    }
    for event, listener in listeners.items():
        page.on(event, listener)  # type: ignore[call-overload]
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    page.goto(place.path.format(**town.ids), wait_until="load")
    place.steps(page)
    page.wait_for_load_state("load")
    page.evaluate(MEASURES)
    session = page.context.new_cdp_session(page)
    yield Arrived(place, page, session, answers[-1].text(), noticed)
    session.detach()
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    assert not town.site.faults()


@pytest.fixture
def page(arrived: Arrived) -> Iterator[Page]:
    """The place on a small phone in the dark, at its top; whatever a test changes is set right again."""
    page = arrived.page
    yield page
    if page.viewport_size != PHONE:
        page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark", reduced_motion="no-preference", forced_colors="none")
    page.evaluate("document.documentElement.removeAttribute('dir'); document.adoptedStyleSheets = []; scrollTo(0, 0)")


def test_a_page_is_valid_html(arrived: Arrived) -> None:
    inspected(arrived.html)


def test_a_page_leaves_the_console_quiet_and_asks_no_other_host(arrived: Arrived) -> None:
    assert arrived.noticed == []


def test_every_target_can_be_hit_with_a_thumb(page: Page) -> None:
    faults = page.evaluate("[...measure.small(), ...measure.uncomfortable()]")
    assert not faults, "\n".join(faults)


MEASURE_SIZE = """(where) => {
    const [sideways, share] = [measure.sideways(), measure.fixedShare()];
    const faults = measure.cut();
    if (sideways > 0) faults.push(`${sideways} px sideways`);
    if (share > 0.3) faults.push(`fixed parts take ${Math.round(share * 100)} % of the height`);
    return faults.map((fault) => `${where}: ${fault}`);
}"""


def _faults_of_sizes(page: Page, sizes: Iterable[tuple[int, int]]) -> list[str]:
    faults = []
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        faults += page.evaluate(MEASURE_SIZE, f"{width} x {height}")
    return faults


def test_nothing_is_cut_on_any_screen(page: Page) -> None:
    faults = _faults_of_sizes(page, [(320, 740), (360, 740), (640, 320), (1280, 800)])
    assert not faults, "\n".join(faults)


def test_nothing_is_cut_with_text_of_twice_the_size(arrived: Arrived, page: Page) -> None:
    arrived.session.send("Page.setFontSizes", {"fontSizes": {"standard": TWICE_THE_FONT, "fixed": TWICE_THE_FONT}})
    faults = _faults_of_sizes(page, [(320, 740), (360, 740), (1280, 800)])
    arrived.session.send("Page.setFontSizes", {"fontSizes": {"standard": NORMAL_FONT, "fixed": NORMAL_FONT}})
    assert not faults, "\n".join(faults)


WIDE_TEXT = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
        word-spacing: 0.16em !important; } p { margin-block-end: 2em !important; }`);
    document.adoptedStyleSheets = [sheet];
}"""


def test_nothing_is_cut_with_wide_text_spacing(page: Page) -> None:
    page.evaluate(WIDE_TEXT)
    faults = _faults_of_sizes(page, [(320, 740)])
    assert not faults, "\n".join(faults)


def test_nothing_goes_sideways_from_right_to_left(page: Page) -> None:
    page.evaluate("document.documentElement.dir = 'rtl'")
    faults = page.evaluate(MEASURE_SIZE, "from right to left")
    assert not faults, "\n".join(faults)


# All text holds 7:1, more than the usual rule asks for.
AXE = """async (everything) => {
    const kept = { preload: false, iframes: false, resultTypes: ["violations", "incomplete"] };
    const contrast = { ...kept, runOnly: ["color-contrast-enhanced"] };
    const others = { ...kept, rules: { "color-contrast": { enabled: false } } };
    const { violations, incomplete } = await axe.run(contrast);
    const more = everything ? (await axe.run(others)).violations : [];
    return [...violations, ...incomplete, ...more].flatMap((rule) => rule.nodes.map((node) =>
        `${rule.id}: ${node.target} ${node.html.slice(0, 90)} ${node.any.map((check) => check.message)}`));
}"""


def test_axe_finds_nothing_and_leaves_no_contrast_open(page: Page) -> None:
    """In both schemes, at three widths, each as high as the page, so that the fixed bar lies over nothing.

    Colours are the same at 320 and at 360 px, so each scheme is looked at in one of them. What does not hang
    on colours is asked once for each width.
    """
    page.evaluate(AXE_SCRIPT)
    faults = []
    for width, schemes in AXE_AT:
        page.set_viewport_size({"width": width, "height": 740})
        page.set_viewport_size({"width": width, "height": page.evaluate("document.documentElement.scrollHeight + 1")})
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate(AXE, scheme == schemes[0])
            faults += [f"{width} px, {scheme}: {fault}" for fault in found]
    assert not faults, "\n".join(faults)


def test_edges_of_controls_and_signs_stand_out(page: Page) -> None:
    faults = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        faults += [f"{scheme}: {fault}" for fault in page.evaluate("measure.faint()")]
    assert not faults, "\n".join(faults)


def test_forced_colours_keep_the_edges(page: Page) -> None:
    page.emulate_media(color_scheme="dark", forced_colors="active")
    assert page.evaluate("measure.edgeless()") == []


def test_nothing_moves_for_who_has_asked_for_stillness(page: Page) -> None:
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert page.evaluate("measure.moving()") == []


BRIGHTNESS = """async (picture) => {
    const bytes = Uint8Array.from(atob(picture), (sign) => sign.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) {
        sum += 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2];
    }
    return sum / (data.length / 4) / 255;
}"""


def test_the_dark_is_dark(page: Page) -> None:
    brightness = page.evaluate(BRIGHTNESS, base64.b64encode(page.screenshot()).decode())
    assert brightness < 0.3


# Day, month, year and the button of a calendar; the stop that shows the field was counted.
MOST_PARTS = 4
IN_A_DATE = "() => document.activeElement.matches('input[type=date], input[type=time]')"
FROM_THE_TOP = "document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')"


def test_the_keyboard_reaches_every_control_in_order_with_a_ring_that_nothing_covers(page: Page) -> None:
    controls = page.evaluate_handle("measure.focusable()")
    count = page.evaluate("(controls) => controls.length", controls)
    page.evaluate(FROM_THE_TOP)
    steps = []
    for _ in range(count):
        page.keyboard.press("Tab")
        step = page.evaluate("(controls) => measure.focused(controls)", controls)
        # A browser's own field for a day or a time has a stop for each part of it: go on to the next control.
        for _part in range(MOST_PARTS):
            if not steps or step["index"] != steps[-1]["index"] or not page.evaluate(IN_A_DATE):
                break
            page.keyboard.press("Tab")
            step = page.evaluate("(controls) => measure.focused(controls)", controls)
        steps.append(step)
    assert [step["index"] for step in steps] == list(range(count)), [step["name"] for step in steps]
    assert [step for step in steps if step["ring"] < 2 or step["ringContrast"] < 3] == []
    assert [step for step in steps if step["covered"]] == []

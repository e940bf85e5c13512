"""What goes over the wire, and how long a slow phone with slow signal waits."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import CDPSession, Page

from tests.browser.conftest import Enter
from tests.browser.journeys import BOOK, expect_booked
from tests.browser.site import Site

pytestmark = pytest.mark.browser

KB = 1000
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 400_000 / 8, "uploadThroughput": 400_000 / 8}
CPU_SLOWER = 4
TRIES = 3  # of each time that is measured the best counts: other programs share the processors


@dataclass
class Wire:
    """All that a page loads, as the browser's network layer counts it: heads and bodies, compressed."""

    kinds: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)

    def listen(self, session: CDPSession) -> None:
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _received(self, event: dict) -> None:
        self.kinds[event["requestId"]] = event["type"]
        self.addresses[event["requestId"]] = event["response"]["url"]

    def _finished(self, event: dict) -> None:
        self.bytes[event["requestId"]] = event["encodedDataLength"]

    def total(self, kind: str | None = None) -> int:
        return sum(size for name, size in self.bytes.items() if kind is None or self.kinds[name] == kind)

    def files(self) -> int:
        return sum(size > 0 for size in self.bytes.values())

    def hosts(self) -> set[str]:
        return {urlsplit(address).netloc for address in self.addresses.values() if not address.startswith("data:")}


def loaded(page: Page, path: str) -> Wire:
    wire = Wire()
    session = page.context.new_cdp_session(page)
    wire.listen(session)
    page.goto(path, wait_until="networkidle")
    session.detach()
    return wire


@pytest.mark.parametrize("role", ["", "volunteer"])
def test_the_first_view_of_home_weighs_less_than_20_kb_in_6_files(site: Site, enter: Enter, role: str) -> None:
    wire = loaded(enter(site, role), "/")
    assert set(wire.kinds.values()) >= {"Document", "Stylesheet", "Script"}, wire.kinds
    assert wire.total() <= 20 * KB, {wire.addresses[name]: size for name, size in wire.bytes.items()}
    assert wire.files() <= 6, wire.addresses
    assert 0 < wire.total("Script") <= 15 * KB
    assert 0 < wire.total("Stylesheet") <= 12 * KB
    assert wire.hosts() == {urlsplit(site.address).netloc}


def test_the_second_visit_weighs_less_than_15_kb(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    first = loaded(page, "/")
    page.close()
    second = loaded(page.context.new_page(), "/")
    assert second.total() <= 15 * KB
    assert second.total("Stylesheet") == second.total("Script") == 0 < first.total("Stylesheet")


def slow_phone(enter: Enter, site: Site, role: str) -> Page:
    page = enter(site, role)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW_3G)
    session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    return page


PAINTED = """() => performance.getEntriesByName("first-contentful-paint").length > 0"""
PAINTS = """() => new Promise((done) => {
    const told = { largest: 0, shift: 0, blocking: 0 };
    const watch = (type, add) => {
        new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type, buffered: true });
    };
    watch("largest-contentful-paint", (entry) => { told.largest = Math.max(told.largest, entry.startTime); });
    watch("layout-shift", (entry) => { told.shift += entry.value; });
    watch("longtask", (entry) => { told.blocking += Math.max(entry.duration - 50, 0); });
    told.first = performance.getEntriesByName("first-contentful-paint")[0].startTime;
    requestAnimationFrame(() => setTimeout(() => done(told)));
})"""


@pytest.mark.parametrize("role", ["", "volunteer"])
def test_on_slow_3g_home_is_painted_in_time_and_stands_still(site: Site, enter: Enter, role: str) -> None:
    measured = []
    for _ in range(TRIES):
        page = slow_phone(enter, site, role)
        page.goto("/", wait_until="networkidle")
        page.wait_for_function(PAINTED)
        measured.append(page.evaluate(PAINTS))
        page.context.close()
        if measured[-1]["largest"] <= 1500 and measured[-1]["blocking"] < 150:
            break
    assert min(told["first"] for told in measured) <= 2500, measured
    assert 0 < min(told["largest"] for told in measured) <= 2500, measured
    assert min(told["blocking"] for told in measured) < 150, measured
    assert max(told["shift"] for told in measured) < 0.02, measured


# Notes when the finger touched, and when the answer to it was on the screen.
NOTE_ANSWER = """(button) => {
    button.addEventListener("pointerdown", (event) => {
        sessionStorage.touched = performance.timeOrigin + event.timeStamp;
    }, { capture: true });
    window.answered = new Promise((done) => new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
        done(performance.timeOrigin + performance.now() - sessionStorage.touched);
    }))).observe(button, { attributes: true, childList: true }));
}"""
BOOKED = """() => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    return performance.timeOrigin + paint.startTime - sessionStorage.touched;
}"""


def test_on_a_slow_phone_a_tap_is_answered_at_once(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    page.route("**/bookings", lambda _route: None)  # the booking itself is never answered
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    milliseconds: list[float] = []
    while len(milliseconds) < 3 * TRIES and (not milliseconds or milliseconds[-1] > 100):
        page.goto("/")
        button = page.locator(BOOK).first
        button.evaluate(NOTE_ANSWER)
        button.tap()
        milliseconds.append(page.evaluate("window.answered"))
        assert page.locator("[aria-busy=true]").inner_text() == "Bokar…"
    assert 0 < min(milliseconds) <= 150, milliseconds


def test_on_slow_3g_a_tap_shows_the_booking_soon(site: Site, enter: Enter) -> None:
    milliseconds: list[float] = []
    while len(milliseconds) < TRIES and (not milliseconds or milliseconds[-1] > 1500):
        site.restore(site.beginning)
        page = slow_phone(enter, site, "volunteer")
        page.goto("/")
        button = page.locator(BOOK).first
        button.evaluate(NOTE_ANSWER)
        button.tap()
        expect_booked(page)
        page.wait_for_function(PAINTED)
        milliseconds.append(page.evaluate(BOOKED))
        page.context.close()
    assert 0 < min(milliseconds) <= 2500, milliseconds

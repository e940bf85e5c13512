"""Without signal: the evening's page and one's own shifts are there, taps wait and are sent once, and a phone that
somebody else takes over shows nothing."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from scheduler.bookings.actions import book
from scheduler.walks.queries import evening
from tests import make
from tests.browser.conftest import Enter
from tests.browser.evenings import begin, tonight
from tests.browser.journeys import BOOK, expect_booked, posts
from tests.browser.site import Site

pytestmark = pytest.mark.browser

KEPT = """async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("kept-"));
    const found = await Promise.all(names.map(async (name) => (await (await caches.open(name)).keys())));
    return found.flat().map((request) => new URL(request.url).pathname).sort();
}"""
WORKING = """async () => {
    const { active } = await navigator.serviceWorker.ready;
    return active.state === "activated" && navigator.serviceWorker.controller !== null;
}"""
MOST_LOOKS = 750
WORKERS = "async () => (await navigator.serviceWorker.getRegistrations()).length"


def wait_until(page: Page, script: str, arg: object = None) -> None:
    """Wait until an async function gives true in the page. Playwright's own wait takes the promise itself for true."""
    page.evaluate(
        f"""async (arg) => {{
            const look = {script};
            for (let looks = 0; !(await look(arg)); looks += 1) {{
                if (looks === {MOST_LOOKS}) throw new Error("never true: " + look);
                await new Promise((resolve) => setTimeout(resolve, 20));
            }}
        }}""",
        arg,
    )


def is_here(site: Site, shift: int) -> bool:
    volunteer = site.person("volunteer")

    def look(connection, acting):  # type: ignore[no-untyped-def]
        return evening(connection, acting.partnership_id, shift, volunteer, site.now).here

    with site.database.reading() as connection:
        return volunteer in look(connection, site.acting(volunteer))


def kept(page: Page, *paths: str) -> None:
    """Wait until the worker has kept just these pages, and the note of each evening among them."""
    notes = {path.removesuffix("/walk") + "/note" for path in paths if path.endswith("/walk")}
    wait_until(page, WORKING)
    wait_until(
        page,
        f"async (wanted) => JSON.stringify(await ({KEPT})()) === JSON.stringify(wanted)",
        arg=sorted({*paths, *notes}),
    )


def test_the_evening_opens_and_reloads_without_signal_and_a_tap_waits_and_is_sent_once(
    friday: Site, enter: Enter
) -> None:
    shift = tonight(friday)
    walk = f"/shifts/{shift}/walk"
    page = enter(friday, "volunteer")
    page.goto(walk)
    kept(page, "/mine", walk)
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text(re.compile("^Sparad .* Kan ha ändrats"))).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator(".walkers a[href^='tel:']").count() >= 1, "the team can be called"
    assert page.evaluate("getComputedStyle(document.querySelector('main')).maxInlineSize"), "it is drawn in its style"
    page.get_by_role("button", name="Jag är på plats").tap()
    expect(page.get_by_text("Väntar på täckning (1)")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Väntar på täckning (1)")).to_be_visible()
    assert not is_here(friday, shift)
    sent = posts(page)
    page.context.set_offline(False)
    # What waited is sent, and the page comes anew from the network.
    expect(page.locator("body[data-saved-at]")).to_have_count(0)
    expect(page.get_by_role("button", name="Vi går ut")).to_be_visible()
    expect(page.get_by_text("Väntar på täckning")).to_have_count(0)
    assert is_here(friday, shift)
    page.reload()
    expect(page.get_by_role("button", name="Vi går ut")).to_be_visible()
    assert len(sent) == 1, [request.url for request in sent]


def test_a_whole_evening_without_signal_is_sent_when_there_is_one(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    walk = f"/shifts/{shift}/walk"
    page = enter(friday, "volunteer")
    page.goto(walk)
    kept(page, "/mine", walk)
    page.context.set_offline(True)
    # The app opened anew: the evening takes the place of Home without signal too.
    page.goto("/")
    page.get_by_role("button", name="Jag är på plats").tap()
    expect(page.get_by_text("Väntar på täckning (1)")).to_be_visible()
    page.reload()
    for box in page.locator("[data-after='here in'] [name=here]").all():
        box.check()
    page.get_by_role("button", name="Vi går ut").tap()
    expect(page.get_by_role("button", name="Jag är på plats")).to_be_hidden()
    page.get_by_role("button", name="Vi är klara").tap()
    expect(page.get_by_text("Väntar på täckning (3)")).to_be_visible()
    expect(page.get_by_role("link", name="Skriv daganteckning")).to_be_visible()
    page.context.set_offline(False)
    # What waited is sent, and the page comes anew from the network.
    expect(page.locator("body[data-saved-at]")).to_have_count(0)
    expect(page.get_by_text("Väntar på täckning")).to_have_count(0)
    page.goto(walk)
    expect(page.get_by_text("Ni är klara sedan")).to_be_visible()


def test_the_note_is_written_without_signal_and_sent_after_the_taps_before_it(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    begin(friday, shift)
    walk, note = f"/shifts/{shift}/walk", f"/shifts/{shift}/note"
    page = enter(friday, "volunteer")
    page.goto(walk)
    kept(page, "/mine", walk)
    page.context.set_offline(True)
    page.get_by_role("button", name="Jag är på plats").tap()
    for box in page.locator("[data-after='here in'] [name=here]").all():
        box.check()
    page.get_by_role("button", name="Vi går ut").tap()
    page.get_by_role("button", name="Vi är klara").tap()
    page.get_by_role("link", name="Skriv daganteckning").first.tap()
    page.wait_for_url(f"**{note}")
    for box in page.locator("[name=came]").all():
        expect(box).to_be_checked()
    for name, value in {"mood": "calm", "young_people": "none", "happened": "nothing", "follow_up": "no"}.items():
        page.locator(f"label:has([name={name}][value={value}])").tap()
    page.locator("form[data-draft] button").tap()
    expect(page.get_by_text("Väntar på täckning (4)")).to_be_visible()
    page.reload()
    expect(page.locator("[name=mood][value=calm]")).to_be_checked()
    page.context.set_offline(False)
    # What waited is sent, and the page comes anew from the network.
    expect(page.locator("body[data-saved-at]")).to_have_count(0)
    expect(page.get_by_text("Väntar på täckning")).to_have_count(0)
    expect(page.get_by_text("Daganteckningen kom in")).to_be_visible()
    page.goto(walk)
    kept_notes = f"async () => (await ({KEPT})()).filter((path) => path.endsWith('/note')).length === 0"
    wait_until(page, kept_notes)


def test_a_note_kept_before_the_shift_opens_when_it_has_begun(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    walk, note = f"/shifts/{shift}/walk", f"/shifts/{shift}/note"
    page = enter(friday, "volunteer")
    page.goto(walk)
    kept(page, "/mine", walk)
    page.context.set_offline(True)
    page.clock.set_fixed_time(friday.now)
    page.goto(note)
    expect(page.get_by_text("Passet har inte börjat")).to_be_visible()
    expect(page.locator("form[data-draft]")).to_be_hidden()
    page.clock.set_fixed_time(friday.now + timedelta(hours=8))
    page.reload()
    expect(page.get_by_text("Passet har inte börjat")).to_be_hidden()
    expect(page.locator("form[data-draft]")).to_be_visible()


def test_what_waited_and_was_refused_is_told(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    walk = f"/shifts/{shift}/walk"
    page = enter(friday, "volunteer")
    page.goto(walk)
    kept(page, "/mine", walk)
    page.context.set_offline(True)
    page.get_by_role("button", name="Jag är på plats").tap()
    page.get_by_role("button", name="Vi går ut").tap()  # alone: a team of one does not walk
    expect(page.get_by_text("Väntar på täckning (2)")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_contain_text("togs inte emot")
    expect(page.get_by_role("button", name="Vi går ut")).to_be_visible()
    page.reload()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_page_opened_anew_without_signal_is_the_kept_one(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    page = enter(friday, "volunteer")
    page.goto(f"/shifts/{shift}/walk")
    kept(page, "/mine", f"/shifts/{shift}/walk")
    page.context.set_offline(True)
    page.close()
    other = page.context.new_page()
    other.goto(f"/shifts/{shift}/walk")
    expect(other.get_by_role("button", name="Jag är på plats")).to_be_visible()


def test_what_was_booked_is_there_without_signal_without_having_been_opened(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    page.goto("/")
    page.locator(BOOK).first.tap()
    expect_booked(page)
    kept(page, "/mine")
    booked = page.url
    day = page.get_by_role("heading", level=1).inner_text().removeprefix("Bokat: ").split(" ")[-2:]
    page.context.set_offline(True)
    page.goto("/mine")
    expect(page.locator(f"a[href='{booked.removeprefix(site.address)}']")).to_contain_text(" ".join(day))


def test_on_the_day_the_evening_is_kept_with_my_shifts(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    page = enter(friday, "volunteer")
    page.goto("/mine")
    kept(page, "/mine", f"/shifts/{shift}/walk")


def test_no_other_page_is_kept_and_says_so_kindly(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    page = enter(friday, "volunteer")
    for path in ("/mine", "/", "/nights", f"/shifts/{shift}", "/me", "/me/data", "/tonight", "/mine"):
        page.goto(path)
    kept(page, "/mine", f"/shifts/{shift}/walk")
    page.context.set_offline(True)
    for path in ("/nights", "/me", f"/shifts/{shift}"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text("Ingen täckning")
    page.get_by_role("link", name="Mina pass").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mina pass")


def test_after_signing_out_a_shared_phone_shows_nothing(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    page = enter(friday, "volunteer")
    page.goto(f"/shifts/{shift}/walk")
    kept(page, "/mine", f"/shifts/{shift}/walk")
    page.goto("/me")
    page.locator("form[action='/sign-out'] button").tap()
    expect(page.locator("a[href='/sign-in']").first).to_be_visible()
    assert page.evaluate(KEPT) == []
    wait_until(page, f"async () => (await ({WORKERS})()) === 0 && (await caches.keys()).length === 0")
    page.context.set_offline(True)
    other = page.context.new_page()
    for path in ("/mine", f"/shifts/{shift}/walk"):
        with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
            other.goto(path)


def test_whoever_signs_in_next_sees_nothing_of_the_one_before(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    page = enter(friday, "volunteer")
    page.goto(f"/shifts/{shift}/walk")
    kept(page, "/mine", f"/shifts/{shift}/walk")
    # The session ended elsewhere; nobody signed out here.
    page.context.clear_cookies()
    page.goto("/mine")
    expect(page.get_by_role("heading", level=1)).to_have_text("Logga in")
    wait_until(page, f"async () => (await ({KEPT})()).length === 0")
    page.goto("/demo/sign-in/coordinator")
    page.context.set_offline(True)
    page.goto(f"/shifts/{shift}/walk")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ingen täckning")


def test_a_walk_that_is_days_away_is_not_kept_with_its_numbers(site: Site, enter: Enter) -> None:
    volunteer = site.person("volunteer")
    shift = next(one.id for one in site.coming() if one.booked < one.wanted and one.date > make.SATURDAY)
    site.act(volunteer, book, shift, volunteer, "furnished")
    page = enter(site, "volunteer")
    page.goto(f"/shifts/{shift}/walk")
    kept(page, "/mine")


def test_a_copy_whose_time_is_over_is_gone(friday: Site, enter: Enter) -> None:
    shift = tonight(friday)
    walk = f"/shifts/{shift}/walk"
    page = enter(friday, "volunteer")
    page.goto(walk)
    kept(page, "/mine", walk)
    # Once more, so that nothing of the first visit is still on its way.
    began = page.evaluate("Date.now()")
    page.reload()
    for path in (walk, f"/shifts/{shift}/note"):
        wait_until(
            page,
            """async ([path, began]) => {
                const kept = await caches.open((await caches.keys()).find((one) => one.startsWith("kept-")));
                const text = await (await kept.match(path))?.text();
                return Number(/data-saved-at="(\\d+)"/.exec(text ?? "")?.[1]) >= began;
            }""",
            arg=[path, began],
        )
    page.context.set_offline(True)
    for path in (walk, f"/shifts/{shift}/note"):
        wait_until(
            page,
            """async (path) => {
                const kept = await caches.open((await caches.keys()).find((one) => one.startsWith("kept-")));
                const copy = await kept.match(path);
                if (!copy) return false;
                const headers = new Headers(copy.headers);
                headers.set("X-Lykta-Keep-Until", Date.now() - 1);
                await kept.put(path, new Response(await copy.text(), { headers }));
                return true;
            }""",
            arg=path,
        )
    page.goto(walk)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ingen täckning")
    kept(page, "/mine")


def test_the_worker_is_of_the_house_and_never_grows_old(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    faults: list[str] = []
    answer = page.goto("/mine")
    assert answer is not None
    assert "worker-src 'self'" in answer.headers["content-security-policy"]
    wait_until(page, WORKING)
    script = page.request.get("/sw.js")
    assert script.headers["cache-control"] == "no-cache"
    assert script.headers["content-type"].startswith("text/javascript")
    assert faults == []


def test_public_pages_bring_no_worker(site: Site, enter: Enter) -> None:
    page = enter(site)
    for path in ("/", "/tonight", "/accounts", "/sign-in", "/offline"):
        page.goto(path)
        assert page.evaluate(WORKERS) == 0

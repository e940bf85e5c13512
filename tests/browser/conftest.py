import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.site import FRIDAY, Site, prepare

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-gpu",
)
PHONE = {"width": 360, "height": 740}
PATIENCE_MILLISECONDS = 10_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    place = os.environ.get("TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if place is None:
        pytest.fail("There is no Chromium or Chrome to test with; say where one is: TEST_BROWSER=…", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=list(ARGUMENTS), chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's database, made once for all processes that the tests run in."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    file, done = folder / "demo.sqlite3", folder / "demo.done"
    with (folder / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            prepare(file)
            done.touch()
    return file


@pytest.fixture(scope="session")
def monday_site(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    started = Site(tmp_path_factory.mktemp("monday"), prepared)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def friday_site(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    started = Site(tmp_path_factory.mktemp("friday"), prepared, FRIDAY)
    yield started
    started.stop()


@pytest.fixture
def site(monday_site: Site) -> Iterator[Site]:
    """The demo at noon on Monday 23 November 2026, as if nobody had ever been there."""
    monday_site.restore(monday_site.beginning)
    yield monday_site
    assert not monday_site.faults()


@pytest.fixture
def friday(friday_site: Site) -> Iterator[Site]:
    """The demo at 18:00 on the Friday of that week, three hours before the walk."""
    friday_site.restore(friday_site.beginning)
    yield friday_site
    assert not friday_site.faults()


Enter = Callable[..., Page]


@pytest.fixture
def enter(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Enter]:
    """Open a phone's browser at a site, signed in as one of the demo's people or not: `enter(site, "volunteer")`."""
    contexts: list[BrowserContext] = []

    def entered(site: Site, role: str = "", *, script: bool = True, **options: Any) -> Page:
        context = phone(chromium, site, java_script_enabled=script, **options)
        contexts.append(context)
        if role:
            context.add_cookies([site.sign_in(role)])
        return context.new_page()

    yield entered
    for context in contexts:
        context.close()


def phone(browser: Browser, site: Site, **options: Any) -> BrowserContext:
    """Return a browser of its own, with nothing kept, on a small phone held by a Swede in the dark."""
    given = {"viewport": PHONE, "has_touch": True, "is_mobile": True, "color_scheme": "dark", **options}
    context = browser.new_context(base_url=site.address, locale="sv-SE", **given)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    return context

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from scheduler.bookings.actions import book
from tests import make
from tests.browser.conftest import PHONE, Enter
from tests.browser.journeys import BOOK, QUEUE, expect_booked, middle, posts, wait_out_a_double_tap
from tests.browser.site import Site

pytestmark = pytest.mark.browser


def booked_shifts(site: Site, role: str = "volunteer") -> list[int]:
    return [booking.shift_id for booking in site.bookings(site.person(role)) if booking.state == "booked"]


@pytest.mark.parametrize("script", [True, False])
def test_one_tap_on_the_home_page_books_and_one_tap_undoes_it(site: Site, enter: Enter, script: bool) -> None:
    page = enter(site, "volunteer", script=script)
    page.goto("/")
    sent = posts(page)
    page.locator(BOOK).first.tap()
    expect_booked(page)
    assert len(booked_shifts(site)) == 1
    assert len(sent) == 1
    if script:
        wait_out_a_double_tap(page)
    page.locator("form[action$='/cancel'] button").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Avslutat: "))
    assert booked_shifts(site) == []
    assert len(sent) == 2


@pytest.mark.parametrize("script", [True, False])
def test_reload_and_back_show_how_it_stands_and_send_nothing_again(site: Site, enter: Enter, script: bool) -> None:
    page = enter(site, "volunteer", script=script)
    page.goto("/")
    page.locator(BOOK).first.tap()
    expect_booked(page)
    address = page.url
    sent = posts(page)
    page.reload()
    expect_booked(page)
    assert page.url == address
    page.go_back()
    expect(page).to_have_url(f"{site.address}/")
    expect(page.locator(f"main a[href='{address.removeprefix(site.address)}']").first).to_be_visible()
    assert page.locator(f"form[action='/shifts/{booked_shifts(site)[0]}/bookings']").count() == 0
    page.go_forward()
    expect_booked(page)
    assert sent == []
    assert len(booked_shifts(site)) == 1


def test_every_night_of_the_next_three_weeks_is_two_taps_from_home(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    page.goto("/")
    page.locator("nav a[href='/nights']").tap()
    coming = site.coming(days=21)
    assert len(coming) >= 6
    for shift in coming:
        wanted = BOOK if shift.booked < shift.wanted else QUEUE
        expect(page.locator(f"form[action='/shifts/{shift.id}/bookings'] {wanted.split()[-1]}")).to_be_visible()
    last_free = [shift for shift in coming if shift.booked < shift.wanted][-1]
    page.locator(f"form[action='/shifts/{last_free.id}/bookings'] button").tap()
    expect_booked(page)
    assert booked_shifts(site) == [last_free.id]


@pytest.mark.parametrize("pause_milliseconds", [0, 120, 300, 450])
def test_a_double_tap_books_one_night(site: Site, enter: Enter, pause_milliseconds: int) -> None:
    page = enter(site, "volunteer")
    page.goto("/")
    sent = posts(page)
    spot = middle(page.locator(BOOK).first)
    page.touchscreen.tap(*spot)
    page.wait_for_timeout(pause_milliseconds)
    page.touchscreen.tap(*spot)
    expect_booked(page)
    assert len(sent) == 1
    assert len(booked_shifts(site)) == 1


def test_no_other_night_lies_under_a_thumb_that_has_just_booked(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer", script=False)
    page.goto("/")
    spots = [middle(button) for button in page.locator(BOOK).all()]
    on_screen = [spot for spot in spots if spot[1] < PHONE["height"]]
    assert on_screen
    page.locator(BOOK).first.tap()
    expect_booked(page)
    under = "([x, y]) => document.elementFromPoint(x, y)?.closest('button, input, summary')?.innerText ?? ''"
    assert [page.evaluate(under, spot) for spot in on_screen] == [""] * len(on_screen)


@pytest.mark.parametrize("already_booked", [False, True])
def test_the_first_booking_button_lies_whole_where_a_thumb_reaches(
    site: Site, enter: Enter, already_booked: bool
) -> None:
    volunteer = site.person("volunteer")
    if already_booked:
        site.act(volunteer, book, site.coming()[1].id, volunteer, "earlier")
    page = enter(site, "volunteer")
    page.goto("/")
    button = page.locator(BOOK).first.bounding_box()
    bar = page.locator("nav.tabs").bounding_box()
    assert button is not None
    assert bar is not None
    assert button["y"] >= PHONE["height"] / 3
    assert button["y"] + button["height"] <= bar["y"]
    assert button["height"] >= 48


def test_the_same_form_from_two_tabs_books_once(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    page.goto("/")
    other = page.context.new_page()
    other.goto("/")
    for tab in (page, other):
        tab.locator(BOOK).first.tap()
        expect_booked(tab)
    assert page.url == other.url
    assert len(booked_shifts(site)) == 1


def test_who_taps_too_late_reads_why_and_gets_the_queue_in_one_tap(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    shift = next(shift for shift in site.coming() if shift.booked == shift.wanted - 1)
    page.goto(f"/shifts/{shift.id}")
    site.act(site.person("contact"), book, shift.id, site.person("contact"), "just before")
    page.locator(BOOK).first.tap()
    expect(page.get_by_role("status")).to_contain_text("Någon hann före")
    page.locator(QUEUE).tap()
    expect(page.get_by_role("status")).to_contain_text("nr 1 i kön")
    assert booked_shifts(site) == []


@pytest.mark.parametrize("script", [True, False])
def test_a_full_night_has_a_queue_to_join_and_to_leave(site: Site, enter: Enter, script: bool) -> None:
    page = enter(site, "volunteer", script=script)
    shift = next(shift for shift in site.coming() if shift.booked == shift.wanted)
    page.goto("/nights")
    page.locator(f"form[action='/shifts/{shift.id}/bookings']:has([name=waiting]) button").tap()
    expect(page.get_by_role("status")).to_contain_text("nr 3 i kön")
    if script:
        wait_out_a_double_tap(page)
    page.locator("form[action$='/cancel'] button").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Avslutat: "))
    assert site.bookings(site.person("volunteer")) == []


@pytest.mark.parametrize("script", [True, False])
def test_several_nights_are_booked_in_one_go(site: Site, enter: Enter, script: bool) -> None:
    page = enter(site, "volunteer", script=script)
    page.goto("/nights")
    page.locator("summary").tap()
    page.locator("a[href*='several=1']").tap()
    boxes = page.locator("input[name=shift]")
    chosen = [int(boxes.nth(number).get_attribute("value") or 0) for number in (0, 3, 5)]
    for shift_id in chosen:
        page.locator(f"label:has(input[value='{shift_id}'])").tap()
    page.locator("form[action='/bookings'] button").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("3 kvällar bokade")
    expect(page.locator("main .rows a")).to_have_count(3)
    assert sorted(booked_shifts(site)) == sorted(chosen)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("3 kvällar bokade")


def test_a_cell_of_the_month_opens_its_night(site: Site, enter: Enter) -> None:
    page = enter(site, "volunteer")
    page.goto("/nights")
    page.locator("a[href*='view=month']").tap()
    expect(page.locator(".month [aria-current=date]")).to_contain_text("23")
    friday = make.FRIDAY + timedelta(days=14)
    page.locator(f".month a[href='/nights/{friday}']").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("fredag 11 december")
    page.locator(BOOK).first.tap()
    expect_booked(page)

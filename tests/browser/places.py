"""Every page in every state that a person can meet, and how to get there."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from playwright.sync_api import Page, expect
from sqlalchemy import Connection

from scheduler.bookings import actions, waiting_list
from scheduler.bookings.candidates import people_to_pick
from scheduler.kit.phone import to_e164
from scheduler.people.inviting import Newcomer, invite_many
from tests.browser.journeys import QUEUE, ask_for_code
from tests.browser.site import Site
from tests.registers.files import PLAIN, as_csv

Ids = dict[str, int]
# Whom a club has put in and who has not answered yet.
INVITED = "070-174 06 98"


def stay(_page: Page) -> None:
    """Take no further step."""


@dataclass(frozen=True)
class Place:
    """`path` may name an id of the furnished town, as in `/bookings/{waiting}`."""

    name: str
    role: str
    path: str
    steps: Callable[[Page], None] = field(default=stay, compare=False)
    on_friday: bool = False

    def __str__(self) -> str:
        return self.name


def furnish(site: Site) -> Ids:
    """Give the volunteer one booking of each kind; return the ids that the places name."""
    volunteer = site.person("volunteer")
    coming = site.coming()
    free = [shift.id for shift in coming if shift.booked < shift.wanted]
    queued, full = [shift.id for shift in coming if shift.booked == shift.wanted][:2]
    booked, to_hand_over, to_undo = free[1], free[3], free[4]

    def book(shift_id: int) -> int:
        return site.act(volunteer, actions.book, shift_id, volunteer, f"furnished {shift_id}")

    def queue(shift_id: int) -> int:
        return site.act(volunteer, waiting_list.join, shift_id, volunteer, f"furnished {shift_id}")

    ids = {
        "booked": book(booked),
        "handing_over": book(to_hand_over),
        "cancelled": book(to_undo),
        "waiting": queue(queued),
        "offered": queue(full),
        "free_shift": free[0],
        "full_shift": full,
        "clash_shift": free[2],
        "lead_shift": queued,
        "noted_shift": site.without_note(),
        "settled_shift": site.settled(),
        "person": volunteer,
    }
    asked = Newcomer("Ylva", "Lyktdal", to_e164(INVITED), date(1985, 8, 22), club_id=2)
    site.database.write(lambda unit: invite_many(unit, site.acting(None), [asked], tell=False))
    site.act(volunteer, actions.hand_over, ids["handing_over"], None)
    site.act(volunteer, actions.cancel, ids["cancelled"])
    walker = site.walkers(full)[0]
    walkers_booking = next(booking.id for booking in site.bookings(walker) if booking.shift_id == full)
    site.act(walker, actions.cancel, walkers_booking)
    _ask_her(site, volunteer, free)
    return ids


def furnish_friday(site: Site) -> Ids:
    """Give the volunteer the walk of the evening."""
    volunteer = site.person("volunteer")
    shift = site.coming()[0]
    return {"tonight_shift": shift.id, "tonight": site.act(volunteer, actions.book, shift.id, volunteer, "furnished")}


def _ask_her(site: Site, volunteer: int, shifts: list[int]) -> None:
    """Let somebody who knows her ask her to take a shift over."""
    for shift_id in shifts:
        for walker in site.walkers(shift_id):

            def known(connection: Connection, shift_id: int = shift_id, walker: int = walker) -> bool:
                return volunteer in {one.id for one in people_to_pick(connection, shift_id, walker, site.now)}

            if walker != volunteer and site.database.write(known):
                booking = next(one.id for one in site.bookings(walker) if one.shift_id == shift_id)
                site.act(walker, actions.hand_over, booking, volunteer)
                return
    raise AssertionError("nobody in the demo knows the volunteer")


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def no_number(page: Page) -> None:
    ask_for_code(page, "060-12 34 56")
    expect(page.get_by_role("alert")).to_be_visible()


def asked_for_code(page: Page) -> None:
    ask_for_code(page, "070-174 06 96")
    expect(page.get_by_label("Kod")).to_be_visible()


def wrong_code(page: Page) -> None:
    asked_for_code(page)
    page.get_by_label("Kod").fill("12")
    _press(page, "Logga in")
    expect(page.get_by_role("alert")).to_be_visible()


def no_code(page: Page) -> None:
    asked_for_code(page)
    _press(page, "Logga in")
    expect(page.get_by_role("alert")).to_be_visible()


def used_up_code(page: Page) -> None:
    asked_for_code(page)
    for _ in range(5):
        page.get_by_label("Kod").fill("12")
        with page.expect_navigation():
            _press(page, "Logga in")
    expect(page.get_by_role("link", name="Ny kod")).to_be_visible()


def nothing_written(page: Page) -> None:
    _press(page, "Se först")
    expect(page.get_by_role("alert")).to_be_visible()


def seen_first(page: Page) -> None:
    page.get_by_label("Till").select_option("everybody:")
    page.get_by_label("Sms", exact=True).fill("Ta med reflexväst, det regnar i kväll.")
    _press(page, "Se först")
    expect(page.get_by_role("button", name="Skicka för")).to_be_visible()


def new_number(page: Page) -> None:
    page.get_by_label("Nytt mobilnummer").fill("070-174 06 97")
    _press(page, "Skicka kod")
    expect(page.get_by_label("Kod, sex siffror")).to_be_visible()


def nothing_typed(page: Page) -> None:
    _press(page, "Skicka kod")
    expect(page.get_by_role("alert")).to_be_visible()


def name_emptied(page: Page) -> None:
    page.get_by_label("Förnamn").fill("")
    page.locator("form.details button").click()
    expect(page.get_by_role("alert")).to_be_visible()


def signed_out_meanwhile(page: Page) -> None:
    page.context.clear_cookies()
    page.locator("form[action='/shifts/{}/bookings'] button".format(page.url.rpartition("/")[2])).click()
    expect(page.get_by_role("status")).to_be_visible()


def token_grown_old(page: Page) -> None:
    page.evaluate("document.querySelectorAll('[name=csrf_token]').forEach((field) => { field.value = 'old'; })")
    page.locator("main form button").first.click()
    expect(page.get_by_role("button", name="Skicka nu")).to_be_visible()


def without_signal(page: Page) -> None:
    page.route("**/bookings", lambda route: route.abort())
    page.locator("main form button").first.click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.unroute("**/bookings")


def nothing_ticked(page: Page) -> None:
    page.locator("form[action='/bookings'] button").click()
    expect(page.locator("main")).to_contain_text("Inget var valt")


def several_ticked(page: Page) -> None:
    boxes = page.locator("input[name=shift]")
    for number in (0, 1):
        boxes.nth(number).check()
    page.locator("form[action='/bookings'] button").click()
    expect(page).to_have_url(re.compile(r"/bookings\?"))


def filters_opened(page: Page) -> None:
    page.locator("summary").first.click()


def all_opened(page: Page) -> None:
    page.locator("details").evaluate_all("(found) => found.forEach((one) => { one.open = true; })")


def past_opened(page: Page) -> None:
    page.locator("summary").last.click()


def nothing_chosen(page: Page) -> None:
    page.locator("main form button").last.click()
    expect(page.get_by_role("alert").first).to_be_visible()


def _send_list(page: Page, content: bytes) -> None:
    page.get_by_label("Förening").select_option(index=1)
    page.get_by_label("Listan").set_input_files({"name": "medlemmar.csv", "mimeType": "text/csv", "buffer": content})
    _press(page, "Titta på listan")


def list_looked_at(page: Page) -> None:
    adult = [["Åsa", "Öst", f"070-174 06 {number}", "1985-08-22"] for number in ("95", "96", "97", "99")]
    faulty = [["Tim", "Öst", "", "2015-05-05"]] * 7 + [["Bo", "Ek", "08-123 456 78", ""], adult[0]]
    _send_list(page, as_csv([list(PLAIN), *adult, *faulty]))
    expect(page.get_by_role("heading", level=1)).to_contain_text("kan läggas in")
    all_opened(page)


def list_without_columns(page: Page) -> None:
    _send_list(page, as_csv([["Vem", "Var", "Annat"], ["Åsa Öst", "070-174 06 95", "1985-08-22"]]))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vilken kolumn")


def list_brought_in(page: Page) -> None:
    list_looked_at(page)
    _press(page, "Lägg in")
    expect(page.get_by_role("status")).to_be_visible()


def values_not_agreed(page: Page) -> None:
    _press(page, "Ja, jag vill")
    expect(page.get_by_role("alert")).to_be_visible()


def full_meanwhile(page: Page) -> None:
    """Tap a button that was true a moment ago."""
    page.locator(QUEUE).first.evaluate("(button) => button.form.elements.waiting.remove()")
    page.locator("main form button").first.click()
    expect(page.get_by_role("status")).to_contain_text("Någon hann före")


PLACES = (
    Place("welcome", "", "/"),
    Place("tonight", "", "/tonight"),
    Place("sign in", "", "/sign-in"),
    Place("sign in, no number", "", "/sign-in", no_number),
    Place("code", "", "/sign-in", asked_for_code),
    Place("code, empty", "", "/sign-in", no_code),
    Place("code, wrong", "", "/sign-in", wrong_code),
    Place("code, used up", "", "/sign-in", used_up_code),
    Place("join", "", "/join/demo-2"),
    Place("join, nothing typed", "", "/join/demo-2", nothing_typed),
    Place("invitation ended", "", "/join/none"),
    Place("texts", "", "/demo/sms"),
    Place("no such page", "", "/nothing/here"),
    Place("home, nothing booked", "contact", "/"),
    Place("home, something booked", "volunteer", "/"),
    Place("home, no signal", "contact", "/", without_signal),
    Place("home, not approved", "newcomer", "/"),
    Place("joined", "newcomer", "/joined"),
    Place("nights", "volunteer", "/nights", filters_opened),
    Place("nights, not approved", "newcomer", "/nights"),
    Place("month", "volunteer", "/nights?view=month"),
    Place("night of two areas", "contact", "/nights/2026-11-28"),
    Place("choosing several", "contact", "/nights?several=1"),
    Place("several booked", "contact", "/nights?several=1", several_ticked),
    Place("nothing ticked", "contact", "/nights?several=1", nothing_ticked),
    Place("shift, free", "contact", "/shifts/{free_shift}"),
    Place("shift, full", "contact", "/shifts/{full_shift}"),
    Place("shift, full meanwhile", "contact", "/shifts/{lead_shift}", full_meanwhile),
    Place("shift, clash", "volunteer", "/shifts/{clash_shift}"),
    Place("shift, not approved", "newcomer", "/shifts/{free_shift}"),
    Place("booked", "volunteer", "/bookings/{booked}"),
    Place("waiting", "volunteer", "/bookings/{waiting}"),
    Place("offered", "volunteer", "/bookings/{offered}"),
    Place("handing over", "volunteer", "/bookings/{handing_over}"),
    Place("undone", "volunteer", "/bookings/{cancelled}"),
    Place("leave", "volunteer", "/bookings/{booked}/leave"),
    Place("ask one person", "volunteer", "/bookings/{booked}/hand-over"),
    Place("mine", "volunteer", "/mine", past_opened),
    Place("mine, empty", "newcomer", "/mine"),
    Place("me", "volunteer", "/me?saved=1"),
    Place("me, name emptied", "volunteer", "/me", name_emptied),
    Place("my data", "volunteer", "/me/data", all_opened),
    Place("be forgotten", "volunteer", "/me/forget"),
    Place("forgotten", "", "/forgotten"),
    Place("calendar", "volunteer", "/me/calendar?saved=address", all_opened),
    Place("calendar of an area", "contact", "/me/calendar/area/1"),
    Place("calendar of what needs people", "coordinator", "/me/calendar/needs/0", all_opened),
    Place("signed out meanwhile", "leaver", "/shifts/{free_shift}", signed_out_meanwhile),
    Place("go on", "contact", "/shifts/{free_shift}", token_grown_old),
    Place("gaps", "coordinator", "/lead"),
    Place("ask for people", "coordinator", "/lead/shifts/{lead_shift}/asking"),
    Place("autopilot", "coordinator", "/lead/autopilot"),
    Place("gaps, municipality", "municipality", "/lead"),
    Place("a shift's people", "coordinator", "/lead/shifts/{lead_shift}"),
    Place("season", "coordinator", "/lead/season"),
    Place("plan nights", "coordinator", "/lead/season/plan", all_opened),
    Place("own nights", "coordinator", "/lead/season/own"),
    Place("call a shift off", "coordinator", "/lead/shifts/{lead_shift}/call-off"),
    Place("copy a shift", "coordinator", "/lead/shifts/{lead_shift}/copy?to=2026-12-20"),
    Place("one more area", "coordinator", "/lead/nights/2026-11-27/areas"),
    Place("everybody", "coordinator", "/lead/people"),
    Place("everybody, as a file", "coordinator", "/lead/people?q=a", past_opened),
    Place("bring in a list", "coordinator", "/lead/people/import", all_opened),
    Place("bring in a list, nothing chosen", "coordinator", "/lead/people/import", nothing_chosen),
    Place("bring in a list, contact", "contact", "/lead/people/import"),
    Place("a list, looked at", "coordinator", "/lead/people/import", list_looked_at),
    Place("a list, columns unknown", "coordinator", "/lead/people/import", list_without_columns),
    Place("a list, brought in", "coordinator", "/lead/people/import", list_brought_in),
    Place("a list, forgotten", "coordinator", "/lead/people/import/999999"),
    Place("welcome", "invited", "/welcome"),
    Place("welcome, values not agreed", "invited", "/welcome", values_not_agreed),
    Place("home, invited", "invited", "/"),
    Place("clubs", "coordinator", "/lead/clubs"),
    Place("own club", "contact", "/lead/clubs/2"),
    Place("the whole log", "coordinator", "/lead/log"),
    Place("members", "contact", "/lead/members"),
    Place("members, everybody", "coordinator", "/lead/members"),
    Place("invitation", "contact", "/lead/clubs/2/invitation"),
    Place("a person", "coordinator", "/lead/people/{person}"),
    Place("doubles", "coordinator", "/lead/people/doubles"),
    Place("a second area, decided", "coordinator", "/lead/steering/areas/2026-11-27"),
    Place("texts", "coordinator", "/lead/texts"),
    Place("texts about a shift", "coordinator", "/lead/texts/shifts/{lead_shift}"),
    Place("texts to a person", "coordinator", "/lead/texts/people/{person}"),
    Place("write a text", "coordinator", "/lead/texts/new"),
    Place("write a text, nothing said", "coordinator", "/lead/texts/new", nothing_written),
    Place("write a text, seen first", "coordinator", "/lead/texts/new", seen_first),
    Place("which texts", "volunteer", "/me/texts"),
    Place("note a number", "coordinator", "/lead/people/1/number"),
    Place("a question that is over", "", "/number/never-sent"),
    Place("change number", "volunteer", "/me/number"),
    Place("change number, code", "volunteer", "/me/number", new_number),
    Place("right now", "coordinator", "/lead/now"),
    Place("the note of a walk", "coordinator", "/shifts/{noted_shift}/note"),
    Place("the note of a walk, nothing chosen", "coordinator", "/shifts/{noted_shift}/note", nothing_chosen),
    Place("money", "coordinator", "/lead/money"),
    Place("money, municipality", "municipality", "/lead/money"),
    Place("every entry", "coordinator", "/lead/money/entries"),
    Place("a shift's money, another host", "coordinator", "/lead/money/shifts/{settled_shift}?club=2"),
    Place("a purchase", "coordinator", "/lead/money/purchases/new"),
    Place("payouts", "coordinator", "/lead/money/payouts", all_opened),
    Place("reports", "coordinator", "/lead/reports"),
    Place("a quarter", "municipality", "/lead/reports/quarter/2026-07-01", all_opened),
    Place("steering group", "coordinator", "/lead/steering", all_opened),
    Place("a meeting", "municipality", "/lead/steering/meetings/1", all_opened),
    Place("open accounts", "", "/accounts"),
    Place("not for her", "volunteer", "/lead"),
    Place("tonight's walk", "volunteer", "/bookings/{tonight}", on_friday=True),
    Place("tonight's walk, leave", "volunteer", "/bookings/{tonight}/leave", on_friday=True),
    Place("the evening", "volunteer", "/shifts/{tonight_shift}/walk", on_friday=True),
    Place("tonight, home", "volunteer", "/", on_friday=True),
    Place("tonight, somebody is out", "", "/tonight", on_friday=True),
)

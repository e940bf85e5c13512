"""The coordinator's board, and asking for people from it."""

from collections.abc import Container, Iterable, Mapping
from datetime import date, timedelta

from flask import Blueprint, g, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.cards import Looking, NightCards
from scheduler.bookings.pages import acting
from scheduler.bookings.rules import check_shift_open
from scheduler.finding.queries import five_weeks
from scheduler.gaps import actions, autopilot, history, offering, queries, words
from scheduler.gaps.candidates import explained, named
from scheduler.gaps.risk import calibration
from scheduler.gaps.rules import AskingState, AutopilotMode, Policy, WrongPolicy, checked_policy, yes_chance
from scheduler.kit import language
from scheduler.kit.database import AnyRow
from scheduler.kit.refusals import Refusal
from scheduler.kit.templating import FORM_FIELDS, drawing, with_form_fields
from scheduler.kit.web import connection, needs, now, row_id, today
from scheduler.nights.budget import Further, Offer, next_start, offer
from scheduler.people.queries import log

pages = Blueprint("gaps", __name__)

WEEKS_SHOWN = 5
MOST_WEEKS = 60
A_FORTNIGHT = timedelta(weeks=2)
SHORTEST_NAME = 2
INVALID = 422


@pages.get("/lead")
@needs("see gaps")
def gaps() -> str:
    instant, day = now(), today()
    looking = Looking(g.visitor.partnership.id, g.visitor.person.id, volunteer=False, now=instant)
    weeks = min(max(request.args.get("weeks", WEEKS_SHOWN, type=int), WEEKS_SHOWN), MOST_WEEKS)
    last = day + timedelta(weeks=weeks)
    beside = queries.known(connection(), looking, day, last)
    coming = [night for night in beside.nights if night.coming]
    near = day + timedelta(days=queries.BOARD_DAYS)
    board = queries.board((night for night in coming if night.date < near), day, beside)
    needing = queries.ranked(board)
    may_ask = g.visitor.may("ask for people")
    tonight = next((night for night in board if night.date == day and night not in needing), None)
    seconds = _seconds([*([tonight] if tonight else []), *needing], beside.further) if may_ask else {}
    asks = offering.offers(needing, seconds.values(), beside, instant, language.zone()) if may_ask else {}
    return render_template(
        "gaps/gaps.html",
        tonight=_tonight(tonight, seconds, asks),
        needing=_needing(needing, seconds, asks, may_ask=may_ask),
        number=len(needing),
        may_ask=may_ask,
        strip=five_weeks(tuple([night for night in beside.nights if night.date < near]), day),
        others=_others(coming, {night.date for night in needing}, linked=may_ask),
        # Nights go on to the end of what is shown, so most likely beyond it.
        more=MOST_WEEKS if weeks < MOST_WEEKS and any(night.date > last - A_FORTNIGHT for night in coming) else None,
        ready_count=sum(not night.danger for night in board),
        total_count=len(board),
    )


def _needing(
    nights: Iterable[queries.BoardNight],
    seconds: Mapping[date, Offer],
    asks: Mapping[int, offering.Offer],
    *,
    may_ask: bool,
) -> Markup:
    """Return the nights that need somebody, each drawn once and kept as long as nothing of it changes."""
    of_night = drawing("gaps/needing.html", "needing")
    return with_form_fields(
        [
            of_night(
                night,
                tuple([asks.get(card.shift_id) for card in night.cards]),
                seconds.get(night.date),
                asks.get(offering.key_of(night.date)),
                may_ask,
                FORM_FIELDS,
            )
            for night in nights
        ]
    )


def _tonight(
    night: queries.BoardNight | None, seconds: Mapping[date, Offer], asks: Mapping[int, offering.Offer]
) -> Markup:
    """Return what can be opened tonight, where tonight needs nobody; else nothing."""
    if night is None or night.date not in seconds:
        return Markup()
    areas = tuple([card.area for card in night.cards])
    second_ask = asks.get(offering.key_of(night.date))
    drawn = drawing("gaps/needing.html", "tonight")(areas, seconds[night.date], second_ask, FORM_FIELDS)
    return with_form_fields([drawn])


def _seconds(nights: Iterable[queries.BoardNight], found: Further | None) -> dict[date, Offer]:
    """Return what one more area on each of these nights would be, by date; nights whose areas are all open are left
    out."""
    if found is None:
        return {}
    offered = {}
    for night in nights:
        first = night.cards[0]
        starts_at = first.starts_at if first.starts_at > now() else next_start(now(), first.ends_at)
        one = found.on(night.date, starts_at, first.ends_at, {card.area for card in night.cards})
        if one is not None and starts_at < first.ends_at:
            offered[night.date] = one
    return offered


def _others(coming: Iterable[NightCards], needing: Container[date], *, linked: bool) -> Markup:
    """Return the coming nights that are not listed as needing somebody, each drawn once and kept."""
    of_night = drawing("gaps/night.html", "night")
    # Made of what the template has escaped already.
    return Markup("".join([of_night(night, linked) for night in coming if night.date not in needing]))  # noqa: S704


@pages.get("/lead/shifts/<int:shift_id>")
@needs("see people of a shift")
def shift(shift_id: int) -> str:
    partnership_id = g.visitor.partnership.id
    found = queries.lead_shift(connection(), partnership_id, shift_id, now())
    second = offer(connection(), partnership_id, found.date, now())
    return render_template(
        "gaps/shift.html",
        shift=found,
        second=second,
        second_ask=ask_at_once(second),
        log=log(connection(), partnership_id, shift_id=shift_id),
    )


@pages.get("/lead/shifts/<int:shift_id>/asking")
@needs("ask for people")
def asking(shift_id: int) -> str:
    partnership_id = g.visitor.partnership.id
    row = actions.shift_facts(connection(), partnership_id, shift_id)
    believed = history.believed(partnership_id, now()).ask(connection())
    search = history.search_of(connection(), partnership_id, shift_id)
    plan = offering.plan(connection(), row, believed, now(), language.zone())
    full = offering.plan(connection(), row, believed, now(), language.zone(), whole_team=True)
    name = " ".join(request.args.get("name", "").split())[:60]
    return render_template(
        "gaps/asking.html",
        shift=row,
        shift_open=_is_open(row),
        lacking=actions.missing(row, row.minimum),
        search=search,
        asked=history.asked_people(connection(), partnership_id, shift_id),
        plan=plan,
        full=full
        if full.goal > (search.goal if search and search.state is AskingState.RUNNING else plan.goal)
        else None,
        why=words.why,
        because=words.because,
        name=name,
        found=_found(row, name) if len(name) >= SHORTEST_NAME else None,
    )


def _is_open(row: AnyRow) -> bool:
    try:
        check_shift_open(row.state, row.starts_at, now())
    except Refusal:
        return False
    return True


def _found(row: AnyRow, name: str) -> list[object]:
    limit = history.policy(connection(), row.partnership_id).asks_a_week
    ids = named(connection(), row.partnership_id, name)
    return list(explained(connection(), actions.place_of(row), row.area_id, limit, now(), ids))


def ask_at_once(second: Offer | None) -> offering.Offer | None:
    """Return what asking people at once would be for one more area, told before it is opened."""
    if second is None or not second.areas:
        return None
    partnership_id = g.visitor.partnership.id
    believed = history.believed(partnership_id, now()).ask(connection())
    return offering.for_second(connection(), partnership_id, second, believed, now(), language.zone())


def ask_for_new(shift_id: int) -> AnyResponse:
    """Ask people for a shift that was opened just now, if the form says so, and lead to where it is seen."""
    if request.form.get("ask") != "yes":
        return redirect(url_for("gaps.shift", shift_id=shift_id), code=303)
    partnership_id = g.visitor.partnership.id
    row = actions.shift_facts(connection(), partnership_id, shift_id)
    goal = offering.goal_of(connection(), row, history.believed(partnership_id, now()).ask(connection()), now())
    promised = row_id(request.form["people"]) if "people" in request.form else None
    actions.start(connection(), acting(), shift_id, goal, most=promised)
    return redirect(url_for("gaps.asking", shift_id=shift_id), code=303)


@pages.post("/lead/shifts/<int:shift_id>/asking")
@needs("ask for people")
def ask(shift_id: int) -> AnyResponse:
    """Ask the people who fit: never more at once than the button said."""
    partnership_id = g.visitor.partnership.id
    row = actions.shift_facts(connection(), partnership_id, shift_id)
    whole_team = request.form.get("goal") == "all"
    enough = offering.goal_of(connection(), row, history.believed(partnership_id, now()).ask(connection()), now())
    goal = row.wanted if whole_team else enough
    promised = row_id(request.form["people"]) if "people" in request.form else None
    actions.start(connection(), acting(), shift_id, goal, most=promised)
    return redirect(url_for("gaps.asking", shift_id=shift_id), code=303)


@pages.post("/lead/shifts/<int:shift_id>/asking/stop")
@needs("ask for people")
def stop(shift_id: int) -> AnyResponse:
    actions.stop(connection(), acting(), shift_id)
    return redirect(url_for("gaps.asking", shift_id=shift_id), code=303)


@pages.get("/lead/autopilot")
@needs("ask for people")
def autopilot_page() -> str:
    return _autopilot_page(history.policy(connection(), g.visitor.partnership.id))


@pages.post("/lead/autopilot")
@needs("ask for people")
def change_autopilot() -> str | AnyResponse | tuple[str, int]:
    before = history.policy(connection(), g.visitor.partnership.id)
    typed = {name: request.form.get(name, "") for name in ("mode", "days_ahead", "asks_a_week")}
    try:
        after = checked_policy(**typed)
    except WrongPolicy as refusal:
        return _autopilot_page(before, typed, refusal.field), INVALID
    autopilot.change_policy(connection(), acting(), before, after)
    return redirect(url_for("gaps.autopilot_page"), code=303)


def _autopilot_page(policy: Policy, typed: dict[str, str] | None = None, wrong: str = "") -> str:
    partnership_id = g.visitor.partnership.id
    believed = history.believed(partnership_id, now()).ask(connection())
    yes, others = history.asks_so_far(partnership_id).ask(connection())
    shown = {"mode": policy.mode.value, "days_ahead": policy.days_ahead, "asks_a_week": policy.asks_a_week}
    return render_template(
        "gaps/autopilot.html",
        policy=policy,
        typed=typed or shown,
        wrong=wrong,
        modes=list(AutopilotMode),
        asks=yes + others,
        yes_percent=round(100 * yes_chance(yes, others)),
        lost_percent=round(100 * believed.season.mean),
        calibration=calibration(history.past_shifts(connection(), partnership_id, now())),
    )

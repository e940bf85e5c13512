from datetime import date, timedelta

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.kit.language import gettext
from scheduler.kit.refusals import Invalid
from scheduler.kit.templating import path_for
from scheduler.kit.web import LARGEST_ID, connection, needs, row_id, today
from scheduler.leading import actions, queries
from scheduler.leading.forms import USUAL, SeasonForm, Wanted
from scheduler.leading.typed import Typed, as_date
from scheduler.nights import actions as nights
from scheduler.nights.naming import local_nights
from scheduler.nights.season import Season, Unplannable, moments, plan_season, special_nights, swapped
from scheduler.partnership.queries import areas
from scheduler.people.queries import LOG_PAGE, log

pages = Blueprint("leading", __name__)

INVALID = 422
WEEKEND = [str(day) for day in queries.WEEKEND]


def _seasons() -> list[queries.SeasonView]:
    partnership_id = g.visitor.partnership.id
    days = queries.coming_terms(connection(), partnership_id, today())
    return [queries.season(connection(), partnership_id, day) for day in days]


def _to_season() -> AnyResponse:
    return redirect(path_for("leading.season"), code=303)


@pages.get("/lead/season")
@needs("plan the season")
def season() -> str:
    return _season_page(_seasons())


def _season_page(seasons: list[queries.SeasonView], publishing: Typed | None = None) -> str:
    return render_template(
        "leading/season.html", seasons=seasons, today=today(), publishing=publishing, done=request.args.get("done", "")
    )


@pages.get("/lead/season/plan")
@needs("plan the season")
def plan() -> str | tuple[str, int]:
    seasons = _seasons()
    if "first" not in request.args:
        return _plan_page(_first_form(seasons), None)
    form = _form()
    found = form.wanted(today(), [one.agreement for one in seasons])
    preview = _preview(form, found, seasons) if found is not None else None
    return _plan_page(form, preview), INVALID if form.errors else 200


def _form() -> SeasonForm:
    known = [area_id for area_id, _ in areas(connection(), g.visitor.partnership.id)]
    values = request.values
    return SeasonForm(values, values.getlist("weekday"), values.getlist("area"), known)


def _first_form(seasons: list[queries.SeasonView]) -> SeasonForm:
    """Return the form as it is first seen: the rest of the first term that has days without a plan."""
    known = [area_id for area_id, _ in areas(connection(), g.visitor.partnership.id)]
    values = dict(USUAL)
    for one in seasons:
        first = max([today(), one.agreement.starts_on, *(night.date + timedelta(days=1) for night in one.nights)])
        left = (one.agreement.ends_on - first).days + 1
        if any((first + timedelta(days=day)).weekday() in queries.WEEKEND for day in range(min(left, 7))):
            values |= {"first": str(first), "last": str(one.agreement.ends_on)}
            break
    return SeasonForm(values, WEEKEND, [str(area) for area in known], known)


class _Preview:
    """A season as it would be written; `ticked` are the nights to walk, `clashing` those planned already."""

    def __init__(self, wanted: Wanted, season: Season, clashing: list[date], paid: int) -> None:
        self.wanted, self.season, self.clashing, self.paid = wanted, season, clashing, paid
        self.ticked = {planned.night for planned in season.walked}


def _preview(form: SeasonForm, found: Wanted, seasons: list[queries.SeasonView]) -> _Preview | None:
    term = next(one for one in seasons if one.agreement.starts_on <= found.first <= one.agreement.ends_on)
    planned = queries.planned_dates(connection(), g.visitor.partnership.id, found.first, found.last)
    chosen = {*found.extra, *found.pattern.second_areas}
    if taken := chosen & planned:
        name = "extra" if taken & set(found.extra) else "two_areas"
        form.wrong(name, gettext("%(day)s is planned already. Change that night by itself.", day=str(min(taken))))
        return None
    own = local_nights(connection(), g.visitor.partnership.id, found.first)
    specials = special_nights(found.first, found.last, own)
    skip = [night for night in {*found.skip, *planned} if found.first <= night <= found.last]
    try:
        made = plan_season(found.pattern, found.first, found.last, term.left, specials, skip=skip, extra=found.extra)
        _check_hours(made, found)
    except Unplannable as refusal:
        _say(form, refusal, term.left)
        return None
    clashing = [one.night for one in made.nights if one.night in planned]
    season = Season(tuple(one for one in made.nights if one.night not in planned))
    if not season.nights:
        form.wrong("last", gettext("Every night of this period is planned already."))
        return None
    return _Preview(found, season, clashing, term.left)


def _check_hours(made: Season, found: Wanted) -> None:
    """Raise Unplannable for a night on which the clocks' change leaves no time between start and end."""
    for planned in made.nights:
        moments(planned.night, found.pattern.starts, found.pattern.ends, g.zone)


def _say(form: SeasonForm, refusal: Unplannable, left: int) -> None:
    if refusal.problem == "no_length":
        form.wrong("ends", gettext("On %(day)s the walk would end before it starts.", day=str(refusal.nights[0])))
    elif refusal.problem == "too_many":
        form.wrong("extra", gettext("The budget pays for %(left)s more nights. Choose fewer.", left=left))
    else:
        form.wrong("skip", gettext("A night cannot be both walked and left out."))


def _plan_page(form: SeasonForm, preview: _Preview | None) -> str:
    return render_template(
        "leading/plan.html",
        form=form,
        areas=areas(connection(), g.visitor.partnership.id),
        preview=preview,
        monday=date(2024, 1, 1),
    )


@pages.post("/lead/season/plan")
@needs("plan the season")
def write_plan() -> AnyResponse | tuple[str, int]:
    seasons, form = _seasons(), _form()
    found = form.wanted(today(), [one.agreement for one in seasons])
    preview = _preview(form, found, seasons) if found is not None else None
    if found is None or preview is None:
        return _plan_page(form, None), INVALID
    ticked = {day for day in (as_date(one, None) for one in request.form.getlist("walk")) if day is not None}
    publish_on = form_day(form, "publish_on")
    preview.ticked = ticked
    if not ticked:
        form.wrong("walk", gettext("Tick at least one night."))
    elif len(ticked) > preview.paid:
        too_many = gettext(
            "You have ticked %(ticked)s nights, and the budget pays for %(paid)s more. Untick some.",
            ticked=len(ticked),
            paid=preview.paid,
        )
        form.wrong("walk", too_many)
    if form.errors:
        return _plan_page(form, preview), INVALID
    term = next(one.agreement for one in seasons if one.agreement.starts_on <= found.first <= one.agreement.ends_on)
    made = swapped(preview.season, found.pattern, ticked, preview.paid)
    actions.make_plan(connection(), acting(), term.id, made, found.pattern, publish_on)
    return redirect(path_for("leading.season", done="planned"), code=303)


def form_day(form: SeasonForm, name: str) -> date | None:
    """Return the day on which to publish, None for an empty field; a day that has passed is told at the field."""
    form.fields[name] = request.form.get(name, "")
    if not form.text(name):
        return None
    found = form.day(name, today())
    if found is not None and found < today():
        form.wrong(name, gettext("That day has passed."))
    return found


@pages.post("/lead/season/<int:plan_id>/<any(publish, undo):what>")
@needs("plan the season")
def settle(plan_id: int, what: str) -> AnyResponse:
    if what == "publish":
        actions.publish_plan(connection(), acting(), plan_id)
    else:
        actions.undo_plan(connection(), acting(), plan_id)
    return redirect(path_for("leading.season", done="published" if what == "publish" else "undone"), code=303)


@pages.post("/lead/season/<int:plan_id>/publish-on")
@needs("plan the season")
def publish_on(plan_id: int) -> AnyResponse | tuple[str, int]:
    form = Typed({"publish_on": request.form.get("publish_on", "")})
    day = form.day("publish_on", today()) if form.text("publish_on") else None
    if day is not None and day < today():
        form.wrong("publish_on", gettext("That day has passed."))
    if form.errors:
        return _season_page(_seasons(), form), INVALID
    who = acting()
    nights.publish_on(connection(), who.partnership_id, plan_id, day, who.now, by_person_id=who.person_id)
    return _to_season()


@pages.post("/lead/season/swap")
@needs("plan the season")
def swap() -> AnyResponse:
    give_up = request.form.get("give_up", "")
    if not request.form.get("walk"):
        raise Invalid(problem="request")
    actions.swap(connection(), acting(), row_id(request.form["walk"]), row_id(give_up) if give_up else None)
    return redirect(path_for("leading.season", done="swapped"), code=303)


@pages.get("/lead/log")
@needs("read the log")
def story() -> str:
    of = {name: _asked_id(name) for name in ("shift", "person")}
    told = log(
        connection(),
        g.visitor.partnership.id,
        shift_id=of["shift"],
        person_id=of["person"],
        before_id=_asked_id("before"),
    )
    return render_template(
        "leading/log.html",
        log=told,
        shifts={} if of["shift"] else queries.shifts_of(connection(), g.visitor.partnership.id, told),
        of=of,
        begins="before" not in request.args,
        more=len(told) == LOG_PAGE,
    )


def _asked_id(name: str) -> int | None:
    found = request.args.get(name, type=int)
    return found if found is not None and 0 < found <= LARGEST_ID else None

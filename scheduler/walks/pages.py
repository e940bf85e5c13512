from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.bookings.rules import PHONES_SHOWN
from scheduler.kit.language import zone
from scheduler.kit.refusals import Invalid
from scheduler.kit.web import anonymous, connection, for_caches, kept_without_signal, needs, now, row_id, today
from scheduler.people.rules import Acting
from scheduler.walks import actions, queries
from scheduler.walks.forms import NoteForm, first_form, read_note
from scheduler.walks.rules import CheckItem
from scheduler.walks.words import SHOW as WORDS

pages = Blueprint("walks", __name__)

INVALID = 422
# On the day itself, Home leads to the walk from the afternoon on.
SOON = timedelta(hours=6)
LONGEST_SHIFT = timedelta(hours=12)


def _leads() -> bool:
    return bool(g.visitor.may("lead walks"))


@pages.get("/shifts/<int:shift_id>/walk")
@needs("walk")
def walk(shift_id: int) -> Response:
    visitor = g.visitor
    evening = queries.evening(connection(), visitor.partnership.id, shift_id, visitor.person.id, now())
    page = render_template(
        "walks/walk.html",
        evening=evening,
        stage=evening.stage(visitor.person.id),
        items=list(CheckItem),
        opens_at=evening.starts_at - SOON,
        open_now=now() >= evening.starts_at - SOON,
        over=now() >= evening.ends_at,
    )
    return kept_without_signal(make_response(page), _kept(evening), url_for("walks.note", shift_id=shift_id))


def _kept(evening: queries.Evening) -> timedelta:
    """Return how long the phone may keep a page of the shift: names and numbers stay there for the evening alone."""
    near = now() >= evening.starts_at - PHONES_SHOWN
    return evening.ends_at + SOON - now() if near else timedelta()


def _waited_seconds() -> int:
    """Return how long the page's script kept this tap for want of a signal."""
    typed = request.form.get("waited", "0")
    return int(typed) if typed.isdecimal() and len(typed) < 6 else 0  # noqa: PLR2004 - a night has five digits


def _people_sent() -> set[int]:
    return {row_id(one) for one in request.form.getlist("here")}


STEPS: dict[str, Callable[[Acting, int], None]] = {
    "here": lambda who, shift_id: actions.arrive(connection(), who, shift_id, _waited_seconds()),
    "not_here": lambda who, shift_id: actions.leave_place(connection(), who, shift_id),
    "out": lambda who, shift_id: actions.go_out(connection(), who, shift_id, _people_sent(), _waited_seconds()),
    "in": lambda who, shift_id: actions.come_in(connection(), who, shift_id),
    "well": lambda who, shift_id: actions.say_all_is_well(connection(), who, shift_id),
    "done": lambda who, shift_id: actions.finish(connection(), who, shift_id, _waited_seconds()),
    "not_done": lambda who, shift_id: actions.go_on(connection(), who, shift_id),
}


@pages.post("/shifts/<int:shift_id>/walk")
@needs("walk")
def step(shift_id: int) -> AnyResponse:
    verb = STEPS.get(request.form.get("step", ""))
    who = acting()
    if verb is None:
        queries.evening(connection(), who.partnership_id, shift_id, g.visitor.person.id, now())
        raise Invalid(problem="request")
    verb(who, shift_id)
    return _to_walk(shift_id)


@pages.post("/shifts/<int:shift_id>/checklist")
@needs("walk")
def checklist(shift_id: int) -> AnyResponse:
    ticked = {CheckItem(one) for one in request.form.getlist("item") if one in set(CheckItem)}
    actions.tick(connection(), acting(), shift_id, ticked)
    return _to_walk(shift_id)


def _to_walk(shift_id: int) -> AnyResponse:
    return redirect(url_for("walks.walk", shift_id=shift_id), code=303)


@pages.get("/shifts/<int:shift_id>/note")
@needs("walk")
def note(shift_id: int) -> Response:
    evening = _evening(shift_id)
    written = queries.note_of(connection(), shift_id)
    here = evening.here or {walker.person_id for walker in evening.walkers}
    if written is None:
        page = make_response(_note_page(evening, first_form(here)))
        walks = any(walker.is_me for walker in evening.walkers)
        return kept_without_signal(page, _kept(evening) if walks else timedelta())
    form = NoteForm(
        mood=written.mood,
        young_people=written.young_people,
        happened=written.happened,
        follow_up="yes" if written.follow_up else "no",
        text=written.text,
        came=queries.who_came(connection(), shift_id),
    )
    # What is written is on the server, and no phone keeps its text.
    return kept_without_signal(make_response(_note_page(evening, form, written=written)), timedelta())


def _evening(shift_id: int) -> queries.Evening:
    visitor = g.visitor
    return queries.evening(connection(), visitor.partnership.id, shift_id, visitor.person.id, now(), leads=_leads())


def _note_page(evening: queries.Evening, form: NoteForm, written: queries.Note | None = None) -> str:
    return render_template(
        "walks/note.html", evening=evening, form=form, written=written, begun=now() >= evening.starts_at
    )


@pages.post("/shifts/<int:shift_id>/note")
@needs("walk")
def write_note(shift_id: int) -> AnyResponse | tuple[str, int]:
    evening = _evening(shift_id)
    form, answers = read_note(request.form, queries.place_names(connection(), g.visitor.partnership.id))
    if answers is None:
        return _note_page(evening, form), INVALID
    actions.write_note(connection(), acting(), shift_id, answers, form.came, leads=_leads())
    return redirect(url_for("walks.noted", shift_id=shift_id), code=303)


@pages.get("/shifts/<int:shift_id>/noted")
@needs("walk")
def noted(shift_id: int) -> str | AnyResponse:
    evening = _evening(shift_id)
    if not evening.noted:
        return redirect(url_for("walks.note", shift_id=shift_id), code=303)
    return render_template("walks/noted.html", evening=evening, note=queries.note_of(connection(), shift_id))


@pages.get("/lead/now")
@needs("lead walks")
def board() -> str:
    partnership_id = g.visitor.partnership.id
    to_follow_up, followed_up = queries.follow_ups(connection(), partnership_id, now())
    return render_template(
        "walks/now.html",
        to_follow_up=to_follow_up,
        followed_up=followed_up,
        teams=queries.teams_now(connection(), partnership_id, now()),
        missing=queries.notes_missing(connection(), partnership_id, now()),
    )


@pages.post("/lead/follow-ups/<int:shift_id>")
@needs("lead walks")
def settle_follow_up(shift_id: int) -> AnyResponse:
    done = {"yes": True, "no": False}.get(request.form.get("done", ""))
    if done is None:
        _evening(shift_id)
        raise Invalid(problem="request")
    actions.settle_follow_up(connection(), acting(), shift_id, done=done)
    return redirect(url_for("walks.board", _anchor="follow-up"), code=303)


@pages.get("/tonight")
@needs("read public pages")
@anonymous
def tonight() -> Response:
    partnership = g.visitor.partnership
    # A walk that goes past midnight is still tonight's until it ends.
    begun = (now() - LONGEST_SHIFT).astimezone(zone()).date()
    listed = queries.out_tonight(connection(), partnership.id, now(), begun) or queries.out_tonight(
        connection(), partnership.id, now(), today()
    )
    page = render_template(
        "walks/tonight.html",
        areas=listed,
        next_date=queries.next_covered_night(connection(), partnership.id, now()),
        team_phone=partnership.team_phone,
    )
    return for_caches(make_response(page))


def walk_now() -> queries.WalkNow | None:
    """Return the walk that the visitor is on this evening, or whose note is missing."""
    if g.visitor.person is None:
        return None
    return queries.walk_now(connection(), g.visitor.person.id, now())


def instead_of_home() -> str | None:
    """Return the evening's page from six hours before the start until the note is in, or the night is long over."""
    found = walk_now()
    return None if found is None or now() >= found.ends_at + SOON else url_for("walks.walk", shift_id=found.shift_id)


SHOW: dict[str, Callable[..., object]] = {"walk_now": walk_now, **WORDS}


@pages.get("/offline")
@needs("read public pages")
@anonymous
def offline() -> str:
    """What the worker shows in the place of a page that is not kept."""
    return render_template("walks/offline.html")

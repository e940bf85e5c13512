from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from scheduler.kit.heartbeat import LATE_AFTER, last_seen, seconds_since
from scheduler.kit.language import gettext, kronor_typed, zone
from scheduler.kit.refusals import Invalid
from scheduler.kit.templating import once_key
from scheduler.kit.web import connection, needs, now, today
from scheduler.messages import halt, resting, standing
from scheduler.messages.spending import Spending, change_plan, spending
from scheduler.people.queries import person_page
from scheduler.sendings import actions, queries
from scheduler.sendings.rules import Audience, Draft, Preview, audience, chosen_moment

pages = Blueprint("sendings", __name__)

INVALID = 422
MOST_KRONOR = 1_000_000
LONGEST_KEY_CHARACTERS = 64


@pages.get("/lead/texts")
@needs("see texts")
def texts() -> str:
    return _overview()


def _overview(problem: str = "") -> str:
    partnership_id = g.visitor.partnership.id
    month = spending(connection(), partnership_id, now())
    held = {"segment": kronor_typed(month.segment_ore), "ceiling": kronor_typed(month.ceiling_ore)}
    seen_at = last_seen(connection())
    rest = resting.standing(connection())
    return render_template(
        "sendings/texts.html",
        listed=queries.texts(connection(), partnership_id, now(), since=queries.midnight(now(), zone())),
        to_read=queries.to_read(connection(), partnership_id),
        month=month,
        typed={name: request.form.get(name, "") for name in held} if problem else held,
        halted=halt.halted(connection()),
        held_since=rest.since if rest is not None else None,
        worker_seconds=seconds_since(seen_at, now()) if seen_at else None,
        worker_late=seen_at is None or now() - seen_at > LATE_AFTER,
        sent=request.args.get("sent", ""),
        problem=problem,
    )


@pages.get("/lead/texts/shifts/<int:shift_id>")
@needs("see texts")
def of_shift(shift_id: int) -> str:
    partnership_id = g.visitor.partnership.id
    night, area = queries.shift_name(connection(), partnership_id, shift_id)
    return render_template(
        "sendings/of_shift.html",
        night=night,
        area=area,
        shift_id=shift_id,
        listed=queries.texts(connection(), partnership_id, now(), shift_id=shift_id),
    )


@pages.get("/lead/texts/people/<int:person_id>")
@needs("see texts")
def of_person(person_id: int) -> str:
    partnership_id = g.visitor.partnership.id
    person = person_page(connection(), partnership_id, person_id)
    return render_template(
        "sendings/of_person.html",
        person=person,
        standing=standing.standing(connection(), person.phone),
        listed=queries.texts(connection(), partnership_id, now(), person_id=person_id),
    )


@pages.post("/lead/texts/people/<int:person_id>/use-number")
@needs("send texts")
def use_number(person_id: int) -> AnyResponse:
    person = person_page(connection(), g.visitor.partnership.id, person_id)
    standing.revive(connection(), person.phone)
    return redirect(url_for("sendings.of_person", person_id=person_id), code=303)


@pages.post("/lead/texts/<int:message_id>/again")
@needs("send texts")
def again(message_id: int) -> AnyResponse:
    actions.again(connection(), g.visitor.partnership.id, message_id, now())
    return redirect(url_for("sendings.texts"), code=303)


@pages.post("/lead/texts/<int:message_id>/take-back")
@needs("send texts")
def take_back(message_id: int) -> AnyResponse:
    """Take back the sending that this text is part of, as far as it waits."""
    actions.take_back(connection(), g.visitor.partnership.id, g.visitor.person.id, message_id, now())
    return redirect(url_for("sendings.texts"), code=303)


@pages.post("/lead/texts/read/<int:incoming_id>")
@needs("send texts")
def read(incoming_id: int) -> AnyResponse:
    actions.note_read(connection(), g.visitor.partnership.id, incoming_id, now())
    return redirect(url_for("sendings.texts"), code=303)


@pages.post("/lead/texts/resume")
@needs("send texts")
def resume() -> AnyResponse:
    halt.try_now(connection(), now())
    return redirect(url_for("sendings.texts"), code=303)


@pages.post("/lead/texts/plan")
@needs("send texts")
def plan() -> AnyResponse | tuple[str, int]:
    try:
        segment_ore = _ore(request.form.get("segment", ""))
        ceiling_ore = _ore(request.form.get("ceiling", ""))
    except ValueError:
        return _overview(gettext("Type the sums in kronor, like 0,50 and 500.")), INVALID
    change_plan(connection(), g.visitor.partnership.id, segment_ore, ceiling_ore)
    return redirect(url_for("sendings.texts"), code=303)


def _ore(typed: str) -> int:
    """Return kronor as they are typed, "0,50" or "1 000", in öre. Raises ValueError."""
    kronor, _, rest = typed.replace(" ", "").replace("\u00a0", "").replace(".", ",").partition(",")
    if not kronor.isdecimal() or len(kronor) > len(str(MOST_KRONOR)) or (rest and not rest.isdecimal()):
        raise ValueError(typed)
    return int(kronor) * 100 + int((rest + "00")[:2])


@pages.get("/lead/texts/new")
@needs("send texts")
def new() -> str:
    return _form(request.args.get("to", ""), "", once_key())


@pages.post("/lead/texts/new")
@needs("send texts")
def send() -> str | AnyResponse | tuple[str, int]:
    word, typed = request.form.get("to", ""), request.form.get("text", "")
    day, clock = request.form.get("day", ""), request.form.get("clock", "")
    key = request.form.get("sending", "")
    key = key if 0 < len(key) <= LONGEST_KEY_CHARACTERS else once_key()
    partnership_id = g.visitor.partnership.id
    try:
        draft = Draft(audience(word), typed, chosen_moment(day, clock, zone(), now()))
        shown = actions.preview(connection(), partnership_id, draft, zone(), now())
    except Invalid as refusal:
        return _form(word, typed, key, refusal), INVALID
    if request.form.get("step") != "send":
        return _form(word, typed, key, shown=shown)
    count = actions.send(connection(), partnership_id, g.visitor.person.id, draft, key, zone(), now())
    return redirect(url_for("sendings.texts", sent=count), code=303)


def _form(word: str, typed: str, key: str, refusal: Invalid | None = None, shown: Preview | None = None) -> str:
    partnership_id = g.visitor.partnership.id
    month: Spending = spending(connection(), partnership_id, now())
    return render_template(
        "sendings/new.html",
        chosen=word,
        named=_named(word),
        typed=typed,
        day=request.form.get("day", ""),
        clock=request.form.get("clock", ""),
        key=key,
        problem=(refusal.field, refusal.problem) if refusal is not None else None,
        shown=shown,
        waits=shown is not None and shown.leaves_at > now(),
        night=shown is not None and shown.leaves_at > shown.wanted_at,
        choices=queries.choices(connection(), partnership_id, today()),
        month=month,
    )


def _named(word: str) -> str:
    """Return the name of an audience that is in no list: one person, or one shift. "" for all others."""
    try:
        to: Audience = audience(word)
    except Invalid:
        return ""
    partnership_id = g.visitor.partnership.id
    if to.kind == "person":
        return person_page(connection(), partnership_id, to.number).name
    if to.kind in {"shift", "unanswered"}:
        return queries.shift_name(connection(), partnership_id, to.number)[1]
    return ""

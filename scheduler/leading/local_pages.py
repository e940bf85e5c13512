"""The municipality's own list of nights that matter: read, added to and taken from."""

from datetime import date

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from scheduler.kit.language import gettext
from scheduler.kit.refusals import Invalid
from scheduler.kit.templating import path_for
from scheduler.kit.web import connection, needs, now, today
from scheduler.leading.typed import Typed, as_date
from scheduler.nights import naming
from scheduler.nights.season import LOCAL, Special

pages = Blueprint("local_nights", __name__)

INVALID = 422
MOST_AT_ONCE = 60
FIELDS = ("nights", "special")


@pages.get("/lead/season/own")
@needs("name nights")
def own() -> str:
    return _page(Typed({"nights": "", "special": Special.HOME_GAME}), request.args.get("done", ""))


def _page(form: Typed, done: str = "") -> str:
    listed = naming.local_nights(connection(), g.visitor.partnership.id, today())
    return render_template("leading/own_nights.html", form=form, listed=listed, kinds=LOCAL, done=done)


@pages.post("/lead/season/own")
@needs("name nights")
def add() -> AnyResponse | tuple[str, int]:
    form = Typed({field: request.form.get(field, "") for field in FIELDS})
    nights = form.days("nights", today())
    if not form.errors:
        _check(form, nights)
    if form.errors:
        return _page(form), INVALID
    special = Special(form.text("special"))
    naming.name(connection(), g.visitor.partnership.id, nights, special, now(), g.visitor.person.id)
    return redirect(path_for("local_nights.own", done="added"), code=303)


def _check(form: Typed, nights: list[date]) -> None:
    if form.text("special") not in LOCAL:
        form.wrong("special", gettext("Choose what happens on that night."))
    if not nights:
        form.wrong("nights", gettext("Type a date like 2026-12-11."))
    elif len(nights) > MOST_AT_ONCE:
        form.wrong("nights", gettext("That is too long. Use at most %(most)s dates at a time.", most=MOST_AT_ONCE))
    elif min(nights) < today():
        form.wrong("nights", gettext("That day has passed."))


@pages.post("/lead/season/own/remove")
@needs("name nights")
def remove() -> AnyResponse:
    night = as_date(request.form.get("night", ""), None)
    if night is None:
        raise Invalid(problem="request")
    naming.unname(connection(), g.visitor.partnership.id, night, now(), g.visitor.person.id)
    return redirect(path_for("local_nights.own", done="removed"), code=303)

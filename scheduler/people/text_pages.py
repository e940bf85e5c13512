"""A person's own choices: which texts, in which hours, to which number."""

from datetime import time

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from scheduler.kit import phone
from scheduler.kit.web import application, connection, needs, now, public_url
from scheduler.messages import standing
from scheduler.messages.rules import TextGroup
from scheduler.people import queries
from scheduler.people.changing_number import ask_for_number_code, change_number
from scheduler.people.forms import CodeForm, SignInForm
from scheduler.people.signing_in import Outcome

pages = Blueprint("my_texts", __name__)

TOO_MANY_REQUESTS = 429
INVALID = 422
NOT_AFTER = (18, 19, 20, 21)
NOT_BEFORE = (8, 9, 10)


@pages.get("/me/texts")
@needs("manage myself")
def choices() -> str:
    person_id = g.visitor.person.id
    chosen = standing.preference(connection(), person_id)
    return render_template(
        "people/texts.html",
        groups=list(TextGroup),
        off=chosen.off,
        not_after=NOT_AFTER,
        not_before=NOT_BEFORE,
        starts=chosen.quiet.starts.hour,
        ends=chosen.quiet.ends.hour,
        stopped=standing.standing(connection(), queries.phone_of(connection(), person_id)).stopped_at,
        saved="saved" in request.args,
    )


@pages.post("/me/texts")
@needs("manage myself")
def choose() -> AnyResponse:
    """Keep what was ticked. An hour that is none of those offered counts as everybody's."""
    on = set(request.form.getlist("on"))
    off = {group for group in TextGroup if group.value not in on}
    person_id = g.visitor.person.id
    standing.choose(
        connection(), person_id, off, time(_hour("not_after", NOT_AFTER, 21)), time(_hour("not_before", NOT_BEFORE, 8))
    )
    if request.form.get("start") == "yes":
        standing.start(connection(), queries.phone_of(connection(), person_id))
    return redirect(url_for("my_texts.choices", saved=1), code=303)


def _hour(name: str, offered: tuple[int, ...], usual: int) -> int:
    return next((hour for hour in offered if request.form.get(name) == str(hour)), usual)


@pages.get("/me/number")
@needs("manage myself")
def number() -> str:
    return render_template("people/number.html", form=SignInForm(formdata=None), limited=False)


@pages.post("/me/number")
@needs("manage myself")
def send_code() -> AnyResponse | tuple[str, int]:
    form = SignInForm()
    if not form.validate():
        return render_template("people/number.html", form=form, limited=False), INVALID
    challenge = ask_for_number_code(
        connection(),
        g.visitor,
        form.e164,
        now(),
        host=public_url().partition("://")[2],
        secret_key=application().settings.secret_key,
    )
    if challenge is None:
        return render_template("people/number.html", form=form, limited=True), TOO_MANY_REQUESTS
    session["number_challenge"] = challenge
    session["masked_number"] = phone.masked(form.e164)
    return redirect(url_for("my_texts.code"), code=303)


@pages.get("/me/number/code")
@needs("manage myself")
def code() -> str | AnyResponse:
    if "number_challenge" not in session:
        return redirect(url_for("my_texts.number"), code=303)
    return _code_page(CodeForm(formdata=None))


def _code_page(form: CodeForm, tries_left: int | None = None, *, ended: bool = False) -> str:
    masked = session.get("masked_number", "")
    return render_template("people/number_code.html", form=form, masked=masked, tries_left=tries_left, ended=ended)


@pages.post("/me/number/code")
@needs("manage myself")
def check_code() -> AnyResponse | tuple[str, int]:
    if "number_challenge" not in session:
        return redirect(url_for("my_texts.number"), code=303)
    form = CodeForm()
    if not form.validate():
        return _code_page(form), INVALID
    answer = change_number(
        connection(),
        g.visitor,
        session["number_challenge"],
        form.code.data or "",
        now(),
        secret_key=application().settings.secret_key,
    )
    if answer.outcome is not Outcome.SIGNED_IN:
        return _code_page(form, answer.tries_left, ended=answer.outcome is Outcome.ENDED), INVALID
    session.pop("number_challenge")
    session.pop("masked_number", None)
    return redirect(url_for("people.me", saved=1), code=303)

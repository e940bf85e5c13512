"""A new number for somebody: noted by a coordinator, and the question that its owner answers."""

from flask import Blueprint, g, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from scheduler.kit.language import zone
from scheduler.kit.refusals import Invalid
from scheduler.kit.web import connection, needs, now, public_url
from scheduler.people import asking_number, queries
from scheduler.people.changing_number import Owner
from scheduler.people.forms import SignInForm, problem_sentence
from scheduler.people.rules import Acting

pages = Blueprint("numbers", __name__)

INVALID = 422
GONE = 410


@pages.get("/lead/people/<int:person_id>/number")
@needs("note a number")
def note(person_id: int) -> str:
    return _note_page(person_id, SignInForm(formdata=None))


@pages.post("/lead/people/<int:person_id>/number")
@needs("note a number")
def ask(person_id: int) -> AnyResponse | tuple[str, int]:
    """Ask the new number whether it is this person's."""
    form = SignInForm()
    if not form.validate():
        return _note_page(person_id, form), INVALID
    acting = Acting(g.visitor.partnership.id, g.visitor.person.id, now(), zone(), public_url())
    try:
        asking_number.note_number(connection(), acting, person_id, form.e164)
    except Invalid as refusal:
        form.phone.errors = [problem_sentence(refusal)]
        holder = queries.person_by_phone(connection(), g.visitor.partnership.id, form.e164)
        return _note_page(person_id, form, holder.id if holder is not None else None), INVALID
    return redirect(url_for("person.sheet", person_id=person_id), code=303)


def _note_page(person_id: int, form: SignInForm, holder_id: int | None = None) -> str:
    return render_template(
        "people/note_number.html",
        person=queries.person_page(connection(), g.visitor.partnership.id, person_id),
        waiting=asking_number.waiting(connection(), person_id, now()),
        form=form,
        holder_id=holder_id,
    )


@pages.get("/number/<token>")
@needs("sign in")
def question(token: str) -> tuple[str, int]:
    """Show the question; opening the link answers nothing."""
    return _question_page(token)


def _question_page(token: str) -> tuple[str, int]:
    asked = asking_number.asked(connection(), g.visitor.partnership.id, token, now())
    return render_template("people/asked_number.html", asked=asked, token=token, taken=False), 200 if asked else GONE


@pages.post("/number/<token>")
@needs("sign in")
def answer(token: str) -> AnyResponse | tuple[str, int]:
    partnership = g.visitor.partnership
    owner = Owner(partnership.id, partnership.coordinator_phone)
    if not asking_number.accept(connection(), owner, token, now()):
        return _question_page(token)
    return redirect(url_for("numbers.changed"), code=303)


@pages.get("/number")
@needs("sign in")
def changed() -> str:
    return render_template("people/asked_number.html", asked=None, token="", taken=True)

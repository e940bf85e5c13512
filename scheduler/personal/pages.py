import json

from flask import Blueprint, Response, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.kit.web import application, connection, needs, now
from scheduler.personal import actions, queries

pages = Blueprint("personal", __name__)

INVALID = 422


def _kept() -> queries.Kept:
    return queries.kept(connection(), g.visitor.partnership.id, g.visitor.person.id, now())


@pages.get("/me/data")
@needs("manage myself")
def data() -> str:
    return render_template("personal/data.html", kept=_kept())


@pages.get("/me/data.json")
@needs("manage myself")
def data_file() -> Response:
    text = json.dumps(queries.as_json(_kept()), ensure_ascii=False, indent=2)
    answer = Response(text + "\n", mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="lykta-{now():%Y-%m-%d}.json"'
    return answer


@pages.get("/me/forget")
@needs("manage myself")
def ask() -> str:
    return _asking(unsure=False)


def _asking(*, unsure: bool) -> str:
    shifts = actions.coming_shifts(connection(), acting())
    found = queries.leaving(connection(), g.visitor.partnership.id, g.visitor.person.id, shifts)
    return render_template("personal/forget.html", leaving=found, unsure=unsure)


@pages.post("/me/forget")
@needs("manage myself")
def forget() -> AnyResponse | tuple[str, int]:
    if request.form.get("sure") != "yes":
        return _asking(unsure=True), INVALID
    actions.forget(connection(), acting(), application().settings.public_url)
    session.clear()
    answer = redirect(url_for("personal.forgotten"), code=303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@pages.get("/forgotten")
@needs("read public pages")
def forgotten() -> str:
    return render_template("personal/forgotten.html")

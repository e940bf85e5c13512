from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.doubles import actions, queries
from scheduler.doubles.rules import BothWalked, OneRecord
from scheduler.kit.templating import path_for
from scheduler.kit.web import connection, needs, now
from scheduler.people.queries import person_page

pages = Blueprint("doubles", __name__)

LONGEST_SEARCH = 60
CONFLICT = 409


@pages.get("/lead/people/doubles")
@needs("merge people")
def suggested() -> str:
    return render_template("doubles/doubles.html", pairs=queries.suggested(connection(), g.visitor.partnership.id))


@pages.get("/lead/people/<int:person_id>/double")
@needs("merge people")
def search(person_id: int) -> str:
    partnership_id = g.visitor.partnership.id
    asked = " ".join(request.args.get("q", "").replace("\x00", "").split())[:LONGEST_SEARCH]
    return render_template(
        "doubles/search.html",
        person=person_page(connection(), partnership_id, person_id),
        q=asked,
        found=queries.others_like(connection(), partnership_id, person_id, asked) if asked else [],
    )


@pages.get("/lead/people/<int:kept_id>/double/<int:gone_id>")
@needs("merge people")
def preview(kept_id: int, gone_id: int) -> str | tuple[str, int]:
    return _preview(kept_id, gone_id)


def _preview(kept_id: int, gone_id: int) -> str | tuple[str, int]:
    partnership_id = g.visitor.partnership.id
    kept, gone = (person_page(connection(), partnership_id, one) for one in (kept_id, gone_id))
    if kept_id == gone_id:
        raise OneRecord
    try:
        found = queries.preview(connection(), partnership_id, kept_id, gone_id, now())
    except BothWalked as refusal:
        page = render_template("doubles/both_walked.html", kept=kept, gone=gone, nights=refusal.nights)
        return page, CONFLICT
    return render_template("doubles/preview.html", preview=found, mine=g.visitor.person.id)


@pages.post("/lead/people/<int:kept_id>/double/<int:gone_id>")
@needs("merge people")
def merge(kept_id: int, gone_id: int) -> AnyResponse:
    actions.merge(connection(), acting(), kept_id, gone_id)
    return redirect(path_for("person.sheet", person_id=kept_id, done="merged"), code=303)

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from scheduler.kit.templating import path_for
from scheduler.kit.web import connection, needs, now, today
from scheduler.partnership.queries import check_with_us
from scheduler.people.inviting import accept_invitation, decline_invitation, invitations

pages = Blueprint("welcome", __name__)

INVALID = 422


@pages.get("/welcome")
@needs("manage myself")
def welcome() -> str:
    return _page()


def _page(unticked: int | None = None) -> str:
    waiting = invitations(connection(), g.visitor.person.id)
    return render_template("people/welcome.html", invitations=waiting, unticked=unticked)


@pages.post("/welcome/<int:membership_id>/<any(yes, no):said>")
@needs("manage myself")
def answer(membership_id: int, said: str) -> AnyResponse | tuple[str, int]:
    partnership_id, person_id = g.visitor.partnership.id, g.visitor.person.id
    if said == "no":
        decline_invitation(connection(), partnership_id, person_id, membership_id, now())
        return redirect(path_for("finding.home"), code=303)
    invited = invitations(connection(), person_id)
    asked = next((one for one in invited if one.membership_id == membership_id), None)
    if asked is not None and not asked.agreed and request.form.get("values") != "yes":
        return _page(membership_id), INVALID
    if asked is not None:
        check_with_us(connection(), partnership_id, [asked.club_id], today())
    accept_invitation(connection(), partnership_id, person_id, membership_id, now())
    return redirect(path_for("welcome.welcome"), code=303)

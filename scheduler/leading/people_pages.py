from collections.abc import Mapping

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.kit.refusals import Invalid
from scheduler.kit.templating import path_for
from scheduler.kit.web import connection, needs, row_id, today
from scheduler.leading import members
from scheduler.leading.rules import Activity
from scheduler.messages.standing import preferences, standings
from scheduler.partnership.queries import clubs
from scheduler.people.pages import own_clubs
from scheduler.people.rules import MembershipState, is_old

pages = Blueprint("folk", __name__)

LONGEST_SEARCH, MOST_PAGES, MOST_AT_ONCE = 60, 2000, 200


def sought_from(asked: MultiDict[str, str], own: frozenset[int] | None, choices: Mapping[int, str]) -> members.Sought:
    """Return what an address or a form looks for, as far as the visitor may."""
    word = asked.get("state", "")
    state = MembershipState(word) if word in set(MembershipState) else None
    club_id = asked.get("club", type=int)
    return members.Sought(
        text=" ".join(asked.get("q", "").replace("\x00", "").split())[:LONGEST_SEARCH],
        state=Activity(word) if word in set(Activity) else state,
        club_id=club_id if club_id in choices else None,
        club_ids=own,
        page=min(max(asked.get("page", 0, type=int), 0), MOST_PAGES),
    )


@pages.get("/lead/people")
@needs("approve members")
def people() -> str:
    partnership_id, own = g.visitor.partnership.id, own_clubs()
    listed = clubs(connection(), partnership_id)
    choices = [(club.id, club.name) for club in listed if own is None or club.id in own]
    sought = sought_from(request.args, own, dict(choices))
    found = members.members(connection(), acting(), sought)
    shown = found[: members.PAGE]
    return render_template(
        "leading/people.html",
        sought=sought,
        people=shown,
        numbers=standings(connection(), [one.phone for one in shown]),
        chosen=preferences(connection(), [one.person_id for one in shown]),
        old={one.extract_seen_on for one in shown if one.extract_seen_on and is_old(one.extract_seen_on, today())},
        more=len(found) > members.PAGE,
        clubs=choices,
        states=[*Activity, *MembershipState],
        ended=request.args.get("ended", type=int),
    )


@pages.post("/lead/people/approve")
@needs("approve members")
def approve() -> AnyResponse:
    chosen = [row_id(one) for one in request.form.getlist("membership")]
    if not chosen or len(chosen) > MOST_AT_ONCE:
        raise Invalid(problem="request")
    members.approve_many(connection(), g.visitor, acting(), chosen, own_clubs() or frozenset())
    return redirect(path_for("people.members"), code=303)


@pages.route("/lead/memberships/<int:membership_id>/end", methods=["GET", "POST"])
@needs("approve members")
def end(membership_id: int) -> str | AnyResponse:
    if request.method == "POST":
        freed = members.end_membership(connection(), acting(), membership_id, own_clubs())
        return redirect(path_for("folk.people", ended=freed), code=303)
    seen = members.ending(connection(), acting(), membership_id, own_clubs())
    return render_template("leading/end_membership.html", ending=seen)

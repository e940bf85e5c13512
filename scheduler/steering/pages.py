from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.calendars.text import Invitation, Stamp, invitation
from scheduler.kit.language import gettext, zone
from scheduler.kit.refusals import Invalid
from scheduler.kit.web import connection, needs, public_url, today
from scheduler.money.queries import current_agreement
from scheduler.partnership.queries import AgreementView
from scheduler.steering import actions, queries
from scheduler.steering.rules import DecisionKind, Partner, partner_of
from scheduler.steering.words import SHOW as WORDS
from scheduler.steering.words import problem_sentence

pages = Blueprint("steering", __name__)
SHOW: dict[str, Callable[..., object]] = WORDS
INVALID = 422
Word = TypeVar("Word", bound=StrEnum)


def _agreement() -> AgreementView:
    return current_agreement(connection(), g.visitor.partnership.id, today())


@pages.get("/lead/steering")
@needs("steer")
def steering() -> str:
    return _page()


def _page(problem: Invalid | None = None) -> str:
    partnership_id = g.visitor.partnership.id
    return render_template(
        "steering/steering.html",
        agreement=_agreement(),
        members=queries.members(connection(), partnership_id),
        meetings=queries.meetings(connection(), partnership_id),
        decisions=queries.decisions(connection(), partnership_id),
        mine=partner_of(g.visitor.roles),
        typed=request.form,
        problem=problem.field if problem else "",
        told=problem_sentence(problem) if problem else "",
    )


def _tried(write: Callable[[], object]) -> AnyResponse | tuple[str, int]:
    """Do what a form asks, or show the page with what is wrong and what was typed."""
    try:
        write()
    except Invalid as refusal:
        return _page(refusal), INVALID
    return redirect(url_for("steering.steering"), code=303)


def _word(kind: type[Word], field: str) -> Word:
    typed = request.form.get(field, "")
    if typed not in set(kind):
        raise Invalid(field, "wrong")
    return kind(typed)


@pages.post("/lead/steering/members")
@needs("steer")
def add_member() -> AnyResponse | tuple[str, int]:
    return _tried(
        lambda: actions.add_member(
            connection(),
            acting(),
            _word(Partner, "partner"),
            request.form.get("name", ""),
            request.form.get("email", ""),
        )
    )


@pages.post("/lead/steering/members/<int:member_id>/remove")
@needs("steer")
def remove_member(member_id: int) -> AnyResponse:
    actions.remove_member(connection(), acting(), member_id)
    return redirect(url_for("steering.steering"), code=303)


def _starts_at() -> datetime:
    try:
        return datetime.fromisoformat(request.form.get("starts_at", "")).replace(tzinfo=zone())
    except ValueError:
        raise Invalid("starts_at", "wrong") from None


@pages.post("/lead/steering/meetings")
@needs("steer")
def call_meeting() -> AnyResponse | tuple[str, int]:
    minutes = request.form.get("minutes", "")
    return _tried(
        lambda: actions.call_meeting(
            connection(),
            acting(),
            _starts_at(),
            int(minutes) if minutes.isdecimal() and len(minutes) < 5 else 0,  # noqa: PLR2004 - none lasts longer
            request.form.get("place", ""),
            request.form.get("agenda", ""),
        )
    )


@pages.post("/lead/steering/meetings/<int:meeting_id>/cancel")
@needs("steer")
def cancel_meeting(meeting_id: int) -> AnyResponse:
    actions.cancel_meeting(connection(), acting(), meeting_id)
    return redirect(url_for("steering.steering"), code=303)


@pages.get("/lead/steering/meetings/<int:meeting_id>.ics")
@needs("steer")
def meeting_file(meeting_id: int) -> Response:
    """The invitation as a file, to be sent or opened; of a cancelled meeting the file that takes it out again."""
    partnership = g.visitor.partnership
    found = queries.meeting(connection(), partnership.id, meeting_id)
    host = urlsplit(public_url()).hostname or "localhost"
    content = invitation(
        Invitation(
            uid=f"steering-{found.id}@{host}",
            starts_at=found.starts_at,
            ends_at=found.ends_at,
            title=gettext("Steering group, %(name)s", name=partnership.name),
            description=found.agenda,
            location=found.place,
            organizer=(partnership.name, f"lykta@{host}"),
            attendees=tuple(
                (one.name, one.email) for one in queries.members(connection(), partnership.id) if one.email
            ),
            cancelled=found.cancelled,
        ),
        Stamp(found.sequence, found.changed_at),
    )
    method = "CANCEL" if found.cancelled else "REQUEST"
    answer = Response(content, content_type=f"text/calendar; method={method}; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="meeting-{found.id}.ics"'
    return answer


@pages.post("/lead/steering/decisions")
@needs("steer")
def propose() -> AnyResponse | tuple[str, int]:
    return _tried(
        lambda: actions.propose(
            connection(),
            acting(),
            _agreement().id,
            _word(DecisionKind, "kind"),
            request.form.get("title", ""),
            request.form.get("text", ""),
        )
    )


@pages.post("/lead/steering/decisions/<int:decision_id>/answer")
@needs("steer")
def answer(decision_id: int) -> AnyResponse:
    agreed = request.form.get("agreed", "")
    if agreed not in {"yes", "no"}:
        raise Invalid(problem="request")
    partner = partner_of(g.visitor.roles)
    actions.answer(connection(), acting(), decision_id, partner, agreed=agreed == "yes")
    return redirect(url_for("steering.steering"), code=303)


@pages.post("/lead/steering/renew")
@needs("steer")
def renew() -> AnyResponse:
    actions.renew(connection(), acting(), _agreement())
    return redirect(url_for("steering.steering"), code=303)

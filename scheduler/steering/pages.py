from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.calendars.text import Invitation, Stamp, invitation, method, own_copy
from scheduler.gaps.pages import ask_at_once, ask_for_new
from scheduler.kit.language import gettext, zone
from scheduler.kit.refusals import Invalid
from scheduler.kit.web import connection, needs, now, public_url, row_id, today
from scheduler.money.facts import rate_changes
from scheduler.money.forms import as_date
from scheduler.money.queries import budget, current_agreement
from scheduler.money.rules import Deviation, ore
from scheduler.nights.budget import NightOver, offer
from scheduler.partnership.queries import AgreementView, agreement_on
from scheduler.steering import actions, queries
from scheduler.steering.rules import DecisionKind, NothingHere, Partner, partner_of
from scheduler.steering.words import SHOW as WORDS
from scheduler.steering.words import problem_sentence

pages = Blueprint("steering", __name__)
SHOW: dict[str, Callable[..., object]] = WORDS
INVALID = 422
A_MONTH = timedelta(days=31)
Word = TypeVar("Word", bound=StrEnum)


def _agreement() -> AgreementView:
    return current_agreement(connection(), g.visitor.partnership.id, today())


@pages.get("/lead/steering")
@needs("steer")
def steering() -> str:
    return _page()


def _page(problem: Invalid | None = None) -> str:
    partnership_id = g.visitor.partnership.id
    agreement = _agreement()
    decisions = queries.decisions(connection(), partnership_id)
    meetings = queries.meetings(connection(), partnership_id)
    members = queries.members(connection(), partnership_id)
    coming = [one for one in meetings if one.ends_at > now() and not one.cancelled]
    about = request.args.get("about", "")
    return render_template(
        "steering/steering.html",
        agreement=agreement,
        members=members,
        seated=any(one.person_id == g.visitor.person.id for one in members),
        meetings=meetings,
        coming=coming,
        monthly=any(one.starts_at < now() + A_MONTH for one in coming),
        decisions=decisions,
        opened=queries.opened(connection(), partnership_id),
        noticed=queries.noticed(_deviations(agreement), decisions),
        terms=queries.terms(connection(), partnership_id),
        mine=partner_of(g.visitor.roles),
        rates=sorted(rate_changes(connection(), agreement.id)),
        deviations=queries.decided_deviations(decisions, agreement.id),
        about=request.form.getlist("about") or [about],
        typed=request.form or ({"kind": DecisionKind.DEVIATION} if about else {}),
        problem=problem.field if problem else "",
        told=problem_sentence(problem) if problem else "",
    )


def _deviations(agreement: AgreementView) -> list[Deviation]:
    return budget(connection(), agreement, now(), today()).deviations


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


@pages.post("/lead/steering/members/<int:member_id>/mine")
@needs("steer")
def take_seat(member_id: int) -> AnyResponse:
    actions.take_seat(connection(), acting(), member_id, partner_of(g.visitor.roles))
    return redirect(url_for("steering.steering"), code=303)


def _starts_at() -> datetime:
    try:
        return datetime.fromisoformat(request.form.get("starts_at", "")).replace(tzinfo=zone())
    except ValueError:
        raise Invalid("starts_at", "wrong") from None


@pages.post("/lead/steering/meetings")
@needs("steer")
def call_meeting() -> AnyResponse | tuple[str, int]:
    return _tried(lambda: actions.call_meeting(connection(), acting(), *_meeting_fields(), partner_of(g.visitor.roles)))


def _meeting_fields() -> tuple[datetime, int, str, str]:
    minutes = request.form.get("minutes", "")
    return (
        _starts_at(),
        int(minutes) if minutes.isdecimal() and len(minutes) < 5 else 0,  # noqa: PLR2004 - none lasts longer
        request.form.get("place", ""),
        request.form.get("agenda", ""),
    )


@pages.get("/lead/steering/meetings/<int:meeting_id>")
@needs("steer")
def meeting(meeting_id: int) -> str:
    return _meeting_page(meeting_id)


def _meeting_page(meeting_id: int, problem: Invalid | None = None) -> str:
    partnership_id = g.visitor.partnership.id
    found = queries.meeting(connection(), partnership_id, meeting_id)
    starts_at = f"{found.starts_at.astimezone(zone()):%Y-%m-%d %H:%M}"
    held = {"starts_at": starts_at, "minutes": found.minutes, "place": found.place, "agenda": found.agenda}
    return render_template(
        "steering/meeting.html",
        meeting=found,
        invited=[one for one in queries.members(connection(), partnership_id) if one.email],
        decisions=[one for one in queries.decisions(connection(), partnership_id) if one.meeting_id == meeting_id],
        over=found.ends_at <= now(),
        typed=request.form or held,
        problem=problem.field if problem else "",
        told=problem_sentence(problem) if problem else "",
    )


@pages.post("/lead/steering/meetings/<int:meeting_id>")
@needs("steer")
def change_meeting(meeting_id: int) -> AnyResponse | tuple[str, int]:
    queries.meeting(connection(), g.visitor.partnership.id, meeting_id)
    try:
        actions.change_meeting(connection(), acting(), meeting_id, *_meeting_fields())
    except Invalid as refusal:
        return _meeting_page(meeting_id, refusal), INVALID
    return redirect(url_for("steering.meeting", meeting_id=meeting_id), code=303)


@pages.post("/lead/steering/meetings/<int:meeting_id>/cancel")
@needs("steer")
def cancel_meeting(meeting_id: int) -> AnyResponse:
    actions.cancel_meeting(connection(), acting(), meeting_id)
    return redirect(url_for("steering.steering"), code=303)


@pages.get("/lead/steering/meetings/<int:meeting_id>.ics")
@needs("steer")
def meeting_file(meeting_id: int) -> Response:
    """The invitation as a file, to be sent or opened; of a cancelled meeting the file that takes it out again."""
    file, stamp = _invitation(meeting_id)
    answer = Response(invitation(file, stamp), content_type=f"text/calendar; method={method(file)}; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="meeting-{meeting_id}.ics"'
    return answer


@pages.get("/lead/steering/meetings/<int:meeting_id>/own.ics")
@needs("steer")
def own_file(meeting_id: int) -> Response:
    """The meeting alone, for one's own calendar: nobody is invited or asked."""
    answer = Response(own_copy(*_invitation(meeting_id)), content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="own-meeting-{meeting_id}.ics"'
    return answer


def _invitation(meeting_id: int) -> tuple[Invitation, Stamp]:
    partnership = g.visitor.partnership
    found = queries.meeting(connection(), partnership.id, meeting_id)
    host = urlsplit(public_url()).hostname or "localhost"
    own = (found.organizer_name, found.organizer_email)
    file = Invitation(
        uid=f"steering-{found.id}@{host}",
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        title=gettext("Steering group, %(name)s", name=partnership.name),
        description=found.agenda,
        location=found.place,
        organizer=own if found.organizer_email else (partnership.name, f"lykta@{host}"),
        answers_to=bool(found.organizer_email),
        attendees=tuple((one.name, one.email) for one in queries.members(connection(), partnership.id) if one.email),
        cancelled=found.cancelled,
    )
    return file, Stamp(found.sequence, found.changed_at)


@pages.post("/lead/steering/decisions")
@needs("steer")
def propose() -> AnyResponse | tuple[str, int]:
    agreement = _agreement()
    about = set(request.form.getlist("about"))
    meeting = request.form.get("meeting", "")
    meeting_id = row_id(meeting) if meeting else None
    return _tried(
        lambda: actions.propose(
            connection(),
            acting(),
            agreement.id,
            _word(DecisionKind, "kind"),
            request.form.get("title", ""),
            request.form.get("text", ""),
            deviations=[one for one in _deviations(agreement) if one.key in about],
            meeting_id=meeting_id,
        )
    )


def _night(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NothingHere from None


@pages.get("/lead/steering/areas/<night>")
@needs("change a shift")
def areas(night: str) -> str:
    """Open one more area beyond the line: by which decision?"""
    partnership_id, day = g.visitor.partnership.id, _night(night)
    second = offer(connection(), partnership_id, day, now())
    if second is None:
        raise NightOver
    agreement = agreement_on(connection(), partnership_id, day)
    return render_template(
        "steering/areas.html",
        second=second,
        ask=ask_at_once(second),
        decisions=queries.that_may_open(connection(), partnership_id, agreement.id),
    )


@pages.post("/lead/steering/areas/<night>")
@needs("change a shift")
def open_area(night: str) -> AnyResponse:
    decision, area = (row_id(request.form.get(name, "")) for name in ("decision", "area"))
    return ask_for_new(actions.open_area(connection(), acting(), _night(night), area, decision))


@pages.post("/lead/steering/decisions/<int:decision_id>/answer")
@needs("steer")
def answer(decision_id: int) -> AnyResponse:
    agreed = request.form.get("agreed", "")
    if agreed not in {"yes", "no"}:
        raise Invalid(problem="request")
    partner = partner_of(g.visitor.roles)
    actions.answer(connection(), acting(), decision_id, partner, agreed=agreed == "yes")
    return redirect(url_for("steering.steering"), code=303)


@pages.post("/lead/steering/rate")
@needs("steer")
def change_rate() -> AnyResponse | tuple[str, int]:
    return _tried(
        lambda: actions.change_rate(connection(), acting(), _agreement(), _decision_sent(), _from_on(), _rate_sent())
    )


def _decision_sent() -> int:
    try:
        return row_id(request.form.get("decision", ""))
    except Invalid:
        raise Invalid("decision", "wrong") from None


def _from_on() -> date:
    found = as_date(request.form.get("from_on", "").strip())
    if found is None:
        raise Invalid("from_on", "wrong")
    return found


def _rate_sent() -> int:
    try:
        return ore(request.form.get("rate", ""))
    except Invalid as refusal:
        raise Invalid("rate", refusal.problem) from None


@pages.post("/lead/steering/renew")
@needs("steer")
def renew() -> AnyResponse:
    actions.renew(connection(), acting(), _agreement())
    return redirect(url_for("steering.steering"), code=303)

"""Refusals and faults become pages, in this one place. A visitor never sees a trace, and never only a number."""

import json
import logging

from flask import Response, g, make_response, render_template, request, session
from markupsafe import Markup
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as WrongPage

from scheduler.kit import language
from scheduler.kit.database import LostRace
from scheduler.kit.refusals import Invalid, NotFound, Refusal, TooLarge, Unavailable, WrongMethod
from scheduler.kit.web import Application, application

RETRY_AFTER_SECONDS = 5
log = logging.getLogger("scheduler.faults")


def sentence(refusal: Refusal) -> Markup:
    """Return the refusal's sentence in the language of this request."""
    template = application().jinja_env.get_template(f"{refusal.room}/refusals.html")
    return Markup(getattr(template.make_module(), type(refusal).__name__)(refusal)).strip()  # noqa: S704 - a template's own text


def refused(refusal: Refusal, **next_steps: object) -> Response:
    """Return the page for a refusal: what happened, and the next best step."""
    context: dict[str, object] = {"next_steps": [], "queue_shift_id": None, "link": None, "waiting": 0}
    context.update(next_steps)
    return make_response(
        render_template("refused.html", sentence=sentence(refusal), status=refusal.status, **context),
        refusal.status,
    )


def register(app: Application) -> None:
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(HTTPException, _http)
    for fault in (OperationalError, InterfaceError, PoolTimeout, LostRace):
        app.register_error_handler(fault, _database_away)
    app.register_error_handler(Exception, _unexpected)


def _refusal(refusal: Refusal) -> Response:
    return error_page(refusal) if _has_no_visitor() else refused(refusal)


def _http(error: HTTPException) -> Response:
    if isinstance(error, MethodNotAllowed):
        answer = error_page(WrongMethod())
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return answer
    if isinstance(error, RequestEntityTooLarge):
        return error_page(TooLarge())
    if isinstance(error, WrongPage):
        return error_page(NotFound())
    status = error.code or 500
    if status < 400:  # noqa: PLR2004 - the router's own redirects
        return make_response(error.get_response())
    answer = error_page(Invalid(problem="request"))
    answer.status_code = status
    return answer


def _database_away(_error: Exception) -> Response:
    log.warning(json.dumps({"id": g.get("request_id", "-"), "fault": "the database did not answer in time"}))
    page = render_template("kit/unavailable.html", request_id=g.get("request_id", ""))
    answer = make_response(page, Unavailable.status)
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


def _unexpected(error: Exception) -> Response:
    # The kind and the place, never the message: it may hold what a person typed.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "-"
    log.error(json.dumps({"id": g.get("request_id", "-"), "fault": type(error).__name__, "place": place}))
    return error_page(None)


def _has_no_visitor() -> bool:
    return g.get("visitor") is None or g.visitor.partnership is None


def error_page(refusal: Refusal | None) -> Response:
    """Return a page that needs no database, for a refusal or (None) for our own fault."""
    status = refusal.status if refusal is not None else 500
    if "language" not in g:
        g.language = language.choose(None, session.get("language"), request.accept_languages)
    text = sentence(refusal) if refusal is not None else ""
    return make_response(
        render_template("kit/error.html", status=status, sentence=text, request_id=g.get("request_id", "")), status
    )

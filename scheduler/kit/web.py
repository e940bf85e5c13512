"""The web frame: one unit of work per request, who may enter, refusals to HTTP, headers, logs, assets.

The frame knows no room. The assembly in `scheduler/__init__.py` tells it who the visitor is and who may
enter (`Doors`).
"""

import gzip
import hashlib
import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Flask, Response, g, make_response, render_template, request, session
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from jinja2 import StrictUndefined, TemplateNotFound
from markupsafe import Markup
from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from scheduler.kit import language
from scheduler.kit.clock import Clock
from scheduler.kit.database import Database
from scheduler.kit.refusals import (
    CrossSite,
    Invalid,
    NotFound,
    Refusal,
    TooLarge,
    Unavailable,
    WrongMethod,
)
from scheduler.kit.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_BODY_BYTES = 256 * 1024
MOST_FIELDS = 500
SIGNED_IN_DAYS = 60
LARGEST_ID = 2**31 - 1
RETRY_AFTER_SECONDS = 5
SMALLEST_COMPRESSED_BYTES = 1024
# Without a visitor and without the database, but for /readyz.
OWN_ENDPOINTS = frozenset({"static", "favicon", "robots", "healthz", "readyz"})
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Not "no-referrer": with it browsers send "Origin: null" with a form, and the origin check needs it.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

View = TypeVar("View", bound=Callable[..., Any])
log = logging.getLogger("scheduler.requests")


class Visitor(Protocol):
    """What the frame needs to know of whoever looks."""

    @property
    def signed_in(self) -> bool: ...


class Doors(NamedTuple):
    """What the assembly tells the frame.

    `visitor(connection, host_name, session_secret)` returns who looks. `enter(visitor, permission)` returns
    None, or an answer to give instead of the page, or raises a refusal. `language_of` and `zone_of` read
    the visitor.
    """

    visitor: Callable[[Connection, str, str | None], Any]
    enter: Callable[[Any, str], Response | None]
    language_of: Callable[[Any], str | None]
    zone_of: Callable[[Any], ZoneInfo]


def needs(permission: str) -> Callable[[View], View]:
    """Say which permission of the table a route asks for."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


class RowId(IntegerConverter):
    """An id in an address: a number that the database's integers can hold; a larger one is no page."""

    def __init__(self, map: Map) -> None:  # noqa: A002 - the router's own name
        super().__init__(map, max=LARGEST_ID)


class Application(Flask):
    """Flask with one unit of work around each view, and a visitor in it."""

    database: Database
    clock: Clock
    settings: Settings
    doors: Doors

    def dispatch_request(self) -> Any:  # noqa: ANN401 - Flask's own type of an answer
        permission = self._permission()
        if permission is None:
            return super().dispatch_request()
        if request.method in SAFE_METHODS:
            return self._answer(connection(), permission)
        _close_reading()
        return self.database.write(lambda writing: self._answer(writing, permission))

    def _permission(self) -> str | None:
        if request.url_rule is None or request.endpoint is None:
            return None
        return getattr(self.view_functions[request.endpoint], "permission", None)

    def _answer(self, unit: Connection, permission: str) -> Any:  # noqa: ANN401 - Flask's own type of an answer
        g.unit = unit
        g.pop("visitor", None)
        visitor = self.doors.visitor(unit, host_name(), session.get("secret"))
        g.visitor = visitor
        g.zone = self.doors.zone_of(visitor)
        g.language = language.choose(
            self.doors.language_of(visitor), session.get("language"), request.accept_languages
        )
        try:
            instead = self.doors.enter(visitor, permission)
            # Made here, so that a page's text is read in the same transaction, before the commit.
            return make_response(super().dispatch_request() if instead is None else instead)
        finally:
            if request.method not in SAFE_METHODS:
                g.pop("unit", None)


def connection() -> Connection:
    """Return the connection of this request: its write unit in a form's view, else one for reading."""
    if "unit" not in g:
        g.reading = ExitStack()
        g.unit = g.reading.enter_context(application().database.reading())
    unit: Connection = g.unit
    return unit


def _close_reading() -> None:
    reading = g.pop("reading", None)
    if reading is not None:
        g.pop("unit", None)
        reading.close()


def application() -> Application:
    from flask import current_app

    return current_app._get_current_object()  # type: ignore[attr-defined, no-any-return]  # noqa: SLF001


def now() -> datetime:
    """Return the instant of this request, read once."""
    if "now" not in g:
        g.now = application().clock.now()
    instant: datetime = g.now
    return instant


def today() -> date:
    """Return the date of this request in the partnership's time zone."""
    return now().astimezone(language.zone()).date()


def host_name() -> str:
    """Return the tenant's host: "" for the deployment's own address. Raises NotFound for a malformed one."""
    return "" if g.own_host else request.host.lower()


def public_url() -> str:
    """Return the address to put in links: from settings and the tenant's row, never from the request."""
    settings = application().settings
    partnership = g.visitor.partnership
    if partnership is not None and partnership.host_name:
        return f"{urlsplit(settings.public_url).scheme}://{partnership.host_name}"
    return settings.public_url


def safe_next(target: str) -> str:
    """Return `target` if it leads to a page of this site, else "/".

    Only a path of plain characters passes; browsers read tabs, backslashes and doubled slashes as hosts.
    """
    if re.fullmatch(r"/(?:[A-Za-z0-9_~.\-][A-Za-z0-9_~.\-/]*)?(?:\?[A-Za-z0-9_~.\-=&%+]*)?", target):
        return target if "//" not in target else "/"
    return "/"


# ---------------------------------------------------------------- the frame


def build(settings: Settings, database: Database, clock: Clock, doors: Doors) -> Application:
    """Return the application frame: no room's pages yet."""
    root = Path(__file__).parents[2]
    app = Application(
        "scheduler", template_folder=str(root / "templates"), static_folder=None, root_path=str(root)
    )
    app.url_map.converters["int"] = RowId
    app.settings, app.database, app.clock, app.doors = settings, database, clock, doors
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY_BYTES,
        MAX_FORM_PARTS=MOST_FIELDS,
        PERMANENT_SESSION_LIFETIME=timedelta(days=SIGNED_IN_DAYS),
        SESSION_REFRESH_EACH_REQUEST=False,
        SESSION_COOKIE_NAME="__Host-lykta" if settings.https else "lykta",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,  # the origin is checked below, also without https
        TRAP_HTTP_EXCEPTIONS=False,
    )
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0, x_prefix=0
        )
    app.before_request(_begin)
    CSRFProtect(app)
    app.after_request(_finish)
    app.teardown_request(lambda _error: _close_reading())
    _register_errors(app)
    _register_templates(app)
    _register_assets(app, root / "static")
    _register_health(app)
    return app


def _begin() -> None:
    g.started = time.perf_counter()
    g.request_id = secrets.token_hex(6)
    settings = application().settings
    host = request.host.lower()
    g.own_host = host == settings.public_host or (_is_loopback(settings.public_host) and _is_loopback(host))
    if request.method in SAFE_METHODS:
        return
    # The whole body is read before any transaction begins: a slow sender must not hold a lock.
    request.form  # noqa: B018
    _check_origin()
    for values in request.form.listvalues():
        for value in values:
            if "\x00" in value or "\ufffd" in value:
                raise Invalid(problem="unreadable")


def _is_loopback(host: str) -> bool:
    return re.fullmatch(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", host) is not None


def _check_origin() -> None:
    """Refuse what the browser says another site sent; without a word from it, the token decides."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise CrossSite
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
        raise CrossSite


def _finish(response: Response) -> Response:
    if response.status_code in {302, 303} and "X-Lykta-Fetch" in request.headers:
        response = _location_for_script(response)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if application().settings.https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    response.headers.setdefault("Cache-Control", "private, no-store")
    _compress(response)
    rule = request.url_rule.rule if request.url_rule is not None else "-"
    log.info(
        json.dumps(
            {
                "at": application().clock.now().isoformat(timespec="milliseconds"),
                "id": g.get("request_id", "-"),
                "method": request.method if request.method in {*SAFE_METHODS, "POST"} else "other",
                "route": rule,  # never the path: it may hold an invitation or a calendar's secret
                "status": response.status_code,
                "milliseconds": round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
            }
        )
    )
    return response


def _location_for_script(response: Response) -> Response:
    """Give the page's script the address to go to, so that it does not fetch the next page twice."""
    told = make_response("", 200)
    told.headers["X-Location"] = response.headers["Location"]
    for cookie in response.headers.getlist("Set-Cookie"):
        told.headers.add("Set-Cookie", cookie)
    return told


def _compress(response: Response) -> None:
    if (
        response.mimetype == "text/html"
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
        and "gzip" in request.headers.get("Accept-Encoding", "")
        and (response.content_length or 0) >= SMALLEST_COMPRESSED_BYTES
    ):
        response.set_data(gzip.compress(response.get_data(), compresslevel=3, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")


# ---------------------------------------------------------------- refusals and faults to HTTP


def sentence(refusal: Refusal) -> Markup:
    """Return the refusal's sentence in the language of this request."""
    template = application().jinja_env.get_template(f"{refusal.room}/refusals.html")
    return Markup(getattr(template.make_module(), type(refusal).__name__)(refusal)).strip()


def refused(refusal: Refusal, **next_steps: object) -> Response:
    """Return the page for a refusal: what happened, and the next best step."""
    context: dict[str, object] = {"next_steps": [], "queue_shift_id": None, "link": None, "waiting": 0}
    context.update(next_steps)
    return make_response(
        render_template("refused.html", sentence=sentence(refusal), status=refusal.status, **context),
        refusal.status,
    )


def _register_errors(app: Application) -> None:
    def known(refusal: Refusal) -> Response:
        return error_page(refusal) if _has_no_visitor() else refused(refusal)

    def http(error: HTTPException) -> Response:
        if isinstance(error, RequestEntityTooLarge):
            return error_page(TooLarge())
        if isinstance(error, MethodNotAllowed):
            answer = error_page(WrongMethod())
            answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
            return answer
        if error.code == 404:  # noqa: PLR2004
            return error_page(NotFound())
        if isinstance(error, CSRFError):
            return error_page(CrossSite())
        if error.response is not None or (error.code or 500) < 400:  # noqa: PLR2004 - a redirect of the router
            return make_response(error.get_response())
        answer = error_page(Invalid(problem="request"))
        answer.status_code = error.code or 400
        return answer

    def away(_error: Exception) -> Response:
        log.warning(json.dumps({"id": g.get("request_id", "-"), "fault": "the database did not answer in time"}))
        answer = make_response(
            render_template("kit/unavailable.html", request_id=g.get("request_id", "")), Unavailable.status
        )
        answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer

    def unexpected(error: Exception) -> Response:
        # The type and the place, never the message: it may hold what a person typed.
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "-"
        log.error(
            json.dumps({"id": g.get("request_id", "-"), "fault": type(error).__name__, "place": place}),
            exc_info=error if app.testing else None,
        )
        return error_page(None)

    app.register_error_handler(Refusal, known)
    app.register_error_handler(HTTPException, http)
    for fault in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(fault, away)
    app.register_error_handler(Exception, unexpected)


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


# ---------------------------------------------------------------- templates, assets, health


def _register_templates(app: Application) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: language.catalogue(language.current()).gettext(text),
        lambda one, many, num: language.catalogue(language.current()).ngettext(one, many, num),
        newstyle=True,
        pgettext=lambda context, text: language.catalogue(language.current()).pgettext(context, text),
        npgettext=lambda context, one, many, num: language.catalogue(language.current()).npgettext(
            context, one, many, num
        ),
    )
    app.jinja_env.filters.update(
        day=language.day,
        short_day=language.short_day,
        weekday=language.weekday,
        clock=language.clock,
        moment=language.moment,
        week=language.week,
        listed=language.listed,
    )
    app.jinja_env.globals.update(
        once_key=once_key,
        asset=asset,
        languages=language.own_names(),
        demo=app.settings.demo,
        sms_off=not app.settings.sms_on,
    )

    @app.context_processor
    def of_this_request() -> dict[str, object]:
        return {
            "visitor": g.get("visitor"),
            "language": language.current(),
            "request_id": g.get("request_id", ""),
        }


def once_key() -> str:
    """Return a key for the hidden field `once`: a form sent twice is then one and the same booking."""
    return secrets.token_urlsafe(9)


def row_id(text: str) -> int:
    """Return an id that a form sent. Raises Invalid for anything that no row can have."""
    if not text.isdecimal() or len(text) > len(str(LARGEST_ID)) or int(text) > LARGEST_ID:
        raise Invalid(problem="request")
    return int(text)


def form_fields() -> Markup:
    """Return the hidden fields that every form of this page carries."""
    return Markup(
        '<input type="hidden" name="csrf_token" value="{}"><input type="hidden" name="once" value="{}">'
    ).format(generate_csrf(), once_key())


class _Asset(NamedTuple):
    plain: bytes
    compressed: bytes
    mimetype: str
    etag: str


ASSET_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain",
}


@cache
def _assets(folder: Path) -> dict[str, _Asset]:
    """Return every file under static/, read and compressed once."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in ASSET_TYPES:
            plain = path.read_bytes()
            found[path.relative_to(folder).as_posix()] = _Asset(
                plain,
                gzip.compress(plain, mtime=0),
                ASSET_TYPES[path.suffix],
                hashlib.sha256(plain).hexdigest()[:16],
            )
    return found


def asset(name: str) -> str:
    """Return the address of a file under static/; it changes with the file, so browsers may keep it."""
    return f"/static/{name}?v={_assets(Path(application().root_path) / 'static')[name].etag}"


def _register_assets(app: Application, folder: Path) -> None:
    @app.get("/static/<path:name>")
    def static(name: str) -> Response:
        found = _assets(folder).get(name)
        if found is None:
            raise NotFound
        squeeze = found.mimetype != "image/png" and "gzip" in request.headers.get("Accept-Encoding", "")
        answer = make_response(found.compressed if squeeze else found.plain)
        answer.mimetype = found.mimetype
        answer.set_etag(found.etag)
        answer.vary.add("Accept-Encoding")
        if squeeze:
            answer.headers["Content-Encoding"] = "gzip"
        kept = request.args.get("v") == found.etag
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return answer.make_conditional(request)

    @app.get("/favicon.ico")
    def favicon() -> Response:
        return static("icon.svg")

    @app.get("/robots.txt")
    def robots() -> Response:
        return Response("User-agent: *\nDisallow: /join/\nDisallow: /lead\n", mimetype="text/plain")


def _register_health(app: Application) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        from scheduler.kit.migrating import is_migrated

        ready = is_migrated(connection())
        text = "ready\n" if ready else "the database is not migrated: run flask --app scheduler db upgrade\n"
        return Response(text, status=200 if ready else 503, mimetype="text/plain")


def check_permissions(app: Application, known: Collection[str]) -> None:
    """Raise RuntimeError unless each route asks for a known permission, or is one of the frame's own."""
    for endpoint, view in app.view_functions.items():
        permission = getattr(view, "permission", None)
        if permission not in known and endpoint not in OWN_ENDPOINTS:
            raise RuntimeError(f"{endpoint} asks for {permission!r}, which is in no table of permissions")


def start_logging() -> None:
    """Write the log as one JSON object a line to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger("scheduler")
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False


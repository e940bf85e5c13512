"""Building the frame: what happens before and after every view: limits, cross-site checks, headers, the log."""

import gzip
import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Response, g, make_response, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from scheduler.kit import assets, faults, templating, uploads
from scheduler.kit.clock import Clock
from scheduler.kit.database import Database
from scheduler.kit.refusals import CrossSite, Invalid, NotFound
from scheduler.kit.sessions import SignedCookies
from scheduler.kit.settings import Settings
from scheduler.kit.web import (
    LARGEST_ID,
    SAFE_METHODS,
    Application,
    Doors,
    application,
    close_reading,
    for_machines,
)

LARGEST_BODY_BYTES = 256 * 1024
MOST_FIELDS = 500
SIGNED_IN_DAYS = 60
SMALLEST_COMPRESSED_BYTES = 1024
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lykta"
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
log = logging.getLogger("scheduler.requests")


class RowId(IntegerConverter):
    """An id in an address: a number that the database's integers can hold; a larger one is no page."""

    def __init__(self, map: Map) -> None:  # noqa: A002 - the router's own name
        super().__init__(map, max=LARGEST_ID)


def build(settings: Settings, database: Database, clock: Clock, doors: Doors) -> Application:
    """Return the application frame: no room's pages yet."""
    root = Path(__file__).parents[2]
    app = Application("scheduler", template_folder=str(root / "templates"), static_folder=None, root_path=str(root))
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
    app.session_interface = SignedCookies(app)
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0, x_prefix=0
        )
    app.before_request(_begin)
    templating.register(app)  # before CSRFProtect, which would make Flask's own templates
    CSRFProtect(app)
    app.after_request(_finish)
    app.teardown_request(lambda _error: close_reading())
    app.teardown_request(lambda _error: request.close())  # a large file stood in a temporary one
    faults.register(app)
    assets.register(app)
    return app


def _begin() -> None:
    g.started = time.perf_counter()
    g.request_id = secrets.token_hex(6)
    g.own_host = is_own_host(request.host.lower(), application().settings.public_host)
    if "\x00" in request.path:  # PostgreSQL takes none in a text
        raise NotFound
    if request.method in SAFE_METHODS:
        return
    view = application().view_functions.get(request.endpoint or "")
    most_bytes = getattr(view, "most_bytes", None)
    if most_bytes is not None and uploads.is_larger_than(most_bytes):
        uploads.read_fields_alone(LARGEST_BODY_BYTES, MOST_FIELDS)
    request.max_content_length = most_bytes or LARGEST_BODY_BYTES
    # The whole body is read before any transaction begins: a slow sender must not hold a lock.
    body = request.get_data() if request.mimetype == "application/x-www-form-urlencoded" else b""
    request.form  # noqa: B018
    if for_machines(application(), request.endpoint):
        return
    _check_origin()
    _check_readable(body)


def _check_readable(body: bytes) -> None:
    """Refuse characters that are none, in a form's body or its fields. Of a body that is no UTF-8 the parser would keep
    the escapes themselves: "%FF" for a name."""
    try:
        unquote_to_bytes(body).decode()
    except UnicodeDecodeError:
        raise Invalid(problem="unreadable") from None
    for values in request.form.listvalues():
        for value in values:
            if "\x00" in value or "\ufffd" in value:
                raise Invalid(problem="unreadable")


def is_own_host(host: str, public_host: str) -> bool:
    """Return whether a Host header, in small letters, names the deployment's own address."""
    return host == public_host or (_is_loopback(public_host) and _is_loopback(host))


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
    response.headers.extend(HEADERS)
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


def check_permissions(app: Application, known: Collection[str]) -> None:
    """Raise RuntimeError unless each route asks for a known permission, or is one of the frame's own."""
    for endpoint, view in app.view_functions.items():
        permission = getattr(view, "permission", None)
        if permission not in known and endpoint not in assets.OWN_ENDPOINTS:
            raise RuntimeError(f"{endpoint} asks for {permission!r}, which is in no table of permissions")


def admit_machines(app: Application) -> None:
    """Ask no form token of the views that machines call: they prove themselves by a signature."""
    for endpoint, view in app.view_functions.items():
        if for_machines(app, endpoint):
            app.extensions["csrf"].exempt(view)


def start_logging() -> None:
    """Write the log as one JSON object a line to standard error."""
    # No line of ours tells thread, process or place in the code, so nobody needs to look for them: half the cost of
    # a line (Python's logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger("scheduler")
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False

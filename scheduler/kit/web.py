"""One unit of work around each view, who may enter, and what a view asks of its request.

The frame knows no room. The assembly tells it who the visitor is and who may enter (`Doors`).
"""

import re
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Flask, Response, current_app, g, make_response, request, session
from sqlalchemy import Connection
from werkzeug.datastructures import LanguageAccept

from scheduler.kit import language
from scheduler.kit.clock import Clock
from scheduler.kit.database import Database
from scheduler.kit.refusals import Invalid
from scheduler.kit.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_ID = 2**31 - 1
KEPT_BY_CACHES_SECONDS = 60

View = TypeVar("View", bound=Callable[..., Any])
Result = TypeVar("Result")


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


def accepts(most_bytes: int) -> Callable[[View], View]:
    """Let a form's view take a larger body than others, for a file. Of a still larger one it gets the fields that
    stand before the file, and `file_too_large` tells."""

    def mark(view: View) -> View:
        view.most_bytes = most_bytes  # type: ignore[attr-defined]
        return view

    return mark


def reads_first(view: View) -> View:
    """Mark a form's view that reads and computes for long before it writes: it begins its unit itself, by `write`,
    so that nobody waits for it meanwhile."""
    view.reads_first = True  # type: ignore[attr-defined]
    return view


def anonymous(view: View) -> View:
    """Mark a page that is the same for everybody: no cookie is read, the language stands in the address (`?in=en`),
    and caches may keep it for a minute."""
    view.anonymous = True  # type: ignore[attr-defined]
    return view


def for_caches(answer: Response) -> Response:
    """Let caches keep the answer of an anonymous page for a minute."""
    answer.headers["Cache-Control"] = f"public, max-age={KEPT_BY_CACHES_SECONDS}"
    return answer


def kept_without_signal(answer: Response, kept: timedelta, also: str = "") -> Response:
    """Let the page's worker (`static/script/worker.js`) keep a page of the visitor's own for so long, and fetch
    another one (a path) meanwhile. Nothing is kept for a time that has passed."""
    answer.headers["X-Lykta-Keep-Seconds"] = str(max(int(kept.total_seconds()), 0))
    answer.headers["Content-Language"] = language.current()
    if also:
        answer.headers["X-Lykta-Keep-Also"] = also
    return answer


def machine(view: View) -> View:
    """Mark a view that no browser calls: who sends is proven by a signature, not by token and origin."""
    view.machine = True  # type: ignore[attr-defined]
    return view


def for_machines(app: Flask, endpoint: str | None) -> bool:
    """Return whether the endpoint's view is marked as called by machines."""
    return endpoint is not None and getattr(app.view_functions.get(endpoint), "machine", False)


class Application(Flask):
    """Flask with one unit of work around each view, and a visitor in it."""

    database: Database
    clock: Clock
    settings: Settings
    doors: Doors
    # Returns the address of what takes the place of Home for the visitor just now, or None.
    instead_of_home: Callable[[], str | None]

    def dispatch_request(self) -> Any:  # noqa: ANN401 - Flask's own type of an answer
        permission = self._permission()
        if permission is None:
            return super().dispatch_request()
        if request.method in SAFE_METHODS or self._marked("reads_first"):
            return self._answer(connection(), permission)
        if self.database.one_writer:
            # Who looks is read before, not in, the write unit: others may write meanwhile.
            self._meet_visitor()
            close_reading()
        return self.database.write(lambda writing: self._answer(writing, permission))

    def _permission(self) -> str | None:
        if request.url_rule is None or request.endpoint is None:
            return None
        return getattr(self.view_functions[request.endpoint], "permission", None)

    def _marked(self, mark: str) -> bool:
        return getattr(self.view_functions.get(request.endpoint or ""), mark, False)

    def _meet_visitor(self) -> None:
        if self._marked("anonymous"):
            self._meet_anybody()
            return
        visitor = self.doors.visitor(connection(), host_name(), session.get("secret"))
        g.visitor = visitor
        g.zone = self.doors.zone_of(visitor)
        g.language = language.choose(self.doors.language_of(visitor), session.get("language"), request.accept_languages)

    def _meet_anybody(self) -> None:
        visitor = self.doors.visitor(connection(), host_name(), None)
        g.visitor = visitor
        g.zone = self.doors.zone_of(visitor)
        g.language = language.choose(None, request.args.get("in"), LanguageAccept())

    def _answer(self, unit: Connection, permission: str) -> Any:  # noqa: ANN401 - Flask's own type of an answer
        g.unit = unit
        try:
            if "visitor" not in g:
                self._meet_visitor()
            instead = self.doors.enter(g.visitor, permission)
            # Made here, so that a page's text is read in the same transaction, before the commit.
            return make_response(super().dispatch_request() if instead is None else instead)
        finally:
            if request.method not in SAFE_METHODS and "reading" not in g:
                g.pop("unit", None)


def connection() -> Connection:
    """Return the connection of this request: its write unit in a form's view, else one for reading."""
    if "unit" not in g:
        g.reading = ExitStack()
        g.unit = g.reading.enter_context(application().database.reading())
    unit: Connection = g.unit
    return unit


def write(work: Callable[[Connection], Result]) -> Result:
    """Run `work` as the write unit of a view that `reads_first`, and return its result. `work` may run more than
    once."""
    close_reading()
    return application().database.write(work)


def close_reading() -> None:
    reading = g.pop("reading", None)
    if reading is not None:
        g.pop("unit", None)
        reading.close()


def application() -> Application:
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
    """Return the tenant's host: "" for the deployment's own address, "?" for a Host header that is none."""
    return "" if g.own_host else request.host.lower() or "?"


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


def file_too_large() -> bool:
    """Return whether the file of this form was larger than its view accepts, and so is not there."""
    return bool(g.get("file_too_large"))


def row_id(text: str) -> int:
    """Return an id that a form sent. Raises Invalid for anything that no row can have."""
    if not text.isdecimal() or len(text) > len(str(LARGEST_ID)) or int(text) > LARGEST_ID:
        raise Invalid(problem="request")
    return int(text)

"""Answers of public pages, kept for a moment in front of Flask: a poster's code may be read by a whole town at once.

Only what everybody gets alike is kept: pages marked `anonymous`, which know neither cookie nor visitor.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from wsgiref.types import StartResponse

from scheduler.kit.clock import SystemClock
from scheduler.kit.web import Application

Wsgi = Callable[[Any, StartResponse], Iterable[bytes]]

KEPT_SECONDS = 15.0
MOST_KEPT = 64


class Kept(NamedTuple):
    until: float
    headers: list[tuple[str, str]]
    body: bytes


class KeptAnswers:
    """WSGI in front of the application for the given paths. Nothing is kept while a demo or a test stops the clock."""

    def __init__(self, app: Application, wsgi: Wsgi, paths: frozenset[str]) -> None:
        self.app, self.wsgi, self.paths = app, wsgi, paths
        self._kept: dict[tuple[str, ...], Kept] = {}

    def __call__(self, environ: Any, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's own
        if environ["PATH_INFO"] not in self.paths or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self.wsgi(environ, start_response)
        key = (
            environ["PATH_INFO"],
            environ.get("QUERY_STRING", ""),
            environ.get("HTTP_HOST", ""),
            "gzip" if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "") else "",
            environ["REQUEST_METHOD"],
        )
        kept = self._kept.get(key)
        if kept is None or kept.until < time.monotonic():
            return self._ask(key, environ, start_response)
        start_response("200 OK", list(kept.headers))
        return [kept.body]

    def _ask(self, key: tuple[str, ...], environ: Any, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ANN401
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def note(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:  # noqa: ANN401 - WSGI's own
            told.append((status, headers))
            return start_response(status, headers, *more)

        answer = self.wsgi(environ, note)
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        status, headers = told[-1]
        if status.startswith("200") and isinstance(self.app.clock, SystemClock) and _is_public(headers):
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = Kept(time.monotonic() + KEPT_SECONDS, list(headers), body)
        return [body]


def _is_public(headers: Iterable[tuple[str, str]]) -> bool:
    return any(name == "Cache-Control" and value.startswith("public") for name, value in headers)

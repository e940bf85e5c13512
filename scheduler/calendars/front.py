"""Feeds are answered in front of Flask, as plain WSGI: ten thousand calendars poll, and nearly all of them are told
that nothing has changed. That costs one SELECT by the bare driver, which sees every committed change at once,
whichever process or machine made it.
"""

import hmac
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple
from wsgiref.types import StartResponse

from sqlalchemy import bindparam, exists, select, update

from scheduler.calendars import conditions, making
from scheduler.calendars.remembered import Good, Remembered
from scheduler.calendars.rules import TOKEN, program, stored
from scheduler.calendars.tables import Calendar, CalendarChange, CalendarFeed
from scheduler.kit.database import Database
from scheduler.kit.frame import HEADERS, is_own_host
from scheduler.kit.lookup import Lookup, Spelled
from scheduler.kit.web import Application
from scheduler.partnership.tables import Partnership

Environ = Mapping[str, Any]
Wsgi = Callable[[Any, StartResponse], Iterable[bytes]]

PREFIX, SUFFIX = "/calendar/", ".ics"
NOTED_EVERY = timedelta(hours=1)
RETRY_AFTER_SECONDS = 300
MAKING_WAITS_SECONDS = 5
log = logging.getLogger("scheduler.requests")
faults = logging.getLogger("scheduler.faults")

# A calendar program shows these to nobody or in small; who opens an old address in a browser reads them.
SENTENCES = {
    404: "Det finns ingen kalender på den här adressen.\nThere is no calendar at this address.\n",
    405: "En kalender kan bara läsas.\nA calendar can only be read.\n",
    410: (
        "Den här kalenderadressen gäller inte längre. Hämta den nya under Jag, Kalender.\n"
        "This calendar address no longer works. Find the new one under Me, Calendar.\n"
    ),
    412: "Kalendern är en annan än den du frågade efter.\nThe calendar is not the one you asked for.\n",
    503: "Kalendern går inte att läsa just nu. Försök igen om en stund.\nThe calendar cannot be read now. Try later.\n",
}
REASONS = {
    200: "200 OK",
    304: "304 Not Modified",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    410: "410 Gone",
    412: "412 Precondition Failed",
    503: "503 Service Unavailable",
}
NOT_FOUND, WRONG_METHOD, GONE, UNAVAILABLE = 404, 405, 410, 503


class Known(NamedTuple):
    """A feed as one SELECT finds it."""

    verifier: str
    ended_at: datetime | None
    host_name: str
    partnership_id: int
    feed_id: int
    fetched_at: datetime | None
    calendar_id: int
    etag: str
    body_bytes: int
    changed_at: datetime
    fresh_until: datetime
    made_for: str
    changes: bool


_KNOWN = (
    select(
        CalendarFeed.verifier,
        CalendarFeed.ended_at,
        Partnership.host_name,
        CalendarFeed.partnership_id,
        CalendarFeed.id,
        CalendarFeed.fetched_at,
        Calendar.id,
        Calendar.etag,
        Calendar.body_bytes,
        Calendar.changed_at,
        Calendar.fresh_until,
        Calendar.made_for,
        exists().where(CalendarChange.partnership_id == CalendarFeed.partnership_id).correlate(CalendarFeed),
    )
    .select_from(CalendarFeed)
    .join(Calendar, Calendar.id == CalendarFeed.calendar_id)
    .join(Partnership, Partnership.id == CalendarFeed.partnership_id)
    .where(CalendarFeed.selector == bindparam("selector"))
)
_BODY = select(Calendar.body, Calendar.etag, Calendar.changed_at).where(Calendar.id == bindparam("calendar_id"))


class Answer(NamedTuple):
    """What to say. `length` is that of the calendar, also where its bytes are not sent."""

    status: int
    good: Good | None = None
    length: int = 0
    body: bytes = b""


class Front:
    """Answers the addresses of feeds, and hands everything else on."""

    def __init__(self, app: Application, inner: Wsgi) -> None:
        self.app, self.inner = app, inner
        self.remembered = Remembered()
        self._looking: tuple[Database, Lookup, Spelled, Spelled] | None = None
        self._turn = Lock()
        fixed = [*HEADERS.items(), ("Cache-Control", "private, no-cache"), ("X-Robots-Tag", "noindex")]
        if app.settings.https:
            fixed.append(("Strict-Transport-Security", "max-age=31536000"))
        self._fixed = fixed

    def __call__(self, environ: Any, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ANN401 - as WSGI has it
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX) or not path.endswith(SUFFIX):
            return self.inner(environ, start_response)
        started = time.perf_counter()
        now = self.app.clock.now()
        method: str = environ["REQUEST_METHOD"]
        if method in {"GET", "HEAD"}:
            answer = self._answer(path[len(PREFIX) : -len(SUFFIX)], environ, now)
        else:
            answer = Answer(WRONG_METHOD)
        headers, body = self._drawn(answer)
        start_response(REASONS[answer.status], headers)
        log.info(
            '{"at": "%s", "method": "%s", "route": "/calendar/<secret>.ics", "status": %d, "milliseconds": %.1f}',
            now.isoformat(timespec="milliseconds"),
            method if method in {"GET", "HEAD"} else "other",
            answer.status,
            (time.perf_counter() - started) * 1000,
        )
        return [] if method == "HEAD" or not body else [body]

    def _drawn(self, answer: Answer) -> tuple[list[tuple[str, str]], bytes]:
        headers = [*self._fixed]
        if answer.good is not None:
            headers += (("ETag", answer.good.etag), ("Last-Modified", conditions.http_date(answer.good.changed_at)))
        if answer.status == conditions.NOT_MODIFIED:
            return headers, b""
        if answer.status == conditions.OK and answer.good is not None:
            headers += (("Content-Type", "text/calendar; charset=utf-8"), ("Content-Length", str(answer.length)))
            return headers, answer.body
        body = SENTENCES[answer.status].encode()
        headers += (("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))))
        if answer.status == UNAVAILABLE:
            headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
        if answer.status == WRONG_METHOD:
            headers.append(("Allow", "GET, HEAD"))
        return headers, body

    # ------------------------------------------------------------ from the address to the answer

    def _answer(self, token: str, environ: Environ, now: datetime) -> Answer:
        if TOKEN.fullmatch(token) is None:
            return Answer(NOT_FOUND)
        selector, verifier = stored(token)
        try:
            return self._look(selector, verifier, environ, now)
        except Exception as error:  # noqa: BLE001 - whatever the trouble: the last good answer, never a page
            _tell(error)
        good = self.remembered.get(selector + verifier)
        if good is None:
            return Answer(UNAVAILABLE)
        status = conditions.status(environ, good.etag, good.changed_at)
        body = self.remembered.body(good.etag) if status == conditions.OK else b""
        return Answer(UNAVAILABLE) if body is None else Answer(status, good, len(body), body)

    def _look(self, selector: str, verifier: str, environ: Environ, now: datetime) -> Answer:
        known = self._find(selector)
        if known is None or not hmac.compare_digest(known.verifier, verifier) or not self._here(known, environ):
            return Answer(NOT_FOUND)
        if known.ended_at is None and self._is_stale(known, now):
            self._refresh(selector, known, now)
            known = self._find(selector) or known
        if known.ended_at is not None:
            self.remembered.forget(selector + verifier)
            return Answer(GONE)
        if not known.etag:
            return Answer(UNAVAILABLE)
        answer = self._conditional(known, environ)
        if answer.good is not None:
            self.remembered.keep(selector + verifier, answer.good)
        self._note_fetch(known, environ, now)
        return answer

    def _conditional(self, known: Known, environ: Environ) -> Answer:
        good = Good(f'"{known.etag}"', known.changed_at)
        status = conditions.status(environ, good.etag, good.changed_at)
        if status != conditions.OK or environ["REQUEST_METHOD"] == "HEAD":
            return Answer(status, good, known.body_bytes)
        body = self.remembered.body(good.etag)
        if body is None:
            _, lookup, _, body_sql = self._lookup()
            row = lookup.row(body_sql, str(known.calendar_id))
            if row is None:
                return Answer(UNAVAILABLE)
            # What a change between the two SELECTs has made is newer, and all of one piece.
            body, good = row[0], Good(f'"{row[1]}"', row[2])
            self.remembered.keep_body(good.etag, body)
        return Answer(status, good, len(body), body)

    def _here(self, known: Known, environ: Environ) -> bool:
        """Return whether the feed's partnership is the one that answers on this host."""
        host = str(environ.get("HTTP_HOST", "")).lower()
        return ("" if is_own_host(host, self.app.settings.public_host) else host) == known.host_name

    def _is_stale(self, known: Known, now: datetime) -> bool:
        return (
            known.changes or known.fresh_until <= now or known.made_for != making.made_for(self.app.settings.public_url)
        )

    def _refresh(self, selector: str, seen: Known, now: datetime) -> None:
        """Take in what has changed and make the calendar anew where needed. One thread of a process does it, the
        others wait and then find it done. Trouble is told and leaves the last good bytes in place."""
        in_turn = self._turn.acquire(timeout=MAKING_WAITS_SECONDS)
        try:
            known = self._find(selector) or seen
            if not self._is_stale(known, now):
                return
            database, url = self.app.database, self.app.settings.public_url
            if known.changes:
                database.write(lambda unit: making.note_changes(unit, known.partnership_id, now))
            database.write(lambda unit: making.make(unit, known.calendar_id, url, now))
        except Exception as error:  # noqa: BLE001 - see above
            _tell(error)
        finally:
            if in_turn:
                self._turn.release()

    def _note_fetch(self, known: Known, environ: Environ, now: datetime) -> None:
        if known.fetched_at is not None and known.fetched_at > now - NOTED_EVERY:
            return
        name = program(str(environ.get("HTTP_USER_AGENT", "")))
        note = (
            update(CalendarFeed)
            .where(
                CalendarFeed.id == known.feed_id,
                CalendarFeed.fetched_at.is_(None) | (CalendarFeed.fetched_at <= now - NOTED_EVERY),
            )
            .values(fetched_at=now, fetched_by=name)
        )
        try:
            self.app.database.write(lambda unit: unit.execute(note))
        except Exception as error:  # noqa: BLE001 - the calendar is worth more than the note
            _tell(error)

    # ------------------------------------------------------------ the one SELECT

    def _find(self, selector: str) -> Known | None:
        _, lookup, known_sql, _ = self._lookup()
        row = lookup.row(known_sql, selector)
        return None if row is None else Known._make(row)

    def _lookup(self) -> tuple[Database, Lookup, Spelled, Spelled]:
        found = self._looking
        if found is None or found[0] is not self.app.database:
            lookup = Lookup(self.app.database)
            found = (self.app.database, lookup, lookup.spell(_KNOWN), lookup.spell(_BODY))
            self._looking = found
        return found


def _tell(error: Exception) -> None:
    # The kind alone: a message may hold the address.
    faults.warning(json.dumps({"fault": type(error).__name__, "where": "calendar feed"}))

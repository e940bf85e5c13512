"""The one door to the operator, Twilio, and the demo's, behind which nobody stands.

A call never raises: whatever happens becomes an `Outcome`, or None where the operator could not be asked.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from scheduler.kit.settings import Settings
from scheduler.messages.outbox import Leaving
from scheduler.messages.resting import CLOCK_SKEW, Listed
from scheduler.messages.texts import is_text
from scheduler.messages.verdicts import Outcome, Verdict, verdict_of

if TYPE_CHECKING:
    from requests import Session
    from twilio.rest import Client

TIMEOUT_SECONDS = 10.0
LONGEST_VALIDITY_SECONDS = 36_000
LOOKED_THROUGH = 50
LISTED_AT_ONCE = 1000
GONE, NOT_NOW = 404, 429
# With the demo on, only numbers that are reserved for fiction are ever texted.
FICTION = "+467017406"
log = logging.getLogger("scheduler.messages")


@dataclass(frozen=True, slots=True)
class Found:
    """A text as the operator knows it."""

    sid: str
    status: str
    code: str


class Port(Protocol):
    def send(self, leaving: Leaving, callback: str, now: datetime) -> Outcome:
        """Hand a text to the operator, once."""

    def find(self, phone: str, body: str, since: datetime) -> list[Found] | None:
        """Return the texts with this body that this number was sent since then; None: could not be asked."""

    def fetch(self, sid: str) -> Found | None:
        """Return how a text stands; None: could not be asked, or the operator does not know it."""

    def listed_since(self, since: datetime) -> list[Listed] | None:
        """Return all texts of our sender, out and in, that are from since then; None: could not be asked."""

    def redact(self, sid: str) -> bool | None:
        """Empty a text's words at the operator. True: it holds none any more; False: not this one, not now; None:
        could not be asked."""


class DemoPort:
    """Accepts everything and sends nothing: `/demo/sms` shows what would have left."""

    def send(self, leaving: Leaving, callback: str, now: datetime) -> Outcome:  # noqa: ARG002 - the port's shape
        return Outcome(Verdict.ACCEPTED, status="sent")

    def find(self, phone: str, body: str, since: datetime) -> list[Found] | None:  # noqa: ARG002
        return []

    def fetch(self, sid: str) -> Found | None:  # noqa: ARG002
        return None

    def listed_since(self, since: datetime) -> list[Listed] | None:  # noqa: ARG002
        return []

    def redact(self, sid: str) -> bool | None:  # noqa: ARG002
        return True


class TwilioPort:
    """Twilio, through its own package. One of these for each thread: it keeps a connection."""

    def __init__(self, settings: Settings, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._client = _client(settings, timeout_seconds)
        self._sent_by = settings.twilio_sender
        service = self._sent_by.startswith("MG")
        self._sender = {"messaging_service_sid" if service else "from_": self._sent_by}

    def send(self, leaving: Leaving, callback: str, now: datetime) -> Outcome:
        kept_seconds = math.floor((leaving.kept_until - now).total_seconds())
        if kept_seconds < 1:
            return Outcome(Verdict.TOO_LATE, code="deadline")
        try:
            made = self._client.messages.create(
                to=leaving.phone,
                body=leaving.body,
                status_callback=callback,
                validity_period=min(kept_seconds, LONGEST_VALIDITY_SECONDS),
                **self._sender,
            )
        except Exception as fault:  # noqa: BLE001 - whatever it is, the text may have left
            return outcome_of(fault)
        if not made.sid:
            return Outcome(Verdict.UNKNOWN, code="no_sid")
        return Outcome(Verdict.ACCEPTED, sid=made.sid, status=str(made.status or ""))

    def find(self, phone: str, body: str, since: datetime) -> list[Found] | None:
        # By number alone: a text that has not left yet has no date to be found by.
        listed = self._ask(lambda: self._client.messages.list(to=phone, limit=LOOKED_THROUGH))
        if listed is None:
            return None
        earliest = since - CLOCK_SKEW
        return [
            _found(one)
            for one in listed
            if is_text(one.body or "", body) and (one.date_created is None or one.date_created >= earliest)
        ]

    def fetch(self, sid: str) -> Found | None:
        one = self._ask(lambda: self._client.messages(sid).fetch())
        return _found(one) if one is not None else None

    def listed_since(self, since: datetime) -> list[Listed] | None:
        return self._ask(lambda: self._list_since(since - CLOCK_SKEW))  # type: ignore[no-any-return]

    def _list_since(self, earliest: datetime) -> list[Listed]:
        # Without a date to be found by, as in `find`. The newest come first, but one that waits has no date to be
        # sorted by: only a whole page of older ones is the end.
        listed: list[Listed] = []
        older = 0
        for one in self._client.messages.stream(page_size=LISTED_AT_ONCE):
            if one.date_created is None or one.date_created < earliest:
                older += 1
                if older == LISTED_AT_ONCE:
                    break
                continue
            older = 0
            # What others send on the same account is none of ours.
            if self._sent_by not in {one.messaging_service_sid, one.from_, one.to}:
                continue
            incoming = str(one.direction) == "inbound"
            listed.append(Listed(one.sid, one.to, one.body or "", str(one.status), incoming, one.date_created))
        return listed

    def redact(self, sid: str) -> bool | None:
        from twilio.base.exceptions import TwilioRestException, TwilioServiceException

        try:
            self._client.messages(sid).update(body="")
        except (TwilioRestException, TwilioServiceException) as fault:
            if fault.status == GONE:
                return True
            mine = 400 <= fault.status < 500 and fault.status != NOT_NOW  # noqa: PLR2004 - HTTP's own bounds
            return False if mine and verdict_of(fault.status, int(fault.code or 0)) is not Verdict.SET_UP else None
        except Exception as fault:  # noqa: BLE001 - asked again later
            log.warning("the operator could not be told to forget: %s", type(fault).__name__)
            return None
        return True

    def _ask(self, question: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the package gives
        try:
            return question()
        except Exception as fault:  # noqa: BLE001 - a question that gets no answer is asked again later
            log.warning("the operator could not be asked: %s", outcome_of(fault).code)
            return None


def _client(settings: Settings, timeout_seconds: float) -> "Client":
    # 25 MB and half a second: only in the worker.
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    from scheduler.messages.connecting import LeasedAdapter

    http_client = TwilioHttpClient(timeout=timeout_seconds)
    base = settings.twilio_api_base.rstrip("/")
    if http_client.session is not None:
        _read_environment_once(http_client.session, base)
        for scheme in ("https://", "http://"):
            http_client.session.mount(scheme, LeasedAdapter(timeout_seconds))
    client = Client(settings.twilio_account_sid, settings.twilio_auth_token, http_client=http_client)
    client.api.base_url = base
    return client


def _read_environment_once(session: "Session", url: str) -> None:
    """Take proxies and certificates from the environment now: looking them up anew is a third of each call."""
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify, session.cert = found["proxies"], found["verify"], found["cert"]
    session.trust_env = False


def _found(one: Any) -> Found:  # noqa: ANN401 - the package's own instance
    return Found(one.sid, str(one.status or ""), str(one.error_code or ""))


def outcome_of(fault: Exception) -> Outcome:
    """Return what a failed call means. Only what surely never reached the operator may simply be tried again."""
    from requests import exceptions as network
    from twilio.base.exceptions import TwilioRestException, TwilioServiceException
    from urllib3.exceptions import NameResolutionError, NewConnectionError

    if isinstance(fault, TwilioRestException | TwilioServiceException):
        code = int(fault.code or 0)
        return Outcome(verdict_of(fault.status, code), code=str(code or fault.status))
    if isinstance(fault, network.ConnectTimeout):
        return Outcome(Verdict.LATER, code="connect_timeout")
    if isinstance(fault, network.ConnectionError):
        reason = getattr(fault.args[0] if fault.args else None, "reason", None)
        if isinstance(reason, NewConnectionError | NameResolutionError):
            return Outcome(Verdict.LATER, code="not_connected")
    return Outcome(Verdict.UNKNOWN, code=type(fault).__name__)

"""A stateful stand-in for Twilio's HTTP API on loopback, in a process of its own, driven by the real package.

It keeps every text that it took, so that tests can count; answers late, wrongly or not at all, as told; sends
signed receipts; and holds each request against Twilio's published description (`twilio_messages.json`).

    with FakeTwilio() as twilio:
        settings = twilio.settings(...)          # TWILIO_API_BASE and the rest
        twilio.tell(share=0.3)                   # from now on
        twilio.messages()                        # what was taken, each once

`python -m tests.servers.twilio` is the process itself: it prints its port, and ends with its standard input.
"""

import json
import random
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from twilio.request_validator import RequestValidator

ACCOUNT = "AC" + "a" * 32
TOKEN = "t" * 32
SERVICE = "MG" + "b" * 32
DESCRIPTION = json.loads((Path(__file__).parent / "twilio_messages.json").read_text(encoding="utf-8"))
# What can go wrong with one call; "after" means that the text was taken all the same.
FAULTS = ("429", "503-before", "500-after", "reset-before", "reset-after", "hang-before", "hang-after", "cut-after")
UNDER_WAY = frozenset({"accepted", "queued", "sending"})
NEVER_TAKEN = frozenset({"429", "503-before", "reset-before", "hang-before"})


class FakeTwilio:
    """The process, from the test's side."""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.twilio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.base = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def settings(self) -> dict[str, str]:
        return {
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_sender": SERVICE,
            "twilio_api_base": self.base,
        }

    def tell(self, **how: Any) -> None:
        """Change how it behaves: `share`, `seed`, `kinds`, `hang_seconds`, `next` (faults for the next calls, in
        order), `codes` ({phone: [status, code]}, "*" for all), `receipts` (statuses to send for each text, in
        order), `status` (where a text stands from the beginning), `redact` and `list` (what emptying and listing
        answer: [status, code], [] for well), `most_a_page`; `forget` begins anew."""
        self._ask("/_tell", how)

    def messages(self) -> list[dict[str, Any]]:
        return self._ask("/_messages")

    def complaints(self) -> list[str]:
        """What in our requests is not as Twilio describes it."""
        return self._ask("/_complaints")

    def searches(self) -> list[int]:
        """How many messages there were each time that it was searched through them."""
        return self._ask("/_searches")

    def _ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.base + path, data=data), timeout=10) as answer:
            return json.loads(answer.read())


def signed(path: str, fields: dict[str, str], site: str, token: str = TOKEN) -> dict[str, str]:
    """Return the header that Twilio signs a webhook with."""
    return {"X-Twilio-Signature": RequestValidator(token).compute_signature(site + path, fields)}


class _State:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        self.searches: list[int] = []
        self.how: dict[str, Any] = {
            "share": 0.0,
            "kinds": list(FAULTS),
            "hang_seconds": 1.5,
            "next": [],
            "codes": {},
            "receipts": [],
            "answer_milliseconds": 0,
            "status": "accepted",
            "redact": [],
            "list": [],
            "most_a_page": 1000,
        }
        self.random = random.Random(1)

    def tell(self, how: dict[str, Any]) -> None:
        with self.lock:
            if how.pop("forget", False):
                self.forget()
            if "seed" in how:
                self.random.seed(how.pop("seed"))
            self.how.update(how)

    def fault(self) -> str:
        with self.lock:
            if self.how["next"]:
                return str(self.how["next"].pop(0))
            if self.random.random() < self.how["share"]:
                return self.random.choice(self.how["kinds"])
        return ""

    def take(self, fields: dict[str, str]) -> dict[str, Any]:
        with self.lock:
            now = datetime.now(UTC)
            made = {
                "sid": f"SM{len(self.messages) + 1:032x}",
                "account_sid": ACCOUNT,
                "to": fields["To"],
                "from": fields.get("From"),
                "messaging_service_sid": fields.get("MessagingServiceSid"),
                "body": fields["Body"],
                "status": "accepted",
                "date_created": format_datetime(now),
                "date_updated": format_datetime(now),
                "date_sent": None,
                "direction": "outbound-api",
                "num_segments": "1",
                "num_media": "0",
                "price": None,
                "price_unit": "USD",
                "error_code": None,
                "error_message": None,
                "api_version": "2010-04-01",
                "uri": "/x.json",
                "subresource_uris": {},
            }
            self.messages.append(
                made | {"status": self.how["status"], "callback": fields.get("StatusCallback"), "fields": fields}
            )
        if self.how["receipts"] and fields.get("StatusCallback"):
            threading.Thread(target=self._receipts, args=(made,), daemon=True).start()
        return made

    def _receipts(self, made: dict[str, Any]) -> None:
        stored = next(one for one in self.messages if one["sid"] == made["sid"])
        for status in self.how["receipts"]:
            stored["status"] = status
            fields = {"MessageSid": made["sid"], "MessageStatus": status, "To": made["to"], "AccountSid": ACCOUNT}
            address = urllib.parse.urlsplit(stored["callback"])
            site = f"{address.scheme}://{address.netloc}"
            asked = urllib.request.Request(
                stored["callback"],
                data=urllib.parse.urlencode(fields).encode(),
                headers=signed(address.path, fields, site),
            )
            urllib.request.urlopen(asked, timeout=10).close()


def _faults_of(fields: dict[str, str]) -> list[str]:
    """Return what in a request differs from Twilio's description."""
    told = [f"{name} is missing" for name in DESCRIPTION["required"] if name not in fields]
    told += _unlike(DESCRIPTION["create"], fields)
    if not fields.get("Body") or len(fields.get("Body", "")) > 1600:
        told.append("Body is empty or too long")
    if not 1 <= int(fields.get("ValidityPeriod", "36000")) <= 36000:
        told.append("ValidityPeriod is not 1 to 36000")
    if not ("MessagingServiceSid" in fields or "From" in fields):
        told.append("there is no sender")
    return told


def _unlike(described: dict[str, Any], fields: dict[str, str]) -> list[str]:
    """Return which fields are not as they are described."""
    told = []
    for name, value in fields.items():
        wanted = described.get(name)
        if wanted is None:
            told.append(f"there is no field {name}")
            continue
        if "pattern" in wanted and not re.fullmatch(wanted["pattern"], value):
            told.append(f"{name} does not match {wanted['pattern']}")
        if wanted["type"] == "integer" and not value.isdecimal():
            told.append(f"{name} is no whole number")
        if wanted.get("format") == "uri" and not urllib.parse.urlsplit(value).netloc:
            told.append(f"{name} is no address")
        if wanted.get("format") == "phone-number" and not re.fullmatch(r"\+[1-9]\d{6,14}", value):
            told.append(f"{name} is no number: {value}")
        if "enum" in wanted and value not in wanted["enum"]:
            told.append(f"{name} is none of {wanted['enum']}")
        if wanted["type"] == "integer" and not wanted.get("minimum", 0) <= int(value) <= wanted.get("maximum", 10**9):
            told.append(f"{name} is too small or too large")
    return told


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: _State

    def log_message(self, *_: Any) -> None:
        pass

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(6, 1, 1)  # TCP_NODELAY

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/_messages":
            self._answer(200, self.state.messages)
        elif path == "/_complaints":
            self._answer(200, self.state.complaints)
        elif path == "/_searches":
            self._answer(200, self.state.searches)
        elif path.endswith("/Messages.json"):
            fields = {name: values[0] for name, values in urllib.parse.parse_qs(query).items()}
            self.state.complaints += _unlike(DESCRIPTION["list"], fields)
            self.state.searches.append(len(self.state.messages))
            self._error(*self.state.how["list"]) if self.state.how["list"] else self._list(fields)
        else:
            sid = path.rpartition("/")[2].removesuffix(".json")
            found = [one for one in self.state.messages if one["sid"] == sid]
            self._answer(200, self._public(found[0])) if found else self._error(404, 20404)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        received = self.rfile.read(length)
        if len(received) < length:  # who asked was killed between the head and the body: no request at all
            self.close_connection = True
            return
        body = received.decode()
        if self.path == "/_tell":
            self.state.tell(json.loads(body))
            self._answer(200, {})
            return
        fields = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        if not self.path.endswith("/Messages.json"):
            self._empty(fields)
            return
        self.state.complaints += _faults_of(fields)
        time.sleep(self.state.how["answer_milliseconds"] / 1000)
        self._create(fields)

    def _create(self, fields: dict[str, str]) -> None:
        status, code = self.state.how["codes"].get(fields["To"]) or self.state.how["codes"].get("*") or (0, 0)
        if status:
            self._error(status, code)
            return
        fault = self.state.fault()
        made = None if fault in NEVER_TAKEN else self.state.take(fields)
        match fault.partition("-")[0]:
            case "":
                self._answer(201, made)
            case "429":
                self._error(429, 20429)
            case "500" | "503" as status_text:
                self._error(int(status_text), 20500)
            case "hang":
                time.sleep(self.state.how["hang_seconds"])
                self._drop()
            case "cut":
                whole = json.dumps(made).encode()
                self._head(201, len(whole))
                self.wfile.write(whole[: len(whole) // 2])
                self._drop()
            case _:
                self._drop()

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER 0: a reset, not an end
        self.connection.close()

    def _empty(self, fields: dict[str, str]) -> None:
        self.state.complaints += _unlike(DESCRIPTION["update"], fields)
        sid = self.path.rpartition("/")[2].removesuffix(".json")
        if not re.fullmatch(DESCRIPTION["sid"], sid) or fields != {"Body": ""}:
            self.state.complaints.append(f"only to empty a text: {sid} {fields}")
        if self.state.how["redact"]:
            self._error(*self.state.how["redact"])
            return
        found = next((one for one in self.state.messages if one["sid"] == sid), None)
        if found is None:
            self._error(404, 20404)
        elif found["status"] in UNDER_WAY:
            self._error(409, 20009)
        else:
            found["body"] = ""
            self._answer(200, self._public(found))

    def _list(self, query: dict[str, str]) -> None:
        to = query.get("To", "")
        found = [self._public(one) for one in reversed(self.state.messages) if not to or one["to"] == to]
        size = min(int(query.get("PageSize", "50")), self.state.how["most_a_page"])
        page = int(query.get("Page", "0"))
        more = urllib.parse.urlencode(query | {"Page": page + 1})
        start = page * size
        self._answer(
            200,
            {
                "messages": found[start : start + size],
                "page": page,
                "page_size": size,
                "start": start,
                "end": len(found) - 1,
                "first_page_uri": "/x",
                "next_page_uri": f"{self.path.partition('?')[0]}?{more}" if len(found) > start + size else None,
                "previous_page_uri": None,
                "uri": "/x",
            },
        )

    @staticmethod
    def _public(one: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in one.items() if name not in {"callback", "fields"}}

    def _error(self, status: int, code: int) -> None:
        self._answer(status, {"code": code, "message": "so it was told", "more_info": "", "status": status})

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _answer(self, status: int, what: Any) -> None:
        body = json.dumps(what).encode()
        self._head(status, len(body))
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A connection that broke is what this server is for."""


def main() -> None:
    _Handler.state = _State()
    server = _Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

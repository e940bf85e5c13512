"""A light HTTP/1.1 client: raw sockets, one loop, ready-made requests.

The client shares the processor's cores with the server, so it builds nothing and parses next to nothing while
it measures. Times are seconds from the first byte sent to the last byte received.
"""

import re
import selectors
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

Address = tuple[str, int]
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
HEADER = rb"\r\n%s: *([^\r]*)"


@dataclass(slots=True)
class Answer:
    """One answer; status 0 means that none came."""

    status: int
    seconds: float
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        found = re.search(HEADER % name.encode(), self.head, re.IGNORECASE)
        return found.group(1).decode("latin-1") if found else ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(slots=True)
class Load:
    """What came of a number of requests: the answers in the order of the requests, and the time of it all."""

    answers: list[Answer]
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return sum(answer.status > 0 for answer in self.answers) / self.seconds

    @property
    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)


@dataclass(slots=True, eq=False)
class Connection:
    """One connection, and the answer that is arriving on it."""

    address: Address
    link: socket.socket | None = None
    index: int = -1
    started: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    body_at: int = 0
    length: int | None = 0

    def open(self) -> None:
        self.link = socket.create_connection(self.address, timeout=10)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        if self.link is not None:
            self.link.close()
            self.link = None

    def send(self, index: int, ready: bytes) -> None:
        self.index, self.body_at, self.length = index, 0, 0
        self.received.clear()
        self.started = perf_counter()
        self.link.sendall(ready)

    def receive(self) -> bool:
        """Take what has arrived; False when the other side has closed the connection."""
        try:
            received = self.link.recv(262_144)
        except OSError:
            return False
        self.received += received
        return bool(received)

    def complete(self) -> bool:
        """Whether the whole answer has arrived."""
        if not self.body_at:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.body_at = end + 4
            head = bytes(self.received[:end])
            length = LENGTH.search(head)
            self.length = int(length.group(1)) if length else None if CHUNKED.search(head) else 0
        if self.length is None:
            return self.received.endswith(b"0\r\n\r\n")
        return len(self.received) >= self.body_at + self.length

    def answer(self) -> Answer:
        seconds = perf_counter() - self.started
        head, body = bytes(self.received[: self.body_at]), bytes(self.received[self.body_at :])
        return Answer(int(head[9:12]), seconds, head, unchunked(body) if self.length is None else body)


def unchunked(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        count = int(size.split(b";")[0], 16)
        if not count:
            break
        parts.append(rest[:count])
        body = rest[count + 2 :]
    return b"".join(parts)


def request(
    path: str,
    *,
    form: str | None = None,
    cookies: str = "",
    accept_encoding: str = "",
) -> bytes:
    """A ready-made GET, or with a form a POST, as a browser on this host would send it."""
    lines = [f"{'GET' if form is None else 'POST'} {path} HTTP/1.1", "Host: localhost", "Accept: text/html"]
    lines += [f"Cookie: {cookies}"] if cookies else []
    lines += [f"Accept-Encoding: {accept_encoding}"] if accept_encoding else []
    if form is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form.encode())}"]
        lines += ["Origin: http://localhost", "Sec-Fetch-Site: same-origin"]
    return ("\r\n".join(lines) + "\r\n\r\n" + (form or "")).encode()


class Run:
    """Requests on their way over a number of connections."""

    def __init__(self, address: Address, requests: Sequence[bytes], *, clients: int, bodies: bool) -> None:
        self.connections = [Connection(address) for _ in range(min(clients, len(requests)))]
        self.upcoming = iter(enumerate(requests))
        self.answers = [Answer(0, 0.0, b"", b"") for _ in requests]
        self.bodies = bodies
        self.selector = selectors.DefaultSelector()
        self.busy = 0

    def join(self, connection: Connection) -> None:
        connection.open()
        self.selector.register(connection.link, selectors.EVENT_READ, connection)

    def leave(self, connection: Connection) -> None:
        if connection.link is not None:
            self.selector.unregister(connection.link)
            connection.close()

    def send(self, connection: Connection) -> None:
        """The next request; without one the connection's work is done."""
        following = next(self.upcoming, None)
        if following is None:
            self.leave(connection)
            self.busy -= 1
            return
        if connection.link is None:
            self.join(connection)
        connection.send(*following)

    def take(self, connection: Connection) -> None:
        """What has arrived; when that ends the answer or the connection, go on with the next request."""
        still_open = connection.receive()
        if connection.complete():
            answer = connection.answer()
            if not self.bodies:
                answer.body = b""
            self.answers[connection.index] = answer
            still_open = still_open and not CLOSING.search(answer.head)
        elif still_open:
            return
        if not still_open:
            self.leave(connection)
        self.send(connection)

    def go(self, limit: float) -> Load:
        for connection in self.connections:
            self.join(connection)
        self.busy = len(self.connections)
        began = perf_counter()
        for connection in self.connections:
            self.send(connection)
        while self.busy and perf_counter() - began < limit:
            for key, _ in self.selector.select(timeout=1):
                self.take(key.data)
        return Load(self.answers, perf_counter() - began)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        self.selector.close()


def drive(
    address: Address, requests: Sequence[bytes], *, clients: int, limit: float = 120.0, bodies: bool = True
) -> Load:
    """Send the requests over `clients` connections that are kept alive; each free one takes the next request.

    With as many clients as requests all are connected first and then send at the same moment, each on a new
    connection. What has no answer when `limit` seconds have passed, or lost its connection, is counted as
    unanswered (status 0). Without `bodies` only the heads are kept.
    """
    run = Run(address, requests, clients=clients, bodies=bodies)
    try:
        return run.go(limit)
    finally:
        run.close()


def fetch(address: Address, ready: bytes, *, limit: float = 30.0) -> Answer:
    """One request on a connection of its own."""
    return drive(address, [ready], clients=1, limit=limit).answers[0]

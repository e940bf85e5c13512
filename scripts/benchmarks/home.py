"""The first view of Home by a signed-in person with an empty cache: bytes on the wire, and files.

Counted: the HTML and everything that a browser fetches to show it (style sheets and what they import, scripts
and what they import, icons, images, the manifest), each answer with its head, asked for with gzip allowed.
Limits: 20 kB and six files. Beside it the size that a proxy would send, every text compressed by gzip -6.
"""

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from .client import Answer, fetch, request
from .figures import Figure
from .servers import Server
from .subject import Subject

MOST_BYTES = 20_000
MOST_FILES = 6
FETCHED_LINKS = {
    "stylesheet",
    "icon",
    "apple-touch-icon",
    "manifest",
    "preload",
    "modulepreload",
    "mask-icon",
}
IN_STYLE = re.compile(r"""@import\s+(?:url\()?["']?([^"')\s;]+)|url\(\s*["']?([^"')\s]+)""")
IN_SCRIPT = re.compile(r"""(?:^|[;\s])(?:import|export)\b[^;'"()]*["']([^"']+)["']""", re.MULTILINE)


class References(HTMLParser):
    """The addresses that a browser fetches when it shows this page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attributes}
        if tag == "link" and FETCHED_LINKS & set(facts.get("rel", "").lower().split()):
            self.found.append(facts.get("href", ""))
        elif tag in {"script", "img", "iframe", "source", "embed"}:
            self.found.append(facts.get("src", ""))
        elif tag in {"use", "image"}:
            self.found.append(facts.get("href", ""))


def measure(subject: Subject, database: str, folder: Path) -> list[Figure]:
    with Server(subject.target, subject.environment(), folder / "home.log") as server:
        page = fetch(server.address, subject.page_request("/", 0))
        if page.status != 200:
            raise RuntimeError(f"home answered {page.status}")
        answers = {"/": page}
        waiting = references("/", page)
        while waiting and len(answers) < 100:
            path = waiting.pop()
            if path not in answers:
                answers[path] = fetch(server.address, request(path, accept_encoding="gzip"))
                waiting += references(path, answers[path])
    missing = [path for path, answer in answers.items() if answer.status != 200]
    if missing:
        raise RuntimeError(f"home refers to what is not there: {missing}")
    sizes = {path: len(answer.head) + len(answer.body) for path, answer in answers.items()}
    packed = {path: len(answer.head) + compressed(answer) for path, answer in answers.items()}
    details = {"wire": sizes, "compressed": packed}
    return [
        Figure(
            "home",
            database,
            "first view on the wire",
            sum(sizes.values()),
            "bytes",
            most=MOST_BYTES,
            details=details,
        ),
        Figure("home", database, "first view behind a compressing proxy", sum(packed.values()), "bytes"),
        Figure("home", database, "first view", len(answers), "files", most=MOST_FILES),
    ]


def references(path: str, answer: Answer) -> list[str]:
    """The paths on this host that what was answered makes a browser fetch."""
    kind = answer.header("content-type").partition(";")[0]
    text = plain(answer).decode("utf-8", "replace")
    if kind == "text/html":
        parser = References()
        parser.feed(text)
        found = parser.found
    elif kind == "text/css":
        found = [first or second for first, second in IN_STYLE.findall(text)]
    elif kind in {"text/javascript", "application/javascript"}:
        found = IN_SCRIPT.findall(text)
    else:
        found = []
    addresses = (urlsplit(urljoin(path, place)) for place in found if place and not place.startswith(("data:", "#")))
    return [place.path + (f"?{place.query}" if place.query else "") for place in addresses if not place.netloc]


def plain(answer: Answer) -> bytes:
    return gzip.decompress(answer.body) if answer.header("content-encoding") == "gzip" else answer.body


def compressed(answer: Answer) -> int:
    """Bytes of the body behind a proxy that compresses what is text."""
    if answer.header("content-encoding"):
        return len(answer.body)
    return min(len(answer.body), len(gzip.compress(answer.body, 6)))

"""A visitor who inspects every page that comes back: the rules that every page must keep."""

import re
from collections import Counter
from itertools import pairwise
from typing import Any

import html5lib
from werkzeug.test import TestResponse

from scheduler.kit.web import Application
from scheduler.people.signing_in import start_session
from tests import make

HTML = "{http://www.w3.org/1999/xhtml}"
FIELDS = {f"{HTML}input", f"{HTML}select", f"{HTML}textarea"}
HEADINGS = {f"{HTML}h{level}" for level in range(1, 7)}
# The HTML standard gives a longest text to these types of input alone.
WITH_LONGEST_TEXT = {"text", "search", "tel", "url", "email", "password"}


class Visitor:
    """Wraps the test client. `get` and `send` check the status and, for pages, the HTML."""

    def __init__(self, app: Application, town: make.Town, host: str = "127.0.0.1:8000") -> None:
        self.app, self.town, self.host = app, town, host
        self.client = app.test_client()
        self.page: Any = None
        self.text = ""

    def sign_in(self, person_id: int) -> "Visitor":
        secret = self.app.database.write(
            lambda connection: start_session(connection, self.town.id, person_id, "test", self.app.clock.now())
        )
        with self.client.session_transaction(base_url=f"http://{self.host}") as session:
            session["secret"] = secret
        return self

    def get(self, path: str, status: int = 200, **more: Any) -> TestResponse:
        return self._checked(self.client.get(path, base_url=f"http://{self.host}", **more), status)

    def send(
        self, path: str, fields: dict[str, Any] | None = None, status: int = 303, *, token: bool = True, **more: Any
    ) -> TestResponse:
        """POST a form, with the session's token unless told otherwise."""
        sent = dict(fields or {})
        if token:
            sent["csrf_token"] = self.token()
        answer = self.client.post(path, data=sent, base_url=f"http://{self.host}", **more)
        return self._checked(answer, status)

    def follow(self, answer: TestResponse, status: int = 200) -> TestResponse:
        return self.get(answer.headers["Location"], status)

    def token(self) -> str:
        for path in ("/me", "/sign-in"):
            page = self.client.get(path, base_url=f"http://{self.host}")
            if page.status_code == 200:
                break
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.get_data(as_text=True))
        assert found, "no form with a token on the page"
        return found[1]

    def _checked(self, answer: TestResponse, status: int) -> TestResponse:
        assert answer.status_code == status, (answer.status_code, answer.get_data(as_text=True)[-1500:])
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        self.text = ""
        if answer.mimetype == "text/html" and answer.data and status not in {302, 303}:
            self.text = answer.get_data(as_text=True)
            self.page = inspected(self.text)
        return answer

    def words(self) -> str:
        """Return the page's text as a person reads it, white space folded."""
        main = self.page.find(f".//{HTML}main")
        return " ".join("".join((main if main is not None else self.page).itertext()).split())

    def forms_to(self, path: str) -> list[Any]:
        return [form for form in self.page.iter(f"{HTML}form") if form.get("action") == path]


def inspected(text: str) -> Any:
    """Parse a page strictly and assert what every page must be; return its tree."""
    parser = html5lib.HTMLParser(strict=True)
    page = parser.parse(text)
    assert page.get("lang"), "the page names no language"
    assert len(list(page.iter(f"{HTML}h1"))) == 1, "a page has one h1"
    title = page.find(f".//{HTML}title")
    assert title is not None
    assert (title.text or "").strip(), "a page has a title"
    ids = Counter(element.get("id") for element in page.iter() if element.get("id"))
    assert not [name for name, times in ids.items() if times > 1], "an id stands once"
    labelled = {label.get("for") for label in page.iter(f"{HTML}label")}
    wrapped = {id(field) for label in page.iter(f"{HTML}label") for field in label.iter()}
    for field in page.iter():
        if field.tag in FIELDS and field.get("type") not in {"hidden", "submit"}:
            named = field.get("id") in labelled or id(field) in wrapped or field.get("aria-label")
            assert named, f"the field {field.get('name')} has no label"
    for element in page.iter():
        assert not [name for name in element.attrib if str(name).startswith("on") or name == "style"], "inline code"
        if element.tag == f"{HTML}input" and "maxlength" in element.attrib:
            assert element.get("type", "text") in WITH_LONGEST_TEXT, f"{element.get('name')} has no length"
        if element.tag in {f"{HTML}a", f"{HTML}button"}:
            assert "".join(element.itertext()).strip() or element.get("aria-label"), "a link or button has words"
    levels = [int(element.tag[-1]) for element in page.iter() if element.tag in HEADINGS]
    assert all(below <= above + 1 for above, below in pairwise([0, *levels])), (
        f"no level of heading is left out: {levels}"
    )
    return page

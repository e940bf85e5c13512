"""What was typed into a form, with what is wrong at each field; dates and times as Swedes write them."""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import NamedTuple

from scheduler.kit.language import gettext

CENTURY = 2000
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
CLOCK = re.compile(r"(\d{1,2})(?:[:.]?(\d{2}))?")
# No night is in another millennium, and the last day of the year 9999 has no day after it.
YEAR_FIRST = re.compile(r"([12]\d{3})-?(\d{2})-?(\d{2})")
DAY_FIRST = re.compile(r"(\d{1,2})[/.](\d{1,2})(?:[/.](\d{4}|\d{2}))?")


class Field(NamedTuple):
    """One field as `kit/form.html` draws it."""

    id: str
    name: str
    data: str
    errors: list[str]


class Typed:
    """The text of each field of a form. A field that cannot be read gets a sentence and keeps its text."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = {name: CONTROL.sub("", text) for name, text in fields.items()}
        self.errors: dict[str, list[str]] = {}

    def __getitem__(self, name: str) -> Field:
        return Field(name, name, self.fields.get(name, ""), self.errors.get(name, []))

    def beside(self, others: Mapping[str, str]) -> "Typed":
        """Return itself with the texts of the page's other forms."""
        self.fields = {**others, **self.fields}
        return self

    def text(self, name: str) -> str:
        return self.fields.get(name, "").strip()

    def wrong(self, name: str, sentence: str) -> None:
        self.errors.setdefault(name, []).append(sentence)

    def clock(self, name: str) -> time | None:
        """Return a time of the day: 21:00, 21.00, 2100 or 21."""
        found = CLOCK.fullmatch(self.text(name))
        if found:
            try:
                read = time(int(found[1]), int(found[2] or 0))
            except ValueError:
                pass
            else:
                self.fields[name] = f"{read:%H:%M}"
                return read
        self.wrong(name, gettext("Type a time like 21:00."))
        return None

    def day(self, name: str, near: date | None = None) -> date | None:
        """Return a date: 2026-12-11, 20261211, 11/12 2026 or, in the year after `near`, 11/12."""
        found = as_date(self.text(name), near)
        if found is None:
            self.wrong(name, gettext("Type a date like 2026-12-11."))
        else:
            self.fields[name] = str(found)
        return found

    def days(self, name: str, near: date) -> list[date]:
        """Return the dates of a field that may hold none, one or many."""
        found = []
        for word in re.split(r"[\s,;]+", self.text(name)):
            if not word:
                continue
            day = as_date(word, near)
            if day is None:
                self.wrong(
                    name, gettext("“%(word)s” is no date. Type dates like 2026-12-11, with spaces between.", word=word)
                )
            else:
                found.append(day)
        return found

    def number(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number within limits."""
        typed = self.text(name)
        if re.fullmatch(r"\d{1,6}", typed, re.ASCII) and least <= int(typed) <= most:
            return int(typed)
        self.wrong(name, gettext("Type a number from %(least)s to %(most)s.", least=least, most=most))
        return None

    def line(self, name: str, longest: int) -> str:
        """Return a text of at most so many characters."""
        typed = self.text(name)
        if len(typed) > longest:
            self.wrong(name, gettext("That is too long. Use at most %(most)s characters.", most=longest))
        return typed


def as_date(text: str, near: date | None) -> date | None:
    """Return the date that was typed, or None; without a year, the first such day from `near` on."""
    try:
        if found := YEAR_FIRST.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if not (found := DAY_FIRST.fullmatch(text)):
            return None
        day, month = int(found[1]), int(found[2])
        if found[3]:
            return date(int(found[3]) % CENTURY + CENTURY, month, day)
        if near is None:
            return None
        this_year = date(near.year, month, day)
        return this_year if this_year >= near else date(near.year + 1, month, day)
    except ValueError:
        return None

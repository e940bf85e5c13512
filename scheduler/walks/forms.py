"""The form of a walk note: what was typed becomes answers that the rules have accepted."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from scheduler.kit.language import gettext
from scheduler.kit.refusals import Invalid
from scheduler.walks.rules import Answers, Happened, Mood, YoungPeople, looks_personal, note_text

Word = TypeVar("Word", bound=StrEnum)
MOST_PEOPLE = 50


@dataclass(slots=True)
class NoteForm:
    """What was typed, and what is wrong with it. `suspicious` are parts that look like a name or a number."""

    mood: str = ""
    young_people: str = ""
    happened: str = ""
    follow_up: str = ""
    text: str = ""
    came: frozenset[int] = frozenset()
    problems: dict[str, str] = field(default_factory=dict)
    suspicious: list[str] = field(default_factory=list)


def _one_of(kind: type[Word], typed: str) -> Word | None:
    return kind(typed) if typed in set(kind) else None


def read_note(sent: MultiDict[str, str], places: frozenset[str]) -> tuple[NoteForm, Answers | None]:
    """Return the form as it was sent, and the answers; None while something is to be mended or looked at again."""
    came = frozenset(int(one) for one in sent.getlist("came")[:MOST_PEOPLE] if one.isdecimal() and len(one) < 10)  # noqa: PLR2004
    form = NoteForm(
        mood=sent.get("mood", ""),
        young_people=sent.get("young_people", ""),
        happened=sent.get("happened", ""),
        follow_up=sent.get("follow_up", ""),
        text=sent.get("text", ""),
        came=came,
    )
    mood = _one_of(Mood, form.mood)
    young_people = _one_of(YoungPeople, form.young_people)
    happened = _one_of(Happened, form.happened)
    if mood is None:
        form.problems["mood"] = gettext("Choose how the evening felt.")
    if young_people is None:
        form.problems["young_people"] = gettext("Choose about how many young people you met.")
    if happened is None:
        form.problems["happened"] = gettext("Choose what marked the evening.")
    if form.follow_up not in {"yes", "no"}:
        form.problems["follow_up"] = gettext("Choose whether somebody should follow something up.")
    try:
        text = note_text(form.text)
    except Invalid:
        form.problems["text"] = gettext("The text is too long. Use at most 500 characters.")
        return form, None
    if not sent.get("sure"):
        form.suspicious = looks_personal(text, places)
    if mood is None or young_people is None or happened is None or form.problems or form.suspicious:
        return form, None
    return form, Answers(mood, young_people, happened, form.follow_up == "yes", text)


def first_form(came: Collection[int]) -> NoteForm:
    """Return an empty form with those ticked who are known to have come."""
    return NoteForm(came=frozenset(came))

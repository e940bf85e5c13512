"""The coordinator's page of one shift: who walks, and what they have said by text."""

from tests.gaps.story import Story
from tests.visitor import Visitor


def line_of(visitor, name):
    words = visitor.words()
    return words[words.index(name) :].split("070-")[0]


def test_who_has_answered_who_has_not_and_who_booked_by_text(database, app):
    story = Story(database, walkers=6)
    first, second, third = [person for person in story.whose(story.ask()) if person != story.boss][:3]
    story.text(first, "JA")
    for booked in (second, third):
        story.book(booked)
    story.remind(hours_before=51)
    story.text(second, "Ja tack")
    visitor = Visitor(app, story.town)
    visitor.sign_in(story.boss)
    visitor.get(f"/lead/shifts/{story.shift}")
    names = {person: f"Eva{story.people.index(person)}" for person in (first, second, third)}
    assert "inget svar än bokade med sms" in line_of(visitor, names[first])
    assert "har svarat JA" in line_of(visitor, names[second])
    assert "bokade med sms" not in line_of(visitor, names[second])
    assert "inget svar än" in line_of(visitor, names[third])

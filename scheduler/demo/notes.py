from dataclasses import replace
from random import Random

from scheduler.walks.rules import Answers, Happened, Mood, YoungPeople

# What a team might write: no person, no number.
TEXTS = (
    "",
    "",
    "Lugnt hela kvällen. Många stannade och pratade.",
    "Mycket folk vid grillen fram till midnatt, sedan tomt.",
    "Två lampor är trasiga på gångvägen vid bron.",
    "Vi följde några hem från bussen.",
    "Regn, nästan ingen ute. Kaffet gick åt.",
    "Hög musik från bilar på parkeringen. De sänkte när vi bad om det.",
)
TO_FOLLOW_UP = "Två lampor är trasiga på gångvägen vid bron. Kan kommunen laga dem?"
MOODS = (Mood.CALM, Mood.CALM, Mood.CALM, Mood.LIVELY, Mood.LIVELY, Mood.TENSE)
HAPPENED = (Happened.NOTHING, Happened.NOTHING, Happened.NOTHING, Happened.HELPED, Happened.DRINKING, Happened.TROUBLE)
SELDOM = 0.1


def invented_note(random: Random) -> Answers:
    """Return a believable walk note; one that asks to follow something up says what."""
    note = Answers(
        mood=random.choice(MOODS),
        young_people=random.choice(list(YoungPeople)),
        happened=random.choice(HAPPENED),
        follow_up=random.random() < SELDOM,
        text=random.choice(TEXTS),
    )
    return replace(note, text=TO_FOLLOW_UP) if note.follow_up else note

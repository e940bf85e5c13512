import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.answers.rules import Wish, meaning
from scheduler.messages.rules import Answer

YES, NO = Answer.YES, Answer.NO


@pytest.mark.parametrize(
    ("text", "answer", "more"),
    [
        ("JA", YES, False), ("ja", YES, False), (" Ja! ", YES, False), ("Japp", YES, False), ("Ok", YES, False),
        ("yes", YES, False), ("Y", YES, False), ("👍", YES, False), ("Ja tack, jag kommer gärna", YES, False),
        ("Jag kommer", YES, False), ("Ja /Eva", YES, False), ("Absolut!", YES, False),
        ("Ja tack men jag kommer 20 min sent", YES, True),
        ("NEJ", NO, False), ("nej.", NO, False), ("Nä", NO, False), ("no", NO, False), ("👎", NO, False),
        ("Nej tyvärr, sjuk", NO, False), ("Jag kan inte", NO, False), ("Kan tyvärr inte komma", None, True),
        ("Har fått förhinder", NO, False), ("Nej jag kommer inte", NO, False),
        ("Nej, bilen har gått sönder", NO, True),
    ],
)  # fmt: skip
def test_yes_and_no_as_people_write_them(text, answer, more):
    understood = meaning(text, ("Eva", "Lyktdal"))
    if answer is None:
        assert understood.wish is Wish.WORDS, "in doubt a person reads it"
    else:
        assert (understood.wish, understood.answer, understood.more) == (Wish.ANSWER, answer, more)


@pytest.mark.parametrize(
    "text",
    [
        "Jag hittar inte till samlingen", "Ja fast jag kommer inte", "Vilken tid?", "Kan inte hitta er", "jaha",
        "Tack", "Jag är sjukt taggad", "x" * 1600, "stoppa in mig på fredag", "Mina barn är sjuka i dag",
        "Start kl 21?", "inte",
    ],
)  # fmt: skip
def test_what_is_not_surely_an_answer_goes_to_a_person(text):
    assert meaning(text).wish is Wish.WORDS


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("STOPP", Wish.STOP), ("Stopp", Wish.STOP), (" STOPP ", Wish.STOP), ("STOP!", Wish.STOP),
        ("stoppa alla sms", Wish.STOP), ("Sluta", Wish.STOP), ("AVSLUTA", Wish.STOP), ("unsubscribe", Wish.STOP),
        ("START", Wish.START), ("unstop", Wish.START), ("Mina", Wish.WALKS), ("mina pass", Wish.WALKS),
        ("MINE", Wish.WALKS), ("HJÄLP", Wish.HELP), ("help", Wish.HELP), ("", Wish.NOTHING), ("🌙🌙", Wish.NOTHING),
        ("?!", Wish.NOTHING),
    ],
)  # fmt: skip
def test_words_that_steer(text, wish):
    assert meaning(text).wish is wish


@pytest.mark.parametrize(
    ("text", "answer", "number"), [("2", None, 2), ("NEJ 2", NO, 2), ("ja 1", YES, 1), ("1.", None, 1)]
)
def test_a_number_picks_from_the_list(text, answer, number):
    understood = meaning(text)
    assert (understood.wish, understood.answer, understood.number) == (Wish.ANSWER, answer, number)


@given(st.text(max_size=200))
def test_nothing_that_anybody_can_write_breaks_it(text):
    meaning(text, ("Eva",))

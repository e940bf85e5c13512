from datetime import UTC, date, datetime, timedelta

import pytest

from scheduler.kit.refusals import Invalid
from scheduler.walks.rules import (
    NoteClosed,
    NotYet,
    Silence,
    Stage,
    check_going_on,
    looks_personal,
    note_text,
    quarter_end,
    silence,
    stage,
    tapped_at,
    text_forgotten_on,
)

START = datetime(2026, 11, 27, 20, tzinfo=UTC)
END = START + timedelta(hours=4)


def at(hours):
    return START + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("here", "out", "done", "noted", "shown"),
    [
        (False, None, None, False, Stage.COMING),
        (True, None, None, False, Stage.HERE),
        (False, START, None, False, Stage.OUT),
        (True, START, END, False, Stage.DONE),
        (True, START, END, True, Stage.NOTED),
    ],
)
def test_the_one_button_follows_the_evening(here, out, done, noted, shown):
    assert stage(here=here, out_at=out, done_at=done, noted=noted) is shown


@pytest.mark.parametrize(
    ("now", "here", "out", "done", "heard", "why"),
    [
        (at(-1), 0, None, None, None, None),
        (at(0), 0, None, None, None, Silence.NOBODY_HERE),
        (at(0.2), 3, None, None, at(0), None),
        (at(0.6), 3, None, None, at(0), Silence.NOT_OUT),
        (at(1.9), 3, at(0), None, at(0), None),
        (at(2.1), 3, at(0), None, at(0), Silence.NOT_HEARD),
        (at(2.1), 3, at(0), None, at(1), None),
        (at(4.6), 3, at(0), None, at(4.4), Silence.NOT_BACK),
        (at(9), 3, at(0), at(4), at(4), None),
    ],
)
def test_silence_is_noticed(now, here, out, done, heard, why):
    assert silence(START, END, now, here=here, out_at=out, done_at=done, heard_at=heard) is why


def test_the_page_opens_in_the_afternoon_and_closes_after_three_days():
    with pytest.raises(NotYet):
        check_going_on(START, END, at(-6.1))
    check_going_on(START, END, at(-6))
    check_going_on(START, END, END + timedelta(days=3))
    with pytest.raises(NoteClosed):
        check_going_on(START, END, END + timedelta(days=3, minutes=1))


def test_a_tap_that_waited_is_told_as_of_when_it_was_made():
    assert tapped_at(at(1), 600, START) == at(1) - timedelta(minutes=10)
    assert tapped_at(at(1), 10**6, START) == at(-6), "never before the evening opened"
    assert tapped_at(at(1), -5, START) == at(1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Lugnt hela kvällen. Många stannade och pratade.", []),
        ("Vi mötte Kalle vid bron.", ["Kalle"]),
        ("Vi mötte Anna Svensson", ["Anna Svensson"]),
        ("Ring 070-174 06 05 om det", ["070-174 06 05"]),
        ("Bilen hade ABC 12D och körde fort", ["ABC 12D"]),
        ("Vi gick till Sörberge och hem", []),
        ("Klockan 23.15 var 30 unga ute", []),
        ("född 19900531-1234", ["19900531-1234"]),
    ],
)
def test_a_note_that_names_somebody_is_noticed(text, found):
    assert looks_personal(text, frozenset({"Sörberge", "Timrå IK"})) == found


def test_a_text_is_mended_and_never_too_long():
    assert note_text("  Lugnt \r\n  och   fint ") == "Lugnt\noch fint"
    with pytest.raises(Invalid):
        note_text("x" * 501)


def test_texts_are_forgotten_ninety_days_after_the_quarters_report():
    assert quarter_end(date(2026, 12, 31)) == date(2026, 12, 31)
    assert quarter_end(date(2026, 1, 1)) == date(2026, 3, 31)
    assert text_forgotten_on(date(2026, 2, 6), date(2026, 4, 10)) == date(2026, 7, 9)
    assert text_forgotten_on(date(2026, 2, 6), None) == date(2026, 7, 30)

from datetime import date

import pytest

from scheduler.kit.refusals import Invalid
from scheduler.people.rules import birth_date, clean_name, device_name, is_adult

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("born_on", "day", "adult"),
    [
        (date(2008, 11, 23), TODAY, True),
        (date(2008, 11, 24), TODAY, False),
        (date(2008, 2, 29), date(2026, 2, 28), False),
        (date(2008, 2, 29), date(2026, 3, 1), True),
    ],
)
def test_18_is_counted_on_the_day(born_on, day, adult):
    assert is_adult(born_on, day) is adult


@pytest.mark.parametrize(
    "typed", ["1990-05-31", "19900531", "1990/05/31", "1990.5.31", "31.5.1990", "31-05-1990", " 1990-05-31 "]
)
def test_a_birth_date_is_understood_in_the_usual_ways(typed):
    assert birth_date(typed, TODAY) == date(1990, 5, 31)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "empty"),
        ("2007-02-29", "not_a_date"),
        ("1990-13-01", "not_a_date"),
        ("1990-00-10", "not_a_date"),
        ("i våras", "not_a_date"),
        ("2026-11-24", "future"),
        ("2008-11-24", "too_young"),
        ("22-05-31", "short_year"),
        ("900531", "short_year"),
        ("1890-01-01", "too_old"),
        ("0022-05-31", "too_old"),
        ("19900531-1234", "identity_number"),
        ("900531-1234", "identity_number"),
        ("199005311234", "identity_number"),
        ("1990-05-31-1234", "identity_number"),
        ("900531+1234", "identity_number"),
    ],
)
def test_an_impossible_birth_date_is_refused_with_its_reason(typed, problem):
    with pytest.raises(Invalid) as refusal:
        birth_date(typed, TODAY)
    assert refusal.value.problem == problem


@pytest.mark.parametrize("name", ["Ö", "Åsa-Märta", "O'Neil", "محمد", "<b>Eva</b>", "Eva 🌙", "Zoë", "x" * 60])
def test_names_of_any_script_and_length_are_kept_as_typed(name):
    assert clean_name("first_name", f"  {name} ") == name


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        (" \t\n", "empty"),
        ("x" * 61, "too_long"),
        ("x" * 200, "too_long"),
        ("Eva\x00", "unreadable"),
        ("Eva\x07", "unreadable"),
        ("\u202eavE", "unreadable"),
        ("Eva\u2066", "unreadable"),
        ("E\u200bva", "unreadable"),
    ],
)
def test_names_that_cannot_be_read_are_refused(name, problem):
    with pytest.raises(Invalid) as refusal:
        clean_name("first_name", name)
    assert refusal.value.problem == problem


def test_a_device_is_named_by_what_its_browser_says():
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604"
    assert device_name(iphone) == "iPhone, Safari"
    assert device_name("curl/8") == "?"

"""What a row says, what is wrong with it, and what becomes of it."""

from dataclasses import dataclass, field
from datetime import date

import pytest

from scheduler.kit.refusals import Invalid
from scheduler.people.rules import MembershipState, is_same_person
from scheduler.registers.columns import Table, register_of
from scheduler.registers.identity import birth_date_in, of_identity_number, with_lost_zeros, without_identity_numbers
from scheduler.registers.rules import (
    Clubs,
    Fault,
    Field,
    Standing,
    compared,
    names_in,
    read_rows,
)
from tests.registers.files import identity_number

TODAY = date(2026, 11, 23)
COLUMNS = {
    Field.FIRST_NAME: 0,
    Field.LAST_NAME: 1,
    Field.PHONE: 2,
    Field.OTHER_PHONE: 3,
    Field.BORN_ON: 4,
    Field.CLUB: 5,
}
CLUBS = Clubs({1: "Timrå IK", 2: "Sörberge BK"}, frozenset({1}), 1)


@dataclass(frozen=True)
class Somebody:
    first_name: str = "Åsa"
    last_name: str = "Öst"
    born_on: date = date(1985, 8, 22)
    memberships: dict = field(default_factory=dict)


def read(*cells, clubs=CLUBS):
    filled = [*cells, *[""] * (6 - len(cells))]
    return read_rows([(2, filled)], COLUMNS, clubs, TODAY)[0]


GOOD = ("Åsa", "Öst", "070-174 06 05", "", "1985-08-22")


def test_a_whole_row_has_no_fault():
    row = read(*GOOD)
    assert (row.name, row.phone, row.born_on, row.club_id, row.faults) == (
        "Åsa Öst", "+46701740605", date(1985, 8, 22), 1, (),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "cell", "fault"),
    [
        (0, "", Fault.NO_FIRST_NAME),
        (1, "", Fault.NO_LAST_NAME),
        (1, "Ö" * 61, Fault.NAME_TOO_LONG),
        (0, "\ufffdsa", Fault.NAME_UNREADABLE),
        (0, "#NAMN?", Fault.NAME_UNREADABLE),
        (0, "\u202eåsA", Fault.NAME_UNREADABLE),
        (0, "=HYPERLINK(1)", Fault.NAME_FORMULA),
        (0, "@sa", Fault.NAME_FORMULA),
        (2, "", Fault.NO_PHONE),
        (2, "0701", Fault.PHONE_NOT_A_NUMBER),
        (2, "fråga Bo", Fault.PHONE_NOT_A_NUMBER),
        (2, "08-123 456 78", Fault.PHONE_NOT_MOBILE),
        (2, "+47 400 00 000", Fault.PHONE_FOREIGN),
        (4, "", Fault.NO_BIRTH_DATE),
        (4, "i maj", Fault.NOT_A_DATE),
        (4, "2007-02-29", Fault.NOT_A_DATE),
        (4, "≠1985-08-22", Fault.CHECK_DIGIT),
        (4, "2030-01-01", Fault.FUTURE),
        (4, "1899-01-01", Fault.TOO_OLD),
        (4, "2008-11-24", Fault.TOO_YOUNG),
        (5, "Ingenstans IF", Fault.UNKNOWN_CLUB),
        (5, "Sörberge BK", Fault.OTHER_CLUB),
    ],
)
def test_each_fault_is_seen(at, cell, fault):
    cells = [*GOOD, ""]
    cells[at] = cell
    assert fault in read(*cells).faults


def test_a_row_tells_every_fault_at_once_but_a_childs_tells_only_the_age():
    assert read("", "Öst", "", "", "i maj").faults == (Fault.NO_FIRST_NAME, Fault.NO_PHONE, Fault.NOT_A_DATE)
    assert read("", "Öst", "", "", "2015-05-05").faults == (Fault.TOO_YOUNG,)


def test_who_turns_eighteen_today_comes_in():
    assert read(*GOOD[:4], "2008-11-23").faults == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", "0701740605"),
        ("08-123 456 78", "0701740605"),
        ("0701740605", "08-123 456 78"),
        ("08-12345678 / 0701740605", ""),
    ],
)
def test_the_mobile_is_found_in_either_column(first, second):
    row = read("Åsa", "Öst", first, second, "1985-08-22")
    assert (row.phone, row.faults) == ("+46701740605", ())


@pytest.mark.parametrize(
    ("whole", "names"),
    [
        ("Åsa Öst", ("Åsa", "Öst")),
        ("Öst, Åsa Maria", ("Åsa Maria", "Öst")),
        ("Anna Maria von Essen", ("Anna Maria", "von Essen")),
        ("Carl de la Gardie", ("Carl", "de la Gardie")),
        ("von Essen", ("von", "Essen")),
        ("Bo", ("Bo", "")),
        ("", ("", "")),
    ],
)
def test_a_whole_name_is_parted(whole, names):
    assert names_in(whole) == names


@pytest.mark.parametrize(
    ("text", "born"),
    [
        ("850822-XXXX", date(1985, 8, 22)),
        ("850882-TF12", date(1985, 8, 22)),
        ("070822-0000", date(2007, 8, 22)),
        ("180822+0000", date(1918, 8, 22)),
        ("180822-0000", date(2018, 8, 22)),
        ("261124-0000", date(1926, 11, 24)),
        ("261123-0000", date(2026, 11, 23)),
        ("19000229-0000", None),
        ("20240299-0000", None),
        ("851322-0000", None),
        ("1985-08-22", None),
        ("0701740605", (date(2007, 1, 14))),
    ],
)
def test_the_century_of_a_short_number_is_the_latest_possible(text, born):
    known = of_identity_number(text, TODAY)
    assert (known[0] if known else None) == born


def test_a_wrong_check_digit_is_told():
    right = identity_number(date(1985, 8, 22))
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    assert of_identity_number(right, TODAY) == (date(1985, 8, 22), True)
    assert of_identity_number(wrong, TODAY) == (date(1985, 8, 22), False)
    with pytest.raises(Invalid) as refused:
        birth_date_in(without_identity_numbers(wrong, TODAY), TODAY)
    assert refused.value.problem == "check_digit"


@pytest.mark.parametrize(
    ("shown", "was"),
    [
        *(("508223578", "0508223578"), ("1011234", "0001011234"), ("10112345", "0010112345")),
        *(("19850822", "19850822"), ("20050822", "20050822"), ("850822", "850822")),
    ],
)
def test_zeros_that_a_spreadsheet_took_come_back(shown, was):
    assert with_lost_zeros(shown) == was


@pytest.mark.parametrize("text", ["850822", "1985-08-22 00:00:00", "1985-08-22", "19850822", "22/8/1985", "22.08.1985"])
def test_a_date_is_read_as_systems_write_it(text):
    assert birth_date_in(text, TODAY) == date(1985, 8, 22)


def standings(rows, known=None):
    cells = [(number, [*row, *[""] * (6 - len(row))]) for number, row in enumerate(rows, start=2)]
    return compared(read_rows(cells, COLUMNS, CLUBS, TODAY), known or {})


def test_a_person_who_stands_twice_counts_once():
    first, second = standings([GOOD, ("Åsa Maria", "Öst", "0701740605", "", "1985-08-22")])
    assert (first.standing, second.standing, second.same_as) == (Standing.NEW, Standing.TWICE, 2)


def test_two_people_with_one_number_both_stay_out():
    first, second = standings([GOOD, ("Bo", "Öst", "0701740605", "", "1971-03-04")])
    assert first.faults == second.faults == (Fault.SHARED_PHONE,)
    assert (first.same_as, second.same_as) == (3, 2)


def test_a_child_with_a_parents_number_is_in_nobodys_way():
    first, child = standings([GOOD, ("Tim", "Öst", "0701740605", "", "2017-03-14")])
    assert (first.standing, child.faults) == (Standing.NEW, (Fault.TOO_YOUNG,))


@pytest.mark.parametrize(
    ("memberships", "standing"),
    [
        ({}, Standing.KNOWN),
        ({2: MembershipState.APPROVED}, Standing.KNOWN),
        ({1: MembershipState.APPROVED}, Standing.MEMBER),
        ({1: MembershipState.PENDING}, Standing.PENDING),
        ({1: MembershipState.INVITED}, Standing.INVITED),
    ],
)
def test_who_is_in_lykta_already_is_known(memberships, standing):
    assert standings([GOOD], {"+46701740605": Somebody(memberships=memberships)})[0].standing is standing


def test_a_number_of_somebody_else_is_told():
    row = standings([GOOD], {"+46701740605": Somebody("Bo", "Öst", date(1971, 3, 4))})[0]
    assert row.faults == (Fault.PHONE_OF_ANOTHER,)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (("Åsa", "Öst", date(1985, 8, 23)), True),
        (("Åsa Maria", "Öst", date(1985, 8, 22)), True),
        (("Åsa", "Väst", date(1985, 8, 22)), True),
        (("Åsa", "Väst", date(1985, 8, 23)), False),
        (("Bo", "Öst", date(1971, 3, 4)), False),
        (("Bo", "Ek", date(1985, 8, 22)), False),
    ],
)
def test_who_is_the_same_person(other, same):
    assert is_same_person(Somebody(), *other) is same


def test_a_coordinators_list_may_name_any_club():
    every = Clubs(CLUBS.by_id, frozenset({1, 2}), 1)
    assert read(*GOOD, "SÖRBERGE BK ", clubs=every).club_id == 2


def test_columns_that_nobody_needs_are_not_kept():
    headings = ["Förnamn", "Efternamn", "Mobil", "Född", "E-post", "Allergi", "Postnr", "Kön", "Favoritfärg"]
    rows = [headings, ["Åsa", "Öst", "0701740605", "1985-08-22", "a@example.com", "nötter", "861 30", "K", "blå"]]
    kept = [column.heading for column in register_of([Table(rows)], TODAY).columns]
    assert kept == ["Förnamn", "Efternamn", "Mobil", "Född", "Favoritfärg"]

"""Files in every shape in which they come: letters, separators, sheets, and what is no list at all."""

import io
import zipfile
from datetime import date

import pytest

from scheduler.kit.refusals import Invalid
from scheduler.registers.columns import MOST_ROWS, register_of
from scheduler.registers.identity import birth_date_in
from scheduler.registers.reading import tables
from scheduler.registers.rules import Field
from tests.registers import files
from tests.registers.files import PLAIN, as_csv, as_xlsx, identity_number

TODAY = date(2026, 11, 23)
ASA = identity_number(date(1985, 8, 22))
ROWS = [list(PLAIN), ["Åsa", "Öst", "070-174 06 05", ASA], ["Gösta", "Älv", "070-174 06 06", "1971-03-04"]]


def said(content):
    """Return what the file says of each person: first name, last name, number, born."""
    register = register_of(tables(content), TODAY)
    order = [register.guessed[field] for field in (Field.FIRST_NAME, Field.LAST_NAME, Field.PHONE, Field.BORN_ON)]
    return [[cells[at] for at in order] for _number, cells in register.rows]


EXPECTED = [["Åsa", "Öst", "070-174 06 05", "1985-08-22"], ["Gösta", "Älv", "070-174 06 06", "1971-03-04"]]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "cp1252", "utf-16", "utf-16-le", "cp850", "mac_roman"]
)
def test_text_in_every_letters_and_separators_says_the_same(encoding, delimiter):
    assert said(as_csv(ROWS, delimiter, encoding)) == EXPECTED


@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
def test_lines_end_as_they_like(newline):
    assert said(as_csv(ROWS, newline=newline)) == EXPECTED


def test_letters_that_were_encoded_twice_are_mended():
    twice = as_csv(ROWS, encoding="utf-8").decode("cp1252").encode("utf-8")
    assert said(twice) == EXPECTED


def test_excels_own_marks_are_understood():
    rows = [["sep=;"], ["Förnamn", "Efternamn", "Mobil", "Personnummer"], ["Åsa", "Öst", '="0701740605"', "'" + ASA]]
    assert said(as_csv(rows)) == [["Åsa", "Öst", "0701740605", "1985-08-22"]]


def test_a_title_above_the_headings_and_empty_rows_are_no_people():
    rows = [["Medlemslista 2026", "", "", ""], ["", "", "", ""], *ROWS, ["", "", "", ""]]
    register = register_of(tables(as_csv(rows)), TODAY)
    assert [number for number, _cells in register.rows] == [4, 5], "the numbers that Excel shows"
    assert said(as_csv(rows)) == EXPECTED


def test_a_list_without_headings_is_guessed_by_what_stands_in_it():
    assert said(as_csv(ROWS[1:])) == EXPECTED


def test_a_workbook_says_the_same():
    assert said(as_xlsx(ROWS)) == EXPECTED


def test_numbers_that_excel_took_for_numbers_come_back():
    young = identity_number(date(2005, 8, 22), mark="", century=False)
    rows = [list(PLAIN), ["Åsa", "Öst", 701740605, int(ASA.replace("-", ""))], ["Bo", "Ek", 46701740606, int(young)]]
    rows.append(["Cia", "Al", 701740607, date(1971, 3, 4)])
    assert [row[2:] for row in said(as_xlsx(rows))] == [
        ["701740605", "1985-08-22"],
        ["46701740606", "2005-08-22"],
        ["701740607", "1971-03-04"],
    ]


def test_the_sheet_with_people_is_found_among_others():
    assert said(as_xlsx([["Om listan"], ["Skapad av föreningen"]], ROWS)) == EXPECTED


def test_a_cell_merged_downwards_is_meant_for_each_row():
    rows = [list(PLAIN), ["Åsa", "", "070-174 06 05", ASA], ["Gösta", "", "070-174 06 06", "1971-03-04"]]
    content = as_xlsx(rows, draw=lambda _book, sheet: sheet.merge_range(1, 1, 2, 1, "Älv"))
    assert [row[1] for row in said(content)] == ["Älv", "Älv"]


def test_a_title_merged_across_is_no_heading():
    content = as_xlsx([[], *ROWS], draw=lambda _book, sheet: sheet.merge_range(0, 0, 0, 3, "Medlemmar"))
    assert said(content) == EXPECTED


def test_a_formula_counts_as_what_it_shows():
    def draw(_book, sheet):
        sheet.write_formula(1, 0, '=PROPER("ÅSA")', None, "Åsa")
        sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")

    row = said(as_xlsx([list(PLAIN), ["", "", "070-174 06 05", ASA]], draw=draw))[0]
    assert row[0] == "Åsa"
    assert row[1] == "", "a fault is no name"


def problem(content):
    with pytest.raises(Invalid) as refused:
        register_of(tables(content), TODAY)
    return refused.value.problem


def zipped(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/"), text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b" \r\n \r\n", "empty"),
        (as_csv([list(PLAIN)]), "no_rows"),
        (as_xlsx([list(PLAIN)]), "no_rows"),
        (as_xlsx([]), "empty"),
        (b"MZ\x90\x00\x03\x00\x00\x00" + bytes(500), "not_a_table"),
        (b"%PDF-1.7\n", "not_a_table"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "not_a_table"),
        (bytes(range(256)) * 20, "not_a_table"),
        (zipped(**{"readme.txt": "hello"}), "not_a_table"),
        (as_xlsx(ROWS)[:2000], "broken"),
        (b"<html><table><tr><td>F\xf6rnamn</td></tr></table></html>", "web_page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000), "broken"),
        (b"x" * (5 * 1024 * 1024 + 1), "too_large"),
        (b'"' + b"a" * 200_000, "broken"),
        (as_csv([list(PLAIN), *[ROWS[1]] * (MOST_ROWS + 1)]), "too_many_rows"),
        (as_xlsx([list(PLAIN), *[ROWS[1]] * (MOST_ROWS + 1)]), "too_many_rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_list_is_told_kindly(content, told):
    assert problem(content) == told


def test_fifty_thousand_rows_get_an_answer():
    assert problem(as_csv([list(PLAIN), *[ROWS[1]] * 50_000])) == "too_many_rows"


def test_as_many_rows_as_are_allowed_are_read():
    assert len(said(as_csv([list(PLAIN), *[ROWS[1]] * MOST_ROWS]))) == MOST_ROWS


def test_an_archive_that_says_it_unpacks_to_gigabytes_is_not_unpacked():
    assert problem(zipped(xl__workbook="", **{"xl/workbook.xml": "", "a": bytes(120 * 1024 * 1024)})) == "too_many_rows"


CELL = '<c r="{}" t="inlineStr"><is><t>{}</t></is></c>'


def test_a_cell_at_the_end_of_the_world_harms_nobody():
    sheet = f'<worksheet><sheetData><row r="1">{CELL.format("A1", "Namn")}</row><row r="1048576">'
    sheet += f"{CELL.format('XFD1048576', 'x')}</row></sheetData></worksheet>"
    assert problem(files.handmade(sheet)) == "broken"


def test_entities_that_multiply_are_not_read():
    bomb = '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    sheet = f'{bomb}<worksheet><sheetData><row r="1">{CELL.format("A1", "&b;")}</row></sheetData></worksheet>'
    assert problem(files.handmade(sheet)) == "broken"


# ---------------------------------------------------------------- as the systems write them


def test_a_list_of_idrottonline():
    def member(first, last, born, mobile, home=""):
        return files.row_of(
            files.IDROTTONLINE, Typ="Medlem", Förnamn=first, Efternamn=last, FödelsedatPersonnr=born,
            Telefon_mobil=mobile, Telefon_bostad=home, Epost_kontakt="asa@example.com",
            Kontaktadress__Gatuadress="Storgatan 1", Övrig_medlemsinfo=f"personnr {ASA}", IdrottsID="IID12345678",
        )  # fmt: skip

    rows = [
        list(files.IDROTTONLINE),
        member("Åsa", "Öst", ASA, "", "070-174 06 05"),
        member("Bo", "Ek", "1971-03-04", "+46701740606"),
    ]
    register = register_of(tables(as_csv(rows)), TODAY)
    assert register.columns[register.guessed[Field.OTHER_PHONE]].heading == "Telefon bostad"
    assert said(as_csv(rows))[1] == ["Bo", "Ek", "+46701740606", "1971-03-04"]
    kept = repr(register)
    for gone in ("Storgatan", "example.com", "IID12345678", ASA[-4:]):
        assert gone not in kept


def test_a_list_of_sportadmin_keeps_the_members_number_and_never_a_guardians():
    coach = files.row_of(
        files.SPORTADMIN, Grupp="P 17", Gruppkoppling="Tränare", Personnummer=ASA, Förnamn="Åsa", Efternamn="Öst",
        Mobiltelefon="0701740605", Allergi="nötter",
    )  # fmt: skip
    child = files.row_of(
        files.SPORTADMIN, Personnummer=identity_number(date(2017, 3, 14)), Förnamn="Tim", Efternamn="Öst"
    )
    child[16:20] = ["Åsa Öst", "Mamma", "asa@example.com", "0701740605"]
    register = register_of(tables(as_xlsx([list(files.SPORTADMIN), coach, child])), TODAY)
    assert register.columns[register.guessed[Field.PHONE]].heading == "Mobiltelefon"
    assert "nötter" not in repr(register)
    assert "Mamma" not in repr(register)
    tim = dict(register.rows)[3]
    assert tim[register.guessed[Field.PHONE]] == ""


def test_a_list_with_whole_names_in_windows_letters():
    rows = [
        list(files.LAGET),
        ["Åsa Maria von Öst", ASA.replace("-", ""), "070-174 06 05", "a@example.com", "Ledare", "A-lag"],
    ]
    register = register_of(tables(as_csv(rows, encoding="cp1252")), TODAY)
    assert set(register.guessed) == {Field.FULL_NAME, Field.BORN_ON, Field.PHONE}
    assert len(register.columns) == 3


# ---------------------------------------------------------------- the identity number is gone


FORMS = [
    identity_number(date(1985, 8, 22)),
    identity_number(date(1985, 8, 22), mark=""),
    identity_number(date(1985, 8, 22), mark=" "),
    identity_number(date(1985, 8, 22), century=False),
    identity_number(date(1985, 8, 22), mark="", century=False),
    identity_number(date(1985, 8, 22), added=60),
    identity_number(date(1985, 8, 22), mark="", added=60, century=False),
    "19850822-TF12",
    "850822-T123",
    "19850822-XXXX",
    "850822-****",
    "19850822-0000",
    "1985-08-22-0000",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("headed", [True, False])
def test_an_identity_number_becomes_a_birth_date_in_any_form(form, headed):
    rows = [["Åsa", "Öst", "070-174 06 05", form]]
    register = register_of(tables(as_csv([list(PLAIN), *rows] if headed else rows)), TODAY)
    cell = register.rows[0][1][register.guessed[Field.BORN_ON]]
    assert birth_date_in(cell, TODAY) == date(1985, 8, 22)
    assert form[-4:] not in repr(register)


@pytest.mark.parametrize("heading", ["Mobil", "Förnamn", "Efternamn", "Uppgift", "Förening"])
@pytest.mark.parametrize("form", FORMS[:7])
def test_an_identity_number_in_the_wrong_column_is_gone_too(heading, form):
    rows = [[*PLAIN, "Uppgift", "Förening"], ["Åsa", "Öst", "0701740605", "1985-08-22", "", ""]]
    rows.append(["Bo", "Ek", "0701740606", "1971-03-04", "", ""])
    rows[1][rows[0].index(heading)] = f"Se {form}!"
    assert form[-4:] not in repr(register_of(tables(as_csv(rows)), TODAY))


def test_a_telephone_number_is_not_taken_for_an_identity_number():
    rows = [["Förnamn", "Efternamn", "Når man på", "Född"], ["Åsa", "Öst", "0701740605", "1985-08-22"]]
    register = register_of(tables(as_csv(rows)), TODAY)
    assert register.rows[0][1][register.guessed[Field.PHONE]] == "0701740605"

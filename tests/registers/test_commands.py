"""`flask people import`, as the one who sets a town up uses it."""

from datetime import date

import pytest
from sqlalchemy import select

from scheduler.messages.tables import Message
from scheduler.people.tables import Person
from tests.registers.files import PLAIN, as_csv, as_xlsx, identity_number

ASA = identity_number(date(1985, 8, 22))
ROWS = [
    list(PLAIN),
    ["Åsa", "Öst", "070-174 06 55", ASA],
    ["Tim", "Öst", "070-174 06 56", "2015-05-05"],
    ["", "Al", "", ASA],
]
CLUB = "Nattvandring Timrå IK"


@pytest.fixture
def run(app, town, tmp_path):
    def invoke(content, *words, code=0):
        file = tmp_path / "medlemmar.csv"
        file.write_bytes(content)
        result = app.test_cli_runner().invoke(args=["people", "import", str(file), *words])
        assert result.exit_code == code, result.output
        return result.output

    return invoke


def names(database):
    with database.reading() as connection:
        return connection.execute(select(Person.first_name)).scalars().all()


@pytest.mark.parametrize("write", [as_csv, as_xlsx])
def test_it_shows_first_and_brings_in_when_told(run, database, write):
    shown = run(write(ROWS), "--club", CLUB)
    assert "row 3, Tim Öst: Under 18. Only adults walk." in shown
    assert "row 4, Al: The first name is missing." in shown
    assert "The mobile number is missing." in shown
    assert "1 can come in, 2 stay out, 0 are left as they are." in shown
    assert ASA[-4:] not in shown
    assert names(database) == []
    assert "1 invited, 0 texts queued." in run(write(ROWS), "--club", CLUB, "--yes")
    assert names(database) == ["Åsa"]
    assert "0 can come in, 2 stay out, 1 are left" in run(write(ROWS), "--club", CLUB, "--yes", "--tell")


def test_it_tells_by_text_when_told(run, database):
    assert "1 texts queued" in run(as_csv(ROWS), "--club", CLUB, "--yes", "--tell")
    with database.reading() as connection:
        assert "http://127.0.0.1:8000/welcome" in connection.execute(select(Message.body)).scalar_one()


def test_columns_can_be_named(run):
    rows = [["Vem", "Nås på", "Annat"], ["Öst, Åsa", "070-174 06 55", ASA]]
    assert "Say where the names stand" in run(as_csv(rows), "--club", CLUB, code=1)
    assert "1 can come in" in run(as_csv(rows), "--club", CLUB, "--column", "full_name=Vem")


@pytest.mark.parametrize(
    ("content", "words", "told"),
    [
        (as_csv(ROWS), ["--club", "Månens BK"], "There is no club 'Månens BK'"),
        (as_csv(ROWS), ["--club", CLUB, "--host", "nowhere.example"], "no such partnership"),
        (as_csv(ROWS), ["--club", CLUB, "--column", "king=Mobil"], "FIELD is one of"),
        (as_csv(ROWS), ["--club", CLUB, "--column", "phone=Fax"], "HEADING one of the file's"),
        (b"MZ" + bytes(300), ["--club", CLUB], "That is no list"),
        (b"", ["--club", CLUB], "The file is empty"),
    ],
)
def test_a_wrong_word_gets_a_clear_answer(run, content, words, told):
    assert told in run(content, *words, code=1)

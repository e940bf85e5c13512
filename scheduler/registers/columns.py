"""Which column of a list is what, and what of it is kept.

Columns as their systems name them: IdrottOnline "Födelsedat./Personnr.", "Telefon mobil" (semicolons, UTF-8 with a
mark); SportAdmin "Personnummer", "Mobiltelefon", and the guardians' own "Telefon" and "E-post" after "Målsman 1";
MyClub "För- och efternamn", "Födelsedatum (YYYY-MM-DD)", "Kontakt 1 mobiltelefon" for a relative.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scheduler.kit.refusals import Invalid
from scheduler.registers.identity import WRONG_CHECK, with_lost_zeros, without_identity_numbers
from scheduler.registers.rules import LONGEST_KEPT, Field, Problem, as_known

MOST_ROWS = 5000
HEADINGS_WITHIN = 10
MOST_KEPT_COLUMNS = 30

_HEADINGS: dict[Field, tuple[str, ...]] = {
    Field.FIRST_NAME: ("förnamn", "fornamn", "tilltalsnamn", "firstname", "givenname"),
    Field.LAST_NAME: ("efternamn", "lastname", "surname", "familyname"),
    Field.FULL_NAME: (
        *("namn", "förochefternamn", "heltnamn", "fullständigtnamn", "fullname", "name", "medlem", "person"),
    ),
    Field.PHONE: (
        *("mobiltelefon", "telefonmobil", "mobil", "mobilnummer", "mobilnr", "mobiltelefonnummer", "mobiltelefonnr"),
        *("mobiltel", "telmobil", "mobilephone", "mobile", "cellphone", "mobil1", "mobiltelefon1"),
    ),
    Field.OTHER_PHONE: (
        *("mobil2", "mobiltelefon2", "telefon", "telefonnummer", "telefonnr", "tel", "telnr", "phone", "phonenumber"),
        *(
            "telefonprivat",
            "telefonbostad",
            "telefonhem",
            "hemtelefon",
            "telefonarbete",
            "telefonjobb",
            "arbetstelefon",
        ),
    ),
    Field.BORN_ON: (
        *("födelsedatpersonnr", "personnummer", "personnr", "persnr", "pnr", "födelsedatum", "födelsedatumyyyymmdd"),
        *("födelsedat", "födelsedag", "födelsetid", "född", "lmasamordningsnummer", "samordningsnummer", "birthdate"),
        *("dateofbirth", "birthday", "born", "identitynumber", "personalidentitynumber", "fodelsedatum", "ssn"),
    ),
    Field.CLUB: ("förening", "föreningsnamn", "klubb", "klubbnamn", "club", "clubname", "forening"),
}
_KNOWN = {heading: field for field, headings in _HEADINGS.items() for heading in headings}
# Somebody else than the member, and what follows about that somebody.
_RELATIVE = re.compile(r"målsman|förälder|vårdnadshavare|anhörig|kontakt\d|guardian|parent|närmaste|ice\b")
_OF_RELATIVE = re.compile(r"relation|epost|email|telefon|mobil|namn|adress|tel$|förnamn|efternamn")
# What no night walk needs: dropped while the file is read.
_NOT_NEEDED = re.compile(
    r"adress|post(nr|nummer|ort)|^stad|^ort|^land|kommun|epost|mail|kön|gender|nation|allerg|komment|övrig|anteck|not(e|er|es)?$"
    r"|medlems?(nr|nummer|id|typ|sedan|tom|avgift)|idrottsid|^iid|familj|grupp|^lag|roll|betal|avgift|faktura|licens"
    r"|skapad|uppdater|registrer|ändrad|ålder|start(år|datum)|prova|^typ$|autogiro|aktivitet|relation|^co$|^id$|bank|hälsa"
)


_PHONE = re.compile(r"(\+46|0046|46|0)?[\s-]*\(?0?\)?7[\d\s/–-]{7,12}")  # noqa: RUF001 - typed as a dash
_BORN = re.compile(
    r"(\d{2})?\d{6}(\s?[-+]?\s?[0-9A-Za-z*]{4})?|\d{4}-\d{2}-\d{2}([-+ ]\d{4})?|\d{1,2}[./]\d{1,2}[./]\d{4}"
)
_WORD = re.compile(r"[^\W\d_][^\d@]*")
_WORDS = re.compile(r"[^\W\d_][^\d@]*[\s,][^\d@]*")


def _mostly(shape: re.Pattern[str], cells: Sequence[str]) -> bool:
    some = [cell for cell in cells if cell][:200]
    return bool(some) and sum(shape.fullmatch(cell) is not None for cell in some) * 2 > len(some)


def heading_row(rows: Sequence[Sequence[str]]) -> int | None:
    """Return which row holds the headings: the one with most words that we know, at least two, among the first ten
    (lists often have a title above); else the first, where numbers or dates stand below it and none in it; None
    where there is none."""
    counts = [
        len({_KNOWN[as_known(cell)] for cell in row if as_known(cell) in _KNOWN}) for row in rows[:HEADINGS_WITHIN]
    ]
    best = max(range(len(counts)), key=lambda at: (counts[at], -at), default=0)
    if counts and counts[best] > 1:
        return best
    below = [[row[at] for row in rows[1:] if at < len(row)] for at in range(len(rows[0]))]
    numbers = [at for at, cells in enumerate(below) if _mostly(_PHONE, cells) or _mostly(_BORN, cells)]
    return 0 if numbers and not any(re.search(r"\d{4}", rows[0][at]) for at in numbers) else None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text. `first_number` is the number that the first one has in the spreadsheet."""

    rows: list[list[str]]
    first_number: int = 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file that is kept, with up to three of its values."""

    heading: str
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """What was read of a file and may be kept for an hour: no identity numbers, nothing that is not needed.

    `rows` hold the number that the row has in the file, and a cell for each of `columns`.
    """

    columns: list[Column]
    rows: list[tuple[int, list[str]]]
    guessed: dict[Field, int]


def register_of(tables: Sequence[Table], today: date) -> Register:
    """Return what is to be kept of a file, with its columns guessed: of the sheet whose headings we know, else of
    the first.

    Raises Invalid("file", problem) with problem "no_rows" or "too_many_rows".
    """
    table = next((one for one in tables if heading_row(one.rows) is not None), tables[0])
    rows, at = table.rows, heading_row(table.rows)
    headings = [cell.strip() for cell in rows[at]] if at is not None else []
    begin = 0 if at is None else at + 1
    numbered = [
        (table.first_number + begin + offset, list(row))
        for offset, row in enumerate(rows[begin:])
        if any(cell.strip() for cell in row)
    ]
    if not numbered:
        raise Invalid("file", Problem.NO_ROWS)
    if len(numbered) > MOST_ROWS:
        raise Invalid("file", Problem.TOO_MANY_ROWS)
    width = max(len(row) for _number, row in numbered)
    cells = [[row[one].strip() if one < len(row) else "" for _number, row in numbered] for one in range(width)]
    wanted = _wanted(headings, cells)
    guessed = _guessed(wanted, headings, cells)
    phones = {guessed.get(Field.PHONE), guessed.get(Field.OTHER_PHONE)}
    cleaned = {
        one: [
            _clean(
                cell, today, phone=one in phones or _mostly(_PHONE, cells[one]), born=guessed.get(Field.BORN_ON) == one
            )
            for cell in cells[one]
        ]
        for one in wanted
    }
    places = {one: place for place, one in enumerate(wanted)}
    return Register(
        columns=[
            Column((headings[one] if one < len(headings) else "")[:LONGEST_KEPT], _samples(cleaned[one]))
            for one in wanted
        ],
        rows=[(number, [cleaned[one][row] for one in wanted]) for row, (number, _cells) in enumerate(numbered)],
        guessed={field: places[one] for field, one in guessed.items()},
    )


def _clean(cell: str, today: date, *, phone: bool, born: bool) -> str:
    text = with_lost_zeros(cell) if born else cell
    return without_identity_numbers(text, today, of_phones=phone)[:LONGEST_KEPT]


def _samples(cells: Iterable[str]) -> tuple[str, ...]:
    """Return the first values; a birth date is its owner's to see."""
    shown = dict.fromkeys("18+" if _is_date(cell) else cell for cell in cells if cell)
    return tuple(shown)[:3]


def _is_date(cell: str) -> bool:
    return cell.startswith(WRONG_CHECK) or (_BORN.fullmatch(cell) is not None and _PHONE.fullmatch(cell) is None)


def _wanted(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """Return which columns to keep: those that may be one of ours, the recognised ones first in doubt."""
    kept, of_relative = [], False
    for one, column in enumerate(cells):
        name = as_known(headings[one]) if one < len(headings) else ""
        if _RELATIVE.search(name):
            of_relative = True
        elif of_relative and not _OF_RELATIVE.search(name):
            of_relative = False
        if of_relative or (name not in _KNOWN and (not any(column) or _NOT_NEEDED.search(name))):
            continue
        kept.append(one)
    known = [one for one in kept if one < len(headings) and as_known(headings[one]) in _KNOWN]
    return sorted([*known, *(one for one in kept if one not in known)][:MOST_KEPT_COLUMNS])


def _guessed(wanted: Sequence[int], headings: Sequence[str], cells: Sequence[Sequence[str]]) -> dict[Field, int]:
    """Return which column is which field: by heading, and by what stands in the columns where that says nothing."""
    names = {one: as_known(headings[one]) if one < len(headings) else "" for one in wanted}
    guessed: dict[Field, int] = {}
    for field, known in _HEADINGS.items():
        fitting = [one for one in wanted if names[one] in known]
        if fitting:
            # The fullest; among equals the one whose heading is the most usual.
            guessed[field] = max(fitting, key=lambda one: (sum(map(bool, cells[one])), -known.index(names[one])))
    if Field.PHONE not in guessed and Field.OTHER_PHONE in guessed:
        guessed[Field.PHONE] = guessed.pop(Field.OTHER_PHONE)
    others = [
        one
        for one in wanted
        if _KNOWN.get(names[one]) in {Field.PHONE, Field.OTHER_PHONE} and one != guessed.get(Field.PHONE)
    ]
    if Field.OTHER_PHONE not in guessed and others:
        guessed[Field.OTHER_PHONE] = others[0]
    if Field.FIRST_NAME in guessed and Field.LAST_NAME in guessed:
        guessed.pop(Field.FULL_NAME, None)
    unnamed = [one for one in wanted if names[one] not in _KNOWN]
    for field, shape in ((Field.BORN_ON, _BORN), (Field.PHONE, _PHONE)):
        if field not in guessed:
            fitting = [
                one
                for one in unnamed
                if _mostly(shape, cells[one]) and (field is Field.PHONE or not _mostly(_PHONE, cells[one]))
            ]
            guessed |= {field: fitting[0]} if fitting else {}
    if not headings:
        _guess_names(guessed, [one for one in unnamed if one not in guessed.values()], cells)
    return guessed


def _guess_names(guessed: dict[Field, int], free: Sequence[int], cells: Sequence[Sequence[str]]) -> None:
    words = [one for one in free if _mostly(_WORD, cells[one])]
    full = [one for one in words if _mostly(_WORDS, cells[one])]
    if full:
        guessed[Field.FULL_NAME] = full[0]
    elif len(words) > 1:
        guessed[Field.FIRST_NAME], guessed[Field.LAST_NAME] = words[:2]


def missing(columns: Mapping[Field, int]) -> list[Field]:
    """Return the fields without which no row can come in and that no column is chosen for."""
    lacking = [field for field in (Field.PHONE, Field.BORN_ON) if field not in columns]
    if Field.FULL_NAME not in columns and not {Field.FIRST_NAME, Field.LAST_NAME} <= columns.keys():
        lacking.insert(0, Field.FULL_NAME)
    return lacking

"""From the bytes of a file to a table of text: which kind of file, which letters, which separator."""

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from scheduler.kit.refusals import Invalid
from scheduler.registers import spreadsheet
from scheduler.registers.columns import MOST_ROWS, Table
from scheduler.registers.rules import Problem

LARGEST_FILE_BYTES = 5 * 1024 * 1024
LARGEST_UNPACKED_BYTES = 60 * 1024 * 1024
MOST_PARTS = 2000
MOST_COLUMNS = 80
ROWS_TO_LOOK_AT = 20
LONGEST_WAIT_SECONDS = 30
DELIMITERS = ";\t,|"
# How the files that people take for a list of members begin when they are none.
NOT_A_TABLE = (b"MZ", b"\x7fELF", b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"{\\rtf")
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SWEDISH = "åäöÅÄÖéÉüÜ"
# UTF-8 that was taken for Windows-1252 somewhere on its way: "Ã¥" for å.
TWICE_ENCODED = re.compile("Ã[¥¤¶…„–©¼]")  # noqa: RUF001 - they are what the letters turn into


def tables(content: bytes) -> list[Table]:
    """Return the tables of a file: a sheet each, or one for text. None is empty.

    Raises Invalid("file", problem) with problem "empty", "too_large", "too_many_rows", "password", "not_a_table",
    "web_page" or "broken".
    """
    if len(content) > LARGEST_FILE_BYTES:
        raise Invalid("file", Problem.TOO_LARGE)
    if not content.strip():
        raise Invalid("file", Problem.EMPTY)
    if content.startswith(NOT_A_TABLE):
        raise Invalid("file", Problem.NOT_A_TABLE)
    if content.startswith(b"PK"):
        _look_into_zip(content)
        found = _sheets(content)
    elif content.startswith(OLD_OFFICE):
        found = _sheets(content)
    else:
        found = [Table(_text_rows(content))]
    kept = [table for table in found if any(any(row) for row in table.rows)]
    if not kept:
        raise Invalid("file", Problem.EMPTY)
    return kept


# ---------------------------------------------------------------- spreadsheets


def _look_into_zip(content: bytes) -> None:
    """Refuse what is no workbook, or unpacks to more than a list of members can be. What an archive says of itself
    may be a lie: the reader has limits of its own."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise Invalid("file", Problem.BROKEN) from None
    names = {part.filename for part in parts}
    if not names & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}:
        raise Invalid("file", Problem.NOT_A_TABLE)
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED_BYTES:
        raise Invalid("file", Problem.TOO_MANY_ROWS)


def _sheets(content: bytes) -> list[Table]:
    command = [
        sys.executable,
        "-I",
        str(Path(spreadsheet.__file__)),
        str(MOST_ROWS + ROWS_TO_LOOK_AT),
        str(MOST_COLUMNS),
    ]
    try:
        done = subprocess.run(command, input=content, capture_output=True, check=False, timeout=LONGEST_WAIT_SECONDS)  # noqa: S603 - our own program
    except subprocess.TimeoutExpired:
        raise Invalid("file", Problem.BROKEN) from None
    if done.returncode == spreadsheet.PASSWORD:
        raise Invalid("file", Problem.PASSWORD)
    if done.returncode != 0:
        raise Invalid("file", Problem.BROKEN)
    found = []
    for sheet in json.loads(done.stdout):
        rows = [[_cell(cell) for cell in row] for row in sheet["rows"]]
        found.append(Table(rows, sheet["first_row"] + 1))
    return found


# ---------------------------------------------------------------- text


def _text_rows(content: bytes) -> list[list[str]]:
    text = decoded(content)
    if text.lstrip()[:1] == "<":
        raise Invalid("file", Problem.WEB_PAGE)
    hint = re.match(r"sep=(.)\r?\n?", text)
    if hint:
        text = text[hint.end() :]
    delimiter = hint[1] if hint else _delimiter(text)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(rows) > MOST_ROWS + ROWS_TO_LOOK_AT:
                break
            rows.append([_cell(cell) for cell in row[:MOST_COLUMNS]])
    except csv.Error:
        raise Invalid("file", Problem.BROKEN) from None
    return rows


def decoded(content: bytes) -> str:
    """Return text in the letters that Swedish systems write: UTF-8 and UTF-16 with their marks, UTF-8 without,
    Windows-1252 (as ISO-8859-1), and the DOS and Macintosh letters where those give Swedish words.

    Raises Invalid("file", "not_a_table") for what is no text.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return _mended(content.decode(encoding, errors="replace"))
    if b"\x00" in content:
        if content[1::2].count(0) < len(content) // 4:
            raise Invalid("file", Problem.NOT_A_TABLE)
        return _mended(content.decode("utf-16-le", errors="replace"))
    try:
        return _mended(content.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    candidates = [content.decode(name, errors="replace") for name in ("cp1252", "cp850", "mac_roman")]
    best = max(candidates, key=_swedishness)
    if sum(not (sign.isprintable() or sign.isspace()) for sign in best) * 50 > len(best):
        raise Invalid("file", Problem.NOT_A_TABLE)
    return best


def _swedishness(text: str) -> int:
    """Return how Swedish a decoding looks: the letters that are ours, less those that nobody's name has."""
    return sum((text.count(letter) for letter in SWEDISH), 0) - sum(
        1
        for sign in text
        if ord(sign) > 127 and sign not in SWEDISH and not sign.isalpha()  # noqa: PLR2004 - beyond ASCII
    )


def _mended(text: str) -> str:
    if TWICE_ENCODED.search(text):
        try:
            return text.encode("cp1252").decode("utf-8")
        except UnicodeError:
            return text
    return text


def _delimiter(text: str) -> str:
    """Return the separator that cuts the first rows into most columns, the same number in most of them."""

    def fits(delimiter: str) -> tuple[int, int]:
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            widths = [len(row) for row, _ in zip(reader, range(ROWS_TO_LOOK_AT), strict=False) if row]
        except csv.Error:
            return 0, 0
        wide = [width for width in widths if width > 1]
        usual = max(set(wide), key=wide.count, default=0)
        return wide.count(usual), usual

    return max(DELIMITERS, key=fits)


def _cell(text: str) -> str:
    """Return what a cell says. ="0701740605" and '0701740605 are how numbers keep their zeros in Excel."""
    shown = text.replace("\u00a0", " ").strip()
    kept = re.fullmatch(r'="([^"]*)"', shown)
    if kept:
        shown = kept[1]
    if re.fullmatch(r"'[\d+].*", shown):
        shown = shown[1:]
    return shown[: spreadsheet.LONGEST_CELL]

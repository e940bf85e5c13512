"""Run as a program of its own: a workbook on standard input, its cells as JSON on standard output.

A crafted workbook can ask for more memory than there is (one cell at XFD1048576, a gigabyte of zeros in a kilobyte
of zip), and the reader then ends its whole process. So it runs in one that may: with a limit on memory and on
processor time, and nothing of ours in it. Imports nothing of this product, and is quick to start.
"""

import contextlib
import datetime as dt
import io
import json
import sys

MOST_MEMORY_BYTES = 512 * 1024 * 1024
MOST_SECONDS = 15
MOST_SHEETS = 5
LONGEST_CELL = 200

# What the caller understands of how this program ends; anything else is "the file could not be read".
PASSWORD, BROKEN = 3, 4


def limit() -> None:
    """Give this process so much memory and time, where the system has such limits."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_AS, MOST_MEMORY_BYTES), (resource.RLIMIT_CPU, MOST_SECONDS)):
        _soft, hard = resource.getrlimit(kind)
        with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of the address space
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def text_of(value: object) -> str:
    """Return a cell as a person reads it: whole numbers without a fraction, days as 1985-08-22."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)[:LONGEST_CELL]


def main(most_rows: int, most_columns: int) -> int:
    """Write the first sheets' cells, at most so many rows and columns of each, and return how to end."""
    import python_calamine as calamine

    try:
        book = calamine.load_workbook(io.BytesIO(sys.stdin.buffer.read()))
        sheets = []
        for name in book.sheet_names[:MOST_SHEETS]:
            try:
                sheet = book.get_sheet_by_name(name)
            except calamine.WorksheetNotFound:  # a sheet of charts
                continue
            rows: list[list[str]] = []
            for row in sheet.iter_rows():
                if len(rows) == most_rows:
                    break
                rows.append([text_of(cell) for cell in row[:most_columns]])
            fill_merged(rows, sheet.merged_cell_ranges or [], sheet.start or (0, 0))
            sheets.append({"rows": rows, "first_row": (sheet.start or (0, 0))[0], "height": sheet.total_height})
    except calamine.PasswordError:
        return PASSWORD
    except calamine.CalamineError:
        return BROKEN
    json.dump(sheets, sys.stdout)
    return 0


def fill_merged(
    rows: list[list[str]], ranges: list[tuple[tuple[int, int], tuple[int, int]]], start: tuple[int, int]
) -> None:
    """Write what cells merged downwards say into each row that they span: it is meant for all of them."""
    for (top, left), (bottom, right) in ranges:
        if left != right:
            continue
        first, column = top - start[0], left - start[1]
        if not (0 <= first < len(rows) and 0 <= column < len(rows[first])):
            continue
        for row in rows[first + 1 : bottom - start[0] + 1]:
            if column < len(row) and not row[column]:
                row[column] = rows[first][column]


if __name__ == "__main__":
    limit()
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))

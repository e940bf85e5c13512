"""Documents as PDF: headings, paragraphs, rows, bars, calendars; tagged, with language and title, text that can be
searched.

The only user of fpdf2, with `kit/tags.py`, which says what is a heading, a paragraph, a picture, a row of a table.

The font (`kit/fonts/`) holds the Latin, Greek, Cyrillic and Arabic scripts; a document carries only the letters that it
uses. Arabic is joined and set from right to left by HarfBuzz. A letter of another script is written as U+FFFD, the sign
for "a letter that is not here".
"""

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF, ViewerPreferences
    from fpdf.structure_tree import StructElem

    from scheduler.kit.tags import Tags

FONTS = Path(__file__).parent / "fonts"
FONT = "lykta"
WEIGHTS = {"": "Regular", "B": "Bold"}
MARGIN_MM = 18.0
LINE_MM = 5.6
INK = (25, 28, 46)
SOFT = (69, 74, 96)
FLAME = (176, 106, 0)
EDGE = (222, 214, 198)
BAR_MM = 60.0
CELL_MM = 7.2
MARK_MM = 1.25
MONTHS_ABREAST = 3
DAYS_OF_A_WEEK = 7
SMALL_SIZE = 7.5
SIZES = {"H1": 20.0, "H2": 13.0, "P": 10.0}
DOTS = "…"
NOT_HERE = "\ufffd"
RIGHT_TO_LEFT = frozenset({"R", "AL"})


class Mark(Enum):
    """A sign in a calendar, told apart by its shape."""

    FULL = auto()
    HALF = auto()
    CROSS = auto()
    DASH = auto()
    RING = auto()


@dataclass(frozen=True, slots=True)
class Grid:
    """A month to be drawn: its name, the letters of its weekdays, its weeks of days (0: not of this month) and the
    marks of a day. `words` tell it to who does not see it."""

    title: str
    weekdays: Sequence[str]
    weeks: Sequence[Sequence[int]]
    marks: dict[int, Sequence[Mark]]
    words: str


class Paper:
    """One document, written from top to bottom. `made_at` is the document's date, not the machine's."""

    def __init__(self, title: str, language: str, made_at: datetime, footer: str = "") -> None:
        self.title, self.language, self.made_at, self.footer = title, language, made_at, footer

    @cached_property
    def _pdf(self) -> "FPDF":
        from fpdf import FPDF

        from scheduler.kit.tags import Tags

        class WithFooter(FPDF):
            paper: Paper
            tags: Tags

            def footer(self) -> None:
                self.set_y(-14)
                self.set_font(FONT, size=8.5)
                self.set_text_color(*SOFT)
                with self.tags.for_the_eye():
                    self.paper.cell(0, 5, f"{self.paper.footer}   {self.page_no()}")
                self.set_text_color(*INK)

        pdf = WithFooter(format="A4")
        pdf.paper, pdf.tags = self, Tags(pdf)
        for style, weight in WEIGHTS.items():
            pdf.add_font(FONT, style, FONTS / f"LyktaSans-{weight}.ttf")
        pdf.set_margin(MARGIN_MM)
        pdf.c_margin = 0
        pdf.set_auto_page_break(auto=True, margin=MARGIN_MM)
        pdf.set_title(self.title)
        pdf.set_lang(self.language)
        pdf.set_creation_date(self.made_at)
        pdf.set_producer("Lykta")
        pdf.viewer_preferences = _viewer_preferences()
        # Set before the first page begins, since a footer needs it.
        self.__dict__["_pdf"] = pdf
        pdf.add_page()
        return pdf

    @cached_property
    def _letters(self) -> frozenset[int]:
        from fpdf.fonts import TTFFont

        font = self._pdf.fonts[FONT]
        assert isinstance(font, TTFFont)
        return frozenset(font.cmap)

    @property
    def _tags(self) -> "Tags":
        tags: Tags = self._pdf.tags  # type: ignore[attr-defined]
        return tags

    def cell(self, width_mm: float, height_mm: float, text: str, align: str = "L") -> None:
        """Write one line of text; a text that does not fit ends in dots. A width of 0 reaches to the margin."""
        shown = self._known(text)
        with self._in_its_script(shown):
            self._pdf.cell(width_mm, height_mm, self._fitting(shown, width_mm), align=align)

    def _known(self, text: str) -> str:
        whole = unicodedata.normalize("NFC", text)
        if self._letters.issuperset(map(ord, whole)):
            return whole
        return "".join(letter if ord(letter) in self._letters else NOT_HERE for letter in whole)

    @contextmanager
    def _in_its_script(self, text: str) -> Iterator[None]:
        if text.isascii() or not any(unicodedata.bidirectional(letter) in RIGHT_TO_LEFT for letter in text):
            yield
            return
        self._pdf.set_text_shaping(use_shaping_engine=True, direction="ltr")
        yield
        self._pdf.set_text_shaping(use_shaping_engine=False)

    def _fitting(self, text: str, width_mm: float) -> str:
        if not width_mm or self._pdf.get_string_width(text) <= width_mm:
            return text
        while text and self._pdf.get_string_width(text + DOTS) > width_mm:
            text = text[:-1].rstrip()
        return text + DOTS

    def _room_for(self, height_mm: float) -> bool:
        """Begin a new page where the height does not fit; return whether one began."""
        if not self._pdf.will_page_break(height_mm):
            return False
        self._pdf.add_page()
        return True

    def _write(self, kind: str, text: str, style: str, after_mm: float, with_it_mm: float) -> None:
        """Write a text over the whole width; `with_it_mm` is the height of what may not be parted from it."""
        pdf = self._pdf
        pdf.set_font(FONT, style, SIZES[kind])
        height = SIZES[kind] * 0.5
        shown = self._known(text)
        with self._in_its_script(shown):
            needed = pdf.multi_cell(0, height, shown, dry_run=True, output="HEIGHT", align="L")
            assert isinstance(needed, float)
            self._room_for(needed + after_mm + with_it_mm)
            with self._tags.marked(kind):
                pdf.multi_cell(0, height, shown, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(after_mm)

    def heading(self, text: str) -> None:
        self._pdf.set_text_color(*INK)
        self._write("H1", text, "B", 2.5, 3 * LINE_MM)

    def section(self, text: str, with_it_mm: float = 3 * LINE_MM) -> None:
        """Write a heading that stays with what follows, of which at least `with_it_mm` stand on the same page."""
        self._pdf.ln(3)
        self._write("H2", text, "B", 1.5, with_it_mm)

    def paragraph(self, text: str, *, soft: bool = False, with_it_mm: float = 0) -> None:
        if soft:
            self._pdf.set_text_color(*SOFT)
        self._write("P", text, "", 1.5, with_it_mm)
        self._pdf.set_text_color(*INK)

    def rows(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        total: Sequence[str] = (),
        words: int = 1,
    ) -> None:
        """Write a table. The first columns, so many as `words`, stand to the left and share what the others leave;
        these hold numbers and stand to the right. A long first column takes further lines, and is the heading of its
        row. On a new page the headings come again, for the eye; the last row stays with its total."""
        pdf = self._pdf
        table: StructElem | None = None
        for place, row in enumerate(rows):
            pdf.set_font(FONT, "", SIZES["P"])
            lines = self._lines(row[0], self._columns(row, words)[0] - 2)
            together = len(lines) + (not place) + bool(total and place == len(rows) - 1)
            new_page = self._room_for((LINE_MM + 1) * together)
            table = table or self._tags.branch("Table")
            if headings and not place:
                self._row([headings[0]], headings, "B", words, table, is_heading=True)
            elif headings and new_page:
                with self._tags.for_the_eye():
                    self._row([headings[0]], headings, "B", words)
            self._row(lines, row, "", words, table)
        if total:
            self._row([total[0]], total, "B", words, table or self._tags.branch("Table"))
        pdf.ln(2)

    def _columns(self, row: Sequence[str], words: int) -> tuple[float, float]:
        """Return the width of a column of words and of one of numbers."""
        numbers = len(row) - words
        width = min(38.0, 110.0 / max(numbers, 1))
        return (self._pdf.epw - width * numbers) / words, width

    def _row(
        self,
        lines: Sequence[str],
        row: Sequence[str],
        style: str,
        words: int,
        table: "StructElem | None" = None,
        *,
        is_heading: bool = False,
    ) -> None:
        """Write a row of a table (None: marked already) whose first column takes these lines."""
        from scheduler.kit.tags import ColumnHeading, RowHeading

        pdf, tags = self._pdf, self._tags
        inside = tags.branch("TR", table) if table is not None else None

        def as_cell(place: int) -> AbstractContextManager[None]:
            if inside is None:
                return nullcontext()
            if is_heading:
                return tags.marked("TH", inside=inside, made=ColumnHeading)
            return tags.marked("TD", inside=inside) if place else tags.marked("TH", inside=inside, made=RowHeading)

        left, width = self._columns(row, words)
        pdf.set_font(FONT, style, SIZES["P"])
        top = pdf.y
        with as_cell(0):
            for line in lines:
                self.cell(left - 2, LINE_MM, line)
                pdf.ln(LINE_MM)
        bottom = pdf.y
        for place, text in enumerate(row[1:], start=1):
            word = place < words
            pdf.set_xy(pdf.l_margin + min(place, words) * left + max(place - words, 0) * width, top)
            with as_cell(place):
                self.cell(left - 2 if word else width, LINE_MM, text, align="L" if word else "R")
        pdf.set_xy(pdf.l_margin, bottom)
        with nullcontext() if inside is None else tags.for_the_eye():
            pdf.set_draw_color(*EDGE)
            pdf.line(pdf.l_margin, pdf.y, pdf.l_margin + pdf.epw, pdf.y)

    def _lines(self, text: str, width_mm: float) -> list[str]:
        """Return a text in as many lines as it takes."""
        shown = self._known(text)
        with self._in_its_script(shown):
            if self._pdf.get_string_width(shown) <= width_mm:
                return [shown]
            found = self._pdf.multi_cell(width_mm, LINE_MM, shown, dry_run=True, output="LINES", align="L")
        assert isinstance(found, list)
        return [str(line) for line in found]

    def bars(self, bars: Sequence[tuple[str, int, str]]) -> None:
        """Write a picture of bars: name, size and words of each; the words stand beside it."""
        pdf = self._pdf
        longest = max((size for _, size, _ in bars), default=0)
        for name, size, words in bars:
            self._room_for(LINE_MM + 1)
            pdf.set_font(FONT, "", SIZES["P"])
            with self._tags.marked("P"):
                self.cell(68, LINE_MM, name)
            pdf.set_x(pdf.x + 2)
            with self._tags.marked("Figure", f"{name}: {words}"):
                pdf.set_fill_color(*FLAME)
                length = BAR_MM * max(size, 0) / longest if longest else 0
                pdf.rect(pdf.x, pdf.y + 1, max(length, 0.2), LINE_MM - 2, style="F")
            pdf.set_x(pdf.x + BAR_MM + 4)
            with self._tags.marked("P"):
                self.cell(0, LINE_MM, words)
            pdf.ln(LINE_MM + 0.6)
        pdf.ln(1.5)

    def grids(self, grids: Sequence[Grid], key: Sequence[tuple[Mark, str]]) -> None:
        """Draw months beside each other, each a picture with its words, and what the marks mean."""
        pdf = self._pdf
        step = pdf.epw / MONTHS_ABREAST
        for first in range(0, len(grids), MONTHS_ABREAST):
            abreast = grids[first : first + MONTHS_ABREAST]
            height = (2 + max(len(grid.weeks) for grid in abreast)) * CELL_MM
            self._room_for(height + LINE_MM)
            top = pdf.y
            for place, grid in enumerate(abreast):
                with self._tags.marked("Figure", grid.words):
                    self._grid(grid, pdf.l_margin + place * step, top)
            pdf.set_xy(pdf.l_margin, top + height)
        pdf.set_font(FONT, "", SMALL_SIZE + 1)
        for mark, words in key:
            self._room_for(LINE_MM)
            with self._tags.marked("P"):
                self._mark(mark, pdf.l_margin + 2, pdf.y + LINE_MM / 2)
                pdf.set_x(pdf.l_margin + 6)
                self.cell(0, LINE_MM, words)
            pdf.ln(LINE_MM - 0.6)
        pdf.ln(2.5)

    def _grid(self, grid: Grid, left: float, top: float) -> None:
        pdf = self._pdf
        pdf.set_font(FONT, "B", SIZES["P"])
        pdf.set_xy(left, top)
        self.cell(CELL_MM * DAYS_OF_A_WEEK, CELL_MM, grid.title)
        pdf.set_font(FONT, "", SMALL_SIZE)
        pdf.set_text_color(*SOFT)
        for place, letter in enumerate(grid.weekdays):
            pdf.set_xy(left + place * CELL_MM, top + CELL_MM)
            self.cell(CELL_MM, CELL_MM * 0.7, letter, align="C")
        for number, week in enumerate(grid.weeks):
            for place, day in enumerate(week):
                if day:
                    self._day(day, grid.marks.get(day, ()), left + place * CELL_MM, top + (number + 1.7) * CELL_MM)
        pdf.set_text_color(*INK)

    def _day(self, day: int, marks: Sequence[Mark], left: float, top: float) -> None:
        pdf = self._pdf
        pdf.set_draw_color(*EDGE)
        if marks:
            pdf.rect(left + 0.2, top + 0.2, CELL_MM - 0.4, CELL_MM - 0.4)
        pdf.set_text_color(*(INK if marks else SOFT))
        pdf.set_xy(left, top + 0.4)
        self.cell(CELL_MM, CELL_MM * 0.45, str(day), align="C")
        step = CELL_MM / (len(marks) + 1)
        for place, mark in enumerate(marks, start=1):
            self._mark(mark, left + place * step, top + CELL_MM * 0.7)

    def _mark(self, mark: Mark, x: float, y: float) -> None:
        pdf, r = self._pdf, MARK_MM
        pdf.set_draw_color(*INK)
        pdf.set_fill_color(*FLAME)
        pdf.set_line_width(0.35)
        if mark is Mark.FULL:
            pdf.circle(x, y, r, style="DF")
        elif mark is Mark.HALF:
            pdf.solid_arc(x - r, y - r, 2 * r, 90, 270, style="F")
            pdf.circle(x, y, r, style="D")
        elif mark is Mark.RING:
            pdf.circle(x, y, r, style="D")
        elif mark is Mark.CROSS:
            pdf.line(x - r, y - r, x + r, y + r)
            pdf.line(x - r, y + r, x + r, y - r)
        else:
            pdf.line(x - r, y, x + r, y)
        pdf.set_line_width(0.2)

    def finish(self) -> bytes:
        """Return the document's bytes."""
        return bytes(self._pdf.output())


def _viewer_preferences() -> "ViewerPreferences":
    from fpdf import ViewerPreferences

    return ViewerPreferences(display_doc_title=True)

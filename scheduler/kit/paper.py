"""Documents as PDF: headings, paragraphs, rows, bars; tagged, with language and title, text that can be searched.

The only user of fpdf2. It marks headings and pictures, not paragraphs and rows; the marks of these are added here by
the library's own builder of the structure tree.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF, ViewerPreferences

MARGIN_MM = 18.0
LINE_MM = 5.6
INK = (25, 28, 46)
SOFT = (69, 74, 96)
FLAME = (176, 106, 0)
EDGE = (222, 214, 198)
BAR_MM = 60.0
SIZES = {"H1": 20.0, "H2": 13.0, "P": 10.5}
# The core fonts are those of every reader, in the alphabet of Western Europe (ISO 8859-1).
ALPHABET = "latin-1"
DOTS = "..."
LOOKALIKES = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\u2014": "-", "\u2019": "'", "\u201d": '"', "\u2026": "...", "\u202f": "\u00a0"}
)


class Paper:
    """One document, written from top to bottom. `made_at` is the document's date, not the machine's."""

    def __init__(self, title: str, language: str, made_at: datetime, footer: str = "") -> None:
        self.title, self.language, self.made_at, self.footer = title, language, made_at, footer

    @cached_property
    def _pdf(self) -> "FPDF":
        from fpdf import FPDF

        class WithFooter(FPDF):
            paper: Paper

            def footer(self) -> None:
                self.set_y(-14)
                self.set_font("helvetica", size=8.5)
                self.set_text_color(*SOFT)
                with self.paper.tagged("P"):
                    self.cell(text=f"{self.paper.footer}   {self.page_no()}", h=5)
                self.set_text_color(*INK)

        pdf = WithFooter(format="A4")
        pdf.paper = self
        pdf.set_margin(MARGIN_MM)
        pdf.set_auto_page_break(auto=True, margin=MARGIN_MM)
        pdf.set_title(_plain(self.title))
        pdf.set_lang(self.language)
        pdf.set_creation_date(self.made_at)
        pdf.set_producer("Lykta")
        pdf.viewer_preferences = _viewer_preferences()
        self.footer = _plain(self.footer)
        # Set before the first page begins, since a footer needs it.
        self.__dict__["_pdf"] = pdf
        pdf.add_page()
        return pdf

    @contextmanager
    def tagged(self, kind: str, words: str = "") -> Iterator[None]:
        """Mark what is written as a paragraph, heading ("H1", "H2") or "Figure" of the structure tree; `words` tell
        a picture to who does not see it."""
        pdf = self._pdf
        number = pdf.struct_builder.next_mcid_for_page(pdf.page)
        more = {"alt_text": words} if words else {}
        pdf._add_marked_content(struct_type=f"/{kind}", mcid=number, **more)  # noqa: SLF001 - see the docstring
        pdf._out(f"/{kind} <</MCID {number}>> BDC")  # noqa: SLF001
        yield
        pdf._out("EMC")  # noqa: SLF001

    def _room_for(self, height_mm: float) -> None:
        if self._pdf.will_page_break(height_mm):
            self._pdf.add_page()

    def _write(self, kind: str, text: str, style: str, after_mm: float) -> None:
        pdf = self._pdf
        pdf.set_font("helvetica", style, SIZES[kind])
        height = SIZES[kind] * 0.5
        needed = pdf.multi_cell(0, height, _plain(text), dry_run=True, output="HEIGHT", align="L")
        assert isinstance(needed, float)
        self._room_for(needed + after_mm + (3 * LINE_MM if kind != "P" else 0))
        with self.tagged(kind):
            pdf.multi_cell(0, height, _plain(text), align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(after_mm)

    def heading(self, text: str) -> None:
        self._pdf.set_text_color(*INK)
        self._write("H1", text, "B", 2.5)

    def section(self, text: str) -> None:
        self._pdf.ln(3)
        self._write("H2", text, "B", 1.5)

    def paragraph(self, text: str, *, soft: bool = False) -> None:
        if soft:
            self._pdf.set_text_color(*SOFT)
        self._write("P", text, "", 1.5)
        self._pdf.set_text_color(*INK)

    def rows(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, total: Sequence[str] = ()) -> None:
        """Write a table: the first column is as wide as what is left, the others stand to the right. Each row is one
        tagged line, so a reader speaks it in order."""
        if headings:
            self._row(headings, "B")
        for row in rows:
            self._row(row, "")
        if total:
            self._row(total, "B")
        self._pdf.ln(2)

    def _row(self, row: Sequence[str], style: str) -> None:
        pdf = self._pdf
        self._room_for(LINE_MM + 1)
        columns = max(len(row), 2)
        width = min(38.0, 110.0 / (columns - 1))
        first = pdf.epw - width * (columns - 1)
        pdf.set_font("helvetica", style, SIZES["P"])
        with self.tagged("P"):
            pdf.cell(first, LINE_MM, _fitting(pdf, row[0], first))
            for text in row[1:]:
                pdf.cell(width, LINE_MM, _fitting(pdf, text, width), align="R")
        pdf.ln(LINE_MM)
        pdf.set_draw_color(*EDGE)
        pdf.line(pdf.l_margin, pdf.y, pdf.l_margin + pdf.epw, pdf.y)

    def bars(self, bars: Sequence[tuple[str, int, str]]) -> None:
        """Write a picture of bars: name, size and words of each; the words stand beside it."""
        pdf = self._pdf
        longest = max((size for _, size, _ in bars), default=0)
        for name, size, words in bars:
            self._room_for(LINE_MM + 1)
            pdf.set_font("helvetica", "", SIZES["P"])
            with self.tagged("P"):
                pdf.cell(70, LINE_MM, _fitting(pdf, name, 70))
            with self.tagged("Figure", _plain(f"{name}: {words}")):
                pdf.set_fill_color(*FLAME)
                length = BAR_MM * max(size, 0) / longest if longest else 0
                pdf.rect(pdf.x, pdf.y + 1, max(length, 0.2), LINE_MM - 2, style="F")
            pdf.set_x(pdf.x + BAR_MM + 4)
            with self.tagged("P"):
                pdf.cell(0, LINE_MM, _plain(words))
            pdf.ln(LINE_MM + 0.6)
        pdf.ln(1.5)

    def finish(self) -> bytes:
        """Return the document's bytes."""
        return bytes(self._pdf.output())


def _viewer_preferences() -> "ViewerPreferences":
    from fpdf import ViewerPreferences

    return ViewerPreferences(display_doc_title=True)


def _plain(text: str) -> str:
    return text.translate(LOOKALIKES).encode(ALPHABET, "replace").decode(ALPHABET)


def _fitting(pdf: "FPDF", text: str, width_mm: float) -> str:
    shown = _plain(text)
    while shown and pdf.get_string_width(shown) > width_mm - 2:
        shown = shown.removesuffix(DOTS)[:-1].rstrip() + DOTS if shown != DOTS else ""
    return shown

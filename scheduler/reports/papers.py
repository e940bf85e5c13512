"""A report as PDF and as XLSX, from the same figures as the page."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from scheduler.kit.language import gettext, kronor, short_day
from scheduler.kit.paper import Grid, Mark, Paper
from scheduler.money.rules import ORE_PER_KRONA
from scheduler.money.words import line_words
from scheduler.reports.rules import Difference, Figures, Period, Sign, calendar_of, signs_used
from scheduler.reports.words import (
    difference_words,
    figure_words,
    month_title,
    month_words,
    night_state_words,
    report_title,
    sign_words,
    weekday_letters,
    words_of_figures,
)
from scheduler.walks.words import happened_words, mood_words, young_people_words

LONGEST_SHEET_NAME = 31  # Excel refuses more
GRID_MM = 60.0  # the tallest month with its heading
KEY_FIGURES = ("planned", "walked", "called_off", "not_walked", "double_nights", "walkers", "new_walkers", "hours")


@dataclass(frozen=True, slots=True)
class Document:
    """What a paper is made of. `version` is 0 for figures that are not frozen; `made_at` is when they were
    counted, on the town's own clock."""

    partnership: str
    municipality: str
    language: str
    period: Period
    version: int
    made_at: datetime
    figures: Figures
    corrections: tuple[Difference, ...] = ()


def standing(document: Document) -> str:
    """Return what a reader must know of these numbers: frozen, or still moving."""
    day = document.made_at.date()
    if not document.version:
        return gettext("Not frozen: these numbers may still change. Counted %(day)s.", day=day)
    return gettext("Version %(number)s, frozen %(day)s.", number=document.version, day=day)


def as_pdf(document: Document) -> bytes:
    """Return the report as PDF."""
    title = report_title(document.period)
    paper = Paper(title, document.language, document.made_at, f"{document.partnership} · {title}")
    found = document.figures
    paper.heading(title)
    paper.paragraph(f"{document.partnership}, {document.municipality}", soft=True)
    paper.paragraph(standing(document), soft=True)
    if document.corrections:
        paper.section(gettext("Corrected since"))
        for one in document.corrections:
            paper.paragraph(difference_words(one))
    paper.section(gettext("In short"))
    paper.rows(
        (),
        [
            *((figure_words(name), str(getattr(found, name))) for name in KEY_FIGURES),
            (figure_words("coverage_percent"), f"{found.coverage_percent} %"),
            (gettext("To the clubs"), kronor(found.paid_ore)),
        ],
    )
    _areas(paper, found)
    _money(paper, found)
    _notes(paper, found)
    _calendar(paper, found)
    paper.paragraph(gettext("The report holds counts and sums. It names nobody."), soft=True)
    return paper.finish()


def _areas(paper: Paper, found: Figures) -> None:
    paper.section(gettext("Areas"))
    paper.bars([(one.area, one.walked, f"{one.walked} / {one.planned}") for one in found.areas])
    paper.rows(
        (gettext("Area"), gettext("Planned"), gettext("Walked"), gettext("Called off"), gettext("Not walked")),
        [
            (one.area, str(one.planned), str(one.walked), str(one.called_off), str(one.not_walked))
            for one in found.areas
        ],
        total=(
            gettext("Together"), str(found.planned), str(found.walked), str(found.called_off), str(found.not_walked),
        ),
    )  # fmt: skip


def _money(paper: Paper, found: Figures) -> None:
    paper.section(gettext("What each club received"))
    paper.bars([(one.club, one.amount_ore, kronor(one.amount_ore)) for one in found.clubs])
    paper.rows(
        (gettext("Club"), gettext("Shifts"), gettext("Walkers"), gettext("Sum")),
        [(one.club, str(one.shifts), str(one.heads), kronor(one.amount_ore)) for one in found.clubs],
        total=(gettext("Together"), "", "", kronor(found.paid_ore)),
    )
    paper.section(gettext("Money against the budget"))
    paper.rows(
        (gettext("Line"), gettext("Budget"), gettext("The period"), gettext("Used so far"), gettext("Forecast")),
        [
            (
                line_words(one.line), kronor(one.amount_ore), kronor(one.period_ore), kronor(one.used_ore),
                kronor(one.forecast_ore),
            )
            for one in found.lines
        ],
    )  # fmt: skip


def _notes(paper: Paper, found: Figures) -> None:
    paper.section(gettext("From the notes"))
    for heading, counts in _noted(found):
        paper.paragraph(heading)
        paper.bars([(words, count, str(count)) for words, count in counts])
    paper.paragraph(f"{figure_words('follow_ups')}: {found.follow_ups}")


def _noted(found: Figures) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return what the notes were asked, and how often each answer was given, the most often first."""
    return [
        (heading, [(words(name), count) for name, count in _by_count(counts)])
        for heading, counts, words in (
            (gettext("Mood"), found.moods, mood_words),
            (gettext("Young people"), found.young_people, young_people_words),
            (gettext("What marked it"), found.happened, happened_words),
        )
    ]


def _by_count(counts: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


MARKS = {
    Sign.FULL: Mark.FULL,
    Sign.THIN: Mark.HALF,
    Sign.NOT_WALKED: Mark.CROSS,
    Sign.CALLED_OFF: Mark.DASH,
    Sign.COMING: Mark.RING,
}


def _calendar(paper: Paper, found: Figures) -> None:
    months = calendar_of(found.nights)
    paper.section(gettext("Calendar of coverage"), with_it_mm=GRID_MM if months else 0)
    paper.grids(
        [
            Grid(
                title=month_title(month.first),
                weekdays=[letter for letter, _ in weekday_letters()],
                weeks=month.weeks,
                marks={day: [MARKS[sign] for sign in month.signs(day)] for day in month.shifts},
                words=month_words(month),
            )
            for month in months
        ],
        [(MARKS[sign], sign_words(sign)) for sign in signs_used(months)],
    )
    paper.rows(
        (gettext("The evening"), gettext("Area"), gettext("How it went"), gettext("Came")),
        [
            (
                short_day(date.fromisoformat(one.night)), one.area, night_state_words(one.state),
                f"{one.people} / {one.wanted}",
            )
            for one in found.nights
        ],
        words=3,
    )  # fmt: skip


class Counted(NamedTuple):
    """A cell that a spreadsheet counts from other sheets, and what that is when it is opened."""

    formula: str
    value: float
    in_kronor: bool = False


class _Book:
    """A workbook in the making."""

    def __init__(self, document: Document) -> None:
        from xlsxwriter import Workbook

        self._out = io.BytesIO()
        self._book = Workbook(self._out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
        made_at = document.made_at.astimezone(UTC).replace(tzinfo=None)
        self._book.set_properties({"title": report_title(document.period), "created": made_at})
        self._bold = self._book.add_format({"bold": True})
        self._money = self._book.add_format({"num_format": "#,##0.00"})
        # Written as in the papers, with a hyphen that no program takes for a minus or its own separator.
        self._day = self._book.add_format({"num_format": r"yyyy\-mm\-dd", "align": "left"})
        self._total = self._book.add_format({"bold": True, "num_format": "#,##0.00"})

    def sheet(
        self,
        name: str,
        headings: list[str],
        rows: Sequence[Sequence[str | float | date | Counted]],
        *,
        summed: str = "",
        money: str = "",
    ) -> None:
        """Add a sheet; days stay dates. `summed` and `money` are letters of columns: with a sum below, in kronor."""
        page = self._book.add_worksheet(name[:LONGEST_SHEET_NAME])
        page.set_column(0, 0, 34)
        page.set_column(1, len(headings), 16)
        page.write_row(0, 0, headings, self._bold)
        page.freeze_panes(1, 0)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(number, column, value, self._day)
                elif isinstance(value, Counted):
                    form = self._money if value.in_kronor else None
                    page.write_formula(number, column, value.formula, form, value.value)
                else:
                    page.write(number, column, value, self._money if _letter(column) in money else None)
        if not rows or not summed:
            return
        below = len(rows) + 1
        page.write(below, 0, gettext("Together"), self._bold)
        for column in range(len(headings)):
            letter = _letter(column)
            if letter in summed:
                value = sum(cell for row in rows if isinstance(cell := row[column], int | float))
                form = self._total if letter in money else self._bold
                page.write_formula(below, column, f"=SUM({letter}2:{letter}{below})", form, value)

    def finish(self) -> bytes:
        self._book.close()
        return self._out.getvalue()


def _letter(column: int) -> str:
    return chr(ord("A") + column)


def _in_short(found: Figures) -> dict[str, Counted]:
    """Return the figures in short that the other sheets hold in full. How many different people walked they do not:
    they name nobody."""

    def of(sheet: str, column: str, rows: Sequence[object]) -> str:
        return f"'{sheet[:LONGEST_SHEET_NAME]}'!{column}2:{column}{len(rows) + 1}"

    def of_walked(column: str) -> str:
        ended, word = of(gettext("Evenings"), "E", found.nights), night_state_words("walked")
        return f'SUMIFS({of(gettext("Evenings"), column, found.nights)},{ended},"{word}")'

    columns = zip("BCDE", ("planned", "walked", "called_off", "not_walked"), strict=True)
    counted = {
        name: Counted(f"=SUM({of(gettext('Areas'), column, found.areas)})", getattr(found, name))
        for column, name in columns
    }
    covered = f"=IFERROR(ROUND(100*{of_walked('C')}/{of_walked('D')},0),0)"
    paid = f"=SUM({of(gettext('Clubs'), 'D', found.clubs)})"
    return counted | {
        "coverage_percent": Counted(covered, found.coverage_percent),
        "paid_ore": Counted(paid, found.paid_ore / ORE_PER_KRONA, in_kronor=True),
    }


def as_xlsx(document: Document) -> bytes:
    """Return the report as a workbook; sums are formulas, so that who mends a number sees them follow."""
    found, book, words = document.figures, _Book(document), words_of_figures()
    in_short, figures = _in_short(found), (*KEY_FIGURES, "coverage_percent", "follow_ups")
    ended = {state: night_state_words(state) for state in {one.state for one in found.nights}}
    book.sheet(
        gettext("In short"),
        [report_title(document.period), standing(document)],
        [[words[name], in_short.get(name, getattr(found, name))] for name in figures]
        + [[gettext("To the clubs"), in_short["paid_ore"]]],
    )
    book.sheet(
        gettext("Areas"),
        [gettext("Area"), gettext("Planned"), gettext("Walked"), gettext("Called off"), gettext("Not walked")],
        [[one.area, one.planned, one.walked, one.called_off, one.not_walked] for one in found.areas],
        summed="BCDE",
    )
    book.sheet(
        gettext("Clubs"),
        [gettext("Club"), gettext("Shifts"), gettext("Walkers"), gettext("Kronor")],
        [[one.club, one.shifts, one.heads, one.amount_ore / ORE_PER_KRONA] for one in found.clubs],
        summed="CD",
        money="D",
    )
    book.sheet(
        gettext("Money"),
        [gettext("Line"), gettext("Budget"), gettext("The period"), gettext("Used so far"), gettext("Forecast")],
        [
            [
                line_words(one.line), one.amount_ore / ORE_PER_KRONA, one.period_ore / ORE_PER_KRONA,
                one.used_ore / ORE_PER_KRONA, one.forecast_ore / ORE_PER_KRONA,
            ]
            for one in found.lines
        ],
        summed="BCDE",
        money="BCDE",
    )  # fmt: skip
    book.sheet(
        gettext("From the notes"),
        [gettext("Question"), gettext("Answer"), gettext("Notes")],
        [[heading, words, count] for heading, counts in _noted(found) for words, count in counts],
    )
    book.sheet(
        gettext("Evenings"),
        [gettext("The evening"), gettext("Area"), gettext("Came"), gettext("Wanted"), gettext("How it went")],
        [[date.fromisoformat(one.night), one.area, one.people, one.wanted, ended[one.state]] for one in found.nights],
        summed="CD",
    )
    if document.corrections:
        told: list[list[str | float | date]] = [[difference_words(one)] for one in document.corrections]
        book.sheet(gettext("Corrected since"), [gettext("Corrected since")], told)
    return book.finish()

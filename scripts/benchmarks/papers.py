"""A full demo quarter as PDF and as XLSX beside the bare libraries that write the same, in this process.

Ours reads the figures from the database, lays out and writes. Bare knows everything beforehand: it is handed the calls
of fpdf2 and XlsxWriter that ours ended in (fonts, texts and shapes with their places, marks and elements of the
structure; cells, formulas, widths) and makes just these. Both use the same font, cut down to the letters it needs.
"""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import fpdf
import xlsxwriter
from fpdf.structure_tree import StructElem
from sqlalchemy import select

from scheduler import create_app
from scheduler.demo.actions import fill_once
from scheduler.kit.database import Database
from scheduler.kit.migrating import upgrade
from scheduler.kit.settings import Settings
from scheduler.kit.tags import Written
from scheduler.money.queries import current_agreement
from scheduler.partnership.tables import Partnership
from scheduler.reports import papers
from scheduler.reports.figures import figures
from scheduler.reports.rules import PeriodKind, period

from .databases import settle
from .figures import Figure, paired

SITE = "http://127.0.0.1"
ZONE = ZoneInfo("Europe/Stockholm")
LEAST_RATE = 0.5
MOST_SECONDS = {"PDF": 2.0, "XLSX": 1.0}
MOST_DIFFERENCE = 0.02
Call = tuple[str, tuple[Any, ...], dict[str, Any]]


class Recording(fpdf.FPDF):
    """A document that notes what is asked of the library, at which place; not what the library asks of itself."""

    calls: ClassVar[list[tuple[int, float, float, Call]]] = []
    last: ClassVar[list["Recording"]] = []
    inside = False

    def __init__(self, *values: Any, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*values, **named)
        self.last[:] = [self]


def noted(name: str) -> Callable[..., Any]:
    real = getattr(fpdf.FPDF, name)

    def call(self: Recording, *values: Any, **named: Any) -> Any:  # noqa: ANN401
        if self.inside or named.get("dry_run") or (name == "_out" and not of_structure(values[0])):
            return real(self, *values, **named)
        self.calls.append((self.page, self.x, self.y, (name, values, named)))
        self.inside = True
        try:
            return real(self, *values, **named)
        finally:
            self.inside = False

    return call


def of_structure(written: str) -> bool:
    return written == "EMC" or written.endswith(("BDC", "BMC"))


for method in (
    "add_font", "set_font", "set_text_color", "set_fill_color", "set_draw_color", "set_line_width", "cell",
    "multi_cell", "rect", "line", "circle", "solid_arc", "_out",
):  # fmt: skip
    setattr(Recording, method, noted(method))


@dataclass(frozen=True, slots=True)
class Element:
    """An element of the structure: what the library is told of it; `inside` and `number` are places in lists."""

    made: type[StructElem]
    kind: str
    inside: int | None
    number: int | None
    page: int | None
    words: str | None


def structure(pdf: Recording) -> list[Element]:
    document = pdf.struct_builder.doc_struct_elem
    places = {id(one): place for place, one in enumerate(document.k)}
    return [
        Element(
            type(one), one.s, places.get(id(one.p)), next((kid for kid in one.k if isinstance(kid, int)), None),
            one.page_number(), one.alt,
        )
        for one in document.k
    ]  # fmt: skip


def bare_structure(pdf: fpdf.FPDF, elements: list[Element]) -> None:
    builder = pdf.struct_builder
    document = builder.doc_struct_elem
    document.k = Written(document)
    for told in elements:
        inside = document if told.inside is None else document.k[told.inside]
        numbers = [] if told.number is None else [told.number]
        one = told.made(told.kind, inside, numbers, page_number=told.page, alt=told.words)
        document.k.append(one)
        if told.inside is not None:
            inside.k.append(one)
        if told.number is not None:
            place = builder.spid_per_page_number.setdefault(told.page, len(builder.spid_per_page_number))
            builder.struct_tree_root.parent_tree.nums[place].append(one)
            pdf.pages[told.page].struct_parents = place


def bare_pdf(calls: list[tuple[int, float, float, Call]], elements: list[Element]) -> bytes:
    pdf = fpdf.FPDF(format="A4")
    pdf.set_auto_page_break(auto=False)
    pdf.set_margin(18)
    pdf.c_margin = 0
    for page, x, y, (name, values, named) in calls:
        while pdf.page < page:
            pdf.add_page()
        if page:
            pdf.x, pdf.y = x, y
        getattr(pdf, name)(*values, **named)
    bare_structure(pdf, elements)
    return bytes(pdf.output())


@dataclass
class RecordingBook:
    """A workbook that notes what is asked of the library: of itself (-1) or of one of its sheets."""

    book: Any
    calls: list[tuple[int, Call]] = field(default_factory=list)
    sheets: int = 0
    formats: list[Any] = field(default_factory=list)

    def add_worksheet(self, name: str) -> "RecordingSheet":
        self.calls.append((-1, ("add_worksheet", (name,), {})))
        self.sheets += 1
        return RecordingSheet(self, self.sheets - 1, self.book.add_worksheet(name))

    def add_format(self, values: dict[str, Any]) -> Any:  # noqa: ANN401
        self.calls.append((-1, ("add_format", (values,), {})))
        self.formats.append(self.book.add_format(values))
        return self.formats[-1]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*values: Any, **named: Any) -> Any:  # noqa: ANN401
            self.calls.append((-1, (name, values, named)))
            return getattr(self.book, name)(*values, **named)

        return call


@dataclass
class RecordingSheet:
    of: RecordingBook
    number: int
    sheet: Any

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*values: Any) -> Any:  # noqa: ANN401
            kept = tuple(("format", self.of.formats.index(one)) if one in self.of.formats else one for one in values)
            self.of.calls.append((self.number, (name, kept, {})))
            return getattr(self.sheet, name)(*values)

        return call


def bare_xlsx(calls: list[tuple[int, Call]], options: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, options)
    sheets, formats = [], []
    for number, (name, values, named) in calls:
        if name == "add_worksheet":
            sheets.append(book.add_worksheet(*values))
        elif name == "add_format":
            formats.append(book.add_format(*values))
        elif number < 0:
            getattr(book, name)(*values, **named)
        else:
            given = [formats[one[1]] if isinstance(one, tuple) else one for one in values]
            getattr(sheets[number], name)(*given)
    return out.getvalue()


@contextmanager
def instead(module: Any, name: str, other: Any) -> Iterator[None]:  # noqa: ANN401
    real = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, real)


def recorded_pdf(write: Callable[[], bytes]) -> tuple[list[tuple[int, float, float, Call]], list[Element]]:
    Recording.calls.clear()
    with instead(fpdf, "FPDF", Recording):
        write()
    return list(Recording.calls), structure(Recording.last[0])


def recorded_xlsx(write: Callable[[], bytes]) -> tuple[list[tuple[int, Call]], dict[str, Any]]:
    books: list[RecordingBook] = []
    given: list[dict[str, Any]] = []
    real = xlsxwriter.Workbook

    def book(out: io.BytesIO, options: dict[str, Any]) -> RecordingBook:
        given.append(options)
        books.append(RecordingBook(real(out, options)))
        return books[-1]

    with instead(xlsxwriter, "Workbook", book):
        write()
    return books[-1].calls, given[-1]


def measure(url: str, kind: str, rounds: int) -> list[Figure]:
    database = Database(url)
    database.write(upgrade)
    now = datetime.now(UTC)
    fill_once(database, now, SITE)
    settle(database.engine)
    app = create_app(
        Settings(database_url=url, secret_key="s" * 40, public_url=SITE, time_zone=ZONE, demo=True), database=database
    )
    with app.test_request_context():
        found = [
            figure
            for name, write, bare in subjects(database, now)
            for figure in beside(name, write, bare, kind, rounds)
        ]
    database.dispose()
    return found


def subjects(database: Database, now: datetime) -> Iterator[tuple[str, Callable[[], bytes], Callable[[], bytes]]]:
    """Return each kind of paper with how we write it and how the bare library does."""
    with database.reading() as unit:
        town = unit.execute(select(Partnership.id)).scalar_one()
        agreement = current_agreement(unit, town, now.date())
    quarter = period(PeriodKind.QUARTER, period(PeriodKind.QUARTER, now.date()).first - timedelta(days=1))
    held = max(quarter.first, date(agreement.starts_on.year, agreement.starts_on.month, 1))
    quarter = period(PeriodKind.QUARTER, held)

    def document() -> papers.Document:
        with database.reading() as unit:
            counted = figures(unit, agreement, quarter, now)
        return papers.Document("Nattvandring Timrå", "Timrå kommun", "sv", quarter, 1, now, counted)

    def pdf() -> bytes:
        return papers.as_pdf(document())

    def xlsx() -> bytes:
        return papers.as_xlsx(document())

    (drawn, elements), (cells, options) = recorded_pdf(pdf), recorded_xlsx(xlsx)
    yield "PDF", pdf, lambda: bare_pdf(drawn, elements)
    yield "XLSX", xlsx, lambda: bare_xlsx(cells, options)


def beside(name: str, write: Callable[[], bytes], bare: Callable[[], bytes], kind: str, rounds: int) -> list[Figure]:
    sizes = len(write()), len(bare())
    if abs(sizes[0] / sizes[1] - 1) > MOST_DIFFERENCE:
        raise RuntimeError(f"{name}: {sizes[0]} and {sizes[1]} bytes are not the same document")
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(timed(write))
        theirs.append(timed(bare))
    told = {"ours": 1000 * sorted(ours)[rounds // 2], "bare": 1000 * sorted(theirs)[rounds // 2], "unit": "ms"}
    return [
        Figure("papers", kind, f"a quarter as {name}, the bare library's time to ours", paired(theirs, ours), "ratio",
               least=LEAST_RATE, details=told),
        Figure("papers", kind, f"a quarter as {name}, the slowest", max(ours), "s", most=MOST_SECONDS[name]),
    ]  # fmt: skip


def timed(work: Callable[[], bytes]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

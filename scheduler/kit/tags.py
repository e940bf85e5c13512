"""The structure tree of a PDF: headings, paragraphs, pictures, and tables with their rows and cells.

fpdf2 makes a flat tree; this one has branches. It is made of the library's own elements, and the library writes it:
it wants all of them in the document's list, and asks each for its page. What is drawn for the eye alone (lines,
footers, the headings that a table says again on its next page) is marked as such.

What each element must hold: ISO 32000-1, 14.7 and 14.8.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fpdf.structure_tree import StructElem
from fpdf.syntax import PDFArray

if TYPE_CHECKING:
    from fpdf import FPDF


class Written(PDFArray):
    """Every element, for the library to write; of them the document tells only those that stand in no other."""

    def __init__(self, document: StructElem) -> None:
        super().__init__()
        self._document = document

    def serialize(self, *security: Any, **more: Any) -> str:  # noqa: ANN401 - the library's own
        return PDFArray(one for one in self if one.p is self._document).serialize(*security, **more)


class ColumnHeading(StructElem):
    a = "<</O /Table /Scope /Column>>"


class RowHeading(StructElem):
    a = "<</O /Table /Scope /Row>>"


class Tags:
    """The tree of one document."""

    def __init__(self, pdf: "FPDF") -> None:
        self._pdf = pdf
        self._document = pdf.struct_builder.doc_struct_elem
        self._document.k = Written(self._document)

    def branch(self, kind: str, inside: StructElem | None = None) -> StructElem:
        """Return a new element that holds others, such as a "Table" or its row, "TR"."""
        return self._added(
            StructElem(f"/{kind}", inside or self._document, [], page_number=self._pdf.page), inside=inside
        )

    def _added(self, element: StructElem, inside: StructElem | None) -> StructElem:
        self._document.k.append(element)
        if inside is not None:
            inside.k.append(element)
        return element

    @contextmanager
    def marked(
        self, kind: str, words: str = "", inside: StructElem | None = None, made: type[StructElem] = StructElem
    ) -> Iterator[None]:
        """Mark what is written as an element of this kind; `words` tell a picture to who does not see it."""
        builder, page = self._pdf.struct_builder, self._pdf.page
        place = builder.spid_per_page_number.setdefault(page, len(builder.spid_per_page_number))
        on_page = builder.struct_tree_root.parent_tree.nums[place]
        number = len(on_page)
        element = made(f"/{kind}", inside or self._document, [number], page_number=page, alt=words or None)
        on_page.append(self._added(element, inside))
        self._pdf.pages[page].struct_parents = place
        self._pdf._out(f"/{kind} <</MCID {number}>> BDC")  # noqa: SLF001 - the library has no other way
        yield
        self._pdf._out("EMC")  # noqa: SLF001

    @contextmanager
    def for_the_eye(self) -> Iterator[None]:
        """Mark what is drawn as nothing that is read out."""
        self._pdf._out("/Artifact BMC")  # noqa: SLF001
        yield
        self._pdf._out("EMC")  # noqa: SLF001

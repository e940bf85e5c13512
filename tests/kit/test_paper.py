import io
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from scheduler.kit.paper import Grid, Mark, Paper

MADE_AT = datetime(2026, 11, 23, tzinfo=UTC)


def read(write, title="Rapport"):
    paper = Paper(title, "sv", MADE_AT, title)
    write(paper)
    return PdfReader(io.BytesIO(paper.finish()))


def text_of(pdf):
    return "\n".join(page.extract_text() for page in pdf.pages)


@pytest.mark.parametrize(
    "name",
    [
        "Åsa Öhlén",
        "Željko Đorđević",
        "Ştefan Łukasz",
        "Ελένη Παπαδοπούλου",
        "Юлія Шевченко",
        "Nguyễn Thị Ánh",
        "محمد علي عبد الله",
        "\u22123\u00a0333,34 kr \u2013 \u201dså\u201d … \u2019ok\u2019",
    ],
)
def test_names_of_many_alphabets_are_written_and_can_be_searched(name):
    found = text_of(read(lambda paper: paper.rows(("Förening", "Summa"), [(name, "1")], total=(name, ""))))
    assert found.count(name) == 2


def test_letters_that_were_typed_in_two_parts_are_written_as_one():
    assert "é" in text_of(read(lambda paper: paper.paragraph("e\u0301")))


def test_what_the_font_lacks_is_shown_as_lacking_and_nothing_fails():
    found = read(lambda paper: (paper.heading("日本 IK"), paper.bars([("שלום", 1, "🙂 1")])), title="日本")
    assert "\ufffd\ufffd IK" in text_of(found)
    assert found.metadata.title == "日本"


def test_a_document_carries_its_letters_and_no_more():
    paper = Paper("Rapport", "sv", MADE_AT)
    paper.paragraph("Željko och محمد")
    content = paper.finish()
    fonts = PdfReader(io.BytesIO(content)).pages[0]["/Resources"]["/Font"].values()
    embedded = [font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts]
    assert all("/FontFile2" in one.get_object() for one in embedded)
    assert len(content) < 20_000


def test_a_long_table_repeats_its_headings_and_a_long_name_takes_two_lines():
    long = "Föreningen för långa namn i den norra delen av kommunen och dess omnejd, med flera"
    rows = [(f"{long} {number}", str(number)) for number in range(60)]
    found = read(lambda paper: paper.rows(("Förening", "Summa"), rows, total=("Tillsammans", "60")))
    assert len(found.pages) > 1
    assert all("Summa" in page.extract_text() for page in found.pages)
    assert f"{long} 59 59" in " ".join(text_of(found).split())


def elements(pdf, inside):
    """Return the elements that stand directly in another one."""
    return [one.get_object() for one in inside["/K"]]


def test_a_table_is_one_to_who_listens_with_headings_for_its_columns_and_rows():
    rows = [(f"Förening {number}", str(number), "9") for number in range(60)]
    total = ("Tillsammans", "1", "2")
    found = read(lambda paper: paper.rows(("Förening", "Pass", "Summa"), rows, total=total))
    assert len(found.pages) == 2
    (document,) = elements(found, found.trailer["/Root"]["/StructTreeRoot"])
    (table,) = elements(found, document)
    assert table["/S"] == "/Table"
    told = elements(found, table)
    assert [row["/S"] for row in told] == ["/TR"] * 62, "what the next page repeats is for the eye alone"
    kinds = [[(cell["/S"], cell.get("/A", {}).get("/Scope")) for cell in elements(found, row)] for row in told]
    assert kinds[0] == [("/TH", "/Column")] * 3
    assert kinds[1:] == [[("/TH", "/Row"), ("/TD", None), ("/TD", None)]] * 61


def test_every_mark_on_a_page_belongs_to_the_element_of_its_kind_and_nothing_is_written_without_one():
    def write(paper):
        paper.heading("Rapport")
        paper.paragraph("Två sidor")
        paper.bars([("Centrum", 3, "3 / 4")])
        paper.rows(("Förening", "Summa"), [(f"Förening {number}", "1") for number in range(60)])

    found = read(write)
    by_page = found.trailer["/Root"]["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    parents = dict(zip(by_page[::2], by_page[1::2], strict=True))
    for page in found.pages:
        marks, depth = [], 0
        for operands, operator in page.get_contents().operations:
            if operator in {b"BDC", b"BMC"}:
                depth += 1
                marks += [(operands[1]["/MCID"], operands[0])] if operator == b"BDC" else []
            elif operator == b"EMC":
                depth -= 1
            elif operator in {b"Tj", b"TJ", b"re", b"l"}:
                assert depth == 1, "it is marked once: as something, or as nothing to be read"
        listed = [one.get_object() for one in parents[page["/StructParents"]]]
        assert marks == [(number, element["/S"]) for number, element in enumerate(listed)]
        assert [element["/K"] for element in listed] == [[number] for number in range(len(listed))]
        assert all(element.raw_get("/Pg") == page.indirect_reference for element in listed)


def test_a_calendar_is_a_picture_for_each_month_with_its_words():
    weeks = [[0, 0, 0, 0, 0, 0, 1], [2, 3, 4, 5, 6, 7, 8]]
    grids = [
        Grid(f"månad {number}", "MTOTFLS", weeks, {1: [Mark.FULL, Mark.HALF], 8: list(Mark)}, f"ord {number}")
        for number in range(5)
    ]
    found = read(lambda paper: paper.grids(grids, [(mark, mark.name) for mark in Mark]))
    tree = found.trailer["/Root"]["/StructTreeRoot"]["/K"][0].get_object()["/K"]
    pictures = [one.get_object().get("/Alt") for one in tree if one.get_object()["/S"] == "/Figure"]
    assert pictures == [f"ord {number}" for number in range(5)]
    assert all(f"månad {number}" in text_of(found) for number in range(5))
    assert "RING" in text_of(found)

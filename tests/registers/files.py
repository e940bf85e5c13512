"""Lists of members as the clubs' systems write them, of invented people with numbers of the series for fiction."""

import csv
import io
import zipfile
from datetime import date

from xlsxwriter import Workbook

# As the systems head their columns, in their order.
IDROTTONLINE = (
    *("Typ", "Förnamn", "Alt. förnamn", "Efternamn", "IdrottsID", "Födelsedat./Personnr.", "Kön", "Nationalitet"),
    *("Telefon mobil", "E-post kontakt", "Kontaktadress - Gatuadress", "Kontaktadress - Postort", "Telefon bostad"),
    *("Telefon arbete", "Övrig medlemsinfo", "Familj", "Medlemsnr.", "Medlem sedan", "Målsman"),
)
SPORTADMIN = (
    *("Grupp", "Gruppkoppling", "Kommentar", "Personnummer", "Kön", "Förnamn", "Efternamn", "c/o", "Adress"),
    *("Postnummer", "Stad", "Land", "Mobiltelefon", "Telefon hem", "Telefon jobb", "E-post", "Målsman 1", "Relation"),
    *("E-post", "Telefon", "Målsman 2", "Relation", "E-post", "Telefon", "Skapad", "Uppdaterad", "Licens", "Allergi"),
)
LAGET = ("Namn", "Personnummer", "Mobil", "E-post", "Roll", "Lag")
PLAIN = ("Förnamn", "Efternamn", "Mobil", "Personnummer")


def identity_number(born_on: date, serial: int = 980, mark: str = "-", century: bool = True, added: int = 0) -> str:
    """Return an identity number of the series that Skatteverket keeps for tests (980 to 989), with its check digit."""
    digits = f"{born_on:%y%m}{born_on.day + added:02d}{serial}"
    total = sum(int(one) for at, digit in enumerate(digits) for one in str(int(digit) * (2 - at % 2)))
    first = f"{born_on:%Y%m}{born_on.day + added:02d}" if century else digits[:6]
    return f"{first}{mark}{serial}{-total % 10}"


def as_csv(rows, delimiter=";", encoding="utf-8-sig", newline="\r\n"):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=newline).writerows(rows)
    return out.getvalue().encode(encoding)


def as_xlsx(*sheets, draw=None):
    """Return a workbook: a sheet for each list of rows; `draw(book, sheet)` adds what rows cannot say."""
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    days = book.add_format({"num_format": "yyyy-mm-dd"})
    for rows in sheets:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, column, cell, days)
                else:
                    sheet.write(number, column, cell)
        if draw:
            draw(book, sheet)
    book.close()
    return out.getvalue()


def row_of(headings, **cells):
    """Return a row with these cells under their headings; the last of equal headings is somebody else's."""
    known = {heading.casefold(): cell for heading, cell in cells.items()}
    found, used = [], set()
    for heading in headings:
        name = heading.casefold().replace(" ", "_").replace("/", "").replace(".", "").replace("-", "")
        found.append(known.get(name, "") if name not in used else "")
        used.add(name)
    return found


def handmade(sheet_xml, **parts):
    """Return a workbook whose one sheet is these bytes, for what no good program writes."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    types = (
        f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
        '"application/xml"/></Types>'
    )
    files = {
        "[Content_Types].xml": types,
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet_xml.replace("<worksheet>", f'<worksheet xmlns="{main}">'),
        **parts,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()

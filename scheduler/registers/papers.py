"""The list of people as a file that Excel opens rightly, and that cannot do anything by itself."""

import csv
import io
from collections.abc import Sequence

from scheduler.kit.language import gettext
from scheduler.kit.phone import as_swedes_write
from scheduler.leading.members import Member
from scheduler.people.rules import MembershipState
from scheduler.registers.rules import FORMULA


def headings() -> list[str]:
    return [gettext("Name"), gettext("Club"), gettext("Mobile number"), gettext("State"), gettext("Walks done")]


def state_words(state: MembershipState) -> str:
    return {
        MembershipState.APPROVED: gettext("approved"),
        MembershipState.PENDING: gettext("waits for approval"),
        MembershipState.INVITED: gettext("invited"),
        MembershipState.ENDED: gettext("ended"),
    }[state]


def plain(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula (OWASP, CSV injection): with ' in front where it
    begins like one."""
    return f"'{text}" if text.lstrip().startswith(FORMULA) or text.startswith(FORMULA) else text


def _line(one: Member) -> list[str | int]:
    # A number as Swedes write it is text to every spreadsheet, and keeps its zero.
    return [plain(one.name), plain(one.club), as_swedes_write(one.phone), state_words(one.state), one.walks]


def as_csv(people: Sequence[Member]) -> bytes:
    """Return the list with semicolons and the mark of UTF-8: what Excel in Swedish opens by a double click."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerow(headings())
    writer.writerows(_line(one) for one in people)
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(people: Sequence[Member]) -> bytes:
    """Return the list as a workbook of texts and numbers."""
    from xlsxwriter import Workbook

    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet(gettext("People"))
    bold = book.add_format({"bold": True})
    for column, (heading, width) in enumerate(zip(headings(), (28, 28, 18, 20, 8), strict=True)):
        page.set_column(column, column, width)
        page.write_string(0, column, heading, bold)
    page.freeze_panes(1, 0)
    for number, one in enumerate(people, start=1):
        *texts, walks = _line(one)
        for column, text in enumerate(texts):
            page.write_string(number, column, str(text))
        page.write_number(number, len(texts), walks)
    page.autofilter(0, 0, max(len(people), 1), len(headings()) - 1)
    book.close()
    return out.getvalue()

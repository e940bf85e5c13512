"""The list of people as a file that Excel opens rightly, and that cannot do anything by itself."""

import csv
import io
from collections.abc import Sequence

from scheduler.kit.language import gettext
from scheduler.kit.phone import as_swedes_write
from scheduler.leading.members import Member
from scheduler.leading.rules import Activity
from scheduler.people.rules import MembershipState
from scheduler.registers.rules import FORMULA


def headings(*, whole: bool) -> list[str]:
    """Return the columns; those that coordinators alone see among them where it is the `whole` list."""
    first = [gettext("Name"), gettext("Club"), gettext("Mobile number"), gettext("State"), gettext("Walks how")]
    return [*first, *([gettext("May lead")] if whole else []), gettext("Walks done")]


def state_words(state: MembershipState) -> str:
    return {
        MembershipState.APPROVED: gettext("approved"),
        MembershipState.PENDING: gettext("waits for approval"),
        MembershipState.INVITED: gettext("invited"),
        MembershipState.ENDED: gettext("ended"),
    }[state]


def activity_words(one: Activity | None) -> str:
    """Return how a member walks; nothing of one who is no member yet or any more."""
    words = {
        Activity.NEW: gettext("new"),
        Activity.ACTIVE: gettext("active"),
        Activity.RESTING: gettext("resting"),
    }
    return "" if one is None else words[one]


def plain(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula (OWASP, CSV injection): with ' in front where it
    begins like one."""
    return f"'{text}" if text.lstrip().startswith(FORMULA) or text.startswith(FORMULA) else text


def _line(one: Member, *, whole: bool) -> list[str | int]:
    # A number as Swedes write it is text to every spreadsheet, and keeps its zero.
    first = [plain(one.name), plain(one.club), as_swedes_write(one.phone), state_words(one.state)]
    may_lead = [gettext("yes") if one.may_lead else gettext("no")] if whole else []
    return [*first, activity_words(one.activity), *may_lead, one.walks]


def as_csv(people: Sequence[Member], *, whole: bool) -> bytes:
    """Return the list with semicolons and the mark of UTF-8: what Excel in Swedish opens by a double click."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerow(headings(whole=whole))
    writer.writerows(_line(one, whole=whole) for one in people)
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(people: Sequence[Member], *, whole: bool) -> bytes:
    """Return the list as a workbook of texts and numbers."""
    from xlsxwriter import Workbook

    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet(gettext("People"))
    bold = book.add_format({"bold": True})
    columns = headings(whole=whole)
    for column, (heading, width) in enumerate(zip(columns, (28, 28, 18, *[20] * (len(columns) - 4), 8), strict=True)):
        page.set_column(column, column, width)
        page.write_string(0, column, heading, bold)
    page.freeze_panes(1, 0)
    for number, one in enumerate(people, start=1):
        *texts, walks = _line(one, whole=whole)
        for column, text in enumerate(texts):
            page.write_string(number, column, str(text))
        page.write_number(number, len(texts), walks)
    page.autofilter(0, 0, max(len(people), 1), len(columns) - 1)
    book.close()
    return out.getvalue()

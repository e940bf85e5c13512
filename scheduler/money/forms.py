"""The form of a purchase: what was typed becomes values that the rules have accepted."""

from dataclasses import dataclass, field
from datetime import date

from werkzeug.datastructures import FileStorage, MultiDict

from scheduler.kit.language import gettext
from scheduler.kit.refusals import Invalid
from scheduler.money.rules import LARGEST_RECEIPT_BYTES, LONGEST_WHAT_CHARACTERS, ore, receipt_type
from scheduler.partnership.rules import BudgetLineKind

LINES = (BudgetLineKind.MATERIAL, BudgetLineKind.UNFORESEEN)


def problem_sentence(refusal: Invalid) -> str:
    """Return what is wrong with one field, and what to do."""
    return {
        ("amount", "empty"): gettext("Type what it cost."),
        ("amount", "not_a_sum"): gettext("That is not a sum. Type it like 1 250 or 1 250,50."),
        ("amount", "zero"): gettext("Type a sum above zero."),
        ("amount", "too_large"): gettext("That is more than a million kronor. Check the sum."),
        ("receipt", "empty"): gettext("Choose the receipt: a PDF or a picture."),
        ("receipt", "too_large"): gettext("The receipt is larger than 5 MB. Take a smaller picture."),
        ("receipt", "wrong_type"): gettext(
            "The file is not a PDF, PNG or JPEG, whatever its name says. Choose another."
        ),
        ("bought_on", "future"): gettext("That date is still to come."),
        ("bought_on", "no_agreement"): gettext("No agreement holds on that date."),
    }[refusal.field, refusal.problem]


@dataclass(slots=True)
class PurchaseForm:
    """What was typed; `problems` by field. A file cannot be kept: it has to be chosen again."""

    line: str = ""
    what: str = ""
    bought_on: str = ""
    amount: str = ""
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PurchaseFields:
    line: BudgetLineKind
    what: str
    bought_on: date
    amount_ore: int
    receipt: tuple[str, bytes]


def read_purchase(
    sent: MultiDict[str, str], file: FileStorage | None, *, too_large: bool = False
) -> tuple[PurchaseForm, PurchaseFields | None]:
    """Return the form as it was sent, and its values; None while something is to be mended, such as a file that was
    `too_large` to be taken in."""
    form = PurchaseForm(
        line=sent.get("line", "").strip(),
        what=sent.get("what", "").strip(),
        bought_on=sent.get("bought_on", "").strip(),
        amount=sent.get("amount", "").strip(),
    )
    line = next((one for one in LINES if one == form.line), None)
    if line is None:
        form.problems["line"] = gettext("Choose the line that pays.")
    if not form.what:
        form.problems["what"] = gettext("Type what was bought.")
    elif len(form.what) > LONGEST_WHAT_CHARACTERS:
        form.problems["what"] = gettext("That is too long. Use at most 120 characters.")
    bought_on = as_date(form.bought_on)
    if bought_on is None:
        form.problems["bought_on"] = gettext("Type the date, like 2026-11-23.")
    amount_ore, receipt = 0, ("", b"")
    try:
        amount_ore = ore(form.amount)
    except Invalid as refusal:
        form.problems["amount"] = problem_sentence(refusal)
    try:
        content = file.stream.read(LARGEST_RECEIPT_BYTES + 1) if file is not None else b""
        receipt = (receipt_type(content), content)
    except Invalid as refusal:
        form.problems["receipt"] = problem_sentence(Invalid("receipt", "too_large") if too_large else refusal)
    if form.problems or line is None or bought_on is None:
        return form, None
    return form, PurchaseFields(line, form.what, bought_on, amount_ore, receipt)


def as_date(typed: str) -> date | None:
    """Return the date of an ISO text, or None."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None

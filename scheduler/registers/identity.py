"""Identity numbers as people and systems write them, and the birth dates that are left of them."""

import re
from datetime import date

from scheduler.kit.refusals import Invalid
from scheduler.people.rules import birth_date, grown_up

# Stands before the birth date of an identity number whose check digit is wrong, once the number itself is gone.
WRONG_CHECK = "≠"
_SHAPE = re.compile(r"(\d{2})?(\d{2})-?(\d{2})-?(\d{2})\s?([-+–]?)\s?([0-9A-Za-z*]{4})")  # noqa: RUF001 - typed as a dash
# Where one may stand inside other text. The last four may be letters (TF12 for those who wait for a number) or
# masked (XXXX), but only after a mark: "850822 Anna" is a date and a name.
_ANYWHERE = re.compile(
    r"(?<![\d+])(?:\d{2})?\d{6}\s?[-+–]\s?(?:\d{4}|[A-Za-z]{2}\d{2}|[A-Za-z]\d{3}|[Xx*]{4})(?![0-9A-Za-z])"  # noqa: RUF001
    r"|(?<!\d)\d{4}-\d{2}-\d{2}[-+ ]\d{4}(?!\d)|(?<![\d+])(?:1[89]|20)\d{6} ?\d{4}(?!\d)|(?<![\d+])\d{6} ?\d{4}(?!\d)"
)
ADDED_TO_COORDINATION_DAYS = 60
PLACEHOLDERS = frozenset({"0000"})


def of_identity_number(text: str, today: date) -> tuple[date, bool] | None:
    """Return the birth date in an identity number or coordination number (the day plus 60), and whether its check
    digit is right or there is none to check; None for what is neither. Numbers as people and systems write them:
    850822-3578, 198508223578, 850822+3578 of somebody over a hundred, 850822-TF12, 19850822-XXXX.

    Source: Skatteverket, SKV 704 (personnummer) and SKV 707 (samordningsnummer).
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        return None
    century, year, month, day, mark, last = found.groups()
    day_of_month = int(day) - ADDED_TO_COORDINATION_DAYS if int(day) > ADDED_TO_COORDINATION_DAYS else int(day)
    years = [int(f"{century}{year}")] if century else [2000 + int(year), 1900 + int(year), 1800 + int(year)]
    for full_year in years:
        try:
            born_on = date(full_year, int(month), day_of_month)
        except ValueError:
            continue
        if century or (born_on <= today and (mark != "+" or today.year - full_year >= 100)):  # noqa: PLR2004
            checked = not last.isdecimal() or last in PLACEHOLDERS or _check_digit_fits(f"{year}{month}{day}{last}")
            return born_on, checked
    return None


def _check_digit_fits(ten_digits: str) -> bool:
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(ten_digits))
    return sum(part // 10 + part % 10 for part in doubled) % 10 == 0


def without_identity_numbers(text: str, today: date, *, of_phones: bool = False) -> str:
    """Return the text with each identity number in it turned into its birth date; of one that is no date only the
    first part is left. In a column of telephone numbers, ten digits that begin with 07 are a telephone."""

    def dated(found: re.Match[str]) -> str:
        if of_phones and re.sub(r"\D", "", found[0]).startswith("07"):
            return found[0]
        known = of_identity_number(found[0], today)
        if known is None:
            return found[0][:-4].rstrip("-+– ")  # noqa: RUF001
        born_on, checked = known
        return born_on.isoformat() if checked else f"{WRONG_CHECK}{born_on.isoformat()}"

    return _ANYWHERE.sub(dated, text)


def with_lost_zeros(text: str) -> str:
    """Return a date's or an identity number's digits as they were before a spreadsheet took them for a number:
    508223578 was 0508223578."""
    if not text.isdecimal() or len(text) not in {7, 8, 9}:
        return text
    if len(text) == 8 and text[:2] in {"18", "19", "20"}:  # noqa: PLR2004 - a whole date
        return text
    return text.zfill(10)


def birth_date_in(text: str, today: date) -> date:
    """Return the birth date that a cell says. Raises Invalid("born_on", problem) as `birth_date` does, or with
    problem "check_digit"."""
    shown = text.strip()
    if shown.startswith(WRONG_CHECK):
        raise Invalid("born_on", "check_digit")
    shown = re.sub(r"[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$", "", shown)
    short = re.fullmatch(r"(\d{2})-?(\d{2})-?(\d{2})", shown)
    if short:
        known = of_identity_number(f"{''.join(short.groups())}-0000", today)
        if known is None:
            raise Invalid("born_on", "not_a_date")
        return grown_up(known[0], today)
    return birth_date(shown, today)

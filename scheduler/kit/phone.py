"""Mobile numbers, any way that Swedes write them, to E.164 and back."""

import re

from scheduler.kit.refusals import Invalid

LONGEST_CHARACTERS = 32


def to_e164(text: str) -> str:
    """Return a Swedish mobile number as E.164 ("+46701740605").

    Raises Invalid("phone", problem) with problem "empty", "not_a_number", "not_mobile" (a landline) or
    "foreign" (a valid number of another country: texts go to Swedish mobiles only).
    """
    import phonenumbers  # 8 MB of tables: only where a number is typed

    typed = text.strip()
    if not typed:
        raise Invalid("phone", "empty")
    # The library reads letters as keypad digits ("ank 3"), so they are refused here.
    if len(typed) > LONGEST_CHARACTERS or not re.fullmatch(r"[0-9+()\-–./\s]+", typed):  # noqa: RUF001
        raise Invalid("phone", "not_a_number")
    try:
        number = phonenumbers.parse(_with_plus(typed), "SE")
    except phonenumbers.NumberParseException:
        raise Invalid("phone", "not_a_number") from None
    if not phonenumbers.is_valid_number(number):
        raise Invalid("phone", "not_a_number")
    if number.country_code != 46:  # noqa: PLR2004 - Sweden
        raise Invalid("phone", "foreign")
    if phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.MOBILE:
        raise Invalid("phone", "not_mobile")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _with_plus(typed: str) -> str:
    digits = re.sub(r"\D", "", typed)
    return f"+{digits}" if digits.startswith("46") and not typed.startswith("+") else typed


def as_swedes_write(e164: str) -> str:
    """Return "+46701740605" as "070-174 06 05"; another number unchanged."""
    if re.fullmatch(r"\+467\d{8}", e164):
        national = "0" + e164[3:]
        return f"{national[:3]}-{national[3:6]} {national[6:8]} {national[8:]}"
    return e164


def masked(e164: str) -> str:
    """Return the number with its middle hidden, as the sign-in page shows it: "070-*** ** 05"."""
    written = as_swedes_write(e164)
    return f"{written[:4]}*** ** {written[-2:]}"

"""What a row of a list of members says, what is wrong with it, and what becomes of it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Protocol

from scheduler.kit.phone import to_e164
from scheduler.kit.refusals import Invalid, NotFound
from scheduler.people.rules import MembershipState, Named, clean_name, is_same_person
from scheduler.registers.identity import birth_date_in

LONGEST_KEPT = 80
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - those of Asian keyboards start one too


class Problem(StrEnum):
    """Why a whole file cannot be used."""

    NONE = "none"
    EMPTY = "empty"
    NO_ROWS = "no_rows"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    PASSWORD = "password"  # noqa: S105 - a kind of fault
    NOT_A_TABLE = "not_a_table"
    WEB_PAGE = "web_page"
    BROKEN = "broken"


class ListGone(NotFound):
    """A member list that is used, an hour old, or somebody else's."""

    status = 410
    room = "registers"


class Field(StrEnum):
    """What Lykta needs of a row. A name stands in one column or in two, a number in one of two."""

    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    FULL_NAME = "full_name"
    PHONE = "phone"
    OTHER_PHONE = "other_phone"
    BORN_ON = "born_on"
    CLUB = "club"


class Standing(StrEnum):
    """What becomes of a row. `known`: the person is in Lykta already and gets one more membership."""

    NEW = "new"
    KNOWN = "known"
    MEMBER = "member"
    PENDING = "pending"
    INVITED = "invited"
    TWICE = "twice"
    FAULTY = "faulty"


COMES_IN = (Standing.NEW, Standing.KNOWN)


class Fault(StrEnum):
    """What is wrong with a row, in the order in which it is told."""

    TOO_YOUNG = "too_young"
    NO_FIRST_NAME = "no_first_name"
    NO_LAST_NAME = "no_last_name"
    NAME_TOO_LONG = "name_too_long"
    NAME_UNREADABLE = "name_unreadable"
    NAME_FORMULA = "name_formula"
    NO_PHONE = "no_phone"
    PHONE_NOT_A_NUMBER = "phone_not_a_number"
    PHONE_NOT_MOBILE = "phone_not_mobile"
    PHONE_FOREIGN = "phone_foreign"
    SHARED_PHONE = "shared_phone"
    PHONE_OF_ANOTHER = "phone_of_another"
    NO_BIRTH_DATE = "no_birth_date"
    NOT_A_DATE = "not_a_date"
    CHECK_DIGIT = "check_digit"
    FUTURE = "future"
    TOO_OLD = "too_old"
    UNKNOWN_CLUB = "unknown_club"
    OTHER_CLUB = "other_club"


def as_known(heading: str) -> str:
    """Return a heading in the form in which headings are compared: "Födelsedat./Personnr." is födelsedatpersonnr."""
    return re.sub(r"[^a-zåäöé0-9]", "", heading.casefold())


_PARTICLES = frozenset(
    {"af", "von", "van", "de", "der", "den", "del", "di", "da", "dos", "la", "le", "ter", "zu", "el", "al"}
)


def names_in(full: str) -> tuple[str, str]:
    """Return first and last name: "Ek, Anna" by the comma, else the last word and the small words before it
    ("Anna Maria von Essen" is von Essen)."""
    last, comma, first = full.partition(",")
    if comma:
        return " ".join(first.split()), " ".join(last.split())
    words = full.split()
    at = max(len(words) - 1, 1)
    while at > 1 and words[at - 1].casefold() in _PARTICLES:
        at -= 1
    return " ".join(words[:at]), " ".join(words[at:])


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list: what it says, what is wrong with it, what becomes of it. `same_as` is the other row's
    number where two are one, or want one number."""

    number: int
    first_name: str
    last_name: str
    phone: str
    typed_phone: str
    born_on: date | None
    club_id: int | None
    faults: tuple[Fault, ...] = ()
    standing: Standing = Standing.FAULTY
    same_as: int = 0

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Clubs:
    """Where people may be put: the clubs of the partnership, those that the visitor decides about, and the one that
    was chosen for the rows that name none."""

    by_id: Mapping[int, str]
    own: frozenset[int]
    chosen: int

    def of(self, name: str) -> int | None:
        """Return the id of the club of this name, or None."""
        wanted = as_known(name)
        return next((one for one, known in self.by_id.items() if as_known(known) == wanted), None)


_PHONE_FAULTS = {
    "empty": Fault.NO_PHONE,
    "not_a_number": Fault.PHONE_NOT_A_NUMBER,
    "not_mobile": Fault.PHONE_NOT_MOBILE,
    "foreign": Fault.PHONE_FOREIGN,
}
_DATE_FAULTS = {
    "empty": Fault.NO_BIRTH_DATE,
    "check_digit": Fault.CHECK_DIGIT,
    "future": Fault.FUTURE,
    "too_old": Fault.TOO_OLD,
    "too_young": Fault.TOO_YOUNG,
}


def read_rows(
    rows: Iterable[tuple[int, Sequence[str]]], columns: Mapping[Field, int], clubs: Clubs, today: date
) -> list[Row]:
    """Return what each row says by itself, with every fault that can be seen in it."""

    def said(cells: Sequence[str], field: Field) -> str:
        at = columns.get(field)
        return cells[at].strip() if at is not None and at < len(cells) else ""

    found = []
    for number, cells in rows:
        faults: set[Fault] = set()
        first, last = said(cells, Field.FIRST_NAME), said(cells, Field.LAST_NAME)
        if said(cells, Field.FULL_NAME) and not (first and last):
            first, last = names_in(said(cells, Field.FULL_NAME))
        first = _name(first, Fault.NO_FIRST_NAME, faults)
        last = _name(last, Fault.NO_LAST_NAME, faults)
        phone, typed = _phone([said(cells, Field.PHONE), said(cells, Field.OTHER_PHONE)], faults)
        born_on = _born_on(said(cells, Field.BORN_ON), today, faults)
        club_id = _club(said(cells, Field.CLUB), clubs, faults)
        in_order = tuple(fault for fault in Fault if fault in faults)
        if Fault.TOO_YOUNG in faults:
            in_order = (Fault.TOO_YOUNG,)  # nothing else needs mending
        found.append(Row(number, first, last, phone, typed, born_on, club_id, in_order))
    return found


def _name(text: str, lacking: Fault, faults: set[Fault]) -> str:
    if text.startswith(FORMULA):
        faults.add(Fault.NAME_FORMULA)
    if "\ufffd" in text or text.startswith("#"):
        faults.add(Fault.NAME_UNREADABLE)
    try:
        return clean_name("", text)
    except Invalid as refusal:
        faults.add({"empty": lacking, "too_long": Fault.NAME_TOO_LONG}.get(refusal.problem, Fault.NAME_UNREADABLE))
        return "" if refusal.problem != "too_long" else text[:LONGEST_KEPT]


def _phone(typed: Sequence[str], faults: set[Fault]) -> tuple[str, str]:
    """Return the first mobile number of those typed, and what was typed. One that is none is told of only when the
    others are none either."""
    told: Fault | None = None
    for text in (part for one in typed if one for part in re.split(r"[,;/]| el(?:ler)?\.? ", one)):
        try:
            return to_e164(text), text.strip()
        except Invalid as refusal:
            told = told or _PHONE_FAULTS[refusal.problem]
    faults.add(told or Fault.NO_PHONE)
    return "", next((one for one in typed if one), "")


def _born_on(text: str, today: date, faults: set[Fault]) -> date | None:
    try:
        return birth_date_in(text, today)
    except Invalid as refusal:
        faults.add(_DATE_FAULTS.get(refusal.problem, Fault.NOT_A_DATE))
        return None


def _club(name: str, clubs: Clubs, faults: set[Fault]) -> int | None:
    club_id = clubs.of(name) if name else clubs.chosen
    if club_id is None:
        faults.add(Fault.UNKNOWN_CLUB)
    elif club_id not in clubs.own:
        faults.add(Fault.OTHER_CLUB)
        return None
    return club_id


class Known(Named, Protocol):
    """Somebody who has a number in Lykta."""

    @property
    def memberships(self) -> Mapping[int, MembershipState]: ...


_STANDINGS = {
    MembershipState.APPROVED: Standing.MEMBER,
    MembershipState.PENDING: Standing.PENDING,
    MembershipState.INVITED: Standing.INVITED,
}


def compared(rows: Sequence[Row], known: Mapping[str, Known]) -> list[Row]:
    """Return the rows with what comes of comparing them with each other and with who is in Lykta already.

    Two rows that are one person count once; two people with one number are both refused, since nobody here can know
    whose it is.
    """
    first: dict[str, Row] = {}
    clashing: dict[str, int] = {}
    for row in rows:
        if row.faults or row.born_on is None:
            continue
        earlier = first.setdefault(row.phone, row)
        if earlier is not row and not is_same_person(earlier, row.first_name, row.last_name, row.born_on):  # type: ignore[arg-type]
            clashing.setdefault(row.phone, row.number)
    seen: dict[tuple[str, int | None], int] = {}
    found = []
    for row in rows:
        if row.faults or row.born_on is None:
            found.append(row)
        elif row.phone in clashing:
            other = first[row.phone].number
            other = clashing[row.phone] if other == row.number else other
            found.append(replace(row, faults=(Fault.SHARED_PHONE,), same_as=other))
        elif (row.phone, row.club_id) in seen:
            found.append(replace(row, standing=Standing.TWICE, same_as=seen[row.phone, row.club_id]))
        else:
            seen[row.phone, row.club_id] = row.number
            found.append(_among_known(row, row.born_on, known.get(row.phone)))
    return found


def _among_known(row: Row, born_on: date, known: Known | None) -> Row:
    if known is None:
        return replace(row, standing=Standing.NEW)
    if not is_same_person(known, row.first_name, row.last_name, born_on):
        return replace(row, faults=(Fault.PHONE_OF_ANOTHER,))
    state = known.memberships.get(row.club_id or 0)
    return replace(row, standing=Standing.KNOWN if state is None else _STANDINGS[state])

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from scheduler.kit.refusals import Conflict, Invalid, NotAllowed, NotFound

ADULT_YEARS = 18
OLDEST_YEARS = 110
LONGEST_NAME_CHARACTERS = 60
# What stands where somebody's details were who has been forgotten: no name, no number (`nowhere`), no birth date.
NO_NAME, NOT_BORN = "–", date(1, 1, 1)  # noqa: RUF001 - a dash, as printers set it


# In `values_agreed_at` of somebody whom a club has put in and who has not answered yet.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# An invitation that nobody answers ends; who has then not agreed to anything is forgotten a week later.
INVITATION_LIVES = timedelta(days=60)
NO_ANSWER_KEPT = timedelta(days=7)
# An extract from the criminal records is asked for anew after a year (SFS 2013:852 asks for one that is a year old at
# most, of those who are to meet children).
EXTRACT_HOLDS = timedelta(days=365)


class MembershipState(StrEnum):
    """`pending`: the person has asked and the club has not answered; `invited`: the other way round."""

    PENDING = "pending"
    INVITED = "invited"
    APPROVED = "approved"
    ENDED = "ended"


class Role(StrEnum):
    """What a person is beside a volunteer. Being a volunteer follows from an approved membership."""

    CONTACT = "contact"
    COORDINATOR = "coordinator"
    MUNICIPALITY = "municipality"


class LinkEnded(NotFound):
    """An invitation that does not exist, or no longer does."""

    room = "people"


class NotYourClub(NotAllowed):
    """A club contact may decide about members of the own club only."""

    room = "people"


class InvitationOver(NotFound):
    """An invitation to be a member that has been answered, or taken back."""

    status = 409
    room = "people"


class AlreadyDecided(NotFound):
    """Somebody else has already approved or declined this membership."""

    status = 409
    room = "people"


class NotYourRole(NotAllowed):
    """This visitor may neither give nor take that role."""

    room = "people"


class NotYourself(NotAllowed):
    """Nobody gives a role to herself."""

    room = "people"


class LastCoordinator(Conflict):
    """A partnership is never left without a coordinator."""

    room = "people"


def is_old(seen_on: date, today: date) -> bool:
    """Return whether an extract that was seen on a day should be asked for anew."""
    return today - seen_on > EXTRACT_HOLDS


def nowhere(person_id: int) -> str:
    """Return what stands where a forgotten person's number was: unique as numbers are, and none."""
    return f"forgotten-{person_id}"


def years_old(born_on: date, day: date) -> int:
    """Return full years of age on `day`. Who is born on 29 February is a year older on 1 March in a year
    without that day: in doubt, nobody walks a day too early."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def is_adult(born_on: date, day: date) -> bool:
    """Return whether somebody born on `born_on` has turned 18 on `day`."""
    return years_old(born_on, day) >= ADULT_YEARS


def birth_date(text: str, today: date) -> date:
    """Return the date that was typed: 1990-05-31, 19900531, 1990/5/31 or 31.5.1990.

    Raises Invalid("born_on", problem) with problem "empty", "identity_number" (four digits too many: they
    are never kept), "short_year", "not_a_date" (29 February 2007, month 13), "future", "too_old", "too_young".
    """
    typed = text.strip()
    if not typed:
        raise Invalid("born_on", "empty")
    if re.fullmatch(r"(\d{2})?\d{6}[-+ ]?\d{4}|\d{4}-\d{2}-\d{2}[-+ ]\d{4}", typed):
        raise Invalid("born_on", "identity_number")
    year_first = re.fullmatch(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})|(\d{4})(\d{2})(\d{2})", typed)
    day_first = re.fullmatch(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4})", typed)
    if year_first:
        parts = [part for part in year_first.groups() if part and part.isdecimal()]
        year, month, day = (int(part) for part in parts)
    elif day_first:
        year, month, day = int(day_first[4]), int(day_first[3]), int(day_first[1])
    elif re.fullmatch(r"\d{2}([-/. ]?)\d{1,2}\1\d{1,2}", typed):
        raise Invalid("born_on", "short_year")
    else:
        raise Invalid("born_on", "not_a_date")
    try:
        born_on = date(year, month, day)
    except ValueError:
        raise Invalid("born_on", "not_a_date") from None
    return grown_up(born_on, today)


def grown_up(born_on: date, today: date) -> date:
    """Return the date of birth of somebody who may have an account. Raises Invalid("born_on", problem) with problem
    "future", "too_old" or "too_young"."""
    if born_on > today:
        raise Invalid("born_on", "future")
    if years_old(born_on, today) > OLDEST_YEARS:
        raise Invalid("born_on", "too_old")
    if not is_adult(born_on, today):
        raise Invalid("born_on", "too_young")
    return born_on


def clean_name(field: str, text: str) -> str:
    """Return a name with its white space mended. Any letters of any script are welcome, also one alone.

    Raises Invalid(field, problem) with problem "empty", "too_long" (over 60 characters) or
    "unreadable" (control or direction-changing characters, which could forge what others read).
    """
    if any(_is_unreadable(character) for character in text):
        raise Invalid(field, "unreadable")
    name = " ".join(text.split())
    if not name:
        raise Invalid(field, "empty")
    if len(name) > LONGEST_NAME_CHARACTERS:
        raise Invalid(field, "too_long")
    return name


def _is_unreadable(character: str) -> bool:
    point = ord(character)
    control = point < 0x20 or 0x7F <= point < 0xA0  # noqa: PLR2004 - C0 and C1 of Unicode
    direction = 0x202A <= point <= 0x202E or 0x2066 <= point <= 0x2069 or point in {0x200E, 0x200F, 0x61C}  # noqa: PLR2004
    invisible = point in {0x200B, 0x2028, 0x2029, 0xFEFF} or 0xD800 <= point <= 0xDFFF  # noqa: PLR2004
    return (control and not character.isspace()) or direction or invisible


class Named(Protocol):
    """Somebody with a name and a birth date."""

    @property
    def first_name(self) -> str: ...
    @property
    def last_name(self) -> str: ...
    @property
    def born_on(self) -> date: ...


def is_same_person(known: Named, first_name: str, last_name: str, born_on: date) -> bool:
    """Return whether somebody who has the same number is surely the same: by two names, or one and the birth date.
    People marry, go by their second names and are put down a day wrong; two who share a telephone share a name."""
    names = (known.first_name, known.last_name), (first_name, last_name)
    mine, other = ({part for name in one for part in name.casefold().split()} for one in names)
    shared = len(mine & other)
    return shared > 1 or (shared == 1 and known.born_on == born_on)


@dataclass(frozen=True, slots=True)
class VisitorPerson:
    id: int
    first_name: str
    last_name: str
    language: str


@dataclass(frozen=True, slots=True)
class VisitorPartnership:
    """The tenant whose pages are looked at. Phones are E.164 or ""."""

    id: int
    name: str
    municipality: str
    host_name: str
    time_zone: str
    team_phone: str
    coordinator_phone: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever looks at a page. `roles` holds "volunteer" and the values of Role."""

    partnership: VisitorPartnership | None
    person: VisitorPerson | None = None
    session_id: int | None = None
    roles: frozenset[str] = frozenset()
    pending: bool = False
    invited: bool = False

    @property
    def signed_in(self) -> bool:
        return self.person is not None

    def may(self, permission: str) -> bool:
        """Return whether the table in `permissions.py` lets this visitor in."""
        from scheduler.people.permissions import allowed

        return allowed(permission, self)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who does something (None: the worker), when, for which partnership; `site` begins the links in texts."""

    partnership_id: int
    person_id: int | None
    now: datetime
    zone: ZoneInfo
    site: str


def roles_of(*, approved: bool, granted: Iterable[str]) -> frozenset[str]:
    """Return the words of the permission table for one person."""
    return frozenset([*granted, *(["volunteer"] if approved else [])])


class UnknownHost(NotFound):
    """The request names a host that no partnership has."""

    status = 400
    room = "people"


class NotSetUp(NotFound):
    """The database holds no partnership for the deployment's own address yet."""

    status = 503
    room = "people"


DEVICES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Macintosh", "Mac"),
    ("Windows", "Windows"),
    ("Linux", "Linux"),
)
BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari"))


def device_name(user_agent: str) -> str:
    """Return a short name for a device, from what its browser says of itself: "iPhone, Safari"."""
    device = next((name for mark, name in DEVICES if mark in user_agent), "")
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    return ", ".join(part for part in (device, browser) if part) or "?"

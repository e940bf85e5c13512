import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.kit.refusals import Invalid
from scheduler.nights.rules import NightFlag, ShiftState


class CalendarKind(StrEnum):
    """Whose or what nights a calendar shows. All but MINE are shared: they carry numbers, never names."""

    MINE = "mine"
    NIGHTS = "nights"
    AREA = "area"
    CLUB = "club"
    NEEDS = "needs"


class ChangeKind(StrEnum):
    """What a change may be seen in: a night's events, one shift's night, a person's walks, or everything."""

    NIGHT = "night"
    SHIFT = "shift"
    PERSON = "person"
    ALL = "all"


class BadAlarm(Invalid):
    """An alarm that is none of ALARM_MINUTES."""

    room = "calendars"


# Minutes before the start; None is no alarm, which is what everybody has who has not asked for one.
ALARM_MINUTES = (None, 60, 180, 1440)
# How long a walk stays in a calendar after it has ended.
OWN_WALKS_KEPT = timedelta(days=366)
SHARED_NIGHTS_KEPT = timedelta(days=35)
LOOKED_AT_AGAIN_AFTER = timedelta(days=30)
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
SELECTOR_CHARACTERS = 16
ONE_SECOND = timedelta(seconds=1)


def alarm_minutes(text: str) -> int | None:
    """Return the alarm that a form sent, "" for none. Raises BadAlarm for a number that is not on offer."""
    if not text:
        return None
    found = next((minutes for minutes in ALARM_MINUTES if str(minutes) == text), None)
    if found is None:
        raise BadAlarm("alarm", "not_offered")
    return found


# ---------------------------------------------------------------- addresses


def token(secret_key: str, nonce: str) -> str:
    """Return the secret part of an address: 256 bits that only who has the deployment's key can make of the nonce."""
    own_key = hmac.digest(secret_key.encode(), b"calendar addresses", "sha256")
    made = hmac.digest(own_key, nonce.encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def stored(token: str) -> tuple[str, str]:
    """Return what is stored of a token: the selector, by which the row is found, and the verifier, which is
    compared in constant time. Both are pieces of its SHA-256: neither leads back to an address."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    return digest[:SELECTOR_CHARACTERS], digest[SELECTOR_CHARACTERS:]


# ---------------------------------------------------------------- what is shown


@dataclass(frozen=True, slots=True)
class ShiftFacts:
    """What a calendar may show of a shift. `position` is latitude and longitude in degrees, where it is known;
    `names` are the first names of the others; `of_club` is how many walk for the calendar's club."""

    shift_id: int
    booking_id: int | None
    starts_at: datetime
    ends_at: datetime
    meeting_at: datetime
    area: str
    meeting_place: str
    municipality: str
    position: tuple[float, float] | None
    state: ShiftState
    minimum: int
    wanted: int
    booked: int
    flag: NightFlag
    host_club: str | None
    names: tuple[str, ...]
    of_club: int

    @property
    def called_off(self) -> bool:
        return self.state is ShiftState.CALLED_OFF


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that a reader can see of an event, in words and UTC instants. Equal contents look equal.
    `alarm` is how many minutes before the start, and what it says."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    title: str
    description: str
    location: str
    position: tuple[float, float] | None
    url: str
    cancelled: bool
    busy: bool
    alarm: tuple[int, str] | None

    @property
    def fingerprint(self) -> str:
        """Return a text that is the same for the same content, in every process and version of Python."""
        alarm = "" if self.alarm is None else f"{self.alarm[0]} {self.alarm[1]}"
        position = "" if self.position is None else f"{self.position[0]:.5f} {self.position[1]:.5f}"
        parts = (
            self.uid, self.starts_at.isoformat(), self.ends_at.isoformat(), self.title, self.description,
            self.location, position, self.url, str(self.cancelled), str(self.busy), alarm,
        )  # fmt: skip
        return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def shown_until(kind: CalendarKind, facts: ShiftFacts) -> datetime:
    """Return when an event leaves the calendar by the passing of time alone."""
    if kind is CalendarKind.NEEDS:
        return facts.starts_at
    if facts.called_off:
        return facts.ends_at
    return facts.ends_at + (OWN_WALKS_KEPT if kind is CalendarKind.MINE else SHARED_NIGHTS_KEPT)


def later(before: datetime | None, candidate: datetime) -> datetime:
    """Return the moment of a change, in whole seconds: `candidate`, but always after the one before. Calendar
    programs count in seconds, and some keep an event whose moment has not grown."""
    moment = candidate.replace(microsecond=0)
    return moment if before is None else max(moment, before + ONE_SECOND)


_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def one_line(text: str) -> str:
    """Return a name or place as one line: no control characters, nothing that turns the direction of reading."""
    return " ".join(_INVISIBLE.sub("", text.replace("\u2028", " ").replace("\u2029", " ")).split())


# ---------------------------------------------------------------- who reads

# The first mark that stands in the User-Agent decides; names are the makers' own.
PROGRAMS = (
    ("google-calendar", "Google Calendar"),
    ("googlebot", "Google"),
    ("thunderbird", "Thunderbird"),
    ("icsx5", "ICSx⁵"),
    ("outlook", "Outlook"),
    ("microsoft", "Outlook"),
    ("exchange", "Outlook"),
    ("nextcloud", "Nextcloud"),
    ("homeassistant", "Home Assistant"),
    ("home assistant", "Home Assistant"),
    ("home-assistant", "Home Assistant"),
    ("vdirsyncer", "vdirsyncer"),
    ("evolution", "Evolution"),
    ("akonadi", "KOrganizer"),
    ("iphone", "iPhone"),
    ("ios/", "iPhone"),
    ("dataaccessd", "iPhone"),
    ("ipad", "iPad"),
    ("calendaragent", "Mac"),
    ("macos", "Mac"),
    ("mac os x", "Mac"),
    ("mozilla", "Browser"),
)


def program(user_agent: str) -> str:
    """Return the name of the program that fetched, "" for one that we do not know. Only this is kept of it."""
    lowered = user_agent[:200].lower()
    return next((name for mark, name in PROGRAMS if mark in lowered), "")


class Way(StrEnum):
    """A way to take a calendar into a program."""

    PROGRAM = "program"
    GOOGLE = "google"
    OUTLOOK = "outlook"
    ADDRESS = "address"
    FILE = "file"


def ways(user_agent: str) -> tuple[Way, ...]:
    """Return every way, the one that suits the device first. Android has no program for webcal addresses."""
    if "Android" in user_agent:
        return (Way.GOOGLE, Way.ADDRESS, Way.FILE, Way.OUTLOOK, Way.PROGRAM)
    if "Windows" in user_agent:
        return (Way.OUTLOOK, Way.PROGRAM, Way.GOOGLE, Way.ADDRESS, Way.FILE)
    return (Way.PROGRAM, Way.GOOGLE, Way.OUTLOOK, Way.ADDRESS, Way.FILE)

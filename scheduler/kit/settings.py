"""Settings from the environment. Faults are reported all at once, each with what to do about it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

SHORTEST_SECRET_CHARACTERS = 32
# A text of 160 characters must hold a link and what it is about.
LONGEST_HOST_CHARACTERS = 60


class SettingsFault(SystemExit):
    """One or more settings are missing or wrong; the text lists all of them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides. `twilio_*` are empty where no SMS is to be sent."""

    database_url: str
    secret_key: str
    public_url: str
    time_zone: ZoneInfo
    demo: bool = False
    demo_now: datetime | None = None
    proxies: int = 0
    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    twilio_sender: str = ""
    twilio_api_base: str = "https://api.twilio.com"

    @property
    def public_host(self) -> str:
        """Return host and port of the public address, as a Host header spells them."""
        return urlsplit(self.public_url).netloc.lower()

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def sms_on(self) -> bool:
        """Return whether texts can leave: all three of account, token and sender are set."""
        return bool(self.twilio_account_sid and self.twilio_auth_token and self.twilio_sender)


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read all settings. Raises SettingsFault with every fault in one text."""
    given = os.environ if environment is None else environment
    faults: list[str] = []
    demo = _flag(given, "SCHEDULER_DEMO", faults)
    settings = Settings(
        database_url=given.get("SCHEDULER_DATABASE_URL") or _default_database_url(),
        secret_key=_secret_key(given, faults),
        public_url=_public_url(given, faults),
        time_zone=_time_zone(given, faults),
        demo=demo,
        demo_now=_demo_now(given, faults, demo=demo),
        proxies=_proxies(given, faults),
        twilio_account_sid=given.get("TWILIO_ACCOUNT_SID", ""),
        twilio_auth_token=given.get("TWILIO_AUTH_TOKEN", ""),
        twilio_sender=given.get("TWILIO_MESSAGING_SERVICE_SID", "") or given.get("TWILIO_FROM", ""),
        twilio_api_base=given.get("TWILIO_API_BASE", "") or "https://api.twilio.com",
    )
    some_twilio = settings.twilio_account_sid or settings.twilio_auth_token or settings.twilio_sender
    if some_twilio and not settings.sms_on:
        faults.append(
            "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and one of TWILIO_MESSAGING_SERVICE_SID or TWILIO_FROM "
            "go together: set all three, or none of them."
        )
    if not settings.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
        faults.append(
            "SCHEDULER_DATABASE_URL must begin with sqlite:/// or postgresql+psycopg:// "
            "(for example sqlite:////srv/lykta/scheduler.sqlite3)."
        )
    if faults:
        raise SettingsFault("The settings need mending:\n- " + "\n- ".join(faults))
    return settings


def _default_database_url() -> str:
    return f"sqlite:///{Path('var').absolute() / 'scheduler.sqlite3'}"


def _flag(given: Mapping[str, str], name: str, faults: list[str]) -> bool:
    value = given.get(name, "")
    if value not in {"", "0", "1"}:
        faults.append(f"{name} is 1 or 0, not {value!r}.")
    return value == "1"


def _secret_key(given: Mapping[str, str], faults: list[str]) -> str:
    secret = given.get("SCHEDULER_SECRET_KEY", "")
    if len(secret) < SHORTEST_SECRET_CHARACTERS:
        faults.append(
            f"SCHEDULER_SECRET_KEY must hold at least {SHORTEST_SECRET_CHARACTERS} characters. "
            'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    return secret


def _public_url(given: Mapping[str, str], faults: list[str]) -> str:
    address = given.get("SCHEDULER_PUBLIC_URL", "").rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
        faults.append(
            "SCHEDULER_PUBLIC_URL is the address that people use, scheme and host only, "
            "for example https://lykta.example."
        )
    elif len(parts.netloc) > LONGEST_HOST_CHARACTERS:
        faults.append(
            f"SCHEDULER_PUBLIC_URL: a host of more than {LONGEST_HOST_CHARACTERS} characters leaves no room in a text."
        )
    return address


def _time_zone(given: Mapping[str, str], faults: list[str]) -> ZoneInfo:
    name = given.get("SCHEDULER_TIMEZONE", "") or "Europe/Stockholm"
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        faults.append(f"SCHEDULER_TIMEZONE {name!r} is no time zone; for example Europe/Stockholm.")
        return ZoneInfo("Europe/Stockholm")


def _demo_now(given: Mapping[str, str], faults: list[str], *, demo: bool) -> datetime | None:
    text = given.get("SCHEDULER_DEMO_NOW", "")
    if not text:
        return None
    if not demo:
        faults.append("SCHEDULER_DEMO_NOW is for the demo alone: unset it, or set SCHEDULER_DEMO=1.")
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        faults.append("SCHEDULER_DEMO_NOW is an instant with its offset, for example 2026-11-27T18:00:00+01:00.")
        return None
    return instant


def _proxies(given: Mapping[str, str], faults: list[str]) -> int:
    text = given.get("SCHEDULER_PROXIES", "") or "0"
    if not text.isdecimal():
        faults.append("SCHEDULER_PROXIES is the number of proxies in front of the server: 0, 1, 2 …")
        return 0
    return int(text)

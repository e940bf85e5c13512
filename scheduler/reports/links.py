"""The municipality's reader link: the reports without an account, until a time and for so many views."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe

from sqlalchemy import Connection, insert, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.refusals import Invalid
from scheduler.people.rules import Acting
from scheduler.reports.rules import LinkOver, NoReport
from scheduler.reports.tables import ReaderLink

SECRET_BYTES = 24
MOST_DAYS = 90
MOST_VIEWS = 200
LONGEST_WHOM_CHARACTERS = 80


def make_link(connection: Connection, acting: Acting, whom: str, days: int, views: int) -> str:
    """Make a link and return its secret, which is told once and kept nowhere. Raises Invalid for a name that is
    empty or too long, and for days or views out of range."""
    name = " ".join(whom.split())
    if not 0 < len(name) <= LONGEST_WHOM_CHARACTERS:
        raise Invalid("whom", "length")
    if not 1 <= days <= MOST_DAYS or not 1 <= views <= MOST_VIEWS:
        raise Invalid("days", "range")
    secret = token_urlsafe(SECRET_BYTES)
    connection.execute(
        insert(ReaderLink).values(
            partnership_id=acting.partnership_id,
            secret_hash=_hash(secret),
            whom=name,
            made_at=acting.now,
            ends_at=acting.now + timedelta(days=days),
            views_left=views,
        )
    )
    _tell(connection, acting, "report.link_made", {"to": name, "days": days, "views": views})
    return secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _tell(connection: Connection, acting: Acting, what: str, after: dict[str, object]) -> None:
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, Change(what, after=after))


def look(connection: Connection, partnership_id: int, secret: str, now: datetime) -> str:
    """Count one view and return for whom the link is. Raises LinkOver for one that has ended or never was.

    The view is taken by a guarded write, so many at once never pass the number.
    """
    whom = connection.execute(
        update(ReaderLink)
        .where(
            ReaderLink.partnership_id == partnership_id,
            ReaderLink.secret_hash == _hash(secret),
            ReaderLink.ended_at.is_(None),
            ReaderLink.ends_at > now,
            ReaderLink.views_left > 0,
        )
        .values(views_left=ReaderLink.views_left - 1)
        .returning(ReaderLink.whom)
    ).scalar()
    if whom is None:
        raise LinkOver
    return whom


def end_link(connection: Connection, acting: Acting, link_id: int) -> None:
    """End a link at once; ending it again changes nothing. Raises NoReport for one that is not here."""
    found = connection.execute(
        update(ReaderLink)
        .where(ReaderLink.id == link_id, ReaderLink.partnership_id == acting.partnership_id)
        .values(ended_at=acting.now)
        .returning(ReaderLink.whom)
    ).scalar()
    if found is None:
        raise NoReport
    _tell(connection, acting, "report.link_ended", {"to": found})


@dataclass(frozen=True, slots=True)
class LinkView:
    id: int
    whom: str
    ends_at: datetime
    views_left: int


def links(connection: Connection, partnership_id: int, now: datetime) -> list[LinkView]:
    """Return the links that still work, the soonest to end first."""
    rows = connection.execute(
        select(ReaderLink.id, ReaderLink.whom, ReaderLink.ends_at, ReaderLink.views_left)
        .where(
            ReaderLink.partnership_id == partnership_id,
            ReaderLink.ended_at.is_(None),
            ReaderLink.ends_at > now,
            ReaderLink.views_left > 0,
        )
        .order_by(ReaderLink.ends_at)
    )
    return [LinkView(*row) for row in rows]

"""What a coordinator vouches for: that somebody may lead a walk, and that her extract from the criminal records was
seen. Of the extract nothing is kept but the day; whether it said anything is nowhere written down."""

from datetime import date

from sqlalchemy import Connection, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnyRow
from scheduler.kit.refusals import NotFound
from scheduler.people.rules import Acting
from scheduler.people.tables import Person


def let_lead(connection: Connection, acting: Acting, person_id: int, *, may: bool) -> None:
    """Note that somebody may lead walks, or no longer. What is so already stays as it is. Raises NotFound."""
    before = _held(connection, acting, person_id)
    if (before.may_lead_since is not None) is may:
        return
    since = acting.now if may else None
    connection.execute(update(Person).where(Person.id == person_id).values(may_lead_since=since))
    _tell(connection, acting, person_id, "person.may_lead", {"may_lead": not may}, {"may_lead": may})


def note_extract(connection: Connection, acting: Acting, person_id: int, seen_on: date | None) -> None:
    """Note the day on which somebody's extract was seen; None takes it back. Raises NotFound."""
    before = _held(connection, acting, person_id).extract_seen_on
    if before == seen_on:
        return
    connection.execute(update(Person).where(Person.id == person_id).values(extract_seen_on=seen_on))
    days = ({"seen_on": day.isoformat() if day is not None else None} for day in (before, seen_on))
    _tell(connection, acting, person_id, "person.extract", *days)


def _held(connection: Connection, acting: Acting, person_id: int) -> AnyRow:
    """Hold a person and return what is vouched for of her: of two who change it, the second sees what the first has
    written."""
    mine = Person.id == person_id, Person.partnership_id == acting.partnership_id, Person.forgotten_at.is_(None)
    if connection.execute(update(Person).where(*mine).values(language=Person.language)).rowcount != 1:
        raise NotFound
    found: AnyRow = connection.execute(select(Person.may_lead_since, Person.extract_seen_on).where(*mine)).one()
    return found


def _tell(
    connection: Connection,
    acting: Acting,
    person_id: int,
    what: str,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    change = Change(what, person_id=person_id, before=before, after=after)
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)

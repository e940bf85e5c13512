"""A coordinator's note on somebody, which nobody else reads.

Only its writer sees it in the product; it is among what its subject may take along of own data. It is forgotten a
year after it was last changed, and with its writer's role.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnyRow
from scheduler.kit.refusals import NotFound
from scheduler.kit.upsert import upsert
from scheduler.people.rules import Acting
from scheduler.people.tables import Person, PersonNote

# As long as Swedish law lets an unfinished note be kept from its subject (SFS 2018:218, 5 kap. 2 §).
KEPT = timedelta(days=365)
LONGEST_CHARACTERS = 1000


def mine(connection: Connection, writer_id: int, person_id: int, now: datetime) -> AnyRow | None:
    """Return `text` and `written_at` of the writer's own note on somebody, or None."""
    row: AnyRow | None = connection.execute(
        select(PersonNote.text, PersonNote.written_at).where(
            PersonNote.writer_person_id == writer_id,
            PersonNote.person_id == person_id,
            PersonNote.written_at > now - KEPT,
        )
    ).first()
    return row


def about(connection: Connection, person_id: int) -> list[AnyRow]:
    """Return `text` and `written_at` of every note on somebody, for that person's own data."""
    found = select(PersonNote.text, PersonNote.written_at).where(PersonNote.person_id == person_id)
    return list(connection.execute(found.order_by(PersonNote.written_at)))


def write(connection: Connection, acting: Acting, person_id: int, text: str) -> None:
    """Keep the acting person's note on somebody in the place of the one before; "" takes it away. That there is one
    stands in the log, what it says does not. Raises NotFound."""
    assert acting.person_id is not None
    known = select(Person.id).where(
        Person.id == person_id, Person.partnership_id == acting.partnership_id, Person.forgotten_at.is_(None)
    )
    if connection.execute(known).first() is None:
        raise NotFound
    before = mine(connection, acting.person_id, person_id, acting.now)
    if text == (before.text if before is not None else ""):
        return
    key = {"writer_person_id": acting.person_id, "person_id": person_id}
    if text:
        values = {"text": text, "written_at": acting.now}
        upsert(connection, PersonNote, key, values, partnership_id=acting.partnership_id)
    else:
        connection.execute(
            delete(PersonNote).where(PersonNote.writer_person_id == acting.person_id, PersonNote.person_id == person_id)
        )
    change = Change("person.noted" if text else "person.note_gone", person_id=person_id)
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


def forget_by(connection: Connection, writer_id: int) -> None:
    """Forget all that somebody has noted."""
    connection.execute(delete(PersonNote).where(PersonNote.writer_person_id == writer_id))


def forget_old(connection: Connection, now: datetime) -> int:
    """Forget notes that nobody has changed for a year; return how many."""
    return connection.execute(delete(PersonNote).where(PersonNote.written_at <= now - KEPT)).rowcount

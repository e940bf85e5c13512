"""A new number that a coordinator notes for somebody: its owner is asked by text, and it is used after a yes."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.phone import masked
from scheduler.kit.refusals import Invalid, NotFound
from scheduler.messages import standing
from scheduler.messages.actions import Recipient, Text, drop, queue
from scheduler.messages.rules import MessageKind, allowed_at
from scheduler.people.changing_number import Owner, give_number
from scheduler.people.queries import digest, person_by_phone
from scheduler.people.rules import Acting
from scheduler.people.tables import Person, SignInCode

LIVES = timedelta(days=3)
# Such a row is no code: nothing that is typed has this hash.
NO_CODE = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A number that waits for its owner's yes."""

    phone: str
    first_name: str
    asked_at: datetime


def _hash(token: str) -> str:
    # Never to be found by a sign-in, nor the other way round.
    return digest(f"asked number:{token}")


def _about(person_id: int) -> str:
    return f"new_number:{person_id}"


def note_number(connection: Connection, acting: Acting, person_id: int, phone: str) -> None:
    """Ask the new number (E.164) whether it is this person's; until the yes the old one stays. The number that the
    person has already is used again at once, since somebody has looked at it.

    An earlier question that waits is taken back. Raises NotFound, and Invalid for a number that somebody else has.
    """
    person = connection.execute(
        select(Person.phone, Person.first_name, Person.language).where(
            Person.id == person_id, Person.partnership_id == acting.partnership_id, Person.forgotten_at.is_(None)
        )
    ).first()
    if person is None:
        raise NotFound
    holder = person_by_phone(connection, acting.partnership_id, phone)
    if holder is not None and holder.id != person_id:
        raise Invalid("phone", "taken")
    _take_back(connection, person_id, acting.now)
    standing.revive(connection, phone)
    if phone == person.phone:
        return
    token = secrets.token_urlsafe(16)
    code_id = connection.execute(
        insert(SignInCode)
        .values(
            partnership_id=acting.partnership_id,
            challenge_hash=_hash(token),
            code_hash=NO_CODE,
            person_id=person_id,
            joining={"phone": phone},
            tries_left=1,
            created_at=acting.now,
            expires_at=acting.now + LIVES,
        )
        .returning(SignInCode.id)
    ).scalar_one()
    text = Text(
        kind=MessageKind.NUMBER_ASKED,
        fact=f"new_number:{code_id}",
        about=_about(person_id),
        words={"name": person.first_name, "link": f"{acting.site}/number/{token}"},
        due_at=allowed_at(acting.now, acting.zone),
        deadline_at=acting.now + LIVES,
    )
    queue(connection, acting.partnership_id, Recipient(phone, person.language, person_id), text, acting.now)
    change = Change("person.number_asked", person_id=person_id, after={"to": masked(phone)})
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


def _take_back(connection: Connection, person_id: int, now: datetime) -> None:
    connection.execute(
        update(SignInCode)
        .where(SignInCode.person_id == person_id, SignInCode.code_hash == NO_CODE, SignInCode.used_at.is_(None))
        .values(used_at=now, joining=None)
    )
    drop(connection, _about(person_id), now)


def waiting(connection: Connection, person_id: int, now: datetime) -> Asked | None:
    """Return the number that was noted for a person and waits for a yes, or None."""
    return _asked(connection, now, SignInCode.person_id == person_id)


def asked(connection: Connection, partnership_id: int, token: str, now: datetime) -> Asked | None:
    """Return what the link of a text asks about; None when it has been answered or is too old."""
    mine = (SignInCode.challenge_hash == _hash(token)) & (SignInCode.partnership_id == partnership_id)
    return _asked(connection, now, mine)


def _asked(connection: Connection, now: datetime, which: object) -> Asked | None:
    row = connection.execute(
        select(SignInCode.joining, SignInCode.created_at, Person.first_name)
        .join(Person, Person.id == SignInCode.person_id)
        .where(
            which,  # type: ignore[arg-type]
            SignInCode.code_hash == NO_CODE,
            SignInCode.used_at.is_(None),
            SignInCode.expires_at > now,
        )
    ).first()
    return Asked(str((row.joining or {})["phone"]), row.first_name, row.created_at) if row is not None else None


def accept(connection: Connection, owner: Owner, token: str, now: datetime) -> bool:
    """Make the number that the link asks about the person's: every device is signed out, and the old number is
    told. False when the link has been used, is too old, or somebody else has the number meanwhile."""
    taken = connection.execute(
        select(SignInCode.id, SignInCode.person_id, SignInCode.joining, Person.language)
        .join(Person, Person.id == SignInCode.person_id)
        .where(
            SignInCode.challenge_hash == _hash(token),
            SignInCode.partnership_id == owner.partnership_id,
            SignInCode.used_at.is_(None),
            SignInCode.expires_at > now,
        )
    ).first()
    if taken is None or taken.person_id is None:
        return False
    phone = str((taken.joining or {})["phone"])
    holder = person_by_phone(connection, owner.partnership_id, phone)
    once = update(SignInCode).where(SignInCode.id == taken.id, SignInCode.used_at.is_(None))
    used = connection.execute(once.values(used_at=now, joining=None)).rowcount
    if not used or (holder is not None and holder.id != taken.person_id):
        return False
    give_number(connection, owner.of(taken.person_id, taken.language), phone, now)
    return True

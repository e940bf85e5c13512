"""Changing one's number: the new one is proven by a code before anything is changed."""

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.phone import as_swedes_write, masked
from scheduler.messages import standing
from scheduler.messages.actions import Recipient, Text, drop, queue
from scheduler.messages.rules import MessageKind
from scheduler.people.queries import digest, person_by_phone
from scheduler.people.rules import Visitor
from scheduler.people.signing_in import (
    CODE_DIGITS,
    CODE_LIVES,
    MOST_CODES_PER_NUMBER,
    TRIES,
    Answer,
    Outcome,
    code_hash,
    over_limit,
)
from scheduler.people.tables import Person, SignInCode, SignInSession


def _challenge_hash(challenge: str) -> str:
    # Never to be found by a sign-in, nor the other way round.
    return digest(f"number:{challenge}")


def ask_for_number_code(
    connection: Connection, visitor: Visitor, phone: str, now: datetime, *, host: str, secret_key: str
) -> str | None:
    """Queue a code to the new number (E.164) and return the challenge that the browser keeps; None over the
    limit. A number that somebody has already gets no code, and the answer is the same."""
    assert visitor.partnership is not None
    assert visitor.person is not None
    if over_limit(connection, f"number change:{visitor.person.id}", MOST_CODES_PER_NUMBER, now):
        return None
    challenge, code = secrets.token_urlsafe(24), f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    code_id = connection.execute(
        insert(SignInCode)
        .values(
            partnership_id=visitor.partnership.id,
            challenge_hash=_challenge_hash(challenge),
            code_hash=code_hash(secret_key, challenge, code),
            person_id=visitor.person.id,
            joining={"phone": phone},
            tries_left=TRIES,
            created_at=now,
            expires_at=now + CODE_LIVES,
        )
        .returning(SignInCode.id)
    ).scalar_one()
    holder = person_by_phone(connection, visitor.partnership.id, phone)
    if holder is None or holder.id == visitor.person.id:
        # Somebody has looked at the number: it is tried again even if no text reached it before.
        standing.revive(connection, phone)
        queue(
            connection,
            visitor.partnership.id,
            Recipient(phone, visitor.person.language, visitor.person.id),
            Text(
                kind=MessageKind.NUMBER_CODE,
                fact=f"code:{code_id}",
                about=f"code:{code_id}",
                words={"code": code, "host": host},
                due_at=now,
                deadline_at=now + CODE_LIVES,
            ),
            now,
        )
    return challenge


def change_number(
    connection: Connection, visitor: Visitor, challenge: str, typed: str, now: datetime, *, secret_key: str
) -> Answer:
    """Compare the typed code and, if it is right, make the proven number the person's.

    Every other device is signed out, and the old number is told.
    """
    assert visitor.partnership is not None
    assert visitor.person is not None
    taken = connection.execute(
        update(SignInCode)
        .where(
            SignInCode.challenge_hash == _challenge_hash(challenge),
            SignInCode.person_id == visitor.person.id,
            SignInCode.tries_left > 0,
            SignInCode.used_at.is_(None),
            SignInCode.expires_at > now,
        )
        .values(tries_left=SignInCode.tries_left - 1)
        .returning(SignInCode.id, SignInCode.code_hash, SignInCode.tries_left, SignInCode.joining)
    ).first()
    if taken is None:
        return Answer(Outcome.ENDED)
    digits = "".join(character for character in typed if character.isdecimal())
    phone = str((taken.joining or {})["phone"])
    holder = person_by_phone(connection, visitor.partnership.id, phone)
    free = holder is None or holder.id == visitor.person.id
    if not hmac.compare_digest(taken.code_hash, code_hash(secret_key, challenge, digits)) or not free:
        return Answer(Outcome.WRONG if taken.tries_left else Outcome.ENDED, tries_left=taken.tries_left)
    connection.execute(update(SignInCode).where(SignInCode.id == taken.id).values(used_at=now, joining=None))
    drop(connection, f"code:{taken.id}", now)
    partnership, person = visitor.partnership, visitor.person
    owner = Owner(partnership.id, partnership.coordinator_phone, person.id, person.language, visitor.session_id)
    give_number(connection, owner, phone, now)
    return Answer(Outcome.SIGNED_IN)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose number changes. `session_id` is the one device that stays signed in."""

    partnership_id: int
    coordinator_phone: str
    person_id: int = 0
    language: str = ""
    session_id: int | None = None

    def of(self, person_id: int, language: str) -> "Owner":
        return replace(self, person_id=person_id, language=language)


def give_number(connection: Connection, owner: Owner, phone: str, now: datetime) -> None:
    """Make a proven number a person's: every other device is signed out, and the old number is told."""
    old = connection.execute(select(Person.phone).where(Person.id == owner.person_id)).scalar_one()
    standing.start(connection, phone)
    if old == phone:
        return
    connection.execute(
        update(Person).where(Person.id == owner.person_id).values(phone=phone, revision=Person.revision + 1)
    )
    others = SignInSession.person_id == owner.person_id, SignInSession.ended_at.is_(None)
    connection.execute(
        update(SignInSession)
        .where(*others, *([SignInSession.id != owner.session_id] if owner.session_id is not None else []))
        .values(ended_at=now)
    )
    change = Change("person.number", person_id=owner.person_id, before={"to": masked(old)}, after={"to": masked(phone)})
    audit.record(connection, owner.partnership_id, now, owner.person_id, change)
    text = Text(
        kind=MessageKind.NUMBER_CHANGED,
        fact=f"number:{owner.person_id}:{int(now.timestamp())}",
        about=f"old_number:{owner.person_id}",
        words={"phone": as_swedes_write(owner.coordinator_phone)},
        due_at=now,
        deadline_at=now + CODE_LIVES * 6,
    )
    queue(connection, owner.partnership_id, Recipient(old, owner.language, owner.person_id), text, now)

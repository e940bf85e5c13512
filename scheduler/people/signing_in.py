"""Signing in: a six-digit code to the phone, and sessions that can be ended per device.

A code is kept as a keyed hash, lives ten minutes, works once, in the browser that asked for it, and five
guesses are compared at most. Each guess is taken by one atomic UPDATE, so that parallel guesses cannot
be compared for free. Limits are counted in the database and hold for any number of processes.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, exists, insert, or_, update

from scheduler.kit.upsert import insertion
from scheduler.messages.actions import Recipient, Text, drop, queue
from scheduler.messages.rules import MessageKind
from scheduler.messages.tables import PhoneStanding
from scheduler.people.actions import Joining, finish_joining
from scheduler.people.inviting import invitations
from scheduler.people.queries import digest, person_by_phone
from scheduler.people.tables import LimitCount, Person, SignInCode, SignInSession

CODE_LIVES = timedelta(minutes=10)
TRIES = 5
WINDOW = timedelta(hours=1)
MOST_CODES_PER_NUMBER = 6
MOST_CODES_PER_ADDRESS = 60
LONGEST_DEVICE_CHARACTERS = 60
SEEN_EVERY = timedelta(hours=1)
CODE_DIGITS = 6
# The cookie of a device that is not used ends after sixty days.
ENDED_KEPT, UNUSED_KEPT = timedelta(days=30), timedelta(days=90)


class Outcome(StrEnum):
    SIGNED_IN = "signed_in"
    WRONG = "wrong"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a typed code. `secret` is the new session's, `joined` whether this made a member, `invited`
    whether a club waits for the person's answer."""

    outcome: Outcome
    tries_left: int = 0
    secret: str = ""
    joined: bool = False
    invited: bool = False


def over_limit(connection: Connection, key: str, most: int, now: datetime) -> bool:
    """Count one more use of `key` in this hour and return whether it is one too many."""
    window_starts_at = now.replace(minute=0, second=0, microsecond=0)
    counting = insertion(connection, LimitCount).on_conflict_do_update(
        index_elements=[LimitCount.key, LimitCount.window_starts_at], set_={"count": LimitCount.count + 1}
    )
    count: int = connection.execute(
        counting.returning(LimitCount.count), {"key": key, "window_starts_at": window_starts_at, "count": 1}
    ).scalar_one()
    return count > most


def ask_for_code(
    connection: Connection,
    partnership_id: int,
    phone: str,
    now: datetime,
    *,
    address: str,
    host: str,
    secret_key: str,
    joining: Joining | None = None,
) -> str | None:
    """Queue a code to `phone` (E.164) and return the challenge that the asking browser keeps.

    Returns None over the limit. A number that nobody has gets the same answer and costs the same work.
    """
    # Numbers and addresses are counted under a keyed hash: the table tells nobody who tried.
    by_number = over_limit(
        connection, _keyed(secret_key, f"number:{partnership_id}:{phone}"), MOST_CODES_PER_NUMBER, now
    )
    by_address = over_limit(connection, _keyed(secret_key, f"address:{address}"), MOST_CODES_PER_ADDRESS, now)
    if by_number or by_address:
        return None
    person = person_by_phone(connection, partnership_id, phone)
    challenge = secrets.token_urlsafe(24)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    code_id = connection.execute(
        insert(SignInCode)
        .values(
            partnership_id=partnership_id,
            challenge_hash=digest(challenge),
            code_hash=code_hash(secret_key, challenge, code),
            person_id=person.id if person is not None else None,
            joining=dict(joining) if joining is not None else None,
            tries_left=TRIES,
            created_at=now,
            expires_at=now + CODE_LIVES,
        )
        .returning(SignInCode.id)
    ).scalar_one()
    if person is None and joining is None:
        drop(connection, f"code:{code_id}", now)
        return challenge
    language = person.language if person is not None else joining["language"] if joining else "sv"
    queue(
        connection,
        partnership_id,
        Recipient(phone, language, person.id if person is not None else None),
        Text(
            kind=MessageKind.SIGN_IN_CODE,
            fact=f"code:{code_id}",
            about=f"code:{code_id}",
            words={"code": code, "host": host},
            due_at=now,
            deadline_at=now + CODE_LIVES,
        ),
        now,
    )
    return challenge


def answer_code(
    connection: Connection,
    partnership_id: int,
    challenge: str,
    typed: str,
    now: datetime,
    *,
    secret_key: str,
    device: str,
) -> Answer:
    """Compare a typed code, once, and sign in if it is right."""
    taken = connection.execute(
        update(SignInCode)
        .where(
            SignInCode.challenge_hash == digest(challenge),
            SignInCode.partnership_id == partnership_id,
            SignInCode.tries_left > 0,
            SignInCode.used_at.is_(None),
            SignInCode.expires_at > now,
        )
        .values(tries_left=SignInCode.tries_left - 1)
        .returning(SignInCode.id, SignInCode.code_hash, SignInCode.tries_left, SignInCode.person_id, SignInCode.joining)
    ).first()
    if taken is None:
        return Answer(Outcome.ENDED)
    digits = "".join(character for character in typed if character.isdecimal())
    right = hmac.compare_digest(taken.code_hash, code_hash(secret_key, challenge, digits))
    if not right or (taken.person_id is None and taken.joining is None):
        return Answer(Outcome.WRONG if taken.tries_left else Outcome.ENDED, tries_left=taken.tries_left)
    connection.execute(update(SignInCode).where(SignInCode.id == taken.id).values(used_at=now, joining=None))
    drop(connection, f"code:{taken.id}", now)
    person_id = taken.person_id
    if taken.joining is not None:
        person_id = finish_joining(connection, partnership_id, taken.joining, now)
    secret = start_session(connection, partnership_id, person_id, device, now)
    asked = bool(person_id is not None and invitations(connection, person_id))
    return Answer(Outcome.SIGNED_IN, secret=secret, joined=taken.joining is not None, invited=asked)


def start_session(connection: Connection, partnership_id: int, person_id: int, device: str, now: datetime) -> str:
    """Sign a person in on a device and return the session's secret, which is stored nowhere."""
    secret = secrets.token_urlsafe(32)
    connection.execute(
        insert(SignInSession).values(
            partnership_id=partnership_id,
            person_id=person_id,
            secret_hash=digest(secret),
            device=device[:LONGEST_DEVICE_CHARACTERS],
            created_at=now,
            last_seen_at=now,
        )
    )
    return secret


def end_session(connection: Connection, person_id: int, session_id: int, now: datetime) -> bool:
    """End one of the person's own sessions; return whether there was one to end."""
    return (
        connection.execute(
            update(SignInSession)
            .where(
                SignInSession.id == session_id,
                SignInSession.person_id == person_id,
                SignInSession.ended_at.is_(None),
            )
            .values(ended_at=now)
        ).rowcount
        == 1
    )


def note_seen(connection: Connection, session_id: int, now: datetime) -> None:
    """Note that a device was used, at most once an hour."""
    connection.execute(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.last_seen_at < now - SEEN_EVERY)
        .values(last_seen_at=now)
    )


def forget_old(connection: Connection, now: datetime) -> int:
    """Delete codes that have ended and limits of past hours; return how many rows went."""
    codes = connection.execute(delete(SignInCode).where(SignInCode.expires_at < now - WINDOW)).rowcount
    return codes + connection.execute(delete(LimitCount).where(LimitCount.window_starts_at < now - 2 * WINDOW)).rowcount


def code_hash(secret_key: str, challenge: str, code: str) -> str:
    """Return what is stored of a code: worthless without the deployment's key and the browser's challenge."""
    return _keyed(secret_key, f"code:{challenge}:{code}")


def _keyed(secret_key: str, text: str) -> str:
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def forget_sessions(connection: Connection, now: datetime) -> int:
    """Delete devices that were signed out over a month ago, or not used for three; return how many."""
    old = or_(SignInSession.ended_at < now - ENDED_KEPT, SignInSession.last_seen_at < now - UNUSED_KEPT)
    return connection.execute(delete(SignInSession).where(old)).rowcount


def forget_numbers(connection: Connection) -> int:
    """Delete what is known of numbers that nobody has any more; return how many."""
    nobodys = ~exists().where(Person.phone == PhoneStanding.phone)
    return connection.execute(delete(PhoneStanding).where(nobodys)).rowcount

"""Verbs on member lists: keep what was read, choose its columns, bring it in, forget it."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, update

from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.people.inviting import Invited, Newcomer, invite_many
from scheduler.people.rules import Acting
from scheduler.registers.columns import Register
from scheduler.registers.queries import LIVES, Preview
from scheduler.registers.rules import Field
from scheduler.registers.tables import MemberList


def keep(connection: Connection, acting: Acting, club_id: int, register: Register) -> int:
    """Keep what was read, in place of what the same person has sent before, and return the list's id."""
    connection.execute(delete(MemberList).where(MemberList.person_id == acting.person_id))
    return connection.execute(
        insert(MemberList)
        .values(
            partnership_id=acting.partnership_id,
            person_id=acting.person_id,
            club_id=club_id,
            read_at=acting.now,
            columns=[[column.heading, column.samples] for column in register.columns],
            fields={field.value: at for field, at in register.guessed.items()},
            rows=register.rows,
            outcome=None,
        )
        .returning(MemberList.id)
    ).scalar_one()


def choose_columns(connection: Connection, list_id: int, fields: dict[Field, int]) -> None:
    """Keep which column is which field."""
    connection.execute(
        update(MemberList)
        .where(MemberList.id == list_id)
        .values(fields={field.value: at for field, at in fields.items()})
    )


def bring_in(connection: Connection, acting: Acting, seen: Preview, *, tell: bool) -> Invited:
    """Invite everybody on the list who can be, in the caller's transaction."""
    newcomers = [
        Newcomer(row.first_name, row.last_name, row.phone, row.born_on, row.club_id)
        for row in seen.coming
        if row.born_on is not None and row.club_id is not None
    ]
    done = invite_many(connection, acting, newcomers, tell=tell)
    change = Change("people.imported", after={"people": done.invited})
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)
    return done


def use_up(connection: Connection, list_id: int, acting: Acting, seen: Preview, *, tell: bool) -> None:
    """Bring a kept list in, once: a second tap finds that it has come in. Its rows are gone afterwards."""
    mine = update(MemberList).where(MemberList.id == list_id)
    taken = connection.execute(mine.where(MemberList.outcome.is_(None)).values(rows=[], columns=[], outcome={}))
    if taken.rowcount != 1:
        return
    done = bring_in(connection, acting, seen, tell=tell)
    outcome = {
        "invited": done.invited,
        "told": done.told,
        "left_out": done.left_out,
        "faulty": seen.faulty,
        "already": len(seen.rows) - len(seen.coming) - seen.faulty,
    }
    connection.execute(mine.values(outcome=outcome))


def drop_list(connection: Connection, list_id: int) -> None:
    """Forget a list that is not to come in."""
    connection.execute(delete(MemberList).where(MemberList.id == list_id))


def forget_lists(connection: Connection, now: datetime) -> int:
    """Delete the lists that are an hour old, used or not; return how many."""
    return connection.execute(delete(MemberList).where(MemberList.read_at <= now - LIVES)).rowcount

from datetime import datetime
from secrets import token_urlsafe

from sqlalchemy import Connection, insert, select, update

from scheduler.bookings.places import hold
from scheduler.calendars import making, queries, rules
from scheduler.calendars.rules import CalendarKind
from scheduler.calendars.tables import Calendar, CalendarFeed
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import Database
from scheduler.people.rules import Acting

NONCE_BYTES = 24
MADE_IN_ONE_PASS = 200


def open_feed(
    connection: Connection, acting: Acting, kind: CalendarKind, subject_id: int, language: str, secret_key: str
) -> None:
    """Give the person an address of a calendar, unless there is one that works. The caller has checked that the
    person may see it. A shared calendar speaks the language of the moment, as long as its address lasts."""
    assert acting.person_id is not None, "the worker subscribes to nothing"
    hold(connection, acting.partnership_id, [acting.person_id])
    if queries.feed(connection, acting.person_id, kind, subject_id, secret_key) is not None:
        return
    calendar_id = _calendar(connection, acting, kind, subject_id, language)
    nonce = token_urlsafe(NONCE_BYTES)
    selector, verifier = rules.stored(rules.token(secret_key, nonce))
    connection.execute(
        insert(CalendarFeed).values(
            partnership_id=acting.partnership_id,
            person_id=acting.person_id,
            calendar_id=calendar_id,
            nonce=nonce,
            selector=selector,
            verifier=verifier,
            made_at=acting.now,
        )
    )


def _calendar(connection: Connection, acting: Acting, kind: CalendarKind, subject_id: int, language: str) -> int:
    """Return the calendar of this kind, subject and language; a new one is stale until its first poll."""
    spoken = "" if kind is CalendarKind.MINE else language
    wanted = select(Calendar.id).where(
        Calendar.partnership_id == acting.partnership_id,
        Calendar.kind == kind,
        Calendar.subject_id == subject_id,
        Calendar.language == spoken,
    )
    found = connection.execute(wanted).scalar()
    if found is not None:
        return found
    return connection.execute(
        insert(Calendar)
        .values(
            partnership_id=acting.partnership_id,
            kind=kind,
            subject_id=subject_id,
            language=spoken,
            body=b"",
            body_bytes=0,
            etag="",
            changed_at=acting.now,
            fresh_until=making.STALE,
            made_for="",
            revision=0,
        )
        .returning(Calendar.id)
    ).scalar_one()


def change_address(
    connection: Connection, acting: Acting, kind: CalendarKind, subject_id: int, language: str, secret_key: str
) -> None:
    """End the person's address of a calendar for ever and give a new one."""
    assert acting.person_id is not None, "the worker subscribes to nothing"
    hold(connection, acting.partnership_id, [acting.person_id])
    calendars = select(Calendar.id).where(Calendar.kind == kind, Calendar.subject_id == subject_id)
    connection.execute(
        update(CalendarFeed)
        .where(
            CalendarFeed.person_id == acting.person_id,
            CalendarFeed.ended_at.is_(None),
            CalendarFeed.calendar_id.in_(calendars),
        )
        .values(ended_at=acting.now)
    )
    open_feed(connection, acting, kind, subject_id, language, secret_key)
    change = Change("calendar.address_changed", person_id=acting.person_id)
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


def choose_alarm(connection: Connection, acting: Acting, minutes: int | None) -> None:
    """Let the person's own calendar ring so many minutes before each walk, or (None) never."""
    connection.execute(
        update(Calendar)
        .where(
            Calendar.partnership_id == acting.partnership_id,
            Calendar.kind == CalendarKind.MINE,
            Calendar.subject_id == acting.person_id,
        )
        .values(alarm_minutes=minutes, fresh_until=making.STALE)
    )


def make_what_is_stale(database: Database, public_url: str, now: datetime) -> int:
    """Note all changes and make the calendars that somebody reads, each in a transaction of its own, so that most
    polls find them made; return how many were made."""
    with database.reading() as connection:
        changed = queries.partnerships_changed(connection)
    for partnership_id in changed:
        database.write(lambda unit, partnership_id=partnership_id: making.note_changes(unit, partnership_id, now))  # type: ignore[misc]
    with database.reading() as connection:
        stale = queries.stale_calendars(connection, making.made_for(public_url), now, MADE_IN_ONE_PASS)
    made = [
        database.write(lambda unit, calendar_id=calendar_id: making.make(unit, calendar_id, public_url, now))  # type: ignore[misc]
        for calendar_id in stale
    ]
    return sum(made)

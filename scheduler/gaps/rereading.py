"""What a queued question is now, read just before it leaves: made anew from the facts, or no longer asked."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.telling import walk_words
from scheduler.gaps.actions import missing
from scheduler.gaps.rules import AskingState, AskState
from scheduler.gaps.tables import Ask, Asking
from scheduler.kit.database import AnyRow
from scheduler.messages.rereading import Fresh
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Partnership
from scheduler.people.tables import Person


def reread(connection: Connection, messages: Sequence[AnyRow], now: datetime) -> dict[int, Fresh | None]:
    """Return each question as it is now; None for one whose need is met, whose search has ended or whose shift is
    over: nobody is bothered for nothing. Without a start of its own it keeps to the day."""
    rows = connection.execute(
        select(
            *SHIFT_COLUMNS,
            Ask.id.label("ask_id"),
            Ask.state.label("ask_state"),
            Asking.state.label("asking_state"),
            Asking.goal,
            Person.phone,
            Person.language,
            Partnership.time_zone,
        )
        .select_from(Ask)
        .join(Asking, Asking.id == Ask.asking_id)
        .join(Shift, Shift.id == Ask.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .join(Person, Person.id == Ask.person_id)
        .join(Partnership, Partnership.id == Ask.partnership_id)
        .where(Ask.id.in_({message.subject_id for message in messages}))
    )
    asks = {row.ask_id: row for row in rows}
    return {message.id: _fresh(message, asks.get(message.subject_id), now) for message in messages}


def _fresh(message: AnyRow, row: AnyRow | None, now: datetime) -> Fresh | None:
    if (
        row is None
        or row.ask_state is not AskState.ASKED
        or row.asking_state is not AskingState.RUNNING
        or row.state is not ShiftState.PUBLISHED
        or row.starts_at <= now
        or not missing(row, row.goal)
    ):
        return None
    words = {
        **message.words,
        **walk_words(row, ZoneInfo(row.time_zone), row.language),
        "missing": str(missing(row, row.goal)),
    }
    return Fresh(row.phone, row.language, words, None, None, row.starts_at)

"""Texts about a walk or a booking: their words, what they are filed under, what they ask, and queueing one."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from scheduler.kit.database import AnyRow
from scheduler.kit.language import short_day
from scheduler.messages.actions import Question, Recipient, Text, queue
from scheduler.messages.rules import MessageKind, QuestionKind
from scheduler.nights.words import end_in_text
from scheduler.people.rules import Acting


def words(acting: Acting, row: AnyRow, link: str, language: str) -> dict[str, str]:
    """Return the words that texts about a walk are made of, times in the partnership's zone."""
    return {**walk_words(row, acting.zone, language), "link": f"{acting.site}{link}"}


def walk_words(row: AnyRow, zone: ZoneInfo, language: str) -> dict[str, str]:
    """Return when and where a walk is, for a text. The day is the evening's; the end is what the clock shows."""

    def clock(instant: datetime) -> str:
        return f"{instant.astimezone(zone):%H.%M}"

    return {
        "day": short_day(row.date, language),
        "starts": clock(row.starts_at),
        "ends": end_in_text(row.starts_at, row.ends_at, zone, language),
        "meets": clock(row.starts_at - timedelta(minutes=row.gathers_minutes_before)),
        "area": row.area,
        "place": row.meeting_place or row.area_meeting_place,
    }


def about(booking_id: int) -> str:
    """Return what messages about a booking are filed under."""
    return f"booking:{booking_id}"


QUESTIONS = {
    MessageKind.PLACE_OFFERED: QuestionKind.PLACE_OFFERED,
    MessageKind.PLACE_FREE_FIRST_ANSWER: QuestionKind.PLACE_OFFERED,
    MessageKind.REMINDER_TWO_DAYS: QuestionKind.COMING,
    MessageKind.REMINDER_THREE_HOURS: QuestionKind.COMING,
    MessageKind.MOVED: QuestionKind.COMING,
}


def text_about(
    row: AnyRow,
    kind: MessageKind,
    booking_id: int,
    due_at: datetime,
    said: dict[str, str],
    each: str = "",
    *,
    answer_by: datetime | None = None,
) -> Text:
    """Return a text about a booking, to the person of `row`; what it asks can be answered until `answer_by`,
    else until the walk starts."""
    asked = QUESTIONS.get(kind)
    return Text(
        kind=kind,
        fact=f"{about(booking_id)}:{kind}:{row.person_id}{each}",
        about=about(booking_id),
        words=said,
        due_at=due_at,
        deadline_at=row.starts_at,
        shift_id=row.shift_id,
        starts_at=row.starts_at,
        question=Question(asked, booking_id, answer_by or row.starts_at) if asked else None,
    )


def tell(
    connection: Connection,
    acting: Acting,
    row: AnyRow,
    kind: MessageKind,
    booking_id: int,
    due_at: datetime,
    *,
    each: str = "",
    answer_by: datetime | None = None,
    **more: str,
) -> None:
    """Queue a text about a booking to the person of `row`; never after the shift has started. `each` tells
    apart facts of one kind that can happen to one booking more than once."""
    said = {**words(acting, row, f"/bookings/{booking_id}", row.language), **more}
    text = text_about(row, kind, booking_id, due_at, said, each, answer_by=answer_by)
    queue(connection, acting.partnership_id, Recipient(row.phone, row.language, row.person_id), text, acting.now)

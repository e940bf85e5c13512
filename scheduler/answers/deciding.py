"""What JA and NEJ do for each kind of question. A room above that asks something new adds its kind here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from scheduler.answers.queries import Asked, Sender
from scheduler.bookings import actions, confirming, waiting_list
from scheduler.bookings.rules import BookingState, may_cancel_freely
from scheduler.bookings.tables import Booking
from scheduler.gaps import actions as gaps
from scheduler.gaps.rules import AskState
from scheduler.gaps.tables import Ask
from scheduler.kit.database import AnyRow
from scheduler.messages.rules import Answer, QuestionKind, Reply
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Shift
from scheduler.people.rules import Acting


@dataclass(frozen=True, slots=True)
class Said:
    """What to answer, and the path of the page that tells more."""

    reply: Reply
    path: str = "/nights"


@dataclass(frozen=True, slots=True)
class Deciding:
    """One kind of question: is it still open, and what do yes and no do? They raise refusals of `bookings`."""

    is_open: Callable[[Connection, Asked, datetime], bool]
    yes: Callable[[Connection, Acting, Asked], Said]
    no: Callable[[Connection, Acting, Asked], Said]


def acting_as(sender: Sender, now: datetime) -> Acting:
    return Acting(sender.partnership_id, sender.person_id, now, sender.zone, sender.site)


def _booking(connection: Connection, asked: Asked) -> AnyRow | None:
    return connection.execute(
        select(
            Booking.id,
            Booking.state,
            Booking.offered_until,
            Booking.handing_over_since,
            Booking.handing_over_to,
            Shift.starts_at,
            Shift.state.label("shift_state"),
        )
        .join(Shift, Shift.id == Booking.shift_id)
        .where(Booking.id == asked.subject_id)
    ).first()


def _walk_is_ahead(row: AnyRow | None, now: datetime) -> bool:
    return row is not None and row.shift_state is ShiftState.PUBLISHED and row.starts_at > now


def _coming_is_open(connection: Connection, asked: Asked, now: datetime) -> bool:
    row = _booking(connection, asked)
    return row is not None and _walk_is_ahead(row, now) and row.state is BookingState.BOOKED


def _coming(connection: Connection, acting: Acting, asked: Asked) -> Said:
    confirming.confirm(connection, acting, asked.subject_id)
    return Said(Reply.COMING, f"/bookings/{asked.subject_id}")


def _not_coming(connection: Connection, acting: Acting, asked: Asked) -> Said:
    return leave(connection, acting, asked.subject_id)


def leave(connection: Connection, acting: Acting, booking_id: int) -> Said:
    """Leave a walk, however late it is; the coordinators are told of a late one."""
    starts_at = connection.execute(
        select(Shift.starts_at).join(Booking, Booking.shift_id == Shift.id).where(Booking.id == booking_id)
    ).scalar_one()
    late = not may_cancel_freely(starts_at, acting.now)
    actions.cancel(connection, acting, booking_id, cannot_come=late)
    return Said(Reply.CANCELLED_LATE if late else Reply.CANCELLED)


def _offer_is_open(connection: Connection, asked: Asked, now: datetime) -> bool:
    row = _booking(connection, asked)
    return (
        row is not None
        and _walk_is_ahead(row, now)
        and row.state is BookingState.WAITING
        and row.offered_until is not None
        and row.offered_until > now
    )


def _take_offer(connection: Connection, acting: Acting, asked: Asked) -> Said:
    waiting_list.accept(connection, acting, asked.subject_id)
    return Said(Reply.PLACE_YOURS, f"/bookings/{asked.subject_id}")


def _decline_offer(connection: Connection, acting: Acting, asked: Asked) -> Said:
    waiting_list.decline(connection, acting, asked.subject_id)
    return Said(Reply.DECLINED)


def _hand_over_is_open(connection: Connection, asked: Asked, now: datetime) -> bool:
    row = _booking(connection, asked)
    return (
        row is not None
        and _walk_is_ahead(row, now)
        and row.state is BookingState.BOOKED
        and row.handing_over_since is not None
        and row.handing_over_to in {None, asked.person_id}
    )


def _take_over(connection: Connection, acting: Acting, asked: Asked) -> Said:
    taken = actions.take_over(connection, acting, asked.subject_id, f"sms-{asked.message_id}")
    return Said(Reply.PLACE_YOURS, f"/bookings/{taken}")


def _refuse_take_over(connection: Connection, acting: Acting, asked: Asked) -> Said:
    row = _booking(connection, asked)
    if row is not None and row.handing_over_to == acting.person_id:
        actions.refuse_take_over(connection, acting, asked.subject_id)
    return Said(Reply.DECLINED)


def _gap_is_open(connection: Connection, asked: Asked, now: datetime) -> bool:
    row = connection.execute(
        select(Ask.state, Shift.starts_at, Shift.state.label("shift_state"))
        .join(Shift, Shift.id == Ask.shift_id)
        .where(Ask.id == asked.subject_id)
    ).first()
    return row is not None and row.state in {AskState.ASKED, AskState.SILENT} and _walk_is_ahead(row, now)


def _take_gap(connection: Connection, acting: Acting, asked: Asked) -> Said:
    taken = gaps.accept(connection, acting, asked.subject_id)
    return Said(Reply.TAKEN_BY_ANOTHER) if taken is None else Said(Reply.PLACE_YOURS, f"/bookings/{taken}")


def _turn_down_gap(connection: Connection, acting: Acting, asked: Asked) -> Said:
    gaps.turn_down(connection, acting, asked.subject_id)
    return Said(Reply.DECLINED)


KINDS: dict[QuestionKind, Deciding] = {
    QuestionKind.COMING: Deciding(_coming_is_open, _coming, _not_coming),
    QuestionKind.PLACE_OFFERED: Deciding(_offer_is_open, _take_offer, _decline_offer),
    QuestionKind.HAND_OVER: Deciding(_hand_over_is_open, _take_over, _refuse_take_over),
    QuestionKind.GAP: Deciding(_gap_is_open, _take_gap, _turn_down_gap),
}
# Whose subject is a booking of the one who was asked: its page tells more.
OWN_BOOKING = frozenset({QuestionKind.COMING, QuestionKind.PLACE_OFFERED})


def is_open(connection: Connection, asked: Asked, answer: Answer, now: datetime) -> bool:
    """Return whether this answer may still be given to the question. "I am coming" may be taken back."""
    deciding = KINDS.get(asked.kind)
    if deciding is None or asked.answer_by <= now:
        return False
    taken_back = asked.kind is QuestionKind.COMING and asked.answer is Answer.YES and answer is Answer.NO
    if asked.answer is not None and not taken_back:
        return False
    return deciding.is_open(connection, asked, now)

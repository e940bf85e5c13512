"""What decides whether a Person may be asked about a shift, as column expressions over bound values.

Written once: the same conditions choose the candidates, explain one person, and are read again under the hold.
"""

from typing import Any

from sqlalchemy import String, and_, bindparam, cast, func, literal_column, or_, select

from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.gaps.rules import AskState
from scheduler.gaps.tables import Ask
from scheduler.kit.mapping import aliased
from scheduler.messages.rules import LEFT, MessageKind, MessageState, TextGroup
from scheduler.messages.tables import Message, PhoneStanding, TextPreference
from scheduler.nights.tables import Shift
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership, Person

_Placed, _PlacedShift = aliased(Booking), aliased(Shift)
_MINE = and_(Ask.person_id == Person.id, Ask.state != AskState.WITHDRAWN)


def _exists(found: Any) -> Any:  # noqa: ANN401 - column expressions, here and below
    return found.correlate(Person).exists()


def _number(found: Any) -> Any:  # noqa: ANN401
    return found.correlate(Person).scalar_subquery()


def _walks_near() -> Any:  # noqa: ANN401
    return _exists(
        select(_Placed.id)
        .join(_PlacedShift, _PlacedShift.id == _Placed.shift_id)
        .where(
            _Placed.person_id == Person.id,
            _Placed.state == BookingState.BOOKED,
            _PlacedShift.starts_at < bindparam("near_until"),
            _PlacedShift.ends_at > bindparam("near_from"),
        )
    )


def _no_texts() -> Any:  # noqa: ANN401
    stopped_or_dead = or_(PhoneStanding.stopped_at.is_not(None), PhoneStanding.dead_at.is_not(None))
    unreachable = select(PhoneStanding.phone).where(PhoneStanding.phone == Person.phone, stopped_or_dead)
    unwanted = select(TextPreference.person_id).where(
        TextPreference.person_id == Person.id,
        # Written out: SQLite prepares a statement anew at each execution where LIKE compares with a bound value.
        cast(TextPreference.off, String).like(literal_column(f"'%\"{TextGroup.REQUESTS.value}\"%'")),
    )
    return or_(_exists(unreachable), _exists(unwanted))


def _asks_this_week() -> Any:  # noqa: ANN401
    asks = select(func.count(Ask.id)).where(_MINE, Ask.asked_at > bindparam("week_ago"))
    # Requests to take over somebody's walk bother as much: they count too.
    requests = select(func.count(Message.id)).where(
        Message.person_id == Person.id,
        Message.kind == MessageKind.HAND_OVER_ASKED,
        Message.state.in_((MessageState.QUEUED, *LEFT)),
        Message.queued_at > bindparam("week_ago"),
    )
    return _number(asks) + _number(requests)


class Conditions:
    """The conditions for one shift, with at most so many questions a week."""

    def __init__(self, most: Any = None) -> None:  # noqa: ANN401
        self.tenant = Person.partnership_id == bindparam("tenant_id")
        self.approved = _exists(
            select(Membership.id).where(Membership.person_id == Person.id, Membership.state == MembershipState.APPROVED)
        )
        self.on_it = _exists(
            select(Booking.id).where(Booking.person_id == Person.id, Booking.shift_id == bindparam("shift_id"))
        )
        self.walks_near = _walks_near()
        self.no_texts = _no_texts()
        self.asked_about_it = _exists(select(Ask.id).where(_MINE, Ask.shift_id == bindparam("shift_id")))
        self.has_a_question = _exists(
            select(Ask.id).where(_MINE, Ask.state == AskState.ASKED, Ask.answer_by > bindparam("now"))
        )
        self.asks_this_week = _asks_this_week()
        self._most = bindparam("most") if most is None else most

    @property
    def free(self) -> tuple[Any, ...]:
        """Return what holds for who could walk this shift."""
        return ~self.asked_about_it, ~self.on_it, ~self.walks_near

    @property
    def askable(self) -> tuple[Any, ...]:
        """Return what holds for who may be asked at all at this moment, whichever shift it is about."""
        return (
            self.tenant,
            ~self.has_a_question,
            self.approved,
            self.asks_this_week < self._most,
            ~self.no_texts,
        )

    @property
    def fitting(self) -> tuple[Any, ...]:
        """Return what holds for everybody who may be asked about this shift, but for the age on that night."""
        return *self.free, *self.askable

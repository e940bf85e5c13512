from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text

from scheduler.bookings.rules import BookingState, Ended
from scheduler.kit.mapping import Base, Mapped, mapped_column


class Booking(Base):
    """One person's place on a shift, or place in its waiting list.

    `once` is the key of the form that made it: the same form again is the same booking. While WAITING:
    `auto_take` is "take it for me"; `offered_until` says that a place is offered, `place_held` that it is
    held for this person alone. While BOOKED: `handing_over_since`, and `handing_over_to` one named person;
    `confirmed_at` is when the person last said "I am coming".
    """

    __tablename__ = "booking"
    __table_args__ = (
        Index(
            "uq_booking_active",
            "shift_id",
            "person_id",
            unique=True,
            sqlite_where=text("state <> 'cancelled'"),
            postgresql_where=text("state <> 'cancelled'"),
        ),
        Index("ix_booking_person_state", "person_id", "state"),
        Index("ix_booking_shift_state_person", "shift_id", "state", "person_id"),
        # The few walks that are being handed over are looked for on every list.
        Index(
            "ix_booking_handing_over",
            "partnership_id",
            sqlite_where=text("handing_over_since IS NOT NULL"),
            postgresql_where=text("handing_over_since IS NOT NULL"),
        ),
        Index("uq_booking_once", "person_id", "once", "shift_id", unique=True),
        CheckConstraint("NOT place_held OR (state = 'waiting' AND offered_until IS NOT NULL)", name="held_is_offered"),
        CheckConstraint("(state = 'cancelled') = (ended_because IS NOT NULL)", name="cancelled_has_cause"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partnership_id: Mapped[int] = mapped_column(ForeignKey("partnership.id"))
    shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    state: Mapped[BookingState]
    made_at: Mapped[datetime]
    once: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[Ended | None]
    auto_take: Mapped[bool]
    offered_until: Mapped[datetime | None]
    place_held: Mapped[bool]
    handing_over_since: Mapped[datetime | None]
    handing_over_to: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    confirmed_at: Mapped[datetime | None]

"""Verbs of the night. The order of holding is always the night, then the shift: attendance and settling meet there."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, insert, select, update

from scheduler.bookings.actions import record_attendance
from scheduler.bookings.rules import BookingState, CalledOff
from scheduler.bookings.tables import Booking
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnyRow
from scheduler.kit.upsert import upsert
from scheduler.nights.actions import change_state
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Club, Partnership
from scheduler.people.rules import Acting, MembershipState
from scheduler.people.tables import Membership
from scheduler.walks.queries import PLACES, on_shift
from scheduler.walks.rules import (
    TEAM_MAY_WRITE,
    Answers,
    CheckItem,
    NoteClosed,
    NotOnShift,
    NotOut,
    NotWalking,
    TooFew,
    check_going_on,
    quarter_end,
    tapped_at,
    text_forgotten_on,
)
from scheduler.walks.tables import Arrival, Walk, WalkedFor, WalkNote


def hold_night(connection: Connection, partnership_id: int, shift_id: int) -> int:
    """Lock the night of a shift by a write that changes nothing, until the transaction ends; return its id.

    Raises NotOnShift for a shift that does not exist here.
    """
    night_id = connection.execute(
        select(Shift.night_id).where(Shift.id == shift_id, Shift.partnership_id == partnership_id)
    ).scalar()
    if night_id is None:
        raise NotOnShift
    connection.execute(update(Night).where(Night.id == night_id).values(date=Night.date))
    return night_id


def _shift(connection: Connection, acting: Acting, shift_id: int) -> AnyRow:
    """Return the shift's facts to somebody on it. Raises NotOnShift, CalledOff or NotWalking."""
    row = connection.execute(
        select(Shift.id, Shift.state, Shift.starts_at, Shift.ends_at, Shift.minimum).where(
            Shift.id == shift_id, Shift.partnership_id == acting.partnership_id
        )
    ).first()
    if row is None or not on_shift(connection, shift_id, acting.person_id):
        raise NotOnShift
    _check_walked(row.state)
    return row


def _check_walked(state: ShiftState) -> None:
    if state is ShiftState.CALLED_OFF:
        raise CalledOff
    if state is ShiftState.PLANNED:
        raise NotWalking


def _going_on(connection: Connection, acting: Acting, shift_id: int) -> AnyRow:
    row = _shift(connection, acting, shift_id)
    check_going_on(row.starts_at, row.ends_at, acting.now)
    return row


def arrive(connection: Connection, acting: Acting, shift_id: int, waited_seconds: int = 0) -> None:
    """Say that the acting person is at the meeting place; saying so again changes nothing.

    Raises NotOnShift, CalledOff, NotWalking, NotYet or NoteClosed.
    """
    row = _going_on(connection, acting, shift_id)
    at = tapped_at(acting.now, waited_seconds, row.starts_at)
    _heard(connection, acting, shift_id, at)
    assert acting.person_id is not None
    _set_here(connection, acting, shift_id, {acting.person_id}, at)


def leave_place(connection: Connection, acting: Acting, shift_id: int) -> None:
    """Take back "I am here". Raises as `arrive` does."""
    _going_on(connection, acting, shift_id)
    connection.execute(delete(Arrival).where(Arrival.shift_id == shift_id, Arrival.person_id == acting.person_id))


def _set_here(connection: Connection, acting: Acting, shift_id: int, people: Collection[int], at: datetime) -> None:
    known = set(connection.execute(select(Arrival.person_id).where(Arrival.shift_id == shift_id)).scalars())
    for person_id in sorted(set(people) - known):
        key = {"shift_id": shift_id, "person_id": person_id}
        upsert(connection, Arrival, key, {"partnership_id": acting.partnership_id}, at=at)


def _heard(connection: Connection, acting: Acting, shift_id: int, at: datetime) -> None:
    """Make the walk's row, or move its last sign of life forward."""
    key, values = {"shift_id": shift_id}, {"heard_at": at}
    upsert(connection, Walk, key, values, partnership_id=acting.partnership_id, checked=[])


def say_all_is_well(connection: Connection, acting: Acting, shift_id: int) -> None:
    """Give a sign of life. Raises as `arrive` does."""
    _going_on(connection, acting, shift_id)
    _heard(connection, acting, shift_id, acting.now)


def go_out(
    connection: Connection, acting: Acting, shift_id: int, here: Collection[int], waited_seconds: int = 0
) -> None:
    """Say that the team goes out, and with whom. Those who are not on the shift do not count.

    Raises TooFew under the minimum, and as `arrive` does. Saying it again keeps the first time.
    """
    row = _going_on(connection, acting, shift_id)
    team = set(
        connection.execute(
            select(Booking.person_id).where(Booking.shift_id == shift_id, Booking.state.in_(PLACES))
        ).scalars()
    ) & set(here)
    if len(team) < row.minimum:
        raise TooFew(len(team), row.minimum)
    at = tapped_at(acting.now, waited_seconds, row.starts_at)
    _heard(connection, acting, shift_id, at)
    connection.execute(delete(Arrival).where(Arrival.shift_id == shift_id, Arrival.person_id.not_in(team)))
    _set_here(connection, acting, shift_id, team, at)
    changed = connection.execute(
        update(Walk).where(Walk.shift_id == shift_id, Walk.out_at.is_(None)).values(out_at=at)
    ).rowcount
    if changed:
        _tell(connection, acting, "walk.out", shift_id, {"here": len(team)})


def come_in(connection: Connection, acting: Acting, shift_id: int) -> None:
    """Take back "we go out". Raises as `arrive` does."""
    _going_on(connection, acting, shift_id)
    changed = connection.execute(
        update(Walk)
        .where(Walk.shift_id == shift_id, Walk.out_at.is_not(None), Walk.done_at.is_(None))
        .values(out_at=None)
    ).rowcount
    if changed:
        _tell(connection, acting, "walk.not_out", shift_id, {})


def finish(connection: Connection, acting: Acting, shift_id: int, waited_seconds: int = 0) -> None:
    """Say that the team is done. Raises NotOut, and as `arrive` does. Saying it again keeps the first time."""
    row = _going_on(connection, acting, shift_id)
    at = tapped_at(acting.now, waited_seconds, row.starts_at)
    walk = connection.execute(select(Walk.out_at, Walk.done_at).where(Walk.shift_id == shift_id)).first()
    if walk is None or walk.out_at is None:
        raise NotOut
    changed = connection.execute(
        update(Walk)
        .where(Walk.shift_id == shift_id, Walk.done_at.is_(None))
        .values(done_at=max(at, walk.out_at), heard_at=at)
    ).rowcount
    if changed:
        _tell(connection, acting, "walk.done", shift_id, {})


def go_on(connection: Connection, acting: Acting, shift_id: int) -> None:
    """Take back "we are done". Raises as `arrive` does."""
    _going_on(connection, acting, shift_id)
    changed = connection.execute(
        update(Walk).where(Walk.shift_id == shift_id, Walk.done_at.is_not(None)).values(done_at=None)
    ).rowcount
    if changed:
        _tell(connection, acting, "walk.not_done", shift_id, {})


def tick(connection: Connection, acting: Acting, shift_id: int, items: Collection[CheckItem]) -> None:
    """Write which items of the checklist are done. Raises as `arrive` does."""
    _going_on(connection, acting, shift_id)
    _heard(connection, acting, shift_id, acting.now)
    listed = [item.value for item in CheckItem if item in items]
    connection.execute(update(Walk).where(Walk.shift_id == shift_id).values(checked=listed))


def write_note(
    connection: Connection,
    acting: Acting,
    shift_id: int,
    answers: Answers,
    came: Collection[int],
    *,
    leads: bool = False,
) -> int:
    """Write a shift's note and who came; return how many did. At least the minimum makes it a walked shift,
    fewer make it none. Writing it again mends it.

    Raises NotOnShift, CalledOff, NotWalking, `bookings.TooEarly`, or, later than three days after the end and
    unless `leads`, NoteClosed.
    """
    hold_night(connection, acting.partnership_id, shift_id)
    row = connection.execute(
        select(Shift.state, Shift.starts_at, Shift.ends_at, Shift.minimum).where(Shift.id == shift_id)
    ).one()
    if not leads and not on_shift(connection, shift_id, acting.person_id):
        raise NotOnShift
    _check_walked(row.state)
    if not leads and acting.now > row.ends_at + TEAM_MAY_WRITE:
        raise NoteClosed
    count = record_attendance(connection, acting, shift_id, came)
    _remember_clubs(connection, acting.partnership_id, shift_id)
    before, after = (
        (ShiftState.PUBLISHED, ShiftState.WALKED) if count >= row.minimum else (ShiftState.WALKED, ShiftState.PUBLISHED)
    )
    change_state(connection, acting.partnership_id, shift_id, before, after, acting.now, acting.person_id)
    values = {
        "partnership_id": acting.partnership_id,
        "mood": answers.mood,
        "young_people": answers.young_people,
        "happened": answers.happened,
        "follow_up": answers.follow_up,
        "followed_up_at": _still_followed_up(connection, shift_id, answers),
        "text": answers.text,
        "written_at": acting.now,
        "written_by": acting.person_id,
        "forgotten_at": None,
    }
    upsert(connection, WalkNote, {"shift_id": shift_id}, values)
    _tell(connection, acting, "walk.noted", shift_id, {"came": count})
    return count


def _still_followed_up(connection: Connection, shift_id: int, answers: Answers) -> datetime | None:
    """Return when a note was followed up that is being written again: what its team now tells anew has to be seen to
    anew, who came does not."""
    row = connection.execute(
        select(WalkNote.happened, WalkNote.follow_up, WalkNote.text, WalkNote.followed_up_at).where(
            WalkNote.shift_id == shift_id
        )
    ).first()
    same = row is not None and (row.happened, row.follow_up, row.text) == (
        answers.happened,
        answers.follow_up,
        answers.text,
    )
    return row.followed_up_at if row is not None and same else None


def settle_follow_up(connection: Connection, acting: Acting, shift_id: int, *, done: bool) -> None:
    """Write that what a note asks to follow up has been seen to, or take that back. Saying it again keeps the first
    time.

    Raises NotOnShift where no note of this partnership asks for it.
    """
    asked = (
        WalkNote.shift_id == shift_id,
        WalkNote.partnership_id == acting.partnership_id,
        WalkNote.follow_up.is_(True),
    )
    before = WalkNote.followed_up_at.is_(None) if done else WalkNote.followed_up_at.is_not(None)
    changed = connection.execute(
        update(WalkNote).where(*asked, before).values(followed_up_at=acting.now if done else None)
    ).rowcount
    if changed:
        _tell(connection, acting, "walk.followed_up" if done else "walk.not_followed_up", shift_id, {})
    elif connection.execute(select(WalkNote.shift_id).where(*asked)).first() is None:
        raise NotOnShift


def _remember_clubs(connection: Connection, partnership_id: int, shift_id: int) -> None:
    """Write for which club each walked: the approved one that took part that night, of several the first by name; who
    walked for a club already keeps it."""
    came = set(
        connection.execute(
            select(Booking.person_id).where(Booking.shift_id == shift_id, Booking.state == BookingState.ATTENDED)
        ).scalars()
    )
    night = connection.execute(
        select(Night.date).join(Shift, Shift.night_id == Night.id).where(Shift.id == shift_id)
    ).scalar_one()
    known = set(connection.execute(select(WalkedFor.person_id).where(WalkedFor.shift_id == shift_id)).scalars())
    connection.execute(delete(WalkedFor).where(WalkedFor.shift_id == shift_id, WalkedFor.person_id.not_in(came)))
    for person_id in sorted(came - known):
        club_id = connection.execute(
            select(Club.id)
            .join(Membership, Membership.club_id == Club.id)
            .where(
                Membership.person_id == person_id,
                Membership.state == MembershipState.APPROVED,
                Club.ended_on.is_(None) | (Club.ended_on > night),
            )
            .order_by(Club.name)
            .limit(1)
        ).scalar()
        connection.execute(
            insert(WalkedFor).values(
                shift_id=shift_id, person_id=person_id, partnership_id=partnership_id, club_id=club_id
            )
        )


def _tell(connection: Connection, acting: Acting, what: str, shift_id: int, after: dict[str, object]) -> None:
    audit.record(
        connection, acting.partnership_id, acting.now, acting.person_id, Change(what, shift_id=shift_id, after=after)
    )


def forget_texts(connection: Connection, now: datetime, reported: Mapping[tuple[int, date], date]) -> int:
    """Empty the texts of notes whose time is over; their choices stay. Returns how many.

    `reported` tells on which day a partnership's quarter, by its last day, was reported.
    """
    rows = connection.execute(
        select(WalkNote.shift_id, WalkNote.partnership_id, Night.date, Partnership.time_zone)
        .join(Shift, Shift.id == WalkNote.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Partnership, Partnership.id == WalkNote.partnership_id)
        .where(func.length(WalkNote.text) > 0)
    ).all()
    over = []
    for row in rows:
        reported_on = reported.get((row.partnership_id, quarter_end(row.date)))
        if now.astimezone(ZoneInfo(row.time_zone)).date() >= text_forgotten_on(row.date, reported_on):
            over.append(row.shift_id)
    if over:
        connection.execute(update(WalkNote).where(WalkNote.shift_id.in_(over)).values(text="", forgotten_at=now))
    return len(over)

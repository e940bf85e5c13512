"""Verbs on askings: start, ask the next wave, take or turn down, stop. The autopilot's stand in `autopilot.py`."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, String, and_, cast, exists, func, insert, literal, or_, select, update

from scheduler.bookings import actions as bookings
from scheduler.bookings.places import SHIFT_COLUMNS, hold
from scheduler.bookings.rules import BookingState, Full, check_shift_open
from scheduler.bookings.tables import Booking
from scheduler.bookings.telling import walk_words
from scheduler.gaps.candidates import Place, candidates, explained
from scheduler.gaps.history import asks_so_far, policy
from scheduler.gaps.rules import (
    LOOK_AGAIN,
    OPEN,
    AskingState,
    AskState,
    NotAsking,
    NothingMissing,
    answers_until,
    wave_size,
    yes_chance,
)
from scheduler.gaps.tables import Ask, Asking
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnyRow, LostRace
from scheduler.kit.refusals import NotFound
from scheduler.kit.upsert import insertion_of_new
from scheduler.messages.actions import Question, Recipient, Text, drop, queue_many
from scheduler.messages.rules import MessageKind, MessageState, QuestionKind, allowed_at
from scheduler.messages.tables import Message
from scheduler.nights.hosting import open_for_all
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area
from scheduler.people.rules import Acting
from scheduler.people.tables import Person


def about(asking_id: int) -> str:
    """Return what the texts of an asking are filed under."""
    return f"asking:{asking_id}"


def shift_facts(connection: Connection, partnership_id: int, shift_id: int) -> AnyRow:
    """Return what asking needs to know of a shift. Raises NotFound, also for another partnership's."""
    row: AnyRow | None = connection.execute(
        select(*SHIFT_COLUMNS, Shift.area_id, Shift.partnership_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(Shift.id == shift_id, Shift.partnership_id == partnership_id)
    ).first()
    if row is None:
        raise NotFound
    return row


def place_of(row: AnyRow) -> Place:
    return Place(row.shift_id, row.partnership_id, row.date, row.starts_at, row.ends_at)


def missing(row: AnyRow, goal: int) -> int:
    """Return how many people a shift lacks to a goal; places held for its waiting list count as taken."""
    lacking: int = min(goal, row.wanted) - row.booked - row.held
    return max(lacking, 0)


def start(connection: Connection, acting: Acting, shift_id: int, goal: int, *, most: int | None = None) -> int:
    """Search for people to a shift until it has `goal` walkers, and ask the first wave at once, or in the morning
    when it is night; return the asking's id. What is running goes on, for more people if
    `goal` is higher; a proposal is accepted.

    `most` is what was promised to whoever tapped: the first wave asks no more. Raises NotFound, the refusals of
    `bookings.rules.check_shift_open`, or NothingMissing.
    """
    row = shift_facts(connection, acting.partnership_id, shift_id)
    check_shift_open(row.state, row.starts_at, acting.now)
    if not missing(row, goal):
        raise NothingMissing
    asking_id = begin(connection, acting, shift_id, goal, AskingState.RUNNING)
    if asking_id is None:
        found = open_asking(connection, shift_id)
        if found is None:
            raise LostRace
        asking_id = int(found.id)
        _aim_higher(connection, acting, found, goal)
        if found.state is AskingState.RUNNING and goal <= found.goal:
            return asking_id
        if found.state is AskingState.PROPOSED:
            _change_state(connection, acting, asking_id, shift_id, AskingState.PROPOSED, AskingState.RUNNING)
            open_for_all(connection, shift_id)
    advance(connection, acting, asking_id, most=most)
    return asking_id


def _aim_higher(connection: Connection, acting: Acting, asking: AnyRow, goal: int) -> None:
    """Let a search that has begun look for more people; it never looks for fewer."""
    raised = connection.execute(
        update(Asking).where(Asking.id == asking.id, Asking.goal < goal).values(goal=goal, next_wave_at=acting.now)
    )
    if raised.rowcount:
        change = Change("asking.goal", asking.shift_id, before={"wanted": asking.goal}, after={"wanted": goal})
        audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


def begin(connection: Connection, acting: Acting, shift_id: int, goal: int, state: AskingState) -> int | None:
    """Write a new asking and return its id; None where the shift has an open one."""
    asking_id: int | None = connection.execute(
        insertion_of_new(connection, Asking)
        .values(
            partnership_id=acting.partnership_id,
            shift_id=shift_id,
            state=state,
            goal=goal,
            wave=0,
            dry=False,
            started_at=acting.now,
            started_by=acting.person_id,
            next_wave_at=acting.now,
        )
        .returning(Asking.id)
    ).scalar()
    if asking_id is not None:
        if state is AskingState.RUNNING:
            open_for_all(connection, shift_id)  # who is asked must be able to say yes
        _note(connection, acting, shift_id, "asking.started", None, state)
    return asking_id


def open_asking(connection: Connection, shift_id: int) -> AnyRow | None:
    """Return the shift's proposed or running asking."""
    return connection.execute(select(Asking).where(Asking.shift_id == shift_id, Asking.state.in_(OPEN))).first()


def _note(
    connection: Connection, acting: Acting, shift_id: int, what: str, before: str | None, after: str, **more: object
) -> None:
    change = Change(
        what, shift_id=shift_id, before={"asking": before} if before else {}, after={"asking": after, **more}
    )
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


def _change_state(
    connection: Connection, acting: Acting, asking_id: int, shift_id: int, before: AskingState, after: AskingState
) -> bool:
    values: dict[str, object] = {"state": after}
    if after not in OPEN:
        values |= {"ended_at": acting.now, "ended_by": acting.person_id}
    changed = connection.execute(
        update(Asking).where(Asking.id == asking_id, Asking.state == before).values(**values)
    ).rowcount
    if changed:
        _note(connection, acting, shift_id, "asking.state", before, after)
    return changed == 1


def end(connection: Connection, acting: Acting, asking: AnyRow, state: AskingState) -> None:
    """End an open asking. Questions that have not left are taken back: who was not asked is not bothered."""
    if not _change_state(connection, acting, asking.id, asking.shift_id, asking.state, state):
        return
    connection.execute(
        update(Ask)
        .where(Ask.asking_id == asking.id, Ask.state == AskState.ASKED, _its_text(MessageState.QUEUED))
        .values(state=AskState.WITHDRAWN)
    )
    drop(connection, about(asking.id), acting.now)


def _its_text(state: MessageState) -> Any:  # noqa: ANN401 - a column expression
    """Return whether the text of an ask, filed under its asking, stands so."""
    return (
        exists()
        .where(
            Message.about == literal("asking:") + cast(Ask.asking_id, String),
            Message.subject_id == Ask.id,
            Message.state == state,
        )
        .correlate(Ask)
    )


def stop(connection: Connection, acting: Acting, shift_id: int) -> None:
    """Stop the search for people to a shift, or turn its proposal down. Raises NotFound or NotAsking."""
    shift_facts(connection, acting.partnership_id, shift_id)
    asking = open_asking(connection, shift_id)
    if asking is None:
        raise NotAsking
    end(connection, acting, asking, AskingState.STOPPED)


def advance(connection: Connection, acting: Acting, asking_id: int, *, most: int | None = None) -> int:
    """Do what is due for a running asking: end it when its need is met or its shift has begun, else ask the next
    wave if it is time; return how many were asked."""
    asking = connection.execute(
        select(Asking).where(Asking.id == asking_id, Asking.partnership_id == acting.partnership_id)
    ).first()
    if asking is None or asking.state not in OPEN:
        return 0
    row = shift_facts(connection, acting.partnership_id, asking.shift_id)
    _settle(connection, asking_id, acting.now)
    if row.state is not ShiftState.PUBLISHED or row.starts_at <= acting.now:
        end(connection, acting, asking, AskingState.OVER)
        return 0
    if not missing(row, asking.goal):
        end(connection, acting, asking, AskingState.MET)
        return 0
    if asking.state is not AskingState.RUNNING or asking.next_wave_at > acting.now:
        return 0
    # Whom to ask is decided when they may be asked: a question is never made by night.
    may_ask_at = allowed_at(acting.now, acting.zone)
    if may_ask_at > acting.now:
        _look_again(connection, acting, asking_id, row, may_ask_at)
        return 0
    return _ask_wave(connection, acting, asking, row, most)


def _settle(connection: Connection, asking_id: int, now: datetime) -> None:
    """Note what has become of an asking's asks: booked by the page instead of the text, never left, or silent."""
    mine = update(Ask).where(Ask.asking_id == asking_id)
    booked = exists().where(
        Booking.shift_id == Ask.shift_id, Booking.person_id == Ask.person_id, Booking.state == BookingState.BOOKED
    )
    still_out = Ask.state.in_((AskState.ASKED, AskState.SILENT))
    connection.execute(mine.where(still_out, booked.correlate(Ask)).values(state=AskState.YES, answered_at=now))
    never_left = mine.where(Ask.state == AskState.ASKED, _its_text(MessageState.DROPPED))
    connection.execute(never_left.values(state=AskState.WITHDRAWN))
    # Somebody's own longer quiet hours keep a question back: she is not silent before she has got it.
    silent = mine.where(Ask.state == AskState.ASKED, Ask.answer_by <= now, ~_its_text(MessageState.QUEUED))
    connection.execute(silent.values(state=AskState.SILENT))


def _look_again(
    connection: Connection, acting: Acting, asking_id: int, row: AnyRow, at: datetime, *, dry: bool = False
) -> None:
    """Note when the worker looks again, which is what the page says of it: not by night, when nobody is asked."""
    then = min(allowed_at(at, acting.zone), row.starts_at)
    connection.execute(update(Asking).where(Asking.id == asking_id).values(next_wave_at=then, dry=dry))


def _ask_wave(connection: Connection, acting: Acting, asking: AnyRow, row: AnyRow, most: int | None) -> int:
    left = row.starts_at - acting.now
    lacking = missing(row, asking.goal)
    out = connection.execute(
        select(func.count(Ask.id)).where(Ask.asking_id == asking.id, Ask.state == AskState.ASKED)
    ).scalar_one()
    size = wave_size(lacking, left, yes_chance(*asks_so_far(acting.partnership_id).ask(connection))) - out
    limit = policy(connection, acting.partnership_id).asks_a_week
    until = answers_until(acting.now, row.starts_at)
    if size <= 0:
        _look_again(connection, acting, asking.id, row, until)
        return 0
    size = min(size, most) if most is not None else size
    chosen = [one.person_id for one in candidates(connection, place_of(row), row.area_id, limit, acting.now)[:size]]
    hold(connection, acting.partnership_id, chosen)
    _take_turn(connection, asking)
    # Read again under the hold: another process may have asked or booked them meanwhile.
    asked = [
        one.candidate.person_id
        for one in explained(connection, place_of(row), row.area_id, limit, acting.now, chosen)
        if one.because is None
    ]
    if asked:
        _send(connection, acting, asking, row, asked, until, lacking)
        _look_again(connection, acting, asking.id, row, until)
    else:
        _look_again(connection, acting, asking.id, row, min(acting.now + LOOK_AGAIN, until), dry=True)
    return len(asked)


def _take_turn(connection: Connection, asking: AnyRow) -> None:
    """Count one more wave. Raises LostRace when another process has asked this one."""
    taken = connection.execute(
        update(Asking)
        .where(Asking.id == asking.id, Asking.state == AskingState.RUNNING, Asking.wave == asking.wave)
        .values(wave=Asking.wave + 1)
    )
    if taken.rowcount != 1:
        raise LostRace


def _send(
    connection: Connection,
    acting: Acting,
    asking: AnyRow,
    row: AnyRow,
    person_ids: Collection[int],
    until: datetime,
    lacking: int,
) -> None:
    people = connection.execute(
        select(Person.id, Person.phone, Person.language).where(Person.id.in_(person_ids)).order_by(Person.id)
    ).all()
    letters, changes = [], []
    for person in people:
        ask_id = connection.execute(
            insert(Ask)
            .values(
                partnership_id=acting.partnership_id,
                asking_id=asking.id,
                shift_id=row.shift_id,
                person_id=person.id,
                wave=asking.wave + 1,
                state=AskState.ASKED,
                asked_at=acting.now,
                answer_by=until,
            )
            .returning(Ask.id)
        ).scalar_one()
        text = question(row, acting.zone, acting.site, asking.id, ask_id, person.language, acting.now, lacking)
        letters.append((acting.partnership_id, Recipient(person.phone, person.language, person.id), text))
        changes.append(Change("ask.asked", row.shift_id, person.id, after={"asking": AskState.ASKED.value}))
    queue_many(connection, letters, acting.now)
    connection.execute(update(Person).where(Person.id.in_(person_ids)).values(last_asked_at=acting.now))
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, changes)


def question(
    row: AnyRow, zone: ZoneInfo, site: str, asking_id: int, ask_id: int, language: str, now: datetime, lacking: int
) -> Text:
    """Return the text that asks one person. It may leave only by day: it carries no start that would excuse the
    night."""
    return Text(
        kind=MessageKind.GAP_ASKED,
        fact=f"ask:{ask_id}",
        about=about(asking_id),
        words={
            **walk_words(row, zone, language),
            "missing": str(lacking),
            "link": f"{site}/shifts/{row.shift_id}",
        },
        due_at=now,
        deadline_at=row.starts_at,
        shift_id=row.shift_id,
        question=Question(QuestionKind.GAP, ask_id, row.starts_at),
    )


def accept(connection: Connection, acting: Acting, ask_id: int) -> int | None:
    """Take a place on the shift that the acting person was asked about, by the rules of any booking; return the
    booking's id, or None when every place is taken. Raises NotFound and the refusals of `bookings.actions.book`."""
    ask = _own(connection, acting, ask_id)
    assert acting.person_id is not None
    try:
        booking_id = bookings.book(connection, acting, ask.shift_id, acting.person_id, f"ask-{ask_id}")
    except Full:
        _answer(connection, acting, ask, AskState.TOO_LATE)
        return None
    _answer(connection, acting, ask, AskState.YES)
    asking = connection.execute(select(Asking).where(Asking.id == ask.asking_id)).one()
    row = shift_facts(connection, acting.partnership_id, ask.shift_id)
    if asking.state in OPEN and not missing(row, asking.goal):
        end(connection, acting, asking, AskingState.MET)
    return booking_id


def turn_down(connection: Connection, acting: Acting, ask_id: int) -> None:
    """Note the acting person's no; the next wave may then go out before its time. Raises NotFound."""
    ask = _own(connection, acting, ask_id)
    _answer(connection, acting, ask, AskState.NO)
    others_out = exists().where(Ask.asking_id == Asking.id, Ask.state == AskState.ASKED).correlate(Asking)
    connection.execute(
        update(Asking)
        .where(Asking.id == ask.asking_id, Asking.state == AskingState.RUNNING, ~others_out)
        .values(next_wave_at=acting.now)
    )


def _own(connection: Connection, acting: Acting, ask_id: int) -> AnyRow:
    ask = connection.execute(
        select(Ask).where(
            Ask.id == ask_id, Ask.person_id == acting.person_id, Ask.partnership_id == acting.partnership_id
        )
    ).first()
    if ask is None:
        raise NotFound
    return ask


def _answer(connection: Connection, acting: Acting, ask: AnyRow, state: AskState) -> None:
    connection.execute(update(Ask).where(Ask.id == ask.id).values(state=state, answered_at=acting.now))
    change = Change("ask.answered", ask.shift_id, ask.person_id, {"asking": ask.state.value}, {"asking": state.value})
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)


def due(connection: Connection, now: datetime) -> list[AnyRow]:
    """Return id and partnership of the open askings that have something to do: a wave, an end, or both."""
    done = or_(
        and_(Asking.state == AskingState.RUNNING, Asking.next_wave_at <= now),
        Shift.booked + Shift.held >= Asking.goal,
        Shift.booked + Shift.held >= Shift.wanted,
        Shift.state != ShiftState.PUBLISHED,
        Shift.starts_at <= now,
    )
    return list(
        connection.execute(
            select(Asking.id, Asking.partnership_id)
            .join(Shift, Shift.id == Asking.shift_id)
            .where(Asking.state.in_(OPEN), done)
            .order_by(Shift.starts_at, Asking.id)
        )
    )

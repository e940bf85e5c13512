from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, and_, exists, func, or_, select

from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.queries import Walker, meeting_at, walkers_of
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import AnyRow, AnySelect
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club
from scheduler.walks.rules import (
    OPENS_BEFORE,
    TEAM_MAY_WRITE,
    CheckItem,
    Happened,
    Mood,
    NotOnShift,
    Silence,
    Stage,
    YoungPeople,
    silence,
    stage,
)
from scheduler.walks.tables import Arrival, Walk, WalkedFor, WalkNote

PLACES = (BookingState.BOOKED, BookingState.ATTENDED, BookingState.NO_SHOW)
# The board of now: from the afternoon before a start until well after an end.
NOW_BEFORE = timedelta(hours=12)
NOW_AFTER = timedelta(hours=3)
# For so long a tap on "followed up" can be taken back.
FOLLOWED_UP_SHOWN = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Evening:
    """A shift's evening as its team sees it. `here` are the people who are at the place."""

    shift_id: int
    date: date
    starts_at: datetime
    ends_at: datetime
    area: str
    meeting_place: str
    meeting_at: datetime
    minimum: int
    state: ShiftState
    note: str
    host_club: str | None
    walkers: list[Walker]
    here: frozenset[int]
    out_at: datetime | None
    done_at: datetime | None
    heard_at: datetime | None
    checked: frozenset[CheckItem]
    noted: bool

    def stage(self, person_id: int | None) -> Stage:
        """Return where the evening stands for this walker."""
        return stage(
            here=person_id in self.here,
            out_at=self.out_at,
            done_at=self.done_at,
            noted=self.noted,
        )


_EVENING = (
    select(
        *SHIFT_COLUMNS,
        Shift.note,
        Club.name.label("host_club"),
        Walk.out_at,
        Walk.done_at,
        Walk.heard_at,
        Walk.checked,
        WalkNote.shift_id.label("noted_id"),
    )
    .select_from(Shift)
    .join(Night, Night.id == Shift.night_id)
    .join(Area, Area.id == Shift.area_id)
    .outerjoin(Club, Club.id == Shift.host_club_id)
    .outerjoin(Walk, Walk.shift_id == Shift.id)
    .outerjoin(WalkNote, WalkNote.shift_id == Shift.id)
)


def on_shift(connection: Connection, shift_id: int, person_id: int | None) -> bool:
    """Return whether the person has a place on the shift."""
    wanted = select(Booking.id).where(
        Booking.shift_id == shift_id, Booking.person_id == person_id, Booking.state.in_(PLACES)
    )
    return connection.execute(wanted).first() is not None


def evening(
    connection: Connection, partnership_id: int, shift_id: int, person_id: int, now: datetime, *, leads: bool = False
) -> Evening:
    """Return a shift's evening to somebody on it, or to who `leads`. Raises NotOnShift."""
    wanted = _EVENING.where(Shift.id == shift_id, Shift.partnership_id == partnership_id)
    row = connection.execute(wanted).first()
    if row is None or not (leads or on_shift(connection, shift_id, person_id)):
        raise NotOnShift
    return _evenings(connection, [row], now, person_id=None if leads else person_id)[0]


def _evenings(connection: Connection, rows: list[AnyRow], now: datetime, *, person_id: int | None) -> list[Evening]:
    ids = [row.shift_id for row in rows]
    walkers = walkers_of(connection, ids, now, for_person_id=person_id)
    here: dict[int, set[int]] = {}
    for row in connection.execute(select(Arrival.shift_id, Arrival.person_id).where(Arrival.shift_id.in_(ids))):
        here.setdefault(row.shift_id, set()).add(row.person_id)
    return [
        Evening(
            shift_id=row.shift_id,
            date=row.date,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            area=row.area,
            meeting_place=row.meeting_place or row.area_meeting_place,
            meeting_at=meeting_at(row),
            minimum=row.minimum,
            state=row.state,
            note=row.note,
            host_club=row.host_club,
            walkers=walkers.get(row.shift_id, []),
            here=frozenset(here.get(row.shift_id, ())),
            out_at=row.out_at,
            done_at=row.done_at,
            heard_at=row.heard_at,
            checked=frozenset(CheckItem(item) for item in row.checked or ()),
            noted=row.noted_id is not None,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class TeamNow:
    """One area of this evening as the coordinator sees it, and why to call its team."""

    evening: Evening
    silence: Silence | None


def teams_now(connection: Connection, partnership_id: int, now: datetime) -> list[TeamNow]:
    """Return the shifts of about now, those to call first."""
    rows = connection.execute(
        _EVENING.where(
            Shift.partnership_id == partnership_id,
            Shift.state.in_([ShiftState.PUBLISHED, ShiftState.WALKED]),
            Shift.starts_at <= now + NOW_BEFORE,
            Shift.ends_at >= now - NOW_AFTER,
        ).order_by(Shift.starts_at, Area.name)
    )
    teams = [TeamNow(one, _silence(one, now)) for one in _evenings(connection, list(rows), now, person_id=None)]
    return sorted(teams, key=lambda team: team.silence is None)


def _silence(one: Evening, now: datetime) -> Silence | None:
    if one.noted:
        return None
    return silence(
        one.starts_at,
        one.ends_at,
        now,
        here=len(one.here),
        out_at=one.out_at,
        done_at=one.done_at,
        heard_at=one.heard_at,
    )


@dataclass(frozen=True, slots=True)
class OutTonight:
    """An area of this evening as everybody may see it; `out` once its team has said so."""

    area: str
    starts_at: datetime
    ends_at: datetime
    out: bool


def out_tonight(connection: Connection, partnership_id: int, now: datetime, night: date) -> list[OutTonight]:
    """Return the areas that are or will be walked on this night: only those with a full enough team, and not those
    that are over or done."""
    rows = connection.execute(
        select(Area.name, Shift.starts_at, Shift.ends_at, Walk.out_at)
        .join(Shift, Shift.area_id == Area.id)
        .join(Night, Night.id == Shift.night_id)
        .outerjoin(Walk, Walk.shift_id == Shift.id)
        .where(
            Shift.partnership_id == partnership_id,
            Night.date == night,
            Shift.state == ShiftState.PUBLISHED,
            Shift.booked >= Shift.minimum,
            Shift.ends_at > now,
            Walk.done_at.is_(None),
        )
        .order_by(Shift.starts_at, Area.name)
    )
    return [OutTonight(row.name, row.starts_at, row.ends_at, row.out_at is not None) for row in rows]


def next_covered_night(connection: Connection, partnership_id: int, now: datetime) -> date | None:
    """Return the next night on which at least one area has its minimum."""
    return connection.execute(
        select(func.min(Night.date))
        .join(Shift, Shift.night_id == Night.id)
        .where(
            Shift.partnership_id == partnership_id,
            Shift.state == ShiftState.PUBLISHED,
            Shift.booked >= Shift.minimum,
            Shift.starts_at > now,
        )
    ).scalar()


@dataclass(frozen=True, slots=True)
class NoteMissing:
    shift_id: int
    date: date
    area: str
    booked: int


def notes_missing(connection: Connection, partnership_id: int, now: datetime) -> list[NoteMissing]:
    """Return the shifts that are over, have people and lack their note: they are not settled. Oldest first."""
    rows = connection.execute(
        select(Shift.id, Night.date, Area.name, Shift.booked)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(
            Shift.partnership_id == partnership_id,
            Shift.state.in_([ShiftState.PUBLISHED, ShiftState.WALKED]),
            Shift.ends_at <= now,
            Shift.booked > 0,
            ~exists().where(WalkNote.shift_id == Shift.id),
        )
        .order_by(Shift.starts_at, Shift.id)
    )
    return [NoteMissing(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a team asked somebody to see to. `text` is "" where none was written, or once it is forgotten."""

    shift_id: int
    date: date
    area: str
    happened: Happened
    text: str
    forgotten: bool
    followed_up_at: datetime | None


def follow_ups(connection: Connection, partnership_id: int, now: datetime) -> tuple[list[FollowUp], list[FollowUp]]:
    """Return what is still to be followed up, oldest first, and what was in the last week, newest first."""
    rows = connection.execute(
        select(
            WalkNote.shift_id,
            Night.date,
            Area.name,
            WalkNote.happened,
            WalkNote.text,
            WalkNote.forgotten_at.is_not(None),
            WalkNote.followed_up_at,
        )
        .join(Shift, Shift.id == WalkNote.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(
            WalkNote.partnership_id == partnership_id,
            WalkNote.follow_up.is_(True),
            or_(WalkNote.followed_up_at.is_(None), WalkNote.followed_up_at > now - FOLLOWED_UP_SHOWN),
        )
        .order_by(Shift.starts_at, Shift.id)
    )
    found = [FollowUp(*row) for row in rows]
    done = [(one.followed_up_at, one) for one in found if one.followed_up_at is not None]
    newest_first = sorted(done, key=lambda pair: pair[0], reverse=True)
    return [one for one in found if one.followed_up_at is None], [one for _, one in newest_first]


@dataclass(frozen=True, slots=True)
class WalkNow:
    """The walk that a person is on this evening, or whose note is still to be written."""

    shift_id: int
    area: str
    ends_at: datetime


def walk_now(connection: Connection, person_id: int, now: datetime) -> WalkNow | None:
    """Return the person's walk from six hours before its start until its note is in."""
    row = connection.execute(
        select(Shift.id, Area.name, Shift.ends_at)
        .select_from(Booking)
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Area, Area.id == Shift.area_id)
        .outerjoin(Walk, Walk.shift_id == Shift.id)
        .where(
            Booking.person_id == person_id,
            Booking.state == BookingState.BOOKED,
            Shift.state == ShiftState.PUBLISHED,
            Shift.starts_at <= now + OPENS_BEFORE,
            # A team that was too small and never went out has nothing to note once the evening is over.
            or_(
                Shift.ends_at > now,
                and_(
                    Shift.ends_at > now - TEAM_MAY_WRITE,
                    or_(Walk.out_at.is_not(None), Shift.booked >= Shift.minimum),
                ),
            ),
            ~exists().where(WalkNote.shift_id == Shift.id),
        )
        .order_by(Shift.starts_at)
        .limit(1)
    ).first()
    return None if row is None else WalkNow(row.id, row.name, row.ends_at)


@dataclass(frozen=True, slots=True)
class Note:
    """A walk note as it was written. `text` is "" once it is forgotten (`forgotten` tells)."""

    mood: Mood
    young_people: YoungPeople
    happened: Happened
    follow_up: bool
    text: str
    forgotten: bool
    written_at: datetime


def note_of(connection: Connection, shift_id: int) -> Note | None:
    """Return a shift's note, or None."""
    row = connection.execute(select(WalkNote).where(WalkNote.shift_id == shift_id)).mappings().first()
    if row is None:
        return None
    return Note(
        mood=row["mood"],
        young_people=row["young_people"],
        happened=row["happened"],
        follow_up=row["follow_up"],
        text=row["text"],
        forgotten=row["forgotten_at"] is not None,
        written_at=row["written_at"],
    )


def place_names(connection: Connection, partnership_id: int) -> frozenset[str]:
    """Return names of areas and clubs, which are no persons."""
    found: list[AnySelect] = [
        select(table.name).where(table.partnership_id == partnership_id) for table in (Area, Club)
    ]
    return frozenset(name for wanted in found for name in connection.execute(wanted).scalars())


def who_came(connection: Connection, shift_id: int) -> frozenset[int]:
    """Return the ids of the people who came to a shift, once its note is in."""
    return frozenset(connection.execute(select(WalkedFor.person_id).where(WalkedFor.shift_id == shift_id)).scalars())

"""Members for those who lead: finding them, approving many at once, and ending a membership."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select, update

from scheduler.bookings.editing import take_off
from scheduler.bookings.places import hold
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.database import AnySelect
from scheduler.kit.refusals import NotFound
from scheduler.leading.queries import LIKE_ESCAPE
from scheduler.leading.rules import RESTS_AFTER, Activity, activity
from scheduler.messages.actions import drop
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.rules import ClubLeft
from scheduler.partnership.tables import Agreement, Area, Club
from scheduler.people.actions import decide
from scheduler.people.rules import Acting, AlreadyDecided, MembershipState, NotYourClub, Visitor
from scheduler.people.tables import Membership, Person

PAGE = 50
# What a club can end: an invitation is taken back.
ENDED_BY_CLUB = (MembershipState.APPROVED, MembershipState.INVITED)
LEAST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Member:
    """One membership in the list. `season`: walks in the agreement's term of today; `last`: the night of the latest;
    `activity` is None where the membership is not approved."""

    membership_id: int
    person_id: int
    name: str
    phone: str
    club: str
    state: MembershipState
    walks: int
    season: int
    last: date | None
    activity: Activity | None
    may_lead: bool
    extract_seen_on: date | None


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: a name or a part of a number, how a membership or its walker stands, a club; empty and None
    mean any."""

    text: str
    state: MembershipState | Activity | None
    club_id: int | None
    club_ids: frozenset[int] | None
    page: int


def members(connection: Connection, acting: Acting, sought: Sought, *, everybody: bool = False) -> list[Member]:
    """Return memberships by name: one page and one more, which says that there is a next page, or all."""
    today = acting.now.astimezone(acting.zone).date()
    wanted = _wanted(acting, sought, today)
    if not everybody:
        wanted = wanted.limit(PAGE + 1).offset(PAGE * sought.page)
    return [
        Member(
            membership_id=row.id,
            person_id=row.person_id,
            name=row.name,
            phone=row.phone,
            club=row.club,
            state=row.state,
            walks=row.walks,
            season=row.season,
            last=row.last,
            activity=activity(row.since, row.last, has_coming=row.coming, now=acting.now, today=today)
            if row.state is MembershipState.APPROVED
            else None,
            may_lead=row.may_lead_since is not None,
            extract_seen_on=row.extract_seen_on,
        )
        for row in connection.execute(wanted)
    ]


def _wanted(acting: Acting, sought: Sought, today: date) -> AnySelect:
    full = Person.first_name + " " + Person.last_name
    attended = (
        select(func.count(Booking.id))
        .join(Shift, Shift.id == Booking.shift_id)
        .join(Night, Night.id == Shift.night_id)
        .where(Booking.person_id == Person.id, Booking.state == BookingState.ATTENDED)
        .correlate(Person)
    )
    term = select(Agreement.id).where(
        Agreement.partnership_id == acting.partnership_id, Agreement.starts_on <= today, Agreement.ends_on >= today
    )
    last = attended.with_only_columns(func.max(Night.date)).scalar_subquery()
    since = func.coalesce(Membership.decided_at, Membership.asked_at)
    coming = (
        exists()
        .where(
            Booking.person_id == Person.id,
            Booking.shift_id == Shift.id,
            Booking.state.in_([BookingState.BOOKED, BookingState.WAITING]),
            Shift.ends_at > acting.now,
        )
        .correlate(Person)
    )
    wanted: AnySelect = (
        select(
            *(Membership.id, Person.id.label("person_id"), full.label("name"), Person.phone),
            *(Club.name.label("club"), Membership.state, since.label("since"), last.label("last")),
            attended.scalar_subquery().label("walks"),
            attended.where(Night.agreement_id.in_(term)).scalar_subquery().label("season"),
            *(coming.label("coming"), Person.may_lead_since, Person.extract_seen_on),
        )
        .join(Person, Person.id == Membership.person_id)
        .join(Club, Club.id == Membership.club_id)
        .where(Membership.partnership_id == acting.partnership_id, Person.forgotten_at.is_(None))
        .order_by(Person.first_name, Person.last_name, Membership.id)
    )
    if sought.text:
        wanted = wanted.where(_like(full, sought.text))
    if isinstance(sought.state, Activity):
        of_rule = _walks_like(sought.state, since, last, coming, acting.now, today)
        wanted = wanted.where(Membership.state == MembershipState.APPROVED, of_rule)
    elif sought.state is not None:
        wanted = wanted.where(Membership.state == sought.state)
    if sought.club_id is not None:
        wanted = wanted.where(Membership.club_id == sought.club_id)
    if sought.club_ids is not None:
        wanted = wanted.where(Membership.club_id.in_(sought.club_ids))
    return wanted


def _like(full: ColumnElement[str], text: str) -> ColumnElement[bool]:
    typed = "".join(LIKE_ESCAPE + sign if sign in "%_\\" else sign for sign in text)
    either = [full.ilike(f"%{form}%", escape=LIKE_ESCAPE) for form in {typed, typed.capitalize(), typed.title()}]
    digits = "".join(sign for sign in text if sign in "0123456789").lstrip("0")
    if len(digits) >= LEAST_DIGITS:
        either.append(Person.phone.like(f"%{digits}%"))
    return or_(*either)


def _walks_like(
    wanted: Activity,
    since: ColumnElement[datetime],
    last: ColumnElement[date],
    coming: ColumnElement[bool],
    now: datetime,
    today: date,
) -> ColumnElement[bool]:
    """Return `rules.activity` as the database asks it."""
    lately = case((last.is_not(None), last >= today - RESTS_AFTER), else_=since >= now - RESTS_AFTER)
    if wanted is Activity.RESTING:
        return and_(~lately, ~coming)
    return and_(or_(lately, coming), last.is_(None) if wanted is Activity.NEW else last.is_not(None))


def approve_many(
    connection: Connection,
    visitor: Visitor,
    acting: Acting,
    membership_ids: Iterable[int],
    contact_of: frozenset[int],
) -> int:
    """Approve each of several applications and return how many; one that somebody else has decided, or to a
    club that has left, stays as it is.

    Raises NotFound or NotYourClub, and then none is approved.
    """
    approved = 0
    for membership_id in sorted(set(membership_ids)):
        try:
            decide(
                connection, visitor, membership_id, acting.now, approve=True, contact_of=contact_of, link=acting.site
            )
        except (AlreadyDecided, ClubLeft):  # refused before anything is written
            continue
        approved += 1
    return approved


@dataclass(frozen=True, slots=True)
class Ending:
    """What ending a membership means: whose, in which club, and the coming places that it ends (none while the
    person is an approved member of another club)."""

    membership_id: int
    person_id: int
    name: str
    club: str
    state: MembershipState
    walks: list[tuple[int, date, str]]


def ending(connection: Connection, acting: Acting, membership_id: int, own_clubs: Collection[int] | None) -> Ending:
    """Return what ending a membership, or taking an invitation back, would mean. Raises NotFound, NotYourClub, or
    AlreadyDecided when it is neither any more."""
    row = connection.execute(
        select(
            Membership.state,
            Membership.club_id,
            Person.id,
            Person.first_name,
            Person.last_name,
            Club.name.label("club"),
        )
        .join(Person, Person.id == Membership.person_id)
        .join(Club, Club.id == Membership.club_id)
        .where(Membership.id == membership_id, Membership.partnership_id == acting.partnership_id)
    ).first()
    if row is None:
        raise NotFound
    if own_clubs is not None and row.club_id not in own_clubs:
        raise NotYourClub
    if row.state not in ENDED_BY_CLUB:
        raise AlreadyDecided
    elsewhere = connection.execute(
        select(
            exists().where(
                Membership.person_id == row.id,
                Membership.id != membership_id,
                Membership.state == MembershipState.APPROVED,
            )
        )
    ).scalar_one()
    walks = [] if elsewhere else _coming(connection, acting, row.id)
    return Ending(membership_id, row.id, f"{row.first_name} {row.last_name}", row.club, row.state, walks)


def _coming(connection: Connection, acting: Acting, person_id: int) -> list[tuple[int, date, str]]:
    rows = connection.execute(
        select(Shift.id, Night.date, Area.name)
        .join(Booking, Booking.shift_id == Shift.id)
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .where(
            Booking.person_id == person_id,
            Booking.state.in_([BookingState.BOOKED, BookingState.WAITING]),
            Shift.starts_at > acting.now,
        )
        .order_by(Shift.starts_at, Shift.id)
    )
    return [(row.id, row.date, row.name) for row in rows]


def end_membership(
    connection: Connection, acting: Acting, membership_id: int, own_clubs: Collection[int] | None
) -> int:
    """End a membership; the person's coming places are free again and she is told of each. Returns how many.

    Raises what `ending` raises.
    """
    seen = ending(connection, acting, membership_id, own_clubs)
    # Under the hold nobody books for her meanwhile: what comes later finds the membership ended.
    hold(connection, acting.partnership_id, [seen.person_id])
    ended = connection.execute(
        update(Membership)
        .where(Membership.id == membership_id, Membership.state.in_(ENDED_BY_CLUB))
        .values(state=MembershipState.ENDED, decided_at=acting.now)
    )
    if ended.rowcount != 1:
        raise AlreadyDecided
    change = Change(
        "membership.ended",
        person_id=seen.person_id,
        before={"membership": seen.state.value},
        after={"membership": MembershipState.ENDED.value, "club": seen.club},
    )
    drop(connection, f"membership:{membership_id}", acting.now)
    audit.record(connection, acting.partnership_id, acting.now, acting.person_id, change)
    walks = _coming(connection, acting, seen.person_id) if not _member_somewhere(connection, seen.person_id) else []
    for shift_id, _, _ in walks:
        take_off(connection, acting, shift_id, seen.person_id, tell_person=True)
    return len(walks)


def _member_somewhere(connection: Connection, person_id: int) -> bool:
    approved = exists().where(Membership.person_id == person_id, Membership.state == MembershipState.APPROVED)
    return bool(connection.execute(select(approved)).scalar())

"""What a calendar shows, read in a few statements, however many events it has."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, exists, func, or_, select

from scheduler.bookings.places import SHIFT_COLUMNS
from scheduler.bookings.queries import meeting_at
from scheduler.bookings.rules import BookingState, Ended
from scheduler.bookings.tables import Booking
from scheduler.calendars.rules import OWN_WALKS_KEPT, SHARED_NIGHTS_KEPT, CalendarKind, ShiftFacts
from scheduler.calendars.wording import Voice
from scheduler.kit.audit import AuditEntry
from scheduler.kit.database import AnyRow
from scheduler.kit.mapping import aliased
from scheduler.nights.rules import NightFlag, ShiftState, coverage, night_flag
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.tables import Area, Club, Partnership
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership, Person

HAS_A_PLACE = (BookingState.BOOKED, BookingState.ATTENDED, BookingState.NO_SHOW)
STANDS = (ShiftState.PUBLISHED, ShiftState.WALKED)


def site_of(public_url: str, host_name: str) -> tuple[str, str]:
    """Return what begins a tenant's links, and the host that ends its uids."""
    scheme, _, own = public_url.partition("://")
    netloc = host_name or own
    return f"{scheme}://{netloc}", netloc.rpartition(":")[0] if netloc.rpartition(":")[2].isdecimal() else netloc


def voice(connection: Connection, calendar: AnyRow, public_url: str) -> Voice:
    """Return how a calendar speaks: its language, zone and links."""
    tenant = connection.execute(
        select(Partnership.name, Partnership.host_name, Partnership.time_zone).where(
            Partnership.id == calendar.partnership_id
        )
    ).one()
    language, subject = calendar.language, ""
    if calendar.kind is CalendarKind.MINE:
        language = connection.execute(select(Person.language).where(Person.id == calendar.subject_id)).scalar_one()
    elif calendar.kind is CalendarKind.AREA:
        subject = connection.execute(select(Area.name).where(Area.id == calendar.subject_id)).scalar_one()
    elif calendar.kind is CalendarKind.CLUB:
        subject = connection.execute(select(Club.name).where(Club.id == calendar.subject_id)).scalar_one()
    site, host = site_of(public_url, tenant.host_name)
    return Voice(
        kind=calendar.kind,
        language=language,
        zone=ZoneInfo(tenant.time_zone),
        site=site,
        host=host,
        partnership=tenant.name,
        subject=subject,
        alarm_minutes=calendar.alarm_minutes,
    )


def facts(
    connection: Connection, partnership_id: int, kind: CalendarKind, subject_id: int, now: datetime
) -> list[ShiftFacts]:
    """Return the shifts of a calendar, by time."""
    chosen = and_(Shift.partnership_id == partnership_id, _chosen(kind, subject_id, now))
    return _read(connection, chosen, person_id=subject_id if kind is CalendarKind.MINE else None,
                 club_id=subject_id if kind is CalendarKind.CLUB else None)  # fmt: skip


def own_walk(connection: Connection, partnership_id: int, person_id: int, booking_id: int) -> ShiftFacts | None:
    """Return the shift on which the person holds a place by this booking, or None."""
    held = exists().where(
        Booking.id == booking_id,
        Booking.shift_id == Shift.id,
        Booking.person_id == person_id,
        Booking.state.in_(HAS_A_PLACE),
    )
    found = _read(connection, and_(Shift.partnership_id == partnership_id, held), person_id=person_id)
    return found[0] if found else None


def _chosen(kind: CalendarKind, subject_id: int, now: datetime) -> Any:  # noqa: ANN401 - a column expression
    """Return which shifts a calendar shows. One that is called off stays until it would have ended."""
    kept = OWN_WALKS_KEPT if kind is CalendarKind.MINE else SHARED_NIGHTS_KEPT
    shown = or_(
        and_(Shift.state.in_(STANDS), Shift.ends_at > now - kept),
        and_(Shift.state == ShiftState.CALLED_OFF, Shift.ends_at > now),
    )
    if kind is CalendarKind.MINE:
        own = (
            select(Booking.shift_id)
            .join(_Booked, _Booked.id == Booking.shift_id)
            .where(
                Booking.person_id == subject_id,
                or_(
                    Booking.state.in_(HAS_A_PLACE),
                    and_(
                        Booking.state == BookingState.CANCELLED,
                        Booking.ended_because == Ended.CALLED_OFF,
                        _Booked.state == ShiftState.CALLED_OFF,
                    ),
                ),
            )
        )
        return and_(shown, Shift.id.in_(own))
    if kind is CalendarKind.AREA:
        return and_(shown, Shift.area_id == subject_id)
    if kind is CalendarKind.CLUB:
        return and_(shown, or_(Shift.host_club_id == subject_id, _of_club(subject_id)))
    if kind is CalendarKind.NEEDS:
        return and_(Shift.state == ShiftState.PUBLISHED, Shift.starts_at > now, Shift.booked < Shift.wanted)
    return shown


_Booked = aliased(Shift)


def _of_club(club_id: int) -> Any:  # noqa: ANN401 - a column expression
    return exists().where(
        Booking.shift_id == Shift.id,
        Booking.state.in_(HAS_A_PLACE),
        Membership.person_id == Booking.person_id,
        Membership.club_id == club_id,
        Membership.state == MembershipState.APPROVED,
    )


def _read(
    connection: Connection,
    chosen: Any,  # noqa: ANN401 - a column expression
    *,
    person_id: int | None = None,
    club_id: int | None = None,
) -> list[ShiftFacts]:
    rows = connection.execute(
        select(
            *SHIFT_COLUMNS,
            Shift.night_id,
            Area.latitude,
            Area.longitude,
            Partnership.municipality,
            Club.name.label("host_club"),
        )
        .join(Night, Night.id == Shift.night_id)
        .join(Area, Area.id == Shift.area_id)
        .join(Partnership, Partnership.id == Shift.partnership_id)
        .outerjoin(Club, Club.id == Shift.host_club_id)
        .where(chosen)
        .order_by(Shift.starts_at, Shift.id)
    ).all()
    if not rows:
        return []
    # By the ids that were found: asked as a condition, PostgreSQL may look at every person there is.
    shifts = [row.shift_id for row in rows]
    flags = _flags(connection, {row.night_id for row in rows})
    names, bookings = _people(connection, shifts, person_id) if person_id is not None else ({}, {})
    of_club = _club_counts(connection, shifts, club_id) if club_id is not None else {}
    return [
        _facts(
            row,
            flags.get(row.night_id, NightFlag.NONE),
            bookings.get(row.shift_id),
            tuple(names.get(row.shift_id, ())),
            of_club.get(row.shift_id, 0),
        )
        for row in rows
    ]


def _facts(row: AnyRow, flag: NightFlag, booking_id: int | None, names: tuple[str, ...], of_club: int) -> ShiftFacts:
    # The area's position is that of its usual meeting place; a shift that meets elsewhere has none.
    known = row.latitude is not None and not row.meeting_place
    return ShiftFacts(
        shift_id=row.shift_id,
        booking_id=booking_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        meeting_at=meeting_at(row),
        area=row.area,
        meeting_place=row.meeting_place or row.area_meeting_place,
        municipality=row.municipality,
        position=(row.latitude, row.longitude) if known else None,
        state=row.state,
        minimum=row.minimum,
        wanted=row.wanted,
        booked=row.booked,
        flag=flag,
        host_club=row.host_club,
        names=names,
        of_club=of_club,
    )


def _flags(connection: Connection, nights: Iterable[int]) -> dict[int, NightFlag]:
    beside = aliased(Shift)
    open_areas = defaultdict(list)
    for row in connection.execute(
        select(beside.night_id, beside.booked, beside.minimum, beside.wanted).where(
            beside.night_id.in_(nights), beside.state.in_(STANDS)
        )
    ):
        open_areas[row.night_id].append(coverage(row.booked, row.minimum, row.wanted))
    return {night_id: night_flag(listed) for night_id, listed in open_areas.items()}


def _people(
    connection: Connection, shifts: Sequence[int], person_id: int
) -> tuple[dict[int, list[str]], dict[int, int]]:
    """Return the first names of the others on each shift in order of booking, and the person's own bookings."""
    names: dict[int, list[str]] = defaultdict(list)
    own: dict[int, int] = {}
    rows = connection.execute(
        select(Booking.id, Booking.shift_id, Booking.person_id, Booking.state, Person.first_name)
        .join(Person, Person.id == Booking.person_id)
        .where(
            Booking.shift_id.in_(shifts),
            or_(Booking.state.in_(HAS_A_PLACE), Booking.person_id == person_id),
        )
        .order_by(Booking.id)
    )
    for row in rows:
        if row.person_id == person_id:
            own[row.shift_id] = row.id
        else:
            names[row.shift_id].append(row.first_name)
    return names, own


def _club_counts(connection: Connection, shifts: Sequence[int], club_id: int) -> dict[int, int]:
    rows = connection.execute(
        select(Booking.shift_id, func.count(Booking.person_id.distinct()).label("walkers"))
        .join(Membership, Membership.person_id == Booking.person_id)
        .where(
            Booking.shift_id.in_(shifts),
            Booking.state.in_(HAS_A_PLACE),
            Membership.club_id == club_id,
            Membership.state == MembershipState.APPROVED,
        )
        .group_by(Booking.shift_id)
    )
    return {row.shift_id: row.walkers for row in rows}


def last_noted(connection: Connection, shift_ids: Iterable[int]) -> dict[int, datetime]:
    """Return when the log last tells of a change on the night of each shift."""
    beside = aliased(Shift)
    rows = connection.execute(
        select(Shift.id, func.max(AuditEntry.at).label("at"))
        .join(beside, beside.night_id == Shift.night_id)
        .join(AuditEntry, AuditEntry.shift_id == beside.id)
        .where(Shift.id.in_(list(shift_ids)))
        .group_by(Shift.id)
    )
    return {row.id: row.at for row in rows}


def revision(connection: Connection, shift_id: int) -> int:
    """Return how often a shift or a place on it has changed."""
    return connection.execute(select(Shift.revision).where(Shift.id == shift_id)).scalar_one()

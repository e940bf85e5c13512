"""Filling the demo: one transaction, through the same actions that people use."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from scheduler.bookings import actions as bookings
from scheduler.bookings import waiting_list
from scheduler.bookings.queries import booking_page
from scheduler.bookings.reminding import plan_batch
from scheduler.demo.notes import invented_note
from scheduler.demo.papers import write_papers
from scheduler.demo.people import COORDINATOR_PHONE, FIRST_NUMBER, TEAM_PHONE, invented_people
from scheduler.demo.searching import failing, search, stayed_away
from scheduler.kit.database import Database
from scheduler.kit.refusals import Refusal
from scheduler.kit.upsert import upsert
from scheduler.messages.actions import count_as_sent
from scheduler.messages.rules import MessageKind
from scheduler.money.actions import settle_all
from scheduler.nights import actions as nights
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import Pattern, Season, Special, plan_season, special_nights
from scheduler.nights.tables import LocalNight, Shift
from scheduler.partnership import actions as partnership
from scheduler.partnership.queries import club_by_code
from scheduler.partnership.rules import BudgetLineKind
from scheduler.partnership.tables import Partnership
from scheduler.people import actions as people
from scheduler.people.rules import Acting, Role
from scheduler.walks import actions as walks

SEED = 2022
FIRST_INVITATION = "demo-1"
ZONE = ZoneInfo("Europe/Stockholm")
ORE_PER_KRONA = 100
# The agreement of Timrå municipality and Timrå IK, 22 December 2021 to 31 December 2022.
NIGHT_RATE_ORE = 2_500 * ORE_PER_KRONA
PROMISED_ORE = 275_000 * ORE_PER_KRONA
LINES_ORE = {
    BudgetLineKind.WEEKEND_NIGHTS: 250_000 * ORE_PER_KRONA,
    BudgetLineKind.MATERIAL: 5_000 * ORE_PER_KRONA,
    BudgetLineKind.UNFORESEEN: 15_000 * ORE_PER_KRONA,
}
PAID_NIGHTS = 100
# The positions are those of the parts of town, good enough to find the way to an invented meeting place.
AREAS = (
    ("Arenaområdet", "entrén till arenan", (62.4846, 17.3345)),
    ("Centrum", "Y:et på torget", (62.4870, 17.3258)),
    ("Sörberge", "skolans parkering", (62.5120, 17.3690)),
)
CLUBS = (
    "Timrå IK",
    "Sörberge Bollklubb",
    "Fagerviks Friluftsklubb",
    "Bergeforsens Skidlag",
    "Vivsta Gymnastik",
    "Söråkers Scoutkår",
    "Ljustorps Orientering",
)
# How many walk each area of the coming nights: first a double night that needs coverage in both areas, then one
# that walks in both; single nights in order of time, the second of them full.
COMING_DOUBLES = ((1, 0), (4, 3))
COMING_SINGLES = (3, 4, 2, 0, 2, 3, 1, 2, 0, 1)
# Of the single nights: one whose two walkers are of the club that often fails, and one that people are asked for.
AT_RISK, SEARCHED = 2, 3
SECOND_AREA_ON = (1, 5)  # which of the coming nights are double
PAST_DOUBLES = (Special.WALPURGIS, Special.MIDSUMMER_EVE, Special.LAST_SCHOOL_DAY)
NEAR_THE_END = timedelta(days=45)
PUBLISHED_AHEAD = timedelta(weeks=7)
DOUBLED_WITHIN = timedelta(weeks=2)
PLACES = 4  # an area's usual number of wanted walkers
IN_QUEUE = 2
TEXTS_SHOWN = timedelta(days=14)
REMINDED_BEFORE = {
    MessageKind.REMINDER_TWO_DAYS: timedelta(hours=51),
    MessageKind.REMINDER_THREE_HOURS: timedelta(hours=3),
}


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays whom. `walkers` are free for the random bookings; the volunteer has only a past."""

    volunteer: int
    walkers: list[int]
    coordinator: int


def fill_once(database: Database, now: datetime, site: str) -> bool:
    """Fill an empty database with the demo, in one transaction; False when it holds a partnership already."""
    return database.write(lambda connection: _fill(connection, now, site))


def is_another(connection: Connection) -> bool:
    """Return whether the database holds a partnership that the demo has not made."""
    founded = connection.execute(select(Partnership.id).limit(1)).first() is not None
    return founded and club_by_code(connection, FIRST_INVITATION) is None


def _fill(connection: Connection, now: datetime, site: str) -> bool:
    if connection.execute(select(Partnership.id).limit(1)).first() is not None:
        return False
    random = Random(SEED)  # noqa: S311 - the demo is to be the same each time
    today = now.astimezone(ZONE).date()
    founded_at = datetime.combine(terms(today)[0][0] - timedelta(days=60), time(12), tzinfo=ZONE)
    partnership_id = partnership.found_partnership(
        connection,
        founded_at,
        name="Nattvandring Timrå",
        municipality="Timrå kommun",
        time_zone=ZONE.key,
        team_phone=TEAM_PHONE,
        coordinator_phone=COORDINATOR_PHONE,
    )
    clubs = [
        partnership.add_club(
            connection,
            partnership_id,
            name,
            coordinating=number == 0,
            invitation_code=FIRST_INVITATION.replace("1", str(number + 1)),
        )
        for number, name in enumerate(CLUBS)
    ]
    areas = [
        partnership.add_area(connection, partnership_id, name, place, position=position)
        for name, place, position in AREAS
    ]
    cast = _people(connection, partnership_id, clubs, random, founded_at, now)
    for starts_on, ends_on in terms(today):
        _term(connection, partnership_id, areas, starts_on, ends_on, today, founded_at)
    acting = Acting(partnership_id, None, founded_at, ZONE, site)
    _past(connection, acting, cast, random, now)
    later = Acting(partnership_id, None, now, ZONE, site)
    settle_all(connection, later)
    write_papers(connection, later, today)
    _coming(connection, acting, cast, random, now)
    return True


def terms(today: date) -> list[tuple[date, date]]:
    """Return the agreement's term moved so that `today` lies inside, 22 December to 31 December of the year
    after; near its end the next year's agreement too, near its beginning the last year's."""
    years = sorted({(today - NEAR_THE_END).year, today.year, (today + NEAR_THE_END).year})
    starts = [date(years[0] - 1, 12, 22), *(date(year, 1, 1) for year in years[1:])]
    return [(start, date(year, 12, 31)) for start, year in zip(starts, years, strict=True)]


def _people(
    connection: Connection, partnership_id: int, clubs: Sequence[int], random: Random, then: datetime, now: datetime
) -> Cast:
    ids = []
    for number, invented in enumerate(invented_people(random, then.date())):
        person_id = people.register(
            connection,
            partnership_id,
            then,
            first_name=invented.first_name,
            last_name=invented.last_name,
            phone=invented.phone,
            born_on=invented.born_on,
        )
        ids.append(person_id)
        if number == MUNICIPALITY:
            continue
        pending = number >= FIRST_PENDING
        club = clubs[1] if number == CONTACT or pending else clubs[number % len(clubs)]
        asked_at = now - timedelta(hours=3 * (number - FIRST_PENDING) + 1) if pending else then
        people.ask_to_join(connection, partnership_id, person_id, club, asked_at)
    people.approve_all_asked_before(connection, partnership_id, then + timedelta(days=1), then)
    people.grant_role(connection, partnership_id, ids[COORDINATOR], Role.COORDINATOR, then)
    people.grant_role(connection, partnership_id, ids[CONTACT], Role.CONTACT, then, club_id=clubs[1])
    people.grant_role(connection, partnership_id, ids[MUNICIPALITY], Role.MUNICIPALITY, then)
    return Cast(volunteer=ids[VOLUNTEER], walkers=ids[FIRST_WALKER:FIRST_PENDING], coordinator=ids[COORDINATOR])


# Places in the list of invented people; their numbers follow each other from 070-174 06 05.
VOLUNTEER, COORDINATOR, CONTACT, MUNICIPALITY, FIRST_WALKER, FIRST_PENDING = 0, 1, 2, 3, 4, 87
ROLES = {"volunteer": VOLUNTEER, "coordinator": COORDINATOR, "contact": CONTACT, "municipality": MUNICIPALITY}


def _term(
    connection: Connection,
    partnership_id: int,
    areas: Sequence[int],
    starts_on: date,
    ends_on: date,
    today: date,
    now: datetime,
) -> None:
    agreement_id = partnership.sign_agreement(
        connection,
        partnership_id,
        starts_on=starts_on,
        ends_on=ends_on,
        night_rate_ore=NIGHT_RATE_ORE,
        promised_ore=PROMISED_ORE,
        lines_ore=LINES_ORE,
    )
    school_ends = _last_school_day(ends_on.year)
    upsert(
        connection,
        LocalNight,
        {"partnership_id": partnership_id, "night": school_ends},
        {"special": Special.LAST_SCHOOL_DAY},
    )
    specials = special_nights(starts_on, ends_on, [(school_ends, Special.LAST_SCHOOL_DAY)])
    plain = Pattern(frozenset({4, 5}), time(21), time(1), tuple(areas))
    single = plan_season(plain, starts_on, ends_on, PAID_NIGHTS, specials)
    going_on = starts_on <= today
    holds_coming = starts_on <= today + DOUBLED_WITHIN <= ends_on
    second_areas = _double_nights(single, areas, today) if going_on or holds_coming else {}
    if not holds_coming:
        second_areas = {night: area for night, area in second_areas.items() if night < today}
    pattern = Pattern(frozenset({4, 5}), time(21), time(1), tuple(areas), second_areas)
    season = plan_season(pattern, starts_on, ends_on, PAID_NIGHTS, specials)
    nights.write_season(connection, partnership_id, agreement_id, season, pattern, ZONE, now, publish=going_on)
    if not going_on:
        nights.publish(connection, partnership_id, today + PUBLISHED_AHEAD, now)


def _last_school_day(year: int) -> date:
    """Return a believable one: the Friday of the second week of June."""
    return next(day for day in (date(year, 6, 8) + timedelta(days=n) for n in range(7)) if day.weekday() == 4)  # noqa: PLR2004


def _double_nights(season: Season, areas: Sequence[int], today: date) -> dict[date, int]:
    coming = [planned for planned in season.walked if planned.night >= today]
    doubled = [coming[number] for number in SECOND_AREA_ON if number < len(coming)]
    doubled += [planned for planned in season.walked if planned.special in PAST_DOUBLES and planned.night < today]
    return {planned.night: areas[(areas.index(planned.areas[0]) + 1) % len(areas)] for planned in doubled}


def _shifts(connection: Connection, partnership_id: int) -> list[tuple[int, datetime, int]]:
    """Return id, start and minimum of all shifts, by time."""
    return [
        (row.id, row.starts_at, row.minimum)
        for row in connection.execute(
            select(Shift.id, Shift.starts_at, Shift.minimum)
            .where(Shift.partnership_id == partnership_id, Shift.state == ShiftState.PUBLISHED)
            .order_by(Shift.starts_at, Shift.id)
        )
    ]


def _book(connection: Connection, acting: Acting, shift_id: int, person_id: int, at: datetime) -> int | None:
    own = Acting(acting.partnership_id, person_id, at, acting.zone, acting.site)
    try:
        return bookings.book(connection, own, shift_id, person_id, f"demo-{shift_id}-{person_id}")
    except Refusal:
        return None


def _past(connection: Connection, acting: Acting, cast: Cast, random: Random, now: datetime) -> None:
    over = [one for one in _shifts(connection, acting.partnership_id) if one[1] + timedelta(hours=5) <= now]
    asked: int | None = None
    for number, (shift_id, starts_at, _) in enumerate(over):
        walkers = random.sample(cast.walkers, random.choice((2, 3, 3, 4, 4, 4)))
        if random.random() < 0.07:  # noqa: PLR2004 - about one shift in fifteen
            walkers[0] = cast.volunteer
        for person_id in walkers:
            _book(connection, acting, shift_id, person_id, starts_at - timedelta(days=random.randint(3, 20)))
        if starts_at > now - TEXTS_SHOWN:
            for kind, before in REMINDED_BEFORE.items():
                plan_batch(connection, kind, 0, starts_at - before, {acting.partnership_id: acting.site})
            count_as_sent(connection, starts_at - timedelta(hours=2))
        after = Acting(acting.partnership_id, None, starts_at + timedelta(hours=4), acting.zone, acting.site)
        if number == len(over) - 1:
            return  # the last walk's note is still to be written
        missing = {walkers[-1]} if random.random() < 0.08 else set()  # noqa: PLR2004 - one night in twelve
        missing |= stayed_away(walkers[1:], failing(cast.walkers, len(CLUBS)), shift_id)
        note = invented_note(random)
        walks.write_note(connection, after, shift_id, note, set(walkers) - missing, leads=True)
        if note.follow_up:
            if asked is not None:
                walks.settle_follow_up(connection, after, asked, done=True)
            asked = shift_id  # the newest one is still to be followed up


def _coming(connection: Connection, acting: Acting, cast: Cast, random: Random, now: datetime) -> None:
    nights_ahead: dict[datetime, list[int]] = {}
    for shift_id, starts_at, _ in _shifts(connection, acting.partnership_id):
        if starts_at > now:
            nights_ahead.setdefault(starts_at, []).append(shift_id)
    doubles, singles = iter(COMING_DOUBLES), iter(COMING_SINGLES)
    flaky = failing(cast.walkers, len(CLUBS))
    full: list[int] = []
    singles_seen: list[int] = []
    for number, shift_ids in enumerate(nights_ahead.values()):
        counts = next(doubles, (0, 1)) if len(shift_ids) > 1 else (next(singles, number % 2),)
        for shift_id, count in zip(shift_ids, counts, strict=True):
            booked_at = now - timedelta(days=2, hours=number)
            sample = random.sample(cast.walkers, len(cast.walkers))
            if len(counts) == 1 and len(singles_seen) == AT_RISK:
                sample.sort(key=lambda person: person not in flaky)
            free = iter(sample)
            booked = 0
            while booked < count:
                booked += _book(connection, acting, shift_id, next(free), booked_at) is not None
            if len(counts) == 1 and count == PLACES:
                full.append(shift_id)
            if len(counts) == 1:
                singles_seen.append(shift_id)
    _queue(connection, acting, full[0], random.sample(cast.walkers, len(cast.walkers)), now)
    leading = Acting(acting.partnership_id, cast.coordinator, now, acting.zone, acting.site)
    search(connection, leading, singles_seen[SEARCHED], now, ZONE)


def _queue(connection: Connection, acting: Acting, shift_id: int, people: Sequence[int], now: datetime) -> None:
    """Put two people in the queue of a full shift; the second has ticked "take it for me"."""
    joined = 0
    for person_id in people:
        own = Acting(acting.partnership_id, person_id, now - timedelta(hours=8), acting.zone, acting.site)
        once = f"demo-queue-{person_id}"
        with suppress(Refusal):
            booking_id = waiting_list.join(connection, own, shift_id, person_id, once, auto_take=joined == 1)
            joined += booking_page(connection, acting.partnership_id, person_id, booking_id, now).state == "waiting"
        if joined == IN_QUEUE:
            return


def demo_phone(role: str) -> str:
    """Return the E.164 number of the person who plays a role (KeyError for an unknown one)."""
    return f"+{FIRST_NUMBER + ROLES[role]}"

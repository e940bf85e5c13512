"""A whole season of one town, four times: by the sign-up list alone, with reminders, with asking by hand, with the
autopilot.

Everything that happens to a shift happens by the product's own verbs, on a database of its own: the worker's pass
plans, asks and steers, the outbox is claimed and sent by the real sender to the demo's port, answers come in as
texts do. The people are those of `town`, which says what is assumed of them.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, event, insert, select

from scheduler import create_app, worker
from scheduler.answers.actions import Came, receive
from scheduler.bookings import actions as bookings
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.gaps import actions as gaps
from scheduler.gaps import autopilot, history
from scheduler.gaps.offering import goal_of
from scheduler.gaps.rules import AskState, AutopilotMode, Policy
from scheduler.gaps.tables import Ask
from scheduler.kit.database import Database
from scheduler.kit.migrating import upgrade
from scheduler.kit.refusals import Refusal
from scheduler.kit.settings import Settings
from scheduler.messages.rules import LEFT, REMINDERS, MessageKind
from scheduler.messages.tables import Message
from scheduler.messages.worker import ALL
from scheduler.nights.actions import Places, add_shift
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import moments
from scheduler.nights.tables import Night
from scheduler.partnership.actions import add_area, add_club, found_partnership, sign_agreement
from scheduler.people.actions import register
from scheduler.people.rules import Acting, MembershipState
from scheduler.people.tables import Membership

from .figures import Figure
from .town import Habits, at, chance, local_hours, townspeople

ZONE = ZoneInfo("Europe/Stockholm")
SITE = "http://127.0.0.1:8000"
FIRST_MONDAY = date(2026, 1, 5)
WEEKS = 50
SHOWN_AHEAD = timedelta(weeks=6)
PLACES = Places(2, 4)
CLUBS = 7
DOUBLE_EVERY = 5
HAND_DAYS, HAND_HOUR, HAND_AHEAD_DAYS = (0, 3), 9, 7
LATELY = timedelta(days=14)
MOST_LEFT = 1 / 3
ARMS = ("sign-up list only", "with reminders", "asking by hand", "autopilot")
HEADINGS = ("", "shifts", "uncovered", "at minimum", "at wanted", "two-area nights", "covered", "asks", "filled",
            "asks/place", "most asks/week", "most texts")  # fmt: skip


@dataclass
class Clock:
    instant: datetime

    def now(self) -> datetime:
        return self.instant


@dataclass(frozen=True)
class Known:
    """What the townspeople know of a shift."""

    id: int
    night: date
    area: int
    starts_at: datetime


@dataclass(order=True)
class Happening:
    at: datetime
    number: int
    person: int = field(compare=False)
    body: str = field(compare=False)
    shift: int = field(compare=False)


@dataclass(frozen=True)
class Outcome:
    """How a season ended."""

    arm: str
    shifts: int
    uncovered: int
    at_minimum: int
    at_wanted: int
    doubles: int
    doubles_covered: int
    asks: int
    filled: int
    most_asks_a_week: int
    most_texts: int

    def row(self) -> tuple[str, ...]:
        a_place = f"{self.asks / self.filled:.1f}" if self.filled else ""
        numbers = (self.shifts, self.uncovered, self.at_minimum, self.at_wanted, self.doubles, self.doubles_covered,
                   self.asks, self.filled)  # fmt: skip
        return (self.arm, *map(str, numbers), a_place, str(self.most_asks_a_week), str(self.most_texts))


class Season:
    """One town living through one season."""

    def __init__(self, arm: str, url: str) -> None:
        self.arm = arm
        self.database = Database(url)
        if self.database.one_writer:
            # Nothing of this outlives the run.
            event.listen(self.database.engine, "connect", lambda driver, _: driver.execute("PRAGMA synchronous = OFF"))
        self.database.write(upgrade)
        self.clock = Clock(datetime.combine(FIRST_MONDAY, time(8), tzinfo=ZONE).astimezone(UTC))
        settings = Settings(database_url=url, secret_key="s" * 40, public_url=SITE, time_zone=ZONE, demo=True)
        self.app = create_app(settings, clock=self.clock, database=self.database)
        self.sender = worker.sender(self.app, threads=1)
        self.habits = townspeople()
        self.shifts: list[Known] = []
        self.ids: list[int] = []
        self.happenings: list[Happening] = []
        self.numbers = count(1)
        self.read_until = 0
        self.walked: dict[int, list[datetime]] = defaultdict(list)
        self.database.write(self._found)
        self.by_id = dict(zip(self.ids, self.habits, strict=True))
        self.by_shift = {shift.id: shift for shift in self.shifts}

    def _found(self, unit: Connection) -> None:
        now = self.clock.now()
        town = found_partnership(unit, now, name="Simulated", municipality="Simulated", time_zone=ZONE.key)
        last = FIRST_MONDAY + timedelta(weeks=WEEKS)
        agreement = sign_agreement(unit, town, starts_on=FIRST_MONDAY, ends_on=last, night_rate_ore=250_000,
                                   promised_ore=0, lines_ore={})  # fmt: skip
        clubs = [add_club(unit, town, f"Club {number}", coordinating=number == 0) for number in range(CLUBS)]
        areas = [add_area(unit, town, f"Area {number}", "The square") for number in range(3)]
        for one in self.habits:
            person = register(unit, town, now, first_name=f"Name{one.number}", last_name="Walker", phone=one.phone,
                              born_on=date(1980, 1, 1))  # fmt: skip
            unit.execute(
                insert(Membership).values(
                    partnership_id=town,
                    person_id=person,
                    club_id=clubs[one.number % CLUBS],
                    state=MembershipState.APPROVED,
                    asked_at=now,
                    decided_at=now,
                )
            )
            self.ids.append(person)
        self.town = town
        for number in range(2 * WEEKS):
            night = FIRST_MONDAY + timedelta(weeks=number // 2, days=4 + number % 2)
            night_id = unit.execute(
                insert(Night).values(partnership_id=town, agreement_id=agreement, date=night).returning(Night.id)
            ).scalar_one()
            starts_at, ends_at = moments(night, time(21), time(1), ZONE)
            for area in (number % 3, (number + 1) % 3) if number % DOUBLE_EVERY == 0 else (number % 3,):
                shift = add_shift(unit, town, night_id, areas[area], starts_at, ends_at, PLACES,
                                  ShiftState.PUBLISHED, now)  # fmt: skip
                self.shifts.append(Known(shift, night, area, starts_at))

    def acting(self, person: int | None = None) -> Acting:
        return Acting(self.town, person, self.clock.now(), ZONE, SITE)

    # ------------------------------------------------------------ time

    def live(self) -> Outcome:
        if self.arm == "autopilot":
            chosen = Policy(AutopilotMode.ACTS, HAND_AHEAD_DAYS)
            self.database.write(lambda unit: autopilot.change_policy(unit, self.acting(), Policy(), chosen))
        for moment in self._hours():
            self._until(moment)
            self._hour(moment)
        outcome = self._outcome()
        self.sender.close()
        self.database.dispose()
        return outcome

    def _hours(self) -> Iterator[datetime]:
        for day in range(7 * WEEKS):
            midnight = datetime.combine(FIRST_MONDAY + timedelta(days=day), time(), tzinfo=ZONE)
            for hour in local_hours(day % 7):
                yield at(midnight, hour).astimezone(UTC)

    def _until(self, moment: datetime) -> None:
        """Let what people do between the hours happen: answers by text, and what life does."""
        while self.happenings and self.happenings[0].at <= moment:
            one = heapq.heappop(self.happenings)
            self.clock.instant = max(one.at, self.clock.instant)
            if one.body:
                came = Came(f"SM{one.number}", self.by_id[one.person].phone, one.body)
                self.database.write(lambda unit, came=came: receive(unit, came, SITE, self.clock.now()))
                self._plan_life(one.person, one.shift)
            else:
                self._hindered(one)
        self.clock.instant = moment

    def _hour(self, moment: datetime) -> None:
        local = moment.astimezone(ZONE)
        if local.hour == 18:
            self._look_at_the_list(local)
        if self.arm == "asking by hand" and local.weekday() in HAND_DAYS and local.hour == HAND_HOUR - 1:
            self._ask_by_hand()
        self._pass()
        if local.hour == 21 and local.weekday() in {4, 5}:
            self._walk(local.date())

    def _pass(self) -> None:
        """What the worker does that this arm has."""
        now = self.clock.now()
        worker.pass_on_offers(self.app, now)
        if self.arm != ARMS[0]:
            worker.plan_reminders(self.app, now)
        worker.search_for_people(self.app, now)
        worker.steer(self.app, now)
        self.sender.send_all_due(ALL, lambda: True)
        self._read_texts()

    # ------------------------------------------------------------ people

    def _look_at_the_list(self, local: datetime) -> None:
        week = (local.date() - FIRST_MONDAY).days // 7
        for person, one in self.by_id.items():
            if one.looks_at_the_list(week) and int(7 * chance("day", one.number, week)) == local.weekday():
                self._book_what_suits(person, one)

    def _book_what_suits(self, person: int, one: Habits) -> None:
        now = self.clock.now()
        shown = [shift for shift in self.shifts if now < shift.starts_at <= now + SHOWN_AHEAD]
        gladly = sorted(
            shown,
            key=lambda shift: -one.likes(shift.night.weekday(), shift.area) * chance("pick", one.number, shift.id),
        )
        for shift in gladly[:5]:
            acting = self.acting(person)
            once = f"list-{shift.id}-{now:%s}"
            try:
                self.database.write(lambda unit, s=shift.id, o=once, a=acting: bookings.book(unit, a, s, person, o))
            except Refusal:
                continue
            self._plan_life(person, shift.id)
            return

    def _plan_life(self, person: int, shift_id: int) -> None:
        shift, before = self.by_shift[shift_id], self.by_id[person].hindered_before(shift_id)
        if before is not None and shift.starts_at - before > self.clock.now():
            self._happens(shift.starts_at - before, person, "", shift_id)

    def _happens(self, moment: datetime, person: int, body: str, shift_id: int) -> None:
        heapq.heappush(self.happenings, Happening(moment, next(self.numbers), person, body, shift_id))

    def _hindered(self, one: Happening) -> None:
        """Life gets in the way: most tell it by the page, the rest only if a reminder asks, or not at all."""
        if self.by_id[one.person].tells(one.shift):
            self._leave(one.person, one.shift)

    def _leave(self, person: int, shift_id: int) -> None:
        with self.database.reading() as unit:
            booking = unit.execute(
                select(Booking.id).where(
                    Booking.shift_id == shift_id,
                    Booking.person_id == person,
                    Booking.state == BookingState.BOOKED,
                )
            ).scalar()
        if booking is not None:
            late = self.by_shift[shift_id].starts_at - self.clock.now() < timedelta(hours=24)
            acting = self.acting(person)
            self.database.write(lambda unit: bookings.cancel(unit, acting, booking, cannot_come=late))

    def _read_texts(self) -> None:
        """People read what has come to their phones, and some will answer."""
        with self.database.reading() as unit:
            rows = unit.execute(
                select(Message.id, Message.kind, Message.person_id, Message.shift_id, Message.claimed_at)
                .where(
                    Message.claimed_at >= self.clock.now() - timedelta(minutes=1),
                    Message.state.in_(LEFT),
                    Message.question.is_not(None),
                )
                .order_by(Message.id)
            ).all()
        for row in rows:
            shift, one = self.by_shift[row.shift_id], self.by_id[row.person_id]
            if row.kind is MessageKind.GAP_ASKED:
                after = one.answer_after(shift.id)
                if after is not None:
                    lately = any(abs(shift.starts_at - walk) < LATELY for walk in self.walked[row.person_id])
                    willing = one.yes_to(shift.id, shift.night.weekday(), shift.area, walked_lately=lately)
                    self._happens(self.clock.now() + after, row.person_id, "JA" if willing else "NEJ", shift.id)
            elif row.kind in REMINDERS:
                before = one.hindered_before(shift.id)
                hindered = before is not None and shift.starts_at - before <= self.clock.now()
                if hindered:
                    self._happens(self.clock.now() + timedelta(minutes=20), row.person_id, "NEJ", shift.id)

    # ------------------------------------------------------------ the coordinator

    def _ask_by_hand(self) -> None:
        """On Mondays and Thursdays at nine the coordinator taps "ask" on each night in danger of the next week."""
        now = self.clock.now()
        with self.database.reading() as unit:
            found = autopilot.in_danger(unit, self.acting(), Policy(AutopilotMode.ACTS, HAND_AHEAD_DAYS))
        for shift_id, _ in found:

            def tap(unit: Connection, shift_id: int = shift_id) -> None:
                row = gaps.shift_facts(unit, self.town, shift_id)
                goal = goal_of(unit, row, history.believed(self.town, now).ask(unit), now)
                gaps.start(unit, self.acting(), shift_id, goal)

            self.database.write(tap)

    # ------------------------------------------------------------ the night, and how it all ended

    def _walk(self, night: date) -> None:
        for shift in (one for one in self.shifts if one.night == night):
            with self.database.reading() as unit:
                booked = list(
                    unit.execute(
                        select(Booking.person_id).where(
                            Booking.shift_id == shift.id, Booking.state == BookingState.BOOKED
                        )
                    ).scalars()
                )
            reminded = self.arm != ARMS[0]
            came = {person for person in booked if self._comes(person, shift.id, reminded=reminded)}
            acting = self.acting()
            self.database.write(
                lambda unit, shift=shift, came=came, acting=acting: bookings.record_attendance(
                    unit, acting, shift.id, came
                )
            )
            for person in came:
                self.walked[person].append(shift.starts_at)

    def _comes(self, person: int, shift_id: int, *, reminded: bool) -> bool:
        one = self.by_id[person]
        return one.hindered_before(shift_id) is None and not one.forgets_to_come(shift_id, reminded=reminded)

    def _outcome(self) -> Outcome:
        with self.database.reading() as unit:
            came = Counter(
                unit.execute(select(Booking.shift_id).where(Booking.state == BookingState.ATTENDED)).scalars()
            )
            asks = unit.execute(
                select(Ask.person_id, Ask.asked_at, Ask.state).where(Ask.state != AskState.WITHDRAWN)
            ).all()
            texts = Counter(unit.execute(select(Message.person_id).where(Message.state.in_(LEFT))).scalars())
        asked: dict[int, list[datetime]] = defaultdict(list)
        for row in asks:
            asked[row.person_id].append(row.asked_at)
        by_night: dict[date, list[bool]] = defaultdict(list)
        for shift in self.shifts:
            by_night[shift.night].append(came[shift.id] >= PLACES.minimum)
        doubles = [covered for covered in by_night.values() if len(covered) > 1]
        return Outcome(
            arm=self.arm,
            shifts=len(self.shifts),
            uncovered=sum(came[shift.id] < PLACES.minimum for shift in self.shifts),
            at_minimum=sum(came[shift.id] >= PLACES.minimum for shift in self.shifts),
            at_wanted=sum(came[shift.id] >= PLACES.wanted for shift in self.shifts),
            doubles=len(doubles),
            doubles_covered=sum(all(covered) for covered in doubles),
            asks=len(asks),
            filled=sum(row.state is AskState.YES for row in asks),
            most_asks_a_week=max((_most_in_a_week(times) for times in asked.values()), default=0),
            most_texts=max(texts.values(), default=0),
        )


def _most_in_a_week(times: list[datetime]) -> int:
    return max(sum(start <= other < start + timedelta(days=7) for other in times) for start in times)


def measure(database: str, folder: Path) -> list[Figure]:
    outcomes = [
        Season(arm, f"sqlite:///{folder / f'season-{number}.sqlite3'}").live() for number, arm in enumerate(ARMS)
    ]
    rows = [HEADINGS, *(outcome.row() for outcome in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for row in rows:
        print("  ".join(cell.rjust(width) if column else cell.ljust(width)
                        for column, (cell, width) in enumerate(zip(row, widths, strict=True))))  # fmt: skip
    reminded, piloted = outcomes[1], outcomes[3]
    details = {outcome.arm: dict(zip(HEADINGS[1:], outcome.row()[1:], strict=True)) for outcome in outcomes}
    left = piloted.uncovered / reminded.uncovered if reminded.uncovered else 0.0
    most = max(outcome.most_asks_a_week for outcome in outcomes)
    return [
        Figure("season", database, "uncovered shifts, autopilot to reminders only", left, "ratio", most=MOST_LEFT,
               details=details),
        Figure("season", database, "most asks to one person in seven days", most, "asks", most=Policy().asks_a_week),
    ]  # fmt: skip

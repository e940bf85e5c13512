"""Lives of nights, made by chance: booking, cancelling, hosting, a second area, calling off, coming or not, leaving a
club, correcting, naming another host, settling in between. Each step is a verb of the product in a transaction of its
own, and what must hold afterwards is counted anew here, without the rules that are proved."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import count

from sqlalchemy import Connection, delete, func, insert, select

from scheduler.bookings import actions as bookings
from scheduler.bookings import changes
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import Database
from scheduler.kit.refusals import Refusal
from scheduler.money import actions, queries
from scheduler.money.tables import LedgerEntry
from scheduler.nights import hosting
from scheduler.nights.budget import open_area
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.actions import add_club
from scheduler.partnership.queries import agreement_on
from scheduler.partnership.rules import BudgetLineKind
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership
from scheduler.walks.actions import write_note
from scheduler.walks.tables import WalkedFor, WalkNote
from tests import make
from tests.walks.test_actions import CALM

RATE_ORE = 250_000
FIRST, NIGHTS_OF_A_TOWN = date(2026, 12, 1), 390
CLUBS, WALKERS = 3, 3
_numbers = count(1)


class Lives:
    """A town of three clubs with three walkers each, in which one night after another is lived."""

    def __init__(self, database: Database, chance: random.Random, name: str = "") -> None:
        self.database, self.chance = database, chance
        self.host_name = f"{name}{next(_numbers)}.example"
        self.pool = ThreadPoolExecutor(2)
        self.settled_at_once = self.refused = self.steps = 0
        database.write(self._found)

    def _found(self, connection: Connection) -> None:
        self.town = make.town(connection, self.host_name, self.host_name)
        names = (f"{self.host_name} {letter}" for letter in "BC")
        self.clubs = [self.town.club_id, *(add_club(connection, self.town.id, name) for name in names)]
        self.club_of = {}
        for club in self.clubs:
            for _ in range(WALKERS):
                person = make.person(connection, self.town, state=None)
                self.club_of[person] = club
                _join(connection, self.town.id, person, club)

    def nights(self) -> Iterator[date]:
        return (FIRST + timedelta(days=number) for number in range(NIGHTS_OF_A_TOWN))

    def live(self, night: date) -> None:
        """Live one night from the list to the account, and check it. Raises AssertionError when sums differ."""
        area, other = self.chance.sample([self.town.centre, self.town.arena], 2)
        self.before = make.before_start(72, night)
        self.after = make.before_start(-12, night)
        first = self.database.write(lambda connection: make.shift(connection, self.town, night, area=area, wanted=9))
        self.shifts, self.left_clubs = [first], set[int]()
        for _ in range(self.chance.randint(2, 9)):
            self._do(self._before(night, other))
        for _ in range(self.chance.randint(1, 6)):
            self._do(self._afterwards())
        self._settle_at_once()
        self.database.write(self._rejoin)
        self._check(night)

    def _do(self, step: Callable[[Connection], object]) -> None:
        self.steps += 1
        try:
            self.database.write(step)
        except Refusal:
            self.refused += 1

    def _before(self, night: date, other: int) -> Callable[[Connection], object]:
        """Return something that may happen before the start."""
        choose = self.chance.choice
        shift, person, club = choose(self.shifts), choose(list(self.club_of)), choose(self.clubs)
        own, boss = make.acting(self.town, person, self.before), make.acting(self.town, None, self.before)
        kind = self.chance.choices(
            ("book several", "book", "cancel", "second area", "host", "give back", "call off"), (5, 3, 2, 2, 1, 1, 0.5)
        )[0]
        if kind == "book several":
            team = self.chance.sample(list(self.club_of), self.chance.randint(2, 5))

            def book_several(connection: Connection) -> None:
                for one in team:
                    acting = make.acting(self.town, one, self.before)
                    bookings.book_several(connection, acting, [shift], one, f"{shift}-{one}-{self.steps}")

            return book_several
        if kind == "second area":

            def open_second(connection: Connection) -> None:
                self.shifts.append(open_area(connection, boss, night, other, "The steering group agrees."))

            return open_second
        return {
            "book": lambda c: bookings.book(c, own, shift, person, f"{shift}-{person}-{self.steps}"),
            "cancel": lambda c: bookings.cancel(c, own, _booking(c, shift, person)),
            "host": lambda c: hosting.take(c, boss, shift, club, None),
            "give back": lambda c: hosting.give_back(c, boss, shift, club),
            "call off": lambda c: changes.call_off(c, boss, shift),
        }[kind]

    def _afterwards(self) -> Callable[[Connection], object]:
        """Return something that may happen after the walk."""
        shift, person = self.chance.choice(self.shifts), self.chance.choice(list(self.club_of))
        boss = make.acting(self.town, None, self.after)
        kind = self.chance.choices(("note", "host", "settle", "settle shift", "leave"), (5, 2, 1, 1, 0.7))[0]
        if kind == "leave":
            self.left_clubs.add(person)
        share = self.chance.random()

        def note(connection: Connection) -> None:
            booked = connection.execute(
                select(Booking.person_id).where(
                    Booking.shift_id == shift, Booking.state.not_in([BookingState.CANCELLED, BookingState.WAITING])
                )
            ).scalars()
            came = {one for one in sorted(booked) if self.chance.random() < max(share, 0.5)}
            write_note(connection, boss, shift, CALM, came, leads=True)

        club = self.chance.choice([None, *self.clubs])
        return {
            "note": note,
            "host": lambda c: actions.name_host(c, boss, shift, club),
            "settle": lambda c: actions.settle_night(c, boss, _night_of(c, shift)),
            "settle shift": lambda c: actions.settle_shift(c, boss, shift),
            "leave": lambda c: c.execute(delete(Membership).where(Membership.person_id == person)),
        }[kind]

    def _settle_at_once(self) -> None:
        """Settle the night twice in parallel, then once more: together they write as one would."""
        boss = make.acting(self.town, None, self.after)
        with self.database.reading() as connection:
            night_id = _night_of(connection, self.shifts[0])
            before = _entries(connection, night_id)

        def settle(_: int) -> int:
            return self.database.write(lambda connection: actions.settle_night(connection, boss, night_id))

        written = sum(self.pool.map(settle, range(2)))
        with self.database.reading() as connection:
            assert _entries(connection, night_id) == before + written, "settling in parallel wrote what nobody counted"
        assert settle(0) == 0, "settling again wrote something"
        self.settled_at_once += 1

    def _rejoin(self, connection: Connection) -> None:
        for person in sorted(self.left_clubs):
            known = select(Membership.id).where(Membership.person_id == person)
            if connection.execute(known).first() is None:
                _join(connection, self.town.id, person, self.club_of[person])

    def _check(self, night: date) -> None:
        """Count anew what the night must have cost, and compare it with the account to the öre."""
        with self.database.reading() as connection:
            walked = connection.execute(
                select(Shift.id, Shift.host_club_id)
                .join(Night, Night.id == Shift.night_id)
                .join(WalkNote, WalkNote.shift_id == Shift.id)
                .where(Night.partnership_id == self.town.id, Night.date == night, Shift.state == ShiftState.WALKED)
                .order_by(Shift.starts_at, Shift.id)
            ).all()
            stands = _standing(connection, self.shifts)
            expected: dict[int, tuple[BudgetLineKind, int]] = {}
            for place, row in enumerate(walked):
                line = BudgetLineKind.UNFORESEEN if place else BudgetLineKind.WEEKEND_NIGHTS
                heads = dict(
                    connection.execute(
                        select(WalkedFor.club_id, func.count())
                        .where(WalkedFor.shift_id == row.id, WalkedFor.club_id.is_not(None))
                        .group_by(WalkedFor.club_id)
                    ).all()
                )
                if row.host_club_id is None and not heads:
                    continue
                expected[row.id] = (line, RATE_ORE)
                got = {club: ore for (shift, _line, club), ore in stands.items() if shift == row.id}
                if row.host_club_id is not None:
                    assert got == {row.host_club_id: RATE_ORE}, (got, row)
                else:
                    together = sum(heads.values())
                    assert got.keys() == heads.keys(), (got, heads)
                    assert all(abs(ore * together - RATE_ORE * heads[club]) < together for club, ore in got.items())
            found: dict[int, tuple[BudgetLineKind, int]] = {}
            for (shift, line, _club), ore in stands.items():
                assert found.get(shift, (line, 0))[0] is line, "one shift stands on two lines"
                found[shift] = (line, found.get(shift, (line, 0))[1] + ore)
            assert found == expected, (found, expected)

    def finish(self) -> int:
        """Check the whole town: nothing is left to settle and the three sums agree; return them in öre."""
        boss = make.acting(self.town, None, datetime.fromisoformat("2028-01-15T12:00:00+00:00"))
        assert self.database.write(lambda connection: actions.settle_all(connection, boss)) == 0
        with self.database.reading() as connection:
            sums = queries.reconciliation(connection, self.town.agreement_id)
            agreement = agreement_on(connection, self.town.id, make.FRIDAY)
            used = queries.budget(connection, agreement, boss.now, boss.now.date()).used_ore
        assert sums.agrees, sums
        assert used == sums.by_line
        self.pool.shutdown()
        return sums.by_club


def _join(connection: Connection, partnership_id: int, person: int, club: int) -> None:
    connection.execute(
        insert(Membership).values(
            partnership_id=partnership_id,
            person_id=person,
            club_id=club,
            state=MembershipState.APPROVED,
            asked_at=make.NOW,
        )
    )


def _booking(connection: Connection, shift: int, person: int) -> int:
    found = connection.execute(
        select(Booking.id).where(Booking.shift_id == shift, Booking.person_id == person).order_by(Booking.id.desc())
    ).scalar()
    return found or 0


def _night_of(connection: Connection, shift: int) -> int:
    return connection.execute(select(Shift.night_id).where(Shift.id == shift)).scalar_one()


def _entries(connection: Connection, night_id: int) -> int:
    counted = select(func.count(LedgerEntry.id)).join(Shift, Shift.id == LedgerEntry.shift_id)
    return connection.execute(counted.where(Shift.night_id == night_id)).scalar_one()


def _standing(connection: Connection, shifts: list[int]) -> dict[tuple[int, BudgetLineKind, int], int]:
    """Return what stands of the entries after all reversals, by shift, line and club, zeros left out."""
    rows = connection.execute(
        select(LedgerEntry.shift_id, LedgerEntry.line, LedgerEntry.club_id, func.sum(LedgerEntry.amount_ore))
        .where(LedgerEntry.shift_id.in_(shifts))
        .group_by(LedgerEntry.shift_id, LedgerEntry.line, LedgerEntry.club_id)
    )
    return {(shift, line, club): int(ore) for shift, line, club, ore in rows if ore}

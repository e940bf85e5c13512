import random
import threading
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update

from scheduler.bookings import actions as bookings
from scheduler.bookings.tables import Booking
from scheduler.kit.refusals import Invalid, NotFound, Refusal
from scheduler.money import actions, queries
from scheduler.money.facts import standing_entries, versions, walked_shifts
from scheduler.money.rules import AlreadyReversed, EntryKind, NotSettled, Unsettled, reconcile, wanted_settlements
from scheduler.money.tables import LedgerEntry
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.actions import add_club
from scheduler.partnership.queries import agreement_on
from scheduler.partnership.rules import BudgetLineKind
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership
from scheduler.walks.actions import write_note
from tests import make
from tests.money.histories import Lives
from tests.walks.test_actions import CALM

AFTER = make.before_start(-5)
WEEKEND, UNFORESEEN, MATERIAL = BudgetLineKind.WEEKEND_NIGHTS, BudgetLineKind.UNFORESEEN, BudgetLineKind.MATERIAL


class Ledger:
    """A town with three clubs of three walkers each."""

    def __init__(self, database, host_name=""):
        self.database = database
        self.host_name = host_name
        self.write(self._fill)

    def _fill(self, connection):
        self.town = make.town(connection, host_name=self.host_name)
        self.clubs = [self.town.club_id, *(add_club(connection, self.town.id, name) for name in ("B", "C"))]
        self.people = {}
        for club in self.clubs:
            self.people[club] = [make.person(connection, self.town, state=None) for _ in range(3)]
            for person in self.people[club]:
                connection.execute(
                    insert(Membership).values(
                        partnership_id=self.town.id, person_id=person, club_id=club,
                        state=MembershipState.APPROVED, asked_at=make.NOW,
                    )
                )  # fmt: skip

    def write(self, work):
        return self.database.write(work)

    def shift(self, night=make.FRIDAY, area=None, walkers=(), **more):
        def work(connection):
            shift = make.shift(connection, self.town, night, area=area, wanted=9, **more)
            for person in walkers:
                bookings.book(connection, make.acting(self.town, person), shift, person, f"{shift}")
            return shift

        return self.write(work)

    def note(self, shift, came, now=AFTER):
        acting = make.acting(self.town, None, now)
        return self.write(lambda connection: write_note(connection, acting, shift, CALM, came, leads=True))

    def cancel(self, shift, person):
        wanted = select(Booking.id).where(Booking.shift_id == shift, Booking.person_id == person)
        booking = self.read(lambda connection: connection.execute(wanted).scalar())
        if booking is not None:
            acting = make.acting(self.town, person)
            self.write(lambda connection: bookings.cancel(connection, acting, booking))

    def settle(self, now=AFTER):
        return self.write(lambda connection: actions.settle_all(connection, make.acting(self.town, None, now)))

    def settle_shift(self, shift, now=AFTER):
        acting = make.acting(self.town, None, now)
        return self.write(lambda connection: actions.settle_shift(connection, acting, shift))

    def read(self, query, *values):
        with self.database.reading() as connection:
            return query(connection, *values)

    def entries(self):
        return self.read(
            lambda connection: connection.execute(select(func.count()).select_from(LedgerEntry)).scalar_one()
        )

    def by_club(self):
        return {one.club_id: one.amount_ore for one in self.read(queries.club_sums, self.town.agreement_id)}

    def by_line(self):
        return {line.kind: line.used_ore for line in self.budget().lines if line.used_ore}

    def budget(self, now=AFTER):
        with self.database.reading() as connection:
            agreement = agreement_on(connection, self.town.id, make.FRIDAY)
            return queries.budget(connection, agreement, now, now.date())


@pytest.fixture
def ledger(each_database):
    return Ledger(each_database)


def test_a_walked_shift_pays_the_clubs_by_heads_once(ledger):
    a, b, c = ledger.clubs
    team = [ledger.people[a][0], ledger.people[b][0], ledger.people[c][0]]
    shift = ledger.shift(walkers=team)
    ledger.note(shift, team)
    assert ledger.settle() == 1
    assert ledger.by_club() == {a: 83_334, b: 83_333, c: 83_333}
    assert ledger.by_line() == {WEEKEND: 250_000}
    assert (ledger.settle(), ledger.settle_shift(shift), ledger.entries()) == (0, 0, 3)
    assert ledger.read(queries.reconciliation, ledger.town.agreement_id).agrees


def test_a_correction_reverses_and_writes_anew_and_nothing_is_edited(ledger):
    a, b, _ = ledger.clubs
    team = [*ledger.people[a][:2], ledger.people[b][0]]
    shift = ledger.shift(walkers=team)
    ledger.note(shift, team)
    ledger.settle()
    assert ledger.by_club() == {a: 166_667, b: 83_333}
    ledger.note(shift, team[:2], AFTER + timedelta(days=9))
    assert ledger.settle() == 1
    assert ledger.by_club() == {a: 250_000}
    assert ledger.entries() == 2 + 2 + 1
    ledger.note(shift, team[:1])
    ledger.settle()
    assert (ledger.by_club(), ledger.by_line()) == ({}, {})
    ledger.note(shift, team)
    ledger.settle()
    assert ledger.by_club() == {a: 166_667, b: 83_333}


def test_the_host_club_gets_it_and_a_changed_host_is_a_correction(ledger):
    a, _, c = ledger.clubs
    team = ledger.people[a][:2]
    shift = ledger.shift(walkers=team)
    ledger.note(shift, team)
    ledger.settle()
    ledger.write(lambda connection: connection.execute(update(Shift).where(Shift.id == shift).values(host_club_id=c)))
    ledger.settle()
    assert ledger.by_club() == {c: 250_000}


def test_a_second_area_is_paid_by_the_unforeseen_line_whichever_note_came_first(ledger):
    a, b, _ = ledger.clubs
    one, other = ledger.people[a][:2], ledger.people[b][:2]
    first = ledger.shift(walkers=one)
    second = ledger.shift(area=ledger.town.arena, walkers=other)
    ledger.note(second, other)
    ledger.settle()
    assert ledger.by_line() == {WEEKEND: 250_000}
    ledger.note(first, one)
    ledger.settle()
    assert ledger.by_line() == {WEEKEND: 250_000, UNFORESEEN: 250_000}
    assert ledger.by_club() == {a: 250_000, b: 250_000}


def test_what_was_not_walked_is_not_paid_and_says_why(ledger):
    team = ledger.people[ledger.clubs[0]][:2]
    shift = ledger.shift(walkers=team)
    for now, why in ((make.NOW, Unsettled.NOT_OVER), (AFTER, Unsettled.NO_NOTE)):
        with pytest.raises(NotSettled) as refused:
            ledger.settle_shift(shift, now)
        assert refused.value.why is why
    waiting = ledger.read(queries.to_settle, ledger.town.agreement_id, AFTER)
    assert [(one.shift_id, one.why) for one in waiting] == [(shift, Unsettled.NO_NOTE)]
    ledger.note(shift, team[:1])
    with pytest.raises(NotSettled) as refused:
        ledger.settle_shift(shift)
    assert refused.value.why is Unsettled.TOO_FEW
    ledger.write(lambda connection: make.call_off(connection, shift))
    with pytest.raises(NotSettled) as refused:
        ledger.settle_shift(shift)
    assert refused.value.why is Unsettled.CALLED_OFF
    with pytest.raises(NotFound):
        ledger.settle_shift(999_999)
    assert (ledger.settle(), ledger.entries()) == (0, 0)


def test_a_club_that_was_left_later_keeps_what_was_walked_for_it(ledger):
    a = ledger.clubs[0]
    team = ledger.people[a][:2]
    shift = ledger.shift(walkers=team)
    ledger.note(shift, team)
    ledger.settle()
    ledger.write(lambda connection: connection.execute(update(Membership).values(state=MembershipState.ENDED)))
    ledger.note(shift, team)
    assert (ledger.settle(), ledger.by_club()) == (0, {a: 250_000})


def test_people_without_a_club_cannot_be_paid_until_a_host_is_named(ledger):
    team = ledger.people[ledger.clubs[0]][:2]
    shift = ledger.shift(walkers=team)
    ledger.write(lambda connection: connection.execute(update(Membership).values(state=MembershipState.ENDED)))
    ledger.note(shift, team)
    with pytest.raises(NotSettled) as refused:
        ledger.settle_shift(shift)
    assert refused.value.why is Unsettled.NO_CLUB


def test_a_new_rate_holds_from_a_coming_night_and_leaves_the_others(ledger):
    a = ledger.clubs[0]
    team = ledger.people[a][:2]
    acting = make.acting(ledger.town, None, make.NOW)
    ledger.write(lambda connection: actions.change_rate(connection, acting, make.SATURDAY, 300_000))
    for day in (make.NOW.date(), date(2026, 1, 1)):
        with pytest.raises(Invalid):
            ledger.write(lambda connection, day=day: actions.change_rate(connection, acting, day, 1))
    friday, saturday = ledger.shift(walkers=team), ledger.shift(make.SATURDAY, walkers=team)
    ledger.note(friday, team)
    ledger.note(saturday, team, AFTER + timedelta(days=1))
    ledger.settle()
    assert ledger.by_club() == {a: 550_000}


def test_a_budget_tells_used_committed_left_and_what_will_pass(ledger):
    a = ledger.clubs[0]
    team = ledger.people[a][:2]
    shift = ledger.shift(walkers=team)
    ledger.note(shift, team)
    ledger.settle()
    for week in range(1, 8):
        for area in (ledger.town.centre, ledger.town.arena):
            ledger.shift(make.FRIDAY + timedelta(weeks=week), area)
    budget = ledger.budget()
    lines = {line.kind: line for line in budget.lines}
    assert (lines[WEEKEND].used_ore, lines[WEEKEND].committed_ore) == (250_000, 7 * 250_000)
    assert lines[WEEKEND].left_ore == 25_000_000 - 8 * 250_000
    assert lines[UNFORESEEN].left_ore == 1_500_000 - 7 * 250_000
    assert [one.kind.value for one in budget.deviations] == ["line_passed", "second_areas"]
    # A night that nobody walked frees its money.
    assert {line.kind: line.committed_ore for line in ledger.budget(AFTER + timedelta(days=365)).lines} == {
        WEEKEND: 0, UNFORESEEN: 0, MATERIAL: 0,
    }  # fmt: skip


def buy(ledger, once="key", bought_on=date(2026, 11, 23)):
    acting = make.acting(ledger.town, None)
    return ledger.write(
        lambda connection: actions.buy(
            connection, acting, line=MATERIAL, what="Västar", bought_on=bought_on, amount_ore=49_900,
            receipt=("application/pdf", b"%PDF-"), once=once,
        )
    )  # fmt: skip


def test_a_purchase_is_written_once_and_taken_back_by_a_reversal(ledger):
    assert buy(ledger) == buy(ledger)
    assert ledger.by_line() == {MATERIAL: 49_900}
    acting = make.acting(ledger.town, None)
    ledger.write(lambda connection: actions.take_back_purchase(connection, acting, 1))
    with pytest.raises(AlreadyReversed):
        ledger.write(lambda connection: actions.take_back_purchase(connection, acting, 1))
    assert (ledger.by_line(), ledger.entries()) == ({}, 2)
    for day, problem in ((date(2027, 1, 1), "future"), (date(2020, 1, 1), "no_agreement")):
        with pytest.raises(Invalid) as refused:
            buy(ledger, "other", day)
        assert refused.value.problem == problem


def at_once(number, verb):
    start, faults = threading.Barrier(number), []

    def run():
        start.wait()
        try:
            verb()
        except Exception as fault:  # noqa: BLE001 - the race counts every kind of end
            faults.append(type(fault).__name__)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def walked_nights(ledger, number):
    team = ledger.people[ledger.clubs[0]][:2]
    for week in range(number):
        shift = ledger.shift(make.FRIDAY + timedelta(weeks=week), walkers=team)
        ledger.note(shift, team, AFTER + timedelta(weeks=week))


def test_many_who_settle_at_once_pay_once(ledger):
    walked_nights(ledger, 4)
    assert at_once(8, ledger.settle) == []
    assert ledger.by_club() == {ledger.clubs[0]: 4 * 250_000}
    assert ledger.entries() == 4


def test_the_control_without_holding_the_night_would_pay_twice_or_fail(ledger):
    """Read first, then write, each in a transaction of its own: the key of the ledger must stop it."""
    walked_nights(ledger, 1)
    gate = threading.Barrier(4)

    def unguarded():
        with ledger.database.reading() as connection:
            night = connection.execute(select(Night.id)).scalar_one()
            agreement = ledger.town.agreement_id
            steps = reconcile(
                standing_entries(connection, agreement, night).get(night, []),
                versions(connection, night),
                wanted_settlements(walked_shifts(connection, agreement, night)),
            )
        gate.wait()
        acting = make.acting(ledger.town, None)
        ledger.write(
            lambda connection: [
                actions._write_settlement(connection, acting, agreement, shift, version, settlement)
                for shift, version, settlement in steps.write
            ]
        )

    faults = at_once(4, unguarded)
    assert faults == ["IntegrityError"] * 3, "without the hold all but one collide"
    assert ledger.by_club() == {ledger.clubs[0]: 250_000}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("note"), st.integers(0, 5), st.sets(st.integers(0, 8))),
        st.tuples(st.just("host"), st.integers(0, 5), st.none() | st.integers(0, 2)),
        st.tuples(st.just("call off"), st.integers(0, 5), st.none()),
        st.tuples(st.just("cancel"), st.integers(0, 5), st.integers(0, 8)),
        st.tuples(st.just("settle"), st.none(), st.none()),
    ),
    min_size=3,
    max_size=25,
)


_towns = count(1)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(nights=st.sets(st.integers(0, 300), min_size=3, max_size=3), steps=STEPS)
def test_whatever_happens_the_sums_agree_to_the_ore(each_database, nights, steps):
    """Histories of booking, cancelling, coming or not, hosting, calling off and correcting, in two areas: the sums
    of the clubs, of the lines and of the nights stay the same."""
    ledger = Ledger(each_database, f"town{next(_towns)}.example")
    everybody = [person for people in ledger.people.values() for person in people]
    shifts = [
        ledger.shift(make.FRIDAY + timedelta(days=days), area, team)
        for days in sorted(nights)
        for area, team in ((ledger.town.centre, everybody[:5]), (ledger.town.arena, everybody[5:]))
    ]
    late = AFTER + timedelta(days=400)
    for kind, number, value in steps:
        if kind == "note":
            _quietly(ledger.note, shifts[number], {everybody[index] for index in value}, late)
        elif kind == "host":
            club = None if value is None else ledger.clubs[value]
            statement = update(Shift).where(Shift.id == shifts[number]).values(host_club_id=club)
            ledger.write(lambda connection, statement=statement: connection.execute(statement))
        elif kind == "call off":
            ledger.write(lambda connection, number=number: make.call_off(connection, shifts[number]))
        elif kind == "cancel":
            _quietly(ledger.cancel, shifts[number], everybody[value])
        else:
            ledger.settle(late)
    ledger.settle(late)
    before = ledger.entries()
    assert (ledger.settle(late), ledger.entries()) == (0, before)
    sums = ledger.read(queries.reconciliation, ledger.town.agreement_id)
    walked = ledger.read(walked_shifts, ledger.town.agreement_id)
    assert sums.agrees
    assert sums.by_line == sum(ledger.by_line().values()) == 250_000 * len(walked)
    assert sum(ledger.by_club().values()) == sums.by_club


def test_nights_lived_by_chance_cost_what_they_must_however_they_are_settled(each_database):
    """`scripts/bench histories --full` lives ten thousand."""
    lives = Lives(each_database, random.Random(1))
    for _, night in zip(range(25), lives.nights(), strict=False):
        lives.live(night)
    assert lives.finish() > 0
    assert lives.settled_at_once == 25
    assert 20 < lives.refused < lives.steps / 2


def _quietly(verb, *values):
    try:
        verb(*values)
    except Refusal:
        return


def test_no_entry_is_ever_changed(ledger):
    team = ledger.people[ledger.clubs[0]][:3]
    shift = ledger.shift(walkers=team)

    def rows():
        with ledger.database.reading() as connection:
            return connection.execute(select(LedgerEntry.__table__).order_by(LedgerEntry.id)).all()

    seen = []
    for came in (team, team[:2], team[:1], team):
        ledger.note(shift, came)
        ledger.settle()
        assert rows()[: len(seen)] == seen
        seen = rows()
    assert [row.kind for row in seen].count(EntryKind.REVERSAL) == 2

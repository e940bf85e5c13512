"""Asking for people: who is asked, how many at a time, what their answers do, and when it ends."""

from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import func, insert, select

from scheduler.bookings import actions as bookings
from scheduler.bookings.cards import Looking
from scheduler.bookings.rules import Begun, BookingState, CalledOff, Ended
from scheduler.bookings.tables import Booking
from scheduler.gaps import actions
from scheduler.gaps.candidates import candidates, how_many_fit
from scheduler.gaps.offering import near
from scheduler.gaps.queries import known
from scheduler.gaps.rules import NotAsking, NothingMissing
from scheduler.gaps.tables import Ask
from scheduler.kit.audit import AuditEntry
from scheduler.kit.refusals import NotFound
from scheduler.messages import standing
from scheduler.messages.rules import QUIET_FROM, QUIET_UNTIL, TextGroup
from scheduler.people.queries import log
from scheduler.people.rules import MembershipState
from tests import make
from tests.gaps.story import Story


@pytest.fixture
def story(each_database):
    return Story(each_database, walkers=30)


@pytest.fixture
def small(database):
    return Story(database)


def test_one_tap_texts_a_few_people_one_question_each(story):
    texts = story.ask()
    assert 3 <= len(texts) <= 16
    assert len({phone for phone, _ in texts}) == len(texts)
    assert texts[0][1] == (
        "Kan du nattvandra fre 27 nov 21.00-01.00, Centrum? Vi saknar 2. "
        f"Svara JA eller NEJ. {make.SITE}/shifts/{story.shift}"
    )
    assert story.ask() == [], "a second tap asks nobody again"


def test_a_yes_takes_a_place_and_when_the_need_is_met_nobody_else_is_bothered(story):
    first, second, third, *_ = story.whose(story.ask())
    assert story.text(first, "Ja")[0][1].startswith("Platsen är din: fre 27 nov 21.00-01.00")
    assert story.state() == "running"
    story.text(second, "ja gärna!")
    assert story.state() == "met"
    with story.database.reading() as c:
        assert make.places(c, story.shift) == (2, 0)
    assert story.work(30) == []
    # Who answers late is still welcome while there is a place, and told kindly when there is none.
    assert story.text(third, "ja")[0][1].startswith("Platsen är din")


def test_who_says_yes_to_a_full_shift_is_thanked(story):
    asked = story.whose(story.ask())
    for person in asked[:4]:
        story.text(person, "JA")
    assert story.text(asked[4], "JA")[0][1].startswith("Någon annan hann före till fre 27 nov, Centrum. Tack ändå!")
    with story.database.reading() as c:
        assert make.places(c, story.shift) == (4, 0)


def test_questions_that_have_not_left_are_taken_back_when_the_need_is_met(story):
    story.database.write(lambda c: actions.start(c, story.acting(story.boss), story.shift, 2))
    asked = list(story.asks())
    for person in (story.person("Bo"), story.person("Bi")):
        story.book(person)
    assert story.leave() == [], "read again just before they leave"
    story.work(1)
    assert story.state() == "met"
    assert set(story.asks().values()) == {"withdrawn"}
    with story.database.reading() as c:
        place = actions.place_of(actions.shift_facts(c, story.town.id, story.new_shift(make.SATURDAY)))
        free = {one.person_id for one in candidates(c, place, story.town.centre, 1, story.now)}
    assert free >= set(asked), "who was not asked after all has had no question this week"


def test_a_no_is_noted_and_when_all_have_said_no_the_next_wave_goes_out(story):
    first = story.whose(story.ask(most=2))
    assert len(first) == 2
    assert story.text(first[0], "Nej")[0][1].startswith("Noterat: inte fre 27 nov, Centrum.")
    assert story.work() == []
    story.text(first[1], "nej tyvärr")
    second = story.whose(story.work())
    assert second
    assert not set(first) & set(second)
    assert [story.asks()[person] for person in first] == ["no", "no"]


def test_silence_is_noted_and_the_next_wave_asks_others(story):
    first = story.whose(story.ask())
    assert story.work(6) == []
    assert story.work(8) == [], "twelve hours have passed, but it is night"
    second = story.whose(story.work(10))
    assert second
    assert not set(first) & set(second)
    assert {story.asks()[person] for person in first} == {"silent"}
    assert story.text(first[0], "ja")[0][1].startswith("Platsen är din"), "a late yes is a yes"


def test_the_first_wave_asks_no_more_than_was_promised_on_the_button(story):
    assert len(story.ask(most=3)) == 3


def test_nobody_is_asked_by_night_and_the_morning_begins_with_fresh_facts(story):
    story.now = make.before_start(47)  # Wednesday 22:00
    assert story.ask() == []
    assert story.work(1) == []
    story.now = make.before_start(36.99)  # Thursday 08:00
    texts = story.work()
    assert texts
    with story.database.reading() as c:
        for moment in c.execute(select(Ask.asked_at)).scalars():
            assert QUIET_UNTIL <= moment.astimezone(make.STOCKHOLM).time() < QUIET_FROM


def test_a_night_owl_s_own_longer_quiet_hours_hold_too(small):
    eva = small.person("Eva")
    quiet = (QUIET_FROM, QUIET_UNTIL.replace(hour=12))
    small.database.write(lambda c: standing.choose(c, eva, [], *quiet))
    small.now = make.before_start(37)
    assert eva not in small.whose(small.ask())
    assert eva in small.whose(small.work(4.1))


def test_who_is_not_asked(small):
    """Each for one reason; beside them one who is."""
    young = small.person("Ung", born_on=date(2008, 11, 28))
    pending = small.person("Ny", state=MembershipState.PENDING)
    walks = small.person("Går")
    small.book(walks)
    elsewhere = small.person("Annan")
    small.book(elsewhere, small.new_shift(area=small.town.arena))
    stopped, dead, unwilling = (small.person(name) for name in ("Stopp", "Död", "Ovillig"))
    left = small.person("Lämnade")
    leaving = small.book(left)
    small.database.write(lambda c: bookings.cancel(c, small.acting(left), leaving))

    def write(c):
        standing.stop(c, small.phone(stopped), make.NOW)
        standing.note_dead(c, small.phone(dead), "30005", make.NOW)
        standing.choose(c, unwilling, [TextGroup.REQUESTS], QUIET_FROM, QUIET_UNTIL)

    small.database.write(write)
    fits = small.person("Passar")
    asked = set(small.whose(small.ask(goal=4)))
    assert asked == {fits, small.boss}
    assert not asked & {young, pending, walks, elsewhere, stopped, dead, unwilling, left}


def test_nobody_is_asked_more_than_twice_a_week_nor_about_two_walks_at_once(small):
    eva = small.person("Eva")
    shifts = [small.new_shift(make.FRIDAY + timedelta(days=7 * n), area=small.town.arena) for n in range(4)]
    asked = [eva in small.whose(small.ask(shift)) for shift in shifts]
    assert asked == [True, False, False, False], "one question at a time"
    small.text(eva, "nej")
    small.database.write(lambda c: [actions.stop(c, small.acting(small.boss), shift) for shift in shifts])
    assert eva in small.whose(small.ask(shifts[1]))
    small.text(eva, "nej")
    assert eva not in small.whose(small.ask(shifts[2]))
    small.now += timedelta(days=7, hours=1)
    assert eva in small.whose(small.work())


def test_a_search_that_finds_nobody_says_so_and_looks_again(small):
    assert small.whose(small.ask()) == [small.boss]
    small.text(small.boss, "nej")
    assert small.work(1) == []
    with small.database.reading() as c:
        assert actions.open_asking(c, small.shift).dry
    newcomer = small.person("Ny")
    assert newcomer in small.whose(small.work(6))


def test_who_books_by_the_page_after_being_asked_counts_as_a_yes(story):
    person = story.whose(story.ask())[0]
    story.book(person)
    story.work(24)
    assert story.asks()[person] == "yes"


def test_stopping_takes_back_what_has_not_left_and_asks_nobody_more(story):
    story.database.write(lambda c: actions.start(c, story.acting(story.boss), story.shift, 2))
    story.database.write(lambda c: actions.stop(c, story.acting(story.boss), story.shift))
    assert story.leave() == []
    assert story.work(30) == []
    assert story.state() == "stopped"
    with pytest.raises(NotAsking):
        story.database.write(lambda c: actions.stop(c, story.acting(story.boss), story.shift))


def test_what_cannot_be_asked_for(story):
    acting = story.acting(story.boss)

    def starting(shift, goal=2, who=acting):
        return lambda: story.database.write(lambda c: actions.start(c, who, shift, goal))

    for person in story.people[:2]:
        story.book(person)
    with pytest.raises(NothingMissing):
        starting(story.shift)()
    off = story.new_shift(make.SATURDAY)
    story.database.write(lambda c: make.call_off(c, off))
    with pytest.raises(CalledOff):
        starting(off)()
    begun = story.new_shift(make.FRIDAY - timedelta(days=7))
    with pytest.raises(Begun):
        starting(begun)()
    other = story.database.write(lambda c: make.town(c, "Nattvandring Ånge", "ange.example"))
    stranger = make.acting(other, None, story.now)
    with pytest.raises(NotFound):
        starting(story.shift, who=stranger)()
    with pytest.raises(NotFound):
        story.database.write(lambda c: actions.stop(c, stranger, story.shift))


def test_a_called_off_shift_ends_its_search(story):
    story.ask()
    story.database.write(lambda c: make.call_off(c, story.shift))
    story.work()
    assert story.state() == "over"


def test_every_step_stands_in_the_log(story):
    person, other, *_ = story.whose(story.ask(most=3))
    story.text(person, "ja")
    story.text(other, "nej")
    story.database.write(lambda c: actions.stop(c, story.acting(story.boss), story.shift))
    with story.database.reading() as c:
        told = [(entry.what, entry.who) for entry in reversed(log(c, story.town.id, shift_id=story.shift))]
    whats = [what for what, _ in told]
    assert whats[1:5] == ["asking.started", "ask.asked", "ask.asked", "ask.asked"]
    assert whats[5:] == ["booking.booked", "ask.answered", "ask.answered", "asking.state"]
    assert told[1][1] == "Karin Lyktdal"


# ---------------------------------------------------------------- the autopilot


def test_the_autopilot_is_off_until_somebody_turns_it_on(story):
    assert story.work() == []
    assert story.state() is None


def test_it_proposes_for_near_nights_and_asks_nobody_until_told(story):
    far = story.new_shift(make.FRIDAY + timedelta(days=14))
    story.steer("proposes")
    assert story.work() == []
    assert (story.state(), story.state(far)) == ("proposed", None)
    assert story.ask()
    assert story.state() == "running"


def test_with_one_switch_it_acts_and_turning_it_off_stops_it_at_once(story):
    story.steer("acts")
    asked = story.whose(story.work())
    assert asked
    story.steer("off")
    assert story.state() == "stopped"
    assert story.work(30) == []
    with story.database.reading() as c:
        entries = c.execute(select(AuditEntry.what, AuditEntry.actor_person_id).order_by(AuditEntry.id)).all()
    assert ("asking.started", None) in entries
    assert ("autopilot.changed", story.boss) in entries
    assert entries[-1] == ("asking.state", story.boss)


def test_it_leaves_alone_what_a_person_has_stopped_and_finds_again_what_is_lost(story):
    story.steer("acts")
    first, second, *_ = story.whose(story.work())
    booked = story.text(first, "ja")
    story.text(second, "ja")
    assert booked
    story.work(13)
    with story.database.reading() as c:
        found = c.execute(select(func.count(Ask.id)).where(Ask.state == "yes")).scalar_one()
    assert found >= 2
    other = story.new_shift(make.SATURDAY)
    story.work()
    story.database.write(lambda c: actions.stop(c, story.acting(story.boss), other))
    story.work(1)
    assert story.state(other) == "stopped"
    with story.database.reading() as c:
        assert c.execute(select(func.count()).where(AuditEntry.shift_id == other)).scalar_one() >= 3


@pytest.mark.parametrize("seed", range(3))
def test_the_board_counts_who_fits_as_the_page_of_one_shift_does(story, seed):
    chance = Random(seed)
    days = [make.FRIDAY + timedelta(days=days) for days in (-1, 0, 1, 7, 8)]
    shifts = [story.shift] + [
        story.new_shift(day, area=area, wanted=9)
        for day in days
        for area in (story.town.centre, story.town.arena)
        if (day, area) != (make.FRIDAY, story.town.centre)
    ]
    states = [BookingState.BOOKED, BookingState.BOOKED, BookingState.WAITING, BookingState.CANCELLED]
    rows = [
        {
            "partnership_id": story.town.id, "shift_id": shift, "person_id": person, "state": state,
            "made_at": make.NOW, "once": f"{seed}-{person}-{shift}", "auto_take": False, "place_held": False,
            "ended_because": Ended.COULD_NOT_COME if state is BookingState.CANCELLED else None,
        }
        for person in story.people
        for shift in chance.sample(shifts, 2)
        for state in chance.sample(states, 1)
    ]  # fmt: skip
    story.database.write(lambda c: c.execute(insert(Booking), rows))
    story.ask(shifts[-1], goal=2, most=4)
    today = story.now.date()
    looking = Looking(story.town.id, story.boss, volunteer=False, now=story.now)
    with story.database.reading() as c:
        board = known(c, looking, today, today + timedelta(days=35))
        by_date = {night.date: night for night in board.nights}
        cards = [card for night in board.nights for card in night.coming]
        counted = [
            board.askable.fitting(card.shift_id, near(by_date, card.date, card.starts_at, card.ends_at), 99)
            for card in cards
        ]
        exact = [
            how_many_fit(c, actions.place_of(actions.shift_facts(c, story.town.id, card.shift_id)), 99, 2, story.now)
            for card in cards
        ]
    assert len(cards) == len(shifts)
    assert counted == exact
    assert len(set(exact)) > 2
    assert all(0 < number < 30 for number in exact)

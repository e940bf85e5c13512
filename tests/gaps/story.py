"""A town whose coordinator searches for people: texts leave by the real outbox, answers come in as texts do."""

from datetime import timedelta

from sqlalchemy import insert, select, update

from scheduler.answers.actions import Came, receive
from scheduler.bookings import actions as bookings
from scheduler.bookings import reminding
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.gaps import actions, autopilot
from scheduler.gaps.history import policy
from scheduler.gaps.rules import AutopilotMode, Policy
from scheduler.gaps.tables import Ask, Asking
from scheduler.messages.outbox import claim
from scheduler.messages.rules import Lane, MessageKind
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from scheduler.people.tables import Person
from scheduler.worker import REREADING
from tests import make

LANES = (Lane.AT_ONCE, Lane.SOON, Lane.PLANNED, Lane.MANY)


class Story:
    def __init__(self, database, walkers=0):
        self.database, self.now = database, make.before_start(60)
        self.town = database.write(make.town)
        self.boss = self.person("Karin")
        database.write(lambda c: grant_role(c, self.town.id, self.boss, Role.COORDINATOR, make.NOW))
        self.people = [self.person(f"Eva{number}") for number in range(walkers)]
        self.shift = self.new_shift()
        self.sids = 0

    def person(self, name="Eva", **more):
        return self.database.write(lambda c: make.person(c, self.town, name, **more))

    def new_shift(self, night=make.FRIDAY, **more):
        return self.database.write(lambda c: make.shift(c, self.town, night, **more))

    def acting(self, person=None):
        return make.acting(self.town, person, self.now)

    def ask(self, shift=None, goal=2, most=None):
        """Tap "ask" on a shift; return the texts that leave."""
        wanted = shift or self.shift
        self.database.write(lambda c: actions.start(c, self.acting(self.boss), wanted, goal, most=most))
        return self.leave()

    def leave(self):
        """Let what is due leave; return the words by number."""
        rows = self.database.write(lambda c: claim(c, self.now, LANES, 200, REREADING))[0]
        return [(row.phone, row.body) for row in rows]

    def work(self, hours=0.0):
        """Let time pass and the worker do what is due; return the texts that leave."""
        self.now += timedelta(hours=hours)
        with self.database.reading() as c:
            due = actions.due(c, self.now)
            policies = autopilot.policies(c)
        for one in due:
            self.database.write(lambda c, one=one: actions.advance(c, self.acting(), one.id))
        for _, chosen in policies:
            with self.database.reading() as c:
                found = autopilot.in_danger(c, self.acting(), chosen)
            for shift, goal in found:
                self.database.write(lambda c, s=shift, g=goal, p=chosen: autopilot.steer(c, self.acting(), p, s, g))
        return self.leave()

    def remind(self, hours_before):
        """Let the reminders of that hour be planned and leave."""
        self.now = make.before_start(hours_before)
        kind = MessageKind.REMINDER_TWO_DAYS
        self.database.write(lambda c: reminding.plan_batch(c, kind, 0, self.now, {self.town.id: make.SITE}))
        return self.leave()

    def text(self, person, body):
        """Answer by text, and return the texts that leave because of it."""
        self.sids += 1
        self.now += timedelta(seconds=5)
        came = Came(f"SM{self.sids}", self.phone(person), body)
        self.database.write(lambda c: receive(c, came, make.SITE, self.now))
        return self.leave()

    def phone(self, person):
        with self.database.reading() as c:
            return c.execute(select(Person.phone).where(Person.id == person)).scalar_one()

    def book(self, person, shift=None):
        return self.database.write(
            lambda c: bookings.book(c, self.acting(person), shift or self.shift, person, f"{person}-{shift}")
        )

    def walked(self, person, night, area=None):
        """Let somebody have been on a walk of an earlier night."""
        with self.database.reading() as c:
            known = c.execute(select(Person.partnership_id).where(Person.id == person)).scalar_one()
        shift = self.new_shift(night, area=area, wanted=9)
        row = {
            "partnership_id": known, "shift_id": shift, "person_id": person, "state": BookingState.ATTENDED,
            "made_at": make.NOW, "once": f"past-{person}-{shift}", "auto_take": False, "place_held": False,
        }  # fmt: skip
        self.database.write(lambda c: c.execute(insert(Booking).values(**row)))

    def asked_at(self, person, moment):
        self.database.write(lambda c: c.execute(update(Person).where(Person.id == person).values(last_asked_at=moment)))

    def steer(self, mode, days_ahead=5, asks_a_week=2):
        def write(c):
            before = policy(c, self.town.id)
            autopilot.change_policy(
                c, self.acting(self.boss), before, Policy(AutopilotMode(mode), days_ahead, asks_a_week)
            )

        self.database.write(write)

    def state(self, shift=None):
        with self.database.reading() as c:
            return c.execute(
                select(Asking.state).where(Asking.shift_id == (shift or self.shift)).order_by(Asking.id.desc())
            ).scalar()

    def asks(self, shift=None):
        """Return the state of each ask by person."""
        with self.database.reading() as c:
            rows = c.execute(select(Ask.person_id, Ask.state).where(Ask.shift_id == (shift or self.shift)))
            return {row.person_id: row.state for row in rows}

    def whose(self, texts):
        """Return the ids of the people whom texts went to."""
        with self.database.reading() as c:
            known = {row.phone: row.id for row in c.execute(select(Person.phone, Person.id))}
        return [known[phone] for phone, _ in texts]

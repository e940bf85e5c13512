"""What `flask worker` does: a pass of everything that is due, and two lanes that send texts meanwhile."""

import os
import random
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from scheduler.bookings import reminding, rereading
from scheduler.bookings.rules import Ended
from scheduler.bookings.waiting_list import decline, expired_offers
from scheduler.calendars.actions import make_what_is_stale
from scheduler.gaps import actions as gaps
from scheduler.gaps import autopilot
from scheduler.gaps import rereading as gap_rereading
from scheduler.kit.heartbeat import beat, resting_since
from scheduler.kit.web import Application
from scheduler.messages import halt, resting
from scheduler.messages.cleaning import forget_bodies
from scheduler.messages.outbox import expire
from scheduler.messages.rereading import Rereading
from scheduler.messages.resting import forget_lost
from scheduler.messages.rules import REMINDERS, Lane
from scheduler.messages.worker import ALL, FAST, ORDINARY, Patience, Sender
from scheduler.money.actions import nights_to_settle, settle_all
from scheduler.nights.actions import plans_to_publish, publish_plan
from scheduler.partnership.tables import Partnership
from scheduler.people.inviting import end_unanswered
from scheduler.people.notes import forget_old as forget_old_notes
from scheduler.people.reaching import reread, warn_of_ceilings
from scheduler.people.rules import Acting
from scheduler.people.signing_in import forget_numbers, forget_old, forget_sessions
from scheduler.personal import actions as personal
from scheduler.registers.actions import forget_lists
from scheduler.reports.queries import quarters_reported
from scheduler.sendings import rereading as sendings_rereading
from scheduler.steering.actions import forget_callers
from scheduler.walks.actions import forget_texts

PASS_EVERY_SECONDS = 10.0
SEND_EVERY_SECONDS = 2.0
FAST_EVERY_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 120.0
FAST_THREADS = 2
BEAT_EVERY_SECONDS = 30.0

# Who knows what a text speaks of, by the first word of its `about`.
REREADING: dict[str, Rereading] = {
    "booking": rereading.reread,
    "hand_over": rereading.reread,
    "shift": rereading.reread,
    "asking": gap_rereading.reread,
    "membership": reread,
    "notice": sendings_rereading.reread,
    "answer": reread,
    "incoming": reread,
    "ceiling": reread,
}


def name_of_this_worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def sender(app: Application, threads: int = 4, patience: Patience | None = None) -> Sender:
    """Return a sender that knows every room."""
    return Sender(app.database, app.clock, app.settings, REREADING, threads=threads, patience=patience)


def sites(connection: Connection, public_url: str) -> dict[int, tuple[str, ZoneInfo]]:
    """Return each partnership's public address and time zone."""
    scheme = public_url.partition("://")[0]
    rows = connection.execute(select(Partnership.id, Partnership.host_name, Partnership.time_zone))
    return {
        row.id: (f"{scheme}://{row.host_name}" if row.host_name else public_url, ZoneInfo(row.time_zone))
        for row in rows
    }


def plan_reminders(app: Application, now: datetime, go_on: Callable[[], bool] = lambda: True) -> int:
    """Queue every reminder that is due soon, in batches of one read and one write; return how many."""
    with app.database.reading() as connection:
        addresses = {one: site for one, (site, _zone) in sites(connection, app.settings.public_url).items()}
    planned = 0
    for kind in sorted(REMINDERS):
        last = 0
        while go_on():
            queued, last = app.database.write(
                lambda connection, kind=kind, last=last: reminding.plan_batch(  # type: ignore[misc]
                    connection, kind, last, now, addresses
                )
            )
            planned += queued
            if not last:
                break
    return planned


def pass_on_offers(app: Application, now: datetime) -> int:
    """Give places that nobody took in time to the next in line; return how many."""
    with app.database.reading() as connection:
        offers = expired_offers(connection, now)
        known = sites(connection, app.settings.public_url) if offers else {}
    for offer in offers:
        site, zone = known[offer.partnership_id]
        acting = Acting(offer.partnership_id, None, now, zone, site)
        app.database.write(
            lambda connection, acting=acting, offer=offer: decline(  # type: ignore[misc]
                connection, acting, offer.id, Ended.OFFER_EXPIRED
            )
        )
    return len(offers)


def publish_plans(app: Application, now: datetime) -> int:
    """Publish the seasons whose day has come, each in a transaction of its own; return how many shifts there were."""
    with app.database.reading() as connection:
        due = plans_to_publish(connection, now)
    return sum(
        app.database.write(
            lambda connection, partnership_id=partnership_id, plan_id=plan_id: publish_plan(  # type: ignore[misc]
                connection, partnership_id, plan_id, now
            )
        )
        for partnership_id, plan_id in due
    )


def search_for_people(app: Application, now: datetime) -> int:
    """Ask the waves that are due and end what has found its people; return how many were asked."""
    with app.database.reading() as connection:
        due = gaps.due(connection, now)
        known = sites(connection, app.settings.public_url) if due else {}
    asked = 0
    for one in due:
        site, zone = known[one.partnership_id]
        acting = Acting(one.partnership_id, None, now, zone, site)
        asked += app.database.write(
            lambda connection, acting=acting, one=one: gaps.advance(connection, acting, one.id)  # type: ignore[misc]
        )
    return asked


def steer(app: Application, now: datetime) -> int:
    """Let each autopilot that is on propose or start searches; return how many."""
    done = 0
    with app.database.reading() as connection:
        policies = autopilot.policies(connection)
        known = sites(connection, app.settings.public_url) if policies else {}
    for partnership_id, policy in policies:
        site, zone = known[partnership_id]
        acting = Acting(partnership_id, None, now, zone, site)
        with app.database.reading() as connection:
            shifts = autopilot.in_danger(connection, acting, policy)
        for shift_id, goal in shifts:
            done += app.database.write(
                lambda connection, acting=acting, policy=policy, shift_id=shift_id, goal=goal: autopilot.steer(  # type: ignore[misc]
                    connection, acting, policy, shift_id, goal
                )
            )
    return done


def settle(app: Application, known: dict[int, tuple[str, ZoneInfo]], now: datetime) -> int:
    """Turn walked nights into money, and bring corrected ones in line; return how many."""
    settled = 0
    for partnership_id, (site, zone) in known.items():
        with app.database.reading() as connection:
            if not nights_to_settle(connection, partnership_id):
                continue
        acting = Acting(partnership_id, None, now, zone, site)
        settled += app.database.write(lambda connection, acting=acting: settle_all(connection, acting))  # type: ignore[misc]
    return settled


def let_go(app: Application, known: dict[int, tuple[str, ZoneInfo]], now: datetime) -> int:
    """Forget those whom a club put in and who never agreed to anything, each in a transaction; return how many."""
    with app.database.reading() as connection:
        due = personal.never_agreed(connection, now)
    gone = 0
    for partnership_id, person_id in due:
        site, zone = known[partnership_id]
        acting = Acting(partnership_id, person_id, now, zone, site)
        gone += app.database.write(
            lambda connection, acting=acting: personal.let_go(connection, acting, app.settings.public_url)  # type: ignore[misc]
        )
    return gone


def one_pass(
    app: Application,
    texts: Sender,
    go_on: Callable[[], bool] = lambda: True,
    at_work: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Do everything that is due but sending, each piece in a transaction of its own; return what was done.

    `at_work` is called now and then while the operator is asked, which may take long.
    """
    now = app.clock.now()
    with app.database.reading() as connection:
        rested_since = resting_since(connection, now)
    if rested_since is None:
        _beat(app)
        done = _queue_what_is_due(app, now, go_on)
    else:
        try:
            done = _queue_what_is_due(app, now, go_on)
        finally:
            _begin_after_rest(app, rested_since, sending=texts.can_send)
    with app.database.reading() as connection:
        known = sites(connection, app.settings.public_url)

    def going_on() -> bool:
        at_work()
        return go_on()

    return done | {
        "messages found that this database had lost": texts.read_what_left(),
        "messages looked up": texts.look_up(going_on),
        "messages too late": app.database.write(lambda connection: expire(connection, now)),
        "ceilings warned of": app.database.write(lambda connection: warn_of_ceilings(connection, known, now)),
        "invitations ended": app.database.write(lambda connection: end_unanswered(connection, now)),
        "people forgotten who never agreed": let_go(app, known, now),
        "notes on people forgotten": app.database.write(lambda connection: forget_old_notes(connection, now)),
        "callers of meetings forgotten": app.database.write(lambda connection: forget_callers(connection, now)),
        "member lists forgotten": app.database.write(lambda connection: forget_lists(connection, now)),
        "codes forgotten": app.database.write(lambda connection: forget_old(connection, now)),
        "devices forgotten": app.database.write(lambda connection: forget_sessions(connection, now)),
        "numbers forgotten": app.database.write(forget_numbers),
        "calendars made": make_what_is_stale(app.database, app.settings.public_url, now),
        "texts forgotten": app.database.write(lambda connection: forget_bodies(connection, now)),
        "lost messages forgotten": app.database.write(lambda connection: forget_lost(connection, now)),
        "texts forgotten by the operator": texts.redact(going_on),
        "nights settled": settle(app, known, now),
        "notes forgotten": app.database.write(
            lambda connection: forget_texts(connection, now, quarters_reported(connection))
        ),
    }


def _queue_what_is_due(app: Application, now: datetime, go_on: Callable[[], bool]) -> dict[str, int]:
    return {
        "shifts published": publish_plans(app, now),
        "offers passed on": pass_on_offers(app, now),
        "reminders planned": plan_reminders(app, now, go_on),
        "people asked": search_for_people(app, now),
        "autopilot's searches": steer(app, now),
    }


def _begin_after_rest(app: Application, rested_since: datetime, *, sending: bool) -> None:
    """Hold texts back until it is known what left meanwhile, and only then be seen at work: until that the lanes send
    nothing."""

    def begin(connection: Connection) -> None:
        if sending:
            resting.begin(connection, rested_since, app.clock.now())
        beat(connection, name_of_this_worker(), app.clock.now())

    app.database.write(begin)


def _beat(app: Application) -> None:
    app.database.write(lambda connection: beat(connection, name_of_this_worker(), app.clock.now()))


def once(app: Application) -> str:
    """Do one full pass, sending included, and return what was done in words."""
    texts = sender(app)
    try:
        counts = one_pass(app, texts)
        counts["messages sent"] = texts.send_all_due(ALL, lambda: True)
    finally:
        texts.close()
    return _told(counts, app.clock.now())


def _told(counts: dict[str, int], now: datetime) -> str:
    done = ", ".join(f"{what}: {count}" for what, count in counts.items() if count)
    return f"{now:%Y-%m-%dT%H:%M:%SZ} {done}" if done else ""


class Pause:
    """How long to rest between two tries: longer after each fault, with jitter, at once short again when well."""

    def __init__(self, seconds: float) -> None:
        self._usual = self._present = seconds

    def after_success(self) -> float:
        self._present = self._usual
        return self._usual

    def after_fault(self) -> float:
        self._present = min(self._present * 2, LONGEST_PAUSE_SECONDS)
        return self._present * (0.75 + random.random() / 2)  # noqa: S311 - only spreads tries over time


def run(app: Application, stopped: threading.Event) -> None:
    """Work until `stopped`: a thread for each lane, and the pass every ten seconds. What is in hand is finished."""
    fast, ordinary = sender(app, FAST_THREADS), sender(app)
    lanes = [
        threading.Thread(target=_lane, args=(fast, FAST, FAST_EVERY_SECONDS, stopped), name="codes"),
        threading.Thread(target=_lane, args=(ordinary, ORDINARY, SEND_EVERY_SECONDS, stopped), name="texts"),
    ]
    for lane in lanes:
        lane.start()
    try:
        _tend(app, ordinary, stopped)
    finally:
        stopped.set()
        for lane in lanes:
            lane.join()
        fast.close()
        ordinary.close()


def _lane(texts: Sender, lanes: tuple[Lane, ...], every_seconds: float, stopped: threading.Event) -> None:
    pause = Pause(every_seconds)
    while not stopped.is_set():
        try:
            texts.send_all_due(lanes, lambda: not stopped.is_set())
            rest = pause.after_success()
        except SQLAlchemyError as error:
            rest = pause.after_fault()
            click.echo(f"Sending rests {rest:.0f} s: the database did not answer ({type(error).__name__}).")
        except Exception as error:  # noqa: BLE001 - a lane must not end before its worker
            rest = pause.after_fault()
            click.echo(f"Sending rests {rest:.0f} s after a fault ({type(error).__name__}: {error}).")
        stopped.wait(rest)


def _tend(app: Application, texts: Sender, stopped: threading.Event) -> None:
    pause = Pause(PASS_EVERY_SECONDS)
    alarmed_at: datetime | None = None
    beaten_at = 0.0

    def at_work() -> None:
        nonlocal beaten_at
        if time.monotonic() - beaten_at > BEAT_EVERY_SECONDS:
            beaten_at = time.monotonic()
            _beat(app)

    while not stopped.is_set():
        try:
            told = _told(one_pass(app, texts, lambda: not stopped.is_set(), at_work), app.clock.now())
            if told:
                click.echo(told)
            alarmed_at = _alarm(app, alarmed_at)
            rest = pause.after_success()
        except SQLAlchemyError as error:
            rest = pause.after_fault()
            click.echo(f"The database did not answer ({type(error).__name__}); next try in {rest:.0f} s.")
        stopped.wait(rest)


def _alarm(app: Application, alarmed_at: datetime | None) -> datetime | None:
    """Say every five minutes that nothing leaves, while our set-up is at fault or it is not known what has left."""
    with app.database.reading() as connection:
        standing, rest = halt.halted(connection), resting.standing(connection)
    now = app.clock.now()
    if standing is None and (rest is None or not (app.settings.sms_on or app.settings.demo)):
        return None
    if alarmed_at is None or now - alarmed_at >= timedelta(minutes=5):
        if standing is not None:
            click.echo(f"ALARM: no text leaves since {standing.since:%H:%M} UTC. Twilio answers {standing.code}.")
        if rest is not None:
            click.echo(
                f"ALARM: no text leaves: Twilio cannot be asked what left since {rest.since:%Y-%m-%d %H:%M} UTC."
            )
        return now
    return alarmed_at

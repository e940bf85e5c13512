"""Calendars that poll, beside a bare Flask hello on the same server: eight clients, kept alive.

Unchanged: 500 people's own feeds are asked for with the tag that each was given, and all answer 304. Whole: one
feed of 60 walks is fetched again and again. Changed: a shift's meeting place, then the first poll that shows it.
Grown: the unchanged feeds, and making one anew, when 1,000 and when 100,000 further people subscribe; and the
memory of the workers over many polls.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from secrets import token_urlsafe
from statistics import median

from sqlalchemy import Connection, insert, select, update

from scheduler.bookings.tables import Booking
from scheduler.calendars import rules
from scheduler.calendars.making import make, note_changes
from scheduler.calendars.rules import CalendarKind
from scheduler.calendars.tables import Calendar, CalendarFeed
from scheduler.kit.settings import from_environment
from scheduler.nights.tables import Shift
from scheduler.people.tables import Person

from .client import Address, Load, drive, fetch, request
from .databases import settle
from .figures import Figure, paired
from .product import Product
from .reference import Bare
from .rounds import CLIENTS, Track, alternate
from .servers import Server

LEAST_UNCHANGED = {"sqlite": 0.7, "postgresql": 0.4}
LEAST_WHOLE = 0.5
MOST_GROWTH = 1.3
MOST_MEMORY_GROWTH = 1.03
STEPS = 10
FEW, MANY = 1_000, 100_000
WALKS = 60
CHANGES = 20
AT_ONCE = 10_000


def subscribe(product: Product, people: Sequence[int], *, made: bool = True) -> tuple[list[str], list[int]]:
    """Give people feeds of their own walks by writing rows; return paths and calendars in the same order."""
    settings = from_environment(product.environment())
    now = datetime.now(UTC)
    nonces = [token_urlsafe(24) for _ in people]
    tokens = [rules.token(settings.secret_key, nonce) for nonce in nonces]
    with product.database.reading() as unit:
        partnership = unit.execute(select(Person.partnership_id).where(Person.id == people[0])).scalar_one()
    calendar = {"partnership_id": partnership, "kind": CalendarKind.MINE, "language": "", "body": b"", "etag": ""}
    calendar |= {"body_bytes": 0, "changed_at": now, "fresh_until": now, "made_for": "", "revision": 0}
    feed = {"partnership_id": partnership, "made_at": now, "fetched_at": now, "fetched_by": ""}

    def write(unit: Connection) -> list[int]:
        for some in batched(people):
            unit.execute(insert(Calendar), [calendar | {"subject_id": person} for person in some])
        found = dict(unit.execute(select(Calendar.subject_id, Calendar.id)).tuples().all())
        rows = []
        for person, nonce, token in zip(people, nonces, tokens, strict=True):
            selector, verifier = rules.stored(token)
            names = {"person_id": person, "calendar_id": found[person], "nonce": nonce}
            rows.append(feed | names | {"selector": selector, "verifier": verifier})
        for some in batched(rows):
            unit.execute(insert(CalendarFeed), some)
        return [found[person] for person in people]

    calendars = product.database.write(write)
    if made:
        product.database.write(lambda unit: note_changes(unit, partnership, now))
        for calendar_id in calendars:
            product.database.write(
                lambda unit, calendar_id=calendar_id: make(unit, calendar_id, settings.public_url, now)
            )
    return [f"/calendar/{token}.ics" for token in tokens], calendars


def one_with_sixty_walks(product: Product) -> int:
    """Let the first person walk on sixty nights."""
    person = product.people[0]
    now = datetime.now(UTC)

    def write(unit: Connection) -> None:
        partnership = unit.execute(select(Person.partnership_id).where(Person.id == person)).scalar_one()
        taken = set(unit.execute(select(Booking.shift_id).where(Booking.person_id == person)).scalars())
        nights = [shift for shift in product.shifts[::3] if shift not in taken][: WALKS - len(taken)]
        row = {"partnership_id": partnership, "person_id": person, "state": "booked", "made_at": now}
        row |= {"auto_take": False, "place_held": False}
        unit.execute(insert(Booking), [row | {"shift_id": shift, "once": f"sixty-{shift}"} for shift in nights])

    product.database.write(write)
    return person


def further_people(product: Product, first: int, last: int) -> list[int]:
    """Write the people of these numbers, who never walk; return their ids."""
    now = datetime.now(UTC)
    phones = [f"+4699{number:07}" for number in range(first, last)]

    def write(unit: Connection) -> list[int]:
        partnership = unit.execute(select(Person.partnership_id).limit(1)).scalar_one()
        common = {"partnership_id": partnership, "first_name": "Name", "last_name": "Walker", "language": "sv"}
        common |= {"born_on": now.date(), "values_agreed_at": now, "created_at": now, "revision": 0}
        for some in batched(phones):
            unit.execute(insert(Person), [common | {"phone": phone} for phone in some])
        between = Person.phone.between(phones[0], phones[-1])
        return list(unit.execute(select(Person.id).where(between)).scalars())

    return product.database.write(write)


def batched(listed: Sequence) -> Iterator[Sequence]:
    for first in range(0, len(listed), AT_ONCE):
        yield listed[first : first + AT_ONCE]


def with_tag(path: str, etag: str) -> bytes:
    return request(path).removesuffix(b"\r\n") + f"If-None-Match: {etag}\r\n\r\n".encode()


class Polls:
    """What polls do to the product: `ready` requests in turn, all to be answered with `status`."""

    def __init__(self, product: Product, name: str, status: int) -> None:
        self.product, self.name, self.status = product, name, status
        self.target = product.target
        self.ready: list[bytes] = []

    def environment(self) -> dict[str, str]:
        return self.product.environment()


class Hello:
    name = "hello"
    target = Bare.target
    status = 200

    def __init__(self, bare: Bare) -> None:
        self.bare = bare
        self.ready = [request("/hello")]

    def environment(self) -> dict[str, str]:
        return self.bare.environment()


def measure(
    product: Product, bare: Bare, database: str, folder: Path, *, rounds: int, requests: int, polls: int
) -> list[Figure]:
    person = one_with_sixty_walks(product)
    paths, calendars = subscribe(product, product.people)
    unchanged, whole = Polls(product, "unchanged", 304), Polls(product, "whole", 200)
    with Server(product.target, product.environment(), folder / "tags.log") as server:
        changed = after_a_change(product, server.address, paths)
        tags = tagged(server.address, paths)
    unchanged.ready = [with_tag(path, tag) for path, tag in zip(paths, tags, strict=True)]
    whole.ready = [request(paths[product.people.index(person)])]
    settle(product.database.engine)
    return [
        *beside(Hello(bare), unchanged, database, folder, rounds, requests, LEAST_UNCHANGED[database]),
        *beside(Hello(bare), whole, database, folder, rounds, requests, LEAST_WHOLE),
        Figure("feed", database, "first poll after a change", changed, "ms"),
        *grown(product, database, folder, polls, paths, calendars),
    ]


def tagged(address: Address, paths: Sequence[str]) -> list[str]:
    """Fetch each feed once; return the tags."""
    load = drive(address, [request(path) for path in paths], clients=CLIENTS)
    if set(load.statuses) != {200}:
        raise RuntimeError(f"feeds: {dict(load.statuses)} answered")
    return [answer.header("etag") for answer in load.answers]


def beside(
    hello: Hello,
    polls: Polls,
    database: str,
    folder: Path,
    rounds: int,
    requests: int,
    least: float,
    bench: str = "feed",
) -> list[Figure]:
    tracks = compare(hello, polls, folder, rounds, requests)
    ours, theirs = tracks[polls.name], tracks[hello.name]
    rates = {"ours": round(median(ours.rates)), "bare": round(median(theirs.rates)), "unit": "requests/s"}
    times = {"ours": round(ours.processor_us, 1), "bare": round(theirs.processor_us, 1), "unit": "us a request"}
    return [
        Figure(bench, database, f"{polls.name}, rate to hello", paired(ours.rates, theirs.rates), "ratio",
               least=least, details=rates),
        Figure(bench, database, f"{polls.name}, hello's processor time to its own",
               theirs.processor_us / ours.processor_us, "ratio", details=times),
    ]  # fmt: skip


def compare(one: Hello | Polls, other: Hello | Polls, folder: Path, rounds: int, requests: int) -> dict[str, Track]:
    def work(subject: Hello | Polls, number: int) -> Sequence[bytes]:
        return [subject.ready[(number * requests + turn) % len(subject.ready)] for turn in range(requests)]

    def check(subject: Hello | Polls, number: int, load: Load) -> None:  # noqa: ARG001
        if set(load.statuses) != {subject.status}:
            raise RuntimeError(f"{subject.name}: {dict(load.statuses)} answered")

    return alternate((one, other), folder, rounds=rounds, work=work, check=check)


def change_a_place(product: Product, number: int) -> tuple[str, int]:
    """Let one shift meet elsewhere; return where, and the number of somebody who walks it."""
    shift, place = product.shifts[number], f"Place {token_urlsafe(6)}"
    change = update(Shift).where(Shift.id == shift).values(meeting_place=place)
    product.database.write(lambda unit: unit.execute(change))
    with product.database.reading() as unit:
        walker = unit.execute(select(Booking.person_id).where(Booking.shift_id == shift)).scalars().first()
    return place, product.people.index(walker)


def after_a_change(product: Product, address: Address, paths: Sequence[str]) -> float:
    """Milliseconds of the first poll after a change, of a feed that shows it."""
    first = []
    for number in range(CHANGES):
        place, walker = change_a_place(product, number)
        answer = fetch(address, request(paths[walker]))
        first.append(answer.seconds * 1000)
        if place not in answer.text.replace("\r\n ", ""):
            raise RuntimeError("a change is not in the next answer")
    return median(first)


def made_anew(product: Product, calendars: Sequence[int]) -> float:
    """Milliseconds of noting one change and making one calendar that shows it, in this process; the least of many,
    since the two numbers of subscribers are measured minutes apart and neighbours come and go."""
    settings, took = from_environment(product.environment()), []
    with product.database.reading() as unit:
        partnership = unit.execute(select(Person.partnership_id).limit(1)).scalar_one()
    for number in range(CHANGES, 3 * CHANGES):
        _, walker = change_a_place(product, number)
        now = datetime.now(UTC)
        began = time.perf_counter()
        product.database.write(lambda unit, now=now: note_changes(unit, partnership, now))
        made = product.database.write(
            lambda unit, now=now, calendar=calendars[walker]: make(unit, calendar, settings.public_url, now)
        )
        took.append((time.perf_counter() - began) * 1000)
        if not made:
            raise RuntimeError("a changed calendar was not made anew")
    return min(took)


def grown(
    product: Product, database: str, folder: Path, polls: int, paths: Sequence[str], calendars: Sequence[int]
) -> list[Figure]:
    """Subscribers beside the 500: what their number costs an unchanged poll and a calendar that changes."""
    costs, making, course, so_far = {}, {}, [], 0
    for number in (FEW, MANY):
        subscribe(product, further_people(product, so_far, number), made=False)
        so_far = number
        settle(product.database.engine)
        with Server(product.target, product.environment(), folder / "grown.log") as server:
            tagged(server.address, paths)
            # The newcomers have left as many marks, which are gone by now: let PostgreSQL sweep up after them.
            settle(product.database.engine)
            making[number] = made_anew(product, calendars)
            tags = tagged(server.address, paths)
            ready = [with_tag(path, tag) for path, tag in zip(paths, tags, strict=True)]
            before = server.processor_seconds()
            for _ in range(STEPS):
                load = drive(server.address, list(islice(cycle(ready), polls // STEPS)), clients=CLIENTS, bodies=False)
                if set(load.statuses) != {304}:
                    raise RuntimeError(f"{number} people: {dict(load.statuses)} answered")
                course.append(server.memory())
            costs[number] = (server.processor_seconds() - before) / (polls // STEPS * STEPS) * 1e6
    last = course[STEPS:]

    def ratio(name: str, of: dict[int, float], unit: str) -> Figure:
        details = {"ours": of[MANY], "bare": of[FEW], "unit": unit}
        named = f"{name}, {MANY:,} subscribers to {FEW:,}"
        return Figure("feed", database, named, of[MANY] / of[FEW], "ratio", most=MOST_GROWTH, details=details)

    return [
        ratio("unchanged", costs, "us a request"),
        ratio("made anew", making, "ms"),
        Figure("feed", database, f"memory after {polls:,} polls to after a tenth of them", last[-1] / last[0], "ratio",
               most=MOST_MEMORY_GROWTH, details={"MiB": [round(one, 1) for one in last]}),
    ]  # fmt: skip

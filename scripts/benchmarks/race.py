"""The race for the last seat: 64 people, each on a new connection, all at the same moment, one free place.

Counted over all rounds: places sold beyond what was wanted, seats left unsold, answers of 500 and above,
people without an answer, and answers that do not agree with the database (told that they walk and do not, or
the other way round). The bare application without its lock is the control: it shows that the race is one.
"""

from collections import Counter
from pathlib import Path

from .client import drive
from .figures import Figure
from .servers import Server
from .subject import AREAS, RACERS, Place, Subject, racers

COUNTED = ("overbooked", "seats left unsold", "server errors", "unanswered", "false answers")


def measure(
    subject: Subject, database: str, folder: Path, *, workers: int, rounds: int, control: bool = False
) -> list[Figure]:
    """The counts after these rounds, each on another night, against a server of so many processes."""
    counts: Counter[str] = Counter()
    slowest = 0.0
    with Server(subject.target, subject.environment(), folder / "race.log", workers=workers) as server:
        for number in range(rounds):
            shift = (2 + number) * AREAS + number % AREAS
            subject.leave_one_place(shift)
            before = subject.walkers(shift)
            wanted = [Place(person, shift) for person in racers(shift)]
            load = drive(server.address, [subject.booking_request(place) for place in wanted], clients=RACERS, limit=60)
            walking = subject.walkers(shift)
            slowest = max(slowest, load.seconds)
            counts["overbooked"] += max(0, len(walking) - len(before) - 1)
            counts["seats left unsold"] += walking == before
            for place, answer in zip(wanted, load.answers, strict=True):
                counts["unanswered"] += not answer.status
                counts["server errors"] += answer.status >= 500
                told = subject.says_booked(answer, place, server.address)
                counts["false answers"] += told != (place.person in walking)
    if control:
        name, value = f"race of {RACERS} without the lock: overbooked", counts["overbooked"]
        return [Figure("race", database, name, value, f"in {rounds} rounds", least=1)]
    name = f"race of {RACERS}, {workers} workers: "
    figures = [Figure("race", database, name + what, counts[what], f"in {rounds} rounds", most=0) for what in COUNTED]
    return [*figures, Figure("race", database, name + "slowest round", slowest * 1000, "ms")]

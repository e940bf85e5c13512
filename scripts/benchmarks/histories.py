"""Ten thousand lives of nights, side by side in many towns of one database: do the sums agree to the öre?

The lives themselves are those of the tests (`tests/money/histories.py`); each ends by settling its night from two
threads at once and then once more. On PostgreSQL two processes write to the same database all the time; on SQLite
one, whose units for minutes on end would make another's wait longer than a person may.
"""

import multiprocessing
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from scheduler.kit.database import Database
from scheduler.kit.migrating import upgrade
from tests.money.histories import NIGHTS_OF_A_TOWN, Lives

from .figures import Figure

PROCESSES = {"sqlite": 1, "postgresql": 2}
COUNTED = ("histories", "steps", "steps refused", "settled twice at once", "sums that differ")


def live(url: str, seed: int, histories: int) -> tuple[dict[str, int], list[str]]:
    """Live one town's nights; return what was counted, and what did not hold."""
    database = Database(url, connections=8)
    lives = Lives(database, random.Random(seed), f"town{seed}-")
    faults = []
    for _, night in zip(range(histories), lives.nights(), strict=False):
        try:
            lives.live(night)
        except AssertionError as fault:
            faults.append(f"seed {seed}, {night}: {fault}")
    try:
        lives.finish()
    except AssertionError as fault:
        faults.append(f"seed {seed}, the whole town: {fault}")
    database.dispose()
    counted = (histories, lives.steps, lives.refused, lives.settled_at_once, len(faults))
    return dict(zip(COUNTED, counted, strict=True)), faults


def measure(fresh: Callable[[str], str], kind: str, histories: int) -> list[Figure]:
    url = fresh("histories")
    database = Database(url)
    database.write(upgrade)
    database.dispose()
    towns = [min(NIGHTS_OF_A_TOWN, histories - first) for first in range(0, histories, NIGHTS_OF_A_TOWN)]
    totals, faults = dict.fromkeys(COUNTED, 0), list[str]()
    with ProcessPoolExecutor(PROCESSES[kind], mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(live, url, seed, number) for seed, number in enumerate(towns, start=1)]
        for job in jobs:
            counted, found = job.result()
            totals = {name: totals[name] + counted[name] for name in COUNTED}
            faults += found
    bounds = {"sums that differ": 0.0}
    details = {"faults": faults[:20]}
    return [
        Figure("histories", kind, name, totals[name], "", most=bounds.get(name), details=details) for name in COUNTED
    ]

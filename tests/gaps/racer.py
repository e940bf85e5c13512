"""One process of a race: `python -m tests.gaps.racer HOW URL TOWN SHIFT…`, one thread for each shift.

Waits for a line on standard input, then lets every thread search for people to its shift. `guarded` is the product's
verb; `unguarded` reads who may be asked, and asks them, as a search without the hold would.
"""

import json
import sys
import threading

from sqlalchemy import insert, select

from scheduler.gaps import actions
from scheduler.gaps.candidates import candidates
from scheduler.gaps.tables import Ask, Asking
from scheduler.kit.database import Database
from scheduler.kit.refusals import Refusal
from tests import make

GOAL = 2


def guarded(database, town, shift, met):
    met.wait()

    def search(connection):
        actions.start(connection, make.acting(town, None), shift, GOAL)
        for asking in connection.execute(select(Asking.id).where(Asking.shift_id == shift)).scalars().all():
            actions.advance(connection, make.acting(town, None), asking)

    database.write(search)


def unguarded(database, town, shift, met):
    with database.reading() as connection:
        row = actions.shift_facts(connection, town.id, shift)
        chosen = candidates(connection, actions.place_of(row), row.area_id, 2, make.NOW)[:3]
    met.wait()

    def ask(connection):
        values = {"partnership_id": town.id, "shift_id": shift, "started_at": make.NOW, "next_wave_at": make.NOW}
        asking = connection.execute(
            insert(Asking).values(state="running", goal=GOAL, wave=1, dry=False, **values).returning(Asking.id)
        ).scalar_one()
        for one in chosen:
            connection.execute(
                insert(Ask).values(
                    partnership_id=town.id,
                    asking_id=asking,
                    shift_id=shift,
                    person_id=one.person_id,
                    wave=1,
                    state="asked",
                    asked_at=make.NOW,
                    answer_by=row.starts_at,
                )
            )

    database.write(ask)


def main():
    how, url, town_id, *shifts = sys.argv[1:]
    town = make.Town(int(town_id), 0, 0, 0, 0)
    database = Database(url, connections=len(shifts) + 1)
    start, met = threading.Barrier(len(shifts) + 1), threading.Barrier(len(shifts))
    told = []

    def one(shift):
        start.wait()
        try:
            {"guarded": guarded, "unguarded": unguarded}[how](database, town, int(shift), met)
            told.append("asked")
        except Refusal as refusal:
            told.append(type(refusal).__name__)

    threads = [threading.Thread(target=one, args=(shift,)) for shift in shifts]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.readline()
    start.wait()
    for thread in threads:
        thread.join()
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()

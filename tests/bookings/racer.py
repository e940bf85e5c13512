"""One process of a race: `python -m tests.bookings.racer HOW URL SHIFT PERSON…`, one thread for each person.

Waits for a line on standard input, lets every thread go at once, and prints what each person was told.
`booking` uses the real action; `unguarded` counts, then inserts, as a booking without a hold would.
"""

import json
import sys
import threading

from sqlalchemy import create_engine, func, insert, select, update

from scheduler.bookings.actions import book
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import Database
from scheduler.kit.refusals import Refusal
from scheduler.nights.tables import Shift
from tests import make


def booking(database: Database, town: int, shift: int, person: int) -> str:
    acting = make.acting(make.Town(town, 0, 0, 0, 0), person)
    try:
        database.write(lambda connection: book(connection, acting, shift, person, f"race-{person}"))
    except Refusal as refusal:
        return type(refusal).__name__
    return "booked"


def unguarded(database: Database, town: int, shift: int, person: int) -> str:
    # An engine as SQLAlchemy makes it when nobody thinks about it: on SQLite no transaction before a write.
    with create_engine(database.engine.url).begin() as connection:
        counted = select(func.count()).select_from(Booking).where(Booking.shift_id == shift)
        taken = connection.execute(counted).scalar_one()
        wanted = connection.execute(select(Shift.wanted).where(Shift.id == shift)).scalar_one()
        if taken >= wanted:
            return "Full"
        connection.execute(
            insert(Booking).values(
                partnership_id=town,
                shift_id=shift,
                person_id=person,
                state=BookingState.BOOKED,
                made_at=make.NOW,
                once=f"race-{person}",
                auto_take=False,
                place_held=False,
            )
        )
        connection.execute(update(Shift).where(Shift.id == shift).values(revision=Shift.revision + 1))
        return "booked"


def main() -> None:
    how, url, town, shift, *people = sys.argv[1:]
    act = {"booking": booking, "unguarded": unguarded}[how]
    database = Database(url, connections=len(people))
    told: dict[str, str] = {}
    start = threading.Barrier(len(people) + 1)

    def one(person: str) -> None:
        start.wait()
        try:
            told[person] = act(database, int(town), int(shift), int(person))
        except Exception as error:  # noqa: BLE001 - the race counts every kind of end
            told[person] = f"error {type(error).__name__}: {error}"

    threads = [threading.Thread(target=one, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    with database.reading() as connection:
        connection.execute(select(Shift.id)).first()
    print("ready", flush=True)
    sys.stdin.readline()
    start.wait()
    for thread in threads:
        thread.join()
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()

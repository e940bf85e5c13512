"""A process that is killed in the middle of booking loses nothing that it has said, and leaves nothing half done."""

import signal
import subprocess
import sys
from datetime import timedelta

from sqlalchemy import func, select

from scheduler.bookings.queries import drift
from scheduler.bookings.tables import Booking
from scheduler.kit.audit import AuditEntry
from scheduler.kit.database import Database
from tests import make

KILLS = 6


def test_what_was_acknowledged_is_there_and_nothing_is_half_done(each_url):
    database = Database(each_url)
    town = database.write(make.town)
    people = database.write(lambda connection: make.people(connection, town, KILLS))
    shifts = database.write(
        lambda connection: [
            make.shift(connection, town, make.FRIDAY + timedelta(days=number), wanted=8) for number in range(150)
        ]
    )
    acknowledged = []
    for number, person in enumerate(people):
        words = [sys.executable, "-m", "tests.bookings.endless_booker", each_url, str(town.id), str(person)]
        booker = subprocess.Popen([*words, *map(str, shifts)], stdout=subprocess.PIPE, text=True)
        acknowledged += [int(booker.stdout.readline()) for _ in range(5 + 3 * number)]
        booker.send_signal(signal.SIGKILL)
        # Not `communicate`: it leaves out the lines that came together with those read above.
        with booker:
            acknowledged += [int(line) for line in booker.stdout if line.endswith("\n")]
    with database.reading() as connection:
        stored = set(connection.execute(select(Booking.id)).scalars())
        assert set(acknowledged) <= stored
        assert len(stored) - len(acknowledged) <= KILLS, "at most the one in hand was not yet told"
        booked = connection.execute(
            select(func.count()).select_from(AuditEntry).where(AuditEntry.what == "booking.booked")
        ).scalar_one()
        assert booked == len(stored)
        assert drift(connection) == []
    database.dispose()

"""Books one shift after the other for one person and says so after each commit, until it is killed:
`python -m tests.bookings.endless_booker URL TOWN PERSON SHIFT…`."""

import sys

from scheduler.bookings.actions import book
from scheduler.kit.database import Database
from tests import make


def main() -> None:
    url, town, person, *shifts = sys.argv[1:]
    database = Database(url)
    acting = make.acting(make.Town(int(town), 0, 0, 0, 0), int(person))
    for shift in map(int, shifts):
        booking = database.write(
            lambda connection, shift=shift: book(connection, acting, shift, int(person), f"endless-{shift}")
        )
        print(booking, flush=True)


if __name__ == "__main__":
    main()

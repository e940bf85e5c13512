"""A winter of walks, with what every reader must hold of it."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select, update

from scheduler.bookings import actions as bookings
from scheduler.calendars.rules import CalendarKind
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Shift
from scheduler.partnership.actions import add_area
from tests import make
from tests.calendars.readers import Held
from tests.calendars.reading import Program, subscribe

FIRST, LAST = date(2026, 10, 2), date(2027, 4, 24)
# The ordinary end of a walk, and two that lie behind the change.
ENDS = (time(2), time(2, 30), time(3, 30))
NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)


def walk(database, town, person, night, ends, area=None):
    def write(connection):
        shift = make.shift(connection, town, night, starts=time(20), ends=ends, area=area)
        bookings.book(connection, make.acting(town, person, NOW), shift, person, f"{night}{ends}")
        return shift

    return database.write(write)


def a_season(app, database, town, clock):
    """Every Friday and Saturday of a winter, some called off; return Eva's feed and what it must hold."""
    clock.instant = NOW
    eva = database.write(lambda connection: make.person(connection, town, "Eva"))
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    nights = [day for day in days if day.weekday() in {4, 5}]
    shifts = [walk(database, town, eva, night, ENDS[number % 3]) for number, night in enumerate(nights)]
    for night in (date(2026, 10, 24), date(2027, 3, 27)):
        assert night in nights
    set_off = shifts[5::7]
    database.write(
        lambda connection: connection.execute(
            update(Shift).where(Shift.id.in_(set_off)).values(state=ShiftState.CALLED_OFF)
        )
    )
    with database.reading() as connection:
        rows = connection.execute(select(Shift.id, Shift.starts_at, Shift.ends_at, Shift.state)).all()
    held = {}
    for row in rows:
        off = row.state is ShiftState.CALLED_OFF
        title = "INSTÄLLT: Nattvandring: Centrum" if off else "Nattvandring: Centrum"
        held[f"shift-{row.id}@127.0.0.1"] = Held(row.starts_at, row.ends_at, title, off)
    return Program(app, subscribe(database, town, eva, now=NOW)), held


def both_clock_nights(app, database, town, clock):
    """The two nights with each of the three ends, each somebody else's walk; return the partnership's feed."""
    clock.instant = NOW
    held = {}
    for night in (date(2026, 10, 24), date(2027, 3, 27)):
        for number, ends in enumerate(ENDS):
            area = database.write(lambda c, n=f"{night} {number}": add_area(c, town.id, n, "Torget"))
            shift = database.write(
                lambda c, night=night, ends=ends, area=area: make.shift(
                    c, town, night, starts=time(20), ends=ends, area=area
                )
            )
            start = datetime.combine(night, time(20), tzinfo=make.STOCKHOLM).astimezone(UTC)
            end = datetime.combine(night + timedelta(days=1), ends, tzinfo=make.STOCKHOLM).astimezone(UTC)
            title = f"{night} {number}: 0 av 4 går (två områden behöver folk)"
            held[f"shift-{shift}-nights@127.0.0.1"] = Held(start, end, title, cancelled=False)
    eva = database.write(lambda connection: make.person(connection, town, "Eva"))
    return Program(app, subscribe(database, town, eva, CalendarKind.NIGHTS, now=NOW)), held

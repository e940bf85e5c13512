"""Builders with good defaults: each makes one thing and returns its id, or a small value."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, count
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from scheduler.kit.clock import Clock
from scheduler.nights.actions import Places, add_shift
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import moments
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.actions import add_area, add_club, found_partnership, sign_agreement
from scheduler.partnership.rules import BudgetLineKind
from scheduler.partnership.tables import Agreement
from scheduler.people.actions import register
from scheduler.people.rules import Acting, MembershipState
from scheduler.people.tables import Membership

STOCKHOLM = ZoneInfo("Europe/Stockholm")
# A Monday in November 2026; every test's "now" unless it says otherwise.
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FRIDAY = date(2026, 11, 27)
SATURDAY = date(2026, 11, 28)
SITE = "http://127.0.0.1:8000"
# Between them lies the series for fiction, which tests write out: whoever is made here never has one of those.
_numbers = chain(range(1, 600), count(700))


class SetClock:
    """A clock that a test sets."""

    def __init__(self, instant: datetime = NOW) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


assert isinstance(SetClock().now(), datetime)
_: type[Clock] = SetClock


@dataclass(frozen=True, slots=True)
class Town:
    """A partnership with an agreement for the whole of 2026 and 2027, a club and two areas."""

    id: int
    agreement_id: int
    club_id: int
    centre: int
    arena: int


def town(connection: Connection, name: str = "Nattvandring Timrå", host_name: str = "") -> Town:
    partnership_id = found_partnership(
        connection,
        NOW,
        name=name,
        municipality="Timrå kommun",
        time_zone="Europe/Stockholm",
        host_name=host_name,
        team_phone="+46701740698",
        coordinator_phone="+46701740699",
    )
    agreement_id = sign_agreement(
        connection,
        partnership_id,
        starts_on=date(2025, 12, 22),
        ends_on=date(2027, 12, 31),
        night_rate_ore=250_000,
        promised_ore=27_500_000,
        lines_ore={
            BudgetLineKind.WEEKEND_NIGHTS: 25_000_000,
            BudgetLineKind.MATERIAL: 500_000,
            BudgetLineKind.UNFORESEEN: 1_500_000,
        },
    )
    return Town(
        id=partnership_id,
        agreement_id=agreement_id,
        club_id=add_club(connection, partnership_id, f"{name} IK", coordinating=True),
        centre=add_area(connection, partnership_id, "Centrum", "Y:et på torget"),
        arena=add_area(connection, partnership_id, "Arenaområdet", "entrén till arenan"),
    )


def phone() -> str:
    """Return a number that no other person of this run has, and that no test writes out."""
    return f"+4670174{next(_numbers):04d}"


def person(
    connection: Connection,
    where: Town,
    first_name: str = "Eva",
    *,
    born_on: date = date(1980, 5, 31),
    state: MembershipState | None = MembershipState.APPROVED,
    language: str = "sv",
    number: str | None = None,
) -> int:
    person_id = register(
        connection,
        where.id,
        NOW,
        first_name=first_name,
        last_name="Lyktdal",
        phone=number or phone(),
        born_on=born_on,
        language=language,
    )
    if state is not None:
        connection.execute(
            insert(Membership).values(
                partnership_id=where.id,
                person_id=person_id,
                club_id=where.club_id,
                state=state,
                asked_at=NOW,
                decided_at=None,
            )
        )
    return person_id


def people(connection: Connection, where: Town, number: int) -> list[int]:
    return [person(connection, where, f"Person{index}") for index in range(number)]


def shift(
    connection: Connection,
    where: Town,
    night: date = FRIDAY,
    *,
    area: int | None = None,
    minimum: int = 2,
    wanted: int = 4,
    starts: time = time(21),
    ends: time = time(1),
    state: ShiftState = ShiftState.PUBLISHED,
) -> int:
    night_id = connection.execute(
        select(Night.id).where(Night.partnership_id == where.id, Night.date == night)
    ).scalar()
    if night_id is None:
        agreement_id = connection.execute(select(Agreement.id).where(Agreement.partnership_id == where.id)).scalar_one()
        night_id = connection.execute(
            insert(Night)
            .values(partnership_id=where.id, agreement_id=agreement_id, date=night, special=None, left_out=None)
            .returning(Night.id)
        ).scalar_one()
    starts_at, ends_at = moments(night, starts, ends, STOCKHOLM)
    return add_shift(
        connection,
        where.id,
        night_id,
        area or where.centre,
        starts_at,
        ends_at,
        Places(minimum, wanted),
        state,
        NOW,
    )


def acting(where: Town, person_id: int | None, now: datetime = NOW) -> Acting:
    return Acting(where.id, person_id, now, STOCKHOLM, SITE)


def before_start(hours: float, night: date = FRIDAY) -> datetime:
    """Return the instant so many hours before 21:00 of a night."""
    return moments(night, time(21), time(1), STOCKHOLM)[0] - timedelta(hours=hours)


def places(connection: Connection, shift_id: int) -> tuple[int, int]:
    """Return how many places of a shift are booked and held."""
    row = connection.execute(select(Shift.booked, Shift.held).where(Shift.id == shift_id)).one()
    return row.booked, row.held


def call_off(connection: Connection, shift_id: int) -> None:
    connection.execute(update(Shift).where(Shift.id == shift_id).values(state=ShiftState.CALLED_OFF))

"""The coordinator's board, 100 nights of three areas and 5,000 people, beside a bare Flask hello on the same server.

Counted: its SQL statements. Measured: its rate to hello's in the same rounds, eight clients; and how long the one
query takes that finds whom to ask about a shift, of 5,000 and of 50,000 people.
"""

import time
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

from sqlalchemy import Connection, func, insert, select, update

from scheduler.gaps import actions
from scheduler.gaps.candidates import candidates
from scheduler.nights.tables import Shift
from scheduler.people.rules import MembershipState, Role
from scheduler.people.tables import Membership, Person, RoleGrant

from .client import request
from .databases import settle
from .feed import Hello, compare
from .figures import Figure, paired
from .product import Product
from .reference import Bare
from .statements import recorded

MOST_STATEMENTS = 10
LEAST_RATE = 0.05
FEW, MANY = 5_000, 50_000
MOST_GROWTH = 10.0
BOARD = "/lead"
SEARCHES = 15
EACH_OF = 5
REQUESTS = 60


class Board:
    name = "board"
    target = Product.target
    status = 200

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ready = [request(BOARD, cookies=product.cookies[0])]

    def environment(self) -> dict[str, str]:
        return self.product.environment()


def crowd(product: Product, wanted: int) -> None:
    """Let so many people live in the town, all of them members."""
    now = datetime.now(UTC)

    def write(unit: Connection) -> None:
        there = unit.execute(select(func.count(Person.id))).scalar_one()
        tenant, club = unit.execute(select(Membership.partnership_id, Membership.club_id).limit(1)).one()
        same = {"partnership_id": tenant, "last_name": "Walker", "born_on": date(1980, 1, 1), "language": "sv"}
        same |= {"values_agreed_at": now, "created_at": now, "revision": 0}
        new = [same | {"first_name": f"More {n}", "phone": f"+4671{n:07}"} for n in range(there, wanted)]
        unit.execute(insert(Person), new)
        ids = unit.execute(select(Person.id).order_by(Person.id.desc()).limit(wanted - there)).scalars()
        member = {"partnership_id": tenant, "club_id": club, "state": MembershipState.APPROVED}
        member |= {"asked_at": now, "decided_at": now}
        unit.execute(insert(Membership), [member | {"person_id": person} for person in ids])

    product.database.write(write)
    settle(product.database.engine)


def gaps(product: Product) -> None:
    """Let every fifth shift lack two people, so that the board has something to say and asks to offer."""
    lacking = (
        update(Shift)
        .where(Shift.id.in_(product.shifts[::EACH_OF]))
        .values(minimum=Shift.booked + 2, wanted=Shift.booked + 4)
    )
    product.database.write(lambda unit: unit.execute(lacking))


def search_ms(product: Product) -> float:
    """The median time of finding whom to ask about a shift, in milliseconds."""
    now, times = datetime.now(UTC), []
    for shift in product.shifts[:SEARCHES]:
        with product.database.reading() as unit:
            tenant = unit.execute(select(Person.partnership_id).limit(1)).scalar_one()
            row = actions.shift_facts(unit, tenant, shift)
            began = time.perf_counter()
            found = candidates(unit, actions.place_of(row), row.area_id, 2, now)
            times.append((time.perf_counter() - began) * 1000)
        if not found:
            raise RuntimeError("nobody could be asked")
    return median(times)


def measure(product: Product, bare: Bare, database: str, folder: Path, *, rounds: int) -> list[Figure]:
    crowd(product, FEW)
    gaps(product)
    grant = insert(RoleGrant).from_select(
        ["partnership_id", "person_id", "role"],
        select(Person.partnership_id, Person.id, func.lower(Role.COORDINATOR.value)).where(
            Person.id == product.people[0]
        ),
    )
    product.database.write(lambda unit: unit.execute(grant))
    for _ in range(2):
        with recorded() as seen:
            answer = product.get(BOARD, person=0)
    if answer.status_code != 200:
        raise RuntimeError(f"the board answered {answer.status_code}")
    tracks = compare(Hello(bare), Board(product), folder, rounds, REQUESTS)
    ours, theirs = tracks["board"], tracks["hello"]
    rates = {"ours": round(median(ours.rates)), "bare": round(median(theirs.rates)), "unit": "requests/s"}
    few = search_ms(product)
    crowd(product, MANY)
    many = search_ms(product)
    return [
        Figure("board", database, "SQL statements", len(seen), "statements", most=MOST_STATEMENTS),
        Figure("board", database, "rate to hello", paired(ours.rates, theirs.rates), "ratio", least=LEAST_RATE,
               details=rates),
        Figure("board", database, "whom to ask, of 5,000 people", few, "ms"),
        Figure("board", database, "whom to ask, of 50,000 people to 5,000", many / few, "ratio", most=MOST_GROWTH,
               details={"ours": round(many, 2), "bare": round(few, 2), "unit": "ms"}),
    ]  # fmt: skip

"""SQL statements of one request, counted in the process itself through Flask's test client.

Counted: every statement that reaches the driver, but for BEGIN. Limits: six for the list of nights, the same
number for 3 and for 300 nights; twelve for a booking.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

from .figures import Figure
from .product import WHOLE_LIST, Product
from .subject import Place

MOST_LIST = 6
MOST_BOOKING = 12


@contextmanager
def recorded() -> Iterator[list[str]]:
    """The statements that any engine of this process executes while this lasts."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(" ".join(statement.split()))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def of_list(product: Product) -> list[str]:
    """The statements of the list of all nights, as it is shown the second time."""
    for _ in range(2):
        with recorded() as seen:
            answer = product.get(WHOLE_LIST, person=0)
        if answer.status_code != 200:
            raise RuntimeError(f"the list answered {answer.status_code}")
    return seen


def of_booking(product: Product) -> list[str]:
    """The statements of a booking that succeeds, the second of this process."""
    for place in (Place(60, 0), Place(61, 1)):
        with recorded() as seen:
            answer = product.book(place)
        if answer.status_code != 303:
            raise RuntimeError(f"the booking answered {answer.status_code}")
    return seen


def measure(few: Product, many: Product, database: str) -> list[Figure]:
    """Statements of both pages; `few` holds 3 nights, `many` 300."""
    figures = []
    for product, nights in ((few, 3), (many, 300)):
        seen = of_list(product)
        figures.append(
            Figure(
                "statements",
                database,
                f"list of {nights} nights",
                len(seen),
                "statements",
                most=MOST_LIST,
                details={"statements": seen},
            )
        )
    same = figures[0].value == figures[1].value
    figures.append(Figure("statements", database, "the same for 3 and 300 nights", same, "1 is yes", least=1))
    seen = of_booking(few)
    figures.append(
        Figure(
            "statements",
            database,
            "booking",
            len(seen),
            "statements",
            most=MOST_BOOKING,
            details={"statements": seen},
        )
    )
    return figures

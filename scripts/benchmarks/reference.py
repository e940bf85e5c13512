"""The bare application as a subject: its data, its requests and its answers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from . import bare
from .client import Address, Answer, request
from .databases import settle
from .subject import AREAS, NIGHTS, PEOPLE, Place, some_places


class Bare:
    """`held=False` is the control: it books by counting first and inserting afterwards."""

    target = ("--factory", "benchmarks.bare:create_app")
    pages: Sequence[str] = ("/hello", "/list?n=60")
    heavy_pages: Sequence[str] = ("/list?n=600",)

    def __init__(self, url: str, *, name: str = "bare", held: bool = True) -> None:
        self.url = url
        self.name = name
        self.booking_path = "/book" if held else "/book-without-hold"
        self.engine = bare.connect(url).execution_options(writing=True)

    def fill(self, *, nights: int = NIGHTS, wanted: int, bookings: int) -> None:
        first = datetime(2026, 11, 23, 20, tzinfo=UTC).replace(tzinfo=None)
        shifts = [
            {
                "id": number + 1,
                "area": number % AREAS + 1,
                "starts": first + timedelta(days=number // AREAS),
                "wanted": wanted,
            }
            for number in range(nights * AREAS)
        ]
        booked = [
            {"shift": place.shift + 1, "person": place.person + 1, "now": first}
            for place in some_places(bookings, nights=nights)
        ]
        with self.engine.begin() as connection:
            for statement in bare.SCHEMA.split(";"):
                connection.execute(text(statement))
            names = [{"id": number + 1, "name": f"Name {number}"} for number in range(PEOPLE)]
            connection.execute(text("INSERT INTO areas (id, name) VALUES (:id, :name)"), names[:AREAS])
            connection.execute(text("INSERT INTO people (id, name) VALUES (:id, :name)"), names)
            connection.execute(
                text("INSERT INTO shifts VALUES (:id, :area, :starts, :wanted, 0)"),
                shifts,
            )
            connection.execute(bare.BOOK, booked)
        settle(self.engine)

    def environment(self) -> dict[str, str]:
        return {"BARE_DATABASE_URL": self.url}

    def page_request(self, path: str, person: int) -> bytes:  # noqa: ARG002
        return request(path)

    def list_request(self, person: int) -> bytes:
        return self.page_request("/list?n=60", person)

    def shown(self, answer: Answer) -> int:
        return answer.text.count("<tr>")

    def booking_request(self, place: Place) -> bytes:
        return request(f"{self.booking_path}/{place.shift + 1}", form=f"person={place.person + 1}")

    def says_booked(self, answer: Answer, place: Place, address: Address) -> bool:  # noqa: ARG002
        return answer.status == 303

    def booked(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(text("SELECT count(*) FROM bookings"))

    def leave_one_place(self, shift: int) -> None:
        taken = "(SELECT count(*) FROM bookings WHERE shift_id = shifts.id)"
        one_more = f"UPDATE shifts SET wanted = 1 + {taken} WHERE id = :id"  # noqa: S608
        with self.engine.begin() as connection:
            connection.execute(text(one_more), {"id": shift + 1})

    def walkers(self, shift: int) -> set[int]:
        with self.engine.connect() as connection:
            rows = connection.scalars(text("SELECT person_id FROM bookings WHERE shift_id = :id"), {"id": shift + 1})
            return {person - 1 for person in rows}

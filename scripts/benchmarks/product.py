"""The product as a subject: its data, its requests and its answers, by its own tables and its own code."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from secrets import token_urlsafe
from zoneinfo import ZoneInfo

from flask import session
from flask_wtf.csrf import generate_csrf
from sqlalchemy import Connection, func, insert, select, update
from werkzeug.test import TestResponse

from scheduler import create_app
from scheduler.bookings.rules import BookingState
from scheduler.bookings.tables import Booking
from scheduler.kit.database import Database
from scheduler.kit.migrating import upgrade
from scheduler.kit.settings import from_environment
from scheduler.kit.web import Application
from scheduler.nights.rules import ShiftState
from scheduler.nights.tables import Night, Shift
from scheduler.partnership.actions import add_area, add_club, found_partnership, sign_agreement
from scheduler.people.actions import register
from scheduler.people.rules import MembershipState
from scheduler.people.signing_in import start_session
from scheduler.people.tables import Membership

from .client import Address, Answer, fetch, request
from .databases import settle
from .subject import AREAS, NIGHTS, PEOPLE, Place, some_places

ZONE = ZoneInfo("Europe/Stockholm")
HOUR_OF_START = 20
HOURS = 4
MINIMUM = 2
# The list shows whole weeks from today on: three weeks hold 20 nights, if the first is in two days.
FIRST_NIGHT_IN_DAYS = 2
LIST = "/nights?weeks=3"
WHOLE_LIST = "/nights?weeks=60"


class Product:
    name = "product"
    target = ("scheduler.wsgi:app",)
    heavy_pages: Sequence[str] = (WHOLE_LIST,)

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(url)
        self.people: list[int] = []
        self.shifts: list[int] = []
        self.cookies: list[str] = []
        self.tokens: list[str] = []

    @property
    def pages(self) -> Sequence[str]:
        shift = f"/shifts/{self.shifts[0]}"
        return ("/", LIST, "/nights?view=month", shift, "/mine", "/me", "/tonight", "/readyz")

    def environment(self) -> dict[str, str]:
        return {
            "SCHEDULER_DATABASE_URL": self.url,
            "SCHEDULER_SECRET_KEY": "a secret for benchmarks, which protects nobody",
            "SCHEDULER_PUBLIC_URL": "http://localhost",
            "SCHEDULER_TIMEZONE": ZONE.key,
        }

    @cached_property
    def app(self) -> Application:
        """The application in this process."""
        return create_app(from_environment(self.environment()))

    def fill(self, *, nights: int = NIGHTS, wanted: int, bookings: int) -> None:
        self.database.write(upgrade)
        secrets = self.database.write(lambda unit: self.write(unit, nights, wanted, bookings))
        for secret in secrets:
            with self.app.test_request_context("/"):
                session.permanent = True
                session["secret"] = secret
                self.tokens.append(generate_csrf())
                serializer = self.app.session_interface.get_signing_serializer(self.app)
                cookie = serializer.dumps(dict(session))
                self.cookies.append(f"{self.app.config['SESSION_COOKIE_NAME']}={cookie}")
        settle(self.database.engine)

    def write(self, unit: Connection, nights: int, wanted: int, bookings: int) -> list[str]:
        """Write all the data, and return the secrets of 500 sessions."""
        now = datetime.now(UTC)
        first = now.astimezone(ZONE).date() + timedelta(days=FIRST_NIGHT_IN_DAYS)
        partnership = found_partnership(unit, now, name="Bench", municipality="Bench", time_zone=ZONE.key)
        agreement = sign_agreement(
            unit,
            partnership,
            starts_on=first - timedelta(days=30),
            ends_on=first + timedelta(days=400),
            night_rate_ore=250_000,
            promised_ore=0,
            lines_ore={},
        )
        club = add_club(unit, partnership, "Club", coordinating=True)
        areas = [add_area(unit, partnership, f"Area {number}", "The square") for number in range(AREAS)]
        self.people = [
            register(
                unit,
                partnership,
                now,
                first_name=f"Name {number}",
                last_name="Walker",
                phone=f"+4670{number:07}",
                born_on=date(1980, 1, 1),
            )
            for number in range(PEOPLE)
        ]
        membership = {"partnership_id": partnership, "club_id": club, "state": MembershipState.APPROVED}
        membership |= {"asked_at": now, "decided_at": now}
        unit.execute(insert(Membership), [membership | {"person_id": person} for person in self.people])
        taken = some_places(bookings, nights=nights)
        booked = [0] * (nights * AREAS)
        for place in taken:
            booked[place.shift] += 1
        for night in range(nights):
            day = first + timedelta(days=night)
            shown = unit.execute(
                insert(Night).returning(Night.id),
                {"partnership_id": partnership, "agreement_id": agreement, "date": day},
            ).scalar_one()
            starts_at = datetime.combine(day, time(HOUR_OF_START), tzinfo=ZONE).astimezone(UTC)
            for number, area in enumerate(areas):
                shift = {
                    "partnership_id": partnership,
                    "night_id": shown,
                    "area_id": area,
                    "starts_at": starts_at,
                    "ends_at": starts_at + timedelta(hours=HOURS),
                    "minimum": MINIMUM,
                    "wanted": wanted,
                    "booked": booked[night * AREAS + number],
                    "held": 0,
                    "state": ShiftState.PUBLISHED,
                    "meeting_place": "",
                    "note": "",
                    "revision": 0,
                }
                self.shifts.append(unit.execute(insert(Shift).returning(Shift.id), shift).scalar_one())
        made = {"partnership_id": partnership, "state": BookingState.BOOKED, "made_at": now}
        made |= {"auto_take": False, "place_held": False}
        rows = [
            made
            | {
                "person_id": self.people[place.person],
                "shift_id": self.shifts[place.shift],
                "once": token_urlsafe(9),
            }
            for place in taken
        ]
        unit.execute(insert(Booking), rows)
        return [start_session(unit, partnership, person, "bench", now) for person in self.people]

    def page_request(self, path: str, person: int) -> bytes:
        return request(path, cookies=self.cookies[person], accept_encoding="gzip")

    def list_request(self, person: int) -> bytes:
        return request(LIST, cookies=self.cookies[person])

    def shown(self, answer: Answer) -> int:
        """Shifts that the answered list shows."""
        return len({line.partition('"')[0] for line in answer.text.split('href="/shifts/')[1:]})

    def booking_request(self, place: Place) -> bytes:
        form = f"csrf_token={self.tokens[place.person]}&once={token_urlsafe(9)}"
        return request(f"/shifts/{self.shifts[place.shift]}/bookings", form=form, cookies=self.cookies[place.person])

    def get(self, path: str, *, person: int) -> TestResponse:
        """A page from the application in this process."""
        return self.app.test_client(use_cookies=False).get(path, headers={"Cookie": self.cookies[person]})

    def book(self, place: Place) -> TestResponse:
        """A booking by the application in this process."""
        return self.app.test_client(use_cookies=False).post(
            f"/shifts/{self.shifts[place.shift]}/bookings",
            data={"csrf_token": self.tokens[place.person], "once": token_urlsafe(9)},
            headers={"Cookie": self.cookies[place.person]},
        )

    def says_booked(self, answer: Answer, place: Place, address: Address) -> bool:
        """Whether the answer leads to the page of a booking, and that page says that the place is theirs."""
        if answer.status != 303:
            return False
        page = fetch(address, request(answer.header("location"), cookies=self.cookies[place.person]))
        return page.status == 200

    def booked(self) -> int:
        with self.database.reading() as unit:
            return unit.execute(
                select(func.count()).select_from(Booking).where(Booking.state == BookingState.BOOKED)
            ).scalar_one()

    def leave_one_place(self, shift: int) -> None:
        one_more = update(Shift).where(Shift.id == self.shifts[shift]).values(wanted=Shift.booked + 1)
        self.database.write(lambda unit: unit.execute(one_more))

    def walkers(self, shift: int) -> set[int]:
        with self.database.reading() as unit:
            found = unit.execute(
                select(Booking.person_id).where(
                    Booking.shift_id == self.shifts[shift], Booking.state == BookingState.BOOKED
                )
            ).scalars()
            return {self.people.index(person) for person in found}

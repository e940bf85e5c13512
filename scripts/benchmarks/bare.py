"""The reference: the least Flask and SQLAlchemy Core that books a place and lists 60 shifts.

No sign-in, rules, audit, messages or layout. What the product costs is measured against this, on the same
granian, with the same driver, the same isolation and the same durability.
"""

import os
from datetime import UTC, datetime

from flask import Flask, redirect, render_template, request
from jinja2 import DictLoader
from sqlalchemy import Connection, Engine, create_engine, event, text

SCHEMA = """
CREATE TABLE areas (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE shifts (id INTEGER PRIMARY KEY, area_id INTEGER NOT NULL REFERENCES areas (id),
  starts_at TIMESTAMP NOT NULL, wanted INTEGER NOT NULL, revision INTEGER NOT NULL);
CREATE INDEX shifts_starts_at ON shifts (starts_at);
CREATE TABLE bookings (shift_id INTEGER NOT NULL REFERENCES shifts (id),
  person_id INTEGER NOT NULL REFERENCES people (id), made_at TIMESTAMP NOT NULL,
  PRIMARY KEY (shift_id, person_id))
"""
LOCK = text("UPDATE shifts SET revision = revision + 1 WHERE id = :shift")
ROOM = text("SELECT wanted - (SELECT count(*) FROM bookings WHERE shift_id = :shift) FROM shifts WHERE id = :shift")
BOOK = text("INSERT INTO bookings (shift_id, person_id, made_at) VALUES (:shift, :person, :now)")
LIST = text(
    "SELECT s.id, s.starts_at, s.wanted, a.name AS area,"
    " (SELECT count(*) FROM bookings b WHERE b.shift_id = s.id) AS booked"
    " FROM shifts s JOIN areas a ON a.id = s.area_id ORDER BY s.starts_at, s.id LIMIT :number"
)
PAGE = """<!doctype html><html lang="sv"><title>Shifts</title><h1>Shifts</h1><table>
{% for shift in shifts %}<tr><td><a href="/shifts/{{ shift.id }}">{{ shift.starts_at }}</a></td>
<td>{{ shift.area }}</td><td>{{ shift.booked }} of {{ shift.wanted }}</td>
<td>{% if shift.booked < shift.wanted %}<form method="post" action="/book/{{ shift.id }}">
<button>Book</button></form>{% else %}full{% endif %}</td></tr>
{% endfor %}</table></html>"""


def connect(url: str) -> Engine:
    """An engine as a careful application would have it: on SQLite WAL, FULL, and one writer at a time."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def configure(connection, _record) -> None:  # noqa: ANN001
            connection.isolation_level = None
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            writing = connection.get_execution_options().get("writing")
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def create_app() -> Flask:
    app = Flask(__name__)
    app.jinja_loader = DictLoader({"list.html": PAGE})
    engine = connect(os.environ["BARE_DATABASE_URL"])
    writer = engine.execution_options(writing=True)

    @app.get("/hello")
    def hello() -> str:
        return "Hello"

    @app.get("/list")
    def shifts() -> str:
        with engine.connect() as connection:
            rows = connection.execute(LIST, {"number": int(request.args["n"])}).all()
        return render_template("list.html", shifts=rows)

    @app.post("/book/<int:shift>")
    def book(shift: int):  # noqa: ANN202
        with writer.begin() as connection:
            connection.execute(LOCK, {"shift": shift})
            if connection.scalar(ROOM, {"shift": shift}) < 1:
                return "Full", 409
            connection.execute(BOOK, facts(shift))
        return redirect(f"/shifts/{shift}", code=303)

    @app.post("/book-without-hold/<int:shift>")
    def book_without_hold(shift: int):  # noqa: ANN202
        """The control: counts first and inserts afterwards, which sells one seat more than once."""
        with engine.connect() as connection:
            room = connection.scalar(ROOM, {"shift": shift})
        if room < 1:
            return "Full", 409
        with writer.begin() as connection:
            connection.execute(BOOK, facts(shift))
        return redirect(f"/shifts/{shift}", code=303)

    return app


def facts(shift: int) -> dict:
    return {
        "shift": shift,
        "person": int(request.form["person"]),
        "now": datetime.now(UTC).replace(tzinfo=None),
    }

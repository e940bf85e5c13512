"""Lykta: the volunteer shift scheduler that a town's night walks can rely on.

This module is the assembly, and the only one that knows every room. The order of the rooms, lowest first:
kit < partnership < messages < people < nights < bookings < finding < calendars < gaps < leading < registers <
answers < sendings < walks < money < reports < clubs < steering < personal < doubles < demo.
A room looks down, never up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.kit.clock import Clock
    from scheduler.kit.database import Database
    from scheduler.kit.settings import Settings
    from scheduler.kit.web import Application


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, database: Database | None = None
) -> Application:
    """Return the application: a plain WSGI callable. Settings come from the environment unless given."""
    from scheduler import commands
    from scheduler.calendars.front import Front
    from scheduler.finding import pages as finding
    from scheduler.gaps import words as gaps
    from scheduler.kit.clock import FrozenClock, SystemClock
    from scheduler.kit.database import Database
    from scheduler.kit.frame import admit_machines, build, check_permissions
    from scheduler.kit.kept import KeptAnswers
    from scheduler.kit.phone import as_swedes_write
    from scheduler.kit.settings import from_environment
    from scheduler.kit.web import Doors
    from scheduler.money import pages as money
    from scheduler.nights import words
    from scheduler.people import doors, queries
    from scheduler.people.permissions import PERMISSIONS, roles_may
    from scheduler.reports import pages as reports
    from scheduler.steering import pages as steering
    from scheduler.walks import pages as walks

    chosen = settings or from_environment()
    app = build(
        chosen,
        database or Database(chosen.database_url),
        clock or (FrozenClock(chosen.demo_now) if chosen.demo_now else SystemClock()),
        Doors(queries.visitor, doors.enter, doors.language_of, doors.zone_of),
    )
    _register_pages(app)
    app.instead_of_home = walks.instead_of_home
    if chosen.demo:
        from scheduler.demo import pages as demo

        app.register_blueprint(demo.pages)
    shown = finding.SHOW | gaps.SHOW | walks.SHOW | money.SHOW | reports.SHOW | steering.SHOW
    app.jinja_env.globals.update(shown | {"roles_may": roles_may})
    app.jinja_env.filters.update(
        special=words.special_name,
        left_out=words.left_out_reason,
        relative_day=finding.relative_day,
        phone=as_swedes_write,
    )
    commands.register(app)
    admit_machines(app)
    check_permissions(app, PERMISSIONS.keys())
    app.wsgi_app = KeptAnswers(app, app.wsgi_app, frozenset({"/tonight", "/accounts"}))  # type: ignore[method-assign]
    app.wsgi_app = Front(app, app.wsgi_app)  # type: ignore[method-assign]
    return app


def _register_pages(app: Application) -> None:
    from scheduler.answers import pages as answers
    from scheduler.bookings import pages as bookings
    from scheduler.calendars import pages as calendars
    from scheduler.clubs import pages as clubs
    from scheduler.doubles import pages as doubles
    from scheduler.finding import pages as finding
    from scheduler.gaps import pages as gaps
    from scheduler.leading import local_pages, people_pages, person_pages, shift_pages
    from scheduler.leading import pages as leading
    from scheduler.messages import pages as messages
    from scheduler.money import pages as money
    from scheduler.people import number_pages, pages, text_pages, welcome_pages
    from scheduler.personal import pages as personal
    from scheduler.registers import pages as registers
    from scheduler.reports import pages as reports
    from scheduler.sendings import pages as sendings
    from scheduler.steering import pages as steering
    from scheduler.walks import pages as walks

    first = (
        messages,
        pages,
        text_pages,
        number_pages,
        welcome_pages,
        bookings,
        finding,
        calendars,
        gaps,
        leading,
        local_pages,
    )
    second = (shift_pages, people_pages, person_pages, registers, answers, sendings, walks, money, reports, clubs)
    for room in (*first, *second, steering, personal, doubles):
        app.register_blueprint(room.pages)

"""Setting the evening of a walk."""

from datetime import timedelta

from sqlalchemy import update

from scheduler.bookings.actions import book
from scheduler.nights.tables import Shift
from tests.browser.site import Site


def tonight(site: Site) -> int:
    """Book the volunteer on a shift of tonight on which others walk; return it."""
    volunteer = site.person("volunteer")
    shift = next(one.id for one in site.coming(1) if 0 < one.booked < one.wanted)
    site.act(volunteer, book, shift, volunteer, "furnished")
    return int(shift)


def begin(site: Site, shift: int) -> None:
    """Let the shift have begun an hour ago."""

    def earlier(connection, acting):  # type: ignore[no-untyped-def]
        connection.execute(update(Shift).where(Shift.id == shift).values(starts_at=acting.now - timedelta(hours=1)))

    site.act(site.person("volunteer"), earlier)

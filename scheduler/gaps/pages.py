from datetime import timedelta

from flask import Blueprint, g, render_template

from scheduler.bookings.cards import Looking, cards
from scheduler.finding.queries import five_weeks
from scheduler.gaps import queries
from scheduler.kit.language import gettext, ngettext
from scheduler.kit.web import connection, needs, now, today
from scheduler.nights.rules import NightFlag
from scheduler.nights.words import relative_day, special_name
from scheduler.people.queries import log

pages = Blueprint("gaps", __name__)

BOARD_WEEKS = 60


@pages.get("/lead")
@needs("see gaps")
def gaps() -> str:
    looking = Looking(g.visitor.partnership.id, g.visitor.person.id, volunteer=False, now=now())
    monday = today() - timedelta(days=today().weekday())
    listed = cards(connection(), looking, monday, today() + timedelta(weeks=BOARD_WEEKS))
    coming = queries.board((card for card in listed if card.ends_at > now()), today())
    return render_template(
        "gaps/gaps.html",
        needing=[(night, reasons(night)) for night in queries.ranked(coming)],
        strip=five_weeks(listed, today()),
        coming=coming,
        ready_count=sum(not night.in_danger for night in coming),
        total_count=len(coming),
    )


def reasons(night: queries.BoardNight) -> list[str]:
    """Return why a night is in danger, in words, the weightiest first."""
    told = []
    if night.flag is NightFlag.TWO_AREAS_NEED_COVERAGE:
        told.append(gettext("Two areas need coverage"))
    told.extend(
        (
            relative_day(night.date, today()),
            ngettext("one missing to the minimum", "%(num)s missing to the minimum", night.missing_to_minimum),
        )
    )
    if night.special is not None:
        told.append(special_name(night.special))
    return told


@pages.get("/lead/shifts/<int:shift_id>")
@needs("see people of a shift")
def shift(shift_id: int) -> str:
    partnership_id = g.visitor.partnership.id
    return render_template(
        "gaps/shift.html",
        shift=queries.lead_shift(connection(), partnership_id, shift_id, now()),
        log=log(connection(), partnership_id, shift_id=shift_id),
    )

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from flask import Blueprint, g, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.cards import Card, Looking, Step, cards, next_best, night_cards
from scheduler.bookings.pages import looking
from scheduler.bookings.queries import next_walk, queue_number
from scheduler.finding import queries
from scheduler.finding.rules import needed_most
from scheduler.kit import language
from scheduler.kit.refusals import NotFound
from scheduler.kit.templating import FORM_FIELDS, drawing, form_fields, path_for, with_form_fields
from scheduler.kit.web import application, connection, needs, now, today
from scheduler.nights import words
from scheduler.partnership.queries import areas

pages = Blueprint("finding", __name__)

WEEKS_SHOWN = 6
HOME_WEEKS = 4
MOST_WEEKS = 60
# A walk that goes past midnight is still tonight's until it ends.
LONGEST_SHIFT = timedelta(hours=12)


def show_cards(listed: Iterable[Card], level: int = 2, by_area: bool = False) -> Markup:
    """Return cards with this request's hidden fields in their forms."""
    of_card = drawing("finding/card.html", "card")
    return with_form_fields([of_card(card, FORM_FIELDS, level, by_area) for card in listed])


def show_card(card: Card, level: int = 2, by_area: bool = False) -> Markup:
    """Return one card, like `show_cards`."""
    return show_cards([card], level, by_area)


@pages.get("/")
@needs("read public pages")
def home() -> str | AnyResponse:
    if g.visitor.person is None:
        return render_template("finding/welcome.html")
    me = looking()
    found = cards(connection(), me, _first_night(), today() + timedelta(weeks=HOME_WEEKS))
    if any(card.step is Step.MINE and _is_near(card) for card in found):
        instead = application().instead_of_home()
        if instead is not None:
            return redirect(instead, code=303)
    listed = [card for card in found if card.ends_at > me.now]
    habits = queries.habits(connection(), me.person_id)
    return render_template(
        "finding/home.html",
        next_walk=next_walk(connection(), me.person_id, now()),
        cards=needed_most(listed, today(), lambda card: habits[card.area, -1] + habits["", card.date.weekday()]),
        week=today().isocalendar().week,
    )


def _is_near(card: Card) -> bool:
    """Return whether the walk is on, or so near that it may take the place of Home."""
    return card.starts_at - LONGEST_SHIFT <= now() < card.ends_at + LONGEST_SHIFT


def _first_night() -> date:
    """Return the first night that can still go on: yesterday's after midnight."""
    return (now() - LONGEST_SHIFT).astimezone(language.zone()).date()


def _coming(me: Looking, first: date, last: date) -> list[Card]:
    return [card for card in cards(connection(), me, first, last) if card.ends_at > me.now]


@pages.get("/nights")
@needs("see nights")
def nights() -> str:
    me = looking()
    area = request.args.get("area", type=int)
    if request.args.get("view") == "month":
        return _month(me, area)
    shown_weeks = min(max(request.args.get("weeks", WEEKS_SHOWN, type=int), 1), MOST_WEEKS)
    last = today() + timedelta(weeks=shown_weeks)
    listed = _coming(me, _first_night(), last)
    choices = areas(connection(), me.partnership_id)
    name = dict(choices).get(area) if area is not None else None
    last_published = queries.last_published(connection(), me.partnership_id)
    several = "several" in request.args and me.volunteer
    more = last_published is not None and last_published > last and shown_weeks < MOST_WEEKS
    return render_template(
        "finding/nights.html",
        weeks=queries.weeks(card for card in listed if name is None or card.area == name),
        several=several,
        areas=choices,
        area=area if name is not None else None,
        next_url=path_for(
            "finding.nights",
            weeks=shown_weeks + WEEKS_SHOWN,
            area=area,
            several=1 if several else None,
        )
        if more
        else None,
        last_published=last_published if last_published is not None and last_published >= today() else None,
        planned=not more and queries.more_is_planned(connection(), me.partnership_id, today()),
    )


def _month(me: Looking, area: int | None) -> str:
    choices = areas(connection(), me.partnership_id)
    name = dict(choices).get(area) if area is not None else None
    monday = today() - timedelta(days=today().weekday())
    shown = night_cards(me, monday, monday + timedelta(days=queries.DAYS_IN_MONTH_VIEW - 1))
    listed = shown.ask(connection())
    return render_template(
        "finding/month.html",
        weeks=queries.five_weeks(tuple(listed), today(), name),
        areas=choices,
        area=area if name is not None else None,
    )


@pages.get("/nights/<night>")
@needs("see nights")
def night(night: str) -> str:
    me = looking()
    day = _as_date(night)
    found = queries.night_exists(connection(), me.partnership_id, day)
    listed = cards(connection(), me, day, day) if found is not None else []
    if found is None or (not listed and found.left_out is None):
        raise NotFound
    return render_template(
        "finding/night.html",
        date=day,
        special=found.special,
        left_out=found.left_out,
        flag=listed[0].flag if listed else "none",
        cards=listed,
    )


def _as_date(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a night is a date, it has no zone
    except ValueError:
        raise NotFound from None


@pages.get("/shifts/<int:shift_id>")
@needs("see nights")
def shift(shift_id: int) -> str:
    me = looking()
    night = queries.night_of(connection(), me.partnership_id, shift_id)
    around = cards(connection(), me, night, night + timedelta(days=14))
    card = next(card for card in around if card.shift_id == shift_id)
    return render_template(
        "finding/shift.html",
        card=card,
        shift=queries.shift_detail(connection(), me, card),
        queue_number=queue_number(connection(), shift_id, me.person_id),
        others=next_best(shift_id, night, around),
    )


def relative_day(night: date) -> str:
    """Return the day of a night seen from today: "i kväll", "om 3 dagar"."""
    return words.relative_day(night, today())


SHOW: dict[str, Callable[..., object]] = {"show_card": show_card, "show_cards": show_cards, "form_fields": form_fields}

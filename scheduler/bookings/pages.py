from datetime import date, timedelta

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings import actions, candidates, queries, waiting_list
from scheduler.bookings.cards import Card, Looking, cards, next_best
from scheduler.bookings.rules import PHONES_SHOWN, BookingRefusal, Full, Overlapping, TooLateToCancel
from scheduler.kit.faults import refused
from scheduler.kit.language import gettext, zone
from scheduler.kit.refusals import NotFound, Refusal
from scheduler.kit.templating import once_key, path_for
from scheduler.kit.web import connection, kept_without_signal, needs, now, public_url, row_id, today
from scheduler.people.rules import Acting

pages = Blueprint("bookings", __name__)

NEAR = timedelta(days=14)
# How long "my shifts" may be read without signal.
MINE_KEPT = timedelta(days=7)
LONGEST_KEY_CHARACTERS = 64
REASONS = frozenset({"full", "clash", "closed", "not_allowed"})


def acting() -> Acting:
    """Return who acts in this request, at this instant, for this partnership."""
    return Acting(
        partnership_id=g.visitor.partnership.id,
        person_id=g.visitor.person.id,
        now=now(),
        zone=zone(),
        site=public_url(),
    )


def once() -> str:
    """Return the form's key; a form without one counts as new each time."""
    key = request.form.get("once", "")
    return key if 0 < len(key) <= LONGEST_KEY_CHARACTERS else once_key()


def _to_booking(booking_id: int) -> AnyResponse:
    return redirect(path_for("bookings.booking", booking_id=booking_id), code=303)


@pages.post("/shifts/<int:shift_id>/bookings")
@needs("book")
def book(shift_id: int) -> AnyResponse:
    who = acting()
    if request.form.get("waiting"):
        auto_take = bool(request.form.get("auto_take"))
        return _to_booking(
            waiting_list.join(connection(), who, shift_id, g.visitor.person.id, once(), auto_take=auto_take)
        )
    return _to_booking(actions.book(connection(), who, shift_id, g.visitor.person.id, once()))


@pages.post("/bookings")
@needs("book")
def book_several() -> AnyResponse:
    chosen = [row_id(one) for one in request.form.getlist("shift")]
    booked, not_booked = actions.book_several(connection(), acting(), chosen, g.visitor.person.id, once())
    told = [f"{shift_id}-{_reason(refusal)}" for shift_id, refusal in not_booked if not isinstance(refusal, NotFound)]
    return redirect(url_for("bookings.several", booking=booked, refused=told), code=303)


def _reason(refusal: Refusal) -> str:
    if isinstance(refusal, Full):
        return "full"
    if isinstance(refusal, Overlapping):
        return "clash"
    return "closed" if type(refusal).__name__ in {"Begun", "CalledOff", "NotPublished"} else "not_allowed"


@pages.get("/bookings")
@needs("see my bookings")
def several() -> str:
    """The result of booking several nights; everything on it is read again, so it is true after a reload."""
    ids = set(request.args.getlist("booking", type=int)[: actions.MOST_AT_ONCE])
    mine = queries.active_bookings(connection(), g.visitor.person.id, now())
    reasons = {}
    for told in request.args.getlist("refused")[: actions.MOST_AT_ONCE]:
        shift_id, _, reason = told.partition("-")
        if reason in REASONS:
            reasons[row_id(shift_id)] = reason
    return render_template(
        "bookings/several.html",
        booked=[page for page in mine if page.id in ids],
        refused=[
            (row.date, row.area, reasons[row.id])
            for row in queries.named_shifts(connection(), g.visitor.partnership.id, reasons)
        ],
    )


def looking() -> Looking:
    """Return who looks, for cards; the visitor is signed in."""
    return Looking(
        partnership_id=g.visitor.partnership.id,
        person_id=g.visitor.person.id,
        volunteer="volunteer" in g.visitor.roles,
        now=now(),
    )


def _nights_near(shift_id: int, night: date) -> list[Card]:
    around = cards(connection(), looking(), max(today(), night - NEAR), night + NEAR)
    return next_best(shift_id, night, around)


@pages.get("/bookings/<int:booking_id>")
@needs("see my bookings")
def booking(booking_id: int) -> str:
    visitor = g.visitor
    page = queries.booking_page(connection(), visitor.partnership.id, visitor.person.id, booking_id, now())
    suggestions = []
    if page.state in {"booked", "cancelled", "waiting"} and not page.begun:
        suggestions = _nights_near(page.shift_id, page.date)
    return render_template("bookings/booking.html", booking=page, suggestions=suggestions)


@pages.post("/bookings/<int:booking_id>/cancel")
@needs("book")
def cancel(booking_id: int) -> AnyResponse:
    actions.cancel(connection(), acting(), booking_id)
    return _to_booking(booking_id)


@pages.post("/bookings/<int:booking_id>/cannot-come")
@needs("book")
def cannot_come(booking_id: int) -> AnyResponse:
    actions.cancel(connection(), acting(), booking_id, cannot_come=True)
    return _to_booking(booking_id)


@pages.get("/bookings/<int:booking_id>/leave")
@needs("see my bookings")
def leave(booking_id: int) -> str | AnyResponse:
    visitor = g.visitor
    page = queries.booking_page(connection(), visitor.partnership.id, visitor.person.id, booking_id, now())
    if page.state not in {"booked", "handing_over"} or page.begun:
        return _to_booking(booking_id)
    return render_template("bookings/leave.html", booking=page)


@pages.get("/bookings/<int:booking_id>/hand-over")
@needs("see my bookings")
def pick(booking_id: int) -> str | AnyResponse:
    visitor = g.visitor
    page = queries.booking_page(connection(), visitor.partnership.id, visitor.person.id, booking_id, now())
    if page.state not in {"booked", "handing_over"} or page.begun:
        return _to_booking(booking_id)
    people = candidates.people_to_pick(connection(), page.shift_id, visitor.person.id, now())
    return render_template(
        "bookings/pick.html",
        booking=page,
        people=[(person.id, person.first_name, person.club) for person in people],
    )


@pages.post("/bookings/<int:booking_id>/hand-over")
@needs("book")
def hand_over(booking_id: int) -> AnyResponse:
    to = request.form.get("to", "")
    actions.hand_over(connection(), acting(), booking_id, row_id(to) if to else None)
    return _to_booking(booking_id)


@pages.post("/bookings/<int:booking_id>/keep")
@needs("book")
def keep(booking_id: int) -> AnyResponse:
    actions.keep(connection(), acting(), booking_id)
    return _to_booking(booking_id)


@pages.post("/bookings/<int:booking_id>/take-over")
@needs("book")
def take_over(booking_id: int) -> AnyResponse:
    return _to_booking(actions.take_over(connection(), acting(), booking_id, once()))


@pages.post("/bookings/<int:booking_id>/refuse-take-over")
@needs("book")
def refuse_take_over(booking_id: int) -> AnyResponse:
    actions.refuse_take_over(connection(), acting(), booking_id)
    return redirect(url_for("bookings.mine"), code=303)


@pages.post("/bookings/<int:booking_id>/accept")
@needs("book")
def accept(booking_id: int) -> AnyResponse:
    waiting_list.accept(connection(), acting(), booking_id)
    return _to_booking(booking_id)


@pages.post("/bookings/<int:booking_id>/decline")
@needs("book")
def decline(booking_id: int) -> AnyResponse:
    waiting_list.decline(connection(), acting(), booking_id)
    return _to_booking(booking_id)


@pages.post("/bookings/<int:booking_id>/auto-take")
@needs("book")
def auto_take(booking_id: int) -> AnyResponse:
    waiting_list.change_auto_take(connection(), acting(), booking_id, auto_take=bool(request.form.get("auto_take")))
    return _to_booking(booking_id)


@pages.get("/mine")
@needs("see my bookings")
def mine() -> Response:
    person_id = g.visitor.person.id
    active = queries.active_bookings(connection(), person_id, now())
    new_year = today().replace(month=1, day=1)
    coming = [page for page in active if page.state in {"booked", "handing_over"}]
    page = render_template(
        "bookings/mine.html",
        coming=coming,
        waiting=[page for page in active if page.state in {"waiting", "offered"}],
        offers=queries.offers_to_me(connection(), person_id, now()),
        done_count=queries.walks_done(connection(), person_id, new_year),
        past=queries.past_bookings(connection(), person_id, now()),
    )
    # The evening's own page is kept from the day before, also by those who have not opened it.
    tonight = next((one.shift_id for one in coming if one.starts_at - PHONES_SHOWN <= now()), None)
    also = path_for("walks.walk", shift_id=tonight) if tonight is not None else ""
    return kept_without_signal(make_response(page), MINE_KEPT, also)


@pages.errorhandler(BookingRefusal)
def refused_booking(refusal: BookingRefusal) -> AnyResponse:
    """Say what happened, and offer the next best step: the queue, the same night elsewhere, a night near it."""
    shift_id = (request.view_args or {}).get("shift_id")
    found = queries.shift_night(connection(), g.visitor.partnership.id, shift_id) if shift_id else None
    steps = _nights_near(shift_id, found.date) if shift_id and found is not None else []
    full = isinstance(refusal, Full)
    link = None
    if isinstance(refusal, Overlapping):
        link = (url_for("bookings.booking", booking_id=refusal.other.booking_id), gettext("Show my shift"))
    elif isinstance(refusal, TooLateToCancel):
        link = (url_for("bookings.leave", booking_id=refusal.booking_id), gettext("See the two ways"))
    return refused(
        refusal,
        next_steps=steps,
        queue_shift_id=shift_id if full else None,
        waiting=found.waiting if full and found is not None else 0,
        link=link,
    )

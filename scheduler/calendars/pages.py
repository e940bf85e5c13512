from urllib.parse import quote, urlencode

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.bookings.queries import active_bookings
from scheduler.calendars import actions, facts, queries, text, wording
from scheduler.calendars.rules import ALARM_MINUTES, CalendarKind, alarm_minutes, ways
from scheduler.calendars.wording import Voice
from scheduler.kit.language import zone
from scheduler.kit.refusals import NotAllowed, NotFound
from scheduler.kit.web import application, close_reading, connection, needs, now, public_url
from scheduler.partnership.queries import areas

pages = Blueprint("calendars", __name__)

WALKS_OFFERED_AS_FILE = 3
CALENDAR = "/me/calendar/<any(nights, area, club, needs):kind>/<int:subject_id>"


@pages.get("/me/calendar")
@needs("manage myself")
def mine() -> str:
    return _page(CalendarKind.MINE, g.visitor.person.id)


@pages.get(CALENDAR)
@needs("see nights")
def shared(kind: str, subject_id: int) -> str:
    return _page(CalendarKind(kind), subject_id)


def _may_see(kind: CalendarKind, subject_id: int) -> None:
    """Raise NotAllowed for a calendar that is not this visitor's to read, NotFound for one that does not exist."""
    if kind in {CalendarKind.NIGHTS, CalendarKind.NEEDS} and subject_id != 0:
        raise NotFound
    queries.subject_name(connection(), g.visitor.partnership.id, kind, subject_id)
    if kind is CalendarKind.NEEDS and not g.visitor.may("see gaps"):
        raise NotAllowed
    if kind is CalendarKind.CLUB and not g.visitor.may("see gaps"):
        own = {club_id for club_id, _ in queries.clubs_of(connection(), g.visitor.person.id)}
        if subject_id not in own:
            raise NotAllowed


def _page(kind: CalendarKind, subject_id: int) -> str:
    _may_see(kind, subject_id)
    person_id, key = g.visitor.person.id, application().settings.secret_key
    feed = queries.feed(connection(), person_id, kind, subject_id, key)
    if feed is None:
        # The one tap on this page is the address itself, so it is made when the page is first looked at.
        who, language = acting(), g.language
        close_reading()
        application().database.write(lambda unit: actions.open_feed(unit, who, kind, subject_id, language, key))
        feed = queries.feed(connection(), person_id, kind, subject_id, key)
    assert feed is not None, "it was there or has just been made"
    partnership_id = g.visitor.partnership.id
    walks = []
    if kind is CalendarKind.MINE:
        coming = active_bookings(connection(), person_id, now())
        walks = [walk for walk in coming if walk.state in {"booked", "handing_over"} and not walk.called_off]
    return render_template(
        "calendars/calendar.html",
        kind=kind.value,
        subject_id=subject_id,
        subject=queries.subject_name(connection(), partnership_id, kind, subject_id),
        feed=feed,
        links=_links(feed.token, kind, subject_id) if feed.token is not None else None,
        ways=[way.value for way in ways(request.user_agent.string)],
        walks=walks[:WALKS_OFFERED_AS_FILE],
        alarms=ALARM_MINUTES,
        areas=areas(connection(), partnership_id),
        clubs=queries.clubs_of(connection(), person_id),
        saved=request.args.get("saved", ""),
    )


def _links(token: str, kind: CalendarKind, subject_id: int) -> dict[str, str | Markup]:
    """Return the address of a feed in every form in which a program takes it."""
    import segno

    address = f"{public_url()}/calendar/{token}.ics"
    webcal = f"webcal://{address.partition('://')[2]}"
    subject = queries.subject_name(connection(), g.visitor.partnership.id, kind, subject_id)
    name = wording.calendar_name(_voice(kind, subject))

    def drawn(text: str) -> Markup:
        code = segno.make(text, error="m")
        svg = code.svg_inline(scale=1, border=2, omitsize=True, svgclass=None, lineclass=None)
        return Markup(svg)  # noqa: S704 - drawn by segno from our own address

    return {
        "address": address,
        "webcal": webcal,
        "google": f"https://calendar.google.com/calendar/r?cid={quote(webcal, safe='')}",
        "outlook": "https://outlook.live.com/calendar/0/addfromweb?" + urlencode({"url": address, "name": name}),
        "office": "https://outlook.office.com/calendar/0/addfromweb?" + urlencode({"url": address, "name": name}),
        "qr_svg": drawn(address),
        "phone_qr_svg": drawn(webcal),
    }


def _voice(kind: CalendarKind, subject: str = "") -> Voice:
    """Return how a calendar speaks to this visitor."""
    partnership = g.visitor.partnership
    site, host = facts.site_of(application().settings.public_url, partnership.host_name)
    return Voice(kind, g.language, zone(), site, host, partnership.name, subject)


@pages.post("/me/calendar/address")
@needs("manage myself")
def change_own_address() -> AnyResponse:
    _change_address(CalendarKind.MINE, g.visitor.person.id)
    return redirect(url_for("calendars.mine", saved="address"), code=303)


@pages.post(CALENDAR + "/address")
@needs("see nights")
def change_shared_address(kind: str, subject_id: int) -> AnyResponse:
    _may_see(CalendarKind(kind), subject_id)
    _change_address(CalendarKind(kind), subject_id)
    return redirect(url_for("calendars.shared", kind=kind, subject_id=subject_id, saved="address"), code=303)


def _change_address(kind: CalendarKind, subject_id: int) -> None:
    key = application().settings.secret_key
    actions.change_address(connection(), acting(), kind, subject_id, g.language, key)


@pages.post("/me/calendar/alarm")
@needs("manage myself")
def choose_alarm() -> AnyResponse:
    actions.choose_alarm(connection(), acting(), alarm_minutes(request.form.get("alarm", "")))
    return redirect(url_for("calendars.mine", saved="alarm"), code=303)


@pages.get("/bookings/<int:booking_id>/calendar.ics")
@needs("see my bookings")
def one_walk(booking_id: int) -> AnyResponse:
    """A file of one walk, for a program that cannot subscribe. Its sequence rises with the shift's revision, so that
    a newer file replaces an older one."""
    person_id, partnership_id = g.visitor.person.id, g.visitor.partnership.id
    walk = facts.own_walk(connection(), partnership_id, person_id, booking_id)
    if walk is None:
        raise NotFound
    voice = _voice(CalendarKind.MINE)
    noted = facts.last_noted(connection(), [walk.shift_id]).get(walk.shift_id, now())
    stamp = text.Stamp(facts.revision(connection(), walk.shift_id), noted)
    content = wording.content(walk, voice)
    answer = make_response(text.whole(wording.calendar_name(voice), [text.block(content, stamp)]))
    answer.content_type = "text/calendar; charset=utf-8"
    local = walk.starts_at.astimezone(zone())
    answer.headers["Content-Disposition"] = f'inline; filename="nattvandring-{local:%Y-%m-%d}.ics"'
    return answer

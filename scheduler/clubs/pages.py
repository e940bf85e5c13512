from datetime import timedelta

from flask import Blueprint, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.editing import current
from scheduler.bookings.pages import acting
from scheduler.clubs import actions, queries
from scheduler.kit.language import gettext
from scheduler.kit.refusals import NotFound
from scheduler.kit.templating import path_for
from scheduler.kit.web import connection, needs, now, row_id, today
from scheduler.leading.typed import Typed
from scheduler.money import payouts as paying
from scheduler.money.pages import agreement, statement_file
from scheduler.money.rules import NoPayout
from scheduler.nights.hosting import TAKEABLE, ClubStanding, give_back, open_for_all, share_out
from scheduler.partnership.rules import has_left
from scheduler.people.pages import own_clubs
from scheduler.people.rules import NotYourClub

pages = Blueprint("clubs", __name__)

INVALID = 422
DAYS_BEFORE, MOST_DAYS = 14, 90
MOST_SHIFTS = 366
MOST_SHOWN = 20
FAR_AHEAD = timedelta(days=2 * 365)


def _standings() -> list[ClubStanding]:
    return queries.standings(connection(), g.visitor.partnership.id, agreement().id)


def _club(club_id: int) -> ClubStanding:
    """Return the club, if the visitor may act for it. Raises NotFound or NotYourClub."""
    found = next((one for one in _standings() if one.id == club_id), None)
    if found is None:
        raise NotFound
    own = own_clubs()
    if own is not None and club_id not in own:
        raise NotYourClub
    return found


@pages.get("/lead/clubs")
@needs("run a club")
def clubs() -> str | AnyResponse:
    own = own_clubs()
    listed = [one for one in _standings() if own is None or one.id in own]
    if own is not None and len(listed) == 1:
        return redirect(path_for("clubs.club", club_id=listed[0].id), code=303)
    return render_template(
        "clubs/clubs.html",
        clubs=listed,
        earned=queries.earned(connection(), agreement().id),
        open_count=len(queries.open_shifts(connection(), g.visitor.partnership.id, agreement().id, now())),
    )


@pages.get("/lead/clubs/<int:club_id>")
@needs("run a club")
def club(club_id: int) -> str:
    return _club_page(_club(club_id))


def _club_page(found: ClubStanding, form: Typed | None = None) -> str:
    partnership_id, term = g.visitor.partnership.id, agreement()
    shifts = queries.club_shifts(connection(), partnership_id, found.id, term.id)
    return render_template(
        "clubs/club.html",
        club=found,
        coming=[one for one in shifts if one.ends_at > now()],
        past=[one for one in reversed(shifts) if one.ends_at <= now()],
        open_shifts=[
            one
            for one in queries.open_shifts(connection(), partnership_id, term.id, now())
            if not has_left(found.ended_on, one.date)
        ][:MOST_SHOWN],
        earned_ore=queries.earned(connection(), term.id).get(found.id, 0),
        unpaid=next(
            (one for one in paying.proposals(connection(), term.id, term.ends_on) if one.club_id == found.id), None
        ),
        payouts=paying.payouts_of_club(connection(), found.id),
        form=form or Typed({"wish": "" if found.wish is None else str(found.wish), "days": str(DAYS_BEFORE)}),
        now=now(),
        left=has_left(found.ended_on, today()),
    )


@pages.get("/lead/clubs/<int:club_id>/statements/<int:payout_id>.pdf")
@needs("run a club")
def statement(club_id: int, payout_id: int) -> Response:
    """The statement of one of the club's own payouts; another club's is none here."""
    _club(club_id)
    found = paying.payout(connection(), g.visitor.partnership.id, payout_id)
    if found.club_id != club_id:
        raise NoPayout
    return statement_file(found)


@pages.post("/lead/clubs/<int:club_id>/wish")
@needs("run a club")
def wish(club_id: int) -> AnyResponse | tuple[str, int]:
    found = _club(club_id)
    form = Typed({"wish": request.form.get("wish", ""), "days": str(DAYS_BEFORE)})
    shifts = form.number("wish", 0, MOST_SHIFTS)
    if shifts is None:
        return _club_page(found, form), INVALID
    actions.wish(connection(), acting(), agreement().id, club_id, shifts)
    return _to(club_id)


def _to(club_id: int) -> AnyResponse:
    return redirect(path_for("clubs.club", club_id=club_id), code=303)


@pages.post("/lead/clubs/<int:club_id>/shifts/<int:shift_id>/take")
@needs("run a club")
def take(club_id: int, shift_id: int) -> AnyResponse | tuple[str, int]:
    found = _club(club_id)
    form = Typed({"wish": "", "days": request.form.get("days", str(DAYS_BEFORE))})
    days = form.number("days", 0, MOST_DAYS)
    if days is None:
        return _club_page(found, form), INVALID
    night = current(connection(), g.visitor.partnership.id, shift_id).date
    actions.take_for_club(connection(), acting(), shift_id, club_id, actions.first_until(night, days, acting()))
    return _to(club_id)


@pages.post("/lead/clubs/<int:club_id>/shifts/<int:shift_id>/<any(back, open):what>")
@needs("run a club")
def settle(club_id: int, shift_id: int, what: str) -> AnyResponse:
    _club(club_id)
    if what == "back":
        give_back(connection(), acting(), shift_id, club_id)
    else:
        mine = queries.club_shifts(connection(), g.visitor.partnership.id, club_id, agreement().id)
        if shift_id not in {one.id for one in mine}:
            raise NotFound
        open_for_all(connection(), shift_id)
    return _to(club_id)


# ---------------------------------------------------------------- a club that leaves


@pages.get("/lead/clubs/<int:club_id>/end")
@needs("let a club leave")
def leaving(club_id: int) -> str:
    return _leaving_page(_club(club_id), Typed({"ended_on": str(today())}))


def _leaving_page(found: ClubStanding, form: Typed) -> str:
    shifts = queries.club_shifts(connection(), g.visitor.partnership.id, found.id, agreement().id)
    return render_template(
        "clubs/end.html",
        club=found,
        coming=[one for one in shifts if one.starts_at > now() and one.state in TAKEABLE],
        alone=queries.members_of_no_other(connection(), found.id),
        form=form,
    )


@pages.post("/lead/clubs/<int:club_id>/end")
@needs("let a club leave")
def end(club_id: int) -> AnyResponse | tuple[str, int]:
    found = _club(club_id)
    form = Typed({"ended_on": request.form.get("ended_on", "")})
    ended_on = form.day("ended_on", today())
    if ended_on is not None and ended_on < today():
        form.wrong("ended_on", gettext("That day has passed. What the club has walked until today is its own."))
    elif ended_on is not None and ended_on - today() > FAR_AHEAD:
        form.wrong("ended_on", gettext("That is more than two years ahead. Check the year."))
    if form.errors or ended_on is None:
        return _leaving_page(found, form), INVALID
    actions.end_club(connection(), acting(), club_id, ended_on)
    return _to(club_id)


@pages.post("/lead/clubs/<int:club_id>/begin")
@needs("let a club leave")
def begin(club_id: int) -> AnyResponse:
    actions.begin_again(connection(), acting(), club_id)
    return _to(club_id)


# ---------------------------------------------------------------- a fair share


def _proposal_form() -> Typed:
    values = request.values
    return Typed({"days": values.get("days", str(DAYS_BEFORE)), "last": values.get("last", "")})


@pages.get("/lead/clubs/proposal")
@needs("share out shifts")
def proposal() -> str | tuple[str, int]:
    form = _proposal_form()
    form.number("days", 0, MOST_DAYS)
    return _proposal_page(form), INVALID if form.errors else 200


def _proposal_page(form: Typed) -> str:
    standing = _standings()
    last = form.day("last", today()) if form.text("last") and not form.errors else None
    shifts = queries.open_shifts(connection(), g.visitor.partnership.id, agreement().id, now(), last)
    turns = [] if form.errors else share_out(shifts, standing)
    return render_template(
        "clubs/proposal.html",
        form=form,
        clubs=standing,
        names={one.id: one.name for one in standing},
        turns=turns,
        left=len(shifts) - len(turns),
        gets={one.id: sum(turn.club_id == one.id for turn in turns) for one in standing},
    )


@pages.post("/lead/clubs/proposal")
@needs("share out shifts")
def share() -> AnyResponse | tuple[str, int]:
    form = _proposal_form()
    days = form.number("days", 0, MOST_DAYS)
    chosen = [_turn(one) for one in request.form.getlist("turn")]
    if days is None or not chosen:
        return _proposal_page(form), INVALID
    actions.apply_turns(connection(), acting(), chosen, days)
    return redirect(path_for("clubs.clubs"), code=303)


def _turn(sent: str) -> tuple[int, int, int | None]:
    """Return shift, club and reserve club as the page showed them. Raises Invalid for anything else."""
    shift_id, club_id, reserve_id = [*sent.split("-"), "", ""][:3]
    return row_id(shift_id), row_id(club_id), row_id(reserve_id) if reserve_id else None

"""One person for coordinators: who she is, her roles, and the reader's own note on her."""

from datetime import timedelta

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.kit.language import gettext, zone
from scheduler.kit.refusals import Invalid
from scheduler.kit.templating import path_for
from scheduler.kit.web import connection, needs, now, row_id, today
from scheduler.leading import sheet as sheets
from scheduler.leading.queries import shifts_of
from scheduler.leading.typed import Typed
from scheduler.partnership.queries import clubs
from scheduler.people import notes, queries, roles, vouching
from scheduler.people.permissions import may_give
from scheduler.people.rules import Role, is_old

pages = Blueprint("person", __name__)

INVALID = 422
LONG_AGO = timedelta(days=5 * 365)


@pages.get("/lead/people/<int:person_id>")
@needs("see a person")
def sheet(person_id: int) -> str:
    return _page(person_id)


def _page(person_id: int, form: Typed | None = None) -> str:
    partnership_id, reader_id = g.visitor.partnership.id, g.visitor.person.id
    found = queries.person_page(connection(), partnership_id, person_id)
    noted = notes.mine(connection(), reader_id, person_id, now())
    told = queries.log(connection(), partnership_id, person_id=person_id)
    typed = {"note": noted.text if noted is not None else "", "seen_on": str(today())}
    return render_template(
        "leading/person.html",
        person=found,
        walks=sheets.walks(connection(), person_id, found.phone, today(), now()),
        choices=_choices(found) if person_id != reader_id else [],
        noted=noted,
        forgotten_on=(noted.written_at + notes.KEPT).astimezone(zone()).date() if noted is not None else None,
        form=form.beside(typed) if form is not None else Typed(typed),
        extract_old=found.extract_seen_on is not None and is_old(found.extract_seen_on, today()),
        longest=notes.LONGEST_CHARACTERS,
        done=request.args.get("done", ""),
        log=told,
        shifts=shifts_of(connection(), partnership_id, told),
    )


def _choices(person: queries.PersonPage) -> list[tuple[str, Role, str]]:
    """Return the roles that the visitor can give this person: what the form sends, the role, and a contact's club."""
    held = {(one.role, one.club_id) for one in person.roles}
    plain = [(role.value, role, "") for role in (Role.COORDINATOR, Role.MUNICIPALITY) if (role, None) not in held]
    of_clubs = [
        (f"{Role.CONTACT.value}-{club.id}", Role.CONTACT, club.name)
        for club in clubs(connection(), g.visitor.partnership.id)
        if (Role.CONTACT, club.id) not in held
    ]
    return [one for one in (*of_clubs, *plain) if may_give(one[1], g.visitor)]


def _sent_role() -> tuple[Role, int | None]:
    """Return role and club as the form sends them: "coordinator" or "contact-3". Raises Invalid."""
    word, _, club = request.form.get("role", "").partition("-")
    if word not in set(Role):
        raise Invalid(problem="request")
    return Role(word), row_id(club) if club else None


def _to(person_id: int, done: str) -> AnyResponse:
    return redirect(path_for("person.sheet", person_id=person_id, done=done), code=303)


@pages.post("/lead/people/<int:person_id>/roles")
@needs("give roles")
def give_role(person_id: int) -> AnyResponse:
    queries.person_page(connection(), g.visitor.partnership.id, person_id)
    role, club_id = _sent_role()
    roles.give(connection(), g.visitor, person_id, role, now(), club_id=club_id)
    return _to(person_id, "given")


@pages.post("/lead/people/<int:person_id>/roles/take")
@needs("give roles")
def take_role(person_id: int) -> AnyResponse:
    queries.person_page(connection(), g.visitor.partnership.id, person_id)
    role, club_id = _sent_role()
    roles.take(connection(), g.visitor, person_id, role, now(), club_id=club_id)
    return _to(person_id, "taken")


@pages.post("/lead/people/<int:person_id>/lead")
@needs("vouch for a person")
def lead(person_id: int) -> AnyResponse:
    queries.person_page(connection(), g.visitor.partnership.id, person_id)
    said = request.form.get("may", "")
    if said not in {"yes", "no"}:
        raise Invalid(problem="request")
    vouching.let_lead(connection(), acting(), person_id, may=said == "yes")
    return _to(person_id, "vouched")


@pages.post("/lead/people/<int:person_id>/extract")
@needs("vouch for a person")
def extract(person_id: int) -> AnyResponse | tuple[str, int]:
    queries.person_page(connection(), g.visitor.partnership.id, person_id)
    seen_on = None
    if request.form.get("what") != "back":
        form = Typed({"seen_on": request.form.get("seen_on", "")})
        seen_on = form.day("seen_on")
        if seen_on is not None and seen_on > today():
            form.wrong("seen_on", gettext("That day has not come yet."))
        elif seen_on is not None and today() - seen_on > LONG_AGO:
            form.wrong("seen_on", gettext("That is over five years ago. Ask for a new extract."))
        if form.errors:
            return _page(person_id, form), INVALID
    vouching.note_extract(connection(), acting(), person_id, seen_on)
    return _to(person_id, "vouched")


@pages.post("/lead/people/<int:person_id>/note")
@needs("note a person")
def note(person_id: int) -> AnyResponse | tuple[str, int]:
    form = Typed({"note": request.form.get("note", "")})
    # A browser ends lines by two characters, and would count what it lets one type as too long.
    form.fields["note"] = form.fields["note"].replace("\r\n", "\n")
    text = form.line("note", notes.LONGEST_CHARACTERS)
    if form.errors:
        return _page(person_id, form), INVALID
    notes.write(connection(), acting(), person_id, text)
    return _to(person_id, "noted")

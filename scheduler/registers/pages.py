from flask import Blueprint, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.kit import audit
from scheduler.kit.audit import Change
from scheduler.kit.language import gettext
from scheduler.kit.refusals import Invalid, TooLarge
from scheduler.kit.templating import path_for
from scheduler.kit.web import accepts, connection, file_too_large, needs, reads_first, today, write
from scheduler.leading import members
from scheduler.leading.people_pages import sought_from
from scheduler.messages.spending import spending
from scheduler.partnership.queries import clubs, clubs_with_us
from scheduler.people.pages import own_clubs
from scheduler.registers import actions, papers, queries
from scheduler.registers.columns import register_of
from scheduler.registers.reading import LARGEST_FILE_BYTES, tables
from scheduler.registers.rules import Field, Problem
from scheduler.registers.words import SHOW, problem_words

pages = Blueprint("registers", __name__)

INVALID = 422
# Room for the form around the file.
LARGEST_BODY_BYTES = LARGEST_FILE_BYTES + 1024 * 1024


def _choices() -> list[tuple[int, str]]:
    own = own_clubs()
    with_us = clubs_with_us(connection(), g.visitor.partnership.id, today())
    return [(one.id, one.name) for one in with_us if own is None or one.id in own]


def _all_clubs() -> dict[int, str]:
    return {one.id: one.name for one in clubs(connection(), g.visitor.partnership.id)}


@pages.get("/lead/people/import")
@needs("import members")
def start() -> str:
    return _start()


def _start(club_id: int | None = None, problems: dict[str, str] | None = None) -> str:
    choices = _choices()
    chosen = club_id or (choices[0][0] if len(choices) == 1 else None)
    return render_template(
        "registers/start.html",
        clubs=choices,
        chosen=chosen,
        problems=problems or {},
        most_bytes=LARGEST_FILE_BYTES,
        too_large=problem_words(Problem.TOO_LARGE),
    )


@pages.post("/lead/people/import")
@needs("import members")
@accepts(LARGEST_BODY_BYTES)
@reads_first
def read() -> AnyResponse | tuple[str, int]:
    club_id = request.form.get("club", type=int)
    problems = {} if club_id in dict(_choices()) else {"club": gettext("Choose the club.")}
    register = None
    try:
        register = register_of(tables(_sent_file()), today())
    except Invalid as refusal:
        problems["file"] = problem_words(refusal.problem)
    if register is None or club_id is None or problems:
        return _start(club_id, problems), TooLarge.status if file_too_large() else INVALID
    who = acting()
    list_id = write(lambda unit: actions.keep(unit, who, club_id, register))
    return redirect(path_for("registers.preview", list_id=list_id), code=303)


def _sent_file() -> bytes:
    if file_too_large():
        raise Invalid("file", Problem.TOO_LARGE)
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid("file", Problem.NONE)
    return file.stream.read(LARGEST_FILE_BYTES + 1)


def _seen(stored: queries.StoredList) -> queries.Preview:
    partnership_id = g.visitor.partnership.id
    where_to = queries.where_to(connection(), partnership_id, own_clubs(), stored.club_id, today())
    return queries.preview(connection(), partnership_id, stored.rows, stored.fields, where_to, today())


@pages.get("/lead/people/import/<int:list_id>")
@needs("import members")
def preview(list_id: int) -> str:
    stored = queries.stored(connection(), acting(), list_id)
    by_id = {club.id: club.name for club in clubs(connection(), g.visitor.partnership.id)}
    club = by_id[stored.club_id]
    if stored.outcome is not None:
        return render_template("registers/done.html", club=club, outcome=stored.outcome)
    seen = _seen(stored)
    month = spending(connection(), g.visitor.partnership.id, acting().now)
    return render_template(
        "registers/preview.html",
        stored=stored,
        seen=seen,
        club=club,
        clubs=by_id,
        fields=list(Field),
        changed="changed" in request.args,
        tells_ore=len(seen.coming) * month.segment_ore,
        **SHOW,
    )


@pages.post("/lead/people/import/<int:list_id>/columns")
@needs("import members")
def columns(list_id: int) -> AnyResponse:
    stored = queries.stored(connection(), acting(), list_id)
    chosen = {}
    for field in Field:
        at = request.form.get(field.value, "")
        if at.isdecimal() and len(at) < 4 and int(at) < len(stored.columns):  # noqa: PLR2004 - no list has a thousand
            chosen[field] = int(at)
    actions.choose_columns(connection(), list_id, chosen)
    return redirect(path_for("registers.preview", list_id=list_id), code=303)


@pages.post("/lead/people/import/<int:list_id>")
@needs("import members")
@reads_first
def bring_in(list_id: int) -> AnyResponse:
    who = acting()
    stored = queries.stored(connection(), who, list_id)
    if stored.outcome is None:
        seen, tell = _seen(stored), request.form.get("tell") == "yes"
        if request.form.get("coming") != str(len(seen.coming)) or not seen.coming:
            # Not what was looked at: the columns were changed elsewhere, or somebody else has brought some in.
            return redirect(path_for("registers.preview", list_id=list_id, changed=1), code=303)
        write(lambda unit: actions.use_up(unit, list_id, who, seen, tell=tell))
    return redirect(path_for("registers.preview", list_id=list_id), code=303)


@pages.post("/lead/people/import/<int:list_id>/drop")
@needs("import members")
def drop(list_id: int) -> AnyResponse:
    queries.stored(connection(), acting(), list_id)
    actions.drop_list(connection(), list_id)
    return redirect(path_for("registers.start"), code=303)


KINDS = {
    "csv": (papers.as_csv, "text/csv; charset=utf-8"),
    "xlsx": (papers.as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


@pages.post("/lead/people/export")
@needs("export members")
@reads_first
def export() -> Response:
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        raise Invalid(problem="request")
    who, sought = acting(), sought_from(request.form, own_clubs(), _all_clubs())
    people = members.members(connection(), who, sought, everybody=True)
    draw, mimetype = KINDS[kind]
    content = draw(people, whole=g.visitor.may("see a person"))
    change = Change("people.exported", after={"people": len(people), "file": kind})
    write(lambda unit: audit.record(unit, who.partnership_id, who.now, who.person_id, change))
    answer = Response(content, mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="folk-{today().isoformat()}.{kind}"'
    return answer

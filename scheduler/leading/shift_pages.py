from datetime import date

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings import changes, editing
from scheduler.bookings.pages import acting, once
from scheduler.bookings.rules import CannotAllCome, ChangedMeanwhile, PlacesTaken
from scheduler.gaps.pages import ask_at_once, ask_for_new
from scheduler.gaps.queries import LeadShift, lead_shift
from scheduler.kit.database import AnyRow
from scheduler.kit.faults import sentence
from scheduler.kit.language import gettext
from scheduler.kit.refusals import Invalid, NotFound, Refusal
from scheduler.kit.templating import path_for
from scheduler.kit.web import connection, needs, now, row_id, today
from scheduler.leading import queries
from scheduler.leading.changing import Asked, ShiftForm, form_of, kind_of_change, label_of, telling
from scheduler.leading.typed import Typed, as_date
from scheduler.messages.rules import MessageKind
from scheduler.nights import budget
from scheduler.nights.actions import Places, add_shift, change_state
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import moments
from scheduler.people.queries import log

pages = Blueprint("shifts", __name__)

INVALID, CONFLICT = 422, 409


def _to(shift_id: int, done: str) -> AnyResponse:
    return redirect(path_for("shifts.change", shift_id=shift_id, done=done), code=303)


def _shift(shift_id: int) -> LeadShift:
    return lead_shift(connection(), g.visitor.partnership.id, shift_id, now())


def _names(shift: LeadShift) -> list[str]:
    return [one.first_name for one in shift.walkers]


def _page(shift_id: int, form: ShiftForm | None = None, **more: object) -> str:
    partnership_id = g.visitor.partnership.id
    shift = _shift(shift_id)
    second = budget.offer(connection(), partnership_id, shift.date, now())
    row = editing.current(connection(), partnership_id, shift_id)
    asked_name = request.args.get("q", "").replace("\x00", "").strip()[:60]
    shown: dict[str, object] = {
        "telling": None,
        "lines": None,
        "problem": "",
        "copying": Typed({"to": ""}),
        "done": request.args.get("done", ""),
    }
    return render_template(
        "leading/shift.html",
        shift=shift,
        row=row,
        form=form or form_of(row, acting()),
        q=asked_name,
        found=queries.members_like(connection(), partnership_id, shift_id, asked_name) if asked_name else [],
        text_ore=telling(connection(), acting(), shift, MessageKind.PUT_ON, [""]).cost_ore if asked_name else 0,
        second=second,
        second_ask=ask_at_once(second),
        open_for_change=row.state in {ShiftState.PLANNED, ShiftState.PUBLISHED} and row.starts_at > now(),
        log=log(connection(), partnership_id, shift_id=shift_id),
        **{**shown, **more},
    )


@pages.get("/lead/shifts/<int:shift_id>/change")
@needs("change a shift")
def change(shift_id: int) -> str:
    return _page(shift_id)


@pages.post("/lead/shifts/<int:shift_id>/change")
@needs("change a shift")
def save(shift_id: int) -> AnyResponse | str | tuple[str, int]:
    shift, form = _shift(shift_id), ShiftForm(request.form)
    row = editing.current(connection(), g.visitor.partnership.id, shift_id)
    asked = form.asked(acting(), shift)
    if asked is None or form.errors:
        return _page(shift_id, form), INVALID
    if asked.edition != row.edition:
        return _told_later(shift_id, form, ChangedMeanwhile(editing.who_changed(connection(), shift_id)))
    moving = _moving(form, asked.night, row)
    if form.errors:
        return _page(shift_id, form), INVALID
    kind, sure = kind_of_change(row, asked), "tell" in request.form
    further = moving is not None and moving.further
    unseen = further and request.form.get("further") != "yes"
    if unseen or (kind is not None and not sure):
        # Nothing is saved yet: the coordinator first sees who would be told what, and what one more area costs.
        names = [] if kind is None else _names(shift)
        shown = telling(connection(), acting(), shift, kind or MessageKind.MOVED, names, asked)
        page = _page(shift_id, form, telling=shown, lines=moving.lines if moving is not None and further else None)
        return (page, CONFLICT) if sure else page
    return _save(shift_id, form, asked, row.night_id, row.area_id, moved=moving is not None)


def _moving(form: ShiftForm, night: date, row: AnyRow) -> budget.OneMore | None:
    """Return what the shift would be on the night that was typed, None where it stays; what speaks against it stands in
    the form. Nobody spends the same lines until this is saved."""
    if night == row.date:
        return None
    partnership_id = g.visitor.partnership.id
    try:
        budget.lock_lines(connection(), partnership_id, night)
        found = budget.one_more(connection(), partnership_id, night, row.area_id, now())
    except (budget.BudgetRefusal, NotFound) as refusal:
        form.wrong("night", _outside(refusal))
        return None
    if found.needs_decision:
        form.wrong("night", _outside(budget.NeedsDecision()))
    return found


def _save(
    shift_id: int, form: ShiftForm, asked: Asked, night_id: int, area_id: int, *, moved: bool
) -> AnyResponse | tuple[str, int]:
    who, tell_people = acting(), request.form.get("tell") == "yes"
    try:
        with connection().begin_nested():  # what is refused leaves nothing behind, and the form comes back
            if moved:
                night_id = budget.night_for(connection(), who, asked.night, area_id, leaving=night_id)
            facts = asked.facts(night_id)
            told = editing.edit(connection(), who, shift_id, facts, asked.edition, tell_people=tell_people)
    except ChangedMeanwhile as refusal:
        return _told_later(shift_id, form, refusal)
    except PlacesTaken as refusal:
        form.check_taken(asked.wanted, refusal.taken)
    except CannotAllCome as refusal:
        form.wrong("starts", str(sentence(refusal)))
    except (budget.BudgetRefusal, NotFound) as refusal:
        form.wrong("night", _outside(refusal))
    if form.errors:
        return _page(shift_id, form), INVALID
    return _to(shift_id, f"told-{told}" if told else "saved")


def _outside(refusal: Refusal) -> str:
    if isinstance(refusal, budget.BudgetRefusal):
        return str(sentence(refusal))
    return gettext("That day is outside every agreement's term.")


def _told_later(shift_id: int, form: ShiftForm, refusal: ChangedMeanwhile) -> tuple[str, int]:
    """Keep what was typed, show what the shift is now, and let a second save overwrite knowingly."""
    row = editing.current(connection(), g.visitor.partnership.id, shift_id)
    now_so = form_of(row, acting())
    for name, text in now_so.fields.items():
        if name != "edition" and form.text(name) != text:
            value = _shown(shift_id, name, text) or gettext("empty")
            form.wrong(name, gettext("%(field)s: now %(value)s", field=label_of(name), value=value))
    form.fields["edition"] = str(row.edition)
    return _page(shift_id, form, problem=sentence(refusal)), CONFLICT


def _shown(shift_id: int, name: str, text: str) -> str:
    if name != "leader":
        return text
    return next((one.first_name for one in _shift(shift_id).walkers if str(one.person_id) == text), "")


# ---------------------------------------------------------------- calling off, publishing, copying


@pages.route("/lead/shifts/<int:shift_id>/call-off", methods=["GET", "POST"])
@needs("change a shift")
def call_off(shift_id: int) -> AnyResponse | str:
    if request.method == "POST":
        return _to(shift_id, f"told-{changes.call_off(connection(), acting(), shift_id)}")
    shift = _shift(shift_id)
    shown = telling(connection(), acting(), shift, MessageKind.CALLED_OFF, _names(shift))
    return render_template("leading/sure.html", shift=shift, what="call_off", telling=shown, person=None)


@pages.route("/lead/shifts/<int:shift_id>/reinstate", methods=["GET", "POST"])
@needs("change a shift")
def reinstate(shift_id: int) -> AnyResponse | str:
    shift, who = _shift(shift_id), acting()
    if request.method == "POST":
        budget.check_again(connection(), who, shift_id)
        told = editing.reinstate(connection(), who, shift_id, tell_people=request.form.get("tell") == "yes")
        return _to(shift_id, f"told-{told}" if told else "reinstated")
    names = [row.first_name for row in editing.were_on(connection(), shift_id)]
    shown = telling(connection(), who, shift, MessageKind.REINSTATED, names)
    return render_template("leading/sure.html", shift=shift, what="reinstate", telling=shown, person=None)


@pages.post("/lead/shifts/<int:shift_id>/publish")
@needs("change a shift")
def publish(shift_id: int) -> AnyResponse:
    _shift(shift_id)
    who = acting()
    change_state(
        connection(), who.partnership_id, shift_id, ShiftState.PLANNED, ShiftState.PUBLISHED, who.now, who.person_id
    )
    return _to(shift_id, "published")


@pages.route("/lead/shifts/<int:shift_id>/copy", methods=["GET", "POST"])
@needs("change a shift")
def copy(shift_id: int) -> AnyResponse | str | tuple[str, int]:
    shift, who = _shift(shift_id), acting()
    row = editing.current(connection(), who.partnership_id, shift_id)
    form = Typed({"to": request.values.get("to", "")})
    night = form.day("to", today())
    if night is not None:
        starts, ends = (moment.astimezone(who.zone).time() for moment in (shift.starts_at, shift.ends_at))
        starts_at, ends_at = moments(night, starts, ends, who.zone)
        if starts_at <= who.now:
            form.wrong("to", gettext("That day has passed."))
    if night is None or form.errors:
        return _page(shift_id, copying=form), INVALID
    try:
        if request.method == "GET":
            return _sure_to_copy(shift, night, row.area_id)
        budget.lock_lines(connection(), who.partnership_id, night)
        if _seen(budget.one_more(connection(), who.partnership_id, night, row.area_id, who.now)) != request.form.get(
            "further"
        ):
            return _sure_to_copy(shift, night, row.area_id, changed=True), CONFLICT
        night_id = budget.night_for(connection(), who, night, row.area_id)
    except (budget.BudgetRefusal, NotFound) as refusal:
        form.wrong("to", _outside(refusal))
        return _page(shift_id, copying=form), INVALID
    new_id = add_shift(
        connection(),
        who.partnership_id,
        night_id,
        row.area_id,
        starts_at,
        ends_at,
        Places(row.minimum, row.wanted),
        ShiftState.PLANNED,
        who.now,
        by_person_id=who.person_id,
    )
    editing.copy_words(connection(), new_id, row)
    return _to(new_id, "copied")


def _seen(found: budget.OneMore) -> str:
    """Return what the page that asks says about the night, as its form sends it."""
    return "yes" if found.further else "no"


def _sure_to_copy(shift: LeadShift, night: date, area_id: int, *, changed: bool = False) -> str:
    found = budget.one_more(connection(), g.visitor.partnership.id, night, area_id, now())
    if found.beyond_the_nights:
        raise budget.NoNightsLeft
    return render_template(
        "leading/copy.html", shift=shift, night=night, found=found, seen=_seen(found), changed=changed
    )


# ---------------------------------------------------------------- people


@pages.post("/lead/shifts/<int:shift_id>/people")
@needs("change a shift")
def put_on(shift_id: int) -> AnyResponse:
    editing.current(connection(), g.visitor.partnership.id, shift_id)
    person_id = row_id(request.form.get("person", ""))
    tell_person = bool(request.form.get("tell"))
    editing.put_on(connection(), acting(), shift_id, person_id, once(), tell_person=tell_person)
    return _to(shift_id, "told-1" if tell_person else "saved")


@pages.route("/lead/shifts/<int:shift_id>/people/<int:person_id>/off", methods=["GET", "POST"])
@needs("change a shift")
def take_off(shift_id: int, person_id: int) -> AnyResponse | str:
    shift = _shift(shift_id)
    if request.method == "POST":
        tell_person = request.form.get("tell") == "yes"
        editing.take_off(connection(), acting(), shift_id, person_id, tell_person=tell_person)
        return _to(shift_id, "told-1" if tell_person else "saved")
    people = {one.person_id: one.first_name for one in shift.walkers}
    people |= {one.person_id: one.first_name for one in shift.waiting}
    if person_id not in people:
        raise NotFound
    shown = telling(connection(), acting(), shift, MessageKind.TAKEN_OFF, [people[person_id]])
    return render_template("leading/sure.html", shift=shift, what="take_off", telling=shown, person=person_id)


# ---------------------------------------------------------------- a second area


def _as_night(text: str) -> date:
    night = as_date(text, None)
    if night is None:
        raise NotFound
    return night


@pages.get("/lead/nights/<night>/areas")
@needs("change a shift")
def areas(night: str) -> str:
    second = budget.offer(connection(), g.visitor.partnership.id, _as_night(night), now())
    if second is None:
        raise budget.NightOver
    return render_template("leading/areas.html", second=second, ask=ask_at_once(second))


@pages.post("/lead/nights/<night>/areas")
@needs("change a shift")
def open_area(night: str) -> AnyResponse:
    area = request.form.get("area", "")
    if not area:
        raise Invalid(problem="request")
    return ask_for_new(budget.open_area(connection(), acting(), _as_night(night), row_id(area)))

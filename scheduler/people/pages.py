from flask import (
    Blueprint,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_wtf.csrf import CSRFError
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from scheduler.kit import language, phone
from scheduler.kit.faults import error_page, refused
from scheduler.kit.language import LANGUAGES
from scheduler.kit.refusals import CrossSite, NotFound
from scheduler.kit.web import application, connection, host_name, needs, now, public_url, safe_next, today
from scheduler.partnership.queries import check_with_us, club_by_invitation, clubs, clubs_with_us
from scheduler.people import actions, queries, signing_in
from scheduler.people.doors import keep, kept_form, language_of, sign_in_with_kept_form, zone_of
from scheduler.people.forms import CodeForm, JoinForm, MeForm, SignInForm
from scheduler.people.rules import LinkEnded, NotYourClub, Role, device_name
from scheduler.people.signing_in import Outcome

pages = Blueprint("people", __name__)

TOO_MANY_REQUESTS = 429
INVALID = 422


# ---------------------------------------------------------------- signing in


@pages.get("/sign-in")
@needs("sign in")
def sign_in() -> str | AnyResponse:
    if g.visitor.person is not None:
        return redirect(safe_next(request.args.get("next", "/")), code=303)
    form = SignInForm(formdata=None, next=safe_next(request.args.get("next", "/")))
    return render_template("people/sign_in.html", form=form, kept=False, limited=False)


@pages.post("/sign-in")
@needs("sign in")
def send_code() -> str | AnyResponse | tuple[str, int]:
    form = SignInForm()
    kept = bool(form.kept.data)
    if not form.validate():
        return render_template("people/sign_in.html", form=form, kept=kept, limited=False), INVALID
    challenge = _ask_for_code(form.e164, None)
    if challenge is None:
        return render_template("people/sign_in.html", form=form, kept=kept, limited=True), TOO_MANY_REQUESTS
    session["next"] = safe_next(form.next.data or "/")
    if kept:
        # Too large for a cookie: the code page carries it in the form itself.
        return render_template(
            "people/code.html", form=CodeForm(formdata=None), **_code_page(kept=form.kept.data or "")
        )
    return redirect(url_for("people.code"), code=303)


def _ask_for_code(number: str, joining: actions.Joining | None) -> str | None:
    challenge = signing_in.ask_for_code(
        connection(),
        g.visitor.partnership.id,
        number,
        now(),
        address=request.remote_addr or "",
        host=public_url().partition("://")[2],
        secret_key=application().settings.secret_key,
        joining=joining,
    )
    if challenge is not None:
        session["challenge"] = challenge
        session["masked_phone"] = phone.masked(number)
        session["asked_phone"] = number
        session.permanent = True
    return challenge


def _code_page(*, kept: str = "", tries_left: int | None = None, ended: bool = False) -> dict[str, object]:
    return {
        "masked_phone": session.get("masked_phone", ""),
        "tries_left": tries_left,
        "ended": ended,
        "kept": kept,
    }


@pages.get("/sign-in/code")
@needs("sign in")
def code() -> str | AnyResponse:
    if "challenge" not in session:
        return redirect(url_for("people.sign_in"), code=303)
    return render_template("people/code.html", form=CodeForm(formdata=None), **_code_page())


@pages.post("/sign-in/code")
@needs("sign in")
def check_code() -> str | AnyResponse | tuple[str, int]:
    form = CodeForm()
    kept = request.form.get("kept", "")
    if "challenge" not in session:
        return redirect(url_for("people.sign_in"), code=303)
    if not form.validate():
        return render_template("people/code.html", form=form, **_code_page(kept=kept)), INVALID
    answer = signing_in.answer_code(
        connection(),
        g.visitor.partnership.id,
        session["challenge"],
        form.code.data or "",
        now(),
        secret_key=application().settings.secret_key,
        device=device_name(request.user_agent.string),
    )
    if answer.outcome is not Outcome.SIGNED_IN:
        page = _code_page(kept=kept, tries_left=answer.tries_left, ended=answer.outcome is Outcome.ENDED)
        return render_template("people/code.html", form=form, **page), INVALID
    target = safe_next(session.get("next", "/"))
    sign_in_here(answer.secret)
    if answer.joined:
        return redirect(url_for("people.joined"), code=303)
    if kept:
        return _resume(kept)
    if answer.invited:
        return redirect(url_for("welcome.welcome"), code=303)
    return redirect(target, code=303)


def sign_in_here(secret: str) -> None:
    """Make this browser the holder of a new session; nothing of the old cookie stays."""
    chosen = session.get("language")
    session.clear()
    # The token of the old cookie would stand in the forms of the page that is drawn next.
    g.pop("csrf_token", None)
    session["secret"] = secret
    if chosen:
        session["language"] = chosen
    session.permanent = True


def _resume(kept: str) -> AnyResponse:
    """Show what was typed before the session ended, with one button that sends it now."""
    found = kept_form(kept)
    if found is None:
        return redirect("/", code=303)
    path, fields = found
    shown = [
        (name, value)
        for name, values in fields.items()
        for value in values
        if name not in {"once", "waiting", "next", "kept", "to", "shift"} and value.strip()
    ]
    return make_response(render_template("people/resume.html", action=safe_next(path), fields=fields, rows=shown))


@pages.app_errorhandler(CSRFError)
def without_token(_error: CSRFError) -> AnyResponse:
    """A form without a valid token. If the browser says that this site sent it, the token has only grown old:
    what was typed is kept, and comes back after signing in, or with one more tap."""
    if "Origin" not in request.headers or request.endpoint is None:
        return refused(CrossSite()) if g.get("visitor") else _refuse_plainly()
    visitor = queries.visitor(connection(), host_name(), session.get("secret"))
    if visitor.partnership is None:
        return _refuse_plainly()
    g.visitor, g.zone = visitor, zone_of(visitor)
    g.language = language.choose(language_of(visitor), session.get("language"), request.accept_languages)
    if request.path.startswith(("/sign-in", "/join/", "/language")):
        return redirect(request.path if request.path != "/language" else "/", code=303)
    if visitor.signed_in:
        answer = _resume(keep(request.path, request.form.to_dict(flat=False)))
        answer.status_code = 403
        return answer
    return sign_in_with_kept_form()


def _refuse_plainly() -> AnyResponse:
    return error_page(CrossSite())


@pages.post("/sign-out")
@needs("sign in")
def sign_out() -> AnyResponse:
    if g.visitor.person is not None:
        signing_in.end_session(connection(), g.visitor.person.id, g.visitor.session_id, now())
    session.clear()
    answer = redirect("/", code=303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@pages.post("/language")
@needs("sign in")
def choose_language() -> AnyResponse:
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
        session.permanent = True
    return redirect(safe_next(request.form.get("next", "/")), code=303)


# ---------------------------------------------------------------- joining


@pages.route("/join/<invitation>", methods=["GET", "POST"])
@needs("join a club")
def join(invitation: str) -> str | AnyResponse | tuple[str, int]:
    club = club_by_invitation(connection(), g.visitor.partnership.id, invitation)
    if club is None:
        raise LinkEnded
    check_with_us(connection(), g.visitor.partnership.id, [club.id], today())
    form = JoinForm(today())
    if request.method == "GET":
        form.language.data = g.language
        return render_template("people/join.html", form=form, club=club.name, limited=False)
    if not form.validate():
        return render_template("people/join.html", form=form, club=club.name, limited=False), INVALID
    joining = actions.Joining(
        club_id=club.id,
        first_name=form.first_name.data,
        last_name=form.last_name.data,
        phone=form.e164,
        born_on=form.birth_date.isoformat(),
        language=form.language.data,
    )
    if _ask_for_code(form.e164, joining) is None:
        page = render_template("people/join.html", form=form, club=club.name, limited=True)
        return page, TOO_MANY_REQUESTS
    session["next"] = "/"
    return redirect(url_for("people.code"), code=303)


@pages.get("/joined")
@needs("manage myself")
def joined() -> str:
    return render_template("people/joined.html")


# ---------------------------------------------------------------- me


@pages.route("/me", methods=["GET", "POST"])
@needs("manage myself")
def me() -> str | AnyResponse | tuple[str, int]:
    person = g.visitor.person
    form = MeForm(data={"first_name": person.first_name, "last_name": person.last_name, "language": person.language})
    status = 200
    if request.method == "POST":
        if form.validate():
            actions.change_details(
                connection(),
                g.visitor,
                now(),
                first_name=form.first_name.data,
                last_name=form.last_name.data,
                language=form.language.data,
            )
            return redirect(url_for("people.me", saved=1), code=303)
        status = INVALID
    page = render_template(
        "people/me.html",
        form=form,
        phone=queries.phone_of(connection(), person.id),
        devices=queries.devices(connection(), person.id, g.visitor.session_id),
        saved="saved" in request.args and status == 200,  # noqa: PLR2004 - HTTP's own number
    )
    return page, status


@pages.post("/me/devices/<int:session_id>/end")
@needs("manage myself")
def end_device(session_id: int) -> AnyResponse:
    if not signing_in.end_session(connection(), g.visitor.person.id, session_id, now()):
        raise NotFound
    if session_id == g.visitor.session_id:
        session.clear()
        return redirect("/", code=303)
    return redirect(url_for("people.me"), code=303)


# ---------------------------------------------------------------- contacts and coordinators


def own_clubs() -> frozenset[int] | None:
    """Return the clubs that the visitor decides about; None means all of them."""
    if Role.COORDINATOR in g.visitor.roles:
        return None
    return queries.contact_club_ids(connection(), g.visitor.person.id)


@pages.get("/lead/members")
@needs("approve members")
def members() -> str:
    partnership_id, own = g.visitor.partnership.id, own_clubs()
    return render_template(
        "people/members.html",
        waiting=queries.applicants(connection(), partnership_id, own),
        approved_count=queries.approved_count(connection(), partnership_id, own),
        clubs=[
            (club.id, club.name)
            for club in clubs_with_us(connection(), partnership_id, today())
            if own is None or club.id in own
        ],
    )


@pages.post("/lead/members/<int:membership_id>/<any(approve, decline):decision>")
@needs("approve members")
def decide(membership_id: int, decision: str) -> AnyResponse:
    actions.decide(
        connection(),
        g.visitor,
        membership_id,
        now(),
        approve=decision == "approve",
        contact_of=own_clubs() or frozenset(),
        link=public_url(),
    )
    return redirect(url_for("people.members"), code=303)


@pages.get("/lead/clubs/<int:club_id>/invitation")
@needs("invite members")
def invitation(club_id: int) -> str:
    import segno

    own = own_clubs()
    club = next((one for one in clubs(connection(), g.visitor.partnership.id) if one.id == club_id), None)
    if club is None:
        raise NotFound
    if own is not None and club_id not in own:
        raise NotYourClub
    check_with_us(connection(), g.visitor.partnership.id, [club_id], today())
    link = f"{public_url()}/join/{club.invitation_code}"
    drawn = segno.make(link, error="m").svg_inline(scale=1, border=2, omitsize=True, svgclass=None, lineclass=None)
    return render_template(
        "people/invitation.html",
        club=club.name,
        link=link,
        qr_svg=Markup(drawn),  # noqa: S704 - drawn by segno from our own address
    )

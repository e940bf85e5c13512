import secrets
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, g, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from scheduler.answers.actions import Came, receive
from scheduler.demo.actions import ROLES, demo_phone
from scheduler.kit.refusals import Invalid, NotFound
from scheduler.kit.web import application, connection, needs, now, public_url
from scheduler.messages.port import FICTION
from scheduler.messages.queries import came_in, due_so_far
from scheduler.messages.rules import MessageKind
from scheduler.people.pages import sign_in_here
from scheduler.people.queries import person_by_phone
from scheduler.people.rules import device_name
from scheduler.people.signing_in import start_session
from scheduler.people.tables import Person

pages = Blueprint("demo", __name__, url_prefix="/demo")


@dataclass(frozen=True, slots=True)
class DemoText:
    to_name: str
    phone: str
    body: str
    at: datetime
    kind: MessageKind
    answers: bool


@pages.get("/sign-in/<role>")
@needs("try the demo")
def sign_in(role: str) -> AnyResponse:
    """Sign in as one of the demo's people. A GET that changes something, so that a link does it; only here."""
    if role not in ROLES:
        raise NotFound
    partnership_id, instant = g.visitor.partnership.id, now()
    person = person_by_phone(connection(), partnership_id, demo_phone(role))
    if person is None:
        raise NotFound
    device = device_name(request.user_agent.string)
    secret = application().database.write(
        lambda writing: start_session(writing, partnership_id, person.id, device, instant)
    )
    sign_in_here(secret)
    return redirect("/lead" if role in {"coordinator", "municipality"} else "/", code=303)


@pages.get("/sms")
@needs("try the demo")
def sms() -> str:
    """The texts that would have left by now, the newest first."""
    shown = due_so_far(connection(), g.visitor.partnership.id, now())
    ids = {text.person_id for text in shown if text.person_id is not None}
    found = connection().execute(select(Person.id, Person.first_name, Person.last_name).where(Person.id.in_(ids)))
    phones_of = {text.person_id: text.to_phone for text in shown if text.person_id is not None}
    shown += came_in(connection(), g.visitor.partnership.id, phones_of)
    shown.sort(key=lambda text: text.at, reverse=True)
    names = {row.id: f"{row.first_name} {row.last_name}" for row in found}
    chosen = request.args.get("phone", "")
    everybody = [
        DemoText(
            names.get(text.person_id or 0, ""), text.to_phone, text.body, text.at, text.kind, answers=text.incoming
        )
        for text in shown
    ]
    phones = sorted({text.phone: text.to_name for text in everybody if text.to_name}.items(), key=lambda one: one[1])
    messages = [text for text in everybody if chosen in {"", text.phone}]
    return render_template("demo/sms.html", messages=messages, chosen=chosen, phones=phones)


@pages.post("/sms")
@needs("try the demo")
def answer() -> AnyResponse:
    """Answer as one of the demo's people: what the operator's webhook would do, without an operator."""
    phone = request.form.get("phone", "")
    if not phone.startswith(FICTION):
        raise Invalid(problem="request")
    came = Came(sid=f"demo-{secrets.token_hex(8)}", phone=phone, body=request.form.get("body", ""))
    receive(connection(), came, public_url(), now())
    return redirect(url_for("demo.sms", phone=phone), code=303)

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, g, redirect, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from scheduler.demo.actions import ROLES, demo_phone
from scheduler.kit.refusals import NotFound
from scheduler.kit.web import application, connection, needs, now
from scheduler.messages.queries import due_so_far
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
    names = {row.id: f"{row.first_name} {row.last_name}" for row in found}
    messages = [
        DemoText(names.get(text.person_id or 0, ""), text.to_phone, text.body, text.at, text.kind) for text in shown
    ]
    return render_template("demo/sms.html", messages=messages)

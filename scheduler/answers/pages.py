from flask import Blueprint, Response, request

from scheduler.answers.actions import Came, receive
from scheduler.kit.web import application, connection, machine, needs, now
from scheduler.messages.pages import signed_by_operator, unsigned

pages = Blueprint("answers", __name__)


@pages.post("/sms/inbound")
@machine
@needs("speak for the operator")
def inbound() -> Response:
    """A text that came in. The answer goes through the outbox, so the operator gets an empty document."""
    if not signed_by_operator():
        return unsigned()
    came = Came(
        sid=request.form.get("MessageSid", ""),
        phone=request.form.get("From", ""),
        body=request.form.get("Body", ""),
        operator_answered="OptOutType" in request.form,
    )
    if came.sid:
        receive(connection(), came, application().settings.public_url, now())
    return Response("<Response/>", mimetype="text/xml")

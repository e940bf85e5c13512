"""What the operator calls. Every call is signed over the address that we gave it, never over the Host header."""

from flask import Blueprint, Response, request

from scheduler.kit.web import application, connection, machine, needs, now
from scheduler.messages.receipts import Receipt, attempt_of, note_receipt

pages = Blueprint("messages", __name__)


def signed_by_operator() -> bool:
    """Return whether this request carries the operator's signature. Without credentials nobody's is right."""
    settings = application().settings
    signature = request.headers.get("X-Twilio-Signature")
    if not settings.sms_on or not signature:
        return False
    from twilio.request_validator import RequestValidator

    query = request.query_string.decode("latin-1")
    address = settings.public_url + request.path + (f"?{query}" if query else "")
    # Over all fields, also those that we do not know: more are added without notice.
    right: bool = RequestValidator(settings.twilio_auth_token).validate(address, request.form, signature)
    return right


def unsigned() -> Response:
    return Response("This is for the operator alone.\n", status=403, mimetype="text/plain")


@pages.post("/sms/status/<int:message_id>/<nonce>")
@machine
@needs("speak for the operator")
def status(message_id: int, nonce: str) -> Response:
    """A receipt. What cannot be used is accepted all the same: the operator could do nothing about it."""
    if not signed_by_operator():
        return unsigned()
    attempt = attempt_of(application().settings.secret_key, message_id, nonce)
    if attempt is None:
        return unsigned()
    receipt = Receipt(
        sid=request.form.get("MessageSid", ""),
        status=request.form.get("MessageStatus", ""),
        code=request.form.get("ErrorCode", ""),
    )
    if receipt.sid:
        note_receipt(connection(), message_id, receipt, now(), attempt)
    return Response(status=204)

"""Who comes in: the assembly hands these to the web frame."""

from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Response, g, make_response, redirect, render_template, request
from itsdangerous import BadSignature, URLSafeSerializer

from scheduler.kit.refusals import NotAllowed
from scheduler.kit.web import SAFE_METHODS, application
from scheduler.people.forms import SignInForm
from scheduler.people.permissions import WITHOUT_PARTNERSHIP, allowed
from scheduler.people.rules import NotSetUp, UnknownHost, Visitor

NOT_KEPT = frozenset({"csrf_token"})


def enter(visitor: Visitor, permission: str) -> Response | None:
    """Return None where the visitor may enter, or the way to sign in. A form that was sent after the session
    ended is kept and comes back after signing in. Raises NotAllowed, UnknownHost or NotSetUp."""
    if permission in WITHOUT_PARTNERSHIP:
        return None
    if visitor.partnership is None:
        raise NotSetUp if g.own_host else UnknownHost
    if allowed(permission, visitor):
        return None
    if visitor.signed_in:
        raise NotAllowed
    if request.method in SAFE_METHODS:
        target = request.full_path.rstrip("?")
        return make_response(redirect(f"/sign-in?next={quote(target)}", code=303))
    return sign_in_with_kept_form()


def sign_in_with_kept_form() -> Response:
    """Return the sign-in page that carries what was typed along."""
    form = SignInForm(formdata=None, kept=keep(request.path, request.form.to_dict(flat=False)), next="")
    return make_response(render_template("people/sign_in.html", form=form, kept=True, limited=False), 403)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(application().settings.secret_key, salt="kept form")


def keep(path: str, fields: dict[str, list[str]]) -> str:
    """Return a sent form as a signed text, to be carried through signing in."""
    kept = {name: values for name, values in fields.items() if name not in NOT_KEPT}
    return _text(_serializer().dumps({"path": path, "fields": kept}))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def kept_form(text: str) -> tuple[str, dict[str, list[str]]] | None:
    """Return path and fields of a kept form, or None for a text that this product has not signed."""
    if not text:
        return None
    try:
        kept: dict[str, Any] = _serializer().loads(text)
    except BadSignature:
        return None
    return kept["path"], kept["fields"]


def language_of(visitor: Visitor) -> str | None:
    return visitor.person.language if visitor.person is not None else None


def zone_of(visitor: Visitor) -> ZoneInfo:
    """Return the partnership's time zone; the deployment's where there is no partnership."""
    if visitor.partnership is None:
        return application().settings.time_zone
    return ZoneInfo(visitor.partnership.time_zone)

"""Flask's signed cookie, whose signature is computed once for each cookie and process instead of at each request."""

from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, cast

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer


@lru_cache(maxsize=8192)
def _read(serializer: URLSafeTimedSerializer, cookie: str) -> tuple[dict[str, Any], datetime]:
    """Return what a cookie holds and when it was signed. Raises BadSignature, which is not remembered: nobody
    fills the memory with cookies that are not ours."""
    held, signed_at = serializer.loads(cookie, return_timestamp=True)
    return held, signed_at


class SignedCookies(SecureCookieSessionInterface):
    def __init__(self, app: Flask) -> None:
        self._app = app

    @cached_property
    def _serializer(self) -> URLSafeTimedSerializer:
        serializer = super().get_signing_serializer(self._app)
        assert serializer is not None
        return serializer

    @cached_property
    def _signer(self) -> TimestampSigner:
        return cast("TimestampSigner", self._serializer.make_signer(self.salt))

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:  # noqa: ARG002 - Flask's own signature
        return self._serializer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        cookie = request.cookies.get(self.get_cookie_name(app))
        if not cookie:
            return self.session_class()
        try:
            held, signed_at = _read(self._serializer, cookie)
        except BadSignature:
            return self.session_class()
        # Seen by the clock that it was signed by.
        if (
            self._signer.timestamp_to_datetime(self._signer.get_timestamp()) - signed_at
            > app.permanent_session_lifetime
        ):
            return self.session_class()
        return self.session_class(held)

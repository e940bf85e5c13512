"""Conditional requests (RFC 9110, section 13) for one strong entity tag and one time of change."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from werkzeug.http import parse_date, parse_etags

OK, NOT_MODIFIED, PRECONDITION_FAILED = 200, 304, 412


@lru_cache(maxsize=4096)
def http_date(instant: datetime) -> str:
    """Return an instant as HTTP writes it."""
    return format_datetime(instant, usegmt=True)


def status(environ: Mapping[str, object], etag: str, changed_at: datetime) -> int:
    """Return 200, 304 or 412 for a GET or HEAD of what has this quoted, strong tag. Dates that cannot be read
    are as if they had not been sent."""
    none_match = environ.get("HTTP_IF_NONE_MATCH")
    if none_match is not None:
        if none_match == etag:
            return NOT_MODIFIED
        if "HTTP_IF_MATCH" not in environ and "HTTP_IF_UNMODIFIED_SINCE" not in environ:
            return NOT_MODIFIED if _among(str(none_match), etag) else OK
    match = environ.get("HTTP_IF_MATCH")
    if match is not None:
        if not parse_etags(str(match)).contains(etag.strip('"')) and str(match).strip() != "*":
            return PRECONDITION_FAILED
    elif _before(environ.get("HTTP_IF_UNMODIFIED_SINCE"), changed_at):
        return PRECONDITION_FAILED
    if none_match is not None:
        return NOT_MODIFIED if _among(str(none_match), etag) else OK
    since = environ.get("HTTP_IF_MODIFIED_SINCE")
    if since is None:
        return OK
    if since == http_date(changed_at):
        return NOT_MODIFIED
    read = parse_date(str(since))
    return NOT_MODIFIED if read is not None and changed_at <= read else OK


def _among(sent: str, etag: str) -> bool:
    """Return whether a tag of the list matches; for a 304 a weak one does as well as a strong one."""
    return sent.strip() == "*" or parse_etags(sent).contains_weak(etag.strip('"'))


def _before(sent: object, changed_at: datetime) -> bool:
    read = parse_date(str(sent)) if sent is not None else None
    return read is not None and changed_at > read

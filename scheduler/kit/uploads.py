"""A file that is too large: what was typed beside it is read all the same, so that the form can be shown again."""

from flask import g, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.sansio.multipart import Data, Event, Field, MultipartDecoder, Preamble

CHUNK_BYTES = 64 * 1024
# A browser shows an answer only when all is sent. What is still larger is cut off.
MOST_DROPPED_BYTES = 64 * 1024 * 1024


def is_larger_than(most_bytes: int) -> bool:
    """Return whether this request brings a form with files of more bytes than that."""
    return request.mimetype == "multipart/form-data" and (request.content_length or 0) > most_bytes


def read_fields_alone(most_bytes: int, most_fields: int) -> None:
    """Give the request the fields that stand in the first `most_bytes` of its body, before its file, and no file.

    Our forms have their file last. What follows is taken from the line and dropped. Raises werkzeug's
    RequestEntityTooLarge for more than `most_fields`.
    """
    body = request.environ["wsgi.input"]
    decoder = MultipartDecoder(request.mimetype_params.get("boundary", "").encode(), max_parts=most_fields)
    decoder.receive_data(body.read(most_bytes))
    request.__dict__["form"] = ImmutableMultiDict(_fields(decoder))
    request.__dict__["files"] = ImmutableMultiDict()
    g.file_too_large = True
    for _ in range(MOST_DROPPED_BYTES // CHUNK_BYTES):
        if not body.read(CHUNK_BYTES):
            break


def _fields(decoder: MultipartDecoder) -> list[tuple[str, str]]:
    """Return the whole fields, as (name, value), that come before the first file."""
    found: list[tuple[str, str]] = []
    name, value = "", b""
    event = _next(decoder)
    while isinstance(event, Field | Data):
        if isinstance(event, Field):
            name, value = event.name, b""
        else:
            value += event.data
            if not event.more_data:
                found.append((name, value.decode("utf-8", "replace")))
        event = _next(decoder)
    return found


def _next(decoder: MultipartDecoder) -> Event | None:
    """Return the next event after the preamble; None where the body is none that can be read."""
    try:
        event = decoder.next_event()
        return decoder.next_event() if isinstance(event, Preamble) else event
    except ValueError:
        return None

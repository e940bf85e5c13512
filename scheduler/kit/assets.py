"""Files under static/, kept in memory and compressed once, and the pages that machines ask for."""

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from flask import Response, make_response, request

from scheduler.kit.heartbeat import last_seen, seconds_since
from scheduler.kit.language import LANGUAGES
from scheduler.kit.migrating import is_migrated
from scheduler.kit.refusals import NotFound
from scheduler.kit.web import Application, connection

FOLDER = Path(__file__).parents[2] / "static"
# Without a visitor and without the database, but for /readyz.
OWN_ENDPOINTS = frozenset({"static", "worker", "favicon", "robots", "healthz", "readyz"})
# What a page that is kept for want of a signal is drawn with.
SHELL = ("style/app.css", "script/app.js", "icons/sprite.svg", "icon.svg")


class _Asset(NamedTuple):
    plain: bytes
    compressed: bytes
    mimetype: str
    etag: str


ASSET_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain",
}


@cache
def _assets() -> dict[str, _Asset]:
    """Return every file under static/, read and compressed once."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in ASSET_TYPES:
            plain = path.read_bytes()
            found[path.relative_to(FOLDER).as_posix()] = _Asset(
                plain,
                gzip.compress(plain, mtime=0),
                ASSET_TYPES[path.suffix],
                hashlib.sha256(plain).hexdigest()[:16],
            )
    return found


@cache
def asset(name: str) -> str:
    """Return the address of a file under static/; it changes with the file, so browsers may keep it."""
    return f"/static/{name}?v={_assets()[name].etag}"


@cache
def _worker() -> bytes:
    """Return the worker's script: it changes with every file under static/, and browsers then take the new one."""
    whole = hashlib.sha256("".join(asset.etag for asset in _assets().values()).encode()).hexdigest()[:16]
    shell = [*map(asset, SHELL), *(f"/offline?in={code}" for code in LANGUAGES)]
    begins = f"const version = {json.dumps(whole)};\nconst shell = {json.dumps(shell)};\n\n"
    return begins.encode() + _assets()["script/worker.js"].plain


def register(app: Application) -> None:
    @app.get("/static/<path:name>")
    def static(name: str) -> Response:
        found = _assets().get(name)
        if found is None:
            raise NotFound
        squeeze = found.mimetype != "image/png" and "gzip" in request.headers.get("Accept-Encoding", "")
        answer = make_response(found.compressed if squeeze else found.plain)
        answer.mimetype = found.mimetype
        answer.set_etag(found.etag)
        answer.vary.add("Accept-Encoding")
        if squeeze:
            answer.headers["Content-Encoding"] = "gzip"
        kept = request.args.get("v") == found.etag
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        answer.make_conditional(request)
        return answer

    @app.get("/sw.js")
    def worker() -> Response:
        # At the root, so that it may keep pages anywhere; asked for anew each time, so that it never grows old.
        return Response(_worker(), mimetype="text/javascript", headers={"Cache-Control": "no-cache"})

    @app.get("/favicon.ico")
    def favicon() -> Response:
        return static("icon.svg")

    @app.get("/robots.txt")
    def robots() -> Response:
        return Response("User-agent: *\nDisallow: /join/\nDisallow: /lead\n", mimetype="text/plain")

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        ready = is_migrated(connection())
        if not ready:
            text = "the database is not migrated: run flask --app scheduler db upgrade\n"
        else:
            seen_at = last_seen(connection())
            ago = "never" if seen_at is None else f"{seconds_since(seen_at, app.clock.now())} s ago"
            text = f"ready\nworker last at work: {ago}\n"
        return Response(text, status=200 if ready else 503, mimetype="text/plain")

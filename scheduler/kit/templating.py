"""What every template may use, and the hidden fields of every form."""

import secrets
from collections.abc import Callable, Hashable, Iterable, MutableMapping
from datetime import date
from functools import cache, lru_cache, partial
from typing import Any

from flask import g, session, url_for
from flask.templating import Environment
from flask_wtf.csrf import generate_csrf
from jinja2 import StrictUndefined
from markupsafe import Markup

from scheduler.kit import language
from scheduler.kit.assets import asset
from scheduler.kit.web import Application, application, today


class Templates(Environment):
    """Flask's templates, each with its globals in one plain dict: at every import Jinja compares all their names,
    which takes far longer in the chain of dicts that it makes by itself. Register globals before the first page."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


def register(app: Application) -> None:
    app.jinja_environment = Templates
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: language.catalogue(language.current()).gettext(text),
        lambda one, many, num: language.catalogue(language.current()).ngettext(one, many, num),
        newstyle=True,
        pgettext=lambda context, text: language.catalogue(language.current()).pgettext(context, text),
        npgettext=lambda context, one, many, num: language.catalogue(language.current()).npgettext(
            context, one, many, num
        ),
    )
    app.jinja_env.filters.update(
        day=language.day,
        short_day=language.short_day,
        weekday=language.weekday,
        clock=language.clock,
        moment=language.moment,
        past_day=lambda value: language.past_day(value, today()),
        past_short_day=lambda value: language.past_short_day(value, today()),
        past_moment=lambda value: language.past_moment(value, today()),
        week=language.week,
        kronor=language.kronor,
        kronor_typed=language.kronor_typed,
        listed=language.listed,
    )
    app.jinja_env.globals.update(
        _=translated,
        gettext=translated,
        url_for=path_for,
        once_key=once_key,
        drawn=drawn,
        asset=asset,
        languages=language.own_names(),
        demo=app.settings.demo,
        sms_off=not app.settings.sms_on,
    )

    @app.context_processor
    def of_this_request() -> dict[str, object]:
        return {
            "visitor": g.get("visitor"),
            "language": language.current(),
            "request_id": g.get("request_id", ""),
        }


@cache
def _marked(text: str, spoken: str) -> Markup:
    return Markup(language.catalogue(spoken).gettext(text))  # noqa: S704 - our own catalogue


def translated(text: str, **values: object) -> Markup:
    """Return a template's text in the language of this request, values escaped: what Jinja's own extension
    gives, but each text is looked up once."""
    found = _marked(text, language.current())
    return found % values if "%" in found else found


@lru_cache(maxsize=4096)
def path_for(endpoint: str, **values: str | int | date | None) -> str:
    """Return the path of a page. It depends on nothing but these words, so it is built once."""
    return url_for(endpoint, **values)  # type: ignore[arg-type]


@lru_cache(maxsize=1024)
def _drawn(template: str, macro: str, _language: str, _zone: str, *values: Hashable) -> Markup:
    macros = application().jinja_env.get_template(template).make_module()
    picture: Markup = getattr(macros, macro)(*values)
    return picture


def drawing(template: str, macro: str) -> Callable[..., Markup]:
    """Return what draws a macro from values. Equal values look equal, so each picture is drawn once for a
    language and a zone, however many look. Such a macro may use nothing of the request but what it is given."""
    return partial(_drawn, template, macro, language.current(), str(g.zone))


def drawn(template: str, macro: str, *values: Hashable) -> Markup:
    """Return a macro's picture of these values, as `drawing` does."""
    return drawing(template, macro)(*values)


def once_key() -> str:
    """Return a key for the hidden field `once`: a form sent twice is then one and the same booking."""
    return secrets.token_urlsafe(9)


def form_fields() -> Markup:
    """Return the hidden fields that every form of this page carries."""
    return Markup(
        '<input type="hidden" name="csrf_token" value="{}"><input type="hidden" name="once" value="{}">'
    ).format(_form_token(), once_key())


# Where the hidden fields stand in a picture that is kept: they differ from page to page.
FORM_FIELDS = Markup("<!--form fields-->")


def with_form_fields(pictures: Iterable[str]) -> Markup:
    """Return kept pictures as one, with this page's hidden fields in their forms."""
    if "drawn_fields" not in g:
        g.drawn_fields = str(form_fields())
    return Markup("".join(pictures).replace(FORM_FIELDS, g.drawn_fields))  # noqa: S704 - both halves are escaped


def _form_token() -> str:
    of_session = session.get("csrf_token")
    return generate_csrf() if of_session is None else _signed(of_session, application().settings.secret_key)


@lru_cache(maxsize=4096)
def _signed(_of_session: str, _secret_key: str) -> str:
    """Return the token of this session's forms. It stays the same, so it is signed once."""
    return str(generate_csrf())

"""What every template may use, and the hidden fields of every form."""

import secrets

from flask import g
from flask_wtf.csrf import generate_csrf
from jinja2 import StrictUndefined
from markupsafe import Markup

from scheduler.kit import language
from scheduler.kit.assets import asset
from scheduler.kit.web import Application


def register(app: Application) -> None:
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
        week=language.week,
        listed=language.listed,
    )
    app.jinja_env.globals.update(
        once_key=once_key,
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


def once_key() -> str:
    """Return a key for the hidden field `once`: a form sent twice is then one and the same booking."""
    return secrets.token_urlsafe(9)


def form_fields() -> Markup:
    """Return the hidden fields that every form of this page carries."""
    return Markup(
        '<input type="hidden" name="csrf_token" value="{}"><input type="hidden" name="once" value="{}">'
    ).format(generate_csrf(), once_key())

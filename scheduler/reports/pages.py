from collections.abc import Callable, Mapping
from datetime import date

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting
from scheduler.kit.language import current, zone
from scheduler.kit.refusals import Invalid, NotFound
from scheduler.kit.web import application, connection, needs, now, public_url, today
from scheduler.money.queries import current_agreement
from scheduler.partnership.queries import AgreementView, agreement_on
from scheduler.reports import actions, links, papers, queries
from scheduler.reports.figures import figures
from scheduler.reports.rules import Figures, NoReport, Period, PeriodKind, differences, period, periods
from scheduler.reports.words import SHOW as WORDS

pages = Blueprint("reports", __name__)
SHOW: dict[str, Callable[..., object]] = WORDS
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
INVALID = 422


@pages.get("/lead/reports")
@needs("see reports")
def reports() -> str:
    return _list_page()


# Days and views of a new reader link, until somebody types others.
USUAL_LINK = {"whom": "", "days": "14", "views": "20"}


def _list_page(problem: str = "", link: str = "", typed: Mapping[str, str] = USUAL_LINK) -> str:
    partnership_id = g.visitor.partnership.id
    held = current_agreement(connection(), partnership_id, today())
    return render_template(
        "reports/reports.html",
        periods=periods(held.starts_on, held.ends_on, today()),
        frozen=queries.frozen_reports(connection(), partnership_id),
        links=links.links(connection(), partnership_id, now()) if g.visitor.may("lead reports") else [],
        link=link,
        typed=typed,
        problem=problem,
    )


def _asked(kind: str, first: str) -> tuple[Period, AgreementView]:
    """Return the period of an address and the agreement that holds it. Raises NoReport."""
    try:
        found = period(PeriodKind(kind), date.fromisoformat(first))
    except ValueError:
        raise NoReport from None
    if found.first.isoformat() != first or found.first > today():
        raise NoReport
    for day in (min(found.last, today()), found.first):
        try:
            return found, agreement_on(connection(), g.visitor.partnership.id, day)
        except NotFound:
            continue
    raise NoReport


@pages.get("/lead/reports/<kind>/<first>")
@needs("see reports")
def live(kind: str, first: str) -> str:
    """A period's figures as they are at this moment."""
    asked, agreement = _asked(kind, first)
    return _report_page(asked, figures(connection(), agreement, asked, now()), 0, ())


def _report_page(asked: Period, found: Figures, version: int, corrections: object, report_id: int = 0) -> str:
    return render_template(
        "reports/report.html",
        period=asked,
        figures=found,
        version=version,
        corrections=corrections,
        report_id=report_id,
        over=today() > asked.last,
    )


@pages.post("/lead/reports/<kind>/<first>")
@needs("lead reports")
def freeze(kind: str, first: str) -> AnyResponse:
    asked, agreement = _asked(kind, first)
    report_id = actions.freeze(connection(), acting(), agreement, asked)
    return redirect(url_for("reports.frozen", report_id=report_id), code=303)


def _document(report_id: int) -> papers.Document:
    """Return a frozen report with what was corrected since, ready for the page and for paper."""
    partnership = g.visitor.partnership
    found, then = queries.frozen(connection(), partnership.id, report_id)
    _, agreement = _asked(found.period.kind, found.period.first.isoformat())
    present = figures(connection(), agreement, found.period, now())
    return papers.Document(
        partnership=partnership.name,
        municipality=partnership.municipality,
        language=current(),
        period=found.period,
        version=found.version,
        made_at=found.frozen_at.astimezone(zone()),
        figures=then,
        corrections=tuple(differences(then, present)),
    )


def _live_document(kind: str, first: str) -> papers.Document:
    partnership = g.visitor.partnership
    asked, agreement = _asked(kind, first)
    return papers.Document(
        partnership=partnership.name,
        municipality=partnership.municipality,
        language=current(),
        period=asked,
        version=0,
        made_at=now().astimezone(zone()),
        figures=figures(connection(), agreement, asked, now()),
    )


@pages.get("/lead/reports/<int:report_id>")
@needs("see reports")
def frozen(report_id: int) -> str:
    document = _document(report_id)
    return _report_page(document.period, document.figures, document.version, document.corrections, report_id)


def _file(document: papers.Document, ending: str) -> Response:
    content = papers.as_pdf(document) if ending == "pdf" else papers.as_xlsx(document)
    answer = Response(content, mimetype="application/pdf" if ending == "pdf" else XLSX)
    name = f"{document.period.kind.value}-{document.period.first}.{ending}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@pages.get("/lead/reports/<int:report_id>.<any(pdf, xlsx):ending>")
@needs("see reports")
def paper(report_id: int, ending: str) -> Response:
    return _file(_document(report_id), ending)


@pages.get("/lead/reports/<kind>/<first>.<any(pdf, xlsx):ending>")
@needs("see reports")
def live_paper(kind: str, first: str, ending: str) -> Response:
    return _file(_live_document(kind, first), ending)


# ---------------------------------------------------------------- the reader link


@pages.post("/lead/reports/links")
@needs("lead reports")
def make_link() -> str | tuple[str, int]:
    """The answer shows the link itself, once; it is kept nowhere."""
    typed = {name: request.form.get(name, "") for name in USUAL_LINK}
    # No number of days or views has more than four digits.
    days, views = (int(one) if one.isdecimal() and len(one) < 5 else 0 for one in (typed["days"], typed["views"]))  # noqa: PLR2004
    try:
        secret = links.make_link(connection(), acting(), typed["whom"], days, views)
    except Invalid as refusal:
        return _list_page(problem=refusal.field, typed=typed), INVALID
    return _list_page(link=f"{public_url()}{url_for('reports.reader', secret=secret)}")


@pages.post("/lead/reports/links/<int:link_id>/end")
@needs("lead reports")
def end_link(link_id: int) -> AnyResponse:
    links.end_link(connection(), acting(), link_id)
    return redirect(url_for("reports.reports"), code=303)


@pages.get("/read/<secret>")
@needs("read public pages")
def reader(secret: str) -> str:
    """The latest frozen reports, for who holds a reader link. A GET that counts: a view is what ends the link."""
    partnership, instant = g.visitor.partnership, now()
    whom = application().database.write(lambda unit: links.look(unit, partnership.id, secret, instant))
    shown = []
    seen: set[Period] = set()
    for one in queries.frozen_reports(connection(), partnership.id):
        if one.period not in seen:
            seen.add(one.period)
            shown.append((one, queries.frozen(connection(), partnership.id, one.id)[1]))
    return render_template("reports/reader.html", whom=whom, reports=shown[:MOST_SHOWN])


MOST_SHOWN = 8

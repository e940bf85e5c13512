from collections.abc import Callable

from flask import Blueprint, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from scheduler.bookings.pages import acting, once
from scheduler.kit.language import current
from scheduler.kit.refusals import Invalid, NotFound, TooLarge
from scheduler.kit.web import accepts, anonymous, connection, file_too_large, for_caches, needs, now, row_id, today
from scheduler.money import accounts as open_accounts
from scheduler.money import actions, one_shift, queries
from scheduler.money import payouts as paying
from scheduler.money.forms import LINES, PurchaseForm, as_date, problem_sentence, read_purchase
from scheduler.money.rules import LARGEST_RECEIPT_BYTES
from scheduler.money.words import SHOW as WORDS
from scheduler.partnership.queries import AgreementView, agreement_on, clubs

pages = Blueprint("money", __name__)

INVALID = 422
LONGEST_SUM_DIGITS = 12
# A receipt, and room for the other fields: what is only a little too large still gets its own sentence.
LARGEST_BODY_BYTES = LARGEST_RECEIPT_BYTES + 1024 * 1024
SHOW: dict[str, Callable[..., object]] = WORDS


def agreement() -> AgreementView:
    """Return the agreement of today, or the one that ended last."""
    return queries.current_agreement(connection(), g.visitor.partnership.id, today())


def _chosen() -> AgreementView:
    """Return the agreement whose id was sent as `term`, else today's: what was walked in December is paid in January,
    when another one holds. Raises NotFound for another town's."""
    typed = request.values.get("term", "")
    return _agreement(row_id(typed)) if typed else agreement()


def _agreement(agreement_id: int) -> AgreementView:
    partnership_id = g.visitor.partnership.id
    days = queries.terms(connection(), partnership_id).get(agreement_id)
    if days is None:
        raise NotFound
    return agreement_on(connection(), partnership_id, days[0])


@pages.get("/lead/money")
@needs("see money")
def money() -> str:
    found = _chosen()
    return render_template(
        "money/money.html",
        terms=queries.terms(connection(), g.visitor.partnership.id),
        budget=queries.budget(connection(), found, now(), today()),
        waiting=queries.to_settle(connection(), found.id, now()),
        purchases=queries.purchases(connection(), found.id),
        clubs=clubs(connection(), g.visitor.partnership.id),
        to_correct=len(actions.nights_to_settle(connection(), g.visitor.partnership.id)),
    )


@pages.get("/lead/money/entries")
@needs("see money")
def entries() -> str:
    found = _chosen()
    return render_template(
        "money/entries.html",
        agreement=found,
        entries=queries.entries(connection(), found.id),
        sums=queries.reconciliation(connection(), found.id),
    )


@pages.post("/lead/money/settle")
@needs("lead money")
def settle() -> AnyResponse:
    shift = request.form.get("shift", "")
    if shift:
        actions.settle_shift(connection(), acting(), row_id(shift))
    else:
        actions.settle_all(connection(), acting())
    return redirect(url_for("money.money"), code=303)


# Instead of a club's id: nobody hosts the shift, the walkers' own clubs share its rate.
OWN_CLUBS = "own"


def _club_sent(typed: str) -> int | None:
    return None if typed == OWN_CLUBS else row_id(typed)


@pages.get("/lead/money/shifts/<int:shift_id>")
@needs("see money")
def shift(shift_id: int) -> str:
    """What one shift cost and who got it; with `club`, what another host club would change."""
    partnership_id = g.visitor.partnership.id
    found = one_shift.shift_money(connection(), partnership_id, shift_id, now())
    listed = {one.id: one.name for one in clubs(connection(), partnership_id)}
    typed = request.args.get("club", "")
    becomes = _club_sent(typed) if typed else found.host_club_id
    if becomes is not None and becomes not in listed:
        raise NotFound
    asks = bool(typed) and found.why is None
    return render_template(
        "money/shift.html",
        shift=found,
        clubs=listed,
        entries=queries.entries(connection(), found.agreement_id, shift_id),
        becomes=becomes,
        steps=one_shift.under_another_host(connection(), found, becomes) if asks else None,
        areas=one_shift.areas_of_night(connection(), found.night_id),
    )


@pages.post("/lead/money/shifts/<int:shift_id>/host")
@needs("lead money")
def name_host(shift_id: int) -> AnyResponse:
    """Let a club have what a walked shift is worth, or the walkers' own clubs; `was` is the host that was seen."""
    club_id = _club_sent(request.form.get("club", ""))
    actions.check_host(connection(), acting(), shift_id, _club_sent(request.form.get("was", OWN_CLUBS)))
    actions.name_host(connection(), acting(), shift_id, club_id)
    return redirect(url_for("money.shift", shift_id=shift_id), code=303)


@pages.get("/lead/money/purchases/new")
@needs("lead money")
def new_purchase() -> str:
    return _purchase_page(PurchaseForm(bought_on=today().isoformat()))


def _purchase_page(form: PurchaseForm) -> str:
    return render_template("money/purchase.html", form=form, lines=LINES, most_bytes=LARGEST_RECEIPT_BYTES)


@pages.post("/lead/money/purchases/new")
@needs("lead money")
@accepts(LARGEST_BODY_BYTES)
def buy() -> AnyResponse | tuple[str, int]:
    form, fields = read_purchase(request.form, request.files.get("receipt"), too_large=file_too_large())
    if fields is None:
        return _purchase_page(form), TooLarge.status if file_too_large() else INVALID
    try:
        actions.buy(
            connection(),
            acting(),
            line=fields.line,
            what=fields.what,
            bought_on=fields.bought_on,
            amount_ore=fields.amount_ore,
            receipt=fields.receipt,
            once=once(),
        )
    except Invalid as refusal:
        form.problems[refusal.field] = problem_sentence(refusal)
        return _purchase_page(form), INVALID
    return redirect(url_for("money.money"), code=303)


@pages.post("/lead/money/purchases/<int:purchase_id>/take-back")
@needs("lead money")
def take_back(purchase_id: int) -> AnyResponse:
    actions.take_back_purchase(connection(), acting(), purchase_id)
    return redirect(url_for("money.money"), code=303)


ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


@pages.get("/lead/money/purchases/<int:purchase_id>/receipt")
@needs("see money")
def receipt(purchase_id: int) -> Response:
    mimetype, content = queries.receipt(connection(), g.visitor.partnership.id, purchase_id)
    answer = Response(content, mimetype=mimetype)
    # Never shown inside our pages: whatever is in the file, it is saved, not run.
    name = f"receipt-{purchase_id}.{ENDINGS[mimetype]}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# ---------------------------------------------------------------- payouts


@pages.get("/lead/money/payouts")
@needs("see money")
def payouts() -> str:
    found = _chosen()
    until_on = as_date(request.args.get("until", "")) or min(today(), found.ends_on)
    proposed = paying.proposals(connection(), found.id, until_on)
    return render_template(
        "money/payouts.html",
        agreement=found,
        until_on=until_on,
        proposals=proposed,
        total_ore=sum(one.amount_ore for one in proposed if one.amount_ore > 0),
        payouts=paying.payouts(connection(), found.id),
    )


@pages.post("/lead/money/payouts")
@needs("lead money")
def freeze() -> AnyResponse:
    until_on = as_date(request.form.get("until", ""))
    expected = request.form.get("expected", "")
    if until_on is None or not expected.isdecimal() or len(expected) > LONGEST_SUM_DIGITS:
        raise Invalid(problem="request")
    found = _chosen()
    paying.freeze(connection(), acting(), found.id, until_on, int(expected))
    return redirect(url_for("money.payouts", term=found.id), code=303)


@pages.get("/lead/money/payouts/<int:payout_id>.pdf")
@needs("see money")
def statement(payout_id: int) -> Response:
    return statement_file(paying.payout(connection(), g.visitor.partnership.id, payout_id))


def statement_file(found: paying.PayoutView) -> Response:
    """Return a payout's statement as an answer to be saved, in the reader's language."""
    held = _agreement(found.agreement_id)
    content = paying.statement(found, held, g.visitor.partnership.name, current())
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="statement-{found.id}.pdf"'
    return answer


@pages.get("/lead/money/payouts.csv")
@needs("see money")
def payouts_csv() -> Response:
    answer = Response(paying.as_csv(paying.payouts(connection(), _chosen().id)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="payouts.csv"'
    return answer


# ---------------------------------------------------------------- for everybody


def _accounts() -> open_accounts.Accounts:
    return open_accounts.accounts(connection(), agreement(), now(), today())


@pages.get("/accounts")
@needs("read public pages")
@anonymous
def accounts() -> Response:
    partnership = g.visitor.partnership
    page = render_template(
        "money/accounts.html",
        accounts=_accounts(),
        municipality=partnership.municipality,
        name=partnership.name,
    )
    return for_caches(make_response(page))


@pages.get("/accounts.csv")
@needs("read public pages")
@anonymous
def accounts_csv() -> Response:
    answer = Response(open_accounts.as_csv(_accounts()), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="accounts.csv"'
    return for_caches(answer)


@pages.get("/accounts.json")
@needs("read public pages")
@anonymous
def accounts_json() -> Response:
    return for_caches(jsonify(open_accounts.as_json(_accounts())))

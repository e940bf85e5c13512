"""What the demo's coordinator has done on Mondays: a purchase, a frozen quarter, its payouts, a decision."""

from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from scheduler.kit.paper import Paper
from scheduler.kit.refusals import Refusal
from scheduler.money.actions import buy
from scheduler.money.payouts import freeze as freeze_payouts
from scheduler.money.payouts import proposals
from scheduler.money.queries import current_agreement, terms
from scheduler.partnership.rules import BudgetLineKind
from scheduler.people.rules import Acting
from scheduler.reports.actions import freeze as freeze_report
from scheduler.reports.rules import PeriodKind, period
from scheduler.steering.actions import add_member, answer, call_meeting, propose
from scheduler.steering.rules import DecisionKind, Partner

VESTS_ORE = 249_500
# An extension is decided so long before the term ends, at the latest; a late one so long before today.
EXTENDED_BEFORE = timedelta(days=21)
DECIDED_LATELY = timedelta(days=14)
# What differs from the plan is decided before it happens: long before Walpurgis.
DEVIATION_AFTER = timedelta(days=60)
MEMBERS = (
    (Partner.MUNICIPALITY, "Ledamot A, kommunen"),
    (Partner.MUNICIPALITY, "Ledamot B, kommunen"),
    (Partner.CLUB, "Ledamot C, föreningen"),
    (Partner.CLUB, "Ledamot D, föreningen"),
)


def write_papers(connection: Connection, acting: Acting, today: date) -> None:
    """Write what belongs to the agreement of today; what cannot be yet is left out."""
    agreement = current_agreement(connection, acting.partnership_id, today)
    with suppress(Refusal):
        buy(
            connection,
            acting,
            line=BudgetLineKind.MATERIAL,
            what="Tio reflexvästar och fem lampor",
            bought_on=max(agreement.starts_on, today - timedelta(days=120)),
            amount_ore=VESTS_ORE,
            receipt=("application/pdf", _receipt(acting)),
            once="demo-vests",
        )
    last = period(PeriodKind.QUARTER, today).first - timedelta(days=1)
    with suppress(Refusal):
        freeze_report(connection, acting, agreement, period(PeriodKind.QUARTER, last))
    with suppress(Refusal):
        to_pay = sum(one.amount_ore for one in proposals(connection, agreement.id, last) if one.amount_ore > 0)
        freeze_payouts(connection, acting, agreement.id, last, to_pay)
    for partner, name in MEMBERS:
        add_member(connection, acting, partner, name, "")
    title = "Två områden på valborg och skolavslutningen"
    in_time = datetime.combine(agreement.starts_on + DEVIATION_AFTER, time(15), tzinfo=acting.zone)
    _decided(connection, acting, agreement.id, DecisionKind.DEVIATION, title, "Betalas av oförutsett.", in_time)
    day = today + timedelta(days=10)
    starts_at = datetime.combine(day, time(9, 30), tzinfo=acting.zone)
    meeting_id = call_meeting(connection, acting, starts_at, 60, "Kommunhuset", "Hösten hittills\nNästa år")
    extended = _extensions(connection, acting)
    if agreement.id not in extended:
        propose(connection, acting, agreement.id, DecisionKind.EXTENSION, "Ett år till", "", meeting_id=meeting_id)
    title = "Ny samlingsplats i Sörberge"
    propose(connection, acting, agreement.id, DecisionKind.ORDINARY, title, "Vid skolan.", meeting_id=meeting_id)


def _extensions(connection: Connection, acting: Acting) -> set[int]:
    """Let both partners have decided on each agreement that another follows; return which those are."""
    _, *followed = terms(connection, acting.partnership_id).items()
    for agreement_id, (_, ends_on) in followed:
        in_december = datetime.combine(ends_on - EXTENDED_BEFORE, time(15), tzinfo=acting.zone)
        then = min(in_december, acting.now - DECIDED_LATELY)
        _decided(connection, acting, agreement_id, DecisionKind.EXTENSION, "Ett år till", "Samma villkor.", then)
    return {agreement_id for agreement_id, _ in followed}


def _decided(
    connection: Connection,
    acting: Acting,
    agreement_id: int,
    kind: DecisionKind,
    title: str,
    text: str,
    at: datetime,
) -> None:
    """Let both partners have decided, at a time that has been."""
    then = replace(acting, now=min(at, acting.now))
    decision_id = propose(connection, then, agreement_id, kind, title, text)
    for partner in Partner:
        answer(connection, then, decision_id, partner, agreed=True)


def _receipt(acting: Acting) -> bytes:
    paper = Paper("Kvitto", "sv", acting.now)
    paper.heading("Kvitto")
    paper.paragraph("Påhittat, för visning.")
    return paper.finish()

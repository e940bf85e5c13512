import io
from datetime import UTC, date, datetime, timedelta

import pytest
from pypdf import PdfReader

from scheduler.money import actions, payouts
from scheduler.money.rules import NoPayout, ProposalChanged
from scheduler.partnership.queries import agreement_on
from tests import make
from tests.money.test_actions import AFTER, Ledger, at_once
from tests.visitor import Visitor

LAST = date(2026, 12, 31)


@pytest.fixture
def paid(each_database):
    """Two nights of a team of two clubs, settled."""
    ledger = Ledger(each_database)
    a, b, _ = ledger.clubs
    ledger.team = [*ledger.people[a][:2], ledger.people[b][0]]
    ledger.shifts = []
    for week in range(2):
        shift = ledger.shift(make.FRIDAY + timedelta(weeks=week), walkers=ledger.team)
        ledger.note(shift, ledger.team, AFTER + timedelta(weeks=week))
        ledger.shifts.append(shift)
    ledger.settle()
    return ledger


def proposed(ledger, until=LAST):
    found = ledger.read(payouts.proposals, ledger.town.agreement_id, until)
    return {one.club_id: one.amount_ore for one in found}


def freeze(ledger, expected, until=LAST, now=AFTER):
    acting = make.acting(ledger.town, None, now)
    return ledger.write(
        lambda connection: payouts.freeze(connection, acting, ledger.town.agreement_id, until, expected)
    )


def test_each_sum_is_proposed_by_period_and_frozen_once_with_its_nights(paid):
    a, b, _ = paid.clubs
    assert proposed(paid, make.FRIDAY) == {a: 166_667, b: 83_333}
    assert proposed(paid, make.FRIDAY - timedelta(days=1)) == {}
    _, one = freeze(paid, 250_000, make.FRIDAY)
    assert proposed(paid) == {a: 166_667, b: 83_333}
    found = paid.read(payouts.payout, paid.town.id, one)
    assert [(entry.night, entry.heads, entry.amount_ore) for entry in found.entries] == [(make.FRIDAY, 2, 166_667)]
    freeze(paid, 250_000)
    assert proposed(paid) == {}
    with pytest.raises(ProposalChanged):
        freeze(paid, 0)


def test_nobody_sends_a_sum_that_nobody_saw(paid):
    with pytest.raises(ProposalChanged):
        freeze(paid, 499_999)
    assert paid.read(payouts.payouts, paid.town.agreement_id) == []


def test_a_correction_after_the_payout_is_set_off_against_later_nights(paid):
    a, b, _ = paid.clubs
    freeze(paid, 500_000)
    frozen = paid.read(payouts.payouts, paid.town.agreement_id)
    paid.note(paid.shifts[0], paid.team[:2])
    paid.settle()
    assert proposed(paid) == {a: 83_333, b: -83_333}
    freeze(paid, 83_333, now=AFTER + timedelta(days=40))
    assert proposed(paid) == {b: -83_333}, "below zero nobody is paid: it waits"
    assert paid.read(payouts.payouts, paid.town.agreement_id)[-len(frozen) :] == frozen


def test_two_who_freeze_at_once_pay_once(paid):
    faults = at_once(6, lambda: freeze(paid, 500_000))
    assert faults == ["ProposalChanged"] * 5
    assert sum(one.amount_ore for one in paid.read(payouts.payouts, paid.town.agreement_id)) == 500_000


def test_the_control_without_the_hold_is_stopped_by_the_key_of_the_lines(paid):
    import threading

    gate = threading.Barrier(3)
    acting = make.acting(paid.town, None, AFTER)

    def unguarded():
        with paid.database.reading() as connection:
            found = payouts.proposals(connection, paid.town.agreement_id, LAST)
        gate.wait()
        paid.write(
            lambda connection: [
                payouts._freeze_one(connection, acting, paid.town.agreement_id, LAST, one) for one in found
            ]
        )

    assert at_once(3, unguarded) == ["IntegrityError"] * 2


def test_another_town_has_no_such_payout(paid):
    one, _ = freeze(paid, 500_000)
    with pytest.raises(NoPayout):
        paid.read(payouts.payout, 999_999, one)


def text_of(pdf):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_a_statement_is_a_tagged_pdf_that_can_be_searched_in_swedish(paid, app):
    _, one = freeze(paid, 500_000)
    with paid.database.reading() as connection, app.test_request_context():
        agreement = agreement_on(connection, paid.town.id, make.FRIDAY)
        found = payouts.payout(connection, paid.town.id, one)
        pdf = payouts.statement(found, agreement, "Nattvandring Timrå", "sv")
    text = text_of(pdf)
    assert "Avräkning för Nattvandring Timrå IK" in text
    assert "3\u00a0333,34\u00a0kr" in text
    assert "2026-11-27, Centrum" in text
    root = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("sv", True)
    kinds = [element.get_object()["/S"] for element in root["/StructTreeRoot"]["/K"][0].get_object()["/K"]]
    assert kinds[:2] == ["/H1", "/P"]
    assert "/H2" in kinds


def test_the_coordinator_freezes_and_takes_the_papers(app, database, town, clock):
    from scheduler.people.actions import grant_role
    from scheduler.people.rules import Role

    ledger = Ledger.__new__(Ledger)
    ledger.database, ledger.town, ledger.clubs, ledger.people = database, town, [town.club_id], {}
    team = database.write(lambda connection: make.people(connection, town, 2))
    karin = database.write(lambda connection: make.person(connection, town, "Karin"))
    database.write(lambda connection: grant_role(connection, town.id, karin, Role.COORDINATOR, make.NOW))
    shift = ledger.shift(walkers=team)
    ledger.note(shift, team)
    database.write(lambda connection: actions.settle_all(connection, make.acting(town, None, AFTER)))
    clock.instant = AFTER
    boss = Visitor(app, town).sign_in(karin)
    boss.get("/lead/money/payouts?until=2026-11-30")
    assert boss.forms_to("/lead/money/payouts")
    for wrong in ({}, {"until": "x", "expected": "1"}, {"until": "2026-11-30", "expected": "9" * 30}):
        boss.send("/lead/money/payouts", wrong, 422)
    boss.send("/lead/money/payouts", {"until": "2026-11-30", "expected": "1"}, 409)
    clock.instant = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    boss.follow(boss.send("/lead/money/payouts", {"until": "2026-11-30", "expected": "250000"}))
    assert "Avräkning (PDF)" in boss.words()
    answer = boss.get("/lead/money/payouts/1.pdf")
    assert answer.data.startswith(b"%PDF-")
    # What Excel in Swedish opens by a double click: the mark of UTF-8, semicolons, a decimal comma, the town's own day.
    raw = boss.get("/lead/money/payouts.csv").data
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = raw.decode("utf-8-sig").splitlines()
    assert lines[0] == "Utbetalning;Förening;Kvällar till och med;Kronor;Låst"
    assert lines[1] == "1;Nattvandring Timrå IK;2026-11-30;2500,00;2026-12-01"

import io
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select, update
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from scheduler.bookings import actions as bookings
from scheduler.kit.audit import AuditEntry
from scheduler.money import queries
from scheduler.money.tables import LedgerEntry
from scheduler.partnership.actions import add_club, sign_agreement
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from scheduler.walks.actions import write_note
from scheduler.walks.tables import WalkedFor
from tests import make
from tests.visitor import Visitor
from tests.walks.test_actions import CALM

AFTER = make.before_start(-5)
PURCHASE = {"what": "Västar", "amount": "1 250,50", "bought_on": "2026-11-23", "line": "material", "once": "key"}


@pytest.fixture
def karin(database, town):
    def write(connection):
        person = make.person(connection, town, "Karin")
        grant_role(connection, town.id, person, Role.COORDINATOR, make.NOW)
        return person

    return database.write(write)


@pytest.fixture
def walked(database, town, clock):
    def write(connection):
        team = make.people(connection, town, 2)
        shift = make.shift(connection, town)
        for person in team:
            bookings.book(connection, make.acting(town, person), shift, person, "k")
        write_note(connection, make.acting(town, None, AFTER), shift, CALM, team, leads=True)
        return shift

    clock.instant = AFTER
    return database.write(write)


def upload(visitor, changed, content, status=303, name="kvitto.pdf"):
    """Send the form with a file, as bytes made here: the test client would leave a large one's temporary file open."""
    fields = {**PURCHASE, **changed, "csrf_token": visitor.token(), "receipt": FileStorage(io.BytesIO(content), name)}
    boundary, body = encode_multipart(fields)
    answer = visitor.client.post(
        "/lead/money/purchases/new",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        base_url=f"http://{visitor.host}",
    )
    return visitor._checked(answer, status)


def test_the_coordinator_clicks_once_and_the_club_has_its_money(visitor, karin, walked):
    visitor.sign_in(karin).get("/lead/money")
    assert "Klart att avräkna" in visitor.words()
    visitor.follow(visitor.send("/lead/money/settle"))
    assert "Alla gångna pass är avräknade" in visitor.words()
    assert "2\u00a0500\u00a0kr" in visitor.text
    visitor.get("/lead/money/entries")
    assert "De tre stämmer" in visitor.words()
    visitor.follow(visitor.send("/lead/money/settle"))
    visitor.get("/lead/money/entries")
    assert visitor.words().count("Gånget pass") == 1


def test_the_municipality_sees_sums_and_settles_nothing(app, database, town, walked):
    mats = database.write(lambda connection: make.person(connection, town, "Mats", state=None))
    database.write(lambda connection: grant_role(connection, town.id, mats, Role.MUNICIPALITY, make.NOW))
    reader = Visitor(app, town).sign_in(mats)
    reader.get("/lead/money")
    assert not reader.forms_to("/lead/money/settle")
    assert "Person0" not in reader.text
    reader.send("/lead/money/settle", status=403)


@pytest.mark.parametrize(("settled", "told"), [("x", 422), ("999999", 404)])
def test_a_shift_that_does_not_exist_is_not_settled(visitor, karin, settled, told):
    visitor.sign_in(karin).send("/lead/money/settle", {"shift": settled}, told)


def test_a_shift_that_is_not_over_says_so(visitor, karin, database, town):
    shift = database.write(lambda connection: make.shift(connection, town))
    visitor.sign_in(karin).send("/lead/money/settle", {"shift": str(shift)}, 409)
    assert "Passet är inte slut" in visitor.words()


def test_a_shift_whose_walkers_have_no_club_is_listed_with_why_and_paid_to_the_club_that_is_named(
    visitor, karin, walked, database, town
):
    database.write(lambda connection: connection.execute(update(WalkedFor).values(club_id=None)))
    visitor.sign_in(karin).get("/lead/money")
    assert "Ingen som kom hörde till en förening" in visitor.words()
    assert "Redo att avräkna" not in visitor.words()
    visitor.send("/lead/money/settle", {"shift": str(walked)}, 409)
    visitor.send(f"/lead/money/shifts/{walked}/host", {"club": "999999"}, 404)
    visitor.send(f"/lead/money/shifts/{walked}/host", {"club": str(town.club_id)})
    visitor.get("/lead/money")
    assert "Alla gångna pass är avräknade" in visitor.words()
    assert "2 500" in visitor.words().replace("\xa0", " ")


def test_another_host_club_is_seen_before_it_is_named_and_only_a_coordinator_names_it(
    app, visitor, karin, walked, database, town
):
    club = database.write(lambda connection: add_club(connection, town.id, "Vivsta Gymnastik"))
    visitor.sign_in(karin).send("/lead/money/settle")
    visitor.get(f"/lead/money/shifts/{walked}?club={club}")
    assert "Tas tillbaka" in visitor.words()
    assert "\u22122\u00a0500" in visitor.text
    assert "Inget är ändrat än" in visitor.words()
    visitor.get("/lead/money/entries")
    assert visitor.words().count("Gånget pass") == 1, "looking changes nothing"

    mats = database.write(lambda connection: make.person(connection, town, "Mats", state=None))
    database.write(lambda connection: grant_role(connection, town.id, mats, Role.MUNICIPALITY, make.NOW))
    reader = Visitor(app, town).sign_in(mats)
    reader.get(f"/lead/money/shifts/{walked}?club={club}")
    assert not reader.forms_to(f"/lead/money/shifts/{walked}/host")
    reader.send(f"/lead/money/shifts/{walked}/host", {"club": str(club), "was": "own"}, 403)

    visitor.get(f"/lead/money/shifts/{walked}?club={club}")
    assert visitor.forms_to(f"/lead/money/shifts/{walked}/host")
    visitor.follow(visitor.send(f"/lead/money/shifts/{walked}/host", {"club": str(club), "was": "own"}))
    assert "Vivsta Gymnastik" in visitor.words()
    assert "Rättelse" in visitor.words()
    with database.reading() as connection:
        told = connection.execute(select(AuditEntry.what, AuditEntry.actor_person_id).order_by(AuditEntry.id)).all()
    assert [(what, karin) for what in ("shift.hosted", "money.reversed", "money.settled")] == told[-3:]
    # Somebody who still sees the page from before does not undo it unseen.
    visitor.send(f"/lead/money/shifts/{walked}/host", {"club": str(town.club_id), "was": "own"}, 409)
    assert "nyss valt en annan värdförening" in visitor.words()
    visitor.get(f"/lead/money/shifts/{walked}?club=own")
    visitor.follow(visitor.send(f"/lead/money/shifts/{walked}/host", {"club": "own", "was": str(club)}))
    assert "vandrarnas egna föreningar" in visitor.words()


def test_what_was_walked_under_an_agreement_is_paid_when_the_next_one_holds(
    visitor, karin, walked, database, town, clock
):
    with database.reading() as connection:
        first, last = queries.terms(connection, town.id)[town.agreement_id]
    visitor.sign_in(karin).send("/lead/money/settle")
    starts_on, ends_on = last + timedelta(days=1), last + timedelta(days=365)
    sums = {"night_rate_ore": 300_000, "promised_ore": 0, "lines_ore": {}}
    database.write(lambda connection: sign_agreement(connection, town.id, starts_on=starts_on, ends_on=ends_on, **sums))
    clock.instant = datetime.combine(last + timedelta(days=2), time(12), tzinfo=UTC)
    visitor.sign_in(karin).get("/lead/money/payouts")
    assert "Inget väntar på att betalas" in visitor.words()
    visitor.get("/lead/money")
    assert f"/lead/money?term={town.agreement_id}" in visitor.text
    visitor.get(f"/lead/money/payouts?term={town.agreement_id}")
    assert f"{first}" in visitor.words()
    sent = {"term": str(town.agreement_id), "until": str(ends_on), "expected": "250000"}
    visitor.follow(visitor.send("/lead/money/payouts", sent))
    assert "Avräkning (PDF)" in visitor.words()
    assert visitor.get("/lead/money/payouts/1.pdf").data.startswith(b"%PDF")
    visitor.get("/lead/money?term=999999", 404)


def test_a_shift_that_was_paid_out_says_where_its_correction_goes(visitor, karin, walked, database, town):
    club = database.write(lambda connection: add_club(connection, town.id, "Vivsta Gymnastik"))
    visitor.sign_in(karin).send("/lead/money/settle")
    visitor.send("/lead/money/payouts", {"until": "2026-11-30", "expected": "250000"})
    visitor.get(f"/lead/money/shifts/{walked}?club={club}")
    assert "redan utbetalt" in visitor.words()


@pytest.mark.parametrize(
    ("address", "status"), [("999999", 404), ("{walked}?club=999999", 404), ("{walked}?club=x", 422)]
)
def test_a_shift_or_a_club_that_is_not_here_has_no_money(visitor, karin, walked, address, status):
    visitor.sign_in(karin).get(f"/lead/money/shifts/{address.format(walked=walked)}", status)


@pytest.mark.parametrize(
    ("state", "told"),
    [("called off", "inställt"), ("no note", "Först rapport, sedan betalning"), ("one came", "färre än")],
)
def test_what_was_not_walked_says_why_when_it_is_to_be_settled(visitor, karin, database, town, clock, state, told):
    def write(connection):
        team = make.people(connection, town, 2)
        shift = make.shift(connection, town)
        for person in team:
            bookings.book(connection, make.acting(town, person), shift, person, "k")
        if state == "called off":
            make.call_off(connection, shift)
        if state == "one came":
            write_note(connection, make.acting(town, None, AFTER), shift, CALM, team[:1], leads=True)
        return shift

    shift = database.write(write)
    clock.instant = AFTER
    visitor.sign_in(karin).send("/lead/money/settle", {"shift": str(shift)}, 409)
    assert told.lower() in visitor.words().lower()


def test_a_paid_shift_is_not_paid_again_and_two_coordinators_do_no_harm(app, town, karin, walked, database):
    first, second = Visitor(app, town).sign_in(karin), Visitor(app, town).sign_in(karin)
    for boss in (first, second, first):
        boss.send("/lead/money/settle", {"shift": str(walked)})
        boss.send("/lead/money/settle")
    with database.reading() as connection:
        assert connection.execute(select(LedgerEntry.amount_ore)).scalars().all() == [250_000]


def test_a_purchase_keeps_its_receipt_and_gives_it_back_as_a_file(visitor, karin):
    content = b"%PDF-1.7\n" + b"x" * 400_000
    visitor.sign_in(karin)
    visitor.follow(upload(visitor, {}, content, name="../../etc/kvitto.pdf"))
    assert "1\u00a0250,50\u00a0kr" in visitor.text
    answer = visitor.get("/lead/money/purchases/1/receipt")
    assert answer.data == content
    assert answer.headers["Content-Disposition"] == 'attachment; filename="receipt-1.pdf"'
    visitor.follow(visitor.send("/lead/money/purchases/1/take-back"))
    assert "tillbakataget" in visitor.words()
    visitor.send("/lead/money/purchases/1/take-back", status=409)


@pytest.mark.parametrize(
    ("changed", "file", "told"),
    [
        ({}, b"#!/bin/sh\necho", "ingen PDF, PNG eller JPEG"),
        ({}, b"", "Välj kvittot"),
        ({}, b"%PDF-" + b"x" * (5 * 1024 * 1024 + 9), "större än 5 MB"),
        ({"amount": "gratis"}, b"%PDF-", "ingen summa"),
        ({"bought_on": "2099-01-01"}, b"%PDF-", "inte varit än"),
        ({"bought_on": "igår"}, b"%PDF-", "Skriv datumet"),
        ({"line": "weekend_nights"}, b"%PDF-", "Välj posten"),
        ({"what": ""}, b"%PDF-", "Skriv vad som köptes"),
        ({"what": "x" * 121}, b"%PDF-", "högst 120 tecken"),
    ],
)
def test_a_purchase_that_needs_mending_keeps_what_was_typed(visitor, karin, changed, file, told):
    upload(visitor.sign_in(karin), changed, file, 422)
    assert told in visitor.words()
    assert changed.get("amount", PURCHASE["amount"]) in visitor.text


def test_a_huge_file_is_refused_before_it_is_read_and_what_was_typed_stays(visitor, karin):
    upload(visitor.sign_in(karin), {}, b"%PDF-" + b"x" * 50 * 1024 * 1024, 413)
    assert "Kvittot är större än 5 MB" in visitor.words()
    for typed in (PURCHASE["what"], PURCHASE["amount"], PURCHASE["bought_on"]):
        assert f'value="{typed}"' in visitor.text
    # Other forms stay as small as they were.
    visitor.send("/lead/money/settle", {"shift": "1" * 300_000}, 413)


def test_the_worker_settles_what_was_walked(app, walked, clock):
    from scheduler.worker import once

    clock.instant = AFTER + timedelta(minutes=1)
    assert "nights settled: 1" in once(app)
    assert "nights settled" not in once(app)


def test_anybody_sees_what_each_club_received_and_may_take_it_along(app, town, karin, walked):
    Visitor(app, town).sign_in(karin).send("/lead/money/settle")
    anybody = Visitor(app, town)
    anybody.get("/accounts")
    assert "2026 Q4" in anybody.words()
    assert f"{'Nattvandring Timrå'} IK" in anybody.words()
    assert not {"Karin", "Person0", "Lyktdal"} & set(anybody.words().split())
    told = anybody.get("/accounts.json").json
    assert (told["used_ore"], told["shifts_walked"]) == (250_000, 1)
    assert told["quarters"] == [
        {
            "quarter": "2026 Q4",
            "nights": 1,
            "shifts": 1,
            "amount_ore": 250_000,
            "clubs": [{"club": "Nattvandring Timrå IK", "shifts": 1, "walkers": 2, "amount_ore": 250_000}],
        }
    ]
    lines = anybody.get("/accounts.csv").get_data(as_text=True).splitlines()
    assert lines == [
        "quarter,club,shifts,walkers,kronor,nights_in_quarter,shifts_in_quarter",
        "2026 Q4,Nattvandring Timrå IK,1,2,2500.00,1,1",
    ]


def test_a_clubs_name_is_no_formula_in_a_spreadsheet():
    from scheduler.money.accounts import harmless

    assert harmless("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert harmless("Timrå IK") == "Timrå IK"

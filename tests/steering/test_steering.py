from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
from sqlalchemy import select

from scheduler.kit.refusals import Invalid
from scheduler.money.facts import rate_changes
from scheduler.money.queries import budget
from scheduler.money.rules import Deviation, DeviationKind
from scheduler.partnership.queries import agreement_on
from scheduler.partnership.rules import BudgetLineKind
from scheduler.partnership.tables import Agreement
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from scheduler.steering import actions, queries
from scheduler.steering.rules import (
    AlreadyDecided,
    AlreadyRenewed,
    DecisionKind,
    NotDecided,
    NothingHere,
    NotYourPartner,
    Partner,
    RateNotDecided,
    Standing,
    mail_address,
    next_term,
    partner_of,
    standing,
)
from tests import make
from tests.money.test_actions import AFTER, Ledger, at_once
from tests.visitor import Visitor

CLUB, MUNICIPALITY = Partner.CLUB, Partner.MUNICIPALITY


@pytest.mark.parametrize(
    ("answers", "stands"),
    [
        ({}, Standing.OPEN),
        ({CLUB: True}, Standing.OPEN),
        ({CLUB: True, MUNICIPALITY: True}, Standing.DECIDED),
        ({CLUB: False}, Standing.REFUSED),
        ({CLUB: True, MUNICIPALITY: False}, Standing.REFUSED),
    ],
)
def test_a_decision_takes_both_partners(answers, stands):
    assert standing(answers) is stands


def test_each_answers_for_one_partner_only():
    assert partner_of({"coordinator", "volunteer"}) is CLUB
    assert partner_of({"municipality"}) is MUNICIPALITY
    assert partner_of({"municipality", "coordinator"}) is None
    assert partner_of({"volunteer"}) is None


def test_the_next_term_begins_the_day_after_and_lasts_a_year():
    assert next_term(date(2026, 12, 31)) == (date(2027, 1, 1), date(2027, 12, 31))
    assert next_term(date(2028, 2, 29)) == (date(2028, 3, 1), date(2029, 2, 28))


def test_what_is_no_address_is_refused():
    assert mail_address(" eva@timra.example ") == "eva@timra.example"
    assert mail_address("") == ""
    for wrong in ("eva", "eva@", "a@b.se\nBCC: c@d.se", "eva @x.se"):
        with pytest.raises(Invalid):
            mail_address(wrong)


class Group:
    def __init__(self, database):
        self.database = database
        self.town = database.write(make.town)
        self.acting = make.acting(self.town, None)

    def do(self, verb, *values, **more):
        return self.database.write(lambda connection: verb(connection, self.acting, *values, **more))

    def propose(self, kind=DecisionKind.EXTENSION):
        return self.do(actions.propose, self.town.agreement_id, kind, "Ett år till", "")

    def answer(self, decision, partner, *, agreed=True):
        return self.do(actions.answer, decision, partner, agreed=agreed)

    def decision(self):
        with self.database.reading() as connection:
            return queries.decisions(connection, self.town.id)[0]

    def renew(self):
        with self.database.reading() as connection:
            agreement = agreement_on(connection, self.town.id, make.FRIDAY)
        return self.do(actions.renew, agreement)


@pytest.fixture
def group(each_database):
    return Group(each_database)


def test_next_years_agreement_is_made_from_this_one_when_both_have_decided(group):
    extension = group.propose()
    with pytest.raises(NotDecided):
        group.renew()
    group.answer(extension, CLUB)
    group.answer(extension, CLUB)
    with pytest.raises(NotDecided):
        group.renew()
    group.answer(extension, MUNICIPALITY)
    assert group.decision().standing is Standing.DECIDED
    made = group.renew()
    with group.database.reading() as connection:
        later = agreement_on(connection, group.town.id, date(2028, 6, 1))
        present = agreement_on(connection, group.town.id, make.FRIDAY)
    assert (later.id, later.starts_on, later.ends_on) == (made, date(2028, 1, 1), date(2028, 12, 31))
    assert (later.lines, later.night_rate_ore) == (present.lines, present.night_rate_ore)
    with pytest.raises(AlreadyRenewed):
        group.renew()


def test_the_night_rate_changes_in_the_middle_of_a_term_by_a_decision_of_both_and_for_nights_to_come(group):
    def change(decision, from_on=make.SATURDAY, ore=300_000):
        with group.database.reading() as connection:
            agreement = agreement_on(connection, group.town.id, make.FRIDAY)
        group.do(actions.change_rate, agreement, decision, from_on, ore)

    extension, deviation = group.propose(), group.propose(DecisionKind.DEVIATION)
    for decision in (extension, deviation, 999_999):
        with pytest.raises(RateNotDecided):
            change(decision)
    group.answer(deviation, CLUB)
    with pytest.raises(RateNotDecided):
        change(deviation)
    group.answer(deviation, MUNICIPALITY)
    for day, problem in ((make.NOW.date(), "past"), (date(2028, 1, 1), "outside"), (date(2025, 1, 1), "outside")):
        with pytest.raises(Invalid) as refused:
            change(deviation, day)
        assert refused.value.problem == problem
    change(deviation)
    with group.database.reading() as connection:
        assert rate_changes(connection, group.town.agreement_id) == [(make.SATURDAY, 300_000)]


def test_the_page_changes_the_rate_only_by_a_decision_and_keeps_what_was_typed(app, town, cast):
    coordinator, reader = cast
    boss, municipality = Visitor(app, town).sign_in(coordinator), Visitor(app, town).sign_in(reader)
    boss.get("/lead/steering")
    assert "Ingen avvikelse är beslutad av båda parter än" in boss.words()
    boss.send("/lead/steering/decisions", {"kind": "deviation", "title": "Dyrare kvällar", "text": ""})
    boss.send("/lead/steering/decisions/1/answer", {"agreed": "yes"})
    boss.send("/lead/steering/rate", {"decision": "1", "from_on": "2026-12-01", "rate": "2 700"}, 409)
    assert "Båda parter måste först besluta om en avvikelse" in boss.words()
    municipality.send("/lead/steering/decisions/1/answer", {"agreed": "yes"})
    for fields, told in (
        ({"from_on": "2026-12-01", "rate": "2 700"}, "Välj beslutet"),
        ({"decision": "det nya", "from_on": "2026-12-01", "rate": "2 700"}, "Välj beslutet"),
        ({"decision": "1", "from_on": "i vinter", "rate": "2 700"}, "Skriv datumet"),
        ({"decision": "1", "from_on": "2026-11-23", "rate": "2 700"}, "som återstår"),
        ({"decision": "1", "from_on": "2026-12-01", "rate": "mycket"}, "ingen summa"),
    ):
        boss.send("/lead/steering/rate", fields, 422)
        assert told in boss.words(), fields
        assert f'value="{fields["from_on"]}"' in boss.text
    boss.send("/lead/steering/rate", {"decision": "1", "from_on": "2026-12-01", "rate": "2 700"})
    boss.get("/lead/steering")
    assert "Från 2026-12-01" in boss.words()
    assert "2 700" in boss.words().replace("\xa0", " ")


def test_a_new_rate_holds_from_midnight_in_the_town_not_in_london(app, town, cast, clock):
    coordinator, reader = cast
    boss, municipality = Visitor(app, town).sign_in(coordinator), Visitor(app, town).sign_in(reader)
    boss.send("/lead/steering/decisions", {"kind": "deviation", "title": "Dyrare kvällar", "text": ""})
    for one in (boss, municipality):
        one.send("/lead/steering/decisions/1/answer", {"agreed": "yes"})
    boss.send("/lead/steering/rate", {"decision": "1", "from_on": "2026-12-01", "rate": "2 777"})
    clock.instant = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)
    boss.get("/accounts")
    assert "2 777" not in boss.words().replace("\xa0", " ")
    clock.instant = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    boss.get("/accounts")
    assert "2 777" in boss.words().replace("\xa0", " ")


def test_many_who_renew_at_once_make_one_agreement(group):
    extension = group.propose()
    for partner in Partner:
        group.answer(extension, partner)
    assert at_once(6, group.renew) == ["AlreadyRenewed"] * 5
    with group.database.reading() as connection:
        assert len(connection.execute(select(Agreement.id)).all()) == 2


def test_another_decision_is_no_extension_and_a_no_stays(group):
    deviation = group.propose(DecisionKind.DEVIATION)
    for partner in Partner:
        group.answer(deviation, partner)
    with pytest.raises(NotDecided):
        group.renew()
    extension = group.propose()
    group.answer(extension, MUNICIPALITY, agreed=False)
    with pytest.raises(AlreadyDecided):
        group.answer(extension, MUNICIPALITY)
    assert group.decision().standing is Standing.REFUSED
    with pytest.raises(NotYourPartner):
        group.answer(extension, None)
    with pytest.raises(NothingHere):
        group.answer(999, CLUB)


def test_a_meeting_that_has_been_or_lasts_nothing_is_refused(group):
    for starts_at, minutes, place in (
        (make.NOW, 60, "Kommunhuset"),
        (make.NOW + timedelta(days=1), 0, "Kommunhuset"),
        (make.NOW + timedelta(days=1), 601, "Kommunhuset"),
        (make.NOW + timedelta(days=1), 60, "  "),
    ):
        with pytest.raises(Invalid):
            group.do(actions.call_meeting, starts_at, minutes, place, "")


@pytest.fixture
def cast(database, town):
    def write(connection):
        karin = make.person(connection, town, "Karin")
        grant_role(connection, town.id, karin, Role.COORDINATOR, make.NOW)
        mats = make.person(connection, town, "Mats", state=None)
        grant_role(connection, town.id, mats, Role.MUNICIPALITY, make.NOW)
        return karin, mats

    return database.write(write)


def test_each_partner_consents_by_its_own_hand_on_the_page(app, town, cast):
    boss, reader = (Visitor(app, town).sign_in(person) for person in cast)
    fields = {"kind": "deviation", "title": "Sju andra områden", "text": "Kostar 2 500 kr mer."}
    boss.follow(boss.send("/lead/steering/decisions", fields))
    boss.follow(boss.send("/lead/steering/decisions/1/answer", {"agreed": "yes"}))
    assert "Öppet: det krävs båda parter" in boss.words()
    assert not boss.forms_to("/lead/steering/decisions/1/answer")
    reader.get("/lead/steering")
    reader.follow(reader.send("/lead/steering/decisions/1/answer", {"agreed": "yes"}))
    assert "Beslutat av båda parter" in reader.words()
    boss.send("/lead/steering/renew", status=409)


def test_a_meeting_becomes_a_file_that_calendars_take_in_and_out(app, town, cast):
    boss = Visitor(app, town).sign_in(cast[0])
    member = {"partner": "municipality", "name": "Ida Ånge", "email": "ida@timra.example"}
    boss.send("/lead/steering/members", member)
    boss.send("/lead/steering/members", {"partner": "club", "name": 'Bo; "Club"', "email": "bo@club.example"})
    meeting = {"starts_at": "2026-12-03 09:30", "minutes": "60", "place": "Kommunhuset", "agenda": "Budget\nNästa år"}
    boss.send("/lead/steering/meetings", meeting)
    answer = boss.get("/lead/steering/meetings/1.ics")
    assert answer.content_type == "text/calendar; method=REQUEST; charset=utf-8"
    calendar = icalendar.Calendar.from_ical(answer.data)
    event = calendar.walk("VEVENT")[0]
    assert (calendar["METHOD"], event["SEQUENCE"]) == ("REQUEST", 0)
    assert event.decoded("DTSTART") == datetime(2026, 12, 3, 8, 30, tzinfo=UTC)
    invited = {str(one): (one.params["CN"], one.params["PARTSTAT"], one.params["RSVP"]) for one in event["ATTENDEE"]}
    assert invited == {
        "mailto:ida@timra.example": ("Ida Ånge", "NEEDS-ACTION", "TRUE"),
        "mailto:bo@club.example": ("Bo Club", "ACCEPTED", "FALSE"),
    }
    assert str(event["ORGANIZER"]) == "mailto:bo@club.example", "a member of the partner who calls it"
    own = boss.get("/lead/steering/meetings/1/own.ics")
    assert own.content_type == "text/calendar; charset=utf-8"
    (alone,) = icalendar.Calendar.from_ical(own.data).walk("VEVENT")
    assert (alone["UID"], alone.decoded("DTSTART")) == (event["UID"], event.decoded("DTSTART"))
    assert not any(word in own.data for word in (b"METHOD", b"ORGANIZER", b"ATTENDEE", b"X-WR-CALNAME"))
    for file in (answer.data, own.data):
        assert file.count(b"\r\n") == file.count(b"\n")
        assert max(map(len, file.split(b"\r\n"))) <= 75
    page = "/lead/steering/meetings/1"
    assert boss.follow(boss.send(page, meeting)) is not None
    assert icalendar.Calendar.from_ical(boss.get(f"{page}.ics").data).walk("VEVENT")[0]["SEQUENCE"] == 0
    boss.get(page)
    boss.follow(boss.send(page, meeting | {"starts_at": "2026-12-04 10:00"}))
    assert "Mötet är ändrat" in boss.words()
    moved = icalendar.Calendar.from_ical(boss.get(f"{page}.ics").data)
    changed = moved.walk("VEVENT")[0]
    assert (moved["METHOD"], changed["SEQUENCE"], changed["UID"]) == ("REQUEST", 1, event["UID"])
    assert changed.decoded("DTSTART") == datetime(2026, 12, 4, 9, tzinfo=UTC)
    boss.get(page)
    boss.send(page, meeting | {"minutes": "0"}, 422)
    assert "1 till 600 minuter" in boss.words()
    boss.send("/lead/steering/meetings/1/cancel")
    cancelled = icalendar.Calendar.from_ical(boss.get("/lead/steering/meetings/1.ics").data)
    after = cancelled.walk("VEVENT")[0]
    assert (cancelled["METHOD"], after["STATUS"], after["SEQUENCE"]) == ("CANCEL", "CANCELLED", 2)
    assert after["UID"] == event["UID"]
    assert {str(one) for one in after["ATTENDEE"]} == set(invited)
    boss.send(page, meeting, 409)
    boss.send("/lead/steering/members/1/remove")
    boss.get("/lead/steering")
    assert "ida@timra.example" not in boss.text


def test_a_member_says_which_seat_is_hers_and_only_of_her_own_partner(app, town, cast, database):
    boss, reader = (Visitor(app, town).sign_in(person) for person in cast)
    for partner, name in (("club", "Karin"), ("club", "Bo"), ("municipality", "Mats")):
        boss.send("/lead/steering/members", {"partner": partner, "name": name, "email": f"{name}@post.example"})
    reader.get("/lead/steering")
    reader.send("/lead/steering/members/1/mine", status=403)
    boss.get("/lead/steering")
    assert not boss.forms_to("/lead/steering/members/3/mine"), "the municipality's seat"
    boss.follow(boss.send("/lead/steering/members/1/mine"))
    assert "Det är du" in boss.words()
    assert not boss.forms_to("/lead/steering/members/2/mine"), "one seat for each"
    boss.send("/lead/steering/members/2/mine", status=409)
    boss.send("/lead/steering/members/999/mine", status=404)
    boss.get("/me/data")
    assert "Karin@post.example" in boss.text
    boss.get("/me/forget")
    assert "Din plats i styrgruppen" in boss.words()
    reader.get("/me/forget")
    assert "Står ditt namn i styrgruppen?" in reader.words()


def test_who_has_left_the_group_is_gone_from_its_meetings_when_they_are_over(group):
    for partner in Partner:
        group.do(actions.add_member, partner, f"Bo {partner}", f"bo@{partner}.example")
    soon, later = (make.NOW + timedelta(days=days) for days in (1, 30))
    for starts_at in (soon, later):
        group.do(actions.call_meeting, starts_at, 60, "Kommunhuset", "", CLUB)

    def callers(now):
        forgotten = group.database.write(lambda connection: actions.forget_callers(connection, now))
        with group.database.reading() as connection:
            return forgotten, [one.organizer_email for one in queries.meetings(connection, group.town.id)]

    after = soon + timedelta(days=1)
    assert callers(after) == (0, ["bo@club.example"] * 2), "who sits there still stays its caller"
    with group.database.reading() as connection:
        (bo,) = [one.id for one in queries.members(connection, group.town.id) if one.partner is CLUB]
    group.do(actions.remove_member, bo)
    assert callers(make.NOW) == (0, ["bo@club.example"] * 2), "calendars still need the caller of what is to come"
    assert callers(after) == (1, ["bo@club.example", ""])
    assert callers(later + timedelta(days=1)) == (1, ["", ""])


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("members", {"partner": "club", "name": "", "email": ""}, "Fyll i det här"),
        ("members", {"partner": "x", "name": "Ida"}, "Välj en"),
        ("members", {"partner": "club", "name": "Ida", "email": "ida"}, "ingen e-postadress"),
        ("meetings", {"starts_at": "i morgon"}, "Välj dag och tid"),
        ("meetings", {"starts_at": "2020-01-01T10:00", "minutes": "60", "place": "x"}, "inte har varit"),
        ("decisions", {"kind": "ordinary", "title": "x" * 121}, "för långt"),
        ("decisions", {"kind": "ordinary", "title": "x", "text": "y" * 2001}, "för långt"),
    ],
)
def test_what_needs_mending_is_told_and_kept(app, town, cast, path, fields, told):
    boss = Visitor(app, town).sign_in(cast[0])
    boss.send(f"/lead/steering/{path}", fields, 422)
    assert told in boss.words()
    kept = [value for value in fields.values() if len(value) > 1 and value != "club"]
    assert all(value in boss.text for value in kept if value not in {"ordinary", "x"})


def test_without_addresses_the_file_asks_nobody(app, town, cast):
    boss = Visitor(app, town).sign_in(cast[0])
    meeting = {"starts_at": "2026-12-03 09:30", "minutes": "60", "place": "Kommunhuset", "agenda": ""}
    boss.send("/lead/steering/meetings", meeting)
    answer = boss.get("/lead/steering/meetings/1.ics")
    assert answer.content_type == "text/calendar; method=PUBLISH; charset=utf-8"
    calendar = icalendar.Calendar.from_ical(answer.data)
    assert calendar["METHOD"] == "PUBLISH", "RFC 5546, 3.2.2: a request must have an attendee"
    assert "ATTENDEE" not in calendar.walk("VEVENT")[0]
    boss.send("/lead/steering/members", {"partner": "municipality", "name": "Ida", "email": "ida@timra.example"})
    event = icalendar.Calendar.from_ical(boss.get("/lead/steering/meetings/1.ics").data).walk("VEVENT")[0]
    assert event["ATTENDEE"].params["RSVP"] == "FALSE", "nobody reads answers to Lykta"


@pytest.fixture
def drifting(each_database):
    """Ten nights of which one club of three has all."""
    ledger = Ledger(each_database)
    team = ledger.people[ledger.clubs[0]][:2]
    for week in range(10):
        shift = ledger.shift(make.FRIDAY + timedelta(weeks=week), walkers=team)
        ledger.note(shift, team, AFTER + timedelta(weeks=week))
    ledger.settle()
    return ledger


def test_a_deviation_of_the_accounts_is_attached_to_its_decision_as_it_was(drifting):
    acting = make.acting(drifting.town, None)
    agreement = drifting.read(agreement_on, drifting.town.id, make.FRIDAY)
    (present,) = drifting.read(budget, agreement, AFTER, AFTER.date()).deviations
    assert present.kind is DeviationKind.CLUB_DRIFTS, "a club that got nothing counts as a share"
    meeting = drifting.write(
        lambda unit: actions.call_meeting(unit, acting, make.NOW + timedelta(days=7), 60, "Kommunhuset", "")
    )
    drifting.write(
        lambda unit: actions.propose(
            unit, acting, agreement.id, DecisionKind.DEVIATION, "En förening får allt", "",
            deviations=[present], meeting_id=meeting,
        )
    )  # fmt: skip
    (decision,) = drifting.read(queries.decisions, drifting.town.id)
    assert (decision.deviations, decision.meeting_id) == ([present], meeting)
    grown = replace(present, becomes=present.becomes + 1)
    other = Deviation(DeviationKind.SECOND_AREAS, 7, 6, BudgetLineKind.UNFORESEEN)
    assert [one.decision for one in queries.noticed([grown, other], [decision])] == [decision, None]
    with pytest.raises(NothingHere):
        drifting.write(
            lambda unit: actions.propose(
                unit, acting, agreement.id, DecisionKind.DEVIATION, "x", "", meeting_id=999_999
            )
        )


def test_the_page_leads_from_a_deviation_to_its_decision_and_its_meeting(app, database, town, cast, clock):
    ledger = Ledger.__new__(Ledger)
    ledger.database, ledger.town = database, town
    team = database.write(lambda connection: make.people(connection, town, 2))
    for day in range(7):
        for area in (town.centre, town.arena):
            shift = ledger.shift(
                make.FRIDAY + timedelta(days=day), area=area, walkers=team if area == town.centre else []
            )
            if area == town.centre:
                ledger.note(shift, team, AFTER + timedelta(days=day))
    ledger.settle()
    boss = Visitor(app, town).sign_in(cast[0])
    boss.get("/lead/money")
    assert "Till styrgruppen" in boss.words()
    meeting = {"starts_at": "2026-12-03 09:30", "minutes": "60", "place": "Kommunhuset", "agenda": ""}
    boss.send("/lead/steering/meetings", meeting)
    key = "second_areas:unforeseen"
    boss.get(f"/lead/steering?about={key}")
    assert "7 andra områden" in boss.words()
    fields = {"kind": "deviation", "title": "Sju i stället för sex", "about": key, "meeting": "1"}
    boss.follow(boss.send("/lead/steering/decisions", fields))
    assert "Som det var när det föreslogs" in boss.words()
    boss.get("/lead/steering/meetings/1")
    assert "Sju i stället för sex" in boss.words()
    boss.get("/lead/steering")
    boss.send("/lead/steering/decisions", fields | {"meeting": "x"}, 422)
    boss.send("/lead/steering/decisions", fields | {"meeting": "999"}, 404)

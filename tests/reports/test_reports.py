import io
import zipfile
from datetime import UTC, date, datetime, time, timedelta

import pytest
import python_calamine
from pypdf import PdfReader

from scheduler.kit.refusals import Invalid
from scheduler.partnership.queries import agreement_on
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from scheduler.reports import actions, links, queries
from scheduler.reports.figures import figures
from scheduler.reports.rules import LinkOver, NotesMissing, NotOverYet, PeriodKind, differences, period
from scheduler.walks.actions import forget_texts
from scheduler.walks.queries import note_of
from tests import make
from tests.money.test_actions import AFTER, Ledger, at_once
from tests.visitor import Visitor

NOVEMBER = period(PeriodKind.MONTH, date(2026, 11, 1))
QUARTER = period(PeriodKind.QUARTER, date(2026, 11, 1))
NEW_YEAR = datetime(2027, 1, 2, 12, tzinfo=UTC)


class Reported(Ledger):
    def figures(self, asked=QUARTER, now=NEW_YEAR):
        with self.database.reading() as connection:
            return figures(connection, agreement_on(connection, self.town.id, asked.first), asked, now)

    def freeze(self, asked=QUARTER, now=NEW_YEAR):
        with self.database.reading() as connection:
            agreement = agreement_on(connection, self.town.id, asked.first)
        acting = make.acting(self.town, None, now)
        return self.write(lambda connection: actions.freeze(connection, acting, agreement, asked))


@pytest.fixture
def autumn(each_database):
    """A double night and one night in November, one in December that nobody had come to, one called off."""
    ledger = Reported(each_database)
    a, b, _ = ledger.clubs
    ledger.one, ledger.other = ledger.people[a][:2], ledger.people[b][:3]
    ledger.first = ledger.shift(walkers=ledger.one)
    second = ledger.shift(area=ledger.town.arena, walkers=ledger.other)
    third = ledger.shift(make.SATURDAY, walkers=ledger.one)
    ledger.shift(make.FRIDAY + timedelta(weeks=1))
    off = ledger.shift(make.FRIDAY + timedelta(weeks=2))
    ledger.write(lambda connection: make.call_off(connection, off))
    for shift, team in ((ledger.first, ledger.one), (second, ledger.other), (third, ledger.one)):
        ledger.note(shift, team, AFTER + timedelta(days=1))
    ledger.settle()
    return ledger


def test_a_quarter_counts_what_was_walked_by_whom_and_what_it_cost(autumn):
    found = autumn.figures()
    assert (found.planned, found.walked, found.called_off, found.not_walked) == (5, 3, 1, 1)
    assert (found.double_nights, found.walkers, found.new_walkers) == (1, 5, 5)
    assert found.hours == (2 + 3 + 2) * 4
    assert found.coverage_percent == round(100 * 7 / 27)
    assert [(one.shifts, one.amount_ore) for one in found.clubs] == [(2, 500_000), (1, 250_000)]
    lines = {one.line: (one.period_ore, one.used_ore) for one in found.lines}
    assert lines == {"weekend_nights": (500_000,) * 2, "unforeseen": (250_000,) * 2, "material": (0, 0)}
    assert (found.moods, found.notes) == ({"calm": 3}, 3)
    november = autumn.figures(NOVEMBER)
    assert (november.planned, november.walked) == (3, 3)


def test_nobody_is_new_twice(autumn):
    shift = autumn.shift(date(2027, 1, 8), walkers=autumn.one)
    autumn.note(shift, autumn.one, datetime(2027, 1, 9, 3, tzinfo=UTC))
    january = period(PeriodKind.MONTH, date(2027, 1, 1))
    found = autumn.figures(january)
    assert (found.walkers, found.new_walkers) == (2, 0)


def test_a_night_at_new_year_belongs_to_the_evening_on_which_it_starts(autumn):
    shift = autumn.shift(date(2026, 12, 31), walkers=autumn.one)
    autumn.note(shift, autumn.one, datetime(2027, 1, 1, 3, tzinfo=UTC))
    assert autumn.figures().walked == 4


def test_a_walk_through_the_change_of_clocks_lasts_as_long_as_it_did(autumn):
    shift = autumn.shift(date(2027, 3, 27), walkers=autumn.one, ends=time(3, 30))
    autumn.note(shift, autumn.one, datetime(2027, 3, 28, 3, tzinfo=UTC))
    march = autumn.figures(period(PeriodKind.MONTH, date(2027, 3, 1)))
    assert march.minutes == 2 * 330, "from 21:00 to 03:30 in the night that has no hour from 02 to 03"


def test_a_report_is_frozen_when_its_period_is_over_and_its_notes_are_in(autumn):
    with pytest.raises(NotOverYet):
        autumn.freeze(now=datetime(2026, 12, 31, 12, tzinfo=UTC))
    late = autumn.shift(date(2026, 12, 18), walkers=autumn.other)
    with pytest.raises(NotesMissing) as refused:
        autumn.freeze()
    assert refused.value.count == 1
    autumn.note(late, autumn.other, NEW_YEAR)
    assert autumn.freeze()


def test_a_later_correction_shows_beside_the_frozen_numbers(autumn):
    report = autumn.freeze()
    autumn.note(autumn.first, autumn.one[:1], NEW_YEAR)
    autumn.settle(NEW_YEAR)
    _, then = autumn.read(queries.frozen, autumn.town.id, report)
    told = {one.what: (one.then, one.now) for one in differences(then, autumn.figures())}
    assert told["walked"] == (3, 2)
    assert then.walked == 3
    again = autumn.freeze()
    assert autumn.read(queries.frozen, autumn.town.id, again)[0].version == 2


def test_two_who_freeze_at_once_make_two_versions(autumn):
    assert at_once(4, autumn.freeze) == []
    versions = [one.version for one in autumn.read(queries.frozen_reports, autumn.town.id)]
    assert versions == [4, 3, 2, 1]


def test_texts_are_forgotten_ninety_days_after_the_report(autumn):
    autumn.freeze()

    def forget(now):
        return autumn.write(lambda connection: forget_texts(connection, now, queries.quarters_reported(connection)))

    assert forget(NEW_YEAR + timedelta(days=89)) == 0
    assert forget(NEW_YEAR + timedelta(days=90)) == 3
    assert autumn.read(note_of, autumn.first).text == ""
    assert autumn.figures().moods == {"calm": 3}


def test_a_reader_link_ends_by_views_by_time_and_by_hand(autumn):
    acting = make.acting(autumn.town, None)

    def make_link(days=1, views=3):
        return autumn.write(lambda connection: links.make_link(connection, acting, " Kommunens  revisor ", days, views))

    def look(secret, now=make.NOW, town=None):
        return autumn.write(lambda connection: links.look(connection, town or autumn.town.id, secret, now))

    secret = make_link()
    faults = at_once(8, lambda: look(secret))
    assert faults == ["LinkOver"] * 5, "three views, however many at once"
    secret = make_link()
    assert look(secret) == "Kommunens revisor"
    for wrong in (
        lambda: look(secret, make.NOW + timedelta(days=1)),
        lambda: look(secret, town=999),
        lambda: look("guessed"),
    ):
        with pytest.raises(LinkOver):
            wrong()
    link = autumn.read(links.links, autumn.town.id, make.NOW)[0]
    autumn.write(lambda connection: links.end_link(connection, acting, link.id))
    with pytest.raises(LinkOver):
        look(secret)
    for days, views in ((0, 1), (91, 1), (1, 0), (1, 201)):
        with pytest.raises(Invalid):
            make_link(days, views)


@pytest.fixture
def boss(app, database, town, clock):
    def write(connection):
        karin = make.person(connection, town, "Karin")
        grant_role(connection, town.id, karin, Role.COORDINATOR, make.NOW)
        return karin

    clock.instant = NEW_YEAR
    return Visitor(app, town).sign_in(database.write(write))


@pytest.fixture
def walked(database, town):
    ledger = Ledger.__new__(Ledger)
    ledger.database, ledger.town = database, town
    team = database.write(lambda connection: make.people(connection, town, 3))
    ledger.note(ledger.shift(walkers=team), team)
    ledger.settle()
    return ledger


def test_the_coordinator_freezes_and_anybody_with_the_link_reads_numbers_and_no_names(boss, walked, app, town, clock):
    boss.get("/lead/reports")
    boss.get("/lead/reports/quarter/2026-10-01")
    assert "Kvartalsrapport, kvartal 4 2026" in boss.words()
    assert "27. Centrum: Gått, färre än önskat, 3 / 9." in boss.words()
    boss.follow(boss.send("/lead/reports/quarter/2026-10-01"))
    assert "Version 1 är låst" in boss.words()
    boss.send("/lead/reports/links", {"whom": "Revisorn", "days": "7", "views": "2"}, 200)
    address = boss.text.split('id="link" value="')[1].split('"')[0]
    path = address.removeprefix(make.SITE)
    reader = Visitor(app, town)
    for _ in range(2):
        reader.get(path)
        assert "Kvartalsrapport" in reader.words()
        assert not {"Karin", "Person0", "Person1", "Lyktdal"} & set(reader.words().split())
    reader.get(path, 404)
    assert "Länken gäller inte längre" in reader.words()
    boss.send("/lead/reports/links", {"whom": "", "days": "7", "views": "2"}, 422)
    typed = {"whom": "x", "days": "seven", "views": "2"}
    boss.send("/lead/reports/links", typed, 422)
    assert {name: boss.page.find(f".//*[@id='{name}']").get("value") for name in typed} == typed


@pytest.mark.parametrize(
    "path",
    ["month/2026-11-02", "month/x", "week/2026-11-01", "quarter/2026-11-01", "month/2031-01-01", "month/1900-01-01"],
)
def test_a_period_that_is_none_is_no_page(boss, path):
    boss.get(f"/lead/reports/{path}", 404)


def test_the_workbook_tells_the_notes_and_what_was_corrected_since(boss, walked, town):
    def words(address):
        with zipfile.ZipFile(io.BytesIO(boss.get(address).data)) as book:
            return book.read("xl/sharedStrings.xml").decode()

    boss.get("/lead/reports/quarter/2026-10-01")
    boss.send("/lead/reports/quarter/2026-10-01")
    before = words("/lead/reports/1.xlsx")
    for told in ("Stämning", "Lugnt", "Unga", "Det som präglade den"):
        assert told in before, told
    assert "Rättat sedan dess" not in before
    third = walked.database.write(lambda connection: make.people(connection, town, 2))
    walked.note(walked.shift(make.SATURDAY, walkers=third), third, NEW_YEAR)
    walked.settle()
    after = words("/lead/reports/1.xlsx")
    assert "Rättat sedan dess" in after
    assert "Gångna pass: 1 när rapporten låstes, nu 2." in after


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_pdf_is_tagged_and_can_be_searched_in_both_languages(boss, walked, database, town, language):
    def write(connection):
        reader = make.person(connection, town, "Mats", state=None, language=language)
        grant_role(connection, town.id, reader, Role.MUNICIPALITY, make.NOW)
        return reader

    answer = boss.sign_in(database.write(write)).get("/lead/reports/quarter/2026-10-01.pdf")
    pdf = PdfReader(io.BytesIO(answer.data))
    text = "\n".join(page.extract_text() for page in pdf.pages)
    assert ("Kvartalsrapport" if language == "sv" else "Quarterly report") in text
    assert "Nattvandring Timrå" in text
    assert "Person0" not in text
    root = pdf.trailer["/Root"]
    assert root["/Lang"] == language
    elements = [one.get_object() for one in root["/StructTreeRoot"]["/K"][0].get_object()["/K"]]
    kinds = [one["/S"] for one in elements]
    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") >= 6
    told = [one.get("/Alt") for one in elements if one["/S"] == "/Figure"]
    assert all(told)
    month = {
        "sv": "november 2026. Gått, färre än önskat: 1",
        "en": "November 2026. Walked, fewer than wanted: 1",
    }
    assert month[language] in told, "the picture of the calendar is told in words"


def test_the_workbook_sums_by_formulas(boss, walked):
    answer = boss.get("/lead/reports/quarter/2026-10-01.xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
        sheets = "".join(book.read(name).decode() for name in book.namelist() if "worksheets/" in name)
        words = book.read("xl/sharedStrings.xml").decode()
    assert "<f>SUM(D2:D2)</f><v>2500.0</v>" in sheets
    assert "<f>SUM('Föreningar'!D2:D2)</f><v>2500.0</v>" in sheets, "what stands in short follows the other sheets"
    assert "<f>SUM('Områden'!C2:C2)</f><v>1</v>" in sheets
    assert "Nattvandring Timrå IK" in words
    assert "Person0" not in words


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_evenings_of_the_workbook_are_dates_that_a_spreadsheet_sorts_and_counts(
    boss, walked, database, town, language
):
    def write(connection):
        reader = make.person(connection, town, "Mats", state=None, language=language)
        grant_role(connection, town.id, reader, Role.MUNICIPALITY, make.NOW)
        return reader

    others = database.write(lambda connection: make.people(connection, town, 2))
    walked.note(walked.shift(make.SATURDAY, walkers=others), others, NEW_YEAR)
    answer = boss.sign_in(database.write(write)).get("/lead/reports/quarter/2026-10-01.xlsx")
    book = python_calamine.load_workbook(io.BytesIO(answer.data))
    rows = book.get_sheet_by_name("Kvällar" if language == "sv" else "Evenings").to_python()
    assert [row[0] for row in rows[1:-1]] == [make.FRIDAY, make.SATURDAY]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as raw:
        assert 'formatCode="yyyy\\-mm\\-dd"' in raw.read("xl/styles.xml").decode()


def test_a_report_that_is_frozen_after_midnight_is_of_the_towns_own_day(boss, clock):
    clock.instant = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    boss.get("/lead/reports/quarter/2026-10-01")
    boss.send("/lead/reports/quarter/2026-10-01")
    told = PdfReader(io.BytesIO(boss.get("/lead/reports/1.pdf").data)).pages[0].extract_text()
    assert "Version 1, låst 2027-01-01." in told

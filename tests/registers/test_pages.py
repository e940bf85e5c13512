"""From the file to the invited member: what the one who leads sees, and what is kept of it meanwhile."""

import io
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from scheduler.kit.audit import AuditEntry
from scheduler.kit.database import Database
from scheduler.messages.rules import MessageKind
from scheduler.messages.tables import Message
from scheduler.partnership.actions import add_club
from scheduler.people.rules import MembershipState
from scheduler.people.tables import Membership, Person
from scheduler.registers.tables import MemberList
from scheduler.worker import one_pass, sender
from tests import make
from tests.registers.conftest import bring_in, leader, upload
from tests.registers.files import PLAIN, as_csv, as_xlsx, identity_number
from tests.visitor import HTML, Visitor

ASA = identity_number(date(1985, 8, 22))
BO = identity_number(date(1971, 3, 4), mark="", century=False)
CHILD = identity_number(date(2015, 5, 5))
GOOD = [["Åsa", "Öst", "070-174 06 55", ASA], ["Bo", "Ek", "0701740656", BO]]
LIST = as_csv([list(PLAIN), *GOOD, ["Tim", "Öst", "070-174 06 55", CHILD], ["Cia", "Al", "08-123 456 78", ""]])


def people(database):
    with database.reading() as connection:
        rows = connection.execute(
            select(Person.first_name, Person.phone, Person.born_on, Membership.state)
            .join(Membership, Membership.person_id == Person.id)
            .order_by(Person.id)
        )
        return [tuple(row) for row in rows]


def dump(database):
    """Return everything that the database holds, as text."""
    with database.reading() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        return "\n".join(repr(row) for name in names for row in connection.execute(text(f'SELECT * FROM "{name}"')))


def test_a_list_is_looked_at_and_brought_in(karin, database, town):
    karin.get("/lead/people/import")
    path = upload(karin, LIST)
    shown = karin.words()
    assert "2 personer kan läggas in" in shown
    assert "Åsa Öst rad 2" in shown
    assert "Under 18 1 rad. Bara vuxna går." in shown
    assert "Tim Öst rad 4" in shown
    assert "Numret går till en fast telefon · Födelsedatumet saknas" in shown
    assert "Cia Al rad 508-123 456 78" in shown
    assert "2 sms, ungefär 1" in shown
    assert "1985" not in karin.text, "a birth date is its owner's"
    assert len(people(database)) == 1, "nothing yet but the coordinator"
    bring_in(karin, path)
    assert "2 personer är inlagda" in karin.words()
    assert "Stannade utanför2" in karin.words()
    assert people(database)[1:] == [
        ("Åsa", "+46701740655", date(1985, 8, 22), MembershipState.INVITED),
        ("Bo", "+46701740656", date(1971, 3, 4), MembershipState.INVITED),
    ]
    karin.follow(karin.send(path))
    assert "2 personer är inlagda" in karin.words(), "a second tap changes nothing"
    assert len(people(database)) == 3
    with database.reading() as connection:
        assert connection.execute(select(Message.id).where(Message.kind == MessageKind.INVITED)).all() == []
        what = connection.execute(select(AuditEntry.what).where(AuditEntry.what.like("%import%"))).scalars().all()
        assert what == ["people.imported"]
        assert connection.execute(select(MemberList.rows)).scalar_one() == []
    karin.get("/lead/log")
    assert "lade in en medlemslista" in karin.words()
    assert "blev inbjuden av en förening" in karin.words()


def test_no_identity_number_is_kept_or_shown_at_any_time(karin, database, capfd):
    path = upload(karin, LIST)
    seen = [karin.text, dump(database)]
    bring_in(karin, path)
    seen += [karin.text, dump(database), *capfd.readouterr()]
    for number in (ASA, BO, CHILD):
        for page in seen:
            assert number[-4:] not in page.replace("0701740", "")
            assert number not in page


def test_they_are_told_by_text_when_the_coordinator_says_so(karin, database):
    path = upload(karin, LIST)
    bring_in(karin, path, tell="yes")
    assert "Sms på väg2" in karin.words()
    with database.reading() as connection:
        bodies = connection.execute(select(Message.body).where(Message.kind == MessageKind.INVITED)).scalars().all()
    assert len(bodies) == 2
    assert "vill ha med dig" in bodies[0]
    assert "/welcome" in bodies[0]


def test_a_second_time_only_what_was_mended_comes_in(karin, database):
    bring_in(karin, upload(karin, LIST))
    mended = as_csv([list(PLAIN), *GOOD, ["Cia", "Al", "070-174 06 57", "1990-01-01"]])
    path = upload(karin, mended)
    assert "1 person kan läggas in" in karin.words()
    assert "Är redan med i föreningen2" in karin.words()
    bring_in(karin, path)
    assert [row[0] for row in people(database)] == ["Karin", "Åsa", "Bo", "Cia"]


def test_columns_can_be_corrected(karin):
    rows = [["Vem", "Nås på", "Annat", "Kommer från"], ["Öst, Åsa", "070-174 06 55", ASA, "Vivsta"]]
    path = upload(karin, as_csv(rows))
    assert "Vilken kolumn är vad?" in karin.words()
    assert "Ange var namnen står" in karin.words()
    form = karin.forms_to(f"{path}/columns")[0]
    options = {option.text: option.get("value") for option in form.iter(f"{HTML}option")}
    assert "Annat: 18+" in options, "not the date itself"
    chosen = {
        "full_name": options["Vem: Öst, Åsa"],
        "phone": options["Nås på: 070-174 06 55"],
        "born_on": options["Annat: 18+"],
    }
    karin.follow(karin.send(f"{path}/columns", chosen))
    assert "1 person kan läggas in" in karin.words()
    karin.follow(karin.send(f"{path}/columns", {**chosen, "phone": "999", "club": "x"}))
    assert "Ange var mobilnumren står" in karin.words()
    karin.follow(karin.send(path, {"coming": "1"}))
    assert "Något har ändrats sedan du tittade" in karin.words()


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "tom.csv", "Filen är tom"),
        (as_csv([list(PLAIN)]), "rubriker.csv", "inga personer under dem"),
        (b"MZ\x90\x00" + bytes(3000), "medlemmar.xlsx", "Det är ingen lista, vad filen än heter"),
        (as_csv([list(PLAIN), *[GOOD[0]] * 50_000]), "alla.csv", "fler än 5 000 rader"),
        (b";" * (5 * 1024 * 1024 + 9), "stor.csv", "större än 5 MB"),
        (as_xlsx([list(PLAIN), *GOOD])[:3000], "trasig.xlsx", "kan vara skadad"),
    ],
    ids=["nothing", "headings", "exe", "rows", "size", "broken"],
)
def test_a_file_that_is_no_list_is_answered_kindly(karin, content, name, told):
    upload(karin, content, 422, name)
    assert told in karin.words()
    chosen = [o.get("value") for o in karin.page.iter(f"{HTML}option") if o.get("selected") is not None]
    assert chosen in ([], [str(karin.town.club_id)])


def test_no_file_and_no_club_are_both_told(karin, database, town):
    database.write(lambda connection: add_club(connection, town.id, "Sörberge BK"))
    karin.send("/lead/people/import", {"club": "9999"}, 422, content_type="multipart/form-data")
    assert "2 saker att rätta" in karin.words()
    upload(karin, LIST, 422, club="9999")
    assert "Välj filen en gång till" in karin.words()
    karin.send("/lead/people/import", {"club": town.club_id, "file": "no file at all"}, 422)


def test_reading_a_list_waits_for_nobody_who_writes(karin, database):
    """With the database's only writer at work, a file is still read and answered."""
    another = Database(str(database.engine.url))
    with another.engine.execution_options(writes=True).begin():
        upload(karin, as_csv([list(PLAIN)]), 422)
        fetch(karin, "exe", 422)
    another.dispose()


def test_a_list_that_is_far_too_large_is_refused_before_it_is_read_and_the_club_stays_chosen(karin, database, town):
    database.write(lambda connection: add_club(connection, town.id, "Sörberge BK"))
    upload(karin, b"x" * (7 * 1024 * 1024), 413, club=town.club_id)
    assert "Filen är större än 5 MB" in karin.words()
    (chosen,) = [one for one in karin.page.iter(f"{HTML}option") if "selected" in one.attrib]
    assert chosen.get("value") == str(town.club_id)


def test_a_list_is_seen_by_its_sender_only_and_forgotten_after_an_hour(app, karin, kim, database, town, clock):
    path = upload(karin, LIST)
    kim.get(path, 410)
    for more in ("", "/columns", "/drop"):
        kim.send(path + more, {}, 410)
    clock.instant += timedelta(minutes=59)
    karin.get(path)
    clock.instant += timedelta(minutes=1)
    karin.get(path, 410)
    assert "Listan är glömd" in karin.words()
    texts = sender(app)
    assert one_pass(app, texts)["member lists forgotten"] == 1
    texts.close()
    assert "Åsa" not in dump(database)


def test_a_list_can_be_forgotten_at_once_and_a_new_one_takes_its_place(karin, database):
    first = upload(karin, LIST)
    upload(karin, LIST)
    karin.get(first, 410)
    with database.reading() as connection:
        left = connection.execute(select(MemberList.id)).scalars().all()
    assert len(left) == 1
    karin.follow(karin.send(f"/lead/people/import/{left[0]}/drop"))
    assert "Åsa" not in dump(database)


# ---------------------------------------------------------------- other clubs


def with_clubs(database, town):
    return database.write(lambda connection: add_club(connection, town.id, "Sörberge BK"))


def test_a_contact_brings_in_for_the_own_club_only(kim, database, town):
    other = with_clubs(database, town)
    upload(kim, LIST, 422, club=other)
    own = f"{'Nattvandring Timrå IK'}"
    rows = [
        [*PLAIN, "Förening"],
        [*GOOD[0], own],
        [*GOOD[1], "Sörberge BK"],
        ["Cia", "Al", "070-174 06 57", "1990-01-01", "Månens BK"],
    ]
    path = upload(kim, as_csv(rows))
    assert "1 person kan läggas in" in kim.words()
    assert "Personen hör till en annan förening" in kim.words()
    assert "Föreningen finns inte här" in kim.words()
    bring_in(kim, path)
    assert [row[0] for row in people(database)] == ["Kim", "Åsa"]


def test_a_coordinators_list_may_hold_several_clubs(karin, database, town):
    other = with_clubs(database, town)
    rows = [[*PLAIN, "Klubb"], [*GOOD[0], "Sörberge BK"], [*GOOD[1], ""]]
    bring_in(karin, upload(karin, as_csv(rows)))
    with database.reading() as connection:
        clubs = connection.execute(
            select(Person.first_name, Membership.club_id)
            .join(Person, Person.id == Membership.person_id)
            .where(Membership.state == MembershipState.INVITED)
            .order_by(Person.id)
        )
        assert [tuple(row) for row in clubs] == [("Åsa", other), ("Bo", town.club_id)]


def test_a_member_of_another_club_is_asked_and_nobody_learns_of_it_but_the_coordinator(app, karin, kim, database, town):
    other = with_clubs(database, town)

    def elsewhere(connection):
        asa = make.person(connection, town, "Åsa", number="+46701740655", born_on=date(1985, 8, 22))
        connection.execute(Membership.__table__.update().where(Membership.person_id == asa).values(club_id=other))
        return asa

    asa = database.write(elsewhere)
    upload(karin, LIST)
    assert "finns redan i Lykta" in karin.words()
    path = upload(kim, LIST)
    assert "finns redan" not in kim.words()
    bring_in(kim, path)
    me = Visitor(app, town).sign_in(asa)
    me.get("/")
    assert "En förening vill ha med dig" in me.words()
    me.get("/welcome")
    assert "värdegrund" not in me.words(), "she has agreed already"
    with database.reading() as connection:
        states = connection.execute(select(Membership.state).where(Membership.person_id == asa)).scalars().all()
    assert sorted(states) == ["approved", "invited"], "she is not taken from her club"


def test_a_number_under_another_name_stays_out(karin, database, town):
    database.write(lambda connection: make.person(connection, town, "Rut", number="+46701740655"))
    upload(karin, LIST)
    assert "Någon med ett annat namn har numret i Lykta" in karin.words()
    assert "Rut" not in karin.words()


# ---------------------------------------------------------------- the list as a file


def fetch(visitor, kind, status=200, **sought):
    return visitor.send("/lead/people/export", {"kind": kind, **sought}, status)


def test_the_list_opens_rightly_in_excel_and_cannot_carry_a_formula(karin, database, town):
    def write(connection):
        for number, name in enumerate(["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\uff1d1", 'Åsa "Stina"; Ek']):
            make.person(connection, town, name, number=f"+467017406{60 + number}")

    database.write(write)
    content = fetch(karin, "csv").data
    assert content.startswith(b"\xef\xbb\xbf")
    lines = content.decode("utf-8-sig").split("\r\n")
    assert lines[0] == '"Namn";"Förening";"Mobilnummer";"Läge";"Går";"Får leda";"Gångna pass"'
    assert '"Åsa ""Stina""; Ek Lyktdal";"Nattvandring Timrå IK";"070-174 06 65";"godkänd";"ny";"nej";"0"' in lines
    for line in lines[1:-1]:
        assert not any(
            cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d")) for cell in line.strip('"').split('";"')
        )
    assert "'=cmd" in content.decode()
    assert "1980" not in content.decode(), "no birth date"
    import python_calamine

    book = python_calamine.load_workbook(io.BytesIO(fetch(karin, "xlsx").data))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[0] == ["Namn", "Förening", "Mobilnummer", "Läge", "Går", "Får leda", "Gångna pass"]
    assert ["'+1 Lyktdal", "Nattvandring Timrå IK", "070-174 06 61", "godkänd", "ny", "nej", 0.0] in rows


def test_the_file_holds_what_the_search_finds_and_the_log_who_saved_it(karin, kim, database, town):
    other = with_clubs(database, town)

    def elsewhere(connection):
        ola = make.person(connection, town, "Ola")
        connection.execute(Membership.__table__.update().where(Membership.person_id == ola).values(club_id=other))

    database.write(elsewhere)
    assert b"Kim" not in fetch(karin, "csv", q="ola").data
    assert b"Ola" in fetch(karin, "csv", q="ola").data
    assert b"Ola" not in fetch(kim, "csv").data, "a contact's own club only"
    assert "Får leda" not in fetch(kim, "csv").data.decode("utf-8-sig"), "a coordinator's mark"
    assert b"Ola" not in fetch(kim, "csv", club=other).data
    assert fetch(karin, "csv", state="invited").data.count(b"\r\n") == 1
    database.write(lambda connection: make.people(connection, town, 60))
    assert fetch(karin, "csv").data.count(b"\r\n") == 1 + 60 + 3, "not only the first page"
    fetch(karin, "exe", 422)
    with database.reading() as connection:
        entries = connection.execute(select(AuditEntry.after).where(AuditEntry.what == "people.exported")).scalars()
        assert list(entries)[-1] == {"people": 63, "file": "csv"}
    karin.get("/lead/log")
    assert "sparade en medlemslista som fil" in karin.words()


def test_another_towns_coordinator_gets_nothing_of_ours(app, karin, database, town):
    path = upload(karin, LIST)

    def ange(connection):
        other = make.town(connection, "Nattvandring Ånge", "ange.example")
        return other, leader(connection, other, "Olle")

    other, boss = database.write(ange)
    stranger = Visitor(app, other, host="ange.example").sign_in(boss)
    stranger.get(path, 410)
    stranger.send(path, {}, 410)
    assert b"Karin" not in fetch(stranger, "csv").data
    upload(stranger, LIST, 422, club=town.club_id)
    bring_in(stranger, upload(stranger, LIST))
    assert [row[0] for row in people(database)].count("Åsa") == 1, "the same number in two towns is two accounts"

"""One shift on the coordinator's page: nothing is sent unseen, nothing is overwritten silently."""

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from scheduler.bookings import editing, waiting_list
from scheduler.bookings.actions import book
from scheduler.bookings.editing import ShiftFacts, current
from scheduler.bookings.rules import BookingState, Full, PlacesTaken
from scheduler.bookings.tables import Booking
from scheduler.messages.rules import MessageKind
from scheduler.messages.tables import Message
from scheduler.nights.rules import ShiftState
from scheduler.nights.season import LeftOut
from scheduler.nights.tables import Night, Shift
from scheduler.people.actions import grant_role
from scheduler.people.rules import Role
from tests import make
from tests.leading.conftest import coordinator
from tests.visitor import HTML, Visitor


@pytest.fixture
def scene(database, town):
    """A shift of Friday with Anna and Bo on it."""

    def write(connection):
        shift = make.shift(connection, town)
        people = [make.person(connection, town, name) for name in ("Anna", "Bo")]
        for person in people:
            book(connection, make.acting(town, person), shift, person, "a")
        return shift, people

    return database.write(write)


def fields(visitor, shift):
    """Return the form as the page shows it."""
    visitor.get(f"/lead/shifts/{shift}/change")
    form = visitor.forms_to(f"/lead/shifts/{shift}/change")[0]
    found = {f.get("name"): f.get("value") for f in form.iter(f"{HTML}input")}
    found["note"] = "".join(next(form.iter(f"{HTML}textarea")).itertext())
    chosen = [o.get("value") for o in form.iter(f"{HTML}option") if o.get("selected") is not None]
    found["leader"] = chosen[0] if chosen else ""
    found.pop("csrf_token")
    return found


def texts(database, *kinds):
    with database.reading() as connection:
        rows = connection.execute(select(Message.kind, Message.body).where(Message.kind.in_(kinds)))
        return [row.body for row in rows]


TOLD = (MessageKind.MOVED, MessageKind.OTHER_PLACE, MessageKind.PUT_ON, MessageKind.TAKEN_OFF, MessageKind.REINSTATED,
        MessageKind.CALLED_OFF)  # fmt: skip


def facts(database, shift):
    with database.reading() as connection:
        return connection.execute(select(Shift).where(Shift.id == shift)).one()


def test_what_nobody_needs_to_know_is_saved_at_once_and_sends_nothing(karin, database, scene):
    shift, (anna, _) = scene
    typed = fields(karin, shift) | {"wanted": "5", "note": "Ta med reflexer", "leader": str(anna)}
    karin.follow(karin.send(f"/lead/shifts/{shift}/change", typed))
    assert "Inget sms skickas" in karin.words()
    now = facts(database, shift)
    assert (now.wanted, now.note, now.leader_person_id) == (5, "Ta med reflexer", anna)
    assert texts(database, *TOLD) == []
    karin.get(f"/lead/shifts/{shift}/change")
    assert "Karin Lyktdal ändrade passet" in karin.words()
    assert "→ Anna" in karin.words()
    for address in ("/lead/log", f"/lead/people/{anna}"):
        karin.get(address)
        assert "bokade en plats · fre 27 nov, Centrum" in karin.words(), "the story says which shift"


def test_another_time_shows_who_would_be_told_what_before_anything_is_saved(karin, database, scene):
    shift, _ = scene
    typed = fields(karin, shift) | {"starts": "20.00"}
    karin.send(f"/lead/shifts/{shift}/change", typed, 200)
    assert "Inget är sparat" in karin.words()
    assert "Anna och Bo" in karin.words()
    assert "20.00-01.00" in karin.words()
    assert "för 2 · 1 kr" in karin.words()
    before = facts(database, shift)
    assert before.starts_at == make.before_start(0)
    karin.follow(karin.send(f"/lead/shifts/{shift}/change", typed | {"tell": "yes"}))
    assert "2 får veta" in karin.words()
    assert facts(database, shift).starts_at == make.before_start(1)
    assert len(texts(database, MessageKind.MOVED)) == 2


def test_it_can_be_saved_without_telling(karin, database, scene):
    shift, _ = scene
    typed = fields(karin, shift) | {"meeting_place": "Folkets hus"}
    karin.send(f"/lead/shifts/{shift}/change", typed, 200)
    assert "NY SAMLINGSPLATS" in karin.words()
    karin.send(f"/lead/shifts/{shift}/change", typed | {"tell": "no"})
    assert facts(database, shift).meeting_place == "Folkets hus"
    assert texts(database, *TOLD) == []


def test_fewer_places_than_people_is_refused_with_a_way_out(karin, database, scene):
    shift, _ = scene
    karin.send(f"/lead/shifts/{shift}/change", fields(karin, shift) | {"wanted": "1", "minimum": "1"}, 422)
    assert "2 platser är upptagna. Ta bort någon" in karin.words()
    assert 'name="wanted" type="text" value="1"' in karin.text
    assert facts(database, shift).wanted == 4


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"minimum": "5"}, "Minst kan inte vara fler"),
        ({"minimum": "0"}, "ett tal från 1"),
        ({"wanted": "¾"}, "ett tal från 1"),
        ({"starts": "01:00", "ends": "01:00"}, "sluta innan det börjar"),
        ({"starts": "08:00", "ends": "07:00"}, "mer än tolv timmar"),
        ({"night": "2026-11-20"}, "redan varit"),
        ({"night": "2031-01-01"}, "utanför alla överenskommelsers"),
        ({"meeting_place": "x" * 81}, "för långt"),
        ({"leader": "999999"}, "någon som går passet"),
        ({"starts": "kväll"}, "Skriv en tid"),
    ],
)
def test_what_cannot_be_is_told_at_the_field(karin, database, scene, typed, sentence):
    shift, _ = scene
    before = facts(database, shift)
    sent = fields(karin, shift) | typed
    answer = karin.send(f"/lead/shifts/{shift}/change", sent | {"tell": "no"}, 422)
    assert answer
    assert sentence in karin.words()
    assert facts(database, shift) == before


def test_a_broken_edition_is_no_fault_of_ours(karin, scene):
    shift, _ = scene
    for edition in ("", "x", "9" * 40, "²"):
        karin.send(f"/lead/shifts/{shift}/change", fields(karin, shift) | {"edition": edition}, 422)


def test_the_later_of_two_coordinators_is_told_and_overwrites_nothing(karin, app, town, database, scene):
    shift, _ = scene
    other = database.write(lambda connection: coordinator(connection, town, "Olle"))
    olle = Visitor(app, town).sign_in(other)
    mine, his = fields(karin, shift), fields(olle, shift)
    olle.send(f"/lead/shifts/{shift}/change", his | {"wanted": "6"})
    karin.send(f"/lead/shifts/{shift}/change", mine | {"wanted": "3", "note": "hej"}, 409)
    assert "Olle har ändrat passet" in karin.words()
    assert "Platser: nu 6" in karin.words()
    assert "Meddelande till dem som går: nu tomt" in karin.words()
    assert 'value="3"' in karin.text
    assert facts(database, shift).wanted == 6
    again = karin.forms_to(f"/lead/shifts/{shift}/change")[0]
    edition = next(f.get("value") for f in again.iter(f"{HTML}input") if f.get("name") == "edition")
    karin.send(f"/lead/shifts/{shift}/change", mine | {"wanted": "3", "note": "hej", "edition": edition})
    assert facts(database, shift).wanted == 3


def test_a_booking_meanwhile_is_no_change_of_a_coordinators(karin, database, town, scene):
    shift, _ = scene
    typed = fields(karin, shift)

    def write(connection):
        eva = make.person(connection, town)
        book(connection, make.acting(town, eva), shift, eva, "b")

    database.write(write)
    karin.send(f"/lead/shifts/{shift}/change", typed | {"note": "hej"})
    assert facts(database, shift).note == "hej"


def both_at_once(database, *works):
    """Run units of writing that all have read before any of them writes; return what each raised, or None."""
    told, start = [None] * len(works), threading.Barrier(len(works))

    def run(number, work):
        start.wait()
        try:
            database.write(work)
        except Exception as error:  # noqa: BLE001 - what was raised is the outcome
            told[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


@pytest.mark.parametrize("guarded", [True, False])
def test_two_saves_at_the_same_moment_keep_one_and_tell_the_other(each_database, guarded):
    """With the edition in the UPDATE one of the two is refused. The control writes as one would without it:
    both are told that all went well, and what one of them typed is gone."""

    def write(connection):
        town = make.town(connection)
        people = [coordinator(connection, town, name) for name in ("Karin", "Olle")]
        return town, people, make.shift(connection, town)

    town, people, shift = each_database.write(write)
    with each_database.reading() as connection:
        seen = current(connection, town.id, shift)

    def save(person, wanted):
        new = ShiftFacts(seen.starts_at, seen.ends_at, 2, wanted, "", "", None, seen.night_id)
        if guarded:
            return lambda connection: editing.edit(
                connection, make.acting(town, person), shift, new, seen.edition, tell_people=False
            )
        return lambda connection: connection.execute(update(Shift).where(Shift.id == shift).values(wanted=wanted))

    told = both_at_once(each_database, save(people[0], 5), save(people[1], 6))
    with each_database.reading() as connection:
        now = current(connection, town.id, shift)
    if guarded:
        assert sorted(type(one).__name__ for one in told) == ["ChangedMeanwhile", "NoneType"]
        assert now.wanted == (5 if told[0] is None else 6)
        assert now.edition == 1
    else:
        assert told == [None, None]


def test_lowering_the_places_while_somebody_books_never_leaves_more_people_than_places(each_database):
    def write(connection):
        town = make.town(connection)
        eva, adam = make.people(connection, town, 2)
        shift = make.shift(connection, town, wanted=2, minimum=1)
        book(connection, make.acting(town, eva), shift, eva, "a")
        return town, adam, shift

    town, adam, shift = each_database.write(write)
    with each_database.reading() as connection:
        seen = current(connection, town.id, shift)
    new = ShiftFacts(seen.starts_at, seen.ends_at, 1, 1, "", "", None, seen.night_id)
    told = both_at_once(
        each_database,
        lambda connection: editing.edit(connection, make.acting(town, None), shift, new, 0, tell_people=False),
        lambda connection: book(connection, make.acting(town, adam), shift, adam, "b"),
    )
    with each_database.reading() as connection:
        now = current(connection, town.id, shift)
    assert now.booked <= now.wanted
    assert next(type(one) for one in told if one is not None) in {PlacesTaken, Full}


def test_moving_to_where_somebody_walks_already_is_refused_by_name(karin, database, town, scene):
    shift, (anna, _) = scene

    def write(connection):
        other = make.shift(connection, town, make.SATURDAY, area=town.arena)
        book(connection, make.acting(town, anna), other, anna, "c")

    database.write(write)
    typed = fields(karin, shift) | {"night": str(make.SATURDAY), "tell": "no", "further": "yes"}
    karin.send(f"/lead/shifts/{shift}/change", typed, 422)
    assert "går någon annanstans" in karin.words()
    assert "Anna" in karin.words()
    assert facts(database, shift).starts_at == make.before_start(0)


def test_a_shift_moves_to_another_night_with_its_people(karin, database, scene):
    shift, _ = scene
    typed = fields(karin, shift) | {"night": "2026-12-04"}
    karin.send(f"/lead/shifts/{shift}/change", typed, 200)
    assert "fre 4 dec" in karin.words()
    karin.send(f"/lead/shifts/{shift}/change", typed | {"tell": "yes"})
    with database.reading() as connection:
        row = current(connection, 1, shift)
    assert (row.date, row.booked) == (date(2026, 12, 4), 2)
    assert all("fre 4 dec" in body for body in texts(database, MessageKind.MOVED))
    karin.get(f"/lead/shifts/{shift}")
    assert "Kväll: fredag 27 november → fredag 4 december" in karin.words()
    assert "Börjar: fre 27 nov 21:00 → fre 4 dec 21:00" in karin.words()


def test_moving_to_a_night_that_has_an_area_tells_the_price_first(karin, database, town, scene):
    shift, _ = scene
    database.write(lambda connection: make.shift(connection, town, make.SATURDAY, area=town.arena))
    typed = fields(karin, shift) | {"night": str(make.SATURDAY)}
    path = f"/lead/shifts/{shift}/change"
    karin.send(path, typed, 200)
    assert "så det här blir ett till. Det kostar 2 500 kr." in karin.words().replace("\xa0", " ")
    assert "räcker till 6 extra områden; 0 är tagna" in karin.words()
    assert "+ 2 500 kr" in karin.words().replace("\xa0", " ")
    assert facts(database, shift).starts_at == make.before_start(0)
    karin.send(path, typed | {"tell": "no", "further": "yes"})
    assert facts(database, shift).starts_at > make.before_start(0)


def test_a_night_that_gets_an_area_while_the_page_is_read_is_shown_once_more(karin, database, town, scene):
    shift, _ = scene
    typed = fields(karin, shift) | {"night": str(make.SATURDAY)}
    path = f"/lead/shifts/{shift}/change"
    karin.send(path, typed, 200)
    assert "Det kostar" not in karin.words()
    database.write(lambda connection: make.shift(connection, town, make.SATURDAY, area=town.arena))
    karin.send(path, typed | {"tell": "yes"}, 409)
    assert "Det kostar" in karin.words()
    assert facts(database, shift).starts_at == make.before_start(0)
    assert texts(database, MessageKind.MOVED) == []


def test_a_draft_with_nobody_on_it_tells_the_price_of_its_move_too(karin, database, town):
    def write(connection):
        make.shift(connection, town, make.SATURDAY, area=town.arena)
        return make.shift(connection, town, state=ShiftState.PLANNED)

    draft = database.write(write)
    typed = fields(karin, draft) | {"night": str(make.SATURDAY)}
    karin.send(f"/lead/shifts/{draft}/change", typed, 200)
    assert "Det kostar" in karin.words()
    assert "Spara · 2 500 kr" in karin.words().replace("\xa0", " ")
    karin.send(f"/lead/shifts/{draft}/change", typed | {"tell": "no", "further": "yes"})


def test_those_who_walk_see_who_leads(karin, app, town, database, scene):
    shift, (anna, bo) = scene
    karin.send(f"/lead/shifts/{shift}/change", fields(karin, shift) | {"leader": str(anna)})
    volunteer = Visitor(app, town).sign_in(bo)
    volunteer.get(f"/shifts/{shift}")
    assert "Anna · Nattvandring Timrå IK Ledare" in volunteer.words()


def test_calling_off_shows_the_text_first_and_can_be_taken_back(karin, database, scene):
    shift, _ = scene
    karin.get(f"/lead/shifts/{shift}/call-off")
    assert "INSTÄLLT" in karin.words()
    assert "Anna och Bo" in karin.words()
    assert texts(database, *TOLD) == []
    karin.follow(karin.send(f"/lead/shifts/{shift}/call-off"))
    assert "2 får veta" in karin.words()
    assert karin.words().count("Bokning: bokad → inställt") == 2
    karin.get(f"/lead/shifts/{shift}/reinstate")
    assert "Anna och Bo" in karin.words()
    karin.follow(karin.send(f"/lead/shifts/{shift}/reinstate", {"tell": "yes"}))
    assert facts(database, shift).state is ShiftState.PUBLISHED
    assert facts(database, shift).booked == 0
    assert len(texts(database, MessageKind.REINSTATED)) == 2
    karin.send(f"/lead/shifts/{shift}/reinstate", {"tell": "yes"}, 409)


def test_the_text_that_is_shown_before_is_the_text_that_is_sent(karin, database, scene):
    shift, (anna, _) = scene
    for address, kind in (
        (f"/lead/shifts/{shift}/people/{anna}/off", MessageKind.TAKEN_OFF),
        (f"/lead/shifts/{shift}/call-off", MessageKind.CALLED_OFF),
        (f"/lead/shifts/{shift}/reinstate", MessageKind.REINSTATED),
    ):
        karin.get(address)
        shown = karin.words()
        karin.send(address, {"tell": "yes"})
        assert " ".join(texts(database, kind)[0].split()) in shown


def test_somebody_is_found_by_name_and_put_on_without_a_text_unless_asked_for(karin, database, town, scene):
    shift, _ = scene
    database.write(lambda connection: make.person(connection, town, "Åsa"))
    eva = database.write(lambda connection: make.person(connection, town, "Eva"))
    for typed, name in (("eva", "Eva Lyktdal"), ("Lyktd", "Eva Lyktdal"), ("åsa", "Åsa Lyktdal")):
        karin.get(f"/lead/shifts/{shift}/change", query_string={"q": typed})
        assert name in karin.words()
    assert "Berätta med sms · 0,50 kr" in karin.words().replace("\xa0", " ")
    karin.get(f"/lead/shifts/{shift}/change", query_string={"q": "%"})
    assert "Ingen godkänd medlem" in karin.words()
    karin.follow(karin.send(f"/lead/shifts/{shift}/people", {"person": eva}))
    assert "Eva" in karin.words()
    assert texts(database, *TOLD) == []
    with database.reading() as connection:
        assert make.places(connection, shift) == (3, 0)


def test_nobody_is_put_on_against_the_rules(karin, database, town, scene):
    shift, _ = scene

    def write(connection):
        young = make.person(connection, town, "Ung", born_on=date(2008, 12, 24))
        stranger = make.person(connection, town, "Ny", state=None)
        return young, stranger

    for person in database.write(write):
        karin.send(f"/lead/shifts/{shift}/people", {"person": person}, 409)
    karin.send(f"/lead/shifts/{shift}/people", {"person": "999999"}, 404)


def test_taking_somebody_off_asks_whether_to_tell_and_gives_the_place_on(karin, database, town, scene):
    shift, (anna, _) = scene

    def write(connection):
        for name in ("C", "D"):
            person = make.person(connection, town, name)
            book(connection, make.acting(town, person), shift, person, "a")
        eva = make.person(connection, town)
        waiting_list.join(connection, make.acting(town, eva), shift, eva, "a", auto_take=True)
        return eva

    eva = database.write(write)
    karin.get(f"/lead/shifts/{shift}/people/{anna}/off")
    assert "Du går inte längre" in karin.words()
    assert "först i kön" in karin.words()
    karin.send(f"/lead/shifts/{shift}/people/{anna}/off", {"tell": "yes"})
    assert len(texts(database, MessageKind.TAKEN_OFF)) == 1
    with database.reading() as connection:
        states = dict(connection.execute(select(Booking.person_id, Booking.state)).all())
        assert make.places(connection, shift) == (4, 0)
    assert states[anna] is BookingState.CANCELLED
    assert states[eva] is BookingState.BOOKED
    karin.send(f"/lead/shifts/{shift}/people/{anna}/off", {}, 409)


def test_somebody_in_line_with_an_offer_is_given_the_place(karin, database, town):
    def write(connection):
        shift = make.shift(connection, town, wanted=2)
        people = make.people(connection, town, 3)
        for person in people[:2]:
            book(connection, make.acting(town, person), shift, person, "a")
        waiting_list.join(connection, make.acting(town, people[2]), shift, people[2], "a")
        editing.take_off(connection, make.acting(town, None), shift, people[0], tell_person=False)
        return shift, people[2]

    shift, waiting = database.write(write)
    karin.send(f"/lead/shifts/{shift}/people", {"person": waiting, "tell": "yes"})
    with database.reading() as connection:
        assert make.places(connection, shift) == (2, 0)
    assert len(texts(database, MessageKind.PUT_ON)) == 1


def test_a_copy_is_a_draft_on_its_own_night_and_is_published_by_hand(karin, database, scene):
    shift, _ = scene
    karin.get(f"/lead/shifts/{shift}/copy?to=11/12")
    assert "Kopiera till fredag 11 december?" in karin.words()
    assert "Budgeten räcker till 99 kvällar till" in karin.words()
    assert "Kopiera · 2 500 kr" in karin.words()
    new = copied(karin, shift)
    with database.reading() as connection:
        row = current(connection, 1, new)
    assert (row.date, row.state, row.booked) == (date(2026, 12, 11), ShiftState.PLANNED, 0)
    karin.follow(karin.send(f"/lead/shifts/{new}/publish"))
    assert facts(database, new).state is ShiftState.PUBLISHED
    for typed, sentence in (
        ("11/12", "redan ett pass"),
        ("2020-01-01", "redan varit"),
        ("2031-01-03", "utanför alla överenskommelsers tid"),
        ("x", "Skriv ett datum"),
        ("9999-12-31", "Skriv ett datum"),
    ):
        karin.get(f"/lead/shifts/{shift}/copy?to={typed}", 422)
        assert sentence in karin.words()
        karin.send(f"/lead/shifts/{shift}/copy", {"to": typed}, 422)
        assert sentence in karin.words()


def copied(visitor, shift):
    """Tap the only button of the page that asks whether to copy; return the new shift's id."""
    form = visitor.forms_to(f"/lead/shifts/{shift}/copy")[0]
    sent = {field.get("name"): field.get("value") for field in form.iter(f"{HTML}input")}
    del sent["csrf_token"]
    answer = visitor.send(f"/lead/shifts/{shift}/copy", sent)
    visitor.follow(answer)
    return int(answer.headers["Location"].split("/")[3])


def test_a_copy_that_opens_a_second_area_tells_its_price_before_the_tap(karin, database, town, scene):
    shift, _ = scene
    night = date(2026, 12, 12)
    database.write(lambda connection: make.shift(connection, town, night, area=town.arena))
    karin.get(f"/lead/shifts/{shift}/copy?to={night}")
    assert "Ett annat område är redan öppet den kvällen, så det här blir ett till" in karin.words()
    assert "Posten för oförutsett räcker till 6 extra områden; 0 är tagna. 6 är kvar" in karin.words()
    assert "Kopiera · 2 500 kr" in karin.words()
    new = copied(karin, shift)
    karin.get(f"/nights/{night}")
    with database.reading() as connection:
        assert current(connection, 1, new).date == night


def test_a_copy_is_asked_about_again_where_it_has_become_a_second_area_meanwhile(karin, database, town, scene):
    shift, _ = scene
    karin.get(f"/lead/shifts/{shift}/copy?to=2026-12-12")
    database.write(lambda connection: make.shift(connection, town, date(2026, 12, 12), area=town.arena))
    karin.send(f"/lead/shifts/{shift}/copy", {"to": "2026-12-12", "further": "no"}, 409)
    assert "Kvällen har ändrats medan du läste" in karin.words()
    assert "6 är kvar" in karin.words()
    with database.reading() as connection:
        assert len(connection.execute(select(Shift.id)).all()) == 2, "nothing is copied unseen"
    copied(karin, shift)


def test_a_copy_beyond_the_line_leads_to_a_decision(karin, database, town, scene):
    shift, _ = scene

    def write(connection):
        open_many(connection, town, 6)
        make.shift(connection, town, date(2026, 12, 12), area=town.arena)

    database.write(write)
    karin.get(f"/lead/shifts/{shift}/copy?to=2026-12-12")
    assert "Inget är kvar" in karin.words()
    assert "Öppna med ett beslut · 2 500 kr" in karin.words()
    assert not karin.forms_to(f"/lead/shifts/{shift}/copy")
    karin.send(f"/lead/shifts/{shift}/copy", {"to": "2026-12-12", "further": "yes"}, 422)
    assert "Styrgruppen beslutar först" in karin.words()


def open_many(connection, town, count):
    for number in range(count):
        night = date(2026, 12, 4) + timedelta(weeks=number)
        make.shift(connection, town, night)
        make.shift(connection, town, night, area=town.arena)


def test_a_second_area_takes_one_tap_and_the_price_is_on_the_button(karin, database, town, scene):
    shift, _ = scene
    database.write(lambda connection: open_many(connection, town, 2))
    karin.get(f"/lead/shifts/{shift}")
    assert "Öppna Arenaområdet · 2 500 kr" in karin.words()
    assert "räcker till 6 extra områden; 2 är tagna. 4 är kvar" in karin.words()
    karin.follow(karin.send("/lead/nights/2026-11-27/areas", {"area": town.arena}))
    assert "Arenaområdet" in karin.words()
    karin.send("/lead/nights/2026-11-27/areas", {"area": town.arena}, 409)
    karin.send("/lead/nights/2026-11-27/areas", {"area": "999999"}, 409)
    karin.get("/nights/2026-11-27")
    assert "Två områden" in karin.words()


@pytest.mark.usefixtures("scene")
def test_beyond_the_line_only_with_a_decision_of_both_partners(app, karin, database, town):
    def write(connection):
        open_many(connection, town, 6)
        mats = make.person(connection, town, "Mats", state=None)
        grant_role(connection, town.id, mats, Role.MUNICIPALITY, make.NOW)
        return mats

    mats = Visitor(app, town).sign_in(database.write(write))
    karin.get("/lead/nights/2026-11-27/areas")
    assert "Inget är kvar" in karin.words()
    assert "Öppna med ett beslut · 2 500 kr" in karin.words()
    karin.send("/lead/nights/2026-11-27/areas", {"area": town.arena}, 409)
    path = "/lead/steering/areas/2026-11-27"
    karin.get(path)
    form = karin.forms_to("/lead/steering/decisions")[0]
    typed = {f.get("name"): f.get("value") for f in form.iter(f"{HTML}input")}
    karin.send("/lead/steering/decisions", typed)
    karin.send("/lead/steering/decisions/1/answer", {"agreed": "yes"})
    karin.get(path)
    assert "Vilket beslut" not in karin.words(), "one partner is not both"
    karin.send(path, {"area": town.arena, "decision": 1}, 409)
    mats.send("/lead/steering/decisions/1/answer", {"agreed": "yes"})
    karin.get(path)
    assert "fredag 27 november, 2 500 kr utöver posten" in karin.words()
    for odd in ({}, {"area": town.arena}, {"decision": 1}, {"area": "x", "decision": "1"}):
        karin.send(path, odd, 422)
    karin.send(path, {"area": town.arena, "decision": 2}, 409)
    karin.follow(karin.send(path, {"area": town.arena, "decision": 1}))
    assert "Arenaområdet" in karin.words()
    assert "öppnade området med ett beslut av styrgruppen" in karin.words()
    with database.reading() as connection:
        noted = connection.execute(select(Shift.decision).where(Shift.decision != "")).scalar_one()
    assert noted.startswith("2026-11-23: Ett område till fredag 27 november")
    mats.get("/lead/steering")
    assert "fredag 27 november, Arenaområdet" in mats.words()
    karin.get("/lead/steering/areas/2026-13-11", 404)
    karin.get("/lead/steering/areas/2026-11-26", 409)


def test_people_are_asked_at_once_for_a_second_area_if_wanted(karin, database, town, scene):
    database.write(lambda connection: make.people(connection, town, 12))
    karin.get("/lead")
    form = karin.forms_to("/lead/nights/2026-11-27/areas")
    assert form == [], "a night with a team needs nobody, and is not tonight"
    karin.get(f"/lead/shifts/{scene[0]}")
    form = karin.forms_to("/lead/nights/2026-11-27/areas")[0]
    typed = {f.get("name"): f.get("value") for f in form.iter(f"{HTML}input")}
    assert typed["ask"] == "yes"
    assert f"Fråga {typed['people']} personer genast" in karin.words()
    karin.follow(karin.send("/lead/nights/2026-11-27/areas", typed | {"area": town.arena}))
    assert f"Frågar: {typed['people']} tillfrågade" in karin.words()


def test_the_board_offers_one_more_area_on_nights_in_danger_and_tonight(karin, database, town, scene, clock):
    database.write(lambda connection: make.shift(connection, town, make.SATURDAY))
    karin.get("/lead")
    assert len(karin.forms_to("/lead/nights/2026-11-28/areas")) == 1
    assert "Öppna Arenaområdet · 2 500 kr" in karin.words()
    clock.instant = make.before_start(-2)
    karin.get("/lead")
    (form,) = karin.forms_to("/lead/nights/2026-11-27/areas")
    buttons = [b.get("value") for b in form.iter(f"{HTML}button")]
    assert buttons == [str(town.arena)]
    karin.send("/lead/nights/2026-11-27/areas", {"area": town.arena})
    karin.get("/lead")
    assert karin.forms_to("/lead/nights/2026-11-27/areas") == []


def test_a_second_area_opens_until_the_walk_ends_and_not_on_a_called_off_night(karin, database, town, clock, scene):
    shift, _ = scene
    clock.instant = make.before_start(-2.05)
    karin.send("/lead/nights/2026-11-27/areas", {"area": town.arena})
    with database.reading() as connection:
        new = connection.execute(select(Shift).where(Shift.area_id == town.arena)).one()
    assert new.starts_at == make.before_start(-2.25)
    assert new.ends_at == facts(database, shift).ends_at
    clock.instant = make.before_start(-4)
    karin.get("/lead/nights/2026-11-27/areas", 409)

    def write(connection):
        other = make.shift(connection, town, date(2026, 12, 11))
        make.call_off(connection, other)

    database.write(write)
    karin.send("/lead/nights/2026-12-11/areas", {"area": town.arena}, 409)
    karin.get("/lead/nights/2026-13-11/areas", 404)


def test_the_last_further_area_is_opened_once_when_two_tap_at_the_same_moment(each_database):
    from scheduler.nights.budget import NeedsDecision, open_area

    def write(connection):
        town = make.town(connection)
        open_many(connection, town, 5)
        for night in (make.FRIDAY, make.SATURDAY):
            make.shift(connection, town, night)
        return town

    town = each_database.write(write)
    acting = make.acting(town, None)
    told = both_at_once(
        each_database,
        *(
            lambda connection, night=night: open_area(connection, acting, night, town.arena)
            for night in (make.FRIDAY, make.SATURDAY)
        ),
    )
    assert sorted(type(one).__name__ for one in told) == [NeedsDecision.__name__, "NoneType"]


def test_a_night_that_the_season_leaves_out_is_not_filled_by_the_back_door(karin, database, town, scene):
    shift, _ = scene

    def write(connection):
        make.call_off(connection, make.shift(connection, town, date(2026, 12, 11)))
        connection.execute(
            update(Night).where(Night.date == date(2026, 12, 11)).values(left_out=LeftOut.CHOSEN_BY_HAND)
        )
        return connection.execute(select(Shift.id).where(Shift.state == ShiftState.CALLED_OFF)).scalar_one()

    called_off = database.write(write)
    karin.get(f"/lead/shifts/{shift}/copy?to=2026-12-11", 422)
    assert "hoppar över den kvällen" in karin.words()
    karin.send(f"/lead/shifts/{called_off}/reinstate", {}, 409)

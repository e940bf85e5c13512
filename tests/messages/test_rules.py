from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.kit.language import LANGUAGES
from scheduler.messages.rules import GSM7, MessageKind, Reply, allowed_at, gsm7_length, segments, to_gsm7
from scheduler.messages.texts import TEXTS, _pattern, is_text_about, render
from tests.make import STOCKHOLM

NAMES = ["Åsa-Märta", "François", "Zoë", "Łukasz", "Loïc", "x" * 60, "Eva 🌙", "محمد", "O’Neil", "[Eva]"]  # noqa: RUF001

WORDS = {
    "name": "Eva",
    "club": "Timrå IK",
    "area": "Arenaområdet och idrottsparken",
    "place": "Stationshuset i Åbyggeby norra",
    "day": "lör 28 nov",
    "starts": "21.00",
    "ends": "01.00",
    "meets": "20.45",
    "until": "fre 27 nov 18.00",
    "booked": "1",
    "wanted": "4",
    "missing": "2",
    "code": "123456",
    "host": "nattvandring.example.se",
    "phone": "070-174 06 99",
    "text": "Hej",
    "walks": "1 fre 27 nov 21.00 Centrum, 2 lör 28 nov 21.00 Arenaområdet, 3 fre 4 dec 21.00 Centrum",
    "spent": "400",
    "ceiling": "500",
    "link": "https://nattvandring.example.se/bookings/123456",
}


def local(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=STOCKHOLM).astimezone(UTC)


@pytest.mark.parametrize(
    ("wanted", "starts", "allowed"),
    [
        (local(24, 12), None, local(24, 12)),
        (local(24, 20, 59), None, local(24, 20, 59)),
        (local(24, 21), None, local(25, 8)),
        (local(24, 3), None, local(24, 8)),
        (local(24, 7, 59), None, local(24, 8)),
        (local(24, 8), None, local(24, 8)),
        (local(24, 22), local(25, 2), local(24, 22)),  # the shift starts within six hours
        (local(24, 22), local(25, 21), local(25, 8)),
        (local(24, 22), local(25, 6), local(25, 0)),  # as soon as it is six hours away
    ],
)
def test_nobody_is_texted_at_night_unless_the_walk_is_near(wanted, starts, allowed):
    assert allowed_at(wanted, STOCKHOLM, starts) == allowed


@pytest.mark.parametrize("name", NAMES)
def test_every_name_fits_the_alphabet_of_a_text(name):
    assert set(to_gsm7(name)) <= GSM7


@given(st.dictionaries(st.sampled_from(["name", "club", "area", "place"]), st.text(max_size=80)), st.data())
def test_whatever_people_and_places_are_called_a_text_is_one_segment(called, data):
    kind = data.draw(st.sampled_from([kind for kind in [*TEXTS, *Reply] if kind is not MessageKind.NOTICE]))
    language = data.draw(st.sampled_from(LANGUAGES))
    text = render(kind, language, WORDS | {"text": called.get("name", "x") * 3} | called)
    assert segments(text) == 1, text
    assert set(text) <= GSM7


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("[" * 80, 1),
        ("[" * 81, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("x" * 152 + "[" + "x" * 153, 3),
    ],
)
def test_segments_are_counted_as_the_operator_counts_them(text, number):
    assert segments(text) == number


def test_swedish_letters_are_kept_and_others_lose_only_their_marks():
    assert to_gsm7("Åäö é") == "Åäö é"
    assert to_gsm7("François Łukasz Loïc — “hej”…") == 'Francois Lukasz Loic - "hej"...'


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [*TEXTS, *Reply])
@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_one_segment_whatever_the_name_and_the_place(kind, language, name):
    words = WORDS | {"name": name, "club": name * 2, "text": name * 3}
    text = render(kind, language, words)
    assert kind is MessageKind.NOTICE or gsm7_length(text) <= 160, text
    assert set(text) <= GSM7
    if kind is MessageKind.SIGN_IN_CODE:
        assert text.splitlines()[-1] == "@nattvandring.example.se #123456"


NAMING_THE_END = [kind for kind in [*TEXTS, *Reply] if "%(ends)s" in _pattern(kind, "sv")]
ENDS = {
    "sv": ["02.00 sommartid (klockan ställs om)", "03.30 vintertid (klockan ställs om)"],
    "en": ["02.00 summer time (the clocks change)", "03.30 winter time (the clocks change)"],
}
HOSTS = ["lykta.se", "nattvandring.example.se", "nattvandring." + "x" * 43 + ".se", "h" * 253]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("kind", NAMING_THE_END)
@pytest.mark.parametrize("language", LANGUAGES)
def test_on_a_night_of_changing_clocks_every_text_says_so_in_one_segment(language, kind, host):
    for name in NAMES:
        for ends in ENDS[language]:
            called = {"name": name * 2, "area": f"Område {name}" * 3, "place": f"Plats {name}" * 4}
            text = render(kind, language, WORDS | called | {"ends": ends, "link": f"https://{host}/bookings/123456"})
            assert gsm7_length(text) <= 160, text
            assert ends.partition(" (")[0] in text


@pytest.mark.parametrize("kind", NAMING_THE_END)
def test_where_there_is_room_a_text_explains_the_change_of_clocks(kind):
    short = {"name": "Eva", "area": "Centrum", "place": "Y:et", "link": "https://lykta.se/7", "until": "fre 18.00"}
    assert ENDS["sv"][0] in render(kind, "sv", WORDS | short | {"ends": ENDS["sv"][0]})


def test_what_gives_way_does_so_in_its_order():
    words = WORDS | {"name": "Eva", "area": "Centrum", "link": "https://lykta.se/bookings/123456"}

    def said(**more):
        return render(MessageKind.REMINDER_TWO_DAYS, "sv", words | more)

    long = {"area": "Arenaområdet och idrottsparken", "ends": ENDS["sv"][0]}
    assert "vid den norra entrén." in said(place="vid den norra entrén"), "nothing needs to give way"
    assert "(klockan" not in said(place="vid den norra entrén", **long), "first the explanation"
    assert "Stationshuset i." in said(place="Stationshuset i Åbyggeby norra", **long), "then the place's last words"
    address = {"link": "https://nattvandring.example.se/bookings/123456"}
    assert " nattvandring.example.se/bookings/123456" in said(place="Stationshuset i Åbyggeby norra", **long, **address)
    without = said(place="Stationshuset", **long, link=f"https://{'h' * 90}.se/bookings/1")
    assert without.endswith("Kommer du? Svara JA eller NEJ."), "last the address: an answer needs none"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [*TEXTS, *Reply])
def test_every_text_is_one_segment_under_the_longest_address_that_is_allowed(kind, language):
    host = "x" * 57 + ".se"
    words = {"link": f"https://{host}/number/{'t' * 22}", "host": host, "name": "Åsa-Märta " * 3, "club": "Klubb " * 9}
    text = render(kind, language, WORDS | words)
    assert gsm7_length(text) <= 160, text
    if kind is MessageKind.NUMBER_ASKED:
        assert f"{host}/number/{'t' * 22}" in text


ABOUT_AN_EVENING = [kind for kind in TEXTS if "%(day)s" in _pattern(kind, "sv")]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ABOUT_AN_EVENING)
def test_a_text_is_known_again_in_other_words_but_not_about_another_evening(kind, language):
    words = WORDS | {"name": "Eva", "area": "Centrum", "place": "Y:et", "link": "https://lykta.se/bookings/7"}
    other = {"starts": "19.00", "ends": "02.00 sommartid", "meets": "18.45", "area": "Parken", "place": "Bron",
             "name": "Åsa", "until": "ons 25 nov 12.00", "booked": "3", "missing": "1"}  # fmt: skip
    left = render(kind, language, words | other)
    assert is_text_about(kind, language, words, left)
    assert is_text_about(kind, language, words, f"Sent from your Twilio trial account - {left}")
    assert not is_text_about(kind, language, words | {"day": "fre 27 nov"}, left)
    if "%(link)s" in _pattern(kind, language):
        assert not is_text_about(kind, language, words | {"link": "https://lykta.se/bookings/17"}, left)
        long = {"link": f"https://{'h' * 150}.se/bookings/7"}
        assert is_text_about(kind, language, words | long, render(kind, language, words | other | long))
    for another in ABOUT_AN_EVENING:
        assert another is kind or not is_text_about(another, language, words, left)


@pytest.mark.parametrize("kind", [MessageKind.NOTICE, MessageKind.PASSED_ON, MessageKind.SIGN_IN_CODE])
def test_what_is_about_no_evening_is_known_by_its_words_alone(kind):
    words = WORDS | {"link": "https://lykta.se/lead/texts"}
    assert not is_text_about(kind, "sv", words, render(kind, "sv", words))


def test_the_warning_of_a_month_is_known_whatever_its_sums():
    left = render(MessageKind.CEILING_NEAR, "sv", WORDS | {"spent": "401"})
    assert is_text_about(MessageKind.CEILING_NEAR, "sv", WORDS | {"spent": "450"}, left)

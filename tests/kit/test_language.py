import pytest
from flask import g

from scheduler.kit.language import kronor


@pytest.mark.parametrize(
    ("ore", "swedish", "english"),
    [
        (250_000, "2 500 kr", "2,500 kr"),
        (83_333, "833,33 kr", "833.33 kr"),
        (50, "0,50 kr", "0.50 kr"),
        (0, "0 kr", "0 kr"),
        (-250_050, "\u22122 500,50 kr", "\u22122,500.50 kr"),
    ],
)
def test_a_sum_is_written_as_the_reader_writes_it_and_never_breaks(shared_app, ore, swedish, english):
    with shared_app.test_request_context():
        for spoken, wanted in (("sv", swedish), ("en", english)):
            g.language = spoken
            assert kronor(ore) == wanted.replace(" ", "\u00a0")

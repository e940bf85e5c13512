from collections.abc import Iterator

import pytest

from tests.servers.twilio import FakeTwilio


@pytest.fixture(scope="session")
def twilio_process() -> Iterator[FakeTwilio]:
    with FakeTwilio() as fake:
        yield fake


@pytest.fixture
def twilio(twilio_process: FakeTwilio) -> Iterator[FakeTwilio]:
    """The operator's stand-in, behaving well, with nothing taken."""
    twilio_process.tell(forget=True)
    yield twilio_process
    assert twilio_process.complaints() == [], "every request is as Twilio describes it"

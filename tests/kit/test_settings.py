import pytest

from scheduler.kit.settings import SettingsFault, from_environment

GOOD = {
    "SCHEDULER_SECRET_KEY": "x" * 40,
    "SCHEDULER_PUBLIC_URL": "https://lykta.example",
    "SCHEDULER_DATABASE_URL": "sqlite:////srv/lykta.sqlite3",
}


def test_good_settings_are_read():
    settings = from_environment({**GOOD, "SCHEDULER_PUBLIC_URL": "https://lykta.example/"})
    assert settings.public_url == "https://lykta.example"
    assert settings.public_host == "lykta.example"
    assert settings.https
    assert not settings.sms_on
    assert settings.time_zone.key == "Europe/Stockholm"


def test_every_fault_is_told_at_once():
    with pytest.raises(SettingsFault) as fault:
        from_environment(
            {
                "SCHEDULER_SECRET_KEY": "short",
                "SCHEDULER_PUBLIC_URL": "lykta.example",
                "SCHEDULER_DATABASE_URL": "mysql://x",
                "SCHEDULER_TIMEZONE": "Mars/Olympus",
                "SCHEDULER_DEMO": "yes",
                "SCHEDULER_PROXIES": "-1",
                "TWILIO_ACCOUNT_SID": "AC1",
            }
        )
    told = str(fault.value)
    for name in (
        "SCHEDULER_SECRET_KEY",
        "SCHEDULER_PUBLIC_URL",
        "SCHEDULER_DATABASE_URL",
        "SCHEDULER_TIMEZONE",
        "SCHEDULER_DEMO",
        "SCHEDULER_PROXIES",
        "TWILIO_AUTH_TOKEN",
    ):
        assert name in told
    assert "short" not in told, "a secret is never repeated"


@pytest.mark.parametrize(
    "more",
    [
        {"SCHEDULER_DEMO_NOW": "2026-11-27T18:00:00+01:00"},
        {"SCHEDULER_DEMO": "1", "SCHEDULER_DEMO_NOW": "2026-11-27T18:00:00"},
        {"SCHEDULER_DEMO": "1", "SCHEDULER_DEMO_NOW": "tomorrow"},
    ],
)
def test_a_frozen_clock_is_for_the_demo_and_needs_its_offset(more):
    with pytest.raises(SettingsFault, match="SCHEDULER_DEMO_NOW"):
        from_environment({**GOOD, **more})


def test_an_address_that_leaves_no_room_in_a_text_is_refused():
    assert from_environment({**GOOD, "SCHEDULER_PUBLIC_URL": f"https://{'x' * 57}.se"})
    with pytest.raises(SettingsFault, match="no room in a text"):
        from_environment({**GOOD, "SCHEDULER_PUBLIC_URL": f"https://{'x' * 58}.se"})


def test_secrets_have_no_default():
    with pytest.raises(SettingsFault, match="SCHEDULER_SECRET_KEY"):
        from_environment({"SCHEDULER_PUBLIC_URL": "https://lykta.example"})

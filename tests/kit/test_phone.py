import pytest

from scheduler.kit.phone import as_swedes_write, masked, to_e164
from scheduler.kit.refusals import Invalid


@pytest.mark.parametrize(
    "typed",
    [
        "070-174 06 05",
        "0701740605",
        " 070 174 06 05 ",
        "070/1740605",
        "+46701740605",
        "+46 (0)70-174 06 05",
        "0046701740605",
        "46701740605",
        "070.174.06.05",
    ],
)
def test_a_mobile_number_is_understood_any_way_that_swedes_write_it(typed):
    assert to_e164(typed) == "+46701740605"


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("08-123 456 78", "not_mobile"),
        ("060-12 34 56", "not_mobile"),
        ("+47 412 34 567", "foreign"),
        ("+358 40 1234567", "foreign"),
        ("112", "not_a_number"),
        ("07012", "not_a_number"),
        ("070-174 06 05 ank 3", "not_a_number"),
        ("min mobil", "not_a_number"),
        ("0701740605" * 5, "not_a_number"),
        ("+46701740605\x00", "not_a_number"),
        ("٠٧٠١٧٤٠٦٠٥", "not_a_number"),
    ],
)
def test_anything_else_is_refused_with_its_reason(typed, problem):
    with pytest.raises(Invalid) as refusal:
        to_e164(typed)
    assert (refusal.value.field, refusal.value.problem) == ("phone", problem)


def test_numbers_are_shown_as_swedes_write_them_and_masked_where_strangers_may_look():
    assert as_swedes_write("+46701740605") == "070-174 06 05"
    assert as_swedes_write("+4722334455") == "+4722334455"
    assert masked("+46701740605") == "070-*** ** 05"

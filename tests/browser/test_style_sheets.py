"""What the style sheets may not say; needs no browser."""

import re
from pathlib import Path

import pytest

STYLES = sorted((Path(__file__).parents[2] / "static").rglob("*.css"))


def declarations() -> list[tuple[str, str]]:
    """Return every property and value of every style sheet."""
    text = re.sub(r"/\*.*?\*/", "", "".join(path.read_text() for path in STYLES), flags=re.DOTALL)
    found = re.findall(r"(?<=[{;])\s*([a-z-]+)\s*:\s*([^;{}]+)", text)
    assert len(found) > 300
    return found


def _sides_differ(name: str, value: str) -> bool:
    """Four values of which right and left are not the same; the safe areas have no logical names."""
    if name not in {"margin", "padding", "inset", "border-width", "border-color", "border-style"} or "env(" in value:
        return False
    parts = re.findall(r"[^\s(]+(?:\([^)]*\))?", value)
    return len(parts) == 4 and parts[1] != parts[3]


def test_no_left_and_right_so_that_pages_turn_with_the_language() -> None:
    physical = re.compile(r"(^|-)(left|right)($|-)")
    assert STYLES
    assert [(name, value) for name, value in declarations() if physical.search(name)] == []
    turned = {"float", "clear", "text-align", "justify-content", "justify-items", "justify-self"}
    assert [(name, value) for name, value in declarations() if name in turned and re.search("left|right", value)] == []
    assert [(name, value) for name, value in declarations() if _sides_differ(name, value)] == []


def test_text_grows_with_the_readers_own_size() -> None:
    texts = [(name, value) for name, value in declarations() if name in {"font", "font-size", "line-height"}]
    assert texts
    assert [(name, value) for name, value in texts if re.search(r"\d(px|pt|vw)\b", value)] == []


@pytest.mark.parametrize("removed", ["none", "0", "hidden"])
def test_no_outline_is_removed(removed: str) -> None:
    outlines = [value for name, value in declarations() if name in {"outline", "outline-style", "outline-width"}]
    assert outlines
    assert [value for value in outlines if value.split()[0] == removed] == []

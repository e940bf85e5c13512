"""Every refusal has its sentence, every text its translation, every setting and command its line in the README."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from scheduler.kit.language import LANGUAGES
from scheduler.kit.refusals import Conflict, Invalid, NotAllowed, NotFound, Refusal
from tests.conftest import settings

ROOT = Path(__file__).parents[2]
KINDS = {Refusal, Conflict}


def refusals(base=Refusal):
    for found in base.__subclasses__():
        yield found
        yield from refusals(found)


def shown_refusals():
    from scheduler import create_app

    create_app(settings())
    for found in set(refusals()) - KINDS:
        if found.__name__ != "BookingRefusal" and found.__module__.startswith("scheduler."):
            yield found


def test_every_refusal_has_its_sentence(shared_app):
    for refusal in shown_refusals():
        template = shared_app.jinja_env.get_template(f"{refusal.room}/refusals.html")
        assert f"macro {refusal.__name__}(" in Path(template.filename).read_text(encoding="utf-8"), refusal
    assert {NotFound, NotAllowed, Invalid} <= set(shown_refusals())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language, tmp_path):
    pot = tmp_path / "messages.pot"
    subprocess.run(
        [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "-F", "babel.cfg", "-k", "pgettext:1c,2",
         "-k", "npgettext:1c,2,3", "--no-location", "-o", str(pot), "."],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    with pot.open("rb") as file:
        wanted = read_po(file)
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    holes = []
    for message in wanted:
        if not message.id:
            continue
        found = catalogue.get(message.id, message.context)
        strings = found.string if found and isinstance(found.string, tuple) else [found.string if found else ""]
        if not found or found.fuzzy or not all(strings):
            holes.append(message.id)
            continue
        names = set(re.findall(r"%\((\w+)\)s", str(message.id)))
        for string in strings:
            assert set(re.findall(r"%\((\w+)\)s", string)) <= names, string
            assert len(re.findall(r"%\((\w+)\)s", string)) > 0 or not names - {"num"}, string
    assert holes == []


def test_the_readme_lists_every_setting_and_every_command(shared_app):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = "".join(
        path.read_text(encoding="utf-8") for path in [*ROOT.glob("scheduler/**/*.py"), *ROOT.glob("scripts/parts/*.py")]
    )
    named = set(re.findall(r"\b(?:SCHEDULER|TWILIO)_[A-Z_]+[A-Z]\b", code))
    assert {name for name in named if name not in readme} == set()
    commands = []
    for name, command in shared_app.cli.commands.items():
        inner = getattr(command, "commands", None)
        commands += [f"{name} {one}" for one in inner] if inner else [name]
    assert [command for command in commands if command not in readme] == []


def test_the_readme_lists_every_room():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for folder in (ROOT / "scheduler").iterdir():
        if folder.is_dir() and folder.name != "__pycache__":
            assert f"`{folder.name}/`" in readme or f"`scheduler/{folder.name}/`" in readme, folder.name

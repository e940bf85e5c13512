"""What the house promises about itself: who may use whom, and that each thing is done in one place."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCHEDULER = ROOT / "scheduler"
ORDER = [
    "kit",
    "partnership",
    "messages",
    "people",
    "nights",
    "bookings",
    "finding",
    "calendars",
    "gaps",
    "leading",
    "registers",
    "answers",
    "sendings",
    "walks",
    "money",
    "reports",
    "clubs",
    "steering",
    "personal",
    "doubles",
    "demo",
]
# The assembly and what spans the rooms.
SPANNING = {"__init__.py", "nursery.py", "serving.py", "wsgi.py", "tables.py", "commands.py", "worker.py"}


def modules():
    for path in sorted(SCHEDULER.rglob("*.py")):
        if "versions" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, []


def rooms_used(tree):
    for module, names in imported(tree):
        parts = module.split(".")
        if parts[0] == "scheduler":
            yield from parts[1:2] if len(parts) > 1 else names


def test_every_folder_is_a_room_of_the_order():
    folders = {path.name for path in SCHEDULER.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {*ORDER, "migrations"}


def test_a_room_looks_down_never_up():
    up = [
        f"{path.relative_to(ROOT)} uses {used}"
        for path, tree in modules()
        if (room := path.relative_to(SCHEDULER).parts[0]) in ORDER
        for used in rooms_used(tree)
        if used in ORDER and ORDER.index(used) > ORDER.index(room)
    ]
    assert up == []


def test_only_the_assembly_knows_every_room():
    loose = {path.name for path in SCHEDULER.glob("*.py")}
    assert loose == SPANNING


@pytest.mark.parametrize("forbidden", ["flask", "sqlalchemy", "twilio", "wtforms"])
def test_rules_are_pure(forbidden):
    users = [
        str(path.relative_to(ROOT))
        for path, tree in modules()
        if path.name in {"rules.py", "season.py"}
        for module, _names in imported(tree)
        if module.split(".")[0] == forbidden
    ]
    assert users == []


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def users_of(*names):
    return {
        path.relative_to(SCHEDULER).as_posix() for path, tree in modules() for called in calls(tree) if called in names
    }


def test_one_module_reads_the_clock():
    assert users_of("datetime.now", "datetime.utcnow", "date.today", "time.time") == {"kit/clock.py"}


def test_one_module_commits():
    committing = {
        path.relative_to(SCHEDULER).as_posix()
        for path, tree in modules()
        for called in calls(tree)
        if called.endswith((".commit", ".rollback", "_writing.begin"))
    }
    assert committing == {"kit/database.py"}


@pytest.mark.parametrize(
    ("library", "modules_allowed"),
    [
        ("phonenumbers", {"kit/phone.py"}),
        ("alembic", {"kit/migrating.py", "commands.py", "migrations/env.py"}),
        ("segno", {"people/pages.py", "calendars/pages.py"}),
        ("fpdf", {"kit/paper.py", "kit/tags.py"}),
        ("xlsxwriter", {"reports/papers.py", "registers/papers.py"}),
        ("python_calamine", {"registers/spreadsheet.py"}),
        ("icalendar", {"calendars/text.py"}),
        ("twilio", {"messages/port.py", "messages/pages.py"}),
        ("holidays", {"nights/season.py"}),
        ("wtforms", {"people/forms.py"}),
        ("gzip", {"kit/frame.py", "kit/assets.py"}),
    ],
)
def test_a_library_has_one_place(library, modules_allowed):
    users = {
        path.relative_to(SCHEDULER).as_posix()
        for path, tree in modules()
        for module, _names in imported(tree)
        if module.split(".")[0] == library
    }
    assert users == modules_allowed


def test_only_bookings_writes_places():
    """`shift.booked` and `shift.held` are written in one file; everybody else reads them."""
    writers = {
        path.relative_to(SCHEDULER).as_posix()
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith(".values")
        and {keyword.arg for keyword in node.keywords} & {"booked", "held"}
    }
    assert writers == {"bookings/places.py", "nights/actions.py"}, "nights/actions.py makes a shift with none"


def test_every_room_says_what_it_is():
    for room in ORDER:
        docstring = ast.get_docstring(ast.parse((SCHEDULER / room / "__init__.py").read_text(encoding="utf-8")))
        assert docstring, room
        assert len(docstring.splitlines()) >= 3, room


def test_no_file_and_no_function_is_long():
    long = []
    for path, tree in modules():
        if len(path.read_text(encoding="utf-8").splitlines()) > 500:
            long.append(str(path.relative_to(ROOT)))
        long += [
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > 60
        ]
    assert long == []


def test_the_application_loads_no_orm():
    program = "import sys, scheduler.tables, scheduler.commands; sys.exit('sqlalchemy.orm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0

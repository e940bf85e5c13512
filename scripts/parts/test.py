"""Makes sure of everything: lint, types, tests on SQLite, on PostgreSQL and in a browser: `scripts/test`."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from environment import PYTHON, ROOT, complain, install, run_slowly, say

PYTHON_FILES = ("scheduler", "scripts", "tests")
CHECKS = {
    "lint": ("ruff", "check", *PYTHON_FILES),
    "format": ("ruff", "format", "--check", *PYTHON_FILES),
    "types": ("mypy",),
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def main() -> int:
    options, for_pytest = _options()
    install("requirements.txt", "tests/requirements.txt")
    environment = _environment()
    left_out: dict[str, str] = {}
    if options.quick:
        say("Quick: the tests on PostgreSQL and in a browser are left out.")
        left_out = {"postgresql": "--quick", "browser": "--quick"}
    elif (browser := _browser()) is None:
        left_out = {"browser": "there is no Chromium or Chrome"}
    else:
        environment["TEST_BROWSER"] = browser
    faults = [name for name, command in CHECKS.items() if not _passes(name, command, environment)]
    if not options.quick:
        faults += [f"{name} left out: {why}" for name, why in left_out.items() if _in_ci()]
    return _pytest(for_pytest, environment, left_out, faults)


def _options() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Installs what tests need and runs lint, types and all tests. Nothing is skipped "
        "silently: what cannot run here says so and why, and is an error when CI=true.",
        epilog="All other arguments go to pytest, which then runs in one process: scripts/test -k booking -x",
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="leave out PostgreSQL and the browser")
    return parser.parse_known_args()


def _environment() -> dict[str, str]:
    """Without the settings of whoever runs the tests, so that no test reaches a real database or Twilio."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SCHEDULER_", "TWILIO_"))}


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("true", "1")


def _browser() -> str | None:
    """Where a browser is; installs Debian's when that can be done without asking."""
    found = _found_browser()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Chromium with apt-get; this can take a minute or two")
        apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if run_slowly(["apt-get", "update"], environment=apt):
            packages = ("chromium", "fonts-liberation")
            run_slowly(["apt-get", "install", "-y", "--no-install-recommends", *packages], environment=apt)
        found = _found_browser()
    if found is None:
        complain(
            "There is no browser, so the journeys in a browser are left out. Install Chrome, or Chromium "
            "(on Debian: apt install chromium), or say where one is: TEST_BROWSER=…"
        )
    return found


def _found_browser() -> str | None:
    places = [os.environ.get("TEST_BROWSER"), *map(shutil.which, BROWSERS), str(BROWSER_ON_MACOS)]
    return next((place for place in places if place and _is_a_browser(place)), None)


def _is_a_browser(place: str) -> bool:
    """Ubuntu's `chromium-browser` may be only a hint to install it by other means."""
    try:
        told = subprocess.run([place, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return told.returncode == 0


def _passes(name: str, command: tuple[str, ...], environment: dict[str, str]) -> bool:
    say(f"\n{name}: {' '.join(command)}")
    return subprocess.run([PYTHON, "-m", *command], cwd=ROOT, env=environment, check=False).returncode == 0


def _pytest(arguments: list[str], environment: dict[str, str], left_out: dict[str, str], faults: list[str]) -> int:
    command = [PYTHON, "-m", "pytest", "-p", "scripts.parts.summary", *_processes(arguments)]
    # What failed before is repeated by pytest at the end, so that nobody has to scroll up to learn of it.
    environment["TEST_FAULTS"] = "\n".join(faults)
    environment["TEST_LEFT_OUT"] = "\n".join(f"{marker}: {why}" for marker, why in left_out.items())
    say("\ntests: pytest")
    return subprocess.run([*command, *arguments], cwd=ROOT, env=environment, check=False).returncode


def _processes(arguments: list[str]) -> list[str]:
    """All tests share the processors; a few chosen ones are easier to follow in one process."""
    if arguments:
        return []
    return ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile"]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

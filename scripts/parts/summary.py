"""A plugin for pytest: leaves out what cannot run here, and says above the last line what was left out or
failed besides the tests.
"""

import os

import pytest


def _lines(name: str) -> list[str]:
    return os.environ.get(name, "").splitlines()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    markers = {line.partition(":")[0] for line in _lines("TEST_LEFT_OUT")}
    left_out = [item for item in items if markers & {mark.name for mark in item.iter_markers()}]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _skipped(session: pytest.Session) -> list[str]:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    return [] if reporter is None else [report.nodeid for report in reporter.stats.get("skipped", [])]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Lint, types and, where nobody looks (CI), anything that did not run make the whole run fail."""
    in_ci = os.environ.get("CI", "").lower() in ("true", "1")
    if session.exitstatus == pytest.ExitCode.OK and (_lines("TEST_FAULTS") or (in_ci and _skipped(session))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.write_line(f"skipped {report.nodeid}: {reason}", yellow=True)
    for line in _lines("TEST_LEFT_OUT"):
        terminalreporter.write_line(f"left out {line}", yellow=True)
    for line in _lines("TEST_FAULTS"):
        terminalreporter.write_line(f"failed, see above: {line}", red=True)

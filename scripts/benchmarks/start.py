"""Installs what the benches need and starts them. Knows only the standard library, like scripts/parts."""

import os
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1]
PATHS = [str(SCRIPTS.parent), str(SCRIPTS), str(SCRIPTS / "parts")]


def main() -> None:
    sys.path[:0] = PATHS
    from environment import PYTHON, install

    install("requirements.txt", "tests/requirements.txt")
    os.environ["PYTHONPATH"] = os.pathsep.join(PATHS)
    os.execv(PYTHON, [str(PYTHON), "-m", "benchmarks", *sys.argv[1:]])  # noqa: S606


main()

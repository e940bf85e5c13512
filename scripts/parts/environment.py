"""The project's own `.venv`. Knows only the standard library, since it runs before anything is installed."""

import contextlib
import fcntl
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

_PROGRESS_EVERY_SECONDS = 10.0
_LAST_WORDS = 25


def say(sentence: str = "") -> None:
    try:
        print(sentence, flush=True)
    except BrokenPipeError:  # whoever read along has gone; that is no reason to stop
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def give_up(sentence: str) -> NoReturn:
    complain(sentence)
    sys.exit(1)


def install(*requirements: str) -> None:
    """Makes the environment hold what these files ask for; does nothing when it holds it already."""
    if all(_is_installed(name) for name in requirements):
        return
    with _alone(Path(__file__)):
        if not _environment_works():
            _make_environment()
        for name in requirements:
            if not _is_installed(name):
                _install(name)


def run_slowly(command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None) -> bool:
    """Runs a command that takes long: shows now and then how far it is, and its last words if it fails."""
    began_at = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_PROGRESS_EVERY_SECONDS)
                    break
                say(f"  {time.monotonic() - began_at:3.0f} s: {''.join(_last_lines(output, 1))[:90]}")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode != 0:
            for line in _last_lines(output, _LAST_WORDS):
                complain(f"  | {line}")
    return process.returncode == 0


def _last_lines(output: "tempfile._TemporaryFileWrapper[str]", count: int) -> list[str]:
    output.seek(0)
    return [line.strip() for line in output if line.strip()][-count:]


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two first starts at the same time take turns.

    The file is only a thing to hold; the system lets go of it when a process ends, however it ends.
    """
    with path.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start is installing packages; waiting for it.")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _stamp(name: str) -> tuple[Path, str]:
    """Where it is noted what was last installed, and what ought to be noted there."""
    file = VENV / f"installed-{name.replace('/', '-')}"
    return file, f"{sys.version}\n{(ROOT / name).read_text()}"


def _is_installed(name: str) -> bool:
    file, wanted = _stamp(name)
    # `scripts/python` takes the environment's own Python if that runs at all.
    return Path(sys.prefix).resolve() == VENV.resolve() and file.exists() and file.read_text() == wanted


def _environment_works() -> bool:
    if not PYTHON.exists():
        return False
    tried = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False)
    return tried.returncode == 0


def _make_environment() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        give_up(
            f"Python {version} is here, but not the part that makes an environment. On Debian or Ubuntu: "
            f"apt install python3-venv  (or python{version}-venv), then start again."
        )
    say(f"Making an environment for Python {sys.version.split()[0]} in {VENV.name}")
    # Not sys.executable: it may be that of the broken environment that is being replaced.
    python = getattr(sys, "_base_executable", sys.executable)
    if not run_slowly([python, "-m", "venv", "--clear", VENV]):
        give_up(f"{VENV} could not be made; see above.")


def _install(name: str) -> None:
    file, wanted = _stamp(name)
    packages = sum(line[:1].isalnum() for line in wanted.splitlines()[1:])
    say(f"Installing the {packages} packages of {name}; the first time this can take a minute or two")
    pip = [PYTHON, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    if not run_slowly([*pip, "--require-hashes", "-r", ROOT / name]):
        give_up(f"The packages of {name} could not be installed; see above. Nothing was started.")
    file.write_text(wanted)

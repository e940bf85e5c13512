"""Starts the scheduler for a first look, with an embedded database: `scripts/run`.

Each part is started by the command that production would use; see the README.
"""

import argparse
import contextlib
import ctypes
import errno
import fcntl
import http.client
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

from environment import PYTHON, ROOT, complain, give_up, install, say

DEMO_ROLES = ("volunteer", "coordinator", "contact", "municipality")
KEY_FILE = "secret-key"

_READY_WITHIN_SECONDS = 90.0
_STOP_WITHIN_SECONDS = 15.0
_ASK_AGAIN_SECONDS = 3.0
_PR_SET_PDEATHSIG = 1

WEB = (
    "scheduler.serving",
    "--interface=wsgi",
    "--http=1",
    "--no-ws",
    "--workers=2",
    "--blocking-threads=32",
    "--http1-header-read-timeout=10000",
    "--workers-kill-timeout=10",
    "--respawn-failed-workers",
    "--no-access-log",
    "--log-level=error",  # it warns of more threads than cores; a slow sender of a body keeps a thread
)


def main() -> NoReturn:
    options = _options()
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    signal.signal(signal.SIGHUP, _as_ctrl_c)
    try:
        _refuse_a_busy_port(options.host, options.port)
        install("requirements.txt")
        environment = _environment(options)
        _prepare_database(options.data, environment)
    except KeyboardInterrupt:
        give_up("\nStopped before anything was started; start again whenever you like.")
    sys.exit(_serve(options, environment))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/run",
        description="Starts web server and worker with an embedded database and a demo partnership. "
        "Needs Python 3.11 or newer and, the first time, the network. Ctrl-C stops everything.",
        epilog="Settings in the environment (SCHEDULER_…, see the README) are passed on.",
    )
    parser.add_argument("--port", type=_port, default=8000, help="where to listen (8000)")
    parser.add_argument("--host", default="127.0.0.1", help="which address to listen on (127.0.0.1)")
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT / "var",
        metavar="DIR",
        help="folder of database and secret key (./var)",
    )
    parser.add_argument("--empty", action="store_true", help="no demo: an empty database, to be used for real")
    options = parser.parse_args()
    options.data = options.data.expanduser().absolute()
    return options


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"a port is a whole number from 1 to 65535, not {text!r}")


def _refuse_a_busy_port(host: str, port: int) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        give_up(f"{host!r} is no address of this machine. Nothing was started.")
    busy = f"Port {port} is in use already. Nothing was started; choose another: scripts/run --port N"
    with socket.socket(family, kind) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(address)
        except PermissionError:
            give_up(f"Port {port} is for administrators only; choose one above 1023. Nothing was started.")
        except OSError as fault:
            if fault.errno == errno.EADDRINUSE:
                give_up(busy)
            give_up(f"Cannot listen on {host}: {fault.strerror}. Nothing was started.")
    # macOS lets one bind 127.0.0.1 beside somebody who listens on every address.
    with socket.socket(family, kind) as tried:
        tried.settimeout(1)
        if tried.connect_ex((_reachable(host), port)) == 0:
            give_up(busy)


def _reachable(host: str) -> str:
    """An address at which this machine reaches itself."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  only compared
    return everywhere.get(host, host)


def _environment(options: argparse.Namespace) -> dict[str, str]:
    """What web server and worker are given; what is set already stays."""
    _make_folder(options.data)
    host = _reachable(options.host)
    address = f"http://[{host}]:{options.port}" if ":" in host else f"http://{host}:{options.port}"
    environment = {
        "SCHEDULER_DATABASE_URL": f"sqlite:///{options.data / 'scheduler.sqlite3'}",
        "SCHEDULER_PUBLIC_URL": address,
        **{name: value for name, value in os.environ.items() if value or not name.startswith("SCHEDULER_")},
        "PYTHONUNBUFFERED": "1",
    }
    environment.setdefault("SCHEDULER_SECRET_KEY", _secret_key(options.data / KEY_FILE))
    environment.pop("SCHEDULER_DEMO", None)
    if not options.empty:
        environment["SCHEDULER_DEMO"] = "1"
    _keep_demo_and_real_apart(options)
    return environment


def _make_folder(folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)  # names and phone numbers will lie here
    except OSError as fault:
        give_up(f"The data folder {folder} cannot be made: {fault.strerror}. Nothing was started.")
    if not os.access(folder, os.W_OK | os.X_OK):
        give_up(f"The data folder {folder} cannot be written to. Nothing was started.")


def _secret_key(file: Path) -> str:
    """Kept, so that a restart signs nobody out. Put in place whole, so that no half key is ever read."""
    if not file.exists():
        new = file.with_name(f"{file.name}.{os.getpid()}")
        new.touch(mode=0o600)
        with new.open("w") as out:
            out.write(secrets.token_urlsafe(48))
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(new, file)
        new.unlink()
    return file.read_text().strip()


def _keep_demo_and_real_apart(options: argparse.Namespace) -> None:
    """The demo lets anybody in as anybody, so it must never open a folder that holds real people."""
    wanted = "empty" if options.empty else "demo"
    note = options.data / "started-as"
    if not note.exists():
        note.write_text(wanted)
    found = note.read_text().strip()
    if found == wanted:
        return
    if found == "empty":
        give_up(
            f"{options.data} was started with --empty: it may hold real people, and the demo lets all in.\n"
            "Say --empty again, or give the demo a folder of its own: scripts/run --data DIR"
        )
    give_up(
        f"{options.data} holds the demo. Choose another folder for your own: scripts/run --empty --data DIR\n"
        "(or remove it, if you are done with the demo)."
    )


def _prepare_database(data: Path, environment: dict[str, str]) -> None:
    with _one_at_a_time(data):
        done = subprocess.run([*_flask(), "prepare"], cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        give_up("The database could not be prepared; see above. Nothing was started.")


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _flask() -> list[str]:
    return [str(PYTHON), "-m", "flask", "--app", "scheduler"]


class _Stopping:
    """Counts the wishes to stop: after the first we wait for all to end well, after the second we do not."""

    def __init__(self) -> None:
        self.wishes = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._wish)

    def _wish(self, _number: int, _frame: FrameType | None) -> None:
        self.wishes += 1


def _serve(options: argparse.Namespace, environment: dict[str, str]) -> int:
    stopping = _Stopping()
    web = [str(PYTHON), "-m", *WEB, f"--host={options.host}", f"--port={options.port}", "scheduler.wsgi:app"]
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        children["web server"] = _start(web, environment)
        children["worker"] = _start([*_flask(), "worker"], environment)
        if not _wait_until_ready(options, environment, children, stopping):
            return 0 if stopping.wishes else 1
        _tell_how_to_enter(options, environment)
        while not stopping.wishes:
            if _somebody_ended(children):
                return 1
            time.sleep(0.2)
        return 0
    finally:
        _stop(children, stopping)


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches us alone; we stop each of them once, in good order
        preexec_fn=_end_with_parent,  # noqa: PLW1509  there are no threads here
    )


def _end_with_parent() -> None:
    """Even kill -9 of this script leaves nothing running, where the system can promise that (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_ready(
    options: argparse.Namespace,
    environment: dict[str, str],
    children: dict[str, subprocess.Popen[bytes]],
    stopping: _Stopping,
) -> bool:
    give_up_at = time.monotonic() + _READY_WITHIN_SECONDS
    public = urlsplit(environment["SCHEDULER_PUBLIC_URL"])
    answer = "nothing"
    while time.monotonic() < give_up_at:
        if stopping.wishes or _somebody_ended(children):
            return False
        connection = http.client.HTTPConnection(_reachable(options.host), options.port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/readyz", headers={"Host": public.netloc})
            answer = str(connection.getresponse().status)
            if answer == "200":
                return True
        time.sleep(0.03)
    complain(f"The web server did not become ready; /readyz answered {answer}.")
    return False


def _somebody_ended(children: dict[str, subprocess.Popen[bytes]]) -> bool:
    for name, child in children.items():
        if child.poll() is not None:
            code = child.returncode
            complain(f"\nThe {name} ended by itself (code {code}; see above). Stopping everything.")
            return True
    return False


def _stop(children: dict[str, subprocess.Popen[bytes]], stopping: _Stopping) -> None:
    if stopping.wishes:
        say("\nStopping.")
    patience_until = time.monotonic() + _STOP_WITHIN_SECONDS
    ask_again_at = time.monotonic() + _ASK_AGAIN_SECONDS
    for child in children.values():
        child.terminate()
    while any(child.poll() is None for child in children.values()):
        if time.monotonic() > patience_until or stopping.wishes > 1:
            break
        # A process that was only just starting can miss the first time. Not sooner: asked twice, the web server
        # drops the requests that it has in hand.
        if time.monotonic() >= ask_again_at:
            ask_again_at = time.monotonic() + _ASK_AGAIN_SECONDS
            _signal_all(children, signal.SIGTERM)
        time.sleep(0.05)
    _signal_all(children, signal.SIGKILL)
    for child in children.values():
        child.wait()


def _signal_all(children: dict[str, subprocess.Popen[bytes]], number: signal.Signals) -> None:
    """Reach each of them and whatever it has started."""
    for child in children.values():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)


def _tell_how_to_enter(options: argparse.Namespace, environment: dict[str, str]) -> None:
    address = environment["SCHEDULER_PUBLIC_URL"].rstrip("/")
    say(f"\nLykta is ready: {address}/")
    if options.empty:
        _tell_how_to_begin(options, environment)
    else:
        if "SCHEDULER_DEMO_NOW" in environment:
            say(f"Its clock stands still at {environment['SCHEDULER_DEMO_NOW']}.")
        say("\nLook at the demo as")
        for role in DEMO_ROLES:
            say(f"  {role:13} {address}/demo/sign-in/{role}")
        say(f"  {'SMS':13} {address}/demo/sms  (what would have been sent; nothing is)")
    say(f"\nData is kept in {options.data}. Ctrl-C stops everything.")


def _tell_how_to_begin(options: argparse.Namespace, environment: dict[str, str]) -> None:
    say("\nThe database is empty. In another terminal, make your partnership and invite the first person:\n")
    say(f"  cd {shlex.quote(str(ROOT))}")
    for name in ("SCHEDULER_DATABASE_URL", "SCHEDULER_PUBLIC_URL"):
        say(f"  export {name}={shlex.quote(environment[name])}")
    if os.environ.get("SCHEDULER_SECRET_KEY"):
        say("  export SCHEDULER_SECRET_KEY=…  # the one you set")
    else:
        say(f'  export SCHEDULER_SECRET_KEY="$(cat {shlex.quote(str(options.data / KEY_FILE))})"')
    say("  .venv/bin/python -m flask --app scheduler partnership create --help")
    say("  .venv/bin/python -m flask --app scheduler people invite --help")


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()

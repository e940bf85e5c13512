import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler import create_app
from scheduler.kit import migrating
from scheduler.kit.database import Database
from scheduler.kit.settings import Settings
from scheduler.kit.web import Application
from tests import make
from tests.servers.postgres import Postgres
from tests.visitor import Visitor

SECRET = "a secret that only the tests know, forty characters"
ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        database = Database(server.create_database("walks"))
        database.write(migrating.upgrade)
        database.dispose()
        yield server


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "empty.sqlite3"
    database = Database(f"sqlite:///{path}")
    database.write(migrating.upgrade)
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("COMMIT") if connection.in_transaction() else None
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


_made = iter(range(1, 1_000_000))


def new_database(engine: str, request: pytest.FixtureRequest, folder: Path) -> tuple[Database, str]:
    """Return an empty, migrated database of its own, and its address."""
    if engine == "sqlite":
        path = folder / f"test{next(_made)}.sqlite3"
        shutil.copyfile(request.getfixturevalue("empty_sqlite"), path)
        url = f"sqlite:///{path}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        name = f"test{next(_made)}"
        url = server.create_database(name, template="walks")
    return Database(url, connections=70), url


@pytest.fixture
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty SQLite database."""
    made, _url = new_database("sqlite", request, tmp_path)
    yield made
    made.dispose()


@pytest.fixture(params=ENGINES)
def each_database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database of each engine in turn."""
    made, _url = new_database(request.param, request, tmp_path)
    yield made
    made.dispose()


@pytest.fixture(params=ENGINES)
def each_url(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of an empty database of each engine in turn, for tests that start processes."""
    made, url = new_database(request.param, request, tmp_path)
    made.dispose()
    return url


def settings(database_url: str = "sqlite:////nowhere/none.sqlite3", **more: object) -> Settings:
    given: dict[str, object] = {
        "database_url": database_url,
        "secret_key": SECRET,
        "public_url": make.SITE,
        "time_zone": make.STOCKHOLM,
        "demo": True,
        **more,
    }
    return Settings(**given)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Application:
    path = tmp_path_factory.mktemp("app") / "never-used.sqlite3"
    return create_app(settings(f"sqlite:///{path}"))


@pytest.fixture
def clock() -> make.SetClock:
    return make.SetClock()


@pytest.fixture
def app(shared_app: Application, database: Database, clock: make.SetClock) -> Application:
    """The application on an empty SQLite database at noon on Monday 23 November 2026."""
    shared_app.database, shared_app.clock = database, clock
    return shared_app


@pytest.fixture
def town(database: Database) -> make.Town:
    return database.write(make.town)


@pytest.fixture
def visitor(app: Application, town: make.Town) -> Visitor:
    """Somebody at the town's pages, not signed in."""
    return Visitor(app, town)

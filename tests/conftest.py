"""The two engines, for every test that is about both: one real Postgres server a test process, a database a test."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.engines import Databases, Files
from tests.histories.quick import forget_all, quick
from tests.postgres import running_postgres
from tests.records import MOMENT
from tests.short import is_short, leave_out
from warehouse.opened.migrate import migrate
from warehouse.opened.open import open_place

TOGETHER = "tests/flows/scheduled/"
MEMORY, ROOM = Path("/dev/shm"), 4 * 1024**3  # noqa: S108 - pytest makes a folder of its own there


def has_room(folder):
    """Whether it has room for what the tests write, and programs in it may be run."""
    if not folder.is_dir():
        return False
    system = os.statvfs(folder)
    return system.f_bavail * system.f_frsize > ROOM and not system.f_flag & os.ST_NOEXEC


if has_room(MEMORY):  # half of what a pull takes is waiting for the disk
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow],
    derandomize="NINJA_SYNC_WORLDS" not in os.environ,  # else the long run, which is to draw what nobody has drawn
)  # fmt: skip
settings.load_profile("unhurried")  # how long an example takes says how busy the machine is, and nothing else


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Leave out what no run needs, mark what is left to `make proof`, and begin with what takes long.

    Files with slow tests come first: with several workers, the last ones to end have only short files left.
    """
    leave_out(
        items, [i for i in items if not all(m.kwargs["where"](**i.callspec.params) for m in i.iter_markers("only"))]
    )
    for item in items:
        for mark in item.iter_markers("quick"):
            if not mark.kwargs["where"](**item.callspec.params):
                item.add_marker("proof")
        if not is_short(item.nodeid, item.callspec.params if hasattr(item, "callspec") else {}):
            item.add_marker("proof")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


class Scheduling(LoadScopeScheduling):
    """A file's tests run in one worker, as they share servers. So do those of TOGETHER, which all import Prefect.

    (Marks `xdist_group` have no effect: xdist 3.8 writes them into an attribute that pytest 9.2 does not read.)
    """

    def _split_scope(self, nodeid):
        return TOGETHER if nodeid.startswith(TOGETHER) else nodeid.split("::")[0]


@pytest.hookimpl(optionalhook=True)  # there may be no xdist
def pytest_xdist_make_scheduler(config, log):
    """How tests are given to workers."""
    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory):
    """Where pages for Postgres are staged: in a folder of the tests, in other processes too."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state-home")))
        yield


@pytest.fixture(scope="session")
def postgres():
    """A Postgres server of this test process."""
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def databases(postgres):
    """What makes and copies databases on that server."""
    return Databases(postgres)


@pytest.fixture(scope="session")
def migrated(postgres):
    """A database of this version, from which others are copied."""
    place = postgres.place(postgres.make_database())
    with open_place(place) as opened:
        migrate(opened, now=MOMENT)
    return place


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    """A DuckDB file of this version, from which others are copied."""
    place = Files().new(tmp_path_factory.mktemp("migrated"))
    with open_place(place) as opened:
        migrate(opened, now=MOMENT)
    return place


@pytest.fixture
def database(postgres):
    """An empty database for one test."""
    name = postgres.make_database()
    yield postgres.place(name)
    postgres.drop_database(name)


@pytest.fixture
def on_engine(request, tmp_path):
    """Makes a warehouse of this version, with nothing in it, on the engine of that name."""
    with ExitStack() as stack:

        def made(name):
            if name == "duckdb":
                return Files().copy(request.getfixturevalue("migrated_file"), tmp_path / "state")
            databases = request.getfixturevalue("databases")
            place = databases.copy(request.getfixturevalue("migrated"))
            stack.callback(databases.drop, place)
            return place

        yield made


@pytest.fixture
def postgres_place(on_engine):
    """A warehouse of this version in Postgres, with nothing in it."""
    return on_engine("postgres")


@pytest.fixture(params=["duckdb", "postgres"])
def place(request, on_engine):
    """Where a warehouse is, once on each engine: one of this version, with nothing in it."""
    return on_engine(request.param)


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def engine(request):
    """What makes warehouses, for a whole file of tests on each engine."""
    return Files() if request.param == "duckdb" else request.getfixturevalue("databases")


@pytest.fixture
def kept_open(request, tmp_path):  # its files are closed before its folder is removed
    """Warehouses stay open beneath, which halves the time of a pull; not for tests with the mark `opens`."""
    if {mark.name for mark in request.node.iter_markers()} & {"opens", "publishes"}:
        yield
        return
    with quick():
        yield
    forget_all()

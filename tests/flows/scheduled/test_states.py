"""What the flows tell Prefect: progress of long loads, jitter of scheduled runs, states of runs that share."""

from __future__ import annotations

import ast
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from flows.configuration.schedules import Prefect, When
from flows.configuration.values import Settings
from flows.pull.job import Pulled
from flows.pull.summary import summary_of
from sandbox.server import running
from schemas.errors import TooMuchChange
from warehouse.control.state import Run
from warehouse.locks.lock import one_run_at_a_time

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def notices():
    from flows.scheduled import notices  # noqa: PLC0415 - Prefect takes seconds to import

    return notices


@pytest.fixture
def states():
    from flows.scheduled import states  # noqa: PLC0415 - as above

    return states


def test_a_long_load_is_a_line_and_a_progress_artifact_every_ten_thousand_records(notices, monkeypatch, caplog):
    told, made = [], uuid4()

    def create(part, key, **_more):
        told.append((key, part))
        return made

    monkeypatch.setattr(notices, "create_progress_artifact", create)
    monkeypatch.setattr(notices, "update_progress_artifact", lambda one, part, **_more: told.append((one, part)))
    progress = notices.logged_progress(logging.getLogger("flows"), "my_shop")
    with caplog.at_level(logging.INFO):
        progress("looking", 0, None)
        for done in range(0, 40_001, 1000):
            progress("reading", done, 40_000)
    lines = ["looking", "reading", *(f"reading: {n},000 records of 40,000" for n in (10, 20, 30, 40))]
    assert caplog.messages == lines
    assert told == [("ninja-sync-progress-my-shop", 25.0), (made, 50.0), (made, 75.0), (made, 100.0)]


def test_a_short_load_has_no_progress_artifact(notices, monkeypatch):
    monkeypatch.setattr(notices, "create_progress_artifact", lambda *_args, **_more: pytest.fail("an artifact"))
    progress = notices.logged_progress(logging.getLogger("flows"), "main")
    progress("reading", 9000, 9000)


@pytest.mark.parametrize(
    ("scheduled", "jitter", "starts", "waits"),
    [(True, 30, 1, True), (False, 30, 1, False), (True, 0, 1, False), (True, 30, 2, False)],
)
def test_only_a_scheduled_run_waits_once_for_a_part_of_its_jitter(
    states, monkeypatch, scheduled, jitter, starts, waits
):
    run = SimpleNamespace(flow_run=SimpleNamespace(auto_scheduled=scheduled, run_count=starts))
    monkeypatch.setattr(states, "FlowRunContext", SimpleNamespace(get=lambda: run))
    monkeypatch.setattr(states, "runtime", SimpleNamespace(flow_run=SimpleNamespace(flow_name="pull")))
    slept = []
    states.spread(Settings(prefect=Prefect(schedules={"pull": When(interval=60, jitter=jitter)})), sleep=slept.append)
    assert [0 <= one <= jitter for one in slept] == [True] * waits


def found(**more):
    return summary_of(Pulled(Run("run", "main", "full", NOW, NOW, 1.0, 3), **more))


def test_how_a_run_ends_by_what_it_found(states):
    from flows.scheduled.pull import Elsewhere, ending  # noqa: PLC0415 - as above

    ended = {
        "done": ending({"a": found(), "b": Elsewhere(done=True), "c": Elsewhere(done=False)}),
        "look": ending({"a": found(left=2)}),
        "left": ending({"a": found(), "b": Elsewhere(done=False, last_begun=NOW, stale=True)}),
        "held": ending({"a": found(left=9, held=TooMuchChange("9 clients have vanished")), "b": found(left=1)}),
        "failed": ending({"a": found(), "b": "NetworkFailed: no"}),
    }
    assert {key: (state.type.value, state.name) for key, state in ended.items()} == {
        "done": ("COMPLETED", "Completed"), "look": ("COMPLETED", "Needs a look"),
        "left": ("COMPLETED", "Needs a look"), "held": ("FAILED", "Brake held"), "failed": ("FAILED", "Failed"),
    }  # fmt: skip
    assert ended["held"].message.startswith("main: 9 clients have vanished; main: ")
    assert ended["done"].message.endswith("2 of 3 sources left to other runs")
    assert "b: another process is reading it; it was last read 2026-11-28 00:00 UTC" in ended["left"].message
    assert ended["failed"].message.startswith("1 of 2 sources failed: b.")


def test_a_source_that_another_process_holds_is_left_to_it_and_told_of_where_it_was_not_read_for_long(
    states, postgres, database, tmp_path
):
    from flows.scheduled.pull import STALE, Elsewhere, _pulled  # noqa: PLC0415 - as above

    with running(clients=3, seed=9) as box:
        config = tmp_path / "ninja-sync.toml"
        config.write_text(f'[sources.main]\nurl = "{box.url}"\ntoken_file = "token"\nlook_back = 60\n')
        (tmp_path / "token").write_text(box.token)
        (tmp_path / "token").chmod(0o600)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NINJA_SYNC_WAREHOUSE", database.url)
            patch.setenv("NINJA_SYNC_CONFIG", str(config))

            def read(due):
                return _pulled("main", lambda *_: None, full=False, due=due)

            with one_run_at_a_time(database, "main"):
                assert read(datetime.now(UTC)) == Elsewhere(done=False)  # its first load, perhaps
            due = datetime.now(UTC)
            assert read(due).run.inserted == 3
            assert read(due) == Elsewhere(done=True)
            with one_run_at_a_time(database, "main"):
                held, later = read(due + timedelta(minutes=1)), read(due + STALE + timedelta(minutes=1))
    assert (held.done, held.stale, later.stale, held.last_begun >= due) == (False, False, True, True)


def test_nothing_that_writes_is_tried_again_whatever_prefect_is_told(tmp_path):
    asked = (
        "from flows.scheduled import dedupe, merge, nightly, publish, pull, push, statements; "
        "every = (dedupe, merge, nightly, publish, pull, push, statements); "
        "print({f'{m.__name__[16:]}.{n}': o.retries for m in every for n, o in vars(m).items() "
        "if hasattr(o, 'retries') and o.fn.__module__ == m.__name__})"
    )
    told = {"PREFECT_TASKS_DEFAULT_RETRIES": "3", "PREFECT_FLOWS_DEFAULT_RETRIES": "3", "PREFECT_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", asked], env=os.environ | told, capture_output=True, text=True, check=True
    )
    found = ast.literal_eval(done.stdout)
    may = {"pull.pull_one", "push.plan_one", "dedupe.dedupe_one"}
    assert may <= found.keys()
    assert {name: retries for name, retries in found.items() if retries} == dict.fromkeys(may, 3)
    assert len(found) > 12

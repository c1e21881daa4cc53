"""The flow `pull` under Prefect: what it does, what it retries, what it tells, and what Prefect's database holds after.

One server for the whole module: everything runs first, then the server is stopped, then the facts are looked up.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import re
import shutil
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from flows.pull import by_name
from sandbox.server import running
from tests.flows.scheduled.prefect_leaks import leaks
from warehouse.locks.lock import one_run_at_a_time

pytestmark = [pytest.mark.slow, pytest.mark.proof]

NAME, MAIL = "Ünïque Käserei Wiederhuber GmbH", "canary.person@wiederhuber.example"
NEW_MAIL = "other.canary@wiederhuber.example"
TOKEN_VARIABLE, WRONG_TOKEN = "CANARY_TOKEN", "wrong-canary-token-5Zt"
PEOPLE = ("Wiederhuber", "wiederhuber")
TASKS = 31  # of all the flow runs
PREFECT = '[prefect]\nchanges_folder = "changes"\nexport_folder = "copies"\n'
PATIENCE = 60.0  # seconds to wait for Prefect to write down what has happened already


@dataclass(frozen=True)
class Ran:
    """What is left of the runs: their states by name, and Prefect's files."""

    states: dict
    folder: Path
    token: str
    password: str

    def rows(self, sql):
        return rows(self.folder / "prefect-test.db", sql)

    def attempts(self, flow_run):
        """Task runs of a flow run: how often each was tried, and how it ended."""
        return dict(
            self.rows(
                "select t.name, t.run_count || ' ' || t.state_type from task_run t "
                f"join flow_run f on f.id = t.flow_run_id where f.id = '{flow_run}'"
            )
        )


def rows(database, sql):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch, running(clients=20, seed=3) as box:
        for name in [name for name in os.environ if name.startswith(("NINJA_SYNC_", "PREFECT_"))]:
            patch.delenv(name)
        patch.setenv("PREFECT_HOME", str(folder / "home"))
        patch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        patch.setenv("DO_NOT_TRACK", "1")
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv(TOKEN_VARIABLE, box.token)
        patch.setenv("WRONG_TOKEN", WRONG_TOKEN)
        patch.setenv("NINJA_SYNC_PASSWORD", box.password)
        yield all_runs(folder, patch, box)


def all_runs(folder, patch, box):
    import prefect  # noqa: PLC0415 - takes seconds, which other tests do not spend
    from prefect import settings  # noqa: PLC0415
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    from flows.scheduled import pull as prefect_pull  # noqa: PLC0415

    careless = {
        settings.PREFECT_HOME: folder / "home",
        settings.PREFECT_LOCAL_STORAGE_PATH: folder / "home/storage",
        settings.PREFECT_RESULTS_PERSIST_BY_DEFAULT: True,
    }
    patch.setattr(prefect_pull, "pull_one", prefect_pull.pull_one.with_options(retry_delay_seconds=0))
    with settings.temporary_settings(careless), prefect_test_harness(server_startup_timeout=180):
        database = Path(settings.PREFECT_SERVER_DATABASE_CONNECTION_URL.value().partition("///")[2])
        states = scenes(prefect_pull, patch, box, folder)
        prefect.flow(careless_flow)()
        wait_until_written(database, list(states.values()))
    shutil.copytree(database.parent, folder / "database")
    shutil.copytree(folder / "home", folder / "database/home")
    return Ran(states, folder / "database", box.token, box.password)


def careless_flow():
    """Its result is stored: the control of the test that ours are not."""
    return "a result that is stored"


def scenes(prefect_pull, patch, box, folder):
    """One flow run each; returns their final states."""
    config = written(folder / "one.toml", {"main": (box.url, TOKEN_VARIABLE)}, PREFECT)
    states, names = {}, create_people(box)
    patch.setenv("NINJA_SYNC_CONFIG", config)
    states["first"] = prefect_pull.pull(return_state=True)
    for client in names[:3]:
        control(box, f"clients/{client}/balances", {"balance": 12.5})
    settings = api(box, "GET", f"clients/{names[3]}")["data"]["settings"]  # a PUT without them resets them
    api(box, "PUT", f"clients/{names[3]}", {"name": NAME, "contacts": [{"email": NEW_MAIL}], "settings": settings})
    three = {"main": (box.url, TOKEN_VARIABLE), "away": ("http://127.0.0.1:1", "AWAY_TOKEN")}
    several = written(folder / "three.toml", {**three, "strange": (box.url, "WRONG_TOKEN")})
    patch.setenv("AWAY_TOKEN", WRONG_TOKEN)
    with settings_in(patch, several):
        states["several"] = prefect_pull.sweep(return_state=True)
    states["again"] = prefect_pull.pull(source="main", return_state=True)
    states["unknown"] = prefect_pull.pull(source="nobody", return_state=True)
    with one_run_at_a_time(folder / "warehouse.duckdb", "main"):
        states["busy"] = prefect_pull.pull(return_state=True)
    states |= others(names, folder, patch, box)
    states |= approved(config, names, folder / "changes", patch)
    control(box, f"clients/{names[5]}/balances", {"balance": 10**15})
    states["look"] = prefect_pull.pull(return_state=True)
    patch.setattr(by_name, "pull", explode)
    states["bug"] = prefect_pull.pull(return_state=True)
    return states


@contextmanager
def settings_in(patch, config):
    """Another configuration file for a while: no run can name one."""
    usual = os.environ["NINJA_SYNC_CONFIG"]
    patch.setenv("NINJA_SYNC_CONFIG", config)
    yield
    patch.setenv("NINJA_SYNC_CONFIG", usual)


def others(names, folder, patch, box):
    """The flows that do not pull, and a pull whose token is in a Secret block."""
    from prefect.blocks.system import Secret  # noqa: PLC0415 - as above

    from flows.scheduled import dedupe, merge, nightly, publish, pull, push, statements  # noqa: PLC0415

    changes = folder / "changes"
    changes.mkdir()
    wishes = changes / "wishes.csv"
    wishes.write_text(f"id,custom_value1\n{names[0]},{MAIL}\n")
    Secret(value=box.token).save("canary-token")
    blocks = {name: (box.url, f"block:{name}-token") for name in ("canary", "missing")}
    keyed = written(folder / "keyed.toml", {"main": blocks["canary"]})
    unkeyed = written(folder / "unkeyed.toml", {"main": blocks["missing"]})
    secret_file, cast_file, people_file = (changes / name for name in ("secrets.sql", "cast.sql", "people.csv"))
    secret_file.write_text(f"NINJA_TOKEN={box.token}\n")
    cast_file.write_text("select cast(name as integer) as custom_value1, id from mart.clients")
    people_file.write_text(f"{NAME},{MAIL}\n1,2\n")
    braked = written(
        folder / "braked.toml",
        {"main": (box.url, TOKEN_VARIABLE)},
        f"{PREFECT}[push]\nat_least = 0\nmost_clients = 0\n",
    )
    (changes / "link.csv").symlink_to(folder / "one.toml")
    found = {}
    for name, file in (("braked", braked), ("keyed", keyed), ("unkeyed", unkeyed)):
        with settings_in(patch, file):
            found[name] = (push.push(file="wishes.csv", return_state=True) if name == "braked" else
                           pull.pull(return_state=True))  # fmt: skip
    return {
        **found,
        "secret file": push.push(file="secrets.sql", return_state=True),
        "cast": push.push(file="cast.sql", return_state=True),
        "people": push.push(file="people.csv", return_state=True),
        "nowhere": push.push(file="nowhere.csv", return_state=True),
        "path": push.push(file=str(people_file), return_state=True),
        "climb": push.push(file="../one.toml", return_state=True),
        "link": push.push(file="link.csv", return_state=True),
        "duplicates": dedupe.dedupe(return_state=True),
        "statements": statements.statements(return_state=True),
        "published": publish.publish(return_state=True),
        "night": nightly.nightly(return_state=True),
        "pushed": push.push(file="wishes.csv", return_state=True),
        "merged": merge.merge(return_state=True),
    }


def approved(config, names, folder, patch):
    """A push and a merge that are approved while they are suspended, as if they were resumed at once."""
    from flows.configuration.load import load_settings  # noqa: PLC0415
    from flows.dedupe.decide import choose, decide_pairs  # noqa: PLC0415
    from flows.dedupe.review import cases  # noqa: PLC0415
    from flows.plans.approvals import approve_digest  # noqa: PLC0415 - as above
    from flows.scheduled import approval, merge, push  # noqa: PLC0415

    settings, waits = load_settings(Path(config)), []
    patch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "a-deployment")

    def suspended(wait_for_input, timeout):
        waits.append(timeout)
        approve_digest(settings, waiting_digest(settings))

    patch.setattr(approval, "suspend_flow_run", suspended)
    (cluster,) = [case.ids for case in cases(settings, "main", everything=True)]
    pairs = [((a, b), "same_as", "") for n, a in enumerate(cluster) for b in cluster[n + 1 :]]
    decide_pairs(settings, "main", pairs)
    choose(settings, "main", names[5])
    (folder / "more.csv").write_text(f"id,custom_value2\n{names[5]},{MAIL}\n")
    found = {
        "approved push": push.push(file="more.csv", return_state=True),
        "approved merge": merge.merge(return_state=True),
    }
    assert len(waits) == 2
    patch.delenv("PREFECT__RUNTIME__DEPLOYMENT__ID")
    return found


def waiting_digest(settings):
    """The digest of the plan that was made last."""
    from flows.session.ready import open_ready  # noqa: PLC0415 - as above
    from warehouse.control.approvals import waiting  # noqa: PLC0415

    with open_ready(settings) as warehouse:
        return waiting(warehouse, "main", datetime.now(UTC))[-1].digest


def explode(job):
    """Fails as libraries fail: with what they choked on in their message, and in that of the error before it."""
    try:
        int(MAIL)
    except ValueError as before:
        raise RuntimeError(f"{NAME} {os.environ[TOKEN_VARIABLE]}") from before


def written(path, sources, more=""):
    lines = ['warehouse = "warehouse.duckdb"', "wait = 0.1"]
    for name, (url, variable) in sources.items():
        kind, _, block = variable.partition(":")
        named = f'token_block = "{block}"' if kind == "block" else f'token_env = "{variable}"'
        lines += [f"[sources.{name}]", f'url = "{url}"', named, "retry_budget = 0.2", 'entities = ["clients"]']
    path.write_text("\n".join([*lines, more]))
    return str(path)


def api(box, verb, path, body=None):
    headers = {"X-API-TOKEN": box.token, "X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}
    answer = httpx.request(verb, f"{box.url}/api/v1/{path}", headers=headers, json=body, timeout=60, trust_env=False)
    return answer.raise_for_status().json()


def control(box, path, body):
    httpx.post(f"{box.url}/_sandbox/{path}", json=body, timeout=60, trust_env=False).raise_for_status()


def create_people(box):
    """Six clients whose names and addresses must never be seen again outside the warehouse."""
    made = [{"name": NAME, "contacts": [{"first_name": "Wiederhuber", "email": MAIL}]} for _ in range(6)]
    return [api(box, "POST", "clients", one)["data"]["id"] for one in made]


def wait_until_written(database, states):
    """Prefect's server writes task runs and logs a while after they have happened."""
    until = time.monotonic() + PATIENCE
    runs = {str(state.state_details.flow_run_id) for state in states}
    while time.monotonic() < until:
        ended = rows(database, "select count(*) from task_run where state_type in ('COMPLETED', 'FAILED')")
        logged = rows(database, "select distinct flow_run_id from log where message like 'Finished in state%'")
        if ended == [(TASKS,)] and {run for (run,) in logged} >= runs:
            return
        time.sleep(0.1)
    raise AssertionError("Prefect has not written down all runs.")


@pytest.fixture
def text(ran):
    """The state of a flow run in words."""
    return lambda run: f"{ran.states[run].type.value} {ran.states[run].name}: {ran.states[run].message}"


@pytest.fixture
def artifact(ran):
    def read(run):
        found = ran.rows(
            f"select key, data from artifact where flow_run_id = '{ran.states[run].state_details.flow_run_id}'"
        )
        assert sorted(key for key, _ in found) == ["ninja-sync-freshness", "ninja-sync-pull"]
        return json.loads(dict(found)["ninja-sync-pull"])

    return read


def flow_run(ran, run):
    return str(ran.states[run].state_details.flow_run_id)


def test_a_run_completes_and_says_what_it_did(text):
    assert text("first") == "COMPLETED Completed: main: 26 new, 0 changed, 0 touched"
    assert text("again") == "COMPLETED Completed: main: 0 new, 0 changed, 0 touched"


def test_runs_are_named_by_what_runs(ran):
    named = dict(ran.rows("select id, name from flow_run"))
    assert named[flow_run(ran, "first")].startswith("pull all 20")
    assert named[flow_run(ran, "again")].startswith("pull main 20")
    assert list(ran.attempts(flow_run(ran, "again"))) == ["pull main"]


def test_a_source_that_fails_is_named_and_the_others_still_run(ran, text):
    told = text("several")
    assert told.startswith("FAILED Failed: 2 of 3 sources failed: away, strange. main: 0 new, 4 changed")
    assert "away failed: NetworkFailed" in told
    assert "strange failed: NotAuthorised" in told


def test_only_what_waiting_may_cure_is_tried_again(ran):
    found = ran.attempts(flow_run(ran, "several"))
    assert found == {"pull main": "1 COMPLETED", "pull away": "4 FAILED", "pull strange": "1 FAILED"}
    assert ran.attempts(flow_run(ran, "busy")) == {"pull main": "4 FAILED"}
    assert ran.attempts(flow_run(ran, "bug")) == {"pull main": "1 FAILED"}


def test_an_unknown_source_fails_without_a_task(ran, text):
    assert text("unknown") == "FAILED Failed: There is no source 'nobody'; there is: main."
    assert ran.attempts(flow_run(ran, "unknown")) == {}


def test_the_artifact_tells_changed_fields_in_counts(artifact):
    told = artifact("several")
    assert "| main | 0 | 4 |" in told
    assert "fields that changed: balance 3, contacts 1" in told
    assert "**away failed**: NetworkFailed" in told


def test_quarantine_ends_a_run_as_needs_a_look(text, artifact):
    assert text("look").startswith("COMPLETED Needs a look: main: 0 new, 0 changed")
    assert "**main needs a look**: records in quarantine: 1, fields unknown or missing: 0" in artifact("look")


def test_an_unexpected_error_is_told_by_type_and_place_only(text):
    told = text("bug")
    assert "Unexpected RuntimeError at test_flows.py:" in told
    assert "ValueError" not in told


def test_prefect_holds_no_token_and_no_person(ran):
    assert leaks(ran.folder, ran.token, ran.password, WRONG_TOKEN, *PEOPLE) == []


def test_each_of_the_other_flows_does_what_its_command_does(text, ran):
    assert re.fullmatch(
        r"COMPLETED Completed: main: 1 group of duplicates \(1 new\) among 24 clients", text("duplicates")
    )
    assert text("statements").startswith("COMPLETED Completed: main: ")
    assert len(list((ran.folder.parent / "statements").glob("*.pdf"))) == int(text("statements").split()[3])
    assert text("published").endswith(" files published")
    night = r"COMPLETED Completed: main: 0 new, 0 changed, .* \| main: 1 group .*0 new.* \| \d+ files published"
    assert re.fullmatch(night, text("night"))
    assert text("merged") == "COMPLETED Completed: main: nothing to merge"


def test_a_push_that_is_no_run_of_a_deployment_leaves_its_plan_for_the_command_line(text, ran):
    told = re.fullmatch(
        r"FAILED Failed: The plan (push-\S+) is stored, but only a run of a deployment.* digest (\S+)\.", text("pushed")
    )
    of_it = f"flow_run_id = '{flow_run(ran, 'pushed')}'"
    ((figures,),) = ran.rows(f"select data from artifact where key = 'ninja-sync-plan' and {of_it}")
    assert all(one in figures for one in (*told.groups(), "clients: 1, values: 1", "custom_value1 1"))


def test_what_stands_in_a_file_of_wishes_is_not_told(text, ran):
    for run, kind in (("secret file", "SettingsError"), ("cast", "SettingsError"), ("people", "SettingsError")):
        assert re.fullmatch(
            rf"FAILED Failed: \S+ cannot be used for changes \({kind}\): .* shows the reason\.", text(run)
        ), run


def test_a_file_of_changes_is_one_of_its_folder_whatever_its_name(text):
    for run in ("path", "climb"):
        assert re.fullmatch(
            r"FAILED Failed: `file` is the name of a file in the folder \S+/changes, not a path\.", text(run)
        )
    for run in ("nowhere", "link"):
        assert re.fullmatch(r"FAILED Failed: There is no file of this name in the folder \S+/changes\.", text(run))


def test_a_plan_over_the_brake_is_kept_and_says_how_it_is_applied(text):
    told = r"FAILED Failed: The plan changes 1 client;.*ninja-sync push apply push-\S+ --digest [0-9a-f]{16} --force"
    assert re.fullmatch(told, text("braked"))


def test_approved_plans_are_applied_and_leave_nothing_of_anybody(text, ran):
    assert re.fullmatch(r"COMPLETED Completed: push-\S+: 1 applied; 1 call", text("approved push"))
    assert re.fullmatch(r"COMPLETED Completed: merge-\S+: ([1-9]\d*) of \1 merges done", text("approved merge"))


def test_a_token_can_be_in_a_secret_block_by_name(text):
    assert text("keyed").startswith("COMPLETED Completed: main: 0 new")
    assert "Prefect has no Secret block 'missing-token'" in text("unkeyed")


def test_what_prefect_did_hold_would_be_found(ran, tmp_path):
    """The control of the test above: planted plain, escaped by JSON, and in a pickle in base64 inside JSON."""
    shutil.copytree(ran.folder, tmp_path / "planted")
    pickled = base64.b64encode(b"x" + pickle.dumps({"name": NAME})).decode()
    with closing(sqlite3.connect(tmp_path / "planted/prefect-test.db")) as database, database:
        database.execute("update artifact set data = ?", [json.dumps(f"for {ran.token}")])
        database.execute("update flow_run set parameters = ?", [json.dumps({"name": "K\u00e4serei"})])
        database.execute("update log set message = ?", [json.dumps({"result": pickled})])
    assert "prefect-test.db artifact.data" in leaks(tmp_path / "planted", ran.token)
    assert leaks(tmp_path / "planted", "Käserei W") == ["prefect-test.db log.message"]
    assert "prefect-test.db flow_run.parameters" in leaks(tmp_path / "planted", "Käserei")


def test_prefect_stores_no_result_even_where_its_settings_say_so(ran):
    (only,) = ran.folder.glob("home/storage/*")
    assert leaks(only.parent, "a result that is stored")
    assert ran.rows("select count(*) from artifact where type = 'result'") == [(0,)]


def test_parameters_are_names_and_nothing_else(ran):
    found = [json.loads(parameters) for (parameters,) in ran.rows("select parameters from flow_run")]
    assert {key for parameters in found for key in parameters} <= {
        "source", "certain", "start", "end", "file", "null_clears", "reason",
    }  # fmt: skip

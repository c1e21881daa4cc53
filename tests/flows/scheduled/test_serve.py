"""`ninja-sync serve` against a real Prefect server that is closed to strangers: it runs, stops, and says what is wrong.

The server, the command and the sandbox are three programs, as they are for operators.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import duckdb
import httpx
import pytest

from flows.configuration.schedules import FLOWS, Prefect, When
from flows.configuration.values import Settings, Source
from sandbox.server import running
from schemas.errors import SettingsError
from tests.flows.scheduled.prefect_leaks import leaks
from tests.flows.scheduled.prefect_operator import LOGIN, PATIENCE, Operator, free_port, prefect_server

pytestmark = pytest.mark.slow

EVERY_HOUR = {"push": When(interval=3600)}


def refusals(url):
    """What a server set up like this says to: no login; a login without a CSRF token; a page from elsewhere."""
    login = tuple(LOGIN.split(":"))
    with httpx.Client(trust_env=False, timeout=60, headers={"Origin": "https://elsewhere.example"}) as http:
        stranger = http.get(f"{url}/deployments/name/pull/all")
        forged = http.post(f"{url}/flow_runs/filter", json={}, auth=login)
        return [stranger.status_code, forged.status_code, forged.headers.get("access-control-allow-origin")]


def scheduled(person):
    """The runs of `pull` that Prefect's server has made by itself."""
    wanted = {"flows": {"name": {"any_": ["pull"]}}, "flow_runs": {"state": {"name": {"any_": ["Scheduled"]}}}}
    return [one for one in person.api("POST", "/flow_runs/filter", wanted) if one["auto_scheduled"]]


def latency(box, milliseconds):
    answer = httpx.post(f"{box.url}/_sandbox/switches", json={"latency_ms": milliseconds}, timeout=60, trust_env=False)
    answer.raise_for_status()


def asked_of(box):
    return httpx.get(f"{box.url}/_sandbox/requests", timeout=60, trust_env=False).raise_for_status().json()


def clients_in(path):
    with duckdb.connect(path, read_only=True) as warehouse:
        return warehouse.execute("select count(*) from ninja.clients").fetchall()[0][0]


def steal(person, folder, stranger):
    """What a person without any right but Prefect's API tries, to have the token sent to a server of theirs."""
    evil = folder / "evil.toml"
    evil.write_text(f'[sources.main]\nurl = "{stranger.url}"\ntoken_env = "NINJA_SYNC_TOKEN"\n')
    deployment = person.deployment()["id"]
    forced = person.run_now(config=str(evil))  # the flow has no such parameter
    lead = {"job_variables": {"env": {"NINJA_SYNC_CONFIG": str(evil), "NINJA_SYNC_URL": stranger.url}}}
    led = person.api("POST", f"/deployments/{deployment}/create_flow_run", lead)["id"]
    ends = {"COMPLETED", "FAILED", "CRASHED"}
    for run in (forced, led):
        person.wait(lambda run=run: person.api("GET", f"/flow_runs/{run}")["state"]["type"] in ends, "The end of it")


@pytest.mark.proof
def test_serve_runs_the_deployment_and_stops_cleanly(tmp_path):
    with (
        running(clients=15, seed=7) as box,
        running(clients=2, seed=8) as stranger,
        prefect_server(
            tmp_path, NINJA_SYNC_URL=box.url, NINJA_SYNC_TOKEN=box.token, NINJA_SYNC_WAREHOUSE="warehouse.duckdb"
        ) as person,
    ):
        assert refusals(person.url) == [401, 403, None]
        login = {"PREFECT_API_URL": person.url, "PREFECT_API_AUTH_STRING": LOGIN}
        closed = person.run("ninja-sync", "serve", PREFECT_API_URL=person.url)
        assert (closed.returncode, "PREFECT_API_AUTH_STRING" in closed.stderr) == (2, True)

        serve = person.start("ninja-sync", "serve", log="serve.log", **login)
        person.wait(lambda: b"pull runs every 900 s" in (tmp_path / "serve.log").read_bytes(), "serve")
        found = person.deployment()
        assert [one["schedule"]["interval"] for one in found["schedules"]] == [900]
        assert (found["paused"], found["global_concurrency_limit"]["limit"]) == (False, 1)
        # Prefect's scheduler has failed with a library that was too new: then nothing ever ran by itself
        person.wait(lambda: len(scheduled(person)) > 1, "Scheduled runs")
        run = person.run_now()
        person.wait_for_state(run, "Completed")
        assert clients_in(tmp_path / "warehouse.duckdb") == 15
        before = (tmp_path / "serve.log").read_bytes()
        steal(person, tmp_path, stranger)  # Prefect's own traceback says that there is no such parameter
        tried = len((tmp_path / "serve.log").read_bytes())
        assert [one for one in asked_of(stranger) if "/_sandbox/" not in one["path"]] == []
        second = person.run("ninja-sync", "serve", **login)
        assert (second.returncode, "Another `ninja-sync serve` is running" in second.stderr) == (6, True)
        assert not person.deployment()["paused"]

        latency(box, 60_000)
        run = person.run_now()
        person.wait_for_state(run, "Running")
        serve.terminate()
        assert serve.wait(PATIENCE) == 0
        assert person.state_of(run) == "Cancelled"
        assert person.deployment()["paused"]
        assert b"Traceback" not in before + (tmp_path / "serve.log").read_bytes()[tried:]
    assert leaks(tmp_path / "server", box.token) == []
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file() and box.token in path.read_text()] == []


def test_no_flow_has_a_parameter_that_leads_elsewhere():
    from flows.scheduled.serve import FLOWS as SERVED_FLOWS  # noqa: PLC0415 - Prefect takes seconds to import

    found = {name: set(flow.parameters.properties) for name, flow in SERVED_FLOWS.items()}
    assert found == {
        "pull": {"source"}, "sweep": {"source"}, "dedupe": {"source"}, "nightly": {"source"}, "publish": set(),
        "push": {"source", "file", "null_clears", "reason"},  # `file` is a name in the folder of the settings
        "merge": {"source", "certain"}, "statements": {"source", "start", "end"},
    }  # fmt: skip


def test_flows_for_one_source_have_a_deployment_for_each_and_all_are_tagged(tmp_path):
    from flows.scheduled.serve import deployments_of  # noqa: PLC0415 - Prefect takes seconds to import

    sources = {name: Source(url="https://invoicing.example") for name in ("office", "shop")}
    told = Settings(warehouse=str(tmp_path / "w.duckdb"), sources=sources, prefect=Prefect(schedules=EVERY_HOUR))
    found = {one.full_name: one for one in deployments_of(told, None, list(sources))}
    each = {f"{flow}/{name}" for flow in ("push", "merge", "statements") for name in sources}
    assert set(found) == each | {f"{flow}/all" for flow in ("pull", "sweep", "dedupe", "publish", "nightly")}
    assert found["pull/all"].tags == ["ninja-sync", "office", "shop"]
    assert found["push/shop"].tags == ["ninja-sync", "shop"]
    assert (found["push/shop"].source, found["push/shop"].when) == ("shop", EVERY_HOUR["push"])
    alone = {one.full_name: one.source for one in deployments_of(told, "shop", ["shop"])}
    assert set(alone.items()) == {(f"{flow}/shop", "shop") for flow in FLOWS}


def test_a_serve_that_was_killed_leaves_its_deployments_to_the_next_one():
    from flows.scheduled.serve import SERVED, has_ended  # noqa: PLC0415 - as above

    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        gone.wait()
    here, end = socket.gethostname(), "for the warehouse w.duckdb."
    assert has_ended(f"{SERVED}process {gone.pid} on {here} {end}")
    assert has_ended(f"{SERVED}process {os.getpid()} on {here} {end}")
    assert has_ended("Somebody's own words.")
    assert not has_ended(f"{SERVED}process {os.getppid()} on {here} {end}")
    assert not has_ended(f"{SERVED}process {gone.pid} on another.example {end}")


def test_a_schedule_that_is_none_is_refused():
    from flows.scheduled.serve import schedule_of  # noqa: PLC0415 - Prefect takes seconds to import

    with pytest.raises(SettingsError, match="cron of a schedule is not valid"):
        schedule_of(When(cron="every day"))


def test_the_deployments_for_work_pools_fit_the_flows():
    import yaml  # noqa: PLC0415 - comes with Prefect
    from prefect.flows import load_flow_from_entrypoint  # noqa: PLC0415

    deployments = yaml.safe_load((Path(__file__).parents[3] / "prefect.yaml").read_text())["deployments"]
    found = [load_flow_from_entrypoint(one["entrypoint"], use_placeholder_flow=False) for one in deployments]
    assert sorted(flow.name for flow in found) == sorted(FLOWS)
    for told, flow in zip(deployments, found, strict=True):
        assert set(told.get("parameters", {})) <= set(flow.parameters.properties)


def test_serve_without_a_server_says_how_to_start_one(tmp_path):
    quiet = {"DO_NOT_TRACK": "1", "PREFECT_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "NINJA_SYNC_"))}
    person = Operator(tmp_path, "", inherited | quiet)
    nobody = {"PREFECT_SERVER_API_PORT": str(free_port())}
    source = {"NINJA_SYNC_URL": "https://invoicing.example", "NINJA_SYNC_TOKEN": "x"}
    ended = person.run("ninja-sync", "serve", **nobody, **source)
    assert ended.returncode == 2
    assert "start one with `prefect server start`, or set PREFECT_API_URL" in ended.stderr

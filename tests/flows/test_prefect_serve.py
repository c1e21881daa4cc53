"""`ninja-sync serve` against a real Prefect server that is closed to strangers: it runs, stops, and says what is wrong.

The server, the command and the sandbox are three programs, as they are for operators.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import httpx
import pytest

from flows import settings
from sandbox.server import running
from schemas.errors import SettingsError
from tests.flows.prefect_leaks import leaks

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]

BIN = Path(sys.executable).parent
LOGIN = "admin:canary-of-prefect"
PATIENCE = 120.0  # seconds for anything to happen; a server's first start migrates its database


@dataclass
class Operator:
    """Someone with a folder, an environment and Prefect's API."""

    folder: Path
    url: str
    environment: dict
    processes: list = field(default_factory=list)

    def start(self, *command, log, **environment):
        with (self.folder / log).open("ab") as file:
            process = subprocess.Popen(
                [str(BIN / command[0]), *command[1:]],
                cwd=self.folder, env=self.environment | environment, stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def run(self, *command, **environment):
        return subprocess.run(
            [str(BIN / command[0]), *command[1:]], check=False, timeout=PATIENCE,
            cwd=self.folder, env=self.environment | environment, capture_output=True, text=True,
        )  # fmt: skip

    def api(self, verb, path, body=None, **headers):
        client = "tests"
        with httpx.Client(base_url=self.url, auth=tuple(LOGIN.split(":")), trust_env=False) as http:
            token = http.get("/csrf-token", params={"client": client}).json()["token"]
            headers = {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": client} | headers
            answer = http.request(verb, path, json=body, headers=headers)
            for _ in range(30):  # Prefect answers 503 while another of its services writes its SQLite file
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    break
                time.sleep(1)
                answer = http.request(verb, path, json=body, headers=headers)
            return answer.raise_for_status().json()

    def deployment(self):
        return self.api("GET", "/deployments/name/pull/all")

    def run_now(self):
        return self.api("POST", f"/deployments/{self.deployment()['id']}/create_flow_run", {})["id"]

    def state_of(self, run):
        return self.api("GET", f"/flow_runs/{run}")["state"]["name"]

    def wait(self, happened, what):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if happened():
                return
            time.sleep(0.1)
        logs = [path.read_text(errors="replace")[-3000:] for path in sorted(self.folder.glob("*.log"))]
        raise AssertionError(f"{what} did not happen.\n" + "\n".join(logs))

    def wait_for_state(self, run, name):
        self.wait(lambda: self.state_of(run) == name, f"The state {name} of the flow run")

    def end_everything(self):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def prefect_server(folder, box):
    """A Prefect server as the README tells to start one: with a login, against forged requests, for no other origin."""
    port = free_port()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "NINJA_SYNC_"))}
    quiet = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "NO_PROXY": "127.0.0.1"}
    secrets = {"NINJA_SYNC_URL": box.url, "NINJA_SYNC_TOKEN": box.token, "NINJA_SYNC_WAREHOUSE": "warehouse.duckdb"}
    person = Operator(folder, f"http://127.0.0.1:{port}/api", inherited | quiet | secrets)
    person.environment["PREFECT_HOME"] = str(folder / "home")
    closed = {
        "PREFECT_SERVER_API_AUTH_STRING": LOGIN,
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port}",
    }
    try:
        server = person.start(
            "prefect", "server", "start", "--no-ui", "--host", "127.0.0.1", "--port", str(port), log="server.log",
            **closed, PREFECT_HOME=str(folder / "server"),
        )  # fmt: skip
        person.wait(lambda: server.poll() is not None or answers(person.url), "The start of Prefect's server")
        yield person
    finally:
        person.end_everything()


def answers(url):
    try:
        return httpx.get(f"{url}/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


def refusals(url):
    """What a server set up like this says to: no login; a login without a CSRF token; a page from elsewhere."""
    login = tuple(LOGIN.split(":"))
    with httpx.Client(trust_env=False, headers={"Origin": "https://elsewhere.example"}) as http:
        stranger = http.get(f"{url}/deployments/name/pull/all")
        forged = http.post(f"{url}/flow_runs/filter", json={}, auth=login)
        return [stranger.status_code, forged.status_code, forged.headers.get("access-control-allow-origin")]


def latency(box, milliseconds):
    answer = httpx.post(f"{box.url}/_sandbox/switches", json={"latency_ms": milliseconds}, trust_env=False)
    answer.raise_for_status()


def clients_in(path):
    with duckdb.connect(path, read_only=True) as warehouse:
        return warehouse.execute("select count(*) from ninja.clients").fetchall()[0][0]


def test_serve_runs_the_deployment_and_stops_cleanly(tmp_path):
    with running(clients=15, seed=7) as box, prefect_server(tmp_path, box) as person:
        assert refusals(person.url) == [401, 403, None]
        login = {"PREFECT_API_URL": person.url, "PREFECT_API_AUTH_STRING": LOGIN}
        stranger = person.run("ninja-sync", "serve", PREFECT_API_URL=person.url)
        assert (stranger.returncode, "PREFECT_API_AUTH_STRING" in stranger.stderr) == (2, True)

        serve = person.start("ninja-sync", "serve", log="serve.log", **login)
        person.wait(lambda: b"Serving pull/all every 900 s" in (tmp_path / "serve.log").read_bytes(), "serve")
        found = person.deployment()
        assert [one["schedule"]["interval"] for one in found["schedules"]] == [900]
        assert (found["paused"], found["global_concurrency_limit"]["limit"]) == (False, 1)
        run = person.run_now()
        person.wait_for_state(run, "Completed")
        assert clients_in(tmp_path / "warehouse.duckdb") == 15

        latency(box, 60_000)
        run = person.run_now()
        person.wait_for_state(run, "Running")
        serve.terminate()
        assert serve.wait(PATIENCE) == 0
        assert person.state_of(run) == "Cancelled"
        assert person.deployment()["paused"]
        assert b"Traceback" not in (tmp_path / "serve.log").read_bytes()
    assert leaks(tmp_path / "server", box.token) == []
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file() and box.token in path.read_text()] == []


@pytest.mark.parametrize(
    ("told", "said"), [({"cron": "every day"}, "is not a cron line"), ({"interval": 0}, "seconds above 0")]
)
def test_a_schedule_that_is_none_is_refused(told, said):
    from flows.serve import schedule_of  # noqa: PLC0415 - Prefect takes seconds to import

    with pytest.raises(SettingsError, match=said):
        schedule_of(settings.Prefect(**told))


def test_the_deployment_for_work_pools_fits_the_flow():
    import yaml  # noqa: PLC0415 - comes with Prefect
    from prefect.flows import load_flow_from_entrypoint  # noqa: PLC0415

    (told,) = yaml.safe_load((Path(__file__).parents[2] / "prefect.yaml").read_text())["deployments"]
    flow = load_flow_from_entrypoint(told["entrypoint"], use_placeholder_flow=False)
    assert set(told["parameters"]) == set(flow.parameters.properties)
    assert told["concurrency_limit"] == 1


def test_serve_without_a_server_says_how_to_start_one(tmp_path):
    quiet = {"DO_NOT_TRACK": "1", "PREFECT_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "NINJA_SYNC_"))}
    person = Operator(tmp_path, "", inherited | quiet)
    nobody = {"PREFECT_SERVER_API_PORT": str(free_port())}
    source = {"NINJA_SYNC_URL": "https://invoicing.example", "NINJA_SYNC_TOKEN": "x"}
    ended = person.run("ninja-sync", "serve", **nobody, **source)
    assert ended.returncode == 2
    assert "start one with `prefect server start`, or set PREFECT_API_URL" in ended.stderr

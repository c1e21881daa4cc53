"""An operator of Prefect: a folder, an environment, programs that are started, a server that is closed to strangers."""

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

import httpx

BIN = Path(sys.executable).parent
LOGIN = "admin:canary-of-prefect"
PATIENCE = 300.0  # seconds for anything to happen; a server's first start migrates its database


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
        login = tuple(LOGIN.split(":"))
        with httpx.Client(base_url=self.url, auth=login, timeout=PATIENCE, trust_env=False) as http:
            token = http.get("/csrf-token", params={"client": client}).json()["token"]
            headers = {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": client} | headers
            answer = http.request(verb, path, json=body, headers=headers)
            for _ in range(30):  # Prefect answers 503 while another of its services writes its SQLite file
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    break
                time.sleep(1)
                answer = http.request(verb, path, json=body, headers=headers)
            return answer.raise_for_status().json() if answer.content else None

    def deployment(self, name="pull/all"):
        return self.api("GET", f"/deployments/name/{name}")

    def run_now(self, name="pull/all", **parameters):
        body = {"parameters": parameters} if parameters else {}
        return self.api("POST", f"/deployments/{self.deployment(name)['id']}/create_flow_run", body)["id"]

    def state_of(self, run):
        return self.api("GET", f"/flow_runs/{run}")["state"]["name"]

    def wait(self, happened, what, patience=PATIENCE):
        until = time.monotonic() + patience
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
def prefect_server(folder, **environment):
    """A Prefect server as the README tells to start one: with a login, against forged requests, for no other origin."""
    port = free_port()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "NINJA_SYNC_"))}
    quiet = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "NO_PROXY": "127.0.0.1"}
    person = Operator(folder, f"http://127.0.0.1:{port}/api", inherited | quiet | environment)
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

"""A fleet: one Prefect server, two process workers, many companies, one Postgres. All are programs of their own.

Six companies by default; `make fleet` has fifty.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from sandbox.server import running
from tests.flows.conftest import Server
from tests.flows.scheduled.prefect_leaks import leaks
from tests.flows.scheduled.prefect_operator import prefect_server
from tests.postgres import running_postgres

pytestmark = [pytest.mark.slow, pytest.mark.proof]

COMPANIES = int(os.environ.get("NINJA_SYNC_FLEET", "6"))
PERSON, MAIL = "Wiederhuber", "canary.person@wiederhuber.example"
ROOT = Path(__file__).parents[3]


@dataclass
class Fleet:
    """The companies' servers by the names of their sources, the operator, the warehouse."""

    servers: dict
    person: object
    url: str

    def worker(self, log):
        return self.person.start(
            "prefect", "worker", "start", "--pool", "ninja-sync", "--type", "process", "--limit", "1", log=log,
            PREFECT_WORKER_QUERY_SECONDS="1",
        )  # fmt: skip

    def query(self, sql, *values):
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(sql, values).fetchall()

    def tick(self, runs=2):
        """As many runs as there are workers, due now."""
        return datetime.now(UTC), [self.person.run_now("pull/pool") for _ in range(runs)]

    def ticks(self, begun):
        """When runs were due of which all have completed."""
        runs = self.person.api("POST", "/flow_runs/filter", {"flows": {"name": {"any_": ["pull"]}}, "limit": 200})
        states = {}
        for run in runs:
            states.setdefault(datetime.fromisoformat(run["expected_start_time"]), []).append(run["state"]["name"])
        return sorted(due for due, told in states.items() if due > begun and set(told) == {"Completed"})

    def read_since(self, moment):
        """By source: how often it was read in runs that began since, and when the last one ended."""
        rows = self.query(
            "select source, count(*), max(finished_at) from control.runs "
            "where finished_at - make_interval(secs => seconds::float) >= %s group by source", moment,
        )  # fmt: skip
        return {source: (times, ended) for source, times, ended in rows}

    def own(self, run):
        """The sources that a run has read itself."""
        message = self.person.api("GET", f"/flow_runs/{run}")["state"]["message"]
        return {name for name in self.servers if re.search(f"{name}: (?!another process)", message)}

    def latency(self, milliseconds, slowest=None):
        for name, server in self.servers.items():
            server.switch(latency_ms=slowest if slowest and name == "company-00" else milliseconds)

    def command(self, *args):
        done = self.person.run("ninja-sync", *args)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def resume(self, run):
        done = self.person.run("prefect", "api", "POST", f"/flow_runs/{run}/resume")
        assert done.returncode == 0, done.stdout + done.stderr

    def waiting(self, run):
        """The plan that a run waits for; a run that has failed may have left another."""
        plans = json.loads(self.command("approve", "--json"))
        (plan,) = [plan for plan in plans if plan["asked_by"] == run]
        return plan

    def suspensions(self, run):
        states = self.person.api("GET", f"/flow_run_states/?flow_run_id={run}")
        return sum(one["name"] == "Suspended" for one in states)

    def held(self):
        return self.query("select pid from pg_locks where locktype = 'advisory' and granted")

    def overlaps(self):
        """Runs of one source that were under way at one time."""
        return self.query(
            "with spans as (select run_id, source, finished_at - make_interval(secs => seconds::float) as begun, "
            "finished_at from control.runs) "
            "select a.source from spans as a join spans as b on a.source = b.source and a.run_id <> b.run_id "
            "and a.begun < b.begun and b.begun < a.finished_at - interval '0.05 seconds'"
        )


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        cluster = stack.enter_context(running_postgres())
        url = cluster.url(cluster.make_database())
        servers = {
            f"company-{n:02}": Server(stack.enter_context(running(clients=5, seed=100 + n))) for n in range(COMPANIES)
        }
        person = stack.enter_context(prefect_server(folder, **surroundings(folder, servers, url)))
        person.environment |= {"PREFECT_API_URL": person.url, "PREFECT_API_AUTH_STRING": "admin:canary-of-prefect"}
        deploy(person, folder)
        yield Fleet(servers, person, url)


def surroundings(folder, servers, url):
    """A configuration file with names of secrets, and the environment that has the secrets."""
    lines, environment = ["[prefect]", "at_once = 2"], {"NINJA_SYNC_WAREHOUSE": url}
    for name, server in servers.items():
        variable = f"TOKEN_{name.replace('-', '_').upper()}"
        environment[variable] = server.box.token
        lines += [f'[sources.{name}]\nurl = "{server.box.url}"\ntoken_env = "{variable}"', "retry_budget = 5"]
        lines += ["look_back = 60", "requests_per_second = 100", 'entities = ["clients"]']
    environment["NINJA_SYNC_PASSWORD"] = next(iter(servers.values())).box.password
    (folder / "ninja-sync.toml").write_text("\n".join(lines))
    return environment | {"NINJA_SYNC_CONFIG": str(folder / "ninja-sync.toml")}


def deploy(person, folder):
    made = person.run("prefect", "work-pool", "create", "ninja-sync", "--type", "process")
    assert made.returncode == 0, made.stderr
    shutil.copy(ROOT / "prefect.yaml", folder)
    done = person.run("prefect", "--no-prompt", "deploy", "--all")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("pull", "nightly"):  # no run but those of the tests
        found = person.deployment(f"{name}/pool")
        person.api("PATCH", f"/deployments/{found['id']}", {"paused": True})


@pytest.fixture(scope="module")
def workers(fleet):
    return [fleet.worker(f"worker-{n}.log") for n in (1, 2)]


def test_two_schedules_make_two_runs_of_each_tick(fleet):
    assert len(fleet.person.deployment("pull/pool")["schedules"]) == 2


def test_workers_share_the_companies_and_read_none_twice_at_once(fleet, workers):
    fleet.latency(300, slowest=2000)
    due, runs = fleet.tick()
    for run in runs:
        fleet.person.wait_for_state(run, "Completed")
    fleet.latency(0)
    found = fleet.read_since(due)
    assert set(found) == set(fleet.servers)
    assert {times for times, _ in found.values()} == {1}
    assert max(found, key=lambda name: found[name][1]) == "company-00"  # the slowest held up nobody
    assert fleet.overlaps() == []
    first, second = (fleet.own(run) for run in runs)
    assert (first | second, first & second) == (set(fleet.servers), set())
    assert (len(first) > 1, len(second) > 1) == (True, True)  # each has done a part


@pytest.mark.skipif("NINJA_SYNC_FLEET" not in os.environ, reason="ticks take minutes: `make fleet`")
def test_scheduled_ticks_read_every_company(fleet, workers):
    found = fleet.person.deployment("pull/pool")
    twice = [{"schedule": {"interval": 60}, "active": True}] * 2
    begun = datetime.now(UTC)
    fleet.person.api("PATCH", f"/deployments/{found['id']}", {"paused": False, "schedules": twice})
    fleet.person.wait(lambda: len(fleet.ticks(begun)) > 2, "The third tick", 400)
    fleet.person.api("PATCH", f"/deployments/{found['id']}", {"paused": True})
    for tick in fleet.ticks(begun)[:2]:
        assert set(fleet.read_since(tick)) == set(fleet.servers)
    assert fleet.overlaps() == []


def test_what_a_killed_worker_was_at_is_read_by_the_other_one(fleet, workers):
    for server in fleet.servers.values():
        server.bulk("archive", next(iter(server.clients(status="active"))))
    fleet.latency(1000)
    due, runs = fleet.tick()
    for run in runs:
        fleet.person.wait_for_state(run, "Running")
    fleet.person.wait(lambda: len(fleet.held()) > 2, "Sources that are being read")
    kill(workers.pop())
    fleet.latency(0)
    fleet.person.wait(lambda: "Completed" in [fleet.person.state_of(run) for run in runs], "The end of the other run")
    assert set(fleet.read_since(due)) == set(fleet.servers)
    assert fleet.overlaps() == []
    workers.append(fleet.worker("worker-3.log"))
    due, runs = fleet.tick()
    for run in runs:
        fleet.person.wait_for_state(run, "Completed")
    assert set(fleet.read_since(due)) == set(fleet.servers)


def test_a_push_waits_for_an_approval_which_the_api_cannot_give(fleet, workers):
    name, server = "company-01", fleet.servers["company-01"]
    client = next(iter(server.clients(status="active")))
    fleet.command("push", "add", client, f"custom_value1={PERSON}", "--source", name)
    run = fleet.person.run_now("push/pool", source=name)
    fleet.person.wait_for_state(run, "Suspended")
    fleet.resume(run)
    fleet.person.wait(lambda: fleet.suspensions(run) == 2, "A second suspension")  # nobody has approved
    assert server.clients()[client]["custom_value1"] != PERSON
    waits = fleet.waiting(run)
    assert waits["clients"] == 1
    fleet.command("approve", waits["digest"], "--yes")
    fleet.resume(run)
    fleet.person.wait_for_state(run, "Completed")
    assert server.clients()[client]["custom_value1"] == PERSON
    assert "1 applied" in fleet.person.api("GET", f"/flow_runs/{run}")["state"]["message"]


def test_decided_duplicates_are_merged_after_an_approval_and_what_was_found_is_told(fleet, workers, hooked):
    name, server = "company-00", fleet.servers["company-00"]  # whose password the workers have
    twins = [server.call("POST", "/api/v1/clients", twin())["data"]["id"] for _ in range(2)]
    others = [server.call("POST", "/api/v1/clients", {"name": name})["data"]["id"] for name in ("Alpha", "Omega")]
    fleet.person.wait_for_state(fleet.person.run_now("nightly/pool", source=name), "Completed")
    fleet.command("dedupe", "decide", *twins, "--same", "--source", name)
    run = fleet.person.run_now("merge/pool", source=name)
    fleet.person.wait_for_state(run, "Suspended")
    waits = fleet.waiting(run)
    approves = f"ninja-sync approve {waits['digest']} --resume"
    fleet.person.wait(lambda: any(approves in one and "merges: 1" in one for one in hooked), "The plan's notification")
    fleet.command("approve", waits["digest"], "--yes", "--resume")
    fleet.person.wait_for_state(run, "Completed")
    assert len(set(twins) & server.clients().keys()) == 1
    server.merge(*others)  # by hand, on the server
    fleet.person.wait_for_state(fleet.person.run_now("sweep/pool", source=name), "Completed")
    fleet.person.wait(lambda: any("merges.found" in one for one in hooked), "The notification")
    assert not any(PERSON in one for one in hooked)


def test_prefect_holds_no_secret_and_no_person(fleet, workers):
    for worker in workers:
        kill(worker)
    tokens = [server.box.token for server in fleet.servers.values()]
    password = next(iter(fleet.servers.values())).box.password
    assert leaks(fleet.person.folder / "server", *tokens, password, PERSON, MAIL) == []
    assert [one.name for one in fleet.person.folder.glob("*.log") if PERSON in one.read_text()] == []


def twin():
    return {"name": f"{PERSON} GmbH", "vat_number": "ATU99999999", "contacts": [{"email": MAIL}]}


@pytest.fixture(scope="module")
def hooked(fleet):
    """What a webhook is told, set up as docs/examples/notifications.py does it."""
    told = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as listener:
        Thread(target=listener.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{listener.server_address[1]}/hook"
        done = fleet.person.run("python", str(ROOT / "docs/examples/notifications.py"), url)
        assert done.returncode == 0, done.stderr
        yield told
        listener.shutdown()


def kill(worker):
    """As a machine dies: the worker and the flow run that it has started, at once."""
    parents = {
        int(path.name): int((path / "stat").read_text().rpartition(")")[2].split()[1])
        for path in Path("/proc").iterdir() if path.name.isdigit() and (path / "stat").exists()
    }  # fmt: skip
    family = {worker.pid}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    worker.wait()

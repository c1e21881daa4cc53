"""The main job against a live stand-in server: the tables equal the server, value by value, whatever happens to it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import msgspec
import pytest

from flows.configuration.load import place_of
from flows.pull import pull as pull_module
from flows.pull import reference as reference_module
from flows.setup.rebind import find_company, rebind
from schemas.errors import NotAuthorised, SettingsError, UnexpectedShape, WarehouseError
from warehouse.engine.duckdb import open_warehouse

pytestmark = pytest.mark.slow


def as_stored(value):
    """What the warehouse should hold for a value of the server, told here once more and independently."""
    return None if value == "" else value


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def truth(clients):
    rows = {}
    for c in clients.values():
        settings = c["settings"]
        rows[c["id"]] = (
            as_stored(c["name"]), as_stored(c["number"]), Decimal(c["balance"]), Decimal(c["paid_to_date"]),
            Decimal(c["credit_balance"]), Decimal(c["payment_balance"]), as_stored(c["country_id"]),
            as_stored(settings.get("currency_id") or ""), as_stored(c["private_notes"]), as_stored(c["custom_value1"]),
            c["is_deleted"], moment(c["archived_at"]), moment(c["created_at"]), moment(c["updated_at"]),
        )  # fmt: skip
    return rows


def contact_truth(clients):
    stored = as_stored
    return {
        k["id"]: (
            c["id"],
            stored(k["first_name"]),
            stored(k["email"].strip()),
            k["is_primary"],
            moment(k["updated_at"]),
        )
        for c in clients.values()
        for k in c["contacts"]
    }


@pytest.fixture
def assert_equal_to_the_server(server, query):
    """The mirror is the server: every client and contact, every value."""

    def check():
        clients = server.clients()
        columns = (
            "id, name, number, balance, paid_to_date, credit_balance, payment_balance, country_id, currency_id, "
            "private_notes, custom_value1, is_deleted, archived_at, created_at, updated_at"
        )
        found = query(f"select {columns} from ninja.clients where source = 'main'")
        assert len(found) == len(clients)
        assert {row[0]: row[1:] for row in found} == truth(clients)
        contacts = query("select id, client_id, first_name, email, is_primary, updated_at from ninja.contacts")
        assert {row[0]: row[1:] for row in contacts} == contact_truth(clients)

    return check


def test_the_tables_equal_the_server_value_by_value(server, pulls, query, assert_equal_to_the_server):
    pulled = pulls()
    assert (pulled.run.kind, pulled.run.inserted, pulled.needs_a_look) == ("full", 120, False)
    assert_equal_to_the_server()
    total = sum(Decimal(c["balance"]) for c in server.clients().values())
    assert query("select sum(balance) from ninja.clients") == [(total,)]
    assert query("select count(*) from mart.clients where currency_code is null") == [(0,)]


def test_the_second_pull_brings_exactly_the_changes(server, pulls, assert_equal_to_the_server):
    pulls()
    edited, archived, moved, *_ = [c for c in server.clients(status="active").values() if c["name"]]
    server.edit(edited, city="Zürich")
    server.bulk("archive", archived["id"])
    contacts = [{"id": k["id"], "is_primary": k["is_primary"]} for k in moved["contacts"]]
    contacts[0]["email"] = "new@example.com"
    server.edit(moved, contacts=contacts)
    created = server.call("POST", "/api/v1/clients", {"name": "Brand new"})["data"]
    pulled = pulls()
    assert {c.id for c in pulled.changes} == {edited["id"], archived["id"], moved["id"], created["id"]}
    assert (pulled.run.inserted, pulled.run.updated) == (1, 3)
    assert_equal_to_the_server()


def test_an_idle_pull_makes_one_request_and_writes_one_heartbeat_row(server, pulls, query):
    pulls()
    server.requests()
    before = query("select * from ninja.clients order by id"), query("select * from control.watermarks")
    pulled = pulls()
    (request,) = server.requests()
    assert "per_page=1" in request
    assert "updated_at=" not in request
    assert (pulled.run.kind, pulled.run.requests) == ("idle", 1)
    assert query("select kind from control.runs order by finished_at") == [("full",), ("idle",)]
    assert (query("select * from ninja.clients order by id"), query("select * from control.watermarks")) == before


@pytest.mark.proof
def test_within_the_look_back_a_pull_without_changes_makes_two_requests(server, pulls, settings):
    source = msgspec.structs.replace(settings.sources["main"], look_back=7200)
    careful = msgspec.structs.replace(settings, sources={"main": source})
    server.edit(next(iter(server.clients(status="active").values())), city="Now")
    pulls(using=careful)
    server.requests()
    pulled = pulls(using=careful)
    assert len(server.requests()) == 2
    assert (pulled.run.inserted, pulled.run.updated, pulled.published) == (0, 0, None)


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside a newer change"])
def test_a_late_commit_within_the_look_back_is_not_lost(server, pulls, settings, assert_equal_to_the_server, alone):
    source = msgspec.structs.replace(settings.sources["main"], look_back=7200)
    careful = msgspec.structs.replace(settings, sources={"main": source})
    late, other, third, *_ = server.clients(status="active").values()
    server.edit(other, city="Newest")
    pulls(using=careful)
    server.edit(late, city="Committed late")
    server.stamp(late["id"], time.time() - 3600)
    changed = [late["id"]]
    if not alone:
        server.switch(clock={"advance": 10})
        changed.append(server.edit(third, city="Newer")["id"])
    pulled = pulls(using=careful)
    assert sorted(c.id for c in pulled.changes) == sorted(changed)
    assert_equal_to_the_server()


@pytest.mark.proof
def test_rows_without_a_stamp_are_loaded_by_a_full_pull(server, pulls, assert_equal_to_the_server):
    for key in list(server.clients())[:60]:
        server.stamp(key, None)
    pulls()
    assert_equal_to_the_server()


@pytest.mark.proof
def test_more_rows_in_one_second_than_a_page_holds(server, pulls, assert_equal_to_the_server):
    pulls()
    server.switch(per_page_cap=20)
    ids = list(server.clients(per_page=5000, status="active,archived"))
    for start in range(0, 200, 20):
        ids += list(server.clients(page=start // 20 + 1))
    server.bulk("bulk_update", *dict.fromkeys(ids), column="custom_value1", new_value="in one second")
    pulls()
    server.switch(per_page_cap=None)
    assert_equal_to_the_server()


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Pacific/Auckland", "America/St_Johns"])
def test_a_server_in_another_time_zone_hides_nothing(server, pulls, zone, assert_equal_to_the_server):
    server.switch(timezone=zone)
    pulls()
    server.edit(next(iter(server.clients(status="active").values())), city="Changed just now")
    assert pulls().run.updated == 1
    assert_equal_to_the_server()


@pytest.mark.proof
def test_a_time_zone_that_changes_after_the_first_pull_is_noticed(server, pulls, assert_equal_to_the_server):
    pulls()
    server.switch(timezone="America/New_York")
    server.edit(next(iter(server.clients(status="active").values())), city="Changed just now")
    pulled = pulls()
    assert any("time zone" in note for note in pulled.notes)
    assert_equal_to_the_server()


def test_a_poison_row_is_named_and_everything_else_is_loaded(server, pulls, query):
    poison = list(server.clients())[70]
    server.switch(poison=[poison])
    pulled = pulls()
    assert pulled.needs_a_look
    assert len(pulled.quarantined) == 1
    assert query("select count(*) from ninja.clients") == [(119,)]
    server.switch(poison=[])
    assert not pulls(full=True).needs_a_look
    assert query("select count(*) from ninja.clients") == [(120,)]


@pytest.mark.proof
def test_a_server_that_answers_no_large_page_is_read_in_small_ones(server, pulls, assert_equal_to_the_server):
    server.switch(faults=[{"on": "GET /clients", "every": True, "do": "status", "status": 500, "above_per_page": 10}])
    assert not pulls().needs_a_look
    server.switch(faults=[])
    assert_equal_to_the_server()


class Cut(httpx.HTTPTransport):
    """Ctrl-C in the middle: after so many requests for clients."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def handle_request(self, request):
        self.left -= "clients" in request.url.path
        if self.left < 0:
            raise KeyboardInterrupt
        return super().handle_request(request)


def test_an_interrupted_pull_goes_on_where_it_stood(server, pulls, assert_equal_to_the_server):
    with pytest.raises(KeyboardInterrupt):
        pulls(transport=Cut(after=5))
    server.requests()
    edited = next(iter(server.clients(status="active").values()))
    server.edit(edited, city="Changed between the two")
    server.requests()
    pulled = pulls()
    assert any("interrupted" in note for note in pulled.notes)
    assert pulled.run.inserted == 120
    assert (
        sum("sort=updated_at%7Casc" in r and "updated_at=" not in r.split("sort=")[0] for r in server.requests()) >= 1
    )
    assert_equal_to_the_server()


def test_a_token_that_may_not_see_money_is_refused_and_nothing_is_written(server, pulls, query):
    pulls()
    before = query("select * from ninja.clients order by id")
    server.edit(next(iter(server.clients(status="active").values())), city="Changed")
    with pytest.raises(NotAuthorised, match="may not see money"):
        pulls(token=server.box.viewer_token)
    assert query("select * from ninja.clients order by id") == before


def test_another_companys_token_is_refused_before_any_write(server, pulls, settings):
    pulls()
    path = place_of(settings)
    before = path.read_bytes()
    for full in (False, True):
        with pytest.raises(SettingsError, match="another company"):
            pulls(token=server.box.other_token, full=full)
    assert path.read_bytes() == before


@pytest.mark.proof
def test_a_source_is_not_rebound_to_another_company(server, pulls, settings, query, monkeypatch):
    pulls()
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.other_token)
    binding, _ = find_company(settings, "main")
    with pytest.raises(SettingsError, match="give the other company its own source name"):
        rebind(settings, "main", binding)
    assert pulls().run.kind == "idle"


@pytest.mark.proof
def test_a_rebound_source_takes_nothing_from_before(server, pulls, settings, monkeypatch, assert_equal_to_the_server):
    with pytest.raises(KeyboardInterrupt):
        pulls(transport=Cut(after=5))
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    binding, _ = find_company(settings, "main")
    rebind(settings, "main", binding)
    server.stamp(next(iter(server.clients())), 1_500_000_000)  # restored: behind the cursor of the interrupted scan
    assert not any("interrupted" in note for note in pulls().notes)
    assert_equal_to_the_server()


@pytest.mark.proof
def test_a_full_pull_notices_a_changed_time_zone_although_the_newest_record_is_known(
    server, pulls, assert_equal_to_the_server
):
    now = int(time.time())
    for hours, key in enumerate(server.clients()):
        server.stamp(key, now - hours * 3600)
    pulls()
    server.switch(timezone="America/New_York")
    for hours, key in enumerate(server.clients()):
        server.call("POST", f"/_sandbox/clients/{key}/balances", {"balance": str(hours)})
    assert pulls(full=True).run.received >= 120
    assert_equal_to_the_server()


@pytest.mark.proof
def test_a_full_pull_takes_no_page_from_before_it_began(server, pulls, assert_equal_to_the_server):
    pulls()
    with pytest.raises(KeyboardInterrupt):
        pulls(transport=Cut(after=3), full=True)
    for key in server.clients():
        server.call("POST", f"/_sandbox/clients/{key}/balances", {"balance": "4242"})  # which moves no stamp
    pulls(full=True)
    assert_equal_to_the_server()


@pytest.mark.proof
def test_a_record_with_an_absurd_stamp_is_set_aside_and_harms_nobody(server, pulls, query):
    server.stamp(next(iter(server.clients())), 10**12)
    pulled = pulls()
    assert [q.field for q in pulled.quarantined] == ["updated_at"]
    assert query("select count(*) from ninja.clients") == [(119,)]


@pytest.mark.proof
def test_a_group_that_does_not_fit_is_set_aside_and_the_clients_are_loaded(server, pulls, query, monkeypatch):
    groups = [{"id": "g1", "name": "Good", "settings": {}}, {"id": "g2", "name": ["odd"], "settings": {}}]
    monkeypatch.setattr(reference_module, "all_groups", lambda *_: groups)
    pulled = pulls()
    assert [(q.entity, q.id, q.field) for q in pulled.quarantined] == [("group_settings", "g2", "name")]
    assert pulled.run.inserted == 120
    assert query("select id from ninja.group_settings") == [("g1",)]
    monkeypatch.undo()
    assert not pulls(full=True).needs_a_look


@pytest.mark.proof
def test_open_quarantine_needs_a_look_at_every_pull_until_it_is_mended(server, pulls):
    broken = next(iter(server.clients(status="active")))
    server.call("POST", f"/_sandbox/clients/{broken}/balances", {"balance": "123456789012345678.5"})
    assert pulls().needs_a_look
    idle = pulls()
    assert (idle.run.kind, idle.run.quarantine_open, idle.needs_a_look, idle.left) == ("idle", 1, True, 0)
    server.call("POST", f"/_sandbox/clients/{broken}/balances", {"balance": "5"})
    assert not pulls(full=True).needs_a_look


@pytest.mark.proof
@pytest.mark.publishes
def test_a_publication_that_did_not_happen_is_made_up_for(server, pulls, settings, monkeypatch):
    def fail(*_args, **_kwargs):
        raise WarehouseError("The disk is full.")

    monkeypatch.setattr(pull_module, "publish_if_due", fail)
    loaded = pulls()
    assert (loaded.run.inserted, loaded.published, loaded.needs_a_look) == (120, None, True)
    assert "The disk is full." in loaded.notes[-1]
    monkeypatch.undo()
    idle = pulls()
    assert idle.run.kind == "idle"
    with open_warehouse(idle.published / "reader.duckdb", read_only=True) as reader:
        assert reader.rows("select count(*) from mart.clients") == [(120,)]
    assert pulls().published is None


@pytest.mark.proof
def test_the_time_of_a_run_is_taken_at_its_end(server, pulls, query):
    pulls()
    ((seconds, late),) = query("select seconds, finished_at >= began_at from control.runs")
    assert seconds > 0
    assert late


def test_two_sources_share_a_warehouse_without_meeting(server, pulls, settings, query):
    both = msgspec.structs.replace(settings, sources={**settings.sources, "other": settings.sources["main"]})
    pulls(using=both)
    pulled = pulls(using=both, name="other", token=server.box.other_token)
    found = dict(query("select source, count(*) from ninja.clients group by source"))
    assert found == {"main": 120, "other": pulled.run.inserted}
    assert pulled.run.inserted > 0


@pytest.mark.proof
def test_one_company_does_not_come_under_two_names(pulls, settings, query):
    pulls()
    both = msgspec.structs.replace(settings, sources={**settings.sources, "shop": settings.sources["main"]})
    with pytest.raises(SettingsError, match="already, as the source 'main'"):
        pulls(using=both, name="shop")
    assert query("select source, count(*) from ninja.clients group by source") == [("main", 120)]


@pytest.mark.proof
def test_a_token_that_may_not_see_money_is_refused_although_nothing_has_changed(server, pulls):
    pulls()
    with pytest.raises(NotAuthorised, match="may not see money"):
        pulls(token=server.box.viewer_token)


@pytest.mark.proof
def test_a_restored_server_is_read_whole(server, pulls, assert_equal_to_the_server):
    pulls()
    newest = max(server.clients().values(), key=lambda c: c["updated_at"])
    server.edit(newest, city="Lost by the restore")
    pulls()
    for key, client in server.clients().items():
        server.stamp(key, client["created_at"] - 10_000_000)
    pulled = pulls()
    assert any("restored" in note for note in pulled.notes)
    assert_equal_to_the_server()


def test_a_broken_record_waits_in_quarantine_and_the_rest_is_loaded(server, pulls, query):
    broken = next(iter(server.clients(status="active").values()))
    server.call("POST", f"/_sandbox/clients/{broken['id']}/balances", {"balance": "123456789012345678.5"})
    pulled = pulls()
    assert [(q.id, q.field) for q in pulled.quarantined] == [(broken["id"], "balance")]
    assert query("select count(*) from ninja.clients") == [(119,)]
    server.call("POST", f"/_sandbox/clients/{broken['id']}/balances", {"balance": "5"})
    server.edit(broken, city="Mended")
    assert pulls().run.inserted == 1
    assert query("select count(*) from control.quarantine where resolved_run_id is null") == [(0,)]


@pytest.mark.publishes
def test_readers_are_not_in_the_way_and_see_the_published_copy(server, pulls, settings):
    published = pulls().published
    with open_warehouse(published / "reader.duckdb", read_only=True) as reader:
        server.edit(next(iter(server.clients(status="active").values())), city="While somebody reads")
        pulls()
        assert reader.rows("select count(*) from mart.clients where city = 'While somebody reads'") == [(0,)]
    with open_warehouse(published / "reader.duckdb", read_only=True) as reader:
        assert reader.rows("select count(*) from mart.clients where city = 'While somebody reads'") == [(1,)]


@pytest.mark.proof
@pytest.mark.publishes
def test_nothing_is_left_of_a_run_but_the_warehouse_and_its_copies(pulls, settings):
    pulls()
    path = place_of(settings)
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "warehouse.duckdb", "warehouse.duckdb.main.lock", "warehouse.duckdb.published", "warehouse.duckdb.staging",
    ]  # fmt: skip
    assert list((path.parent / "warehouse.duckdb.staging").iterdir()) == []


@pytest.mark.proof
def test_a_skew_that_could_not_be_measured_is_not_taken_for_none(server, pulls, query, assert_equal_to_the_server):
    server.switch(
        timezone="America/New_York", poison=[max(server.clients().values(), key=lambda c: c["updated_at"])["id"]]
    )
    assert len(pulls().quarantined) == 1
    assert query("select skew_seconds from control.sources") == [(None,)]
    server.switch(poison=[])
    server.edit(next(iter(server.clients(status="active").values())), city="Changed just now")
    pulls(full=True)
    assert query("select skew_seconds > 0 from control.sources") == [(True,)]
    assert_equal_to_the_server()


class Altered(httpx.BaseTransport):
    """The way to the server; `alter` gets each request and its answer."""

    def __init__(self, alter):
        self.inner, self.alter = httpx.HTTPTransport(), alter

    def handle_request(self, request):
        return self.alter(request, self.inner.handle_request(request))

    def close(self):
        self.inner.close()


@pytest.mark.proof
@pytest.mark.parametrize(
    "version",
    ["5.13.0-rc1", "v5", "", "x" * 10_000, "\x1b[31m5.13\x07", "99999999999999999999.1", "٥.١٣"],
    ids=["early release", "v5", "empty", "10,000 characters", "escapes", "large", "Arabic"],
)
def test_an_absurd_version_stops_nothing_and_is_shown_harmlessly(server, pulls, query, version):
    def alter(_, answer):
        kept = [(name, value) for name, value in answer.headers.raw if name.lower() != b"x-app-version"]
        told = [*kept, (b"X-App-Version", version.encode())]
        return httpx.Response(answer.status_code, headers=told, stream=answer.stream)

    assert pulls(transport=Altered(alter)).run.inserted == 120
    assert pulls(transport=Altered(alter)).run.kind == "idle"
    ((shown,),) = query("select server_version from mart.load_status")
    assert len(shown or "") <= 40
    assert (shown or "").isprintable()


@pytest.mark.proof
def test_another_companys_answers_in_the_middle_of_a_pull_are_not_stored(server, pulls, query):
    server.call("POST", "/api/v1/clients", {"name": "Theirs", "contacts": [{}]}, token=server.box.other_token)
    stranger, pages = httpx.HTTPTransport(), iter(range(1000))

    def alter(request, answer):
        if "sort=id" not in str(request.url) and "updated_at%7Casc" not in str(request.url) and not seen:
            return answer
        seen.append(next(pages))
        if len(seen) < 3:
            return answer
        answer.close()
        request.headers["X-API-TOKEN"] = server.box.other_token
        return stranger.handle_request(request)

    seen = []
    with pytest.raises(UnexpectedShape, match="another company"):
        pulls(transport=Altered(alter))
    assert query("select count(*) from ninja.clients") == [(0,)]
    stranger.close()
    assert pulls().run.inserted == 120
    assert not any("interrupted" in note for note in pulls(full=True).notes)

"""Today: figures of the server, the age of the data in words, the changes since yesterday, and what waits."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from flows.ask.today import CHANGES, read_changes, read_today
from flows.configuration.load import place_of
from flows.configuration.values import Settings, Source
from flows.pull.by_name import pull_source
from flows.session.clock import Clock
from schemas.errors import NotAuthorised, SettingsError
from tests.engines import address
from warehouse.opened.open import open_place


@pytest.fixture
def kept(settings, place):
    """Settings of the server's source, with an empty warehouse of each engine."""
    return msgspec.structs.replace(settings, warehouse=address(place))


@pytest.fixture
def pulled(kept, pulls):
    """Settings of a warehouse that was pulled once."""
    pulls(using=kept)
    return kept


def run(settings, sql, **params):
    with open_place(place_of(settings)) as warehouse:
        warehouse.execute(sql, params)


def later(hours):
    return Clock(now=lambda: datetime.now(UTC) + timedelta(hours=hours))


def test_before_the_first_pull_it_says_so(kept, tmp_path):
    for settings in (kept, Settings(warehouse=str(tmp_path / "none.duckdb"), sources=kept.sources)):
        (fresh,) = read_today(settings, None).fresh
        assert (fresh.source, fresh.wrong(datetime.now(UTC))) == ("main", "Nothing has been pulled yet.")


def test_an_empty_database_says_that_nothing_was_pulled(database, settings):
    (fresh,) = read_today(msgspec.structs.replace(settings, warehouse=database.url), "main").fresh
    assert fresh.wrong(datetime.now(UTC)) == "Nothing has been pulled yet."


def test_the_sums_are_the_servers_each_currency_for_itself(pulled, server):
    owed, overpaid, number = defaultdict(Decimal), defaultdict(Decimal), Counter()
    codes = {c["id"]: c["code"] for c in server.call("GET", "/api/v1/statics")["currencies"]}
    company = server.call("POST", "/api/v1/companies/current")["data"]["settings"]["currency_id"]
    groups = {g["id"]: g["settings"].get("currency_id") for g in server.call("GET", "/api/v1/group_settings")["data"]}
    for client in server.clients().values():
        if not client["is_deleted"]:
            code = codes[client["settings"].get("currency_id") or groups.get(client["group_settings_id"]) or company]
            number[code] += 1
            owed[code] += max(client["balance"], Decimal(0))
            overpaid[code] += max(-client["balance"], Decimal(0))
    found = {row["currency"]: row for row in read_today(pulled, "main").balances.records()}
    assert {code: row["clients"] for code, row in found.items()} == number
    assert {code: row["owed"] for code, row in found.items()} == owed
    assert {code: row["overpaid"] for code, row in found.items()} == overpaid
    assert {code: row["net"] for code, row in found.items()} == {code: owed[code] - overpaid[code] for code in number}


def test_the_changes_since_yesterday_are_counted_and_the_first_are_named(pulled, pulls, server):
    before = read_today(pulled, "main")
    assert (before.changes["changed"], before.changes["moved"], before.changes["vanished"]) == (0, 0, 0)
    moved, edited, purged, *_ = (c for c in server.clients(status="active").values() if c["balance"] > 0)
    server.call("POST", f"/_sandbox/clients/{moved['id']}/balances", {"balance": "777.25"})
    server.edit(edited, city="Kiel")
    made = server.call("POST", "/api/v1/clients", {"name": "Brand New GmbH", "contacts": []})["data"]
    server.purge(purged["id"])
    pulls(using=pulled)
    today = read_today(pulled, "main")
    assert today.changes == {"new": before.changes["new"] + 1, "changed": 2, "moved": 1, "vanished": 1}
    assert today.first["new"][0]["id"] == made["id"]
    assert {row["id"] for row in today.first["changed"]} == {moved["id"], edited["id"]}
    ((balance,), (gone,)) = today.first["moved"], today.first["vanished"]
    assert (balance["id"], balance["before"], balance["after"]) == (moved["id"], moved["balance"], Decimal("777.25"))
    assert (balance["number"], balance["name"]) == (moved["number"], moved["display_name"])
    assert (gone["id"], gone["name"]) == (purged["id"], purged["display_name"])


def test_a_change_of_the_day_before_yesterday_is_left_out(pulled, pulls, server):
    server.edit(next(iter(server.clients(status="active").values())), city="Kiel")
    pulls(using=pulled)
    assert read_today(pulled, "main", clock=later(0)).changes["changed"] == 1
    assert read_today(pulled, "main", clock=later(72)).changes == dict.fromkeys(CHANGES, 0)


def test_a_list_of_changes_is_read_page_by_page(pulled, pulls, server):
    for client in list(server.clients(status="active").values())[:5]:
        server.edit(client, city="Kiel")
    pulls(using=pulled)
    pages = [read_changes(pulled, "main", "changed", most=2, skip=skip) for skip in (0, 2, 4)]
    assert [number for _, number in pages] == [5, 5, 5]
    assert len({row["id"] for rows, _ in pages for row in rows}) == 5
    with pytest.raises(SettingsError, match="There is no list of 'odd' clients"):
        read_changes(pulled, "main", "odd", most=2)


def test_a_failed_pull_says_why_until_a_pull_ends_well(pulled, pulls, server, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", "wrong-token-of-a-test")
    with pytest.raises(NotAuthorised) as refused:
        pull_source(pulled, "main")
    (fresh,) = read_today(pulled, "main").fresh
    assert (fresh.failure.message, fresh.failure.exit_code) == (str(refused.value), 5)
    assert fresh.wrong(datetime.now(UTC)) == f"The last pull failed just now: {refused.value}"
    pulls(using=pulled)
    (fresh,) = read_today(pulled, "main").fresh
    assert (fresh.failure, fresh.wrong(datetime.now(UTC))) == (None, "")


def test_a_failure_before_the_first_pull_creates_no_warehouse(settings, tmp_path, monkeypatch):
    monkeypatch.delenv("NINJA_SYNC_TOKEN", raising=False)
    nowhere = msgspec.structs.replace(settings, warehouse=str(tmp_path / "none.duckdb"))
    with pytest.raises(SettingsError):
        pull_source(nowhere, "main")
    assert not (tmp_path / "none.duckdb").exists()


def test_data_that_nobody_has_checked_since_yesterday_is_old(pulled):
    now = datetime.now(UTC)
    (fresh,) = read_today(pulled, "main").fresh
    assert fresh.wrong(now + timedelta(hours=25)) == ""
    assert fresh.wrong(now + timedelta(hours=49)) == "Nothing was pulled for 2 days."


def test_what_waits_is_counted_for_each_source(pulled, server):
    one, two, three, *_ = server.clients()
    now = datetime.now(UTC)
    plan = (
        "insert into control.plans (source, plan_id, kind, made_at, expires_at, base_at, newest_at, author, reason, "
        "company, version, digest, state) values ('main', $id, 'push', $now, $until, $now, $now, 'a', '', 'c', '', "
        "$id, $state)"
    )
    for number, (state, hours) in enumerate(
        [("planned", 1), ("planned", -1), ("applying", 1), ("planned", 1), ("rejected", 1)]
    ):
        run(pulled, plan, id=f"p{number}", now=now, until=now + timedelta(hours=hours), state=state)
    run(
        pulled,
        "insert into control.approvals (source, plan_id, digest, approved_by, approved_at) "
        "values ('main', 'p3', 'p3', 'somebody', $now)",
        now=now,
    )
    for plan_id in (None, "refused: no such field", "p1", "p2", "p3", "p4"):  # p1 has expired, p4 is rejected
        run(
            pulled,
            "insert into control.outbox (source, id, field, value, plan_id) values ('main', $id, 'city', 'x', $plan)",
            id=one, plan=plan_id,
        )  # fmt: skip
    for cluster, clients in ((one, (one, two)), (three, (three, two))):
        for client_id in clients:
            run(
                pulled,
                "insert into control.duplicate_clusters (source, cluster_id, id, found_at) "
                "values ('main', $cluster, $id, $now)",
                cluster=cluster, id=client_id, now=now,
            )  # fmt: skip
    run(
        pulled,
        "insert into control.duplicate_decisions values ('main', $a, $b, 'never_merge', 'a', '', $now)",
        a=min(one, two), b=max(one, two), now=now,
    )  # fmt: skip
    run(
        pulled, "insert into control.unlisted (source, id, why, since_run_id) values ('main', $id, 'held', 'r')", id=one
    )
    expected = {
        "approve": 1, "apply": 1, "cut off": 1, "refused": 1, "rejected": 1, "queued": 2, "held clients": 1,
        "groups": 1,
    }  # fmt: skip
    assert read_today(pulled, "main").waiting == {("main", kind): number for kind, number in expected.items()}


def test_a_source_shows_nothing_of_another(pulled):
    both = {**pulled.sources, "second": Source(url="https://second.test")}
    settings = msgspec.structs.replace(pulled, sources=both)
    assert [fresh.source for fresh in read_today(settings, None).fresh] == ["main", "second"]
    today = read_today(settings, "second")
    assert [(fresh.source, fresh.clients) for fresh in today.fresh] == [("second", 0)]
    assert (today.balances.rows, today.waiting) == ([], {})


def test_a_decision_about_a_merged_client_holds_for_the_client_that_it_is_part_of_now(pulled, pulls, server):
    merged, kept, other, *_ = (c["id"] for c in server.clients(status="active").values())
    now = datetime.now(UTC)
    for client_id in (kept, other):
        run(
            pulled,
            "insert into control.duplicate_clusters (source, cluster_id, id, found_at) values ('main', 'c', $id, $now)",
            id=client_id, now=now,
        )  # fmt: skip
    assert read_today(pulled, "main").waiting == {("main", "groups"): 1}
    run(
        pulled,
        "insert into control.duplicate_decisions values ('main', $a, $b, 'never_merge', 'a', '', $now)",
        a=min(merged, other), b=max(merged, other), now=now,
    )  # fmt: skip
    assert read_today(pulled, "main").waiting == {("main", "groups"): 1}
    server.merge(kept, merged)
    pulls(using=pulled, full=True)
    assert read_today(pulled, "main").waiting == {}

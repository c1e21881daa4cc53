"""The artifact on the freshness of each mirror names every kind of records that is pulled."""

from __future__ import annotations

import msgspec


def test_the_artifact_counts_all_kinds_of_records(settings, pulls, query, monkeypatch):
    from flows.scheduled import pull as scheduled  # noqa: PLC0415 - Prefect

    source = msgspec.structs.replace(settings.sources["main"], entities=("clients", "invoices", "payments"))
    told = msgspec.structs.replace(settings, sources={"main": source})
    pulls(using=told)
    stored = []
    monkeypatch.setattr(scheduled, "create_table_artifact", lambda rows, **_: stored.extend(rows))
    scheduled.tell_freshness(told)
    ((invoices, payments),) = query(
        "select (select count(*) from ninja.invoices), (select count(*) from ninja.payments)"
    )
    (row,) = stored
    assert (row["source"], row["clients"], row["invoices"], row["payments"]) == ("main", 120, invoices, payments)
    assert invoices > 0 < payments
    assert row["not_listed"] == 0
    assert "credits" not in row

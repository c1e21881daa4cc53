"""The versions of invoices, payments and credits as views: one current version each, and those before it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.billing import CREDITS, INVOICES, PAYMENTS
from tests.records import MOMENT
from tests.schemas.test_documents import recorded

LATER = MOMENT + timedelta(days=400)
KINDS = {"invoice": INVOICES, "payment": PAYMENTS, "credit": CREDITS}


@pytest.mark.parametrize("kind", KINDS)
def test_each_version_is_there_with_its_figures(warehouse, load_records, kind):
    entity, (record, *others) = KINDS[kind], recorded(KINDS[kind].name)
    load_records([record, *others], entity=entity, began=LATER)
    changed = record | {"amount": record["amount"] + 7, "updated_at": int(LATER.timestamp()) + 60}
    load_records([changed], entity=entity, began=LATER + timedelta(hours=1))
    rows = warehouse.rows(
        "select amount, is_current, valid_to is null, ended_by from mart.document_history "
        "where document_kind = $kind and id = $id order by valid_from",
        {"kind": kind, "id": record["id"]},
    )
    assert rows == [(record["amount"], False, False, "changed"), (record["amount"] + 7, True, True, None)]
    ((count,),) = warehouse.rows("select count(*) from mart.document_history where is_current")
    assert count == 1 + len(others)
    changes = warehouse.rows("select document_kind, id, field from mart.document_changes")
    assert (kind, record["id"], "amount") in changes


def test_a_document_that_the_server_no_longer_lists_is_named(warehouse, load_records):
    records = recorded("invoices")
    load_records(records, entity=INVOICES, began=LATER)
    for entity in ("invoices", "payments", "clients"):  # ids repeat between kinds
        warehouse.execute(
            "insert into control.unlisted (source, entity, id, why, since_run_id) "
            "values ('main', $entity, $id, 'held', 'run-001')",
            {"entity": entity, "id": records[0]["id"]},
        )
    rows = warehouse.rows("select document_kind, id, number, balance, why, since from mart.unlisted_documents")
    assert rows == [("invoice", records[0]["id"], records[0]["number"], records[0]["balance"], "held", LATER)]

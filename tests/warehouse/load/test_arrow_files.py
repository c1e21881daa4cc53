"""Rows as Arrow: what each pull pays for, and what it does not."""

from __future__ import annotations

import subprocess
import sys

from schemas.entities import CLIENTS
from schemas.normalise import normalise
from tests.records import NOW, client, contact
from warehouse.load.arrow_files import arrow_files, read_batches

WITHOUT_PANDAS = """
import sys
import pyarrow
from warehouse.load.arrow_files import arrow_files
from schemas.entities import CLIENTS
from schemas.normalise import normalise
from tests.records import client
assert len(list(arrow_files(CLIENTS, normalise(CLIENTS, [client("a")]), first_arrival=0))) == 2
assert "pandas" not in sys.modules
assert pyarrow.table({"a": ["x"]}).to_pandas()["a"].tolist() == ["x"]
"""


def test_staging_does_not_import_pandas_and_who_wants_it_afterwards_gets_it():
    subprocess.run([sys.executable, "-c", WITHOUT_PANDAS], check=True)


def test_children_carry_their_parents_id_and_arrival_and_times_are_exact(tmp_path):
    batch = normalise(
        CLIENTS, [client("a", contacts=[contact("c1"), contact("c2")]), client("b", contacts=[]), client("d")]
    )
    for table, content in arrow_files(CLIENTS, batch, first_arrival=7):
        (tmp_path / table).write_bytes(content)
    (clients,), (contacts,) = (list(read_batches(tmp_path / name)) for name in ("clients", "contacts"))
    assert clients["arrival"].to_pylist() == [7, 8, 9]
    assert list(zip(contacts["client_id"].to_pylist(), contacts["arrival"].to_pylist(), strict=True)) == [
        ("a", 7),
        ("a", 7),
        ("d", 9),
    ]
    assert {stamp.timestamp() for stamp in clients["updated_at"].to_pylist()} == {NOW - 900}
    assert clients["archived_at"].null_count == 3
    assert not (tmp_path / "documents").exists()

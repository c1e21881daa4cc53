"""Our own column of the head-to-head, without the peers: `make peers` prints it beside theirs."""

from __future__ import annotations

import pytest

from tests.peers.mock import CLIENTS, FAULTS, ids_on, silence, spoilt
from tests.peers.read_with_ours import read

STOPS = {
    "200 with HTML": "UnexpectedShape",
    "200 with JSON without `data`": "UnexpectedShape",
    "302 to another host": "Rejected",
}


# The silence is left out, as it takes a minute; tests/faults has it.
@pytest.mark.parametrize("fault", [name for name, (spoil, _) in FAULTS.items() if spoil is not silence])
def test_no_record_is_lost_in_silence(fault, tmp_path):
    with spoilt(fault) as server:
        told = read(server.url, server.box.token, tmp_path, sleep=lambda _: None)
        there = ids_on(server.box)
    assert server.struck
    assert server.decoy.requests == 0
    assert told["said"] == STOPS.get(fault, "success")
    assert fault in STOPS or set(told["ids"]) >= set(there)
    assert len(there) >= CLIENTS - 1

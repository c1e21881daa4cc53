"""Some hundreds of the histories that `make histories` plays by the thousand; a failure is shown at its shortest."""

from __future__ import annotations

import pytest

from tests.histories import machine
from tests.histories.quick import quick
from tests.histories.run import play

WORLDS = 90


@pytest.mark.slow
def test_after_every_quiet_pull_the_mirror_is_the_server():
    machine.tally.clear()
    with quick():
        play(WORLDS, seed=1)
    assert machine.tally["histories"] >= 2 * WORLDS
    assert machine.tally["pulls under fire (pull)"] > WORLDS

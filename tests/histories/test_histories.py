"""Some dozens of the histories that `make histories` plays by the thousand; a failure is shown at its shortest."""

from __future__ import annotations

import pytest

from tests.engines import Databases, Files
from tests.histories import machine
from tests.histories.quick import quick
from tests.histories.run import play

WORLDS = 20


SAME = 6
"""Worlds that are played on both engines."""


@pytest.mark.slow
def test_after_every_quiet_pull_the_mirror_is_the_server():
    machine.tally.clear()
    with quick():
        play(WORLDS, seed=1)
    assert machine.tally["histories"] > 1.5 * WORLDS
    assert machine.tally["pulls under fire (pull)"] > WORLDS


@pytest.mark.slow
@pytest.mark.proof
def test_after_the_same_histories_both_engines_hold_the_same_rows(postgres):
    played = []
    for other in (Files(), Databases(postgres)):
        machine.hashes.clear()
        with quick(), machine.played_on(other):
            play(SAME, seed=2, shrink=False)
        played.append(list(machine.hashes))
    files, databases = played
    assert len(files) >= SAME
    assert files == databases

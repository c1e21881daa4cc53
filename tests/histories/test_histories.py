"""Some dozens of the histories that `make histories` plays by the thousand; a failure is shown at its shortest."""

from __future__ import annotations

import pytest

from tests.engines import Databases, Files
from tests.histories import machine
from tests.histories.quick import quick
from tests.histories.run import play

SAME = 6
"""Worlds that are played on both engines."""


@pytest.mark.slow
@pytest.mark.quick(where=lambda worlds, **_: worlds == 2)
@pytest.mark.parametrize(("worlds", "histories", "under_fire"), [(2, 2, 1), (20, 31, 19)])
def test_after_every_quiet_pull_the_mirror_is_the_server(worlds, histories, under_fire):
    machine.tally.clear()
    with quick():
        play(worlds, seed=1)
    assert machine.tally["histories"] >= histories
    assert machine.tally["pulls under fire (pull)"] >= under_fire


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

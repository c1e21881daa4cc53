"""kill -9 at random moments of a pull: the old state or the new one is left, and the next pull is exact.

`make kills` kills 300 times and tells in which phases (KILLS=1000: so many). A failure prints its seed; with
NINJA_SYNC_SEED the same changes are made again, and victims killed after the same share of the same phases.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from tests.crashes.changes import chances, change
from tests.crashes.victim import KILLED
from tests.crashes.watch import Watch
from tests.crashes.witness import found_in, leftovers, truth

KILLS = int(os.environ.get("NINJA_SYNC_KILLS", "10"))
LONG_RUN = 200
SEED = int(os.environ.get("NINJA_SYNC_SEED", time.time_ns() % 1_000_000 if KILLS >= LONG_RUN else 1))
PHASES = ("looking", "reading", "loading", "publishing")
ROUNDS = 10
"""The kills of one test; each has a server and a warehouse of its own, and its first pull is a first pull."""


@pytest.fixture
def path(place):
    """The warehouse of a test, on each engine."""
    return place


@pytest.fixture(scope="module")
def fallen():
    """In which phase how many victims fell; told at the end."""
    counts = Counter()
    yield counts
    print(f"\nkilled in: {dict(counts)}")


@pytest.mark.slow
@pytest.mark.proof
@pytest.mark.parametrize("part", range(KILLS // ROUNDS))
def test_whatever_moment_a_pull_is_killed_at_the_next_one_is_exact(server, path, victims, fallen, part):
    seed = SEED + part
    rng, watch = chances(seed), Watch(server, path, victims)
    took = dict.fromkeys(PHASES, 0.2)
    for number in range(ROUNDS):
        done = change(server, rng, watch.gone) if number else "nothing yet"
        (victim,) = victims.send()
        phase, share = rng.choice(PHASES), rng.uniform(0, 1.1)
        if victim.wait(phase):
            victim.kill(share * took[phase])
        fell = victim.last if victim.status == KILLED else "none: it was over"
        print(f"seed {seed}, kill {number}: {done}; killed in {fell} ({share:.2f} of {phase})")
        fallen[fell] += 1
        watch.check(exact=False)
        if number == 0 or rng.random() < 0.7:
            took |= watch.pull().lengths()
    watch.pull()


@pytest.mark.skipif(KILLS < LONG_RUN, reason="of the long run, `make kills`")
def test_victims_fell_in_every_phase(fallen):
    assert all(fallen[phase] >= KILLS // 50 for phase in PHASES)


def test_a_load_in_two_commits_would_be_caught(server, path, victims):
    watch = Watch(server, path, victims)
    watch.pull()
    change(server, chances(1), watch.gone)
    (victim,) = victims.send(plant="split commit", die_at="between two commits")
    victim.wait()
    assert (victim.status, victim.last) == (KILLED, "between two commits")
    with pytest.raises(AssertionError, match="runs that are not in the ledger"):
        watch.check(exact=False)


@pytest.mark.parametrize("phase", PHASES)
def test_a_first_pull_that_dies_as_a_phase_begins_leaves_nothing_or_all(server, path, victims, phase):
    (victim,) = victims.send(die_at=phase)
    victim.wait()
    assert victim.status == KILLED
    loaded = phase == "publishing"
    assert found_in(path).clients == (truth(server.clients()) if loaded else {})
    Watch(server, path, victims).pull()


def test_staged_pages_of_a_pull_that_died_behind_its_commit_are_cleared_by_one_that_finds_nothing_to_do(
    server, path, victims
):
    for client in server.clients():
        server.stamp(client, 1_700_000_000)  # long ago, so that the second pull is idle
    (victim,) = victims.send(die_at="publishing", plant="keep staged")
    victim.wait()
    assert any(name.endswith(".arrow") for name in leftovers(path))
    victims.pull()
    assert leftovers(path) == []

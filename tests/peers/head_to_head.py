"""The same server and the same faults for dlt, airbyte-cdk and Ninja Sync: who loses records and says "success".

`make peers` runs it. 100 clients in pages of twenty; the fault strikes the second page. Each reader runs in a process
of its own with a deadline, with the settings that it comes with and the plainest page-by-page configuration: both
frameworks can be configured better (another decoder, hooks, an anchored cursor). The faults were chosen by us.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.peers.mock import FAULTS, ids_on, spoilt

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
DEADLINE = 180.0
PEERS = ROOT / ".venv-peers" / "bin" / "python"
READERS = {
    "dlt": (PEERS, "read_with_dlt.py"),
    "airbyte-cdk": (PEERS, "read_with_airbyte.py"),
    "Ninja Sync": (Path(sys.executable), "read_with_ours.py"),
}


@dataclass(frozen=True)
class Outcome:
    """What a reader said at its end, how many records of the server it lacks, and who got its token.

    `named` counts records of which it says that they are missing.
    """

    said: str
    lost: int
    named: int = 0
    leaked: bool = False

    @property
    def is_silent_loss(self) -> bool:
        return self.said == "success" and self.lost > 0

    def __str__(self) -> str:
        text = "stops: " + self.said if self.lost and self.said != "success" else self.said
        if self.said == "hangs":
            text = "**hangs**"
        elif self.is_silent_loss:
            text = f"**success, {self.lost} lost**"
        elif self.said == "success":
            text = "all there"
        elif self.named:
            text = f"{self.lost} missing and named"
        return text + (", **token sent there**" if self.leaked else "")


def tried(reader: str, fault: str, deadline: float = DEADLINE) -> Outcome:
    """One reader against one server with one fault."""
    python, script = READERS[reader]
    with spoilt(fault) as server, tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        try:
            done = subprocess.run(
                [python, HERE / script, server.url, server.box.token, folder],
                env=environment, capture_output=True, text=True, timeout=deadline, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Outcome("hangs", len(ids_on(server.box)))
        assert server.struck, f"the fault never struck {reader}: {done.stderr[-2000:]}"
        found = [line[7:] for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        assert found, f"{reader} crashed: {done.stderr[-2000:]}"
        told = json.loads(found[-1])
        lost = set(ids_on(server.box)) - set(told["ids"])
        return Outcome(told["said"], len(lost), told.get("named", 0), leaked=server.decoy.tokens > 0)


def main() -> int:
    """Print the table; exit code 1 where Ninja Sync loses a record without a word, hangs, or sends its token away."""
    print(f"| fault on the second page | {' | '.join(READERS)} |\n|---|{'---|' * len(READERS)}")
    silent = dict.fromkeys(READERS, 0)
    hung = dict.fromkeys(READERS, 0)
    bad = False
    for fault in FAULTS:
        with ThreadPoolExecutor() as pool:
            outcomes = dict(zip(READERS, pool.map(tried, READERS, [fault] * len(READERS)), strict=True))
        print(f"| {fault} | {' | '.join(map(str, outcomes.values()))} |", flush=True)
        for reader, outcome in outcomes.items():
            silent[reader] += outcome.is_silent_loss
            hung[reader] += outcome.said == "hangs"
        ours = outcomes["Ninja Sync"]
        bad = bad or ours.is_silent_loss or ours.leaked or ours.said == "hangs"
    counts = [f"**{silent[r]}**" + (f" and {hung[r]} hanging" if hung[r] else "") for r in READERS]
    print(f"| records lost in silence, of {len(FAULTS)} | {' | '.join(counts)} |")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())

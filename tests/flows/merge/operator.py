"""An operator at a machine of their own, who plans, applies and resumes merges: one order a line, one answer a line.

`python -m tests.flows.merge.operator` takes the settings as JSON in its first line.
"""

from __future__ import annotations

import json
import os
import sys

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.configuration.values import Settings, Source
from flows.merge.apply import apply_merges, close_merges, resume_merges
from flows.merge.plan import plan_merges
from schemas.errors import SyncError


def main() -> None:
    """Do what is ordered until the orders end."""
    told = json.loads(sys.stdin.readline())
    os.environ["HOME"] = told["home"]
    source = Source(url=told["url"], requests_per_second=100_000, look_back=60, entities=("clients",))
    settings = Settings(warehouse=told["warehouse"], sources={"main": source}, publish=False, wait=told["wait"])
    print("ready", flush=True)
    for line in sys.stdin:
        fast = DoorSettings(told["url"], requests_per_second=100_000, retry_budget=1000)
        with Door(fast, Secret(told["token"]), sleep=lambda _: None) as door:
            try:
                answer = done(settings, door, Secret(told["password"]), **json.loads(line))
            except SyncError as problem:
                answer = {"error": type(problem).__name__, "text": str(problem)}
        print(json.dumps(answer), flush=True)


def done(settings: Settings, door: Door, password: Secret, verb: str, **what) -> dict[str, object]:
    """What came of one order."""
    more = {"pulls": False, "sleep": lambda _: None}
    if verb == "plan":
        planned = plan_merges(settings, "main", door, [tuple(one) for one in what["pairs"]])
        plan = planned.plan
        return {"plan": [plan.plan_id, plan.digest] if plan else None, "refused": [o.reason for o in planned.refused]}
    if verb == "close":
        applied = close_merges(settings, what["plan"][0])
    elif verb == "apply":
        applied = apply_merges(settings, door, *what["plan"], lambda: password, **more)
    else:
        applied = resume_merges(settings, door, what["plan"][0], lambda: password, **more)
    stopped = applied.stopped
    return {
        "state": applied.state, "states": list(applied.states), "text": str(stopped or ""),
        "error": type(stopped).__name__ if stopped else "",
    }  # fmt: skip


if __name__ == "__main__":
    main()

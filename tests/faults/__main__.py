"""Print the table of faults as Markdown: `python -m tests.faults`."""

from __future__ import annotations

from tests.faults.lines import Fault, Held, Line, Waits
from tests.faults.table import TABLE


def main() -> None:
    print("| fault | what goes wrong | when it passes | when it stays | where |")
    print("|---|---|---|---|---|")
    for line in TABLE:
        print("| " + " | ".join((line.id, line.what, *endings(line), where(line))) + " |")


def endings(line: Line) -> tuple[str, str]:
    if isinstance(line, Fault):
        return str(line.passes or ""), str(line.stays or "")
    return "", "not yet" if isinstance(line, Waits) else str(line.ending)


def where(line: Line) -> str:
    if isinstance(line, Held):
        return f"`{line.test}`"
    return "; ".join(filter(None, [", ".join(line.at), line.why]))


if __name__ == "__main__":
    main()

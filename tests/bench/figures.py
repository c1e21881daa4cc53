"""What the bench has measured, and the targets that it judges: values only, nothing is run here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from tests.bench.measured import Measured
from tests.bench.programs import ENGINES

CHANGED = 100
FAST, REAL, MASS, DOCUMENTS = "fast", "real", "mass", "documents"
NAMES = {
    "floor": "bare fetch, 1 connection",
    "fetch": "bare fetch, 4 connections",
    "pull": "Ninja Sync into {engine}",
    "copies": "{engine} pull's copies for readers",
    "dlt": "dlt into {engine}",
    "airbyte": "airbyte-cdk, reads only",
    "imports": "imports and one query, {engine}",
    "idle": "idle pull, {engine}",
    "changed": f"pull of {CHANGED} changes, {{engine}}",
    "changed, no copies": f"pull of {CHANGED} changes, no copies, {{engine}}",
    "publish": "ninja-sync publish, {engine}",
    "days": "thirty days of balances, {engine}",
}
COMPARED = {
    FAST: {"pull": "floor", "dlt": "floor", "airbyte": "floor", "idle": "imports"},
    REAL: {"pull": "fetch", "dlt": "fetch", "airbyte": "fetch"},
    MASS: {"pull": "fetch"},
    DOCUMENTS: {"pull": "floor", "idle": "imports"},
}
"""With which figure of the same round a figure is compared."""


@dataclass(frozen=True)
class Figure:
    """The runs of one program in one round: at a speed of the server, with so many clients."""

    speed: str
    clients: int
    name: str
    engine: str
    runs: tuple[Measured, ...]

    @property
    def label(self) -> str:
        """The name for people."""
        return NAMES[self.name].format(engine=self.engine)

    def middle(self, of: Callable[[Measured], float]) -> float:
        """The median of all runs."""
        return median(map(of, self.runs))

    def to(self, other: Figure, of: Callable[[Measured], float]) -> float:
        """The ratio to another figure: the median of pairs, where runs took turns, else the ratio of medians."""
        if len(self.runs) == len(other.runs):
            return median(of(mine) / of(others) for mine, others in zip(self.runs, other.runs, strict=True))
        return self.middle(of) / other.middle(of)


@dataclass(frozen=True)
class Target:
    """One goal and what came of it; without a limit it is only shown."""

    name: str
    engine: str
    clients: int
    value: float
    unit: str = "×"
    most: float | None = None
    least: float | None = None

    @property
    def kept(self) -> bool | None:
        """Whether it was reached; None where there is no limit."""
        if self.most is None and self.least is None:
            return None
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)


def seconds(run: Measured) -> float:
    """Wall time."""
    return run.seconds


def cpu(run: Measured) -> float:
    """CPU time, without that of a database server."""
    return run.cpu


def cost(run: Measured) -> float:
    """CPU time, that of a database server counted in."""
    return run.cost


class Figures:
    """All figures of a run, to be looked up."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = {(f.speed, f.clients, f.name, f.engine): f for f in figures}

    def __call__(self, speed: str, clients: int, name: str, engine: str = "") -> Figure | None:
        """One figure, or None."""
        return self._figures.get((speed, clients, name, engine))

    def sizes(self, speed: str) -> list[int]:
        """The numbers of clients that were measured at a speed, ascending."""
        return sorted({clients for at, clients, _, _ in self._figures if at == speed})

    def of(self, speed: str, clients: int) -> list[Figure]:
        """The figures of one round, in the order of `NAMES`."""
        of_round = [f for (at, many, _, _), f in self._figures.items() if (at, many) == (speed, clients)]
        return sorted(of_round, key=lambda figure: list(NAMES).index(figure.name))

    def compared(self, figure: Figure) -> Figure | None:
        """The figure that a figure is compared with."""
        name = COMPARED[figure.speed].get(figure.name)
        if name is None:
            return None
        return self(figure.speed, figure.clients, name, figure.engine if name == "imports" else "")


def targets_of(figures: Sequence[Figure]) -> list[Target]:
    """Every goal for which there are figures, goal by goal."""
    look = Figures(figures)
    targets = [
        *(t for clients in look.sizes(FAST) for engine in ENGINES for t in _fast(look, clients, engine)),
        *(t for small, large in pairwise(look.sizes(FAST)) for t in _growth(look, small, large)),
        *_over_the_fetch(look, REAL, "full pull at real speed: time ÷ bare fetch's", 1.1),
        *_over_the_fetch(look, MASS, "first pull after a mass change: time ÷ bare fetch's", 1.5),
        *(t for clients in look.sizes(DOCUMENTS) for engine in ENGINES for t in _documents(look, clients, engine)),
    ]
    goals = list(dict.fromkeys(target.name for target in targets))
    return sorted(targets, key=lambda target: (goals.index(target.name), ENGINES.index(target.engine)))


def _fast(look: Figures, clients: int, engine: str) -> Iterator[Target]:
    """The goals of one size, on a server that answers at once."""

    def figure(name: str) -> Figure | None:
        return look(FAST, clients, name, "" if name == "floor" else engine)

    def target(name: str, value: float, **limit: Any) -> Target:
        return Target(name, engine, clients, value, **limit)

    if (pull := figure("pull")) and (floor := figure("floor")):
        yield target("full pull: CPU ÷ bare fetch's", pull.to(floor, cpu), most=3.0)
        if dlt := figure("dlt"):
            yield target("dlt's time ÷ full pull's", dlt.to(pull, seconds), least=8.0)
        pulls = filter(None, map(figure, ("pull", "idle", "changed", "changed, no copies")))
        peak = max(run.peak_mb for of_pull in pulls for run in of_pull.runs)
        yield target("peak memory of any pull", peak, unit="MB", most=300.0)
        yield target("full pull: staged pages on disk", pull.middle(lambda run: run.disk_mb), unit="MB")
    if pull and (copies := figure("copies")):
        yield target("writing copies: time ÷ full pull's", copies.to(pull, seconds), most=0.1)
    if (idle := figure("idle")) and (imports := figure("imports")):
        yield target("idle pull: CPU ÷ that of imports and a query", idle.to(imports, cpu), most=1.3)
    if days := figure("days"):
        yield target("thirty days of balances, summed", days.middle(seconds), unit="s", most=1.0)


def _documents(look: Figures, clients: int, engine: str) -> Iterator[Target]:
    """The goals of pulls of clients with their documents."""
    found = [look(DOCUMENTS, clients, name, engine) for name in ("pull", "idle", "changed", "changed, no copies")]
    if pulls := [figure for figure in found if figure]:
        peak = max(run.peak_mb for figure in pulls for run in figure.runs)
        yield Target("with documents: peak memory of any pull", engine, clients, peak, "MB", most=300.0)
    idle, imports = found[1], look(DOCUMENTS, clients, "imports", engine)
    if idle and imports:
        name = "with documents: idle pull: CPU ÷ that of imports and a query"
        yield Target(name, engine, clients, idle.to(imports, cpu), most=1.3)


def _growth(look: Figures, small: int, large: int) -> Iterator[Target]:
    for engine in ENGINES:
        for name, text, of, most in (
            ("pull", "full pull: time ÷ that of {:,}", seconds, 1.1 * large / small),
            ("changed", f"pull of {CHANGED} changes: CPU ÷ that of {{:,}}", cost, 2.0),
            ("changed, no copies", f"pull of {CHANGED} changes, no copies: CPU ÷ that of {{:,}}", cost, 2.0),
        ):
            fewer, more = look(FAST, small, name, engine), look(FAST, large, name, engine)
            if fewer and more:
                ratio = more.middle(of) / fewer.middle(of)
                yield Target(text.format(small), engine, large, ratio, most=round(most, 2))


def _over_the_fetch(look: Figures, speed: str, name: str, most: float) -> Iterator[Target]:
    for clients in look.sizes(speed):
        for engine in ENGINES:
            pull, fetch = look(speed, clients, "pull", engine), look(speed, clients, "fetch")
            if pull and fetch:
                yield Target(name, engine, clients, pull.to(fetch, seconds), most=most)

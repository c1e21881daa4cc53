"""`ninja-sync dedupe review`: groups of duplicates on a terminal, side by side, decided with one key each."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from flows.cli.dedupe.rules import RulesFile, read_rules
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import choose_source, load_settings
from flows.show.show import amount, cell, console, harmless, say, show_json
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from flows.configuration.values import Settings
    from flows.dedupe.one_group import OneGroup
    from flows.dedupe.review import Case
    from flows.dedupe.walk import Walk

LABEL: Final = 15
"""The width of the column with the names of the fields, in characters, including the mark."""
NARROWEST: Final = 24
"""The least width of a client's column, in characters."""
DECISIONS: Final[Mapping[str, str]] = {"s": "same_as", "c": "same_as", "n": "never_merge", "l": "later"}
PROMPT: Final = "s same · n not the same · l later · c same, and you choose · u undo · b back · q quit"


def review(
    rules: RulesFile = None, source: SourceName = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Decide on groups of duplicates, one by one.

    The most uncertain groups come first: your decisions on them teach most. Pairs in no group are asked about too, from
    a probability of 20 % on; they are called less likely. Shows the clients of a group side by side; the client to keep
    comes first. A mark shows each difference that matters: ≠ for two values, + for a value beside a blank. One key
    decides, without Enter: s the same, n not the same, l later, c the same and you choose the client to keep, u undo
    the last decision, b back to the last group, q quit. Nothing is merged. With --json, the open groups are printed,
    and no question is asked.
    """
    from flows.dedupe.questions import questions  # noqa: PLC0415 - an extra
    from flows.dedupe.walk import Stop, Walk  # noqa: PLC0415 - as above

    chosen = read_rules(rules)

    settings = load_settings(config)
    name = choose_source(settings, source)
    left = questions(settings, name, rules=chosen.survivor)
    if as_json:
        show_json([
            {"ids": case.ids, "kept": case.kept, "why": case.why, "fields": [asdict(line) for line in case.lines],
             "pairs": [asdict(pair) for pair in case.pairs], "less_likely": case.less_likely} for case in left
        ])  # fmt: skip
        return
    if not left:
        say("There is no group to decide on. Next: ninja-sync dedupe find, or ninja-sync dedupe plan")
        return
    walk = Walk(name, [Stop(case.ids, case.less_likely) for case in left])
    place = 0
    while 0 <= place < len(left):
        place = _ask(settings, walk, place, chosen.survivor)
    say(f"{walk.in_words()}. Next: ninja-sync dedupe {walk.following}" if walk.made else "Nothing was decided.")


def _ask(settings: Settings, walk: Walk, place: int, rules: Sequence[str]) -> int:
    """Show one group as it is now, and obey one key; return the place of the group to show next, or -1 to quit.

    If a colleague decides on it while it is shown, nothing is noted, and the group comes again with that decision.
    """
    from flows.ask.ask import reading  # noqa: PLC0415 - as below
    from flows.dedupe.decide import MEANWHILE, decide_group  # noqa: PLC0415 - an extra
    from flows.dedupe.one_group import read_group  # noqa: PLC0415 - as above

    stop = walk.stops[place]
    with reading(settings, newest=True) as warehouse:
        group = read_group(warehouse, walk.source, stop.ids, rules=rules)
    if group is None:
        say("Fewer than two clients of this group are left: the others were merged or removed meanwhile.")
        return place + 1
    show_case(group.case, f"{'Less likely pair' if stop.single else 'Group'}, {place + 1} of {len(walk.stops)}")
    _show_said(group)
    key = _key(PROMPT, {*DECISIONS, "b", "u", "q"})
    if key in {"q", "b"}:
        return -1 if key == "q" else max(0, place - 1)
    if key == "u":
        back = walk.take_back_last(settings)
        if back is None:
            say("There is no decision to undo.")
        return place if back is None else back
    kept = _choose(group.case) if key == "c" else ""
    if kept is None:
        return place
    noted = decide_group(
        settings, walk.source, stop.ids, DECISIONS[key], kept=kept, seen=group.standing.mark, reason="reviewed"
    )
    if noted is None:
        say(MEANWHILE)
        return place
    walk.note(place, noted)
    return place + 1


def _choose(case: Case) -> str | None:
    """Ask which client to keep; None if the person goes back."""
    from flows.dedupe.side_by_side import LETTERS, in_order  # noqa: PLC0415 - an extra

    ids = in_order(case)[: len(LETTERS)]
    letters = LETTERS[: len(ids)]
    letter = _key(f"Which client to keep: {letters[0]} to {letters[-1]}, in this order; q back", {*letters, "q"})
    return None if letter == "q" else ids[letters.index(letter)]


def show_case(case: Case, title: str) -> None:
    """Print a group: its clients side by side as far as there is room, then the reasons."""
    from rich.text import Text  # noqa: PLC0415 - 0.1 s, not needed for --json

    from flows.dedupe.side_by_side import in_order  # noqa: PLC0415 - an extra

    out, ids = console(), in_order(case)
    beside = max(1, (out.width - LABEL) // (NARROWEST + 2))
    first, *others = ids
    groups = [ids] if len(ids) <= beside else _chunks(first, others, beside)
    out.print(Text(title, style="bold"))
    for group in groups:
        out.print(_table(case, group, ids, (out.width - LABEL - 3) // len(group) - 2))
    _show_reasons(out, case, ids)


def _chunks(first: str, others: Sequence[str], beside: int) -> list[list[str]]:
    """Split the clients over several tables if one is too wide, with the client to keep in each."""
    if beside == 1:
        return [[first], *([client_id] for client_id in others)]
    step = beside - 1
    return [[first, *others[at : at + step]] for at in range(0, len(others), step)]


def _table(case: Case, group: Sequence[str], ids: Sequence[str], width: int) -> object:
    from rich import box  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    from flows.dedupe.side_by_side import label_of, letter_of, mark_of  # noqa: PLC0415 - an extra

    made = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    made.add_column("", width=LABEL - 1, no_wrap=True)
    for client_id in group:
        kept = f" kept: {case.why}" if client_id == case.kept else ""
        made.add_column(Text(f"{letter_of(ids, client_id)}{kept}"), width=width, overflow="fold")
    currency = next((line for line in case.lines if line.name == "currency_code"), None)
    for line in case.lines:
        values = [line.values[case.ids.index(client_id)] for client_id in group]
        if line is currency or not any(value not in (None, "", []) for value in values):
            continue
        money = [currency.values[case.ids.index(client_id)] if currency else None for client_id in group]
        texts = [_shown(value, code) for value, code in zip(values, money, strict=True)]
        made.add_row(Text(f"{mark_of(line):1} {label_of(line)}"), *map(Text, texts))
    if currency and currency.differs:
        made.add_row(
            Text(f"{mark_of(currency):1} {label_of(currency)}"),
            *(Text(str(currency.values[case.ids.index(client_id)] or "")) for client_id in group),
        )
    made.add_row(Text("  id", style="dim"), *(Text(client_id, style="dim") for client_id in group))
    return made


def _shown(value: object, currency: object) -> str:
    if isinstance(value, Decimal):
        return f"{amount(value)} {currency or ''}".strip()
    if isinstance(value, datetime):
        return cell(value)[:10]
    if isinstance(value, list):
        return "\n".join(harmless(str(entry)) for entry in value)
    return harmless(cell(value))


def _show_reasons(out: Console, case: Case, ids: Sequence[str]) -> None:
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    from flows.dedupe.explain import hard_reasons, shown  # noqa: PLC0415 - an extra
    from flows.dedupe.side_by_side import letter_of  # noqa: PLC0415 - an extra

    made = Table.grid(padding=(0, 2, 0, 0))
    for pair in sorted(case.pairs, key=lambda pair: -pair.probability):
        first, second = (letter_of(ids, client) for client in sorted((pair.id_a, pair.id_b), key=ids.index))
        hard = hard_reasons(pair.against) if pair.in_conflict else []
        against = [f"but {why}" for why in pair.against if why not in hard]
        reasons = "; ".join([*pair.reasons, *against]) or "nothing else in common"
        if hard:
            reasons += f"; cannot be merged by the program: {', '.join(hard)}"
        made.add_row(Text(f"  {first} = {second}"), Text(shown(pair.probability)), Text(harmless(reasons)))
    out.print(made)
    out.print()


def _show_said(group: OneGroup) -> None:
    """Print what was decided on the group before, by whom and when."""
    from flows.dedupe.side_by_side import DECIDED, in_order, letter_of  # noqa: PLC0415 - an extra

    ids = in_order(group.case)
    for said in group.said:
        by = f"by {said.author}, {said.at:%Y-%m-%d %H:%M} UTC" if said.at else "carried over from merged clients"
        places = sorted(sorted(map(ids.index, pair)) for pair in said.pairs)
        pairs = [" = ".join(letter_of(ids, ids[place]) for place in pair) for pair in places]
        of_pairs = f" ({', '.join(pairs)})" if len(ids) > 2 else ""  # noqa: PLR2004 - a single pair needs no letters
        say(f"Decided: {DECIDED[said.decision]}, {by}{of_pairs}.")


def _key(question: str, answers: set[str]) -> str:
    """Return the key that a person pressed; `q` if the terminal was closed. Raises SettingsError without a terminal."""
    if not sys.stdin.isatty():
        raise SettingsError("There is no terminal to ask on. To decide from a file: dedupe decide --file FILE.")
    say(question)
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal, termios.TCSADRAIN)  # keeps keys typed ahead
        while True:
            key = os.read(terminal, 1).decode("ascii", "replace").lower()
            if key in answers or not key:
                return key or "q"
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)

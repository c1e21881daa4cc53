"""What can happen to the server between two requests, as values that hypothesis draws, shows and shrinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from sandbox.control.control import money
from sandbox.php import hashids
from sandbox.store.database import update
from sandbox.store.world import Fault
from tests.histories.papers import OFTEN_WITH_PAPERS, PAPER_DEEDS
from tests.histories.server import Server

FIELDS = ("city", "name", "private_notes", "custom_value1", "phone")
ZONES = ("UTC", "America/New_York", "Asia/Tokyo", "America/St_Johns", "Asia/Kolkata", "Europe/Berlin")
CAPS = (2, 3, 5, 8, 20, 5000)
JUMPS = (-90_000, -20_000, -3600, -600, -30, 1, 600, 3600, 20_000, 90_000)
FAULTS: tuple[dict[str, Any], ...] = (
    {"do": "reset"}, {"do": "status", "status": 500}, {"do": "empty"}, {"do": "truncate"},
    {"do": "status", "status": 503}, {"do": "status", "status": 429}, {"do": "html"},
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One thing that somebody does: to `which` clients (counted round the list), `how` (a free choice of each deed).

    `late` tenths of the look-back pass between the stamp and the moment at which others can see it.
    """

    what: str
    which: tuple[int, ...] = (0,)
    how: int = 0
    late: int = 0


def happen(server: Server, change: Change) -> None:
    """Let it happen, stamped as late commits are."""
    lag = change.late * server.look_back / 10 if change.what in LATE else 0
    with server.changing():
        server.advance(-lag)
        DEEDS[change.what](server, change.which, change.how)
        server.advance(lag)


def _chosen(server: Server, which: Sequence[int]) -> list[str]:
    ids = server.ids()
    return list(dict.fromkeys(ids[n % len(ids)] for n in which)) if ids else []


def _client(server: Server, key: str) -> Any:
    return (server.call("GET", f"/api/v1/clients/{key}") or {}).get("data")


def _put(server: Server, key: str, **fields: object) -> None:
    client = _client(server, key)
    if client is not None:
        server.call("PUT", f"/api/v1/clients/{key}", {"settings": client["settings"], **fields})


def _short(contact: Any) -> Any:
    return {"id": contact["id"], "is_primary": contact["is_primary"]}


def insert(server: Server, which: Sequence[int], how: int) -> None:
    for n in which:
        contacts = [{"first_name": f"F{k}", "email": f"n{n}.{k}@example.com"} for k in range(how % 3 + 1)]
        server.call("POST", "/api/v1/clients", {"name": f"New {n}", "contacts": contacts})


def edit(server: Server, which: Sequence[int], how: int) -> None:
    for key in _chosen(server, which):
        _put(server, key, **{FIELDS[how % len(FIELDS)]: f"Value {how}"})


def charge(server: Server, which: Sequence[int], how: int) -> None:
    """What an invoice or a payment does."""
    values = {"balance": money(f"{how}.25"), "paid_to_date": money(how), "updated_at": server.world.clock.stamp()}
    update(server.world.db, "clients", values, [_number(key) for key in _chosen(server, which)])


def _number(key: str) -> int:
    number = hashids.decode(key)
    assert number is not None
    return number


def add_contact(server: Server, which: Sequence[int], how: int) -> None:
    for key in _chosen(server, which):
        known = [_short(k) for k in (_client(server, key) or {}).get("contacts", [])]
        _put(server, key, contacts=[*known, {"first_name": f"Added {how}", "email": f"added{how}@example.com"}])


def drop_contact(server: Server, which: Sequence[int], how: int) -> None:
    for key in _chosen(server, which):
        known = [_short(k) for k in (_client(server, key) or {}).get("contacts", [])]
        if len(known) > 1:
            known.pop(how % len(known))
            _put(server, key, contacts=known)


def reorder_contacts(server: Server, which: Sequence[int], how: int) -> None:
    for key in _chosen(server, which):
        known = [k["id"] for k in (_client(server, key) or {}).get("contacts", [])]
        if known:
            _put(server, key, contacts=[{"id": k, "is_primary": n == how % len(known)} for n, k in enumerate(known)])


def edit_contact(server: Server, which: Sequence[int], how: int) -> None:
    for key in _chosen(server, which):
        known = [_short(k) for k in (_client(server, key) or {}).get("contacts", [])]
        if known:
            known[how % len(known)]["phone"] = f"+{how}"
            _put(server, key, contacts=known)


def take_contact(server: Server, which: Sequence[int], how: int) -> None:
    """A PUT that names a contact of another client: nobody asks whose it is (ClientContactRepository)."""
    taker, *others = _chosen(server, which)[:2] or [""]
    if not others:
        return
    theirs = (_client(server, others[0]) or {}).get("contacts", [])
    known = [_short(k) for k in (_client(server, taker) or {}).get("contacts", [])]
    if theirs:
        _put(server, taker, contacts=[*known, _short(theirs[how % len(theirs)]) | {"is_primary": False}])


def _bulk(action: str) -> Callable[[Server, Sequence[int], int], None]:
    def do(server: Server, which: Sequence[int], how: int) -> None:
        ids = _chosen(server, which)
        if ids:
            server.call("POST", "/api/v1/clients/bulk", {"action": action, "ids": ids})

    return do


def change_many(server: Server, which: Sequence[int], how: int) -> None:
    """One bulk update: all rows from here on, in the same microsecond."""
    ids = server.ids()
    ids = ids[which[0] % len(ids) :] if ids else []
    if ids:
        column = {"action": "bulk_update", "column": "public_notes", "new_value": f"Note {how}"}
        server.call("POST", "/api/v1/clients/bulk", {**column, "ids": ids})


def import_many(server: Server, which: Sequence[int], how: int) -> None:
    """An import: more clients in this second than a small page holds."""
    server.insert(2 * how + len(which))


def purge(server: Server, which: Sequence[int], how: int) -> None:
    for key in _chosen(server, which)[: how % 3 + 1]:
        server.call("POST", f"/api/v1/clients/{key}/purge")


def merge(server: Server, which: Sequence[int], how: int) -> None:
    into, *others = _chosen(server, which)[:2] or [""]
    if others:
        server.merged[others[0]] = into
        server.call("POST", f"/api/v1/clients/{into}/{others[0]}/merge")


def change_without_stamp(server: Server, which: Sequence[int], how: int) -> None:
    """What raw SQL of the server or its maintainers does; only full pulls promise to see it."""
    update(server.world.db, "clients", {"balance": money(how)}, [_number(k) for k in _chosen(server, which)])


def stamp_by_hand(server: Server, which: Sequence[int], how: int) -> None:
    stamp = None if how == 0 else server.world.clock.stamp() - how**4 * 1_000_000
    update(server.world.db, "clients", {"updated_at": stamp}, [_number(k) for k in _chosen(server, which)])


def add_document(server: Server, which: Sequence[int], how: int) -> None:
    for key in _chosen(server, which[:1]):
        stamp = server.world.clock.stamp()
        server.add_document(_number(key), f"paper{how}.pdf", stamp)
        update(server.world.db, "clients", {"updated_at": stamp}, [_number(key)])


def move_clock(server: Server, which: Sequence[int], how: int) -> None:
    server.jump(JUMPS[how % len(JUMPS)])


def clamp(server: Server, which: Sequence[int], how: int) -> None:
    server.world.switches.per_page_cap = CAPS[how % len(CAPS)]


def change_zone(server: Server, which: Sequence[int], how: int) -> None:
    """The server is started anew with another SERVER_TIMEZONE."""
    if not server.pulling:
        server.world.switches.timezone = ZONES[how % len(ZONES)]


def shuffle(server: Server, which: Sequence[int], how: int) -> None:
    server.world.switches.shuffle = how % 2 == 0


def poison(server: Server, which: Sequence[int], how: int) -> None:
    """Rows that no answer can hold; how = 0 heals, and of what heals nobody is told."""
    heal(server)
    if how:
        server.world.switches.poison = frozenset(_number(key) for key in _chosen(server, which[:2]))


def heal(server: Server) -> None:
    for number in server.world.switches.poison:
        server.promise.hidden(hashids.encode(number))
    server.world.switches.poison = frozenset()


def fail_once(server: Server, which: Sequence[int], how: int) -> None:
    server.world.switches.faults.append(Fault(on="GET *", **FAULTS[how % len(FAULTS)]))


def save(server: Server, which: Sequence[int], how: int) -> None:
    server.save()


def restore(server: Server, which: Sequence[int], how: int) -> None:
    if server.saved:
        server.restore(how % len(server.saved))


def cut(server: Server, which: Sequence[int], how: int) -> None:
    """Ctrl-C, or the end of the process, in the middle of a pull."""
    if server.pulling:
        raise KeyboardInterrupt


DEEDS: dict[str, Callable[[Server, Sequence[int], int], None]] = {
    "insert": insert, "edit": edit, "charge": charge, "add_contact": add_contact, "drop_contact": drop_contact,
    "reorder_contacts": reorder_contacts, "edit_contact": edit_contact, "take_contact": take_contact,
    "archive": _bulk("archive"), "restore_client": _bulk("restore"), "delete": _bulk("delete"),
    "change_many": change_many, "import_many": import_many, "purge": purge, "merge": merge,
    "change_without_stamp": change_without_stamp,
    "stamp_by_hand": stamp_by_hand, "add_document": add_document, "move_clock": move_clock, "change_zone": change_zone,
    "clamp": clamp, "shuffle": shuffle, "poison": poison, "fail_once": fail_once,
    "save": save, "restore": restore, "cut": cut,
    **PAPER_DEEDS,
}  # fmt: skip

COMMON = ("insert", "edit", "charge", "change_many", "purge", "merge", "take_contact", "add_contact", "drop_contact")
MASSIVE = ("change_many", "import_many", "purge", "merge")
LATE = frozenset(
    {*COMMON, *PAPER_DEEDS, "archive", "restore_client", "delete", "edit_contact", "reorder_contacts", "add_document"}
)


DISORDERLY = frozenset({"move_clock", "stamp_by_hand", "change_without_stamp", "restore", "poison"})
"""Deeds after which nobody can say what the server showed at which time."""


OFTEN = ("move_clock",) * 4
"""What meets everything else more often: stored moments are compared with clocks all over."""


def moods(*, orderly: bool, massive: bool, papers: bool) -> st.SearchStrategy[list[str]]:
    """The deeds of one history: few kinds meet each other more often than all kinds would."""
    deeds = [deed for deed in (*DEEDS, *COMMON, *OFTEN) if not (orderly and deed in DISORDERLY)]
    deeds = [deed for deed in deeds if deed not in PAPER_DEEDS]
    if papers:
        more = st.lists(st.sampled_from([*PAPER_DEEDS, *deeds]), min_size=2, max_size=6)
        return more.map(lambda others: [*OFTEN_WITH_PAPERS, *others])
    if massive:
        return st.lists(st.sampled_from(deeds), max_size=4).map(lambda others: [*MASSIVE, *others])
    return st.lists(st.sampled_from(deeds), min_size=2, max_size=8, unique=True)


def changes(mood: Sequence[str], *, orderly: bool) -> st.SearchStrategy[Change]:
    """Any change of these kinds; unless they are orderly, every other one is committed late."""
    which = st.lists(st.integers(0, 11), min_size=1, max_size=4).map(tuple)
    late = st.just(0) if orderly else st.sampled_from((0, 0, 0, 1, 5, 9, 10))
    return st.builds(Change, st.sampled_from(mood), which, st.integers(0, 9), late)


def plans(change: st.SearchStrategy[Change]) -> st.SearchStrategy[list[tuple[int, Change]]]:
    """Changes for the requests of one pull: how many requests pass before each, and what it is."""
    one = st.tuples(st.sampled_from((1, 0, 0, 2, 5)), change)
    return st.sampled_from((1, 3, 6, 12)).flatmap(lambda n: st.lists(one, min_size=n, max_size=n))

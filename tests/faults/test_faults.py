"""Every fault of the table, in a real pull over loopback into a real warehouse, ends as the table says."""

from __future__ import annotations

import ast
import traceback
from decimal import Decimal
from pathlib import Path

import pytest

from flows.pull.job import Pulled
from sandbox.server import running
from schemas.errors import SyncError
from tests.canaries import forms
from tests.faults.lines import Converged, Ending, Fault, Held, Meanwhile, Record, SetAside, Stopped, Whole
from tests.faults.scene import MIDDLE, PAGES, Scene, made, staged
from tests.faults.table import TABLE
from tests.faults.truth import Records, everything, promised
from tests.faults.ways import edited, happens
from tests.flows.conftest import Server

pytestmark = pytest.mark.slow

FIRST = {line.id: line for line in reversed(TABLE)}
"""One line of each kind of fault."""


def in_short(line, engine, kind="", *, stays=False, place=MIDDLE, **_):
    """Whether `make test` runs it: one line of each kind, the shorter one of its two tests, on one engine."""
    longer = stays and getattr(line, "passes", None) is not None
    shorter = "full" if stays else "changes"  # a full pull is struck at one place alone
    return FIRST[line.id] is line and (engine, place) == ("duckdb", MIDDLE) and kind in {"", shorter} and not longer


def in_turn(line, engine, kind="", *, stays=False, place=MIDDLE, **more):
    """Each case on one of the engines in turn, and one of each kind of fault on DuckDB anyway."""
    if kind:  # both kinds of pull, each on an engine of its own
        return (kind == "changes") == ((engine == "duckdb") != stays)
    number = TABLE.index(line) + stays + (place in PAGES and PAGES.index(place))
    return number % 2 == (engine == "duckdb") or in_short(line, engine, kind, stays=stays, place=place, **more)


OFF = {"faults": [], "poison": [], "per_page_cap": None, "shuffle": False, "timezone": None, "clock": None}


@pytest.fixture(scope="module")
def template(tmp_path_factory, engine):
    return made(tmp_path_factory.mktemp("template"), engine)


@pytest.fixture(scope="module")
def shared(template):
    """One server for all faults that leave its records alone."""
    with running(database=template.database) as box:
        yield Server(box)


@pytest.fixture
def scene(template, shared, tmp_path, engine, kept_open):
    with staged(template, tmp_path, engine, shared) as one:
        yield one
    shared.switch(**OFF)


@pytest.fixture
def own_scene(template, tmp_path, engine, kept_open):
    with staged(template, tmp_path, engine) as one:
        yield one


@pytest.fixture(scope="module")
def truth(shared):
    return promised(shared.clients().values())


@pytest.fixture(scope="module")
def before(template):
    """All that is in the warehouse with which every scene begins."""
    return everything(template.warehouse)


@pytest.fixture(scope="module")
def canaries(template, shared):
    """What no error may tell: secrets of the server and its people's addresses."""
    found = {shared.box.token, shared.box.viewer_token, shared.box.password}
    for client in shared.clients().values():
        found |= {client["client_hash"], *(g["token"] for g in client["gateway_tokens"])}
        for contact in client["contacts"]:
            found |= {contact["contact_key"], contact["link"], contact["email"].strip()}
    return {way for secret in found if secret for way in forms(secret)}


def never_silent(pulled: Pulled, truth: Records, mirror: Records) -> set[str]:
    """THE rule: a pull that says it went well has every client of the server exactly, or names the one it has not.

    Returns the clients that it names.
    """
    named = {one.id for one in pulled.quarantined}
    wrong = {key for key in truth.clients if mirror.of(key) != truth.of(key)}
    nameless = {name for name in named if name.startswith("(")}  # no id is known: told by its place, or as having none
    most = len(nameless)
    assert len(wrong - named) <= most, f"success, with these missing or wrong: {sorted(wrong - named)}"
    return named


def converged(pulled: Pulled, truth: Records, mirror: Records) -> None:
    """The mirror is the server, and the pull has nothing to tell but fields that it does not know."""
    assert not never_silent(pulled, truth, mirror)
    assert mirror == truth
    assert (pulled.run.quarantine_open, pulled.left, pulled.held) == (0, 0, None)


def unchanged(scene: Scene, before: dict[str, object]) -> bool:
    """Whether the warehouse is the one with which the scene began, to the row."""
    return everything(scene.place) == before


def test_the_table_is_whole():
    wanted = [*range(1, 24), *range(30, 40), *range(50, 59), *range(60, 74), *range(80, 92)]
    assert {line.id for line in TABLE} == {f"F{number:02d}" for number in wanted}


@pytest.mark.parametrize("line", [one for one in TABLE if isinstance(one, Held)], ids=lambda one: one.id)
def test_the_test_that_holds_it_is_there(line):
    path, name = line.test.split("::")
    tree = ast.parse((Path(__file__).parents[2] / path).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def endings(kind: type[Ending]) -> list[object]:
    """(fault, whether it stays, ending) of each fault that ends so."""
    found = [
        (line, stays, ending)
        for line in TABLE
        if isinstance(line, Fault)
        for stays, ending in ((False, line.passes), (True, line.stays))
        if isinstance(ending, kind)
    ]
    return [pytest.param(*one, id=f"{one[0].id} {one[0].what}, {'stays' if one[1] else 'once'}") for one in found]


@pytest.mark.only(where=in_turn)
@pytest.mark.quick(where=in_short)
@pytest.mark.parametrize("kind", ["changes", "full"])
@pytest.mark.parametrize(("line", "stays", "ending"), endings(Converged))
def test_a_pull_converges_in_spite_of(line, stays, ending, kind, scene, truth, engine):
    """Once: one pull, which is struck at all of the places; else one for each place from which it stays.

    Each begins with the warehouse as it was before the changes, and reads full or by changes.
    """
    scene.stays = stays
    scene.door["retry_budget"] = 3600
    each = [(place,) for place in line.at] if kind == "changes" else [(MIDDLE,)]
    for at in each if stays else [line.at]:
        engine.put_back(scene.template.warehouse, scene.place)
        scene.server.switch(**OFF)
        pulled, wire = scene.pull(**scene.struck(line.way(scene), at, kind))
        assert set(at) <= set(wire.struck)
        converged(pulled, truth, scene.mirror())


@pytest.mark.only(where=in_turn)
@pytest.mark.quick(where=in_short)
@pytest.mark.parametrize(("line", "stays", "ending"), endings(Stopped))
def test_a_pull_stops_clean_at(line, stays, ending, scene, truth, before, canaries):
    """A pull for each place, one of them a full one; the next one without the fault takes up what they have staged."""
    scene.stays = stays
    for kind, place in (("full", MIDDLE), *(("changes", place) for place in line.at)):
        with pytest.raises(SyncError) as caught:
            scene.pull(**scene.struck(line.way(scene), (place,), kind))
        stopped(caught.value, ending, canaries)
        assert unchanged(scene, before), f"the {place} page of a pull of kind {kind}"
        scene.server.switch(**OFF)
    scene.door.clear()
    converged(scene.pull()[0], truth, scene.mirror())


def stopped(error: SyncError, ending: Stopped, canaries: set[bytes]) -> None:
    """The promised error, on one line, with the promised exit code and without a secret in it or around it."""
    assert type(error) is ending.error
    assert error.exit_code == ending.error.exit_code
    assert "\n" not in str(error)
    told = "".join(traceback.format_exception(error)).encode()
    assert not [way for way in canaries if way in told]


@pytest.mark.only(where=in_turn)
@pytest.mark.quick(where=in_short)
@pytest.mark.parametrize(
    "line", [one for one in TABLE if isinstance(one, Record)], ids=lambda one: f"{one.id} {one.what}"
)
def test_records_that_are_odd(line, scene, shared, canaries):
    victims = {place: key for place, key in scene.template.victims().items() if place in line.at}
    clients = shared.clients()
    if line.id == "F06":
        shared.switch(poison=list(victims.values()))
    pulled, _ = scene.pull(edit=edited(line.values, set(victims.values())) if line.values else None)
    told = [*map(str, pulled.quarantined), *pulled.notes]
    assert not [way for way in canaries if way in " ".join(told).encode()]

    if isinstance(line.ending, SetAside):
        truth, mirror = promised(clients.values()), scene.mirror()
        named = never_silent(pulled, truth, mirror)
        by_id = line.ending.by == "id"
        assert (named == set(victims.values())) if by_id else all(name.startswith("(") for name in named)
        assert len(named) == len(victims)
        assert {q.field for q in pulled.quarantined} == {line.ending.field}
        shared.switch(**OFF)
        converged(scene.pull(full=True)[0], truth, scene.mirror())
        return
    for key in victims.values():
        edited({**line.values, **line.kept}, {key})({"data": [clients[key]]})
    converged(pulled, promised(clients.values()), scene.mirror())
    assert {one.field for one in pulled.drift} == line.ending.told


@pytest.mark.only(where=in_turn)
@pytest.mark.quick(where=in_short)
@pytest.mark.parametrize(
    ("line", "place"),
    [
        pytest.param(line, place, id=f"{line.id} {line.what}, {place}")
        for line in TABLE
        if isinstance(line, Meanwhile)
        for place in line.at
    ],
)
def test_what_happens_meanwhile_loses_nothing(line, place, own_scene):
    line.prepare(own_scene)
    before = own_scene.truth()
    pulled, wire = own_scene.pull(**own_scene.struck_in_turn(happens(line.event)(own_scene), place))
    assert wire.struck == [place]
    now, mirror = own_scene.truth(), own_scene.mirror()
    untouched = now.only(key for key in before.clients if before.of(key) == now.of(key))
    assert len(untouched.clients) >= 10
    assert not never_silent(pulled, untouched, mirror)
    quiet, _ = own_scene.pull()
    converged(quiet, now, own_scene.mirror())


@pytest.mark.only(where=in_turn)
@pytest.mark.quick(where=in_short)
@pytest.mark.parametrize(
    "line", [one for one in TABLE if isinstance(one, Whole)], ids=lambda one: f"{one.id} {one.what}"
)
def test_runs_that_are_wrong_from_their_beginning(line, own_scene):
    pulled = line.play(own_scene)
    converged(pulled, own_scene.truth(), own_scene.mirror())


def test_the_table_can_be_printed(capsys):
    from tests.faults.__main__ import main  # noqa: PLC0415 - what `python -m tests.faults` runs

    main()
    printed = capsys.readouterr().out
    assert all(line.what in printed for line in TABLE)
    assert Decimal(len(printed.splitlines())) > len(TABLE)

"""The ways in which faults are made, by the names under which the table lists them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping

import httpx
import trustme

from tests.connector.door.faulty_server import Behaviour, FaultyServer, answer
from tests.faults.scene import Scene
from tests.faults.wire import Raw, Strike, Wire, read_list, rewritten, whole

Way = Callable[[Scene], Strike]
"""Sets up what a fault needs in a scene, and gives what then strikes a request."""
DEADLINE = 120.0
MOMENT = 0.1  # seconds that are left of a deadline, to notice that it passes


def sandbox(**rule: object) -> Way:
    """The sandbox's own switch: one of its `faults`, on the list of clients."""

    def way(scene: Scene) -> Strike:
        def strike(wire: Wire, request: httpx.Request) -> httpx.Response:
            often = {"every": True} if scene.stays else {"nth": 1, "times": 1}
            scene.server.switch(faults=[{"on": "GET /clients", **often, **rule}])
            return wire.exchange(request)

        return strike

    return way


def sockets(*behaviours: Behaviour, **door: object) -> Way:
    """A server on raw sockets in place of the sandbox."""

    def way(scene: Scene) -> Strike:
        scene.door |= door
        server = scene.stack.enter_context(FaultyServer(*behaviours))
        return lambda wire, request: wire.forward(request, server.url)

    return way


def never_ending(behaviour: Behaviour) -> Way:
    """A server on raw sockets that does not come to an end, met when the request's deadline is almost over."""

    def way(scene: Scene) -> Strike:
        server = scene.stack.enter_context(FaultyServer(behaviour))

        def strike(wire: Wire, request: httpx.Request) -> httpx.Response:
            wire.clock.pass_by(DEADLINE - MOMENT)
            return wire.forward(request, server.url)

        scene.door["retry_budget"] = 300 if scene.stays else 3600
        return strike

    return way


def nobody(_: Scene) -> Strike:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    return lambda wire, request: wire.forward(request, f"http://127.0.0.1:{port}")


def strangers_certificate(scene: Scene) -> Strike:
    """A server whose certificate nobody has signed who is known."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = scene.stack.enter_context(FaultyServer(answer(), tls=context))
    return lambda wire, request: wire.forward(request, server.url)


def redirect(status: int) -> Way:
    """The sandbox points to another server, which must never hear of us."""

    def way(scene: Scene) -> Strike:
        decoy = scene.stack.enter_context(FaultyServer(answer()))
        scene.stack.callback(lambda: _assert_unheard(decoy))
        return sandbox(do="redirect", status=status, to=f"{decoy.url}/api/v1/clients")(scene)

    return way


def _assert_unheard(decoy: FaultyServer) -> None:
    assert decoy.connections == 0


def page(edit: Callable[[dict[str, object]], object]) -> Way:
    """The sandbox's answer, rewritten on its way."""

    def way(_: Scene) -> Strike:
        def strike(wire: Wire, request: httpx.Request) -> httpx.Response:
            got = whole(wire.exchange(request))
            body = read_list(got)
            return got if body is None else rewritten(got, edit(body))

        return strike

    return way


def headers(**named: str) -> Way:
    """The sandbox's answer with other headers."""

    def way(_: Scene) -> Strike:
        def strike(wire: Wire, request: httpx.Request) -> httpx.Response:
            got = whole(wire.exchange(request))
            named_as_sent = {name.replace("_", "-"): value for name, value in named.items()}
            return rewritten(got, b"".join(got.stream), **named_as_sent)

        return strike

    return way


def signed_by(token: Callable[[Scene], str]) -> Way:
    """The request, signed with another token: the rights of ours were changed meanwhile."""

    def way(scene: Scene) -> Strike:
        def strike(wire: Wire, request: httpx.Request) -> httpx.Response:
            request.headers["X-API-TOKEN"] = token(scene)
            return wire.exchange(request)

        return strike

    return way


def without_the_filter(_: Scene) -> Strike:
    """A server that does not know `updated_at`, and sends everything."""

    def strike(wire: Wire, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_remove_param("updated_at")
        return wire.exchange(request)

    return strike


def switch(**switches: object) -> Way:
    """A switch of the sandbox, turned just before the page is asked for."""
    return happens(lambda scene, _place: scene.server.switch(**switches))


def happens(event: Callable[[Scene, str], object]) -> Way:
    """Something happens at the server just before the page is asked for."""

    def way(scene: Scene) -> Strike:
        def strike(wire: Wire, request: httpx.Request) -> httpx.Response:
            if not scene.stays or len(wire.struck) == 1:
                event(scene, wire.struck[-1])
            return wire.exchange(request)

        return strike

    return way


def edited(values: Mapping[str, object], victims: set[str]) -> Callable[[dict[str, object], str], object]:
    """Every answer in which one of these clients stands, with these values in its record.

    `filter_details` leaves all of a client's fields out but these four, so that it leaves out what is wrong with them.
    """

    def edit(body: dict[str, object], query: str = "") -> object:
        hit = [record for record in body["data"] if record["id"] in victims]
        if "filter_details" in query and not values.keys() & {"id", "name", "number", "id_number"}:
            return None
        for record in hit:
            for key, value in values.items():
                if value is GONE:
                    record.pop(key, None)
                else:
                    record[key] = value(record.get(key)) if callable(value) else value
        return body if hit else None

    return edit


class _Gone:
    pass


GONE = _Gone()
"""In place of a value: the key is not sent."""


def raw(text: str | bytes) -> Raw:
    return Raw(text.encode() if isinstance(text, str) else text)

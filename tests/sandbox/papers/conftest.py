"""A client with its papers on a server of 5.12."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.server import create_app
from tests.sandbox.conftest import NOW, Api
from tests.sandbox.papers.desk import Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Api(create_app(clock=lambda: NOW, behaves_like="5.12")) as api:
        yield Desk(api)

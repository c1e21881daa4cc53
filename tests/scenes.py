"""Scenes: a few calls of our verbs with clients of their own, to be recorded from a server and played again.

The same scene asks the same, and must see the same, whether its exchanges come from a server or from a cassette.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from connector import clients
from connector.api.api import Api
from connector.door.password import Password
from connector.door.secret import Secret
from schemas.client import Client
from schemas.errors import Invalid, NotFound, PasswordRequired, ServerUnavailable, SyncError

PREFIX: Final = "ninja-sync-recorded-"
"""Of the id_number of each client that is made: by it they are told from the clients of others."""


@dataclass(slots=True)
class Stage:
    """Where the scenes are played: the api, how their clients are numbered, and the clients that were made."""

    api: Api
    run: str
    made: dict[str, Client] = field(default_factory=dict)

    def make(self, name: str, **fields: object) -> Client:
        """A client with a contact, under a name by which the next scenes find it."""
        mail = f"{name}@example.com"
        self.made[name] = clients.create(
            self.api,
            {"name": f"Recorded {name}", "id_number": f"{self.run}-{name}", **fields},
            [{"first_name": "Rec", "last_name": "Orded", "email": mail}],
        )
        return self.made[name]

    def id(self, name: str) -> str:
        return self.made[name].id


Scene = Callable[[Stage], object]
"""Returns what it saw: the same, whether it is recorded or played."""


def refusal(error: type[SyncError], call: Callable[[], object]) -> str:
    """The words of the error that a call must end with."""
    try:
        call()
    except error as problem:
        return f"{type(problem).__name__}: {problem}"
    raise AssertionError(f"{error.__name__} was to be expected")


def make(stage: Stage) -> object:
    return [stage.make("one"), stage.make("other", vat_number="DE123456789"), stage.make("third")]


def show(stage: Stage) -> object:
    return clients.show(stage.api, stage.id("one"))


def edit(stage: Stage) -> object:
    return clients.edit(stage.api, stage.id("one"))


def blank(stage: Stage) -> object:
    return clients.blank(stage.api)


def show_with(stage: Stage) -> object:
    return clients.show_with(stage.api, stage.id("one"), clients.INCLUDES)


def list_clients(stage: Stage) -> object:
    """Of our own clients alone, page by page: a company may have others."""
    ours = clients.Filter(filter=stage.run)
    return [
        *clients.list_clients(stage.api, ours, page_size=2),
        *clients.list_clients(stage.api, ours, sort="name|desc"),
    ]


def show_not_found(stage: Stage) -> object:
    return refusal(NotFound, lambda: clients.show(stage.api, "zzzzzzzzzz"))


def create_taken(stage: Stage) -> object:
    body = {"name": "Recorded twice", "id_number": f"{stage.run}-one"}
    return refusal(Invalid, lambda: stage.api.door.post("/clients", body, repeatable=False))


def update(stage: Stage) -> object:
    return clients.update(stage.api, stage.id("one"), {"city": "Zürich", "custom_value1": "x"})


def bulk(stage: Stage) -> object:
    api, ids = stage.api, [stage.id("one"), stage.id("other")]
    return [
        clients.bulk_update(api, ids, "custom_value1", "gold"),
        clients.archive(api, ids),
        clients.restore(api, ids),
        clients.delete(api, ids[:1]),
        clients.restore(api, ids[:1]),
    ]


def delete_one(stage: Stage) -> object:
    return clients.delete_one(stage.api, stage.id("third"))


def upload(stage: Stage) -> object:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "recorded.txt"
        file.write_text("A text of the recorder.\n", encoding="utf-8")
        documents = clients.upload(stage.api, stage.id("one"), [file], is_public=False)
    return [documents, list(clients.documents(stage.api, stage.id("one")))]


def statement(stage: Stage) -> object:
    """Its beginning alone, as a cassette has a small PDF in its place. Not every server can draw one."""
    period = clients.Period(date(2026, 1, 1), date(2026, 12, 31))
    try:
        return clients.client_statement(stage.api, stage.id("one"), period)[:5]
    except ServerUnavailable as problem:
        return str(problem)


def update_tax_data(stage: Stage) -> object:
    return list(clients.update_tax_data(stage.api, [stage.id("one")]))


def reactivate_unknown(stage: Stage) -> object:
    return refusal(Invalid, lambda: clients.reactivate_email(stage.api, "1"))


def merge(stage: Stage) -> object:
    survivor, duplicate = stage.make("survivor"), stage.make("duplicate")
    return clients.merge(stage.api, survivor.id, duplicate.id, backup=lambda _: None, allowed=("tax", "country"))


def password_wrong(stage: Stage) -> object:
    api = replace(stage.api, password=Password(lambda: Secret("no-password-of-anybody")))
    return refusal(
        PasswordRequired,
        lambda: clients.purge(api, stage.id("survivor"), backup=lambda _: None),
    )


def purge(stage: Stage) -> object:
    return clients.purge(stage.api, stage.id("survivor"), backup=lambda _: None)


SCENES: Final[Mapping[str, Scene]] = {
    "make": make,
    "show": show,
    "edit": edit,
    "blank": blank,
    "show_with": show_with,
    "list_clients": list_clients,
    "show_not_found": show_not_found,
    "create_taken": create_taken,
    "update": update,
    "bulk": bulk,
    "upload": upload,
    "statement": statement,
    "update_tax_data": update_tax_data,
    "reactivate_unknown": reactivate_unknown,
    "delete_one": delete_one,
    "merge": merge,
    "password_wrong": password_wrong,
    "purge": purge,
}
"""In their order: what one makes, the next ones use."""
WITH_PASSWORD: Final = frozenset({"merge", "password_wrong", "purge"})
"""Those which need the password of the token's user."""


def perform(
    stage: Stage, scenes: Mapping[str, Scene], tape: Callable[[str], AbstractContextManager[object]]
) -> dict[str, object]:
    """Play scenes in their order, each with a cassette of its name; what each of them saw."""
    seen = {}
    for name, scene in scenes.items():
        with tape(name):
            seen[name] = scene(stage)
    return seen

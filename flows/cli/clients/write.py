"""The commands that write one client: create, update."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector import clients
from connector.clients import ContactEdit
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.session.api import open_api
from flows.show.confirm import confirm
from flows.show.show import say, show_json, show_table
from schemas.client import as_dict
from schemas.diff import differences
from schemas.errors import SettingsError
from schemas.values import to_json

if TYPE_CHECKING:
    from connector.clients import Update

Fields = dict[str, object]
FromFile = Annotated[
    Path | None,
    typer.Option("--file", help='JSON with fields: {"city": "Bern", "contacts": [{...}]}; - is standard input.'),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the changes, and send nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def create(
    fields: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field, such as name=ACME; repeatable.")
    ] = None,
    contact: Annotated[
        list[str] | None,
        typer.Option("--contact", metavar="FIELD=VALUE", help="A field of its contact, such as email=ann@acme.test."),
    ] = None,
    file: FromFile = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Create a client.

    A client needs a name, or a contact with a name or mail. With a number or id_number of its own, you can run the same
    command again after a lost answer: it finds the client instead of creating another. Fields are the writable columns
    of mart.clients. Countries, currencies and so on are ids; if you give a name, the message says its id.
    """
    given = _from_file(file)
    people = _contacts(given.pop("contacts", []))
    if contact:
        people = [_pairs(contact, "--contact"), *people]
    wanted = {**given, **_pairs(fields or [], "--set")}
    with open_api(source, config=config) as api:
        _, there = clients.check_create(api, wanted, people)
        if not as_json or dry_run:
            _show_new(wanted, people, as_json=as_json)
        if dry_run:
            return
        if there is None:
            confirm("Create this client?", yes=yes, as_json=as_json)
        made = there or clients.create(api, wanted, people)
    if as_json:
        show_json({"client": as_dict(made)})
    else:
        say(f"{'There already' if there else 'Created'}: client {made.id}, number {made.number}.")


def update(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The client's id, as in mart.clients.")],
    fields: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field, such as city=Bern; repeatable.")
    ] = None,
    empty: Annotated[list[str] | None, typer.Option("--empty", metavar="FIELD", help="A field to empty.")] = None,
    contact: Annotated[
        list[str] | None,
        typer.Option("--contact", metavar="ID.FIELD=VALUE", help="A field of one of its contacts; repeatable."),
    ] = None,
    add_contact: Annotated[
        list[str] | None, typer.Option("--add-contact", metavar="FIELD=VALUE", help="A field of one new contact.")
    ] = None,
    remove_contact: Annotated[
        list[str] | None, typer.Option("--remove-contact", metavar="ID", help="A contact to remove.")
    ] = None,
    file: FromFile = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Change fields of a client and of its contacts.

    Shows the differences before it sends them, and reads them back afterwards. All other fields stay unchanged. A field
    that somebody else changed in between is left alone (exit code 3).
    """
    given = _from_file(file)
    edits = _contact_edits(given.pop("contacts", []), contact or [], add_contact or [], remove_contact or [])
    wanted = {**given, **_pairs(fields or [], "--set"), **dict.fromkeys(empty or [])}
    if not wanted and not edits:
        raise SettingsError("Name the change: --set FIELD=VALUE, --empty FIELD, --contact ID.FIELD=VALUE ...")
    with open_api(source, config=config) as api:
        prepared = clients.prepare_update(api, client_id, wanted, contacts=edits)
        changes = _changes_of(prepared)
        if not as_json:
            _show_changes(client_id, changes)
        if dry_run or prepared.is_empty:
            if as_json:
                show_json({"client_id": client_id, "changes": changes, "sent": False})
            return
        confirm("Send this?", yes=yes, as_json=as_json)
        changed = clients.apply_update(api, prepared)
    if as_json:
        show_json({"client_id": client_id, "changes": changes, "sent": True, "client": as_dict(changed)})
    else:
        say(f"Changed, and read back: client {client_id}.")


def _pairs(texts: Sequence[str], option: str) -> Fields:
    """Return the FIELD=VALUE texts as a dictionary. Raises SettingsError for another form, or a field named twice."""
    pairs: Fields = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise SettingsError(f"{option} takes FIELD=VALUE, not {text!r}.")
        if name in pairs:
            raise SettingsError(f"{option} names {name} twice.")
        pairs[name.strip()] = value
    return pairs


def _contact_edits(
    contacts: object, changed: Sequence[str], added: Sequence[str], removed: Sequence[str]
) -> list[ContactEdit]:

    edits = [ContactEdit(str(contact.pop("id", "")), contact) for contact in _contacts(contacts)]
    by_contact: dict[str, list[str]] = {}
    for text in changed:
        key, point, rest = text.partition(".")
        if not point:
            raise SettingsError(f"--contact takes ID.FIELD=VALUE, not {text!r}.")
        by_contact.setdefault(key, []).append(rest)
    edits += [ContactEdit(key, _pairs(rest, "--contact")) for key, rest in by_contact.items()]
    if added:
        edits.append(ContactEdit(changes=_pairs(added, "--add-contact")))
    return edits + [ContactEdit(key, remove=True) for key in removed]


def _contacts(value: object) -> list[Fields]:
    if not isinstance(value, list) or not all(isinstance(contact, dict) for contact in value):
        raise SettingsError("`contacts` must be a list of objects.")
    return [dict(contact) for contact in value]


def _from_file(file: Path | None) -> Fields:
    if file is None:
        return {}
    try:
        fields = json.loads(sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8"))
    except ValueError:
        raise SettingsError(f"{file} is not JSON.") from None
    if not isinstance(fields, dict):
        raise SettingsError(f"{file} must hold one JSON object.")
    return fields


def _changes_of(prepared: Update) -> list[dict[str, object]]:
    """Return one entry per changed field, including fields of contacts."""
    changes = differences(to_json(prepared.before), to_json(prepared.after))
    return [{"field": change.field, "before": change.before, "after": change.after} for change in changes]


def _show_changes(client_id: str, changes: Sequence[Mapping[str, object]]) -> None:
    if not changes:
        say(f"Nothing to send: client {client_id} has these values already.")
        return
    rows = [(change["field"], change["before"], change["after"]) for change in changes]
    show_table(f"Client {client_id}", ("field", "before", "after"), rows)


def _show_new(wanted: Fields, people: Sequence[Fields], *, as_json: bool) -> None:
    if as_json:
        show_json({"fields": wanted, "contacts": people, "sent": False})
        return
    rows = [*wanted.items()] + [
        (f"contact {n}: {name}", value) for n, contact in enumerate(people, start=1) for name, value in contact.items()
    ]
    show_table("A new client", ("field", "value"), rows)

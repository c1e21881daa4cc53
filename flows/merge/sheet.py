"""A checklist in Markdown for undoing a merge by hand, made from the backup of both clients.

Invoice Ninja cannot undo a merge. So people create the client again, and move its documents back one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from flows.ask.names import Names
from flows.configuration.values import Settings
from flows.show.show import amount
from schemas.errors import SettingsError

FIELDS: Final = (
    "name", "number", "id_number", "vat_number", "website", "phone", "classification", "routing_id",
    "group_settings_id", "size_id", "industry_id", "address1", "address2", "city", "state", "postal_code", "country_id",
    "shipping_address1", "shipping_address2", "shipping_city", "shipping_state", "shipping_postal_code",
    "shipping_country_id", "custom_value1", "custom_value2", "custom_value3", "custom_value4", "private_notes",
    "public_notes",
)  # fmt: skip
"""The fields in the form of a client, in its order."""
SETTINGS: Final = ("currency_id", "language_id", "payment_terms", "valid_until", "default_task_rate", "send_reminders")
PERSON: Final = ("phone", "custom_value1", "custom_value2", "custom_value3", "custom_value4")
FIGURES: Final = ("balance", "paid_to_date", "credit_balance", "payment_balance")
PAPERS: Final[Mapping[str, str]] = {
    "invoice": "invoices", "payment": "payments", "credit": "credits", "quote": "quotes",
    "recurring_invoice": "recurring_invoices", "task": "tasks", "expense": "expenses",
    "recurring_expense": "recurring_expenses", "purchase_order": "purchase_orders",
}  # fmt: skip
"""The records that move with a client, each with its path in the app."""


def merge_sheet(backup: Path, url: str = "", names: Names | None = None) -> str:
    """Return the steps to undo a merge by hand. Raises SettingsError if the file is not a backup of a merge.

    `url` is the server's address, for links; `names` has the names of ids.
    """
    try:
        kept, gone = json.loads(backup.read_text(encoding="utf-8"), parse_float=Decimal)["clients"]
    except (OSError, ValueError, KeyError, TypeError):
        raise SettingsError(
            f"{backup} is not a backup of a merge: `ninja-sync merge show PLAN` names the backups."
        ) from None
    known, people, files = names or {}, gone.get("contacts") or [], gone.get("documents") or []
    lines = [
        f"# Taking back the merge of {_called(gone)}",
        f"\nIt was merged into {_called(kept)}{_link(url, 'clients', str(kept['id']))}.",
        "\n## 1. Create the client again\n",
        *_filled(gone, FIELDS, known),
        *_filled(gone.get("settings") or {}, SETTINGS, known),
        *_other_settings(gone.get("settings") or {}),
        f"\n## 2. Contacts ({len(people)})\n",
        "Move each from the client kept; enter it again if the merge dropped it.\n" if people else "None.",
        *(f"- [ ] {_person(person)}" for person in people),
        "\n## 3. Move its papers back\n",
        *_papers(gone, url),
        f"\n## 4. Files ({len(files)})\n",
        *(f"- [ ] {file.get('name') or 'a file without a name'}" for file in files),
        "\n## 5. Compare the figures\n",
        "| figure | client kept, before | client merged in, before |",
        "| --- | ---: | ---: |",
        *(f"| {_words(name)} | {_money(kept, name, known)} | {_money(gone, name, known)} |" for name in FIGURES),
        "\n## 6. Look through the client kept\n",
        "Before the merge, values of the other client may have been written into its blanks and private notes, and",
        "contacts added. `ninja-sync merge show PLAN --json` lists them under `before` and `then`.",
    ]
    return "\n".join(lines) + "\n"


def source_of(settings: Settings, backup: Path) -> str | None:
    """Return the source that a backup's file name begins with, else the only source; None if there are several."""
    fitting = [name for name in settings.sources if backup.name.startswith(f"{name}-merge-")]
    only = next(iter(settings.sources)) if len(settings.sources) == 1 else None
    return max(fitting, key=len, default=only)


def _called(client: Mapping[str, Any]) -> str:
    return " ".join(str(client[name]) for name in ("number", "display_name") if client.get(name)) or "a nameless client"


def _link(url: str, path: str, key: str) -> str:
    """Return a link to a record in the app; empty if the server's address is not known."""
    tail = "" if path == "clients" else "/edit"
    return f" <{url.rstrip('/')}/#/{path}/{key}{tail}>" if url else ""


def _filled(record: Mapping[str, Any], fields: Sequence[str], names: Names) -> Iterator[str]:
    """Yield the fields that have a value, with names in place of ids."""
    for name in fields:
        value = record.get(name)
        if value in (None, "", " ", "0", False):
            continue
        if name.endswith("_id") and name in names:
            value = names[name].get(str(value), "a value that this warehouse does not know")
        elif name.endswith("_id") and name != "routing_id":
            value = "set; after a `ninja-sync pull` this sheet names it"
        yield f"- [ ] {_words(name)}: {_on_lines(str(value))}"


def _other_settings(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the client's own settings that the form has on other pages."""
    shown = {*SETTINGS, "entity", "size_id", "industry_id"}
    left = sorted(name for name, value in settings.items() if name not in shown and value)
    if left:
        yield f"- [ ] settings of its own on other pages: {', '.join(map(_words, left))}"


def _person(contact: Mapping[str, Any]) -> str:
    name = " ".join(str(contact[n]) for n in ("first_name", "last_name") if contact.get(n))
    mail = str(contact.get("email") or "").strip()
    rest = [f"{_words(n)} {contact[n]}" for n in PERSON if contact.get(n)]
    parts = ", ".join(filter(None, (name or "without a name", mail, *rest)))
    return parts + (" (primary contact)" if contact.get("is_primary") else "")


def _papers(gone: Mapping[str, Any], url: str) -> Iterator[str]:
    """Yield each paper in the ledger or the activities once, with its date and its effect on the balance."""
    papers: dict[tuple[str, str], list[Any]] = {}
    for row in [*(gone.get("ledger") or []), *(gone.get("activities") or [])]:
        for kind in PAPERS:
            if key := row.get(f"{kind}_id"):
                at, added = papers.setdefault((kind, str(key)), [0, Decimal(0)])
                at = min(filter(None, (at, row.get("created_at") or 0)), default=0)
                papers[kind, str(key)] = [at, added + Decimal(str(row.get("adjustment") or 0))]
    for (kind, key), (at, added) in sorted(
        papers.items(), key=lambda paper: (list(PAPERS).index(paper[0][0]), paper[1][0])
    ):
        day = f" of {datetime.fromtimestamp(at, UTC):%Y-%m-%d}" if at else ""
        change = f", {'+' if added > 0 else ''}{amount(added)} to the balance" if added else ""
        yield f"- [ ] {_words(kind)}{day}{change}{_link(url, PAPERS[kind], key)}"
    if not papers:
        yield "The backup lists none. Look at the activities of the client kept."


def _money(client: Mapping[str, Any], name: str, names: Names) -> str:
    currency = str((client.get("settings") or {}).get("currency_id") or "")
    code = names.get("currency_id", {}).get(currency, "") if currency else "in the company's currency"
    return f"{amount(Decimal(str(client.get(name) or 0)))} {code}".strip()


def _words(name: str) -> str:
    return name.removesuffix("_settings_id").removesuffix("_id").replace("_", " ")


def _on_lines(text: str) -> str:
    """Return a text with its further lines indented, so that it stays one item of the list."""
    return text.replace("\n", "\n      ")

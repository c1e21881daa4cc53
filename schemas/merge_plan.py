"""The merges of a plan, in an order that suits chains; each with its expectations and its rescue.

The server decides nothing in it. Its author said who survives, which values to keep and which differences to allow, and
a person approves all of it by the digest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, cast

from schemas.client import Client, Contact
from schemas.errors import SettingsError
from schemas.merge_preview import LOST, OF_SETTINGS, ON_THE_FORM, Preview, Rescue, preview

FIGURES: Final = ("balance", "paid_to_date", "credit_balance", "payment_balance")
EXPECTED: Final = (*FIGURES, "status", "currency_id", *LOST)
"""Fields that must not move between plan and merge, or the merge is refused; contacts are compared too."""
OF_CONTACTS: Final = ("id", "first_name", "last_name", "email", "phone", "is_primary")
ALLOWABLE: Final = ("currency", "tax", "country", "inactive")
"""Differences that stop a merge unless they are allowed."""
_SOME_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
Pair = tuple[str, str]
"""The survivor's id, and the id of the client that is merged into it."""


@dataclass(frozen=True, slots=True)
class MergeStep:
    """One merge: both clients, their expected state, and the values to rescue before and after it."""

    survivor_id: str
    mergeable_id: str
    survivor: Mapping[str, object] = field(repr=False)
    mergeable: Mapping[str, object] = field(repr=False)
    before: Rescue = field(default=Rescue(), repr=False)
    then: Rescue = field(default=Rescue(), repr=False)
    allowed: Sequence[str] = ()
    currencies: Sequence[str] = ()
    """The codes of both effective currencies; plans of earlier versions have none."""
    names: Sequence[str] = field(default=(), repr=False)
    """The names of both as the server shows them, which a client without a name has too."""
    settings: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The settings that are lost; those that the form of a client has on other pages without their values."""
    remarks: Sequence[str] = field(default=(), repr=False)
    """What a person has to know before the merge."""
    rescue: bool = True
    """Whether the author chose to save values, although there may have been none to save."""
    public_notes: bool = False
    """Whether the author chose to save public notes too; plans of earlier versions do not say so."""

    @property
    def as_plain(self) -> dict[str, Any]:
        """All of it as plain values: stored, and covered by the digest."""
        return {
            "survivor_id": self.survivor_id, "mergeable_id": self.mergeable_id,
            "survivor": dict(self.survivor), "mergeable": dict(self.mergeable),
            "before": _plain_rescue(self.before), "then": _plain_rescue(self.then), "allowed": list(self.allowed),
            **({"currencies": list(self.currencies)} if self.currencies else {}),
            **({"names": list(self.names)} if self.names else {}),
            **({"settings": dict(self.settings)} if self.settings else {}),
            **({"remarks": list(self.remarks)} if self.remarks else {}),
            **({} if self.rescue else {"rescue": False}),
            **({"public_notes": True} if self.public_notes else {}),
        }  # fmt: skip

    def name_of(self, client_id: str) -> str:
        """One of its clients as people know it: number, name and id, as of the plan."""
        known = self.label_of(client_id)
        return f"{known} ({client_id})" if known else client_id

    def label_of(self, client_id: str) -> str:
        """The number and name of one of its clients, as of the plan; empty for one that has neither."""
        place = 0 if client_id == self.survivor_id else 1
        expected = (self.survivor, self.mergeable)[place]
        name = expected.get("name") or (self.names[place] if self.names else "")
        return " ".join(str(text) for text in (expected.get("number"), name) if text)


def step_of(
    preview: Preview,
    allowed: Sequence[str] = (),
    remarks: Sequence[str] = (),
    *,
    rescue: bool = True,
    public_notes: bool = False,
) -> MergeStep:
    """The step of a preview."""
    survivor, mergeable = preview.survivor, preview.mergeable
    settings = {
        name: value if name.removeprefix(OF_SETTINGS) in ON_THE_FORM else None
        for name, value in preview.lost.items() if name.startswith(OF_SETTINGS)
    }  # fmt: skip
    return MergeStep(
        survivor.id, mergeable.id, expected_of(survivor), expected_of(mergeable), preview.before, preview.then,
        tuple(sorted(allowed)), tuple(preview.currencies) if any(preview.currencies) else (),
        names=(survivor.display_name or "", mergeable.display_name or ""), settings=settings, remarks=tuple(remarks),
        rescue=rescue, public_notes=public_notes,
    )  # fmt: skip


def preview_of(step: MergeStep, version: Sequence[int]) -> Preview:
    """The preview that a step was made from, for people who look at its plan later. Two things are not stored.

    Those are the values of settings on other pages of the form, and the custom fields of contacts.
    """
    names = step.names or ("", "")
    survivor = _client_from(step.survivor_id, step.survivor, names[0])
    mergeable = _client_from(step.mergeable_id, step.mergeable, names[1])
    made = preview(survivor, mergeable, version, rescue=False, currencies=_both(step.currencies))
    return replace(made, lost={**made.lost, **step.settings}, before=step.before, then=step.then)


def _client_from(client_id: str, expected: Mapping[str, object], name: str) -> Client:
    """The client as a plan of merges knows it."""
    columns: dict[str, Any] = {column: expected.get(column) for column in (*LOST, "currency_id")}
    figures: dict[str, Any] = {figure: Decimal(str(expected[figure])) for figure in FIGURES}
    status = expected["status"]
    people = cast("Sequence[Sequence[str]]", expected["contacts"])
    return Client(
        id=client_id, is_deleted=status == "deleted", archived_at=_SOME_TIME if status == "archived" else None,
        display_name=name or cast("str | None", expected.get("name")), contacts=[_contact_from(row) for row in people],
        **figures, **columns,
    )  # fmt: skip


def _contact_from(row: Sequence[str]) -> Contact:
    """The contact from its stored texts, where "None" stands for none."""
    values: dict[str, Any] = {
        name: None if text == "None" else text for name, text in zip(OF_CONTACTS, row, strict=True)
    }
    return Contact(**{**values, "is_primary": values["is_primary"] == "True"})


def _both(codes: Sequence[str]) -> tuple[str, str]:
    return (codes[0], codes[1]) if codes else ("", "")


def expected_of(client: Client) -> dict[str, object]:
    """The state that a merge expects: figures as exact text, state, currency, values to lose or rescue, contacts."""
    expected: dict[str, object] = {}
    for name in EXPECTED:
        value = getattr(client, name)
        expected[name] = f"{value:.6f}" if isinstance(value, Decimal) else value
    expected["contacts"] = sorted([str(getattr(contact, name)) for name in OF_CONTACTS] for contact in client.contacts)
    return expected


def step_from(stored: Mapping[str, Any]) -> MergeStep:
    """The step from its stored form."""
    rest: dict[str, Any] = {name: stored[name] for name in ("survivor_id", "mergeable_id", "survivor", "mergeable")}
    before, then = (Rescue(**stored[name]) for name in ("before", "then"))
    lists: dict[str, Any] = {
        name: tuple(stored.get(name, ())) for name in ("allowed", "currencies", "names", "remarks")
    }
    return MergeStep(
        **rest, before=before, then=then, settings=stored.get("settings", {}), **lists,
        rescue=stored.get("rescue", True), public_notes=stored.get("public_notes", False),
    )  # fmt: skip


def differences(survivor: Client, mergeable: Client, currencies: tuple[str, str]) -> list[str]:
    """Those of ALLOWABLE that two clients have; `currencies` are the effective ones of both, as ids or as codes."""
    differing = {
        "currency": currencies[0] != currencies[1],
        "tax": _differ(survivor.vat_number, mergeable.vat_number) or _differ(survivor.id_number, mergeable.id_number),
        "country": _differ(survivor.country_id, mergeable.country_id),
        "inactive": survivor.status != "active",
    }
    return [name for name in ALLOWABLE if differing[name]]


def in_the_way(
    survivor: Client, mergeable: Client, currencies: tuple[str, str], codes: tuple[str, str], allowed: Collection[str]
) -> str:
    """Why two clients may not be merged, with the words that allow it; empty where they may.

    `currencies` are the effective currency ids of both, `codes` the codes that people know.
    """
    words = {
        "currency": f"they have different currencies ({codes[0] or 'none'} and {codes[1] or 'none'}), and the server "
        "would add the amounts unconverted",
        "tax": "they have different tax or register numbers: are they duplicates?",
        "country": "they are in different countries",
        "inactive": f"the client kept is {survivor.status}",
    }
    refused = [name for name in differences(survivor, mergeable, currencies) if name not in allowed]
    return f"{'; '.join(words[name] for name in refused)} (--allow {', '.join(refused)})" if refused else ""


def in_order(pairs: Iterable[Pair]) -> list[Pair]:
    """The merges in an order that suits chains: first into a client, then that client into another.

    Raises SettingsError for a client merged into itself, for one merged away twice, and for a circle.
    """
    into: dict[str, str] = {}
    for survivor, mergeable in dict.fromkeys(pairs):
        if survivor == mergeable:
            raise SettingsError(f"The client {survivor} cannot be merged into itself.")
        if mergeable in into:
            raise SettingsError(f"The client {mergeable} would be merged away twice, into {into[mergeable]} too.")
        into[mergeable] = survivor
    ordered: list[Pair] = []
    done: set[str] = set()
    coming: dict[str, list[str]] = defaultdict(list)
    for mergeable, survivor in into.items():
        coming[survivor].append(mergeable)

    def take(client: str, way: tuple[str, ...]) -> None:
        if client in way:
            raise SettingsError(f"These merges go in a circle: {' into '.join([*way, client])}.")
        for joining in sorted(coming[client]):
            take(joining, (*way, client))
            if joining not in done:
                done.add(joining)
                ordered.append((client, joining))

    for survivor in sorted(into.values()):
        take(survivor, ())
    return ordered


def _differ(ours: str | None, theirs: str | None) -> bool:
    """Whether both are there, and differ by more than blanks, points, hyphens and case."""
    plain = [None if text is None else "".join(c for c in text if c.isalnum()).casefold() for text in (ours, theirs)]
    return None not in plain and plain[0] != plain[1]


def _plain_rescue(rescue: Rescue) -> dict[str, Any]:
    return {
        "columns": dict(rescue.columns),
        "contacts": {key: dict(changes) for key, changes in rescue.contacts.items()},
        "new_contacts": [dict(contact) for contact in rescue.new_contacts],
    }

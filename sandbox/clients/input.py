"""The data of a POST or PUT made ready, and turned into columns of a client.

After `prepareForValidation` of StoreClientRequest (:100-180) and UpdateClientRequest (:90-145), and the columns'
own limits: the server's database is not strict, so overlong texts are cut and odd numbers become 0.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.books.company import company_row
from sandbox.books.lookups import country_of_code, currency_of_code, language_of_code
from sandbox.clients.settings import OF_A_NEW_CLIENT, Settings, as_object, stored
from sandbox.php import hashids
from sandbox.php.input import Input
from sandbox.php.php_json import number
from sandbox.php.text import leading_number, strip_tags, truth
from sandbox.store.database import Row, select
from sandbox.wire.answers import server_error
from sandbox.wire.calls import Call

SHORT, PHONE, LONG = 191, 255, 65_535
"""Characters of a varchar, of a client's phone, bytes of a text column (recorded: custom values keep more than 191)."""
BIGGEST = 2**32 - 1
TEXTS = (
    "name", "website", "phone", "address1", "address2", "city", "state", "postal_code", "shipping_address1",
    "shipping_address2", "shipping_city", "shipping_state", "shipping_postal_code", "vat_number", "id_number", "number",
    "routing_id", "classification", "custom_value1", "custom_value2", "custom_value3", "custom_value4", "private_notes",
    "public_notes",
)  # fmt: skip
LOOKUPS = ("size_id", "industry_id", "country_id", "shipping_country_id", "group_settings_id", "assigned_user_id")
FLAGS = ("is_tax_exempt", "has_valid_vat_number")


def for_create(call: Call) -> Input:
    """The data of a POST: codes looked up, the currency filled in, empty numbers left out."""
    data = _decoded(call.input, unknown=None)
    if "number" in data and not truth(data["number"]):
        del data["number"]
    _codes(data)
    settings = OF_A_NEW_CLIENT | _settings(call, data)
    if data.get("language_code"):
        settings["language_id"] = language_of_code(data["language_code"])
    if data.get("currency_code"):
        settings["currency_id"] = currency_of_code(data["currency_code"])
    elif not settings.get("currency_id"):
        settings["currency_id"] = _group_currency(call, data) or company_row(call)["currency_id"]
    return data | {"settings": settings}


def for_update(call: Call) -> Input:
    """The data of a PUT. Settings are always replaced, if only by the company's currency (:108-113)."""
    data = _decoded(call.input, unknown=0)
    _codes(data)
    settings = _settings(call, data)
    if not settings.get("currency_id"):
        settings["currency_id"] = company_row(call)["currency_id"]
    return data | {"settings": settings}


def _settings(call: Call, data: Input) -> Settings:
    sent = data.get("settings", {})
    return as_object({} if sent is None and call.world.generation.reads_null_settings else sent)


def _decoded(sent: Input, unknown: int | None) -> Input:
    """The data with row numbers for hashed ids. POST drops an unknown one, PUT stores 0 (recorded)."""
    data = dict(sent)
    for name in ("group_settings_id", "assigned_user_id"):
        if isinstance(data.get(name), str):
            decoded = hashids.decode(data[name])
            data[name] = unknown if decoded is None else decoded
    if isinstance(contacts := data.get("contacts"), list):
        data["contacts"] = [_unmasked(c) if isinstance(c, dict) else c for c in contacts]
    elif isinstance(contacts, dict):
        data["contacts"] = {k: _unmasked(c) if isinstance(c, dict) else c for k, c in contacts.items()}
    return data


def _unmasked(contact: Input) -> Input:
    """Without a password of only stars, which the server shows in place of a real one (Request.php:197-205)."""
    masked = isinstance(contact.get("password"), str) and not contact["password"].replace("*", "").strip()
    return {k: v for k, v in contact.items() if not (masked and k == "password")}


def _codes(data: Input) -> None:
    """ISO codes win over ids; an unknown code counts as none."""
    for name in ("country", "shipping_country"):
        if data.get(f"{name}_code") is not None:
            data[f"{name}_id"] = country_of_code(data[f"{name}_code"])


def _group_currency(call: Call, data: Input) -> str:
    group = select(call.world.db, "group_settings", "id = ?", (integer(data.get("group_settings_id")),))
    settings: Settings = json.loads(group[0]["settings"]) if group else {}
    return str(settings.get("currency_id") or "")


def columns_of(data: Input) -> Row:
    """The columns that this data sets; everything else in it is ignored. Texts are not cut yet."""
    out: Row = {name: _text(name, data[name]) for name in TEXTS if name in data}
    out |= {name: integer(data[name]) for name in LOOKUPS if name in data}
    out |= {name: int(truth(data[name])) for name in FLAGS if name in data}
    if isinstance(data.get("e_invoice"), dict):
        out["e_invoice"] = json.dumps(data["e_invoice"])
    out["settings"] = json.dumps(stored(data["settings"]))
    return out


def _text(name: str, value: Any) -> str | None:
    if isinstance(value, list | dict):
        raise server_error()
    if value is None:
        return None
    text = plain(value)
    if name == "name":
        return strip_tags(text)
    return text.replace("</sc", "<-") if name.endswith("_notes") else text


def plain(value: Any) -> str:
    """A JSON value as the text that a text column holds."""
    if isinstance(value, bool):
        return str(int(value))
    return number(value) if isinstance(value, float) else str(value)


def integer(value: Any) -> int | None:
    """The part of a value that an unsigned int column keeps: at most the largest, nothing below 0."""
    if isinstance(value, list | dict):
        raise server_error()
    return None if value is None else round(min(max(leading_number(value), 0), BIGGEST))


def cut(columns: Row) -> Row:
    """The values that a database without strict mode keeps."""
    return {
        name: _cut(name, value) if isinstance(value, str) and name in TEXTS else value
        for name, value in columns.items()
    }


def _cut(name: str, text: str) -> str:
    if name.startswith("custom_value") or name.endswith("_notes"):
        return text.encode()[:LONG].decode("utf-8", "ignore")
    return text[: PHONE if name == "phone" else SHORT]

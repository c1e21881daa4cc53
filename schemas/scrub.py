"""A record less its secrets: what is kept of a record "as it came".

Known secrets are dropped by name (whoever has a contact's `link` is logged in). Fields that no entity
knows, and settings, are searched to the bottom for names that sound like a credential: a later server, or a mail
provider's key among the settings, must not bring one in.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from schemas.entity import Entity

_CREDENTIAL = re.compile(
    r"token|secret|passw|hash|certificate|credential|iban|card_?number|(^|_|api|private)key$|link$", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def sounds_secret(key: str) -> bool:
    """Whether a key's name is that of a credential: contact_key, smtp_password, postmark_secret, portal_link ..."""
    return bool(_CREDENTIAL.search(key))


def scrubbed(entity: Entity, record: dict[str, object]) -> dict[str, object]:
    """A copy without secrets, keys in the order in which they came."""
    kept: dict[str, object] = {}
    harmless, children = _harmless(entity), {child.name: child for child in entity.children}
    for key, value in record.items():
        if key in harmless:
            kept[key] = value
        elif key in children:
            kept[key] = _scrubbed_children(children[key], value)
        elif key not in entity.secrets and not sounds_secret(key):
            kept[key] = searched(value)
    return kept


def searched(value: object) -> object:
    """A copy of any JSON value without the keys that sound like a credential, at any depth."""
    if isinstance(value, dict):
        return {k: searched(v) for k, v in value.items() if not sounds_secret(k)}
    if isinstance(value, list):
        return [searched(v) for v in value]
    return value


def _scrubbed_children(child: Entity, value: object) -> object:
    if not isinstance(value, list):
        return None
    return [scrubbed(child, item) for item in value if isinstance(item, dict)]


@cache
def _harmless(entity: Entity) -> frozenset[str]:
    """Keys whose values are plain by their type, so that they need no search."""
    return frozenset(f.json_key for f in entity.fields if not f.inside and f.kind.value != "json")

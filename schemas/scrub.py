"""A record without its secrets: the form in which a record is kept.

Known secrets are dropped by name (a contact's `link` logs its holder in). Every object and list is searched to the
bottom for names of credentials: a later server, or a mail provider's key among the settings, must not bring one in,
not even in the place of a name.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from schemas.entity import Entity

_CREDENTIAL = re.compile(
    r"token|secret|passw|passphrase|pwd|bearer|hash|certificate|credential|webhook|iban|card_?number|link$"
    r"|(^|[^a-z]|api|private)key$|(?-i:[a-z]Key$)",
    re.IGNORECASE,
)

_PLAIN = frozenset({str, int, bool, type(None)})


@lru_cache(maxsize=4096)
def sounds_secret(key: str) -> bool:
    """Whether a key is named like a credential: contact_key, smtp_password, postmark_secret, portal_link ..."""
    return bool(_CREDENTIAL.search(key))


def scrubbed(entity: Entity, record: dict[str, object]) -> dict[str, object]:
    """A copy without secrets, its keys in the same order."""
    kept: dict[str, object] = {}
    known, children = always_kept(entity), {child.json_key: child for child in entity.children}
    for key, value in record.items():
        if key in known:
            kept[key] = searched(value) if isinstance(value, (dict, list)) else value
        elif key in children:
            kept[key] = _scrubbed_children(children[key], value)
        elif key not in entity.secrets and not sounds_secret(key):
            kept[key] = searched(value)
    return kept


def searched(value: object) -> object:
    """A copy of any JSON value without keys named like a credential, at any depth."""
    if isinstance(value, dict):
        return {k: v if v.__class__ in _PLAIN else searched(v) for k, v in value.items() if not sounds_secret(k)}
    if isinstance(value, list):
        return [searched(v) for v in value]
    return value


def _scrubbed_children(child: Entity, value: object) -> object:
    if not isinstance(value, list):
        return None
    return [scrubbed(child, item) for item in value if isinstance(item, dict)]


@cache
def always_kept(entity: Entity) -> frozenset[str]:
    """Keys that are kept, even if named like a credential."""
    return frozenset(f.inside or f.json_key for f in entity.sent)

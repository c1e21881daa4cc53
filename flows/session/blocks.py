"""Secrets from Prefect's Secret blocks, by the block's name."""

from __future__ import annotations

from connector.door.secret import Secret
from schemas.errors import SettingsError
from schemas.extras import needs


def secret_of_block(name: str) -> Secret:
    """The secret in a Prefect Secret block. Raises SettingsError where there is none, or Prefect cannot be asked."""
    with needs("prefect", f"The Secret block {name!r}"):
        from prefect.blocks.system import Secret as Block  # noqa: PLC0415 - seconds, for who keeps secrets there
    try:
        block = Block.load(name)
        found = block.get() if isinstance(block, Block) else None
    except ValueError:
        raise SettingsError(
            f"Prefect has no Secret block {name!r}: prefect block create secret, or see docs/operating.md."
        ) from None
    except Exception as problem:  # noqa: BLE001 - of many libraries, and it may quote
        raise SettingsError(
            f"Prefect cannot be asked for the Secret block {name!r} ({type(problem).__name__}): "
            "is PREFECT_API_URL right?"
        ) from None
    if not isinstance(found, str) or not found.strip():
        raise SettingsError(f"The Secret block {name!r} holds no text.")
    return Secret(found.strip(), name=f"The Secret block {name!r}")

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
        text = block.get() if isinstance(block, Block) else None
    except ValueError:
        raise SettingsError(
            f"Prefect has no Secret block {name!r}: prefect block create secret, or see docs/operating.md."
        ) from None
    except Exception as problem:  # noqa: BLE001 - many libraries may raise, and their messages may quote
        raise SettingsError(
            f"Prefect does not give the Secret block {name!r} ({type(problem).__name__}): is PREFECT_API_URL right?"
        ) from None
    if not isinstance(text, str) or not text.strip():
        raise SettingsError(f"The Secret block {name!r} holds no text.")
    return Secret(text.strip(), name=f"The Secret block {name!r}")

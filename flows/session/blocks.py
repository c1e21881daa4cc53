"""Read secrets from Prefect's Secret blocks."""

from __future__ import annotations

from connector.door.secret import Secret
from schemas.errors import SettingsError
from schemas.extras import needs


def secret_of_block(name: str) -> Secret:
    """Return the secret in a Prefect Secret block. Raises SettingsError if it cannot be read."""
    with needs("prefect", f"The Secret block {name!r}"):
        from prefect.blocks.system import Secret as Block  # noqa: PLC0415 - seconds, only for secrets kept there
    try:
        block = Block.load(name)
        text = block.get() if isinstance(block, Block) else None
    except ValueError:
        raise SettingsError(
            f"Prefect has no Secret block {name!r}: prefect block create secret, or see docs/operating.md."
        ) from None
    except Exception as problem:  # noqa: BLE001 - any library may raise, and quote the secret
        raise SettingsError(
            f"Prefect does not give the Secret block {name!r} ({type(problem).__name__}): is PREFECT_API_URL right?"
        ) from None
    if not isinstance(text, str) or not text.strip():
        raise SettingsError(f"The Secret block {name!r} holds no text.")
    return Secret(text.strip(), name=f"The Secret block {name!r}")

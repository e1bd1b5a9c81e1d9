"""The secrets of a deployment: a file outside of every agent, and what the API was handed."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from conversation.server.keys.stored_secrets import KeptSecrets, StoredSecrets
from orchestration.errors import SettingsError

if TYPE_CHECKING:
    from conversation.store.store import ConversationStore

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REMEDY = "Write one `NAME: VALUE` a line, or unset VIVAVOCE_SECRETS_FILE."


def read_secrets(path: Path | None) -> dict[str, str]:
    """Values by name; none without a file.

    Raises:
        SettingsError: The file cannot be used. The message quotes none of it.
    """
    if path is None:
        return {}
    try:
        found: Any = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(
            f"The file of secrets {str(path)!r} cannot be read: {error.strerror}. {_REMEDY}"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError):
        # The parser's own message, and its cause, would show the line.
        raise SettingsError(
            f"The file of secrets {str(path)!r} is not valid YAML. {_REMEDY}"
        ) from None
    if not isinstance(found, dict):
        raise SettingsError(f"The file of secrets {str(path)!r} holds no names. {_REMEDY}")
    secrets = cast(dict[Any, Any], found)
    for name, value in secrets.items():
        is_text = isinstance(value, str | int) and not isinstance(value, bool) and str(value)
        if not _NAME.fullmatch(str(name)) or not is_text:
            raise SettingsError(
                f"The file of secrets {str(path)!r}: {str(name)!r} is no name with a text. "
                f"{_REMEDY}"
            )
    return {str(name).removeprefix("secret__"): str(value) for name, value in secrets.items()}


def kept_secrets(
    file: Path, key_file: Path | None, store: Callable[[], "ConversationStore"]
) -> KeptSecrets:
    """Where secrets that were handed in over the API lie.

    Args:
        file: Of this machine; what it holds is sealed and the file is gone, where there is a key.
        key_file: With the key that all machines share; None keeps them in `file`.
        store: Of all machines; opened where there is a key alone.

    Raises:
        StoreError: The key cannot be used, or is not the one that they were sealed with.
    """
    if key_file is None:
        return StoredSecrets(file)
    # They open the store, which most commands do without.
    from conversation.server.keys.sealed_secrets import FOLDER, SealedSecrets, sealing_keys
    from conversation.store.shared_files import SharedFiles

    sealed = SealedSecrets(SharedFiles(store().engine, FOLDER), sealing_keys(key_file))
    sealed.seal_anew()
    sealed.take_over(file)
    return sealed

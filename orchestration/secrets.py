"""The secrets of a deployment: a file outside of every agent, read once."""

import re
from pathlib import Path
from typing import Any, cast

import yaml

from orchestration.errors import SettingsError

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

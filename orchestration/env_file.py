"""The file `.env` of the folder that a command is started in: settings, and keys of providers."""

import codecs
from collections.abc import MutableMapping
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from orchestration.errors import SettingsError
from orchestration.settings_file import refuse_unknown

FILE_NAME = ".env"


class EnvFile(PydanticBaseSettingsSource):
    """The source for pydantic: settings of the file; nothing where there is no file."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Unused: the file is read as a whole."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read the file.

        Raises:
            SettingsError: It cannot be read, or sets something with our prefix that is no setting.
        """
        prefix = self.config.get("env_prefix", "")
        found = {
            name.upper(): value
            for name, value in read_env_file(Path(FILE_NAME)).items()
            if name.upper().startswith(prefix)
        }
        known = {f"{prefix}{name.upper()}" for name in self.settings_cls.model_fields}
        refuse_unknown(found, known, where=f"The file {FILE_NAME!r}")
        return {name.removeprefix(prefix).lower(): value for name, value in found.items()}


def read_env_file(path: Path) -> dict[str, str]:
    """Return what the file sets, by name; what it leaves empty is not set.

    Raises:
        SettingsError: It cannot be read, is no text, or has a line that is no NAME=VALUE.
    """
    if not path.is_file():
        return {}
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        data = path.read_bytes()
        # PowerShell and Notepad write UTF-16, with a mark in front.
        is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{str(path)!r} is no text in UTF-8. Save it as UTF-8.") from error
    for line in parse_stream(StringIO(text)):
        if line.error or (line.key is not None and line.value is None):
            written = line.original.string
            blank = written[: len(written) - len(written.lstrip())].count("\n")
            # Not the line itself: what stands here is secret.
            raise SettingsError(
                f"{str(path)!r}, line {line.original.line + blank}: this is no setting. Write "
                "NAME=VALUE, and a value with quotes or blanks between two quotes."
            )
    values = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in values.items() if value}


def add_keys(environment: MutableMapping[str, str], prefix: str) -> None:
    """Put into `environment` what the file sets and it does not, but for settings with `prefix`.

    Raises:
        SettingsError: As by `read_env_file`.
    """
    for name, value in read_env_file(Path(FILE_NAME)).items():
        if not name.upper().startswith(prefix) and not environment.get(name):
            environment[name] = value

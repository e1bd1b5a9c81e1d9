"""The file `.env` of the folder that a command is started in: settings, and keys of providers.

Not by `pydantic_settings`: importing it takes longer than most commands read their settings.
"""

import codecs
from collections.abc import Collection, Mapping, MutableMapping
from io import StringIO
from pathlib import Path

from orchestration.errors import SettingsError
from orchestration.settings_file import refuse_unknown

FILE_NAME = ".env"


def settings_of(environment: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return settings by name, as variables with `prefix` have them; an empty one is unset."""
    return {
        name.upper().removeprefix(prefix).lower(): value
        for name, value in environment.items()
        if name.upper().startswith(prefix) and value
    }


def settings_of_env_file(prefix: str, known: Collection[str]) -> dict[str, str]:
    """Return settings by name, as the file has them; none where there is no file.

    Args:
        prefix: What variables of settings begin with.
        known: Names of settings.

    Raises:
        SettingsError: It cannot be read, or sets something with our prefix that is no setting.
    """
    found = read_env_file(Path(FILE_NAME))
    ours = [name for name in found if name.upper().startswith(prefix)]
    variables = {f"{prefix}{name.upper()}" for name in known}
    refuse_unknown(ours, variables, where=f"The file {FILE_NAME!r}", spelled=str.upper)
    return settings_of(found, prefix)


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

"""Dynamic variables: `{{name}}` in an agent's texts, filled in when a conversation starts. Pure."""

import difflib
import math
import re
from collections.abc import Callable, Mapping
from unicodedata import normalize

from conversation.agent.variable_values import SECRET_PREFIX, SYSTEM_PREFIX, VariableValue
from conversation.errors import AgentConfigError, MissingVariableError, VariableValueError

__all__ = [
    "VariableValue",
    "checked_variables",
    "fill_in",
    "is_secret",
    "misnamed",
    "split_secrets",
    "variable_names",
]

SYSTEM_VARIABLES_GIVEN = frozenset(
    {"system__timezone", "system__caller_id", "system__called_number", "system__call_sid"}
)
"""What whoever starts a session knows better than the session."""

_PLACEHOLDER = re.compile(r"\{\{\s*([^\W\d][^\s{}]*)\s*\}\}")
"""Names as people write them: `user-name`, `user.name`, `größe`."""
_DOUBLE_BRACES = re.compile(r"\{\{(?:[^{}]|\{(?!\{)|\}(?!\}))*\}\}")
"""Ends at the next double brace of either kind, so that a text is read once."""
_WORDS = re.compile(r"[^\W\d][\w.-]*")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def fill_in(
    text: str,
    variables: Mapping[str, VariableValue],
    *,
    where: str,
    keep_secrets: bool = False,
    encode: Callable[[str], str] = lambda value: value,
) -> str:
    """`text` with every `{{name}}` replaced by its value. Values are not searched again.

    Args:
        text: With placeholders.
        variables: Values by name.
        where: What the text is, for the error.
        keep_secrets: Leave `{{secret__...}}` as it stands.
        encode: What happens to a value before it goes into the text.

    Raises:
        MissingVariableError: A placeholder has no value.
    """
    # The same letter has two spellings in Unicode, and a keyboard decides which one comes.
    by_name = {normalize("NFC", name): found for name, found in variables.items()}

    def value(match: re.Match[str]) -> str:
        name = normalize("NFC", match.group(1))
        if keep_secrets and name.startswith(SECRET_PREFIX):
            return match.group()
        if name not in by_name:
            raise _missing(name, by_name, where)
        found = by_name[name]
        return encode(str(found).lower() if isinstance(found, bool) else str(found))

    return _PLACEHOLDER.sub(value, text)


def variable_names(text: str) -> list[str]:
    """Names of the placeholders in `text`, in order, each once."""
    return list(dict.fromkeys(normalize("NFC", name) for name in _PLACEHOLDER.findall(text)))


def misnamed(text: str) -> str | None:
    """Why something between double braces in `text` is no placeholder; None when all are."""
    for match in _DOUBLE_BRACES.finditer(text):
        written = match.group()
        # `{{{name}}` is a brace and a placeholder.
        if _PLACEHOLDER.search(written) is None:
            return (
                f"{_shown(written)} names no variable: a name begins with a letter or `_` and "
                f"holds no spaces and no braces. {_remedy(written)}"
            )
    return None


def is_secret(name: str) -> bool:
    """Whether a placeholder of this name stands for a secret."""
    return name.startswith(SECRET_PREFIX)


def split_secrets(
    given: Mapping[str, VariableValue],
) -> tuple[dict[str, VariableValue], dict[str, str]]:
    """Ordinary variables, and secrets by their name without `secret__`."""
    plain = {name: value for name, value in given.items() if not name.startswith(SECRET_PREFIX)}
    secrets = {
        name.removeprefix(SECRET_PREFIX): str(value)
        for name, value in given.items()
        if name.startswith(SECRET_PREFIX)
    }
    return plain, secrets


def checked_variables(
    given: Mapping[str, VariableValue], defaults: Mapping[str, VariableValue]
) -> dict[str, VariableValue]:
    """`given` over `defaults`; a default fixes the type of its variable.

    Numbers and truth values may come as text, since web pages know nothing else.

    Raises:
        AgentConfigError: A value is not of its default's type or no text, number or truth value,
            or a name belongs to the session.
    """
    taken = [
        name
        for name in given
        if name.startswith(SYSTEM_PREFIX) and name not in SYSTEM_VARIABLES_GIVEN
    ]
    if taken:
        raise AgentConfigError(
            f"The dynamic variables {taken} are filled in by the session itself. Give yours names "
            f"without {SYSTEM_PREFIX!r}; only {sorted(SYSTEM_VARIABLES_GIVEN)} may be set."
        )
    values = dict(defaults)
    for name, value in given.items():
        _require_scalar(name, value)
        values[name] = _of_type(name, value, defaults[name]) if name in defaults else value
    return values


def _require_scalar(name: str, value: object) -> None:
    if not isinstance(value, str | int | float):
        raise VariableValueError(
            f"The dynamic variable {name!r} is of type {type(value).__name__}. Give a text, a "
            "number, true or false."
        )


def _of_type(name: str, value: VariableValue, default: VariableValue) -> VariableValue:
    try:
        if isinstance(default, bool):
            return value if isinstance(value, bool) else _TRUTH[str(value).strip().lower()]
        if isinstance(default, str):
            return str(value).lower() if isinstance(value, bool) else str(value)
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
        if not math.isfinite(number):
            raise ValueError
        if isinstance(default, float):
            return number
        return _whole(value, number)
    except (ValueError, KeyError, OverflowError):
        kind = type(default).__name__
        raise VariableValueError(
            f"The dynamic variable {name!r} is not of type {kind}, which its default "
            f"{default!r} has. Give such a value, or change the default in the agent file."
        ) from None


def _whole(value: VariableValue, number: float) -> int:
    if not number.is_integer():
        raise ValueError
    try:
        return int(value)
    except ValueError:  # "2.0"
        return int(number)


def _missing(name: str, variables: Mapping[str, VariableValue], where: str) -> Exception:
    if name.startswith(SECRET_PREFIX):
        bare = name.removeprefix(SECRET_PREFIX)
        return MissingVariableError(
            f"The {where} needs the secret {bare!r}, which is not there. Secrets are for "
            "headers of webhooks alone; give it when the session starts, `Session.start(agent, "
            f"secrets={{{bare!r}: ...}})`."
        )
    near = difflib.get_close_matches(name, variables, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return MissingVariableError(
        f"The {where} needs the dynamic variable {name!r}, which has no value.{hint} Give "
        f"it when the session starts, `Session.start(agent, variables={{{name!r}: ...}})`, "
        "or set a default under `dynamic_variables` in the agent file."
    )


def _shown(written: str) -> str:
    line = " ".join(written.split())
    return f"`{line}`" if len(line) <= 60 else f"`{line[:50]} ...}}}}`"


def _remedy(written: str) -> str:
    name = "_".join(written[2:-2].split()).lstrip("-.")
    name = f"_{name}" if name[:1].isdigit() else name
    if len(name) > 40 or _WORDS.fullmatch(name) is None:
        return "Give it such a name, or leave a space between the braces if it is none"
    return f"Write `{{{{{name}}}}}`, or leave a space between the braces if it is no variable"

"""Dynamic variables: `{{name}}` in an agent's texts, filled in when a conversation starts. Pure."""

import difflib
import re
from collections.abc import Mapping

from conversation.errors import MissingVariableError

VariableValue = str | int | float | bool
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


def fill_in(text: str, variables: Mapping[str, VariableValue], *, where: str) -> str:
    """`text` with every `{{name}}` replaced by its value. Values are not searched again.

    Args:
        text: With placeholders.
        variables: Values by name.
        where: What the text is, for the error.

    Raises:
        MissingVariableError: A placeholder has no value.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in variables:
            near = difflib.get_close_matches(name, variables, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise MissingVariableError(
                f"The {where} needs the dynamic variable {name!r}, which has no value.{hint} Give "
                f"it when the session starts, `Session.start(agent, variables={{{name!r}: ...}})`, "
                "or set a default under `dynamic_variables` in the agent file."
            )
        found = variables[name]
        return str(found).lower() if isinstance(found, bool) else str(found)

    return _PLACEHOLDER.sub(value, text)


def variable_names(text: str) -> list[str]:
    """Names of the placeholders in `text`, in order, each once."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))

"""YAML text to checked mappings and back, with errors that name the line."""

import re
from typing import Any, cast

import yaml

from conversation.errors import AgentConfigError

RawMapping = dict[str, Any]


def parse_mapping(text: str, origin: str) -> tuple[yaml.Node, RawMapping]:
    """The YAML mapping that `text` holds, with its node tree for line numbers.

    Raises:
        AgentConfigError: The text is not YAML, holds something else, or repeats a key.
    """
    try:
        root = cast(
            yaml.Node | None,
            yaml.compose(text, Loader=yaml.SafeLoader),  # pyright: ignore[reportUnknownMemberType]
        )
        raw = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise AgentConfigError(
            f"The agent file {origin!r}{where} is not valid YAML: {_said(error)}. Check the "
            "indentation, and quote values that contain `: ` or start with a special character."
        ) from error
    except ValueError as error:
        raise AgentConfigError(
            f"The agent file {origin!r} is not valid YAML: a number or a date in it cannot be read."
            " Quote values that are text."
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise AgentConfigError(f"The agent file {origin!r} is not valid YAML: {error}") from error
    if not isinstance(root, yaml.MappingNode) or not isinstance(raw, dict):
        found = "nothing" if raw is None else f"a {type(raw).__name__}"
        raise AgentConfigError(
            f"The agent file {origin!r} must hold one YAML mapping of keys, such as "
            f"`agent_id: support`, but holds {found}."
        )
    _refuse_repeated_keys(root, origin)
    return root, cast(RawMapping, raw)


def _said(error: yaml.MarkedYAMLError) -> str:
    """What is wrong, without the value that was taken for the name of an alias or of a tag."""
    return re.sub(r"(alias|tag|handle) '.*'", r"\1", error.problem or "", flags=re.DOTALL)


def _refuse_repeated_keys(root: yaml.Node, origin: str) -> None:
    """YAML readers keep the last of two equal keys; the first would be lost without a word."""
    pending, seen = [root], set[int]()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            names: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if key.value in names:
                    raise AgentConfigError(
                        f"The agent file {origin!r} has the key {key.value!r} on line "
                        f"{names[key.value]} and again on line {line}. Remove one of them."
                    )
                names[str(key.value)] = line
                pending.append(value)


def dump_mapping(mapping: RawMapping) -> str:
    """YAML for people: keys in the given order, text of several lines as a block."""
    return yaml.dump(
        mapping, Dumper=_ReadableDumper, sort_keys=False, allow_unicode=True, width=100
    )


class _ReadableDumper(yaml.SafeDumper):
    """Writes text of several lines as a block, the way a person would."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar(  # pyright: ignore[reportUnknownMemberType]
        "tag:yaml.org,2002:str", text, style=style
    )


_ReadableDumper.add_representer(str, _represent_text)

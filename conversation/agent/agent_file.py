"""Agent files: YAML on disk to `AgentConfig` and back.

`parse_agent` does the same for text that comes from elsewhere. Everything wrong with a file is
reported at once: file, line, key path and, for an unknown key, the nearest valid one.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from conversation.agent.config import AgentConfig
from conversation.agent.document_files import listed_files
from conversation.agent.key_paths import KeyPath, describe_problem, line_of
from conversation.agent.yaml_text import RawMapping, dump_mapping, parse_mapping
from conversation.errors import AgentConfigError
from kb.whole_file import write_whole

MAX_AGENT_FILE_BYTES = 2**20
AGENT_FILE_SUFFIXES = (".yaml", ".yml")
_KEPT_FILES = 1_000
_SETTLED_AFTER_NS = 50_000_000
"""Clocks of file systems tick every few milliseconds: a file may change again within one tick, and
look as it did. What is younger than this is read again."""


@dataclass(frozen=True, slots=True)
class AgentListing:
    """One file of an agents folder: an agent, or the reason why there is none."""

    path: Path
    agent: AgentConfig | None
    error: str | None = None


def load_agent(path: Path | str, *, override_llm: str | None = None) -> AgentConfig:
    """Read the agent file at `path`.

    A file without `agent_id` takes its own name. Keys of its `template` fill in what it leaves
    out; mappings are merged key by key, lists are replaced whole. A file that did not change since
    it was read last is not read again.

    Args:
        path: A YAML file.
        override_llm: Model string that replaces the agent's. Fallbacks and `api_base` belong to
            the replaced model and go with it; a model that the file itself names is reached where
            the file reaches it.

    Raises:
        AgentConfigError: The file cannot be read or is not a valid agent.
    """
    agent = _FILES.agent(Path(path))
    if override_llm is None:
        return agent
    return agent.model_copy(update={"llm": agent.llm.replaced_by(override_llm)})


def parse_agent(text: str, *, origin: str, default_id: str | None = None) -> AgentConfig:
    """Turn the YAML `text` of an agent into its configuration.

    Args:
        text: One YAML mapping.
        origin: Where the text came from, for error messages.
        default_id: Agent id when the text names none.

    Raises:
        AgentConfigError: The text is not a valid agent.
    """
    root, raw = parse_mapping(text, origin)
    if default_id is not None:
        raw = {"agent_id": default_id, **raw}
    merged = merge_keys(_template_keys(raw, origin), raw)
    try:
        return AgentConfig.model_validate(merged)
    except ValidationError as error:
        found = [
            (line_of(root, KeyPath(problem["loc"])), problem)
            for problem in error.errors(include_url=False)
        ]
        found.sort(key=lambda pair: pair[0] or 0)
        problems = [describe_problem(problem, AgentConfig, line=line) for line, problem in found]
        raise AgentConfigError(
            f"The agent file {origin!r} has {len(problems)} "
            f"{'problem' if len(problems) == 1 else 'problems'}:\n"
            + "\n".join(f"  {problem}" for problem in problems)
        ) from error


def list_agents(directory: Path | str) -> list[AgentListing]:
    """Every agent file of `directory`, by name. A bad file is a row with its error.

    Raises:
        AgentConfigError: There is no such directory.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise AgentConfigError(
            f"There is no folder {str(directory)!r} to look for agents in. Create it and put one "
            "YAML file per agent there, or set VIVAVOCE_DATA_DIR to the folder that holds `agents`."
        )
    listings: list[AgentListing] = []
    path_of: dict[str, Path] = {}
    for path in sorted(directory.iterdir()):
        if path.suffix not in AGENT_FILE_SUFFIXES:
            continue
        try:
            agent = load_agent(path)
        except AgentConfigError as error:
            listings.append(AgentListing(path, None, str(error)))
            continue
        taken = path_of.setdefault(agent.agent_id, path)
        if taken == path:
            listings.append(AgentListing(path, agent))
        else:
            error = (
                f"The agent file {str(path)!r} has the agent_id {agent.agent_id!r}, which "
                f"{taken.name!r} has already. Change `agent_id` in one of them."
            )
            listings.append(AgentListing(path, None, error))
    return listings


def save_agent(agent: AgentConfig, path: Path | str) -> None:
    """Write `agent` to `path`, replacing the file in one step.

    Only what differs from the defaults and the template is written; reading the file gives an
    equal agent. In a file that stood there before, only what changed is written anew: comments and
    order stay.
    """
    path = Path(path)
    text = _rewritten(agent, path) or dump_mapping(_own_keys(agent, str(path)))
    write_whole(path, text, private=True, at_once=True)


def _rewritten(agent: AgentConfig, path: Path) -> str | None:
    """The file at `path` changed to say `agent`; None where there is none that can be."""
    # It takes a moment to load, and only who changes files needs it.
    from conversation.agent.rewriting.changed_text import changed_text

    try:
        text = _read(path)
        before = parse_agent(text, origin=str(path), default_id=path.stem)
    except AgentConfigError:
        return None
    if before.template != agent.template:
        return None
    origin = str(path)
    changed = changed_text(text, _own_keys(before, origin), _own_keys(agent, origin))
    try:
        # The last word: a setting may be written in a way that was not changed with it.
        read = changed and parse_agent(changed, origin=origin, default_id=path.stem)
    except AgentConfigError:
        return None
    return changed if read == agent else None


def _own_keys(agent: AgentConfig, origin: str) -> RawMapping:
    """What an agent file has to say for `agent`, in the order of its settings."""
    base = {"agent_id": agent.agent_id, "name": "", "template": agent.template}
    inherited = AgentConfig.model_validate(merge_keys(_template_keys(base, origin), base))
    own = _difference(
        inherited.model_dump(mode="json"),
        agent.model_dump(mode="json"),
        terse=agent.model_dump(mode="json", exclude_defaults=True),
    )
    head: RawMapping = {"agent_id": agent.agent_id, "name": agent.name}
    if agent.template is not None:
        head["template"] = agent.template
    return head | {key: value for key, value in own.items() if key not in head}


def document_paths(agent: AgentConfig, agent_path: Path | str) -> tuple[Path, ...]:
    """Where the agent's files are: its entries are relative to the agent file."""
    return listed_files(agent.knowledge_base.files, Path(agent_path).parent)


def template_names() -> tuple[str, ...]:
    """Names that `template:` of an agent file may have."""
    return tuple(
        sorted(
            entry.name.removesuffix(".yaml")
            for entry in (files("conversation.agent") / "templates").iterdir()
            if entry.name.endswith(".yaml")
        )
    )


def template_text(name: str) -> str:
    """The YAML text of the template `name`.

    Raises:
        AgentConfigError: There is no such template.
    """
    known = template_names()
    if name not in known:
        raise AgentConfigError(f"There is no template {name!r}. Templates are: {', '.join(known)}.")
    return (files("conversation.agent") / "templates" / f"{name}.yaml").read_text("utf-8")


def merge_keys(base: Mapping[str, Any], own: Mapping[str, Any]) -> RawMapping:
    """`base` with the keys of `own` over it; mappings in both are merged, the rest replaced."""
    merged = dict(base)
    for key, value in own.items():
        under = merged.get(key)
        if isinstance(under, dict) and isinstance(value, dict):
            merged[key] = merge_keys(cast(RawMapping, under), cast(RawMapping, value))
        else:
            merged[key] = value
    return merged


def _difference(base: RawMapping, own: RawMapping, *, terse: RawMapping) -> RawMapping:
    """Keys of `own` that `merge_keys(base, ...)` needs to give `own` again.

    Lists are written whole, each entry without what it has by default, as it stands in `terse`.
    """
    changed: RawMapping = {}
    for key, value in own.items():
        if key in base and base[key] == value:
            continue
        under, shorter = base.get(key), terse.get(key, value)
        if isinstance(under, dict) and isinstance(value, dict):
            changed[key] = _difference(
                cast(RawMapping, under),
                cast(RawMapping, value),
                terse=cast(RawMapping, shorter) if isinstance(shorter, dict) else {},
            )
        else:
            changed[key] = shorter
    return changed


def _template_keys(raw: Mapping[str, Any], origin: str) -> RawMapping:
    name = raw.get("template")
    if not isinstance(name, str):
        return {}
    try:
        text = template_text(name)
    except AgentConfigError as error:
        raise AgentConfigError(f"The agent file {origin!r}, key `template`: {error}") from error
    return cast(RawMapping, yaml.safe_load(text))


class _ReadFiles:
    """What agent files said when they were read last, for as long as they look the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Path, tuple[tuple[int, ...], AgentConfig | str]] = {}

    def agent(self, path: Path) -> AgentConfig:
        """The agent of a file; raises `AgentConfigError`."""
        state = _state_of(path)
        with self._lock:
            kept = self._kept.get(path)
        if kept is None or state is None or kept[0] != state:
            found = _outcome(path)
            if state is not None:
                self._keep(path, state, found)
        else:
            found = kept[1]
        if isinstance(found, str):
            raise AgentConfigError(found)
        return found

    def _keep(self, path: Path, state: tuple[int, ...], found: AgentConfig | str) -> None:
        with self._lock:
            if len(self._kept) >= _KEPT_FILES:
                self._kept.clear()
            self._kept[path] = (state, found)


def _outcome(path: Path) -> AgentConfig | str:
    try:
        return parse_agent(_read(path), origin=str(path), default_id=path.stem)
    except AgentConfigError as error:
        return str(error)


def _state_of(path: Path) -> tuple[int, ...] | None:
    """What tells one content of a file from the next; None while it may still be written."""
    try:
        found = path.stat()
    except OSError:
        return None
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < _SETTLED_AFTER_NS:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


_FILES = _ReadFiles()


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_AGENT_FILE_BYTES:
            raise AgentConfigError(
                f"The agent file {str(path)!r} is larger than {MAX_AGENT_FILE_BYTES:,} bytes. "
                "Put long texts into files and list them under `knowledge_base.files`."
            )
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        near = sorted(entry.name for entry in path.parent.glob("*.y*ml")) or ["none"]
        raise AgentConfigError(
            f"There is no agent file {str(path)!r}. YAML files in that folder: {', '.join(near)}."
        ) from None
    except UnicodeDecodeError as error:
        raise AgentConfigError(
            f"The agent file {str(path)!r} is not UTF-8 text (byte {error.start}). Save it as "
            "UTF-8."
        ) from error
    except OSError as error:
        raise AgentConfigError(
            f"The agent file {str(path)!r} cannot be read: {error.strerror}."
        ) from error

"""A new folder: an agent file with its documents, and what keeps secrets out of a repository."""

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from conversation.agent.agent_file import parse_agent
from conversation.agent.models.llm_config import DEFAULT_LLM, EXTRACTIVE
from orchestration.errors import SettingsError

_SAMPLE = """\
# Opening hours

We are open from Monday to Friday, 9:00 to 17:00. On public holidays we are closed.

# Returns

You may send back what you bought within 30 days. The money is on your account five days later.
"""
_AGENT = """\
# `vivavoce ingest {agent_id}` reads its documents, `vivavoce chat {agent_id}` talks to it.
agent_id: {agent_id}
name: {name}
template: support          # blank, support, philosopher or librarian

llm:
  model: {model}

knowledge_base:
  files:                   # relative to this file; folders and patterns too
    - {documents}
  limits:
    max_documents: null    # the default is 5

# voice: {{}}              # it hears and speaks: pip install 'vivavoce[voice]'

{judge}criteria:                  # asked of every finished conversation by `vivavoce evaluate`
  - id: answered
    prompt: >-
      The agent answered what the user asked. It is a failure when the user left without an answer.
"""
_JUDGE = f"""\
analysis:                  # a model is needed to judge: `vivavoce evaluate` fetches this one once
                           # (1.1 GB); one of a provider or of your own server can be named, too
  judge: {DEFAULT_LLM}

"""
_ENV = """\
# Settings of this folder; `vivavoce settings` lists them all. Keys of providers go here, too.
# OPENAI_API_KEY=
# VIVAVOCE_MAX_JUDGE_USD_PER_DAY=1
"""
_IGNORED = (".env", "{data}/store/")
_LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new folder is to hold."""

    name: str = "Help desk"
    documents: Path | None = None
    """Folder that the agent answers from; None makes a sample."""
    model: str = DEFAULT_LLM


@dataclass(frozen=True, slots=True)
class Begun:
    """What was made, and what was there already."""

    agent_id: str
    made: tuple[Path, ...]
    left: tuple[Path, ...]


def default_model() -> str:
    """The model that needs no key."""
    return DEFAULT_LLM


def begin(wanted: Wanted, folder: Path, data_dir: Path) -> Begun:
    """Make what `wanted` says in `folder`; what is there already is left.

    Args:
        wanted: The agent.
        folder: Where `.env` and `.gitignore` belong.
        data_dir: Holds `agents` and `documents`.

    Raises:
        SettingsError: The documents are not there, or the model is no model string.
    """
    if wanted.documents is not None and not wanted.documents.exists():
        raise SettingsError(f"There is no folder {str(wanted.documents)!r} with documents.")
    if "/" not in wanted.model:
        raise SettingsError(
            f"{wanted.model!r} is not a model string; write PROVIDER/MODEL, e.g. {DEFAULT_LLM}."
        )
    agent_id = agent_id_of(wanted.name)
    files: dict[Path, str] = {}
    documents = "../documents"
    if wanted.documents is None:
        files[data_dir / "documents" / "about-us.md"] = _SAMPLE
    else:
        documents = _beside(wanted.documents.expanduser().resolve(), data_dir.resolve())
    text = _AGENT.format(
        agent_id=agent_id,
        name=_yaml_text(wanted.name),
        model=_yaml_text(wanted.model),
        documents=_yaml_text(documents),
        judge=_JUDGE if wanted.model == EXTRACTIVE else "",
    )
    parse_agent(text, origin=f"{agent_id}.yaml")
    files[data_dir / "agents" / f"{agent_id}.yaml"] = text
    files[folder / ".env"] = _ENV
    made: list[Path] = []
    left: list[Path] = []
    for path, content in files.items():
        if path.exists():
            left.append(path)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        made.append(path)
    (made if _ignore(folder / ".gitignore", data_dir) else left).append(folder / ".gitignore")
    return Begun(agent_id, tuple(made), tuple(left))


def agent_id_of(name: str) -> str:
    """An id in the letters that ids have: `Zoë's Café` is `zoes-cafe`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain.replace("'", ""))
    found = "-".join(words)[:_LONGEST_ID].strip("-")
    return found if found[:1].isalpha() else f"agent-{found}".strip("-")[:_LONGEST_ID]


def _ignore(path: Path, data_dir: Path) -> bool:
    """Add what must not be committed; whether anything was missing."""
    known = path.read_text("utf-8").splitlines() if path.exists() else []
    data = data_dir.name if data_dir.is_absolute() else data_dir.as_posix()
    missing = [line for each in _IGNORED if (line := each.format(data=data)) not in known]
    if missing:
        path.write_text("\n".join([*known, *missing]) + "\n", encoding="utf-8")
    return bool(missing)


def _beside(documents: Path, data_dir: Path) -> str:
    """The documents as the agent file names them: relative where both lie in one folder.

    That folder can be moved then.
    """
    if not documents.is_relative_to(data_dir.parent):
        return str(documents)
    return os.path.relpath(documents, data_dir / "agents")


def _yaml_text(text: str) -> str:
    """As a value of YAML, quoted where it has to be."""
    import yaml

    return yaml.safe_dump(text, allow_unicode=True, width=10_000).splitlines()[0]

"""Agent files that all machines of a deployment have, where the settings say so."""

from pathlib import Path

from sqlalchemy import Engine

from conversation.agent.agent_file import AGENT_FILE_SUFFIXES, parse_agent
from conversation.errors import AgentConfigError
from conversation.store.shared_files import MirroredFolder, SharedFiles

_IN_THE_STORE = "agents"


def agent_copies(folder: Path, engine: Engine) -> MirroredFolder:
    """This machine's copy of the agent files that the store holds.

    A file that is no valid agent stays on this machine until it is mended.
    """
    return MirroredFolder(
        folder, SharedFiles(engine, _IN_THE_STORE), suffixes=AGENT_FILE_SUFFIXES, why_not=_why_not
    )


def _why_not(name: str, content: bytes) -> str | None:
    try:
        parse_agent(content.decode("utf-8-sig"), origin=name, default_id=Path(name).stem)
    except UnicodeDecodeError as error:
        return f"The agent file {name!r} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
    except AgentConfigError as error:
        return str(error)
    return None

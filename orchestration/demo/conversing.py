"""The demo's conversation: held once, then shown again from the store."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from analysis.printable import printable_lines
from conversation.agent.config import AgentConfig
from conversation.errors import UnknownConversationError
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.store.writing import CRASHED
from conversation.transcript import Transcript, Turn
from kb.document import Document
from orchestration.deployment import Deployment
from orchestration.terminal.progress import ProgressDisplay, format_duration
from orchestration.terminal.reply import show_reply, turn_notes

CHANNEL = "demo"
"""Kept in the metadata of the conversation, so that it can be told from those of people."""
MAX_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class DemoScript:
    """What the demo's user says, and which sample conversations it takes in."""

    agent_id: str
    questions: tuple[str, ...]
    transcripts: tuple[str, ...] = ()
    """Names of files."""

    @classmethod
    def read(cls, path: Path) -> "DemoScript":
        """Read the YAML file at `path`."""
        raw = yaml.safe_load(path.read_text("utf-8"))
        asked = (each["text"] for each in raw["questions"] if each.get("in_demo", True))
        return cls(raw["agent_id"], tuple(asked), tuple(raw["transcripts"]))


def conversation_key(agent: AgentConfig, script: DemoScript, documents: list[Document]) -> str:
    """Twelve hexadecimal digits that change when the agent, its documents or the script do."""
    contents = sorted(document.content_sha256 or "" for document in documents)
    text = "\x1f".join([agent.version, *script.questions, *contents])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def hold_conversation(
    deployment: Deployment,
    script: DemoScript,
    progress: ProgressDisplay,
    left_s: Callable[[float], float] = lambda own_s: own_s,
) -> Transcript:
    """Play the script against the agent, or show the conversation that was held before.

    Args:
        deployment: With the agent and its documents.
        script: What is asked.
        progress: Where it is shown.
        left_s: Given the seconds that the rest of the conversation needs, returns those of the
            whole of which it is a part.
    """
    agent = deployment.agent(script.agent_id).agent
    knowledge_base = deployment.knowledge_base(script.agent_id)
    key = conversation_key(agent, script, knowledge_base.documents())
    held, unused_id = find_held(deployment.conversations, key)
    if held is not None:
        progress.say(
            f"  Held on {held.started_at:%Y-%m-%d %H:%M} UTC with the same agent, documents and "
            "questions, so it is shown again (`vivavoce demo --fresh` holds a new one)."
        )
        _show(held, agent.name, progress)
        return held
    session = Session.start(
        agent,
        knowledge_base=knowledge_base,
        store=deployment.conversations,
        chat_model=deployment.chat_model(agent.llm),
        metadata={"channel": CHANNEL},
        new_id=lambda: unused_id,
    )
    with session:
        progress.say(f"\n{agent.name}: {printable_lines(session.first_message)}")
        _play(session, script, agent.name, progress, left_s)
    return session.transcript


def find_held(store: ConversationStore, key: str) -> tuple[Transcript | None, str]:
    """The finished conversation with this key, and an id for a new one.

    One that was cut off by a crash stays as it is, and the next attempt gets the next id.
    """
    for attempt in range(1, MAX_ATTEMPTS):
        new_id = f"demo{key}" if attempt == 1 else f"demo{key}n{attempt}"
        try:
            found = store.transcript(f"conv_{new_id}")
        except UnknownConversationError:
            return None, new_id
        complete = found.status == "done" and found.end_reason != CRASHED
        if complete and not unanswered(found):
            return found, new_id
    raise UnknownConversationError(
        f"The demo was cut off {MAX_ATTEMPTS} times. `vivavoce demo --fresh` starts over."
    )


def unanswered(transcript: Transcript) -> list[str]:
    """Why the model said nothing, for each turn where it failed before its first word.

    What the agent then said, that something went wrong, is no answer.
    """
    return [turn.error for turn in transcript.turns if turn.error and not _has_begun(turn)]


def _has_begun(turn: Turn) -> bool:
    return turn.latency is not None and turn.latency.request_to_first_token_ms is not None


def _play(
    session: Session,
    script: DemoScript,
    name: str,
    progress: ProgressDisplay,
    left_s: Callable[[float], float],
) -> None:
    durations_s: list[float] = []
    for number, question in enumerate(script.questions, start=1):
        left = ""
        if durations_s:
            per_turn_s = sum(durations_s) / len(durations_s)
            remaining = format_duration(left_s(per_turn_s * (len(script.questions) - number + 1)))
            left = f"  (question {number} of {len(script.questions)}, about {remaining} left)"
        progress.say(f"\nuser: {question}{left}")
        turn = show_reply(name, session.reply(question), progress)
        latency = turn.latency if turn is not None else None
        if latency is not None and latency.request_to_last_token_ms is not None:
            durations_s.append(latency.request_to_last_token_ms / 1000)


def _show(held: Transcript, name: str, progress: ProgressDisplay) -> None:
    for turn in held.turns:
        speaker = name if turn.role == "agent" else "user"
        lead = "\n" if turn.role == "user" else ""
        progress.say(f"{lead}{speaker}: {printable_lines(turn.text)}")
        if turn.role == "agent" and turn.latency is not None:
            progress.say(turn_notes(turn))

"""Conversations at once on one embedded model: whether all end, and how long each waits.

    python -m tests.bench.at_once [CONVERSATIONS] [DOCUMENTS] [MODEL]

Each asks two short questions about the sample documents, which `read_ahead` has read before.
Seconds are those of the clock, which other work on the machine makes longer; CPU seconds are those
of the process, all conversations together.
"""

import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from conversation.agent.agent_file import load_agent
from conversation.agent.config import AgentConfig
from conversation.grounding.reading_ahead import read_ahead
from conversation.llm.chat_model import ChatModel
from conversation.llm.open_model import open_chat_model
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.turn.events import AgentTurn, TextDelta
from kb.knowledge_base import KnowledgeBase
from tests.bench.places import store
from tests.bench.read_ahead import DATA, FILES, cpu_s, opened

QUESTIONS = (
    ("How many pages may one document have?", "How many templates are there?"),
    ("Which Python version do I need?", "Which command lists the agents?"),
    ("How large may a web page be?", "Which port does the Dagster UI use?"),
    ("Under which licence is Viva Voce?", "What does a yearly support contract cost?"),
)


@dataclass(frozen=True, slots=True)
class Waited:
    """One turn."""

    first_word_s: float | None
    whole_s: float
    text: str
    error: str | None


def hold(
    agent: AgentConfig,
    base: KnowledgeBase,
    model: ChatModel,
    conversations: ConversationStore,
    said: tuple[str, ...],
) -> list[Waited]:
    """Hold one conversation."""
    turns: list[Waited] = []
    with Session.start(
        agent, knowledge_base=base, store=conversations, chat_model=model
    ) as session:
        for question in said:
            began_s, first_s = time.monotonic(), None
            for event in session.reply(question):
                now_s = time.monotonic() - began_s
                if isinstance(event, TextDelta):
                    first_s = first_s if first_s is not None else now_s
                if isinstance(event, AgentTurn):
                    turns.append(Waited(first_s, now_s, event.text, event.error))
    return turns


def main() -> None:
    """Print every turn and the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    documents = int(sys.argv[2]) if len(sys.argv) > 2 else len(FILES)
    agent = load_agent(DATA / "agents" / "support.yaml")
    model = open_chat_model(sys.argv[3] if len(sys.argv) > 3 else agent.llm.model)
    model.check()
    with (
        opened(documents, mode="ahead") as base,
        ConversationStore.open(f"sqlite:///{store() / 'at_once.sqlite'}") as conversations,
        ThreadPoolExecutor(count) as pool,
    ):
        base.warm_up()
        read_ahead(agent, base, model)
        began_s, began_cpu_s = time.monotonic(), cpu_s()
        held = [
            pool.submit(hold, agent, base, model, conversations, QUESTIONS[number % len(QUESTIONS)])
            for number in range(count)
        ]
        turns = [turn for each in held for turn in each.result()]
    for turn in turns:
        first = "none" if turn.first_word_s is None else f"{turn.first_word_s:.1f} s"
        how = turn.error or "ended"
        print(f"first word {first}, whole {turn.whole_s:.1f} s, {how}: {turn.text!r}")
    waited = [turn.first_word_s for turn in turns if turn.first_word_s is not None]
    print(
        f"{sum(turn.error is None for turn in turns)} of {len(turns)} turns ended without an "
        f"error, {count} conversations at once; first word {statistics.median(waited):.1f} s "
        f"(median), {max(waited):.1f} s (worst); {time.monotonic() - began_s:.0f} s in all, "
        f"{cpu_s() - began_cpu_s:.0f} s of CPU"
    )


if __name__ == "__main__":
    main()

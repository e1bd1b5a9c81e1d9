"""CPU seconds to the first word of an embedded model that has read its prompt ahead, or has not.

    python -m tests.bench.read_ahead [ahead|search] [DOCUMENTS] [MODEL]

The demo's questions are asked about the first DOCUMENTS of the sample documents. `ahead` reads the
prompt first, unless an earlier run did: run it twice, and the first turn of the second run is that
after a restart. `search` has the model read passages in every turn, after the system prompt was
read. CPU seconds are those of the process, so that other work on the machine counts little; a
question is asked once nothing is being read ahead any more.
"""

import os
import sys
import time
from collections.abc import Sequence

import yaml

from conversation.agent.agent_file import load_agent
from conversation.agent.config import AgentConfig
from conversation.grounding.reading_ahead import read_ahead
from conversation.llm.chat_model import ChatModel
from conversation.llm.open_model import open_chat_model
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.turn.events import AgentTurn, TextDelta
from kb.knowledge_base import KnowledgeBase
from tests.bench.places import REPOSITORY, store

DATA = REPOSITORY / "data"
FILES = (
    "getting-started.md",
    "knowledge-base.html",
    "site/troubleshooting.html",
    "privacy-and-limits.docx",
    "evaluations-and-reports.pdf",
)
LONGEST_PAUSE_S = 180.0
"""Within which a user asks, on a busy machine: the prompt is read meanwhile."""


def cpu_s() -> float:
    """CPU seconds of this process so far."""
    return sum(os.times()[:2])


def pause() -> float:
    """Wait as a user who reads and types, until nothing is read ahead; CPU seconds it took."""
    began_s, deadline_s = cpu_s(), time.monotonic() + LONGEST_PAUSE_S
    before_s = -1.0
    while cpu_s() - before_s > 0.1 and time.monotonic() < deadline_s:
        before_s = cpu_s()
        time.sleep(3.0)
    return cpu_s() - began_s


def opened(count: int, *, mode: str) -> KnowledgeBase:
    """A knowledge base of the first sample documents."""
    knowledge_base = KnowledgeBase.open(store() / "kb" / f"read_ahead_{mode}_{count}")
    if not knowledge_base.documents():
        for name in FILES[:count]:
            knowledge_base.add_file(DATA / "documents" / name)
    return knowledge_base


def ask(session: Session, question: str) -> str:
    """One line about a turn."""
    began_s = cpu_s()
    first_s, words = None, ""
    for event in session.reply(question):
        if isinstance(event, TextDelta):
            first_s = first_s if first_s is not None else cpu_s() - began_s
            words += event.text
        if isinstance(event, AgentTurn) and event.usage is not None:
            read = event.usage.input_tokens - event.usage.cached_input_tokens
            return (
                f"first word {first_s or 0.0:.2f} s cpu ({read} tokens read), whole answer "
                f"{cpu_s() - began_s:.2f} s ({event.usage.output_tokens} tokens), "
                f"{len(event.citations)} cited: {words!r}"
            )
    return "no answer"


def hold(agent: AgentConfig, base: KnowledgeBase, model: ChatModel, said: Sequence[str]) -> None:
    """Ask everything in one conversation and print each turn."""
    with (
        ConversationStore.open(f"sqlite:///{store() / 'read_ahead.sqlite'}") as conversations,
        Session.start(agent, knowledge_base=base, store=conversations, chat_model=model) as session,
    ):
        base.warm_up()  # as the chat in the terminal and the server do
        print(f"before the first turn: {pause():.2f} s cpu, engine loaded", flush=True)
        for question in said:
            print(f"{question}\n  {ask(session, question)}", flush=True)
            print(f"  read ahead afterwards: {pause():.2f} s cpu", flush=True)


def main() -> None:
    """Print the figures."""
    mode = sys.argv[1] if len(sys.argv) > 1 else "ahead"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else len(FILES)
    agent = load_agent(DATA / "agents" / "support.yaml")
    size = None if mode == "ahead" else 0
    prompt = agent.prompt.model_copy(update={"whole_knowledge_base_tokens": size})
    agent = agent.model_copy(update={"prompt": prompt})
    model = open_chat_model(sys.argv[3] if len(sys.argv) > 3 else agent.llm.model)
    model.check()
    script = yaml.safe_load((DATA / "demo" / "support-questions.yaml").read_text("utf-8"))
    questions = [question["text"] for question in script["questions"]]
    with opened(count, mode=mode) as base:
        began_s = cpu_s()
        kept = read_ahead(agent, base, model)
        if kept is not None:
            print(
                f"read ahead: {kept.tokens:,} tokens, {kept.size_bytes / 1e6:.0f} MB, "
                f"{cpu_s() - began_s:.0f} s cpu{' (was there)' if kept.was_there else ''}",
                flush=True,
            )
        hold(agent, base, model, questions)


if __name__ == "__main__":
    main()

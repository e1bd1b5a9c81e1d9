"""Grounded answers and honest refusals on MTRAG turns that people wrote.

    python -m tests.bench.answers [MODEL] [N] [FOLDER]

For N answerable and N unanswerable turns of the dev half: retrieve with the turns before, answer,
and attribute. FOLDER keeps the knowledge base for the next run. Reported are the grounded share of
answers, refusals where an answer exists (false ones) and where none does (right ones).
"""

import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversation.citations import admits_not_knowing, attribute
from conversation.config import AgentConfig
from conversation.llm.chat_model import ChatModel, CompletionOptions
from conversation.llm.models import open_chat_model
from conversation.prompting import build_prompt
from conversation.transcript import Turn
from kb.config import KnowledgeBaseConfig, Limits
from kb.knowledge_base import KnowledgeBase

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = "embedded/qwen2.5-coder-1.5b-instruct"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one turn."""

    refused: bool
    grounded_share: float | None
    seconds: float


def open_corpus(data: Path, folder: Path) -> KnowledgeBase:
    """A knowledge base of every passage of the set, built when the folder is empty."""
    lifted = KnowledgeBaseConfig(limits=Limits(max_documents=None, max_total_bytes=None))
    knowledge_base = KnowledgeBase.open(folder, config=lifted)
    if not knowledge_base.documents():
        rows = [json.loads(line) for line in (data / "corpus.jsonl").open(encoding="utf-8")]
        knowledge_base.add_texts(
            [(row["_id"], f"{row.get('title') or ''}\n\n{row['text']}".strip()) for row in rows]
        )
    return knowledge_base


def tasks(data: Path, answerability: str, limit: int) -> list[dict[str, Any]]:
    """The first turns of one kind, in the order of the file."""
    rows = [json.loads(line) for line in (data / "dev" / "tasks.jsonl").open(encoding="utf-8")]
    return [row for row in rows if row["answerability"] == answerability][:limit]


def answer(
    agent: AgentConfig, task: dict[str, Any], *, model: ChatModel, knowledge_base: KnowledgeBase
) -> Outcome:
    """Answer the last turn of a task the way a session does."""
    said = [
        Turn(role="user" if turn["role"] == "user" else "agent", text=turn["text"])
        for turn in task["turns"]
    ]
    history = said[:-1] if said and said[-1].role == "user" else said
    asked = Turn(role="user", text=task["last_user"])
    section = agent.knowledge_base
    found = knowledge_base.retrieve(asked.text, history=history, limit=section.max_passages)
    fitting = [passage for passage in found if passage.score >= section.min_passage_score]
    prompt = build_prompt(agent, [*history, asked], passages=fitting)
    began_s = time.perf_counter()
    text = model.complete(
        prompt.messages, CompletionOptions(max_output_tokens=agent.llm.max_output_tokens)
    ).text
    return Outcome(
        refused=admits_not_knowing(text),
        grounded_share=attribute(text, prompt.passages).grounded_share,
        seconds=time.perf_counter() - began_s,
    )


def main() -> None:
    """Print the figures."""
    model_name = sys.argv[1] if len(sys.argv) > 1 else MODEL
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    datasets = Path(os.environ.get("VIVAVOCE_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
    data = datasets / "mtrag"
    if not data.is_dir():
        sys.exit(f"no measuring data at {data} (set VIVAVOCE_DATASETS)")
    agent = AgentConfig(agent_id="bench", name="Bench", system_prompt="You answer questions.")
    model = open_chat_model(model_name)
    model.check()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(temporary)
        knowledge_base = open_corpus(data, folder)
        for answerability in ("ANSWERABLE", "UNANSWERABLE"):
            outcomes: list[Outcome] = []
            for task in tasks(data, answerability, limit):
                outcomes.append(answer(agent, task, model=model, knowledge_base=knowledge_base))
            shares = [o.grounded_share for o in outcomes if o.grounded_share is not None]
            share = f"{statistics.mean(shares):.2f} (n={len(shares)})" if shares else "none"
            print(
                f"{model_name} {answerability.lower():<12} n={len(outcomes)} "
                f"refused {sum(o.refused for o in outcomes)} grounded share {share} "
                f"median {statistics.median(o.seconds for o in outcomes):.1f} s",
                flush=True,
            )
        knowledge_base.close()


if __name__ == "__main__":
    main()

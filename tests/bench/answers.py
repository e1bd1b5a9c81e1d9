"""Grounded answers and honest refusals on MTRAG turns that people wrote.

    python -m tests.bench.answers [MODEL] [N] [SECONDS]

For N answerable and N unanswerable turns of the dev half: retrieve with the turns before, answer,
and attribute. Reported are the grounded share of answers, refusals where an answer exists (false
ones) and where none does (right ones).

Answers are kept by model and prompt, so that a run that is stopped, or that stops by itself after
SECONDS, goes on where it was; attribution is computed anew each time.
"""

import hashlib
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversation.agent.config import AgentConfig
from conversation.grounding.citations import attribute
from conversation.grounding.not_knowing import admits_not_knowing
from conversation.llm.chat_model import ChatMessage, ChatModel, CompletionOptions
from conversation.llm.open_model import open_chat_model
from conversation.prompt.prompt import Prompt, build_prompt
from conversation.transcript import Turn
from conversation.turn.search import worth_reading
from kb.config import KnowledgeBaseConfig, Limits
from kb.knowledge_base import KnowledgeBase
from kb.retrieval.small_talk import should_search
from tests.bench.places import datasets, store

MODEL = "embedded/qwen2.5-coder-1.5b-instruct"
KINDS = ("ANSWERABLE", "UNANSWERABLE")
AGENT = AgentConfig(agent_id="bench", name="Bench", system_prompt="You answer questions.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one turn."""

    refused: bool
    grounded_share: float | None
    seconds: float
    text: str


class KeptAnswers:
    """Answers of one model by prompt, in a file that only grows."""

    def __init__(self, path: Path, model: ChatModel) -> None:
        self._path = path
        self._model = model
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self._kept: dict[str, dict[str, Any]] = {
            row["prompt"]: row for row in (json.loads(line) for line in lines)
        }

    def has(self, messages: Sequence[ChatMessage]) -> bool:
        """Whether this prompt was answered before."""
        return _digest(messages) in self._kept

    def answer(self, messages: Sequence[ChatMessage]) -> tuple[str, float]:
        """The model's answer, and the seconds that it took when it was made."""
        digest = _digest(messages)
        if digest not in self._kept:
            began_s = time.perf_counter()
            options = CompletionOptions(max_output_tokens=AGENT.llm.max_output_tokens)
            text = self._model.complete(messages, options).text
            row = {"prompt": digest, "text": text, "seconds": time.perf_counter() - began_s}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            self._kept[digest] = row
        row = self._kept[digest]
        return row["text"], row["seconds"]


def open_corpus(data: Path) -> KnowledgeBase:
    """A knowledge base of every passage of the set, built when there is none yet."""
    lifted = KnowledgeBaseConfig(limits=Limits(max_documents=None, max_total_bytes=None))
    knowledge_base = KnowledgeBase.open(store() / "kb" / "mtrag_answers", config=lifted)
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


def prompt_of(task: dict[str, Any], knowledge_base: KnowledgeBase, model: ChatModel) -> Prompt:
    """The prompt that a session makes for the last turn of a task."""
    said = [
        Turn(role="user" if turn["role"] == "user" else "agent", text=turn["text"])
        for turn in task["turns"]
    ]
    history = said[:-1] if said and said[-1].role == "user" else said
    asked = Turn(role="user", text=task["last_user"])
    section = AGENT.knowledge_base
    asks = should_search(asked.text, history)
    found = knowledge_base.retrieve(asked.text, history=history, limit=section.max_passages)
    fitting = worth_reading(AGENT, model, found)
    return build_prompt(AGENT, [*history, asked], passages=fitting if asks else [], asks=asks)


def outcome(prompt: Prompt, answers: KeptAnswers) -> Outcome:
    """Answer one prompt and check the answer against the passages in it."""
    text, seconds = answers.answer(prompt.messages)
    return Outcome(
        refused=admits_not_knowing(text),
        grounded_share=attribute(text, prompt.passages).grounded_share,
        seconds=seconds,
        text=text,
    )


def report(model: str, kind: str, outcomes: Sequence[Outcome], *, asked: int) -> str:
    """One line about one kind of turn."""
    shares = [o.grounded_share for o in outcomes if o.grounded_share is not None]
    share = f"{statistics.mean(shares):.2f} (n={len(shares)})" if shares else "none"
    seconds = statistics.median([o.seconds for o in outcomes]) if outcomes else 0.0
    return (
        f"{model} {kind.lower():<12} n={len(outcomes)} of {asked} "
        f"refused {sum(o.refused for o in outcomes)} grounded share {share} "
        f"median {seconds:.1f} s"
    )


def main() -> None:
    """Print the figures."""
    model_name = sys.argv[1] if len(sys.argv) > 1 else MODEL
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    stop_s = time.monotonic() + (float(sys.argv[3]) if len(sys.argv) > 3 else float("inf"))
    data = datasets() / "mtrag"
    model = open_chat_model(model_name)
    model.check()
    name = model_name.replace("/", "_")
    answers = KeptAnswers(store() / "answers" / f"{name}.jsonl", model)
    with open_corpus(data) as knowledge_base:
        for kind in KINDS:
            prompts = [prompt_of(task, knowledge_base, model) for task in tasks(data, kind, limit)]
            done = [
                outcome(prompt, answers)
                for prompt in prompts
                if answers.has(prompt.messages) or time.monotonic() < stop_s
            ]
            print(report(model_name, kind, done, asked=len(prompts)), flush=True)


def _digest(messages: Sequence[ChatMessage]) -> str:
    joined = "\x1f".join(f"{message.role}\x1e{message.content}" for message in messages)
    return hashlib.sha256(joined.encode()).hexdigest()


if __name__ == "__main__":
    main()

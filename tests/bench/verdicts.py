"""Verdicts on labelled calls: the product's, and a plain prompt's of the same judge."""

import json
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.evaluation.analyse import analyse_transcript
from analysis.results import Verdict
from conversation.agent.config import Criterion
from conversation.errors import ModelError
from conversation.llm.chat_model import ChatMessage, ChatModel, CompletionOptions
from conversation.transcript import Transcript, Turn

PLAIN_SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["success", "failure", "unknown"]}},
    "required": ["verdict"],
}


@dataclass(frozen=True, slots=True)
class LabelledCall:
    """A call, a question about it, and the true answer."""

    transcript: Transcript
    criterion: Criterion
    is_success: bool


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Agreement of verdicts with labels. A missing or unknown verdict counts as wrong."""

    n: int
    right: int
    accuracy: float
    low: float
    """Wilson's 95 % interval."""
    high: float
    failure_f1: float
    undecided: int


def load_star(datasets: Path, *, split: str = "dev", n: int, seed: int = 7) -> list[LabelledCall]:
    """Load `n` task questions of `star_success` on which the log and the user agree."""
    path = datasets / "star_success" / split / "dialogues.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [
        (row, question)
        for row in rows
        for question in row["criteria"]
        if question["kind"] == "task" and question.get("clean")
    ]
    random.Random(seed).shuffle(pairs)
    return [
        LabelledCall(
            Transcript(
                conversation_id=row["_id"],
                turns=tuple(Turn(role=turn["role"], text=turn["text"]) for turn in row["turns"]),
            ),
            Criterion(criterion_id="task", prompt=question["question"]),
            question["answer"],
        )
        for row, question in pairs[:n]
    ]


def accuracy(verdicts: Sequence[Verdict | None], labels: Sequence[bool]) -> Accuracy:
    """Compare verdicts with labels."""
    pairs = list(zip(verdicts, labels, strict=True))
    right = sum((verdict == "success") == label and _decided(verdict) for verdict, label in pairs)
    hits = sum(verdict == "failure" and not label for verdict, label in pairs)
    called = sum(verdict == "failure" for verdict, _ in pairs)
    failures = labels.count(False)
    low, high = wilson(right, len(pairs))
    return Accuracy(
        n=len(pairs),
        right=right,
        accuracy=right / len(pairs),
        low=low,
        high=high,
        failure_f1=2 * hits / max(1, called + failures),
        undecided=sum(not _decided(verdict) for verdict, _ in pairs),
    )


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def judge_calls(calls: Iterable[LabelledCall], judge: ChatModel) -> list[Verdict | None]:
    """Return the product's verdict on each call."""
    return [verdict_on(call, judge) for call in calls]


def verdict_on(call: LabelledCall, judge: ChatModel) -> Verdict | None:
    """Return the product's verdict on a call."""
    result = analyse_transcript(call.transcript, [call.criterion], [], judge, summary=False)
    return result.evaluations[0].verdict


def judge_plainly(call: LabelledCall, judge: ChatModel) -> Verdict | None:
    """Return the verdict of one plain prompt: what the product has to beat."""
    lines = "\n".join(f"{turn.role}: {turn.text}" for turn in call.transcript.turns)
    prompt = (
        f"Conversation:\n{lines}\n\nCriterion: {call.criterion.prompt}\nIs the criterion met? "
        "Answer in JSON with verdict success, failure or unknown."
    )
    try:
        options = CompletionOptions(max_output_tokens=20, schema=PLAIN_SCHEMA)
        return json.loads(judge.complete([ChatMessage("user", prompt)], options).text)["verdict"]
    except (ModelError, ValueError, KeyError):
        return None


def _decided(verdict: Verdict | None) -> bool:
    return verdict in ("success", "failure")

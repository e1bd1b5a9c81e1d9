"""Verdicts against what is known of calls otherwise: the state they left, and what people said."""

import json
import random
import statistics
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from analysis.results import Verdict
from conversation.agent.config import Criterion
from conversation.grounding.citations import attribute
from conversation.llm.chat_model import ChatModel
from conversation.transcript import Transcript, Turn
from kb.document import RetrievedPassage
from tests.bench.kept_judge import measured
from tests.bench.measures import roc_auc
from tests.bench.verdicts import LabelledCall, accuracy, verdict_on

MAX_TOOL_CHARS = 400
"""Of what a tool answered, in a trajectory."""
MAX_PASSAGES_CHARS = 4_000
DONE = Criterion(
    criterion_id="done",
    prompt=(
        "The agent carried out what the user asked for, completely and correctly: every booking, "
        "change or cancellation that the user wanted and that the rules allow was made, with the "
        "right details. It is a failure when something was left undone, was done wrongly, or was "
        "handed over to a person without need."
    ),
)
FAITHFUL = Criterion(
    criterion_id="faithful",
    prompt=(
        "Everything that the agent says in its last turn stands in the passages of turn 0 or in "
        "what was said before. It is a failure when its last turn states something that they do "
        "not tell. Saying that one does not know is a success."
    ),
)


def measure_tau(judge: ChatModel, *, datasets: Path, n: int, seed: int) -> dict[str, object]:
    """Measure verdicts on simulated airline calls against the state that they left."""
    path = datasets / "tau_airline" / "dev" / "trajectories.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    random.Random(seed).shuffle(rows)
    rows = _in_turn([r for r in rows if r["reward"] == 1], [r for r in rows if r["reward"] != 1])
    calls = [LabelledCall(_trajectory(row), DONE, row["reward"] == 1) for row in rows[:n]]
    return _compared(calls, judge)


def measure_faithfulness(
    judge: ChatModel, *, datasets: Path, n: int, seed: int
) -> dict[str, object]:
    """Measure verdicts on answers against the median of three people, faithful from 3 of 4.

    `grounded_share` is what attribution without any model says of all these answers that state
    something: how well it ranks the faithful ones first, and the balanced accuracy of half.
    """
    folder = datasets / "mtrag"
    passages = {
        row["_id"]: row["text"]
        for row in map(json.loads, (folder / "corpus.jsonl").read_text("utf-8").splitlines())
    }
    path = folder / "dev" / "human_judged_answers.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    grounded = _grounded(rows, passages)
    random.Random(seed).shuffle(rows)
    rows = _in_turn([r for r in rows if not _is_faithful(r)], [r for r in rows if _is_faithful(r)])
    calls = [LabelledCall(_answer(row, passages), FAITHFUL, _is_faithful(row)) for row in rows[:n]]
    return {**_compared(calls, judge), "grounded_share": grounded}


def _grounded(rows: list[dict[str, Any]], passages: dict[str, str]) -> dict[str, float]:
    shares: list[tuple[bool, float]] = []
    for row in rows:
        known = [key for key in row["context_ids"] if key in passages]
        shown = [_passage(rank, key, passages[key]) for rank, key in enumerate(known, start=1)]
        share = attribute(row["response"], shown).grounded_share
        if share is not None:
            shares.append((_is_faithful(row), share))
    kept, not_kept = ([share for label, share in shares if label is each] for each in (True, False))
    return {
        "n": len(shares),
        "unfaithful": len(not_kept),
        "roc_auc": roc_auc(kept, not_kept),
        "balanced_accuracy": statistics.mean(
            [
                statistics.mean(share >= 0.5 for share in kept),
                statistics.mean(share < 0.5 for share in not_kept),
            ]
        ),
    }


def _passage(rank: int, key: str, text: str) -> RetrievedPassage:
    return RetrievedPassage(
        document_id=key,
        document_name=key,
        chunk_id=key,
        text=text,
        start_char=0,
        end_char=len(text),
        heading_path=(),
        page=None,
        score=1.0,
        rank=rank,
    )


def _compared(calls: list[LabelledCall], judge: ChatModel) -> dict[str, object]:
    done, left = measured(calls, partial(verdict_on, judge=judge))
    labels = [call.is_success for call, _ in done]
    verdicts: list[Verdict | None] = [verdict for _, verdict in done]
    sensitivity, specificity = (
        sum(v == wanted for v, label in zip(verdicts, labels, strict=True) if label is is_success)
        / max(1, labels.count(is_success))
        for is_success, wanted in ((True, "success"), (False, "failure"))
    )
    return {
        **asdict(accuracy(verdicts, labels)),
        "sensitivity": sensitivity,
        "specificity": specificity,
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "successes": labels.count(True),
        "left": left,
    }


def _in_turn(first: list[Any], second: list[Any]) -> list[Any]:
    """Return both classes in turn, so that a small sample has as many of each."""
    return [row for pair in zip(first, second, strict=False) for row in pair]


def _trajectory(row: dict[str, Any]) -> Transcript:
    turns: list[Turn] = []
    for turn in row["turns"]:
        text = (turn.get("content") or "").replace("###STOP###", "").strip()
        if turn["role"] == "user" and text:
            turns.append(Turn(role="user", text=text))
        elif turn["role"] == "tool":
            turns.append(Turn(role="agent", text=f"(tool answered: {text[:MAX_TOOL_CHARS]})"))
        elif turn["role"] == "assistant":
            called = [
                f"(calls {call['name']} with {call['arguments']})"
                for call in turn.get("tool_calls") or ()
            ]
            said = " ".join([*([text] if text else []), *called])
            if said:
                turns.append(Turn(role="agent", text=said))
    return Transcript(conversation_id=row["_id"], turns=tuple(turns))


def _answer(row: dict[str, Any], passages: dict[str, str]) -> Transcript:
    found = " / ".join(passages[key] for key in row["context_ids"] if key in passages)
    said = [Turn(role=turn["role"], text=turn["text"]) for turn in row["turns"]]
    turns = (
        Turn(role="agent", text=f"(passages: {found[:MAX_PASSAGES_CHARS] or 'none'})"),
        *said,
        Turn(role="agent", text=row["response"]),
    )
    return Transcript(conversation_id=f"{row['task_id']}/{row['model']}", turns=turns)


def _is_faithful(row: dict[str, Any]) -> bool:
    return statistics.median(row["human"]["faithfulness"]) >= 3

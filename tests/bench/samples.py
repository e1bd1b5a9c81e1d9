"""The sample calls of this repository, judged by the sample agent's criteria and fields."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from analysis.evaluation.analyse import analyse_transcript
from analysis.results import FieldValue
from conversation.agent.config import Criterion, DataCollectionField
from conversation.llm.chat_model import ChatModel
from conversation.transcript import Transcript, Turn
from tests.bench.kept_judge import measured

DATA = Path(__file__).resolve().parents[2] / "data"


@dataclass(frozen=True, slots=True)
class SampleCall:
    """A call with what a careful person says about it."""

    transcript: Transcript
    verdicts: dict[str, str]
    values: dict[str, FieldValue]


def load_samples(data: Path = DATA) -> list[SampleCall]:
    """Load the calls of `data/transcripts`."""
    rows = [
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((data / "transcripts").glob("*.yaml"))
    ]
    return [
        SampleCall(
            Transcript(
                conversation_id=row["conversation_id"],
                turns=tuple(Turn(role=turn["role"], text=turn["text"]) for turn in row["turns"]),
            ),
            row["labels"]["criteria"],
            row["labels"]["fields"],
        )
        for row in rows
    ]


def load_questions(
    data: Path = DATA,
) -> tuple[list[Criterion], list[DataCollectionField]]:
    """Load criteria and fields of the sample agent."""
    agent = yaml.safe_load((data / "agents" / "support.yaml").read_text(encoding="utf-8"))
    return (
        [Criterion.model_validate(criterion) for criterion in agent["criteria"]],
        [DataCollectionField.model_validate(field) for field in agent["data_collection"]],
    )


def measure_samples(judge: ChatModel, *, n: int, **_: Any) -> dict[str, object]:
    """Judge the first `n` sample calls as the demo does; list what differs from the labels."""
    calls = load_samples()[:n]
    criteria, fields = load_questions()
    right: Counter[str] = Counter()
    wrong: list[str] = []
    done, left = measured(
        calls,
        lambda call: analyse_transcript(call.transcript, criteria, fields, judge, summary=False),
    )
    for call, result in done:
        found = {
            **{each.criterion_id: each.verdict for each in result.evaluations},
            **{each.field_id: each.value for each in result.collected},
        }
        for name, label, value in _pairs(call, found):
            right[name] += _same(label, value)
            if not _same(label, value):
                wrong.append(f"{call.transcript.conversation_id} {name}: {value!r}, not {label!r}")
    return {
        "calls": len(done),
        "right": dict(right),
        "wrong": wrong,
        "left": left,
    }


def _pairs(call: SampleCall, found: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name, label in {**call.verdicts, **call.values}.items():
        yield name, label, found.get(name)


def _same(label: object, value: object) -> bool:
    if isinstance(label, str) and isinstance(value, str):
        return label.casefold() == value.casefold()
    return label == value

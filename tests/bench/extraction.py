"""Scoring of collected values against dialogues with known field values."""

import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.results import CollectedValue, FieldValue
from conversation.agent.config import DataCollectionField
from conversation.transcript import Transcript, Turn


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation, the fields to collect from it, and what they should come to."""

    transcript: Transcript
    fields: tuple[DataCollectionField, ...]
    gold: Mapping[str, Sequence[str] | None]
    """Acceptable forms; None for a field that the user did not settle."""
    said_by_agent: Mapping[str, Sequence[str]]
    """Values that the agent named: no invention for a field that the user did not settle."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """Counts over dialogues."""

    filled: int = 0
    found: int = 0
    empty: int = 0
    invented: int = 0
    ill_typed: int = 0
    all_right: int = 0
    dialogues: int = 0

    def __add__(self, other: "Extraction") -> "Extraction":
        return Extraction(
            *(
                getattr(self, name) + getattr(other, name)
                for name in Extraction.__dataclass_fields__
            )
        )


def load_dialogues(
    datasets: Path, *, split: str = "dev", n: int, seed: int = 7, start: int = 0
) -> list[Dialogue]:
    """Load `n` dialogues of `sgd_extraction`, drawn with `seed`, from number `start` on."""
    path = datasets / "sgd_extraction" / split / "dialogues.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    random.Random(seed).shuffle(rows)
    return [
        Dialogue(
            Transcript(
                conversation_id=row["_id"],
                turns=tuple(Turn(role=turn["role"], text=turn["text"]) for turn in row["turns"]),
            ),
            tuple(
                DataCollectionField(
                    field_id=field["name"],
                    type=field["type"],
                    description=field["description"],
                    enum=tuple(field["enum"]) if field["enum"] else None,
                )
                for field in row["fields"]
            ),
            row["gold"],
            row["said_by_agent"],
        )
        for row in rows[start : start + n]
    ]


def score_dialogue(dialogue: Dialogue, collected: Iterable[CollectedValue]) -> Extraction:
    """Count what was found, missed and invented."""
    values = {each.field_id: each.value for each in collected}
    filled = found = empty = invented = ill_typed = 0
    for field in dialogue.fields:
        value, gold = values.get(field.field_id), dialogue.gold[field.field_id]
        ill_typed += not has_type(field, value)
        if gold is None:
            empty += 1
            said = dialogue.said_by_agent.get(field.field_id) or ()
            invented += value is not None and not matches(value, said)
        else:
            filled += 1
            found += value is not None and matches(value, gold)
    all_right = int(found == filled and not invented)
    return Extraction(filled, found, empty, invented, ill_typed, all_right, 1)


def matches(value: FieldValue, forms: Iterable[str]) -> bool:
    """Return whether `value` is one of the acceptable forms, times and dates normalised."""
    return normalised(str(value)) in {normalised(form) for form in forms}


def normalised(text: str) -> str:
    """Fold case and the ways to write one time, day, amount or number."""
    folded = text.strip().casefold().rstrip(".").replace("p.m.", "pm").replace("a.m.", "am")
    folded = re.sub(r"(?<=\d)\s+(am|pm)\b", r"\1", folded)
    folded = re.sub(r"(?<=\d):00(?=am|pm)", "", folded)
    folded = re.sub(r"\b(\d+)(st|nd|rd|th)\b", r"\1", folded)
    folded = re.sub(r"^(the|on|at) ", "", folded)
    return " ".join(re.sub(r"[$,]", "", folded).split())


def has_type(field: DataCollectionField, value: FieldValue) -> bool:
    """Return whether a collected value has its field's type and is allowed."""
    if value is None:
        return True
    types = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    if isinstance(value, bool) != (field.type == "boolean"):
        return False
    in_enum = not field.enum or str(value) in field.enum
    return isinstance(value, types[field.type]) and in_enum

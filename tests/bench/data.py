"""The measuring data as texts to take in and turns to answer."""

import csv
import gzip
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """A turn of a task's history."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """One query, what was said before, and which texts answer it."""

    task_id: str
    query: str
    relevant: frozenset[str]
    history: tuple[SaidTurn, ...] = ()
    answerable: bool | None = None
    """Whether any text answers it; None where the data does not say."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Texts by id, and tasks on them."""

    name: str
    texts: dict[str, str]
    tasks: tuple[Task, ...]


def load_collection(name: str, datasets: Path) -> Collection:
    """Load one data set by its name in `COLLECTIONS`."""
    return COLLECTIONS[name](datasets)


def sampled(tasks: Sequence[Task], count: int) -> list[Task]:
    """The same `count` tasks in every run."""
    return list(tasks) if len(tasks) <= count else random.Random(0).sample(list(tasks), count)


def _scifact(datasets: Path) -> Collection:
    folder = datasets / "scifact"
    with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    texts = {row["_id"]: f"# {row['title']}\n\n{row['text']}" for row in rows}
    relevant = _qrels(folder / "dev" / "qrels.tsv")
    tasks = [
        Task(row["_id"], row["text"], relevant[row["_id"]])
        for row in _rows(folder / "dev" / "queries.jsonl")
        if row["_id"] in relevant
    ]
    return Collection("scifact", texts, tuple(tasks))


def _mtrag(datasets: Path) -> Collection:
    folder = datasets / "mtrag"
    texts = {row["_id"]: _titled(row) for row in _rows(folder / "corpus.jsonl")}
    relevant = _qrels(folder / "dev" / "qrels.tsv")
    tasks: list[Task] = []
    for row in _rows(folder / "dev" / "tasks.jsonl"):
        history = tuple(SaidTurn(turn["role"], turn["text"]) for turn in row["turns"])
        while history and history[-1].role != "user":
            history = history[:-1]
        tasks.append(
            Task(
                row["_id"],
                history[-1].text,
                relevant.get(row["_id"], frozenset()),
                history[:-1],
                answerable={"ANSWERABLE": True, "UNANSWERABLE": False}.get(row["answerability"]),
            )
        )
    return Collection("mtrag", texts, tuple(tasks))


def _dstc10(datasets: Path) -> Collection:
    folder = datasets / "dstc_faq"
    texts = {
        row["_id"]: (
            f"# {row['entity']} ({row['domain']}, {row['city']})\n\n"
            f"## {row['title']}\n\n{row['body']}"
        )
        for row in _rows(folder / "dstc10_knowledge.jsonl")
    }
    return Collection("dstc10", texts, _dialogues(folder / "dev" / "dstc10_val_spoken.jsonl"))


def _dstc11(datasets: Path) -> Collection:
    folder = datasets / "dstc_faq"
    texts: dict[str, str] = {}
    for row in _rows(folder / "dstc11_knowledge.jsonl"):
        title = f"## {row['title']}\n\n" if row.get("title") else ""
        body = row.get("text") or row.get("body")
        texts[row["_id"]] = f"# {row['entity']} ({row['domain']})\n\n{title}{body}"
    return Collection("dstc11", texts, _dialogues(folder / "dev" / "dstc11_val.jsonl"))


def _dialogues(path: Path) -> tuple[Task, ...]:
    """Dialogues; `answerable` says whether the last turn asks for knowledge at all."""
    return tuple(
        Task(
            row["_id"],
            row["turns"][-1]["text"],
            frozenset(row["relevant_ids"]),
            tuple(
                SaidTurn("user" if turn["speaker"] == "U" else "agent", turn["text"])
                for turn in row["turns"][:-1]
            ),
            answerable=row["knowledge_seeking"],
        )
        for row in _rows(path)
    )


def _xquad(datasets: Path, *, language: str = "en") -> Collection:
    folder = datasets / "xquad"
    texts = {row["_id"]: _titled(row) for row in _rows(folder / f"corpus.{language}.jsonl")}
    relevant = _qrels(folder / "dev" / "qrels.tsv")
    tasks = [
        Task(row["_id"], row["text"], relevant[row["_id"]])
        for row in _rows(folder / "dev" / f"queries.{language}.jsonl")
    ]
    return Collection(f"xquad_{language}", texts, tuple(tasks))


def xquad_across(datasets: Path, *, language: str) -> Collection:
    """Questions in one language about English texts."""
    english, asked = _xquad(datasets), _xquad(datasets, language=language)
    return Collection(english.name, english.texts, asked.tasks)


def _helpcentre(datasets: Path) -> Collection:
    folder = datasets / "helpcentre" / "dev"
    texts = {row["_id"]: _titled(row, body="body") for row in _rows(folder / "onyx_pages.jsonl")}
    tasks = [
        Task(row["_id"], row["text"], frozenset(row["relevant_ids"]))
        for row in _rows(folder / "onyx_queries.jsonl")
    ]
    return Collection("helpcentre", texts, tuple(tasks))


COLLECTIONS: dict[str, Callable[[Path], Collection]] = {
    "scifact": _scifact,
    "mtrag": _mtrag,
    "dstc10": _dstc10,
    "dstc11": _dstc11,
    "xquad": _xquad,
    "xquad_de": partial(_xquad, language="de"),
    "xquad_es": partial(_xquad, language="es"),
    "xquad_zh": partial(_xquad, language="zh"),
    "xquad_de_en": partial(xquad_across, language="de"),
    "xquad_zh_en": partial(xquad_across, language="zh"),
    "helpcentre": _helpcentre,
}


def _titled(row: dict[str, Any], *, body: str = "text") -> str:
    return f"# {row['title']}\n\n{row[body]}" if row["title"] else str(row[body])


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _qrels(path: Path) -> dict[str, frozenset[str]]:
    relevant: dict[str, set[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if int(row["score"]) > 0:
                relevant.setdefault(row["query-id"], set()).add(row["corpus-id"])
    return {query_id: frozenset(ids) for query_id, ids in relevant.items()}

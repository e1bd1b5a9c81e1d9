"""How well topics and knowledge gaps are found: `python -m tests.bench.improving`.

* Topics: dialogues of SGD (dev) clustered by what users said; purity against their service.
* Weak retrieval: the pages that half of a help centre's queries seek are left out; how many of
  the queries below `WEAK_SCORE` seek a page that is missing, and how many others are below it.
* Fixed gaps: half of the missing pages come in; whose questions are called answered.
"""

import json
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from analysis.evaluators.unanswered import WEAK_SCORE
from analysis.gaps.checking import ask_again
from analysis.gaps.store import KeptQuestion
from analysis.topics.clustering import NO_CLUSTER, cluster
from analysis.topics.topics import MAX_DISTANCE, MIN_CONVERSATIONS, topic_text
from conversation.transcript import Transcript, Turn
from kb.config import EmbeddingConfig, KnowledgeBaseConfig, Limits
from kb.embedding.open_embedder import open_embedder
from kb.knowledge_base import KnowledgeBase
from tests.analysis.calls import DAY
from tests.bench import places

LIFTED = KnowledgeBaseConfig(limits=Limits(max_documents=None, max_total_bytes=None))
Row = dict[str, Any]


def run(datasets: Path) -> list[Row]:
    """Return every figure with its number of cases."""
    return [*_topics(datasets), *_gaps(datasets / "helpcentre" / "dev")]


def _topics(datasets: Path) -> list[Row]:
    dialogues = _rows(datasets / "sgd_extraction" / "dev" / "dialogues.jsonl")
    embedder = open_embedder(EmbeddingConfig())
    figures: list[Row] = []
    for name, chosen in (
        ("all dialogues", dialogues),
        ("dialogues of one service", [d for d in dialogues if len(_services(d)) == 1]),
    ):
        texts = [topic_text(_transcript(dialogue)) for dialogue in chosen]
        labels = cluster(
            embedder.embed(texts),
            max_distance=MAX_DISTANCE,
            min_size=MIN_CONVERSATIONS,
            centred=True,
        )
        pure = 0
        for label in set(labels) - {NO_CLUSTER}:
            held = [d for d, found in zip(chosen, labels, strict=True) if found == label]
            pure += Counter(_services(d)[0] for d in held).most_common(1)[0][1]
        inside = sum(label != NO_CLUSTER for label in labels)
        services = len({_services(dialogue)[0] for dialogue in chosen})
        found = f"{max(labels) + 1} topics for {services} services"
        figures.append(_row(f"topics, {name}, {found}: purity", pure, inside))
        figures.append(_row(f"topics, {name}: share with a topic", inside, len(chosen)))
    return figures


def _services(dialogue: Row) -> list[str]:
    """Kinds of service, the most frequent first."""
    kinds = [service.partition("_")[0] for service in dialogue["services"]]
    return [kind for kind, _ in Counter(kinds).most_common()]


def _transcript(dialogue: Row) -> Transcript:
    turns = tuple(Turn(role=turn["role"], text=turn["text"]) for turn in dialogue["turns"])
    return Transcript(conversation_id=dialogue["_id"], turns=turns)


def _gaps(folder: Path) -> list[Row]:
    pages = {row["_id"]: row for row in _rows(folder / "onyx_pages.jsonl")}
    queries = _rows(folder / "onyx_queries.jsonl")
    random.Random(1).shuffle(queries)
    half = len(queries) // 2
    missing = queries[:half]
    returning, staying = missing[: half // 2], missing[half // 2 :]
    gone, back = _sought(missing), _sought(returning)
    with tempfile.TemporaryDirectory() as place, KnowledgeBase.open(place, LIFTED) as kb:
        kb.add_texts(_text(page) for key, page in pages.items() if key not in gone)
        asked = {query["_id"]: _question(query, kb) for query in queries}
        weak = {key for key, question in asked.items() if (question.score or 0) < WEAK_SCORE}
        lacking = {q["_id"] for q in queries if gone & set(q["relevant_ids"])}
        kb.add_texts(_text(pages[key]) for key in sorted(back))
        questions = [asked[query["_id"]] for query in missing]
        again = ask_again(questions, kb, lambda key: Transcript(conversation_id=key))
    fixed = {key.rpartition(":")[0] for key, found in again.items() if found.answered}
    return [
        _row("weak retrieval: page is missing", len(weak & lacking), len(weak)),
        _row("weak retrieval: of missing pages found", len(weak & lacking), len(lacking)),
        _row("weak retrieval: false alarms", len(weak - lacking), len(queries) - len(lacking)),
        _row("page came in: called fixed", *_among(fixed, returning)),
        _row("page still missing: called fixed", *_among(fixed, staying)),
    ]


def _question(query: Row, kb: KnowledgeBase) -> KeptQuestion:
    passages = kb.retrieve(query["text"], limit=5)
    return KeptQuestion(
        conversation_id=query["_id"],
        turn_index=0,
        gap_id=None,
        question=query["text"],
        asked_at=DAY,
        reasons=("weak_retrieval",),
        score=max((passage.score for passage in passages), default=None),
        seen_chunk_ids=tuple(passage.chunk_id for passage in passages),
        model_id="",
        vector=np.empty(0, dtype=np.float32),
    )


def _among(ids: set[str], queries: list[Row]) -> tuple[int, int]:
    return sum(query["_id"] in ids for query in queries), len(queries)


def _sought(queries: list[Row]) -> set[str]:
    return {page for query in queries for page in query["relevant_ids"]}


def _text(page: Row) -> tuple[str, str]:
    return page["_id"], f"# {page['title']}\n\n{page['body']}"


def _rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _row(what: str, hits: int, n: int) -> Row:
    return {"what": what, "value": round(hits / n, 3) if n else None, "n": n}


def main() -> None:
    """Print every figure."""
    for row in run(places.datasets()):
        print(json.dumps(row))


if __name__ == "__main__":
    main()

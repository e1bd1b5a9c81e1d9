"""Chunking at equal returned characters, on questions whose answers are marked in the text.

    python -m tests.bench.chunking [TARGET_CHARS ...]

For each question the passages are read in rank order until the budget of characters is used up.
recall = marked characters returned / marked; IoU = marked returned / (marked or returned).
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.config import ChunkingConfig, KnowledgeBaseConfig, Limits, RetrievalConfig
from kb.document import RetrievedPassage
from kb.knowledge_base import KnowledgeBase
from tests.bench.data import Collection
from tests.bench.measures import interval, mean
from tests.bench.places import datasets
from tests.bench.retrieval import open_collection

BUDGETS = (2_000, 4_000)
DEFAULT_TARGETS = (ChunkingConfig().target_chars,)
DEPTH = 40
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the spans of one text that answer it."""

    text: str
    corpus: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one answer covers."""

    recall: float
    iou: float


def load_questions(folder: Path) -> list[Question]:
    """The dev questions."""
    rows = [
        json.loads(line)
        for line in (folder / "chunking_eval" / "dev" / "questions.jsonl").open(encoding="utf-8")
    ]
    return [
        Question(
            row["question"],
            row["corpus_id"],
            tuple((span["start_index"], span["end_index"]) for span in row["references"]),
        )
        for row in rows
    ]


def coverage(question: Question, returned: Iterable[tuple[str, Span]], budget: int) -> Coverage:
    """Measure (corpus, span) pairs in rank order, cut where the budget ends."""
    wanted = {place for start, end in question.spans for place in range(start, end)}
    left, right, seen_elsewhere = budget, set[int](), 0
    for corpus, (start, end) in returned:
        end = min(end, start + left)
        left -= max(0, end - start)
        if corpus == question.corpus:
            right.update(range(start, end))
        else:
            seen_elsewhere += max(0, end - start)
    both = len(wanted & right)
    return Coverage(both / len(wanted), both / (len(wanted | right) + seen_elsewhere))


def measure(kb: KnowledgeBase, questions: Sequence[Question]) -> dict[int, list[Coverage]]:
    """Coverage of every question for each budget."""
    found: dict[int, list[Coverage]] = {budget: [] for budget in BUDGETS}
    for question in questions:
        spans = [_span(passage) for passage in kb.retrieve(question.text, limit=DEPTH)]
        for budget in BUDGETS:
            found[budget].append(coverage(question, spans, budget))
    return found


def corpora_of(folder: Path) -> dict[str, str]:
    """All texts by name, byte for byte."""
    paths = sorted((folder / "chunking_eval" / "corpora").glob("*.md"))
    return {path.stem: path.read_bytes().decode("utf-8") for path in paths}


def open_corpora(folder: Path, *, target_chars: int, merge_chars: int) -> KnowledgeBase:
    """All corpora in one knowledge base, kept for the next run."""
    config = KnowledgeBaseConfig(
        limits=Limits(max_documents=None, max_total_bytes=None),
        chunking=ChunkingConfig(target_chars=target_chars),
        retrieval=RetrievalConfig(merge_chars=merge_chars),
    )
    return open_collection(Collection("chunking_eval", corpora_of(folder), ()), config)


def main(targets: Sequence[int], folder: Path) -> None:
    """Print one line for each chunk length, budget and way of joining neighbours."""
    questions = load_questions(folder)
    print(f"{'target':>6}{'merge':>7}{'budget':>8}  {'recall':<24}{'IoU':>7}   n={len(questions)}")
    for target in targets:
        for merge in (1, 1_200):
            with open_corpora(folder, target_chars=target, merge_chars=merge) as kb:
                for budget, covered in measure(kb, questions).items():
                    recalls = [each.recall for each in covered]
                    low, high = interval(recalls)
                    print(
                        f"{target:>6}{merge:>7}{budget:>8}  {mean(recalls):.4f} "
                        f"[{low:.3f}, {high:.3f}]    {mean([each.iou for each in covered]):>7.4f}",
                        flush=True,
                    )


def _span(passage: RetrievedPassage) -> tuple[str, Span]:
    return passage.document_name, (passage.start_char, passage.end_char)


if __name__ == "__main__":
    main([int(target) for target in sys.argv[1:]] or DEFAULT_TARGETS, datasets())

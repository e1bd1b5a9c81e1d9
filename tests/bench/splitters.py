"""Ways to cut texts, at equal returned characters and with the same retrieval for all of them.

    python -m tests.bench.splitters

* structure          `kb.ingest.chunking` as it ships: headings, blocks, sentences, a bound in
                     tokens, and the heading path before the embedded text
* no headings        the same without the heading path
* recursive N        LangChain's recursive splitter at N characters
* sentence windows   each sentence embedded, returned with three before and after it, as
                     LlamaIndex's `SentenceWindowNodeParser` does

Two retrievals, both exact: meaning alone, and meaning and words (bm25s) fused by rank. Returned
characters that were returned before do not count twice against the budget.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from kb.config import ChunkingConfig
from kb.embedding.embedder import Embedder, Vectors
from kb.formats.data.plain_structure import parse_text
from kb.ingest.chunking import split_document
from tests.bench.baselines import Place, recursive_pieces
from tests.bench.chunking import (
    BUDGETS,
    Coverage,
    Question,
    Span,
    corpora_of,
    coverage,
    load_questions,
)
from tests.bench.embedders import remembering
from tests.bench.figures import mean_figure, record
from tests.bench.measures import interval, mean
from tests.bench.places import datasets, reports
from tests.bench.tables import markdown

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WINDOW = 3
_DEPTH = 60
_K = 10
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """What is embedded, and what is returned for it."""

    embedded: str
    returned: Place


def structure(texts: Texts, embedder: Embedder, *, headings: bool = True) -> list[Piece]:
    """As this project cuts."""
    config = ChunkingConfig()
    pieces: list[Piece] = []
    for name, text in texts.items():
        chunks = split_document(
            parse_text(text), document_id=name, tokenizer=embedder.tokenizer, config=config
        )
        said = [chunk.indexed_text if headings else chunk.text for chunk in chunks]
        pieces += [
            Piece(embedded, Place(name, chunk.start_char, chunk.end_char))
            for embedded, chunk in zip(said, chunks, strict=True)
        ]
    return pieces


def recursive(texts: Texts, *, max_chars: int) -> list[Piece]:
    """As LangChain cuts."""
    places, pieces = recursive_pieces(texts, max_chars=max_chars)
    return [Piece(said, place) for said, place in zip(pieces, places, strict=True)]


def sentence_windows(texts: Texts) -> list[Piece]:
    """As LlamaIndex's sentence windows."""
    pieces: list[Piece] = []
    for name, text in texts.items():
        spans = list(sentences(text))
        for at, (start, end) in enumerate(spans):
            first, last = spans[max(0, at - _WINDOW)], spans[min(len(spans) - 1, at + _WINDOW)]
            pieces.append(Piece(text[start:end], Place(name, first[0], last[1])))
    return pieces


def sentences(text: str) -> Iterator[Span]:
    """Spans between ends of sentences or lines, white space left out."""
    borders = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    for start, end in pairwise(borders):
        said = text[start:end].rstrip()
        if said:
            yield start, start + len(said)


def new_parts(places: Sequence[Place]) -> list[tuple[str, Span]]:
    """The places in order, each without what an earlier one returned."""
    returned: dict[str, list[Span]] = {}
    parts: list[tuple[str, Span]] = []
    for place in places:
        left = [(place.start, place.end)]
        for start, end in returned.setdefault(place.name, []):
            left = [
                part
                for low, high in left
                for part in ((low, min(high, start)), (max(low, end), high))
                if part[0] < part[1]
            ]
        returned[place.name] += left
        parts += [(place.name, part) for part in left]
    return parts


def rankings(
    pieces: Sequence[Piece], questions: Sequence[Question], embedder: Embedder
) -> dict[str, list[list[int]]]:
    """Places of the best pieces of each question, by meaning, and by meaning and words."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")

    def words(said: list[str]) -> Any:
        return bm25s.tokenize(said, stopwords="en", stemmer=stemmer, show_progress=False)

    index = bm25s.BM25()
    index.index(words([piece.embedded for piece in pieces]), show_progress=False)
    asked = [question.text for question in questions]
    by_words, _ = index.retrieve(words(asked), k=_DEPTH, show_progress=False)
    matrix: Vectors = embedder.embed([piece.embedded for piece in pieces])
    cosines = embedder.embed_queries(asked) @ matrix.T
    by_meaning = np.argsort(-cosines, axis=1)[:, :_DEPTH]
    both = [fuse(meant, said) for meant, said in zip(by_meaning, by_words, strict=True)]
    return {"meaning": [[int(at) for at in row] for row in by_meaning], "meaning + words": both}


def fuse(*ranked: Sequence[int]) -> list[int]:
    """Reciprocal rank fusion."""
    scores: dict[int, float] = {}
    for row in ranked:
        for rank, at in enumerate(row, start=1):
            scores[int(at)] = scores.get(int(at), 0.0) + 1 / (_K + rank)
    return sorted(scores, key=lambda at: -scores[at])[:_DEPTH]


def covered(
    pieces: Sequence[Piece], ranked: Sequence[Sequence[int]], questions: Sequence[Question]
) -> dict[int, list[Coverage]]:
    """Coverage of every question for each budget."""
    found: dict[int, list[Coverage]] = {budget: [] for budget in BUDGETS}
    for question, row in zip(questions, ranked, strict=True):
        parts = new_parts([pieces[at].returned for at in row])
        for budget in BUDGETS:
            found[budget].append(coverage(question, parts, budget))
    return found


def main() -> None:
    """Print a line for each splitter and retrieval."""
    embedder = remembering(queries_too=True)
    texts, questions = corpora_of(datasets()), load_questions(datasets())
    splitters: dict[str, Callable[[], list[Piece]]] = {
        "structure": lambda: structure(texts, embedder),
        "no headings": lambda: structure(texts, embedder, headings=False),
        "recursive 400": lambda: recursive(texts, max_chars=400),
        "recursive 800": lambda: recursive(texts, max_chars=800),
        "sentence windows": lambda: sentence_windows(texts),
    }
    head = ["splitter", "pieces", "retrieval"]
    head += [f"{what}@{budget}" for budget in BUDGETS for what in ("recall", "IoU")]
    rows = [head]
    for name, cut in splitters.items():
        pieces = cut()
        for retrieval, ranked in rankings(pieces, questions, embedder).items():
            found = covered(pieces, ranked, questions)
            cells = [name, f"{len(pieces)}", retrieval]
            for held in found.values():
                recalls = [each.recall for each in held]
                low, high = interval(recalls)
                cells.append(f"{mean(recalls):.3f} [{low:.3f}, {high:.3f}]")
                cells.append(f"{mean([each.iou for each in held]):.3f}")
            rows.append(cells)
            record(
                "splitters",
                [
                    mean_figure(
                        f"splitters/{name}, {retrieval} recall@{budget}",
                        [each.recall for each in held],
                    )
                    for budget, held in found.items()
                ],
            )
            print("  ".join(cells), file=sys.stderr, flush=True)
    text = f"n = {len(questions)}\n\n{markdown(rows)}\n"
    (reports() / "splitters.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

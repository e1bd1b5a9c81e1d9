"""Knowledge bases of any size: sentences of a measuring set put together anew.

Vectors are drawn around those of real texts, so that building costs no embedding. What is built is
kept, and a build that was stopped goes on where it was.

    python -m tests.bench.synthetic CHUNKS [SECONDS]
"""

import json
import random
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kb.knowledge_base import KnowledgeBase
from tests.bench.data import load_collection
from tests.bench.embedders import Scattered, remembering
from tests.bench.places import datasets, store
from tests.bench.retrieval import bench_config

CHUNKS_PER_TEXT = 20
_TEXTS_PER_PUBLISH = 500
_SEEDS = 300
_PARAGRAPH_CHARS = 390


@dataclass(frozen=True, slots=True)
class Built:
    """How far a knowledge base is."""

    texts: int
    """Of those wanted, how many are in."""
    wanted: int
    seconds: float
    """Spent on it, in all runs."""

    @property
    def complete(self) -> bool:
        """Whether all are in."""
        return self.texts >= self.wanted


def directory_of(chunks: int) -> Path:
    """Where the knowledge base of about so many chunks is kept."""
    return store() / "kb" / f"synthetic_{chunks}"


def build(chunks: int, *, at_most_s: float) -> Built:
    """Fill the knowledge base of about so many chunks, or go on with it.

    Begins with a copy of the largest smaller one: text number n is the same in all of them.
    """
    directory = directory_of(chunks)
    if not directory.exists():
        _start_from_smaller(chunks, directory)
    wanted = chunks // CHUNKS_PER_TEXT
    built = progress_of(directory, wanted=wanted)
    if built.complete:
        return built
    deadline = time.monotonic() + at_most_s
    with KnowledgeBase(directory, bench_config(), embedder=_scattered, read_only=False) as kb:
        held = len(kb.documents())
        while held < wanted and time.monotonic() < deadline:
            started = time.monotonic()
            numbers = range(held, min(held + _TEXTS_PER_PUBLISH, wanted))
            kb.add_texts([(f"text {number}", synthetic_text(number)) for number in numbers])
            held = numbers.stop
            built = Built(held, wanted, built.seconds + time.monotonic() - started)
            _note(directory).write_text(json.dumps({"texts": held, "seconds": built.seconds}))
    return built


def progress_of(directory: Path, *, wanted: int) -> Built:
    """How far a knowledge base is."""
    if not _note(directory).exists():
        return Built(0, wanted, 0.0)
    noted = json.loads(_note(directory).read_text())
    return Built(noted["texts"], wanted, noted["seconds"])


def synthetic_text(number: int) -> str:
    """A text of about `CHUNKS_PER_TEXT` chunks, always the same for one number."""
    chance = random.Random(f"text {number}")
    return "\n\n".join(_paragraph(chance, _sentences()) for _ in range(CHUNKS_PER_TEXT))


def _paragraph(chance: random.Random, sentences: Sequence[str]) -> str:
    return ". ".join(chance.choices(sentences, k=4))[:_PARAGRAPH_CHARS] + "."


@cache
def _sentences() -> list[str]:
    passages = load_collection("mtrag", datasets()).texts.values()
    return [part for text in passages for part in text.split(". ") if 40 < len(part) < 200]


def _scattered() -> Scattered:
    passages = list(load_collection("mtrag", datasets()).texts.values())
    sample = random.Random(0).sample(passages, _SEEDS)
    embedder = remembering()
    return Scattered(embedder, embedder.embed([text[:300] for text in sample]))


def _start_from_smaller(chunks: int, directory: Path) -> None:
    smaller = [
        int(path.name.removeprefix("synthetic_"))
        for path in directory.parent.glob("synthetic_*")
        if path.name.removeprefix("synthetic_").isdigit()
    ]
    complete = [
        size
        for size in smaller
        if size < chunks
        and progress_of(directory_of(size), wanted=size // CHUNKS_PER_TEXT).complete
    ]
    if complete:
        shutil.copytree(directory_of(max(complete)), directory)


def _note(directory: Path) -> Path:
    return directory / "built.json"


def main(chunks: int, at_most_s: float) -> None:
    """Build, and say how far it is."""
    built = build(chunks, at_most_s=at_most_s)
    print(f"{built.texts} of {built.wanted} texts, {built.seconds:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 240.0)

"""Ingest throughput beside LlamaIndex's default pipeline, with the same model, in one sitting.

    python -m tests.bench.ingest [PAGES]

* vivavoce      `KnowledgeBase.sync` of files: sandboxed parsing, chunks, int8 ONNX, Chroma and FTS5
* LlamaIndex    `SimpleDirectoryReader`, `SentenceSplitter` and `VectorStoreIndex` as its
                documentation starts, with the model run by sentence-transformers as it comes
* the same at 256 tokens a chunk: what the model reads of LlamaIndex's 1,024-token chunks is their
  first quarter, so that its default embeds a quarter of the text only

Input are help-centre pages as Markdown files and the sample documents of this repository. Models
are loaded before the clock starts. The second run is on unchanged files.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.document import FileSource, SyncReport
from kb.knowledge_base import KnowledgeBase
from kb.weights.folder import Weights
from tests.bench.figures import Figure, record
from tests.bench.places import REPOSITORY, datasets
from tests.bench.retrieval import bench_config

DEFAULT_PAGES = 40
MODEL = "all-MiniLM-L6-v2"
WINDOW_TOKENS = 256
WARM_UP = "This text only has the model loaded."


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a pipeline made of the input, and how long it took."""

    system: str
    files: int
    chunks: int
    chars: int
    """Of the stored text, overlap between chunks not counted."""
    seconds: float

    def line(self) -> str:
        return (
            f"{self.system:<34}{self.files:>6}{self.chunks:>8}{self.chars:>10,}{self.seconds:>9.2f}"
            f"{self.chunks / self.seconds:>10.1f}{self.chars / self.seconds:>10,.0f}"
        )


def write_input(pages: int, folder: Path) -> list[Path]:
    """Put the input into `folder`: the same files for everybody."""
    source = datasets() / "helpcentre" / "dev" / "onyx_pages.jsonl"
    rows = [json.loads(line) for line in source.read_text("utf-8").splitlines()]
    for number, row in enumerate(rows[:pages]):
        (folder / f"page-{number:03}.md").write_text(row["body"], "utf-8")
    for path in sorted((REPOSITORY / "data" / "documents").iterdir()):
        # Without an extra package LlamaIndex reads neither PDF nor DOCX.
        if path.suffix in (".md", ".html"):
            shutil.copy(path, folder)
    return sorted(folder.iterdir())


def ingest_here(files: list[Path], folder: Path) -> tuple[Ingested, Ingested]:
    """First and second run of ours."""
    with KnowledgeBase.open(folder / "kb", bench_config()) as kb:
        warm_up = folder / "warm-up.md"
        warm_up.write_text(WARM_UP)
        kb.add_file(warm_up)
        first = _timed("vivavoce", kb, files)
        second = _timed("vivavoce, nothing changed", kb, files)
    return first, second


def _timed(system: str, kb: KnowledgeBase, files: list[Path]) -> Ingested:
    started = time.perf_counter()
    report: SyncReport = kb.sync(map(FileSource, files))
    seconds = time.perf_counter() - started
    if report.count("failed"):
        sys.exit(f"{system}: {[row.detail for row in report.rows if row.detail]}")
    documents = kb.documents()
    return Ingested(
        system,
        len(documents),
        sum(document.chunk_count for document in documents),
        sum(document.chars for document in documents),
        seconds,
    )


def ingest_llama_index(files: list[Path], *, chunk_tokens: int | None, model: Any) -> Ingested:
    """LlamaIndex as its documentation starts; `chunk_tokens` None keeps its default of 1,024."""
    from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter

    splitter = (
        SentenceSplitter()
        if chunk_tokens is None
        else SentenceSplitter(chunk_size=chunk_tokens, chunk_overlap=20)
    )
    started = time.perf_counter()
    documents = SimpleDirectoryReader(input_files=files).load_data()
    index: Any = VectorStoreIndex.from_documents(
        documents, transformations=[splitter], embed_model=model
    )
    seconds = time.perf_counter() - started
    return Ingested(
        f"LlamaIndex, {chunk_tokens or '1,024 (default)'} tokens",
        len(files),
        len(index.docstore.docs),
        sum(len(document.text) for document in documents),
        seconds,
    )


def sentence_transformers_model() -> Any:
    """The model for LlamaIndex, as its own adapter runs it: torch, batches of ten."""
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(str(Weights().resolve(MODEL)))

    class SentenceTransformerEmbedding(BaseEmbedding):
        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return loaded.encode(texts, normalize_embeddings=True, show_progress_bar=False).tolist()

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    model = SentenceTransformerEmbedding()
    model.get_text_embedding(WARM_UP)
    return model


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory() as name:
        given, made = Path(name) / "given", Path(name) / "made"
        given.mkdir()
        made.mkdir()
        yield given, made


def main(pages: int) -> None:
    """Print a line for each pipeline, and the ratios."""
    with _folders() as (given, made):
        files = write_input(pages, given)
        first, second = ingest_here(files, made)
        model = sentence_transformers_model()
        theirs: list[Ingested] = [
            ingest_llama_index(files, chunk_tokens=tokens, model=model)
            for tokens in (None, WINDOW_TOKENS)
        ]
    print(f"{'':<34}{'files':>6}{'chunks':>8}{'chars':>10}{'s':>9}{'chunks/s':>10}{'chars/s':>10}")
    for row in (first, *theirs, second):
        print(row.line())
    per_s: dict[str, Callable[[Ingested], float]] = {
        "chunks": lambda row: row.chunks / row.seconds,
        "characters": lambda row: row.chars / row.seconds,
    }
    figures = [Figure("ingest/chunks_per_s", first.chunks / first.seconds, first.files)]
    for other, named in zip(theirs, ("default", WINDOW_TOKENS), strict=True):
        figures += [
            Figure(f"ingest/{name} ratio, {named}", of(first) / of(other), first.files)
            for name, of in per_s.items()
        ]
        ratios = ", ".join(f"{of(first) / of(other):.2f} x {name}/s" for name, of in per_s.items())
        print(f"against {other.system}: {ratios}")
    record("ingest", figures)
    print(f"second run: {first.seconds / second.seconds:.0f} x faster, {second.seconds:.3f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PAGES)

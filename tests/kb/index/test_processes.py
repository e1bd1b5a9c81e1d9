"""Several real processes on one knowledge base: readers, racing writers, killed writers."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kb.config import KnowledgeBaseConfig, Limits
from kb.document import Source, TextSource
from kb.knowledge_base import KnowledgeBase
from tests.kb.conftest import UNLIMITED, OpenKnowledgeBase, WordEmbedder

REPOSITORY = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.slow

_WRITER = """
import sys
from pathlib import Path
from kb.config import KnowledgeBaseConfig
from kb.errors import LimitError
from kb.knowledge_base import KnowledgeBase
from tests.kb.conftest import WordEmbedder

directory, config, name, text = sys.argv[1:]
kb = KnowledgeBase(
    Path(directory),
    KnowledgeBaseConfig.model_validate_json(config),
    embedder=WordEmbedder,
    read_only=False,
)
try:
    kb.add_text(name, text)
except LimitError:
    sys.exit(3)
finally:
    kb.close()
"""

_SYNC = """
import sys
from pathlib import Path
from kb.knowledge_base import KnowledgeBase
from tests.kb.conftest import UNLIMITED, WordEmbedder
from tests.kb.index.test_processes import sources

kb = KnowledgeBase(Path(sys.argv[1]), UNLIMITED, embedder=WordEmbedder, read_only=False)
Path(sys.argv[3]).touch()
kb.sync(sources(sys.argv[2]))
kb.close()
"""


def sources(edition: str) -> list[Source]:
    """Forty texts, of which a third differ between editions and a few exist in one only."""
    texts: list[Source] = []
    for number in range(40):
        if (edition, number) in {("first", 3), ("second", 7), ("second", 8)}:
            continue
        said = edition if number % 3 == 0 else "every"
        text = f"Article {number} of the {said} edition. " * 30
        texts.append(TextSource(f"text {number}", text))
    return texts


def start(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=REPOSITORY)


QUERIES = {
    "meta": "select key, value from meta where key = 'model_id'",
    "documents": "select document_id, kind, source, name, media_type, status, reason, detail, "
    "version, bytes, chars, chunk_count, content_sha256, title, hidden_chars_dropped, language, "
    "etag, last_modified, signature from documents order by 1",
    "document_versions": "select document_id, version, text, "
    "json_remove(record, '$.document.updated_at') from document_versions order by 1, 2",
    "chunks": "select chunk_id, document_id, ordinal, start_char, end_char, heading_path, page, "
    "headings, body, text_key, live, name from chunks left join names using (name_id) order by 1",
    "version_chunks": "select document_id, version, chunk_id from version_chunks order by 1, 2, 3",
    "live_spans": "select document_id, version, to_index is null from live_spans order by 1, 2",
    "pending_vectors": "select chunk_id, operation from pending_vectors",
    "names": "select name from names order by 1",
    "chunk_search": "select chunk_id from chunk_search('edit') join chunks on row_id = "
    "chunk_search.rowid order by 1",
    "chunk_terms": "select term, doc, cnt from chunk_terms order by 1",
    "chunk_words": "select chunk_id, w.* from chunk_words w join chunks using (row_id) order by 1",
    "name_words": "select name, terms from name_words join names using (name_id) order by 1",
    "known_words": "select * from known_words order by 1, 2",
    "name_search": "select names.name from name_search('text') join names on name_id = "
    "name_search.rowid order by 1",
}
"""What must be the same of every table: all but times, row numbers and numbers of publishes."""


def contents(directory: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table of the catalog, the embedding cache and the vector index."""
    with sqlite3.connect(directory / "catalog.sqlite3") as catalog:
        found = {name: list(catalog.execute(query)) for name, query in QUERIES.items()}
        collection = catalog.execute("select value from meta where key = 'collection'").fetchone()
        for index in ("chunk_search", "name_search"):
            catalog.execute(f"insert into {index} ({index}) values ('integrity-check')")
        tables = catalog.execute("select name from sqlite_master where type = 'table'")
        # The full-text search keeps tables of its own, named after it.
        stored = {str(row[0]) for row in tables if not str(row[0]).startswith("sqlite_")}
        assert {name for name in stored if "_search_" not in name} == QUERIES.keys()
    catalog.close()
    with sqlite3.connect(directory / "embeddings.sqlite3") as cache:
        query = "select model_id, text_key, vector from vectors order by 1, 2"
        found["embeddings"] = list(cache.execute(query))
    cache.close()
    found["vectors"] = vectors_in(directory / "chroma", collection[0])
    return found


def vectors_in(directory: Path, collection: str) -> list[tuple[object, ...]]:
    """Ids and vectors of a collection of Chroma, by id."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(str(directory), Settings(anonymized_telemetry=False))
    held = client.get_collection(collection, embedding_function=None).get(include=["embeddings"])
    client.close()  # pyright: ignore[reportAttributeAccessIssue]
    vectors = held["embeddings"]
    assert vectors is not None
    return sorted((each, tuple(row)) for each, row in zip(held["ids"], vectors, strict=True))


def test_a_reader_serves_what_another_process_wrote(open_kb: OpenKnowledgeBase, tmp_path: Path):
    open_kb().add_text("Refunds", "Refunds take five days.")
    reader = open_kb(read_only=True)
    assert [passage.document_name for passage in reader.retrieve("refunds")] == ["Refunds"]

    for number in range(3):
        process = start(
            _WRITER,
            str(tmp_path / "kb"),
            UNLIMITED.model_dump_json(),
            f"Parcels {number}",
            f"Parcel number {number} is shipped to islands.",
        )
        assert process.wait(60) == 0
        passages = reader.retrieve(f"parcel number {number} islands", limit=1)
        assert passages[0].document_name == f"Parcels {number}"
        assert "dense_last" in passages[0].ranks


def test_racing_uploads_never_pass_the_limit(tmp_path: Path):
    config = KnowledgeBaseConfig(limits=Limits(max_documents=3)).model_dump_json()
    racing = [
        start(_WRITER, str(tmp_path / "kb"), config, f"text {number}", f"Fact {number}.")
        for number in range(6)
    ]

    codes = [process.wait(100) for process in racing]

    assert sorted(codes) == [0, 0, 0, 3, 3, 3]
    kb = KnowledgeBase(tmp_path / "kb", UNLIMITED, embedder=WordEmbedder, read_only=True)
    assert len(kb.documents()) == 3
    assert len(kb.retrieve("fact", limit=10)) == 3
    kb.close()


def test_a_killed_sync_is_finished_by_the_next_one(tmp_path: Path):
    expected, ready = tmp_path / "undisturbed", tmp_path / "ready"
    for edition in ("first", "second"):
        assert start(_SYNC, str(expected), edition, str(ready)).wait(100) == 0
    killed = tmp_path / "killed"
    chance = random.Random(7)

    kills = 0
    for edition in ("first", "second"):
        for _ in range(6):
            ready.unlink(missing_ok=True)
            process = start(_SYNC, str(killed), edition, str(ready))
            while not ready.exists() and process.poll() is None:
                time.sleep(0.005)
            time.sleep(chance.uniform(0.0, 0.8))
            process.send_signal(signal.SIGKILL)
            kills += process.wait(60) == -signal.SIGKILL
        assert start(_SYNC, str(killed), edition, str(ready)).wait(100) == 0

    assert kills > 0
    found, wanted = contents(killed), contents(expected)
    assert {name for name in wanted if found[name] != wanted[name]} == set()
    assert {name for name in wanted if not wanted[name]} == {"pending_vectors"}

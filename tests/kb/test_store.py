"""No name, no read-only folder and no full disk ends in a traceback."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from kb.document import FileSource, TextSource
from kb.errors import KnowledgeBaseError, StorageError
from kb.index.embedding_cache import EmbeddingCache
from kb.index.open_catalog import open_catalog
from kb.index.sqlite_file import connect_sqlite
from kb.index.storage_errors import telling_storage_errors, telling_unsearchable
from kb.ingest.names import storable
from tests.kb.conftest import OpenKnowledgeBase, WordEmbedder

REFUNDS = "Refunds take five working days and go to the card that was charged."
REPOSITORY = Path(__file__).parents[2]

_SEARCH = """
import sys
from pathlib import Path
from kb.errors import KnowledgeBaseError
from kb.knowledge_base import KnowledgeBase
from tests.kb.conftest import UNLIMITED, WordEmbedder
with KnowledgeBase(Path(sys.argv[1]), UNLIMITED, embedder=WordEmbedder, read_only=False) as kb:
    print(kb.retrieve("how long do refunds take")[0].document_name)
    try:
        kb.add_text("More", "More text.")
    except KnowledgeBaseError as error:
        print(type(error).__name__)
"""


def test_file_names_that_are_no_utf_8_are_taken_in(open_kb: OpenKnowledgeBase, tmp_path: Path):
    folder = os.fsencode(tmp_path)
    names = [b"Preis_\x84.txt", b"Preis_\x85.csv", b"\xc3\xbc.md", "價格.txt".encode("big5")]
    try:
        for name in names:
            (Path(os.fsdecode(folder)) / os.fsdecode(name)).write_text("The price is ten euros.")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    sources = [FileSource(tmp_path / os.fsdecode(name)) for name in names]
    kb = open_kb()

    report = kb.sync([*sources, TextSource("half \ud83d", REFUNDS)])

    assert [row.action for row in report.rows] == ["added"] * 5
    shown = [row.name for row in report.rows]
    assert shown[:3] == ["Preis_\\x84.txt", "Preis_\\x85.csv", "ü.md"]
    assert len(set(shown)) == 5
    assert "\n".join(shown).encode("utf-8")
    assert {row.action for row in kb.sync([*sources, TextSource("half \ud83d", REFUNDS)]).rows} == {
        "unchanged"
    }


def test_a_missing_file_of_such_a_name_is_one_failed_row(
    open_kb: OpenKnowledgeBase, tmp_path: Path
):
    report = open_kb().sync(
        [FileSource(tmp_path / os.fsdecode(b"no_\x84.txt")), TextSource("Refunds", REFUNDS)]
    )

    assert [(row.action, row.reason) for row in report.rows] == [
        ("failed", "not_found"),
        ("added", None),
    ]


@pytest.mark.parametrize("name", ["plain", "ü", "\udc84", "a\udcffb\ud83d"])
def test_every_name_becomes_storable(name: str):
    assert storable(name).encode("utf-8")


def test_a_read_only_mount_is_searched(open_kb: OpenKnowledgeBase, tmp_path: Path):
    kb = open_kb()
    kb.add_text("Refunds", REFUNDS)
    kb.close()
    place = str(kb.directory)
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            ["unshare", "-rm", "sh", "-c", mount, place], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("nothing can be mounted here")

    script = f'{mount} && "$1" -c "$2" "$0"'
    answer = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, place, sys.executable, _SEARCH],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )

    assert answer.stdout.split() == ["Refunds", "KnowledgeBaseError"]


def test_a_cache_that_is_only_read_keeps_new_vectors_in_memory(tmp_path: Path):
    path, embedder = tmp_path / "embeddings.sqlite3", WordEmbedder()
    with_disk = EmbeddingCache(path)
    with_disk.vectors({"a": "refunds"}, embedder=embedder)
    with_disk.close()
    before = path.read_bytes()

    cache = EmbeddingCache(path, read_only=True)
    found = cache.vectors({"a": "refunds", "b": "parcels"}, embedder=embedder)

    assert set(found) == {"a", "b"}
    assert set(cache.held(["a", "b"], model_id=embedder.model_id)) == {"a", "b"}
    assert embedder.embedded == 2
    cache.close()
    assert path.read_bytes() == before
    nowhere = EmbeddingCache(tmp_path / "none.sqlite3", read_only=True)
    assert nowhere.held(["a"], model_id=embedder.model_id) == {}
    nowhere.close()


def test_a_full_disk_is_told_and_the_rest_stays(
    open_kb: OpenKnowledgeBase, monkeypatch: pytest.MonkeyPatch
):
    kb = open_kb()
    kb.add_text("Refunds", REFUNDS)

    def full(path: Path, *, read_only: bool) -> sqlite3.Connection:
        connection = connect_sqlite(path, read_only=read_only)
        pages = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count = {pages}")
        return connection

    kb.close()
    monkeypatch.setattr("kb.index.catalog.connect_sqlite", full)
    crowded = open_kb()
    with pytest.raises(StorageError, match=r"its disk is full\. Make room"):
        crowded.add_text("Shipping", "Parcels are shipped to all countries. " * 500)
    assert crowded.retrieve("refunds")[0].document_name == "Refunds"
    crowded.close()
    monkeypatch.undo()

    roomy = open_kb()
    roomy.add_text("Shipping", "Parcels are shipped to all countries. " * 500)
    assert {found.name for found in roomy.documents()} == {"Refunds", "Shipping"}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (OSError(errno.EROFS, "Read-only file system"), "may not be written"),
        (sqlite3.OperationalError("unable to open database file"), "may not be written"),
        (sqlite3.OperationalError("database or disk is full"), "disk is full"),
        (OSError(errno.EFBIG, "File too large"), "may not grow further"),
        (sqlite3.OperationalError("disk I/O error"), "its disk takes nothing"),
    ],
)
def test_what_the_system_says_of_a_store_becomes_one_sentence(error: Exception, told: str):
    with pytest.raises(StorageError, match=told), telling_storage_errors(Path("store")):
        raise error


def test_a_disk_that_takes_nothing_is_no_broken_catalog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Failing:
        def execute(self, *_: object) -> None:
            raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("kb.index.catalog.Catalog.connection", Failing())
    with pytest.raises(StorageError, match="takes nothing") as told:
        open_catalog(tmp_path, read_only=False)
    assert "rebuild" not in str(told.value)


def test_other_errors_are_not_taken_for_a_full_disk():
    with pytest.raises(ValueError, match="disk is full"), telling_storage_errors(Path("store")):
        raise ValueError("disk is full")
    with pytest.raises(KnowledgeBaseError, match="mine"), telling_storage_errors(Path("store")):
        raise KnowledgeBaseError("mine")


def test_what_chroma_says_of_a_full_disk_is_told():
    from chromadb.errors import InternalError

    with pytest.raises(StorageError, match="disk is full"), telling_storage_errors(Path("store")):
        raise InternalError("error returned from database: (code: 13) database or disk is full")
    # Its own words say nothing of a disk.
    waits = InternalError("Error in compaction: Failed to apply logs to the metadata segment")
    for telling in (telling_storage_errors, telling_unsearchable):
        with pytest.raises(StorageError, match="Most often its disk is full"), telling(Path("s")):
            raise waits
    torn = InternalError("Error sending backfill request to compactor: Error deserializing pickle")
    with pytest.raises(StorageError, match="half written"), telling_unsearchable(Path("s")):
        raise torn
    other = InternalError("Collection does not exist")
    for telling in (telling_storage_errors, telling_unsearchable):
        with pytest.raises(InternalError), telling(Path("s")):
            raise other


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04 half a file", b"\0\0\0\0"])
def test_a_file_that_becomes_unreadable_keeps_its_last_good_version(
    open_kb: OpenKnowledgeBase, tmp_path: Path, broken: bytes
):
    file = tmp_path / "refunds.txt"
    file.write_text(REFUNDS)
    kb = open_kb()
    kb.sync([FileSource(file)])

    file.write_bytes(broken)
    failed = kb.sync([FileSource(file)]).rows[0]

    assert failed.action == "failed"
    document = kb.documents()[0]
    assert (document.status, document.version, document.reason) == ("ready", 1, failed.reason)
    assert kb.retrieve("refunds")[0].text == REFUNDS

    file.write_text(REFUNDS)
    back = kb.sync([FileSource(file)]).rows[0]
    assert (back.action, back.reason, back.detail) == ("unchanged", None, None)

    file.write_text("Refunds take nine days.")
    assert kb.sync([FileSource(file)]).rows[0].action == "replaced"
    assert kb.documents()[0].reason is None
    assert kb.retrieve("refunds")[0].text == "Refunds take nine days."


def test_a_file_that_is_gone_takes_its_passages_along(open_kb: OpenKnowledgeBase, tmp_path: Path):
    file = tmp_path / "refunds.txt"
    file.write_text(REFUNDS)
    kb = open_kb()
    kb.sync([FileSource(file)])
    file.unlink()

    assert kb.sync([FileSource(file)]).rows[0].reason == "not_found"
    assert kb.retrieve("refunds") == []

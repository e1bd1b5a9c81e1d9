"""A copy of a knowledge base to try a change on; the one that answers stays as it is."""

import shutil
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from kb.embedding.embedder import WeightsFolder
from kb.errors import KnowledgeBaseError
from kb.ingest.writer_lock import writer_lock
from kb.knowledge_base import KnowledgeBase

_DATABASES = ("catalog.sqlite3", "embeddings.sqlite3")
_VECTORS = "chroma"


@contextmanager
def trial_copy(
    knowledge_base: KnowledgeBase,
    *,
    index_version: int | None = None,
    snapshot: str | None = None,
    weights: WeightsFolder | None = None,
    folder: Path | None = None,
) -> Generator[KnowledgeBase]:
    """Copy a knowledge base, to add, remove and retrieve without anybody noticing.

    Vectors come along, so that only what is new is embedded. The copy is deleted at the end.

    Args:
        knowledge_base: What is copied. Writers wait meanwhile, readers do not.
        index_version: Bring the copy to the documents of this earlier publish.
        snapshot: Copy this snapshot in place of what is live; of a shared knowledge base only.
        weights: Where the embedding model comes from; None takes the default places.
        folder: Where copies are kept meanwhile; None takes the system's temporary folder.

    Raises:
        KnowledgeBaseError: There is nothing to copy, or no such version.
        BusyError: Another writer did not finish in time.
    """
    source, config = knowledge_base.directory, knowledge_base.config
    if knowledge_base.index_version == 0:
        raise KnowledgeBaseError(
            f"Nothing was ever added to the knowledge base in {str(source)!r}, so that there is "
            "nothing to try a change on. Ingest its documents first."
        )
    # The vectors of a server stay there: the copy builds its own from the cached ones.
    is_remote = config.index.chroma_url is not None
    own = config.index.model_copy(update={"chroma_url": None})
    with tempfile.TemporaryDirectory(prefix="vivavoce-trial-", dir=folder) as made:
        target = Path(made) / "kb"
        with _source(knowledge_base, snapshot) as source:
            _copy(source, target, with_vectors=not is_remote)
        config = config.model_copy(update={"index": own})
        with KnowledgeBase.open(target, config, weights=weights) as copy:
            if is_remote:
                copy.rebuild_index()
            if index_version is not None and index_version != copy.index_version:
                copy.rollback(index_version)
            yield copy


@contextmanager
def _source(knowledge_base: KnowledgeBase, snapshot: str | None) -> Generator[Path]:
    """The folder that is copied; nobody changes it meanwhile."""
    if snapshot is not None:
        with knowledge_base.shared.copy_of(snapshot) as folder:
            yield folder
        return
    folder = knowledge_base.directory
    with writer_lock(folder, timeout_s=knowledge_base.config.index.writer_timeout_s):
        yield folder


def _copy(source: Path, target: Path, *, with_vectors: bool) -> None:
    target.mkdir()
    for name in _DATABASES:
        if (source / name).exists():
            # Not as files: what is committed may still lie in the write-ahead log.
            with (
                closing(sqlite3.connect(source / name)) as held,
                closing(sqlite3.connect(target / name)) as copied,
            ):
                held.backup(copied)
    if with_vectors and (source / _VECTORS).is_dir():
        shutil.copytree(source / _VECTORS, target / _VECTORS)

"""The vector index in Chroma: ids and vectors only, embedded in the process or on a server."""

import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kb.config import IndexConfig
from kb.embedding.embedder import Vectors
from kb.errors import KnowledgeBaseError
from kb.precedence import PRECEDENCE

_MAX_BATCH = 2_000
_ADDED_AT_ONCE = 200
"""So that a turn does not wait for many; fewer at once take noticeably longer each."""
_CONSTRUCTION_BREADTH = 200
_NEIGHBOURS = 32
_KEEP_IN_MEMORY = 2_000
_LOCKED_FOR_S = 30.0
"""How long others may write. Chroma waits for a lock, but not where two want more of the same."""


class ChromaClient:
    """A connection to Chroma that sees what other processes wrote before it was opened.

    An embedded client keeps serving the vectors it has loaded, and Chroma shares one of them among
    all users of a path in a process. So each `ChromaClient` opens the folder under a spelling of
    its own: closing it really lets go, and opening it again really reads.
    """

    def __init__(self, folder: Path, config: IndexConfig) -> None:
        import chromadb
        from chromadb.config import Settings

        quiet = Settings(anonymized_telemetry=False)
        self._alias: int | None = None
        if config.chroma_url is None:
            folder.mkdir(parents=True, exist_ok=True)
            self._alias = _take_alias()
            path = f"{folder.resolve()}{'/.' * self._alias}"
            self._client: Any = chromadb.PersistentClient(path=path, settings=quiet)
        else:
            self._client = _http_client(config.chroma_url, quiet)

    def close(self) -> None:
        """Let go of the files or the connection."""
        if self._client is not None:
            _close_sessions(self._client)
            self._client.close()
            self._client = None
        if self._alias is not None:
            _give_back_alias(self._alias)
            self._alias = None

    def collection(self, name: str, *, ef_search: int) -> "ChromaIndex":
        """The collection `name`, created empty when absent and searched this broadly from now."""
        from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

        attempts = Retrying(
            retry=retry_if_exception(_is_locked),
            stop=stop_after_delay(_LOCKED_FOR_S),
            wait=wait_random_exponential(multiplier=0.02, max=0.5),
            reraise=True,
        )
        return attempts(self._collection, name, ef_search)

    def _collection(self, name: str, ef_search: int) -> "ChromaIndex":
        hnsw = {
            "space": "cosine",
            "ef_search": ef_search,
            "ef_construction": _CONSTRUCTION_BREADTH,
            "max_neighbors": _NEIGHBOURS,
            "sync_threshold": _KEEP_IN_MEMORY,
        }
        collection: Any = self._client.get_or_create_collection(
            name, configuration={"hnsw": hnsw}, embedding_function=None
        )
        if collection.configuration_json["hnsw"]["ef_search"] != ef_search:
            # A collection that is there already keeps what it was created with.
            with warnings.catch_warnings():
                # Chroma warns of its own way to write down that there is no embedding function.
                warnings.simplefilter("ignore", DeprecationWarning)
                collection.modify(configuration={"hnsw": {"ef_search": ef_search}})
        return ChromaIndex(collection)

    def delete_collection(self, name: str) -> None:
        """Delete a collection; does nothing when there is none of this name."""
        from chromadb.errors import NotFoundError

        try:
            self._client.delete_collection(name)
        except (NotFoundError, ValueError):
            return


def _is_locked(error: BaseException) -> bool:
    """Whether somebody else was writing at the same moment."""
    return "database is locked" in str(error)


class ChromaIndex:
    """One collection as a vector index."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def count(self) -> int:
        """Number of vectors held."""
        return int(self._collection.count())

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors; ids that are there already are left as they are."""
        for start in range(0, len(ids), _ADDED_AT_ONCE):
            part = slice(start, start + _ADDED_AT_ONCE)
            PRECEDENCE.step_aside()
            self._collection.add(ids=list(ids[part]), embeddings=vectors[part])

    def delete(self, ids: Sequence[str]) -> None:
        """Delete vectors; ids that are not there are passed over."""
        for start in range(0, len(ids), _MAX_BATCH):
            self._collection.delete(ids=list(ids[start : start + _MAX_BATCH]))

    def search(self, vectors: Vectors, *, limit: int) -> list[list[tuple[str, float]]]:
        """For each query vector the nearest ids with their cosine, best first."""
        if len(vectors) == 0:
            return []
        found = self._collection.query(
            query_embeddings=vectors, n_results=limit, include=["distances"]
        )
        return [
            [
                (str(chunk_id), 1.0 - float(distance))
                for chunk_id, distance in zip(*row, strict=True)
            ]
            for row in zip(found["ids"], found["distances"], strict=True)
        ]


def _close_sessions(client: Any) -> None:
    """Close the connections to a server, which the client's own `close` leaves open."""
    for owner in (client, getattr(client, "_admin_client", None)):
        session = getattr(getattr(owner, "_server", None), "_session", None)
        if session is not None:
            session.close()


_aliases_lock = threading.Lock()
_aliases: set[int] = set()


def _take_alias() -> int:
    """The smallest spelling that no open client of this process uses."""
    with _aliases_lock:
        alias = next(number for number in range(len(_aliases) + 1) if number not in _aliases)
        _aliases.add(alias)
        return alias


def _give_back_alias(alias: int) -> None:
    with _aliases_lock:
        _aliases.discard(alias)


def _http_client(url: str, settings: Any) -> Any:
    import chromadb

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise KnowledgeBaseError(
            f"{url!r} is no address of a Chroma server. Set `index.chroma_url` to something like "
            "'http://127.0.0.1:8000'."
        )
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        return chromadb.HttpClient(host=parts.hostname, port=port, ssl=secure, settings=settings)
    except Exception as error:
        # The client raises a bare ValueError, or whatever its HTTP library raises.
        raise KnowledgeBaseError(
            f"The Chroma server at {parts.hostname}:{port} does not answer "
            f"({type(error).__name__}). Start it, or correct `index.chroma_url`."
        ) from error

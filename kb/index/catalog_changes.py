"""Changes of the catalog: each function is one transaction, or part of one."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from kb.config import MEBIBYTE, Limits
from kb.document import Chunk, Document
from kb.errors import LimitError
from kb.index.catalog import Catalog
from kb.index.catalog_words import erase_words, hide_words, language_of, show_words, store_words
from kb.index.embedding_cache import text_key


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document on its way into the store. `document.version` is set when it is there."""

    document: Document
    text: str
    chunks: tuple[Chunk, ...]
    signature: str
    names: tuple[str, ...] = ()
    """Of each chunk the title, outermost heading or document name: what a conversation may call its
    subject."""
    language: str | None = None
    etag: str | None = None
    last_modified: str | None = None


def store_document(
    catalog: Catalog, prepared: PreparedDocument, *, limits: Limits, now: datetime
) -> Document:
    """Store a document's new content in place of what it had.

    Raises:
        LimitError: It does not fit; nothing was changed.
    """
    with catalog.transaction() as connection:
        check_limits(connection, prepared.document, limits)
        document_id = prepared.document.document_id
        version = _next_version(connection, document_id)
        document = prepared.document.model_copy(
            update={
                "version": version,
                "chunk_count": len(prepared.chunks),
                "updated_at": now,
            }
        )
        _write_document(connection, document, prepared)
        connection.execute(
            "insert into document_versions values (?, ?, ?, ?, ?)",
            (document_id, version, prepared.text, _record(document, prepared), now.isoformat()),
        )
        _store_chunks(connection, document, prepared)
        _set_live(connection, document_id, [chunk.chunk_id for chunk in prepared.chunks])
        _open_span(connection, document_id, version)
    return document


def store_failure(
    catalog: Catalog, document: Document, *, signature: str, keep_content: bool, now: datetime
) -> Document:
    """Record that a source could not be taken in.

    Args:
        catalog: The catalog.
        document: With status failed, reason and detail.
        signature: Of the parser, chunker and embedder that failed.
        keep_content: Keep serving what was taken in before, if anything was: for failures that
            may pass, such as a server that does not answer.
        now: UTC.
    """
    with catalog.transaction() as connection:
        row = connection.execute(
            "select 1 from documents where document_id = ? and status = 'ready'",
            (document.document_id,),
        ).fetchone()
        if row is not None and keep_content:
            connection.execute(
                "update documents set reason = ?, detail = ? where document_id = ?",
                (document.reason, document.detail, document.document_id),
            )
        else:
            _retire(connection, document.document_id)
            failed = document.model_copy(update={"updated_at": now, "status": "failed"})
            prepared = PreparedDocument(failed, text="", chunks=(), signature=signature)
            _write_document(connection, failed, prepared)
    stored = catalog.fingerprint(document.document_id)
    return stored.document if stored is not None else document


def touch_document(
    catalog: Catalog, document_id: str, *, name: str, etag: str | None, last_modified: str | None
) -> None:
    """Note that a source was seen unchanged: what failed before is over, validators are renewed."""
    with catalog.transaction() as connection:
        connection.execute(
            "update documents set name = ?, reason = null, detail = null, "
            "etag = coalesce(?, etag), last_modified = coalesce(?, last_modified) "
            "where document_id = ? and status = 'ready'",
            (name, etag, last_modified, document_id),
        )


def remove_documents(catalog: Catalog, document_ids: Iterable[str]) -> int:
    """Take documents out of catalog and index; their versions stay for lineage."""
    removed = 0
    with catalog.transaction() as connection:
        for document_id in document_ids:
            _retire(connection, document_id)
            removed += connection.execute(
                "delete from documents where document_id = ?", (document_id,)
            ).rowcount
    return removed


def erase_versions(catalog: Catalog, document_id: str) -> None:
    """Erase every trace of a removed document: texts, chunks, spans."""
    with catalog.transaction() as connection:
        erase_words(connection, document_id)
        for table in ("document_versions", "version_chunks", "live_spans"):
            connection.execute(f"delete from {table} where document_id = ?", (document_id,))


def restore_index(catalog: Catalog, index_version: int) -> None:
    """Make the documents what they were when `index_version` was published."""
    with catalog.transaction() as connection:
        wanted = {
            str(document_id): int(version)
            for document_id, version in connection.execute(
                "select document_id, version from live_spans where from_index <= ? "
                "and (to_index is null or to_index > ?)",
                (index_version, index_version),
            )
        }
        present = {
            str(document_id): int(version)
            for document_id, version in connection.execute(
                "select document_id, version from live_spans where to_index is null"
            )
        }
        for document_id in present.keys() - wanted.keys():
            _retire(connection, document_id)
            connection.execute("delete from documents where document_id = ?", (document_id,))
        for document_id, version in sorted(wanted.items()):
            if present.get(document_id) != version:
                _revive(connection, document_id, version)


def check_limits(connection: sqlite3.Connection, document: Document, limits: Limits) -> None:
    """Refuse a document that would pass a limit, counting what is there without it.

    Raises:
        LimitError: Names the limit, the use so far and what to remove.
    """
    rows = [
        (str(name), int(size))
        for name, size in connection.execute(
            "select name, bytes from documents where status = 'ready' and document_id <> ? "
            "order by bytes desc, name",
            (document.document_id,),
        )
    ]
    used = sum(size for _, size in rows)
    if limits.max_documents is not None and len(rows) >= limits.max_documents:
        names = ", ".join(repr(name) for name, _ in rows[:5])
        raise LimitError(
            f"{document.name!r} would be document {len(rows) + 1} of at most "
            f"{limits.max_documents} (`limits.max_documents`). Remove one of {names}"
            f"{' or others' if len(rows) > 5 else ''}, or raise the limit."
        )
    if limits.max_total_bytes is not None and used + document.bytes > limits.max_total_bytes:
        largest = ", ".join(f"{name!r} ({_size(size)})" for name, size in rows[:3])
        remedy = f"Remove a large one such as {largest}" if largest else "Split the document"
        raise LimitError(
            f"{document.name!r} has {_size(document.bytes)}, and {_size(used)} of "
            f"{_size(limits.max_total_bytes)} are in use (`limits.max_total_bytes`). "
            f"{remedy}, or raise the limit."
        )


def _size(size: int) -> str:
    return f"{size / MEBIBYTE:.1f} MB" if size >= MEBIBYTE else f"{size:,} bytes"


def _next_version(connection: sqlite3.Connection, document_id: str) -> int:
    row = connection.execute(
        "select coalesce(max(version), 0) + 1 from document_versions where document_id = ?",
        (document_id,),
    ).fetchone()
    return int(row[0])


def _write_document(
    connection: sqlite3.Connection, document: Document, prepared: PreparedDocument
) -> None:
    values = document.model_dump(mode="json") | {
        "left_out": json.dumps(document.left_out, ensure_ascii=False, sort_keys=True),
        "language": prepared.language,
        "etag": prepared.etag,
        "last_modified": prepared.last_modified,
        "signature": prepared.signature,
    }
    columns = list(values)
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns)
    connection.execute(
        f"insert into documents ({', '.join(columns)}) values "
        f"({', '.join(f':{column}' for column in columns)}) "
        f"on conflict (document_id) do update set {updates}",
        values,
    )


def _record(document: Document, prepared: PreparedDocument) -> str:
    return json.dumps(
        {
            "document": document.model_dump(mode="json"),
            "signature": prepared.signature,
            "language": prepared.language,
        }
    )


def _store_chunks(
    connection: sqlite3.Connection, document: Document, prepared: PreparedDocument
) -> None:
    chunks = prepared.chunks
    ids = {name: _name_id(connection, name) for name in dict.fromkeys(prepared.names)}
    named = [(chunk, ids[name]) for chunk, name in zip(chunks, prepared.names, strict=True)]
    connection.executemany(
        "insert into chunks (chunk_id, document_id, ordinal, start_char, end_char, heading_path, "
        "page, headings, body, text_key, name_id, places, live) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) on conflict (chunk_id) do update set "
        "ordinal = excluded.ordinal, name_id = excluded.name_id, page = excluded.page, "
        "places = excluded.places",
        [
            (
                chunk.chunk_id,
                document.document_id,
                chunk.ordinal,
                chunk.start_char,
                chunk.end_char,
                json.dumps(chunk.heading_path, ensure_ascii=False),
                chunk.page,
                chunk.headings,
                chunk.text,
                text_key(chunk.indexed_text),
                name_id,
                json.dumps([astuple(place) for place in chunk.places], ensure_ascii=False),
            )
            for chunk, name_id in named
        ],
    )
    connection.executemany(
        "insert into version_chunks values (?, ?, ?)",
        [(document.document_id, document.version, chunk.chunk_id) for chunk in chunks],
    )
    language = language_of(connection, prepared.language, (chunk.text for chunk in chunks))
    for chunk, name_id in named:
        store_words(connection, chunk.chunk_id, name_id=name_id, language=language)


def _name_id(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute("select name_id from names where name = ?", (name,)).fetchone()
    if row is not None:
        return int(row[0])
    return int(connection.execute("insert into names (name) values (?)", (name,)).lastrowid or 0)


def _set_live(connection: sqlite3.Connection, document_id: str, wanted: Sequence[str]) -> None:
    """Make exactly the chunks `wanted` of a document searchable."""
    held = {
        str(row[0])
        for row in connection.execute(
            "select chunk_id from chunks where document_id = ? and live", (document_id,)
        )
    }
    for chunk_id in sorted(held - set(wanted)):
        hide_words(connection, chunk_id)
        _switch(connection, chunk_id, live=False)
    for chunk_id in wanted:
        if chunk_id not in held:
            show_words(connection, chunk_id)
            _switch(connection, chunk_id, live=True)


def _switch(connection: sqlite3.Connection, chunk_id: str, *, live: bool) -> None:
    connection.execute("update chunks set live = ? where chunk_id = ?", (live, chunk_id))
    connection.execute(
        "insert or replace into pending_vectors values (?, ?)",
        (chunk_id, "add" if live else "delete"),
    )


def _open_span(connection: sqlite3.Connection, document_id: str, version: int) -> None:
    _close_span(connection, document_id)
    connection.execute(
        "insert or replace into live_spans values (?, ?, ?, null)",
        (document_id, version, _publishing(connection)),
    )


def _close_span(connection: sqlite3.Connection, document_id: str) -> None:
    connection.execute(
        "update live_spans set to_index = ? where document_id = ? and to_index is null",
        (_publishing(connection), document_id),
    )


def _publishing(connection: sqlite3.Connection) -> int:
    """The index version that the changes made now will be part of."""
    row = connection.execute("select value from meta where key = 'index_version'").fetchone()
    return int(row[0]) + 1 if row else 1


def _retire(connection: sqlite3.Connection, document_id: str) -> None:
    _set_live(connection, document_id, ())
    _close_span(connection, document_id)


def _revive(connection: sqlite3.Connection, document_id: str, version: int) -> None:
    record_text = connection.execute(
        "select record from document_versions where document_id = ? and version = ?",
        (document_id, version),
    ).fetchone()[0]
    record = json.loads(record_text)
    document = Document.model_validate(record["document"])
    prepared = PreparedDocument(
        document,
        text="",
        chunks=(),
        signature=str(record["signature"]),
        language=record["language"],
    )
    _write_document(connection, document, prepared)
    chunk_ids = [
        str(row[0])
        for row in connection.execute(
            "select chunk_id from version_chunks where document_id = ? and version = ?",
            (document_id, version),
        )
    ]
    _set_live(connection, document_id, chunk_ids)
    _open_span(connection, document_id, version)

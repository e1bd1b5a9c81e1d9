"""What waits to be read, claimed by several at once, on SQLite and PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversation.server.errors import ApiError
from conversation.server.library.ingest_queue import IngestQueue
from conversation.server.library.library import Library, LibraryLimits
from conversation.store.store import ConversationStore
from kb.knowledge_base import KnowledgeBase
from tests.conversation.store.test_store_postgresql import url

__all__ = ["url"]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def library_of(store: ConversationStore, folder: Path, limits: LibraryLimits) -> Library:
    def no_index() -> KnowledgeBase:
        raise AssertionError("nothing is read here")

    return Library(store.engine, folder, open_index=no_index, limits=limits)


def at_once(work: Callable[[int], object], count: int) -> list[object]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(work, range(count)))


def check_limits_and_claims(database: str, folder: Path) -> None:
    with ConversationStore.open(database) as store:
        library = library_of(store, folder, LibraryLimits(documents=5, total_bytes=70))
        queue = IngestQueue(store.engine)

        def add(number: int) -> bool:
            name = f"{number}.txt"
            try:
                library.add_file(b"x" * 20, file_name=name, name=None, kind="file", now=NOW)
            except ApiError:
                return False
            return True

        added = at_once(add, 12)
        claims = at_once(lambda _: queue.claim_document(now=NOW), 6)
        claimed = [each.document_id for each in claims if each is not None]  # pyright: ignore
        # One that came second takes what is left next time.
        while (more := queue.claim_document(now=NOW)) is not None:
            claimed.append(more.document_id)

    assert sum(map(bool, added)) == 3
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == 3


def test_limits_hold_and_nothing_is_claimed_twice(tmp_path: Path):
    check_limits_and_claims(f"sqlite:///{tmp_path / 'store.sqlite'}", tmp_path / "library")


@pytest.mark.slow
def test_limits_hold_and_nothing_is_claimed_twice_on_postgresql(url: str, tmp_path: Path):
    check_limits_and_claims(url, tmp_path / "library")


def test_a_sync_that_is_asked_for_while_one_runs_runs_again(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        queue = IngestQueue(store.engine)
        queue.request_sync("desk", now=NOW)
        first = queue.claim_sync()
        queue.request_sync("desk", now=NOW)
        assert first is not None
        queue.finish_sync(first, "succeeded", now=NOW)
        second = queue.claim_sync()
        assert second is not None
        queue.finish_sync(second, "succeeded", now=NOW, detail="One failed.")
        third = queue.claim_sync()
        state = queue.sync_states()["desk"]
        queue.forget_agent("desk")
        left = queue.sync_states()

    assert third is None
    assert (state.status, state.requests, state.detail) == ("succeeded", 2, "One failed.")
    assert left == {}


def test_what_is_handed_in_anew_while_it_is_read_waits_again(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        library = library_of(store, tmp_path / "library", LibraryLimits())
        queue = IngestQueue(store.engine)
        document = library.add_url("https://example.com/help", name=None, now=NOW)
        queue.claim_document(now=NOW)
        library.add_url("https://example.com/help", name="Help", now=NOW)
        queue.finish_document(document.document_id, "succeeded", now=NOW)
        found = library.document(document.document_id)

    assert (found.status, found.name) == ("created", "Help")

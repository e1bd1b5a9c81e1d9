"""Fixtures of the tests of agents."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conversation.store.store import ConversationStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConversationStore]:
    """New and empty."""
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        yield store

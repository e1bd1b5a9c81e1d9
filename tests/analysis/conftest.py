"""Fixtures of the tests of analysis."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.analysis.calls import Stores, open_stores


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    """New and empty."""
    with open_stores(tmp_path) as stores:
        yield stores

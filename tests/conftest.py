"""Shared fixtures. Nothing here opens the network."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def datasets() -> Path:
    """Folder of the shared measuring data; the test is skipped where there is none."""
    folder = Path(os.environ.get("VIVAVOCE_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
    if not folder.is_dir():
        pytest.skip(f"no measuring data at {folder} (set VIVAVOCE_DATASETS)")
    return folder

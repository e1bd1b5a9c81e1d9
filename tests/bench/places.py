"""Where the bench reads its data and keeps what it built."""

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def datasets() -> Path:
    """Folder of the measuring data; ends the program with a reason where there is none."""
    folder = Path(os.environ.get("VIVAVOCE_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
    if not folder.is_dir():
        sys.exit(f"no measuring data at {folder} (set VIVAVOCE_DATASETS)")
    return folder


def store() -> Path:
    """Folder for knowledge bases, tables and plots of the bench; VIVAVOCE_BENCH_STORE moves it."""
    folder = os.environ.get("VIVAVOCE_BENCH_STORE")
    return Path(folder) if folder else REPOSITORY / "data" / "store" / "bench"

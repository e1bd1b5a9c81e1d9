"""Where the bench reads its data and keeps what it built, and how thorough it is."""

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
QUICK_VARIABLE = "VIVAVOCE_BENCH_QUICK"


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


def reports() -> Path:
    """Folder of figures, tables and plots: those of a quick run apart from those of a full one."""
    folder = store() / "quick" if quick() else store()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def quick() -> bool:
    """Whether fewer sets, tasks and sizes are enough: under five minutes in all."""
    return bool(os.environ.get(QUICK_VARIABLE))

"""The sample data of the demo, which comes with the package, as files in a folder of the user."""

import shutil
from pathlib import Path

from orchestration.errors import SettingsError

PARTS = ("agents", "demo", "documents", "transcripts")
_IN_PACKAGE = Path(__file__).parent / "sample"
_IN_REPOSITORY = Path(__file__).parents[2] / "data"


def copy_sample(data_dir: Path) -> int:
    """Copy what is not there yet to `data_dir`; files that are there stay as they are.

    Returns:
        How many files were copied.

    Raises:
        SettingsError: The package came without its sample data.
    """
    source = next((each for each in (_IN_PACKAGE, _IN_REPOSITORY) if _is_whole(each)), None)
    if source is None:
        raise SettingsError(
            f"The demo's sample data is not in {str(_IN_PACKAGE)!r}. Install vivavoce again."
        )
    copied = 0
    for part in PARTS:
        if (data_dir / part).exists():
            continue
        for path in sorted((source / part).rglob("*")):
            target = data_dir / path.relative_to(source)
            if path.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
                copied += 1
    return copied


def _is_whole(folder: Path) -> bool:
    return all((folder / part).is_dir() for part in PARTS)

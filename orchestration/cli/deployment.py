"""What commands share: the deployment of the settings in force, progress, and how days are read."""

import sys
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orchestration.errors import NoDataError
from orchestration.settings import Settings, load_settings
from orchestration.terminal.progress import ProgressDisplay

if TYPE_CHECKING:
    from orchestration.deployment import Deployment, ProgressCallback


def opened_deployment(
    progress: "ProgressCallback | None" = None, *, needs_data: bool = True
) -> "Deployment":
    """The deployment; use it in a `with` statement."""
    # Stores and models take a while to import, and not every command of a module needs them.
    from orchestration.deployment import Deployment

    settings = load_settings()
    if needs_data:
        require_data(settings)
    return Deployment(settings) if progress is None else Deployment(settings, progress=progress)


def reports_file() -> Path:
    """The published reports, for commands that need nothing else of the deployment.

    Raises:
        NoDataError: The folder holds none of our data.
    """
    settings = load_settings()
    require_data(settings)
    return settings.reports_file


def require_data(settings: Settings) -> None:
    """Refuse to work, and to make anything, in a folder that holds none of our data.

    Raises:
        NoDataError: Says how to begin.
    """
    if settings.data_dir.is_dir() or settings.store.is_dir() or settings.store_url is not None:
        return
    raise NoDataError(
        f"There is no data here: {str(settings.data_dir)!r} is no folder. Begin with `vivavoce "
        "init` (a folder for your agents) or `vivavoce demo`, go to the folder that holds yours, "
        "or set VIVAVOCE_DATA_DIR. `vivavoce ask FOLDER QUESTION` needs none."
    )


def progress() -> ProgressDisplay:
    """Progress on standard error, so that standard output holds results only."""
    return ProgressDisplay(sys.stderr)


DAY_SHOWN = "YYYY-MM-DD"


def written_day(text: str) -> datetime:
    """Midnight of the day that an option names.

    Raises:
        typer.BadParameter: It is no day.
    """
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day: write it as 2026-11-30.") from None

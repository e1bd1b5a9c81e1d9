"""What commands share: the deployment of the settings in force, and progress on standard error."""

import sys

from orchestration.deployment import Deployment
from orchestration.settings import load_settings
from orchestration.terminal.progress import Progress, ProgressCallback


def opened_deployment(progress: ProgressCallback | None = None) -> Deployment:
    """The deployment; use it in a `with` statement."""
    settings = load_settings()
    return Deployment(settings) if progress is None else Deployment(settings, progress=progress)


def progress() -> Progress:
    """Progress on standard error, so that standard output holds results only."""
    return Progress(sys.stderr)

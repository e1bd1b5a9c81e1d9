"""The one resource: everything that the settings point at."""

from collections.abc import Iterator

import dagster as dg

from orchestration.deployment import Deployment
from orchestration.processes.private_files import make_private
from orchestration.settings import load_settings


@dg.resource(description="Stores, models and knowledge bases that the settings point at.")
def deployment(_context: dg.InitResourceContext) -> Iterator[Deployment]:
    """Open on first use, share within a run, close at its end."""
    make_private()
    with Deployment(load_settings()) as opened:
        yield opened

"""Libraries that ship no types, imported where they are used."""

import importlib
from typing import Any


def vendor(module: str) -> Any:
    """Import a library without type stubs; callers state the types of what they take from it."""
    return importlib.import_module(module)

"""Weights that know no model: nothing embedded can be loaded, and nothing is fetched."""

from pathlib import Path

from kb.weights.folder import Weights


def without_weights() -> Weights:
    return Weights(Path("no such folder"), sources=("folder",), catalog={})

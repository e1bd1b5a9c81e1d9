"""Where the files of a local model lie."""

from pathlib import Path

from kb.embedding.embedder import WeightsFolder
from kb.weights.known_models import PACKED_NAME


def model_folder(model: str, weights: WeightsFolder | None) -> Path | None:
    """Folder of a model given by path or by a name that the weights know, else None."""
    path = Path(model)
    if path.is_dir():
        return path
    if weights is None:
        from kb.weights.folder import Weights

        weights = Weights()
    if model not in weights.models():
        return None
    folder = weights.resolve(model)
    if not (folder / PACKED_NAME).is_file():
        return folder
    # It computes: whoever only asks for the name of a model waits for no arrays.
    from kb.embedding.packed_e5 import unpacked

    return unpacked(folder)

"""Names that a package offers, each loaded when it is first asked for."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path


def loaded_on_first_use(package: str, places: Mapping[str, str]) -> Callable[[str], object]:
    """The module-level `__getattr__` of `package`: `places` says which module holds which name.

    Commands stay quick, since a name costs the imports of its own module only.
    """

    def load(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return getattr(import_module(places[name]), name)
        except ModuleNotFoundError as error:
            if (hiding := _hiding(error.name or "")) is None:
                raise
            raise ImportError(
                f"The package {hiding[0]!r} of Viva Voce is hidden by {hiding[1]!r}. Rename that "
                "one, or start Python elsewhere with `python -P`."
            ) from error

    return load


def _hiding(module: str) -> tuple[str, str] | None:
    """The package that a module belongs to, and the file of the same name that came before it."""
    package = module.partition(".")[0]
    found = getattr(sys.modules.get(package), "__file__", None)
    ours = Path(__file__).resolve().parents[1]
    is_ours = package == module or not (ours / package).is_dir()
    if is_ours or found is None or ours in Path(found).resolve().parents[:2]:
        return None
    return package, str(found)

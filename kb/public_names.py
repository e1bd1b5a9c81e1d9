"""Names that a package offers, each loaded when it is first asked for."""

from collections.abc import Callable, Mapping
from importlib import import_module


def loaded_on_first_use(package: str, places: Mapping[str, str]) -> Callable[[str], object]:
    """The module-level `__getattr__` of `package`: `places` says which module holds which name.

    Commands stay quick, since a name costs the imports of its own module only.
    """

    def load(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(places[name]), name)

    return load

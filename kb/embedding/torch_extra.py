"""What only torch runs is an extra: the default model and its runtime do without."""

from importlib.util import find_spec

from kb.errors import WeightsError

INSTALL = "pip install 'vivavoce[torch]'"
_PACKAGES = ("torch", "sentence_transformers")


def require_torch(setting: str) -> None:
    """Return when the extra `torch` is installed; nothing is imported to find that out.

    Args:
        setting: The setting that needs it, as a person writes it.

    Raises:
        WeightsError: It is not installed; says what to install, or which setting to change.
    """
    if any(find_spec(package) is None for package in _PACKAGES):
        raise WeightsError(
            f"{setting} needs torch and sentence-transformers, which come as an extra. Install "
            f"it with {INSTALL}, or take the setting out: what is set by default does without."
        )

"""Which colours of an Office theme are white."""

from collections.abc import Callable
from typing import Any

from kb.errors import DocumentError

WHITE = "ffffff"
_DARKENING = frozenset({"shade", "lummod", "inv", "comp", "gray", "satmod", "hueoff", "lumoff"})


def read_theme(read: Callable[[], Any]) -> Any | None:
    """A theme; none where it is no XML, which costs its colours and not the document."""
    try:
        return read()
    except DocumentError as error:
        if error.reason != "malformed":
            raise
        return None


def is_light_white(theme: Any | None) -> bool:
    """Whether the first light colour of a theme, which pages and sheets have, is white."""
    if theme is None:
        return False
    colour = next((each for light in theme.iter("{*}lt1") for each in light), None)
    return colour is not None and _is_stated_white(colour)


def is_white(fill: Any | None, whites: frozenset[str]) -> bool:
    """Whether a fill of a drawing is plain white.

    Args:
        fill: An element that holds one colour.
        whites: The names of theme colours that are white where the fill stands.
    """
    colour = next(iter(fill), None) if fill is not None else None
    if colour is None or any(_name(each) in _DARKENING or _is_clear(each) for each in colour):
        return False
    if _name(colour) == "schemeclr":
        return colour.get("val") in whites
    return _is_stated_white(colour)


def _is_clear(change: Any) -> bool:
    return _name(change).startswith("alpha")


def _is_stated_white(colour: Any) -> bool:
    stated = colour.get("lastClr") or colour.get("val") or ""
    return stated.lower() in (WHITE, "white")


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""

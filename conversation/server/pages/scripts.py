"""The scripts of the page and the widget: plain modules, joined into one file for each. Pure.

Modules are served as they stand when a browser asks for one; what a page loads is joined, so that
it is one request. Joining is possible because modules keep to a plain form: they import names from
beside them, on lines of their own, and export declarations.
"""

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

CLIENT = files("conversation.server.pages") / "client"
STYLE = "look.css"
WORKLET = "capture.js"
"""Runs in the browser's audio thread, so it is a file of its own."""

_IMPORT = re.compile(
    r'^import (?:\{[^{}]*\} from )?"\./(?P<name>[a-z_]+)\.js";\n', re.MULTILINE | re.DOTALL
)
_EXPORT = re.compile(r"^export (?=(?:async )?function|class|const|let)", re.MULTILINE)
_COMMENT = re.compile(r"^\s*/\*\*.*?\*/\n|^\s*//[^\n]*\n", re.MULTILINE | re.DOTALL)
_STYLE_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True)
class Script:
    """A file for browsers."""

    content: bytes
    media_type: str

    @cached_property
    def compressed(self) -> bytes:
        """By gzip, the same bytes each time."""
        return gzip.compress(self.content, 9, mtime=0)

    @cached_property
    def tag(self) -> str:
        """Changes with the content."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


@cache
def page_script() -> Script:
    """What the talk page runs."""
    return Script(_joined("page").encode(), "text/javascript")


@cache
def widget_script() -> Script:
    """What a page of others runs: it defines the element, and holds its style."""
    style = json.dumps(plain_style(), ensure_ascii=False)
    return Script(_joined("widget", STYLE_TEXT=style).encode(), "text/javascript")


@cache
def style() -> Script:
    """The style of the page."""
    return Script(plain_style().encode(), "text/css")


@cache
def worklet() -> Script:
    """What takes sound from a microphone."""
    return Script((CLIENT / WORKLET).read_bytes(), "text/javascript")


def plain_style() -> str:
    """The style without comments and margins."""
    text = _STYLE_COMMENT.sub("", (CLIENT / STYLE).read_text("utf-8"))
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def modules_of(entry: str) -> list[str]:
    """Names of the modules that `entry` needs, each after those that it imports, and itself last.

    Raises:
        ValueError: Modules import each other in a circle.
    """
    order: list[str] = []
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        if name in open_:
            raise ValueError(f"modules import each other: {' -> '.join([*open_, name])}")
        open_.append(name)
        for match in _IMPORT.finditer(_source(name)):
            visit(match["name"])
        open_.pop()
        order.append(name)

    visit(entry)
    return order


def _joined(entry: str, **constants: str) -> str:
    parts = [f"const {name} = {value};\n" for name, value in constants.items()]
    parts += [_bare(_source(name)) for name in modules_of(entry)]
    return '(() => {\n"use strict";\n' + "".join(parts) + "})();\n"


def _bare(source: str) -> str:
    """A module without its imports and exports, and without comments that fill lines."""
    return _COMMENT.sub("", _EXPORT.sub("", _IMPORT.sub("", source)))


def _source(name: str) -> str:
    return (CLIENT / f"{name}.js").read_text("utf-8")

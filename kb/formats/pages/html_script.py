"""Pages that a script builds in a browser, and what pages state for search engines."""

import json
import re
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

from kb.errors import DocumentError
from kb.formats.pages.html_text import Element, read_tree, tag_of, visible_text
from kb.formats.pages.html_tree import add_tree
from kb.formats.text_builder import TextBuilder, one_line

_MAX_EMPTY_CHARS = 80
_MAX_NOTICE_CHARS = 400
_MAX_WAITING_CHARS = 40
_MAX_STATED_VALUES = 100_000
_MAX_NAMED_CHARS = 400_000
_QUOTED = re.compile(r"""(["'`])([^"'`\n]{1,200})\1""")
_WORD = re.compile(r"[\w-]+")


def needs_browser(name: str) -> DocumentError:
    """Say that a page holds nothing before its script ran."""
    return DocumentError(
        "needs_browser",
        f"{name!r} needs a browser: a script (JavaScript) builds its text, and nothing of it is in "
        "the page as it is sent. Switch `parsing.render` on to have it opened in Chromium, or add "
        "the page as a browser saves or prints it.",
    )


def is_built_by_script(root: Element) -> bool:
    """Whether the page is a place for a script to write into, and hardly anything else."""
    body = root.find("body")
    if body is None or not any(True for _ in root.iter("script")):
        return False
    text = one_line(visible_text(body))
    places = [one_line(visible_text(child)) for child in body if _is_place(child)]
    if any(not place for place in places) and len(text) <= _MAX_EMPTY_CHARS:
        return True
    notices = " ".join(" ".join(each.itertext()) for each in root.iter("noscript"))
    asks = "javascript" in f"{text} {notices}".lower()
    waits = any(len(place) <= _MAX_WAITING_CHARS for place in places)
    return asks and waits and len(text) <= _MAX_NOTICE_CHARS


def _is_place(element: Element) -> bool:
    tag = tag_of(element)
    if not tag or not (element.get("id") or "-" in tag) or tag in ("script", "noscript"):
        return False
    return not any(tag_of(inner) in ("h1", "h2", "p", "a", "li") for inner in element.iter())


def add_stated_questions(builder: TextBuilder, root: Element, *, shown: str) -> None:
    """Append questions and answers that stand in JSON-LD and not among the text that is `shown`."""
    shown = one_line(shown)
    for question, answer in _stated_questions(root):
        if not question or not answer or question in shown:
            continue
        builder.add("heading", question, level=2)
        try:
            add_tree(builder, read_tree(answer, "answer"), deeper=2)
        except DocumentError:
            builder.add("paragraph", answer)


def _stated_questions(root: Element) -> Iterator[tuple[str, str]]:
    for script in root.iter("script"):
        if (script.get("type") or "").lower().strip() != "application/ld+json":
            continue
        try:
            loaded: object = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        for value in _objects(loaded):
            if "Question" in _listed(value.get("@type")):
                answers = [*_listed(value.get("acceptedAnswer"))]
                answers = answers or _listed(value.get("suggestedAnswer"))
                texts = (_text(each, "text") for each in answers)
                yield _text(value, "name") or _text(value, "text"), " ".join(filter(None, texts))


def _objects(loaded: object) -> Iterator[dict[str, Any]]:
    waiting, seen = deque([loaded]), 0
    while waiting and seen < _MAX_STATED_VALUES:
        value, seen = waiting.popleft(), seen + 1
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            yield fields
            waiting.extend(fields.values())
        elif isinstance(value, list):
            waiting.extend(cast("list[object]", value))


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _text(value: object, key: str) -> str:
    found = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
    return one_line(found) if isinstance(found, str) else ""


def named_by_scripts(root: Element) -> set[str]:
    """Words in the strings of the page's own scripts: classes that one toggles are among them."""
    words: set[str] = set()
    for script in root.iter("script"):
        for quoted in _QUOTED.finditer((script.text or "")[:_MAX_NAMED_CHARS]):
            words.update(_WORD.findall(quoted[2]))
    return words

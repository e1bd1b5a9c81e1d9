"""Rules of a style sheet that hold on a screen of any size, nested ones taken out."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count, islice
from typing import Any

from kb.formats.vendors import vendor

_MAX_DEPTH = 5
_MAX_NESTED = 50
"""Selectors that one nested rule stands for."""
SCREEN = re.compile(r"\s*(?:|all|screen|only screen)\s*", re.IGNORECASE)
NAME = re.compile(r"([.#])([\w-]+)")
STATE = re.compile(r"::?[\w-]+(?:\([^()]*\))?|\[[^\]]*\]")
_COMBINATOR = re.compile(r"[\s>+~]+")
_VARIABLE = re.compile(r"(--[\w-]{1,80})\s*:([^;{}]{0,200})")
_USE = re.compile(r"var\(\s*(--[\w-]{1,80})\s*(?:,([^()]{0,200}))?\)")


@dataclass(frozen=True, eq=False)
class StyleRule:
    """One selector with what it declares."""

    selector: str
    declarations: Mapping[str, str]
    important: frozenset[str]
    order: int

    @cached_property
    def names(self) -> frozenset[str]:
        """Classes and ids of the element itself; of those around it where it needs none."""
        whole = STATE.sub("", self.selector).strip()
        named = NAME.findall(_COMBINATOR.split(whole)[-1]) or NAME.findall(whole)
        return frozenset(f"{kind}{name}" for kind, name in named)

    @property
    def text(self) -> str:
        """Its declarations as the value of a `style`."""
        return ";".join(f"{name}:{value}" for name, value in self.declarations.items())


def with_variables(source: str, *, scripts: str) -> str:
    """A style sheet with the values of its variables in place of their names.

    Only of those that have one value in the whole sheet and that no script of the page names.
    """
    if "var(" not in source:
        return source
    values: dict[str, set[str]] = defaultdict(set)
    for name, value in _VARIABLE.findall(source):
        values[name].add(value.strip())

    def value_of(use: re.Match[str]) -> str:
        found = values.get(use[1], {use[2].strip()} if use[2] else set[str]())
        return next(iter(found)) if len(found) == 1 and use[1] not in scripts else use[0]

    return _USE.sub(value_of, source)


def rules_in(source: str) -> Iterator[StyleRule]:
    """The rules of a style sheet, one for each selector, in their order."""
    css = vendor("tinycss2")
    nodes = css.parse_stylesheet(source, skip_comments=True, skip_whitespace=True)
    order = count()
    for selectors, content in _flat(css, nodes, around=(), depth=0):
        declarations, important = _declarations(css, content)
        for selector in selectors:
            yield StyleRule(selector, declarations, important, next(order))


def _flat(
    css: Any, nodes: Iterable[Any], *, around: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Selectors and content of each rule; `around` are those of the rule that it is nested in."""
    for node in nodes:
        is_rule = node.type == "qualified-rule"
        prelude = css.serialize(node.prelude).strip() if is_rule else ""
        if depth > _MAX_DEPTH or not (prelude or _holds(css, node)):
            continue
        content = css.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
        selectors = _selectors(prelude, around) if is_rule else around
        if is_rule:
            yield selectors, content
        inner = (each for each in content if each.type in ("qualified-rule", "at-rule"))
        yield from _flat(css, inner, around=selectors, depth=depth + 1)


def _selectors(prelude: str, around: tuple[str, ...]) -> tuple[str, ...]:
    own = [each.strip() for each in prelude.split(",")]
    if not around:
        return tuple(own)
    nested = (
        each.replace("&", outer) if "&" in each else f"{outer} {each}"
        for outer in around
        for each in own
    )
    return tuple(islice(nested, _MAX_NESTED))


def _holds(css: Any, node: Any) -> bool:
    """Whether the rules inside of another hold on every screen; what is no CSS holds nothing."""
    if node.type != "at-rule" or node.content is None:
        return False
    prelude = css.serialize(node.prelude)
    if node.lower_at_keyword == "media":
        return SCREEN.fullmatch(prelude) is not None
    if node.lower_at_keyword == "supports":
        return not prelude.strip().lower().startswith("not")
    return node.lower_at_keyword == "layer"


def _declarations(css: Any, content: list[Any]) -> tuple[dict[str, str], frozenset[str]]:
    found: dict[str, str] = {}
    important: set[str] = set()
    for each in content:
        if each.type == "declaration":
            found[each.lower_name] = css.serialize(each.value).strip().lower()
            if each.important:
                important.add(each.lower_name)
    return found, frozenset(important)

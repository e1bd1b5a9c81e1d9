"""What an HTML element is called and what it says."""

import re
from collections.abc import Iterator
from typing import Any

from kb.errors import DocumentError
from kb.formats.text_builder import malformed, one_line
from kb.formats.vendors import vendor

_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
SKIPPED = frozenset(
    {"script", "style", "template", "head", "noscript", "svg", "math", "iframe", "object"}
    | {"select", "datalist", "canvas", "audio", "video", "map"}
)
LISTS = frozenset({"ul", "ol", "menu", "dir"})
BLOCKS = (
    HEADINGS
    | LISTS
    | frozenset({"p", "div", "section", "article", "main", "header", "footer", "aside", "nav"})
    | frozenset({"table", "pre", "blockquote", "dl", "dt", "dd", "figure", "figcaption", "hr"})
    | frozenset({"form", "fieldset", "details", "summary", "address", "center", "body", "li"})
    | frozenset({"tr", "td", "th", "thead", "tbody", "tfoot", "caption"})
)

_SENTENCES = HEADINGS | {
    "p",
    "li",
    "td",
    "th",
    "dt",
    "dd",
    "figcaption",
    "summary",
    "caption",
    "label",
}
"""Blocks in which what stands beside words is read with them."""
_PICTURES = frozenset({"img", "svg"})
_MAX_SIGN_CHARS = 60
"""A picture with a longer description is looked at beside the sentence."""
_RAISING = {"mfrac": "/", "msup": "^", "msub": "_", "msubsup": "_"}
_MAX_FORMULA_DEPTH = 30
_MAX_STEPS = 8
"""Elements without words that are passed over beside a picture."""
FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|svg|webp|bmp)", re.IGNORECASE)
# lxml ships no types; an element is met here and in the modules that make one.
Element = Any
_RAISED = str.maketrans("0123456789+-\u2212", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_RAISED_NUMBER = re.compile(r"[+\u2212-]?[0-9]{1,4}")


def read_tree(source: str, name: str) -> Element:
    """Parse HTML leniently; nothing is fetched and no entity is expanded from outside."""
    etree, html = vendor("lxml.etree"), vendor("lxml.html")
    parser = html.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True
    )
    source = _XML_DECLARATION.sub("", source).replace("\0", "")
    try:
        root: Element = html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.LxmlError, ValueError) as error:
        if "empty" in str(error).lower():
            raise DocumentError("empty", f"{name!r} is an HTML page without any text.") from error
        raise malformed(name, "HTML page", error) from error
    raise_digits(root)
    _write_formulas(root)
    write_signs(root)
    return root


def tag_of(element: Element) -> str:
    """Lower-case name without a namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def inline_text(element: Element) -> str:
    """Text inside an element; `<br>` starts a line, other white space is one blank."""
    pieces: list[str] = []
    collect(element, pieces)
    lines = "".join(pieces).split("\0")
    return "\n".join(filter(None, (one_line(line) for line in lines)))


def visible_text(element: Element) -> str:
    """All text inside, tails of inner elements included, without scripts and the like."""
    pieces: list[str] = []
    stack = [element]
    while stack:
        current = stack.pop()
        if tag_of(current) and tag_of(current) not in SKIPPED:
            pieces.append(current.text or "")
            stack.extend(current)
        if current is not element:
            pieces.append(current.tail or "")
    return " ".join(pieces)


def drain(pieces: list[str]) -> Iterator[str]:
    """Yield the lines that `collect` gathered, and forget them."""
    lines = [one_line(line) for line in "".join(pieces).split("\0")]
    pieces.clear()
    yield from filter(None, lines)


def collect(element: Element, pieces: list[str], border: str = " ") -> None:
    """Append the text inside `element`, without its tail. A line break is a NUL for now.

    `border` is what comes before and after a block inside of it.
    """
    tag = tag_of(element)
    if not tag or tag in SKIPPED:
        return
    if tag == "br":
        pieces.append("\0")
        return
    apart = border if tag in BLOCKS else ""
    pieces.append(apart + (element.text or ""))
    for child in element:
        collect(child, pieces, border)
        pieces.append(child.tail or "")
    pieces.append(apart)


def raise_digits(root: Element) -> None:
    """Write `10<sup>3</sup>` as 10³, which is not 103; marks of footnotes too."""
    for mark in root.iter("sup"):
        before = mark.getprevious()
        parent = mark.getparent()
        ahead = (parent.text if parent is not None else "") if before is None else before.tail
        digits = one_line(inline_text(mark))
        above = raised(digits, ahead or "")
        if above != digits:
            for inner in list(mark):
                mark.remove(inner)
            mark.text = above


def _write_formulas(root: Element) -> None:
    """Write what formulas say in one line: `x = (a+b)/2`."""
    for formula in list(root.iter("math")):
        text, tail = one_line(_formula(formula, _MAX_FORMULA_DEPTH)), formula.tail
        formula.clear()
        formula.tag, formula.text, formula.tail = "span", text, tail


def _formula(element: Element, depth: int) -> str:
    tag = tag_of(element)
    if tag.startswith("annotation") or not depth:
        return ""
    parts = [_formula(each, depth - 1) for each in element if tag_of(each)]
    if tag in _RAISING and len(parts) > 1:
        sign = _RAISING[tag]
        return sign.join(part if len(part) < 2 or part.isalnum() else f"({part})" for part in parts)
    said = (element.text or "").strip() + "".join(parts)
    if tag == "mo" and said and said not in "()[]{},.":
        return f" {said} "
    return f"√({said})" if tag == "msqrt" else said


def write_signs(root: Element) -> None:
    """Write what a picture within a sentence is called: `Press [gear] to open` is read with it."""
    signs = [each for each in root.iter() if _is_picture(each)]
    for sign in signs:
        name = name_of(sign)
        if not 0 < len(name) <= _MAX_SIGN_CHARS or FILE_NAME.fullmatch(name):
            continue
        before, behind = _words_beside(sign)
        if (before or behind) and not (before.endswith(name) or behind.startswith(name)):
            for child in list(sign):
                sign.remove(child)
            sign.tag, sign.text = "span", name


def name_of(element: Element) -> str:
    """What a picture or an icon is called: what is read out in place of it."""
    name = element.get("alt") or element.get("aria-label") or ""
    if tag_of(element) == "svg":
        titles = (part.text or "" for part in element if tag_of(part) == "title")
        name = name or "".join(titles)
    return one_line(name or element.get("title") or "")


def _is_picture(element: Element) -> bool:
    tag = tag_of(element)
    is_named = (element.get("role") or "").lower() == "img" and not (element.text or "").strip()
    return tag in _PICTURES or (bool(tag) and is_named and tag not in BLOCKS)


def _words_beside(sign: Element) -> tuple[str, str]:
    """The words of the sentence right before and behind an element; none where it is in none."""
    around = next((each for each in sign.iterancestors() if tag_of(each) in BLOCKS), None)
    if around is None or tag_of(around) not in _SENTENCES:
        return "", ""
    return _words_before(sign, around), _words_behind(sign, around)


def _words_before(element: Element, around: Element) -> str:
    for _ in range(_MAX_STEPS):
        previous, parent = element.getprevious(), element.getparent()
        if previous is None:
            words, element = parent.text, parent
        else:
            words, element = (previous.tail or "").strip() or inline_text(previous), previous
        if (words or "").strip() or element is around:
            return one_line(words or "")
    return ""


def _words_behind(element: Element, around: Element) -> str:
    words = element.tail
    for _ in range(_MAX_STEPS):
        if (words or "").strip() or element is around:
            break
        following = element.getnext()
        if following is None:
            element = element.getparent()
            words = element.tail if element is not around else ""
        else:
            words, element = inline_text(following) or following.tail, following
    return one_line(words or "")


def raised(digits: str, ahead: str) -> str:
    """What stands raised behind `ahead`: a number behind a digit keeps apart from it."""
    if ahead[-1:].isdecimal() and _RAISED_NUMBER.fullmatch(digits):
        return digits.translate(_RAISED)
    return digits


def lines_of(element: Element) -> Iterator[str]:
    """The text of an element, a line for each block and each break in it."""
    pieces: list[str] = []
    collect(element, pieces, "\0")
    return drain(pieces)

"""Web pages made plain before their main text is looked for.

A finder of articles knows paragraphs, headings, lists and tables. What a reader opens with a click,
what stands in elements of a page's own making and what numbers lines of code is put into these.
"""

import re

from kb.formats.pages.html_opened import show_openers
from kb.formats.pages.html_text import (
    BLOCKS,
    HEADINGS,
    Element,
    inline_text,
    raise_digits,
    tag_of,
    visible_text,
)
from kb.formats.pages.html_tree import block_holders
from kb.formats.text_builder import TextBuilder, one_line

_DELETED = {"del": "deleted text", "s": "struck text", "strike": "struck text"}
_LONG = frozenset({"p", "ul", "ol", "pre", "table", "dl"})
_FIGURES = frozenset({"table", "pre", "blockquote"})
_CONTAINERS = ("section", "main", "article", "fieldset", "dialog")
_LINK_SHARE = 0.8
_MAX_NOTE_CHARS = 2_000
_MAX_NOTE_LINK_SHARE = 0.2
_PROSE_CHARS = 60
_CONTACT = re.compile(r"(?:tel|mailto|sms):", re.IGNORECASE)
_NUMBERED = re.compile(
    r"[^\W\d]{1,20}\.?\s?\d{1,3}(?:[.\-]\d{1,3})?(?:\s?[.:)|\u2013\u2014\uff1a]|\s|$)"
)
_LINE_NUMBER = re.compile(r"\s*\d{1,6}\s*")
_MIN_NUMBERED_LINES = 2


def make_plain(root: Element, builder: TextBuilder) -> None:
    """Change `root` in place; `builder` counts what is dropped."""
    _drop_deleted(root, builder)
    _open_shadow_roots(root, builder)
    for panel in show_openers(root):
        _wrap_bare_text(panel)
    _open_asides(root)
    _open_containers(root)
    _keep_captions(root)
    _rename_own_elements(root)
    _unnumber_code(root)
    raise_digits(root)
    _open_details(root)
    _write_definitions(root)


def _drop_deleted(root: Element, builder: TextBuilder) -> None:
    for element in list(root.iter(*_DELETED)):
        if one_line(visible_text(element)):
            builder.leave_out(_DELETED[tag_of(element)])
        following = element.getnext()
        touches = not (element.tail or "").strip() and following is not None
        if touches and tag_of(following) == "ins":
            element.tail = element.tail or " "
        if element.getparent() is not None:
            element.drop_tree()


def _open_shadow_roots(root: Element, builder: TextBuilder) -> None:
    """What a template holds is seen where it is the inside of an element; else a script uses it."""
    for element in list(root.iter("template")):
        if element.get("shadowrootmode") or element.get("shadowroot"):
            element.tag = "div"
        elif element.getparent() is not None:
            builder.hide("hidden text", "".join(str(piece) for piece in element.itertext()))
            element.drop_tree()


def _rename_own_elements(root: Element) -> None:
    """Elements of a page's own making are blocks where they hold blocks or stand alone."""
    own = [each for each in root.iter() if "-" in tag_of(each)]
    holders = block_holders(root)
    # The innermost first: what is around them then sees whether they are blocks.
    for element in reversed(own):
        if element in holders:
            element.tag = "div"
        else:
            element.tag = "p" if _stands_alone(element) else "span"
        if element.tag != "span":
            for above in element.iterancestors():
                if above in holders:
                    break
                holders.add(above)


def _stands_alone(element: Element) -> bool:
    parent, before = element.getparent(), element.getprevious()
    if parent is None or tag_of(parent) in (HEADINGS | {"p", "span", "a", "li", "td", "button"}):
        return False
    ahead = parent.text if before is None else before.tail
    return not (ahead or "").strip() and not (element.tail or "").strip()


def _unnumber_code(root: Element) -> None:
    for table in list(root.iter("table")):
        code = _code_beside_numbers(table)
        if code is not None and table.getparent() is not None:
            pre = table.makeelement("pre")
            pre.text, pre.tail = code, table.tail
            table.getparent().replace(table, pre)
    for pre in root.iter("pre"):
        _drop_line_numbers(pre)


def _code_beside_numbers(table: Element) -> str | None:
    """The code of a table whose first column only counts its lines."""
    rows = [[cell for cell in row if tag_of(cell) in ("td", "th")] for row in table.iter("tr")]
    if not rows or any(len(row) != 2 for row in rows):
        return None
    numbers = " ".join(_raw(row[0]) or str(row[0].get("data-line-number", "")) for row in rows)
    if not _counts_up(numbers.split()):
        return None
    if len(rows) == 1 and not any(tag_of(inner) == "pre" for inner in rows[0][1].iter()):
        return None
    is_code = any(
        tag_of(inner) in ("pre", "code") or "code" in (inner.get("class") or "")
        for row in rows
        for inner in row[1].iter()
        if tag_of(inner)
    )
    return "\n".join(_raw(row[1]).strip("\n") for row in rows) if is_code else None


def _drop_line_numbers(pre: Element) -> None:
    """Drop elements that count the lines of the code that they stand in."""
    kinds: dict[tuple[str, str], list[Element]] = {}
    for element in pre.iterdescendants():
        if tag_of(element) and _LINE_NUMBER.fullmatch(_raw(element)):
            kinds.setdefault((tag_of(element), element.get("class") or ""), []).append(element)
    for elements in kinds.values():
        if _counts_up([_raw(each).strip() for each in elements]):
            for element in elements:
                if element.getparent() is not None:
                    element.drop_tree()


def _counts_up(numbers: list[str]) -> bool:
    if len(numbers) < _MIN_NUMBERED_LINES or not all(_is_count(each) for each in numbers):
        return False
    first = int(numbers[0])
    return [int(each) for each in numbers] == list(range(first, first + len(numbers)))


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6


def _open_containers(root: Element) -> None:
    """Words that stand in a section itself become paragraphs; so does a box that asks nothing."""
    for container in list(root.iter(*_CONTAINERS)):
        if tag_of(container) in ("fieldset", "dialog") and not _is_form(container):
            container.tag = "div"
            for legend in container.iterchildren("legend"):
                legend.tag = "p"
        if _has_bare_text(container):
            _wrap_bare_text(container)
    divisions = [each for each in root.iter("div") if _has_bare_text(each)]
    around = {each.getparent() for each in divisions} - {None}
    prose = {each: _paragraphs(each) for each in around.union(divisions)}
    for division in divisions:
        if prose[division] or prose.get(division.getparent()):
            _wrap_bare_text(division)


def _open_asides(root: Element) -> None:
    """A short aside between paragraphs is a note on them; others are beside the text."""
    asides = [each for each in root.iter("aside") if each.getparent() is not None]
    prose = {around: _paragraphs(around) for around in {each.getparent() for each in asides}}
    for aside in asides:
        length = _length(aside)
        linked = sum(_length(link) for link in aside.iter("a"))
        if not 0 < length <= _MAX_NOTE_CHARS or linked > _MAX_NOTE_LINK_SHARE * length:
            continue
        if prose[aside.getparent()]:
            aside.tag = "div"
            _wrap_bare_text(aside)


def _paragraphs(around: Element) -> int:
    """How many paragraphs of prose stand in an element itself."""
    return sum(tag_of(each) == "p" and _length(each) >= _PROSE_CHARS for each in around)


def _length(element: Element) -> int:
    return len(one_line(visible_text(element)))


def _is_form(container: Element) -> bool:
    """Whether it asks for something, as a form does, or waits to be opened."""
    asks = any(tag_of(inner) in ("input", "select", "textarea") for inner in container.iter())
    return asks or (tag_of(container) == "dialog" and container.get("open") is None)


def _keep_captions(root: Element) -> None:
    """A caption of a table, of code or of a quotation is a paragraph beside it.

    So is one with a number, by which the text speaks of a picture. Other captions of pictures are
    left to what finds the main text.
    """
    for figure in list(root.iter("figure")):
        captions = list(figure.iter("figcaption"))
        is_told_of = any(_NUMBERED.match(inline_text(caption)) for caption in captions)
        if not is_told_of and not any(
            tag_of(inner) in _FIGURES for inner in figure.iterdescendants()
        ):
            continue
        figure.tag = "div"
        for caption in captions:
            if not any(tag_of(inner) in BLOCKS for inner in caption.iterdescendants()):
                caption.tag = "p"


def _open_details(root: Element) -> None:
    for details in list(root.iter("details")):
        summary = next((child for child in details if tag_of(child) == "summary"), None)
        if summary is not None:
            holds_heading = any(tag_of(inner) in HEADINGS for inner in summary.iter())
            summary.tag = "div" if holds_heading else "p"
        details.tag = "div"
        _wrap_bare_text(details)


def _has_bare_text(parent: Element) -> bool:
    """Whether words stand in an element itself, not only in what it holds."""
    own = (parent.text, *(child.tail for child in parent))
    return any((each or "").strip() for each in own)


def _wrap_bare_text(parent: Element) -> None:
    """Put text and inline elements between blocks into paragraphs."""
    paragraph = _paragraph_of(parent, parent.text)
    parent.text = None
    children = list(parent)
    for child in children:
        parent.remove(child)
    for child in children:
        tail, child.tail = child.tail, None
        holds = any(tag_of(inner) in BLOCKS for inner in child.iter())
        if tag_of(child) and not holds:
            paragraph = paragraph if paragraph is not None else parent.makeelement("p")
            child.tail = tail
            paragraph.append(child)
            continue
        if paragraph is not None:
            parent.append(paragraph)
        parent.append(child)
        paragraph = _paragraph_of(parent, tail)
    if paragraph is not None:
        parent.append(paragraph)


def _paragraph_of(parent: Element, text: str | None) -> Element | None:
    if not (text or "").strip():
        return None
    paragraph = parent.makeelement("p")
    paragraph.text = text
    return paragraph


def _write_definitions(root: Element) -> None:
    """Short definitions become items of `term: definition`, longer ones keep their blocks."""
    for found in list(root.iter("dl")):
        groups = [child for child in found if tag_of(child) == "div"]
        for group in groups:
            group.drop_tag()
        holds_blocks = any(tag_of(inner) in _LONG for inner in found.iterdescendants())
        if not holds_blocks and not _only_links(found):
            _write_items(found)


def _only_links(found: Element) -> bool:
    """Whether every definition is a link to another page, as in a list of tags."""
    definitions = [child for child in found if tag_of(child) == "dd"]
    return bool(definitions) and all(_is_link(each) for each in definitions)


def _is_link(definition: Element) -> bool:
    links = [each for each in definition.iter("a") if not _CONTACT.match(each.get("href") or "")]
    linked = sum(len(one_line(visible_text(each))) for each in links)
    return bool(links) and linked >= _LINK_SHARE * len(one_line(visible_text(definition)))


def _write_items(found: Element) -> None:
    items: list[tuple[list[str], list[str]]] = []
    for child in found:
        text = one_line(inline_text(child))
        if tag_of(child) == "dt" and text:
            if not items or items[-1][1]:
                items.append(([], []))
            items[-1][0].append(text)
        elif tag_of(child) == "dd" and text:
            if not items:
                items.append(([], []))
            items[-1][1].append(text)
    for child in list(found):
        found.remove(child)
    found.tag, found.text = "ul", None
    for terms, definitions in items:
        item = found.makeelement("li")
        item.text = ": ".join(filter(None, ("; ".join(terms), "; ".join(definitions))))
        found.append(item)


def _raw(element: Element) -> str:
    return "".join(str(piece) for piece in element.itertext())

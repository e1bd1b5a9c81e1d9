"""What a finder of articles found, put right.

A list of links to other pages of the site, where a text ends, is dropped: each page of a site
repeats the titles of others, which are then found in place of what they lead to. And a sentence
that stands in no paragraph is put together again: a finder makes one of each piece between links
and bold words.
"""

import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

from kb.formats.link_targets import leads_to_contact_or_file
from kb.formats.pages.html_text import (
    BLOCKS,
    HEADINGS,
    LISTS,
    SKIPPED,
    Element,
    tag_of,
    visible_text,
)

_MIN_LINKS = 3
_MIN_TITLE_CHARS = 20
"""On average: shorter ones are names, such as those of places, and may be what is asked for."""
_MIN_LINKED_SHARE = 0.8
_MAX_SHARE = 0.3
"""Of the text; more of it is what the page is for, as on a page of contents."""
_MAX_LABEL_CHARS = 60
_MAX_DEPTH = 5
# An element, and whether it is its text or its tail that is meant.
_Words = tuple[Element, str]
_MIN_PROSE_CHARS = 20
_CONTAINERS = frozenset({"div", "section", "article", "aside", "main"})
_INLINE = frozenset({"hi", "ref", "del", "code"})
"""As trafilatura calls what stands within a line."""
_SILENT = frozenset({"img", "wbr"})
_NO_WORDS = frozenset({"br", "img", "input", "button", "textarea"})
_JOINT = "\u035c"
"""Put where a line goes on, and taken away again: a sign that hardly any text holds."""


def link_texts(root: Element, address: str) -> frozenset[str]:
    """What the links of a page say that lead to other pages of its site, without white space.

    To be taken before what is around a link changes; `address` is that of the page.
    """
    texts = (
        _squeezed(link) for link in root.iter("a") if _stays_here(link.get("href") or "", address)
    )
    return frozenset(filter(None, texts))


def drop_related(main: Element, links: frozenset[str]) -> int:
    """Remove the list of `links` that the text ends with, and its heading; returns how many."""
    blocks = list(_blocks(main))
    first = len(blocks)
    while first and _is_all_links(blocks[first - 1], links):
        first -= 1
    titles = [_squeezed(item) for block in blocks[first:] for item in _items(block)]
    if len(titles) < _MIN_LINKS or sum(map(len, titles)) < _MIN_TITLE_CHARS * len(titles):
        return 0
    if 2 * sum(map(_has_price, titles)) > len(titles):
        return 0
    while first and _introduces(blocks[first - 1]):
        first -= 1
    lengths = [len(_squeezed(block)) for block in blocks]
    if sum(lengths[first:]) > _MAX_SHARE * sum(lengths):
        return 0
    for block in blocks[first:]:
        block.clear(keep_tail=True)
    return len(titles)


def found_in_whole_lines(root: Element, find: Callable[[], Element | None]) -> Element | None:
    """What `find` finds in `root`, with words in no paragraph of their own as one line each.

    Where such words are prose, more than the links among them, they are marked for the while.
    """
    if any(_JOINT in said for said in root.itertext()):
        return find()
    for holder in root.iter(*_CONTAINERS):
        if _holds_prose(holder):
            _mark(holder)
    found = find()
    _remove_joints(root)
    if found is not None:
        _join_lines(found)
        _remove_joints(found)
    return found


def _join_lines(found: Element) -> None:
    holders = [each for each in found.iter() if tag_of(each) in (*_CONTAINERS, "body", "quote")]
    for holder in holders:
        _open_tails(holder)
        before: Element | None = None
        for child in list(holder):
            if tag_of(child) not in {"p", *_INLINE}:
                before = None
            elif before is not None and _goes_on(before, child):
                before = _joined(before, child)
            else:
                before = child


def _open_tails(holder: Element) -> None:
    """Words behind a paragraph, where they go on, are a paragraph of their own."""
    for child in list(holder):
        if tag_of(child) not in _INLINE and (child.tail or "").rstrip().endswith(_JOINT):
            paragraph = holder.makeelement("p")
            paragraph.text, child.tail = child.tail, None
            child.addnext(paragraph)


def _remove_joints(root: Element) -> None:
    for each in root.iter():
        for place in ("text", "tail"):
            said = getattr(each, place)
            if said and _JOINT in said:
                setattr(each, place, said.replace(_JOINT, ""))


def _holds_prose(holder: Element) -> bool:
    own = (holder.text, *(child.tail for child in holder))
    said = sum(len("".join((each or "").split())) for each in own)
    linked = sum(
        len(_squeezed(link)) for child in holder if _is_inline(child) for link in child.iter("a")
    )
    return said >= max(_MIN_PROSE_CHARS, linked)


def _mark(holder: Element) -> None:
    """Put a mark on both sides where one piece of a line ends and the next begins."""
    ahead = _said_in(holder, "text")
    blank = ""
    for child in holder:
        after = _said_in(child, "tail")
        if _is_inline(child):
            if len(child):
                _mark(child)
            if ahead is not None:
                _mark_end(ahead, blank)
                _mark_beginning(_first_words(child))
            if after is not None:
                _mark_end(_last_words(child), "")
                _mark_beginning(after)
            ahead, blank = after or _last_words(child), "" if after else child.tail or ""
        elif after is not None or tag_of(child) not in _SILENT:
            ahead, blank = after, ""


def _is_inline(element: Element) -> bool:
    tag = tag_of(element)
    if not tag or tag in BLOCKS or tag in SKIPPED or tag in _NO_WORDS or not _squeezed(element):
        return False
    return not any(tag_of(inner) in BLOCKS for inner in element.iterdescendants())


def _said_in(element: Element, place: str) -> _Words | None:
    return (element, place) if (getattr(element, place) or "").strip() else None


def _first_words(element: Element) -> _Words:
    if found := _said_in(element, "text"):
        return found
    for each in element:
        if _squeezed(each):
            return _first_words(each)
        if found := _said_in(each, "tail"):
            return found
    return element, "text"


def _last_words(element: Element) -> _Words:
    for each in reversed(element):
        if found := _said_in(each, "tail"):
            return found
        if _squeezed(each):
            return _last_words(each)
    return element, "text"


def _mark_end(words: _Words, blank: str) -> None:
    element, place = words
    setattr(element, place, f"{getattr(element, place) or ''}{blank}{_JOINT}")


def _mark_beginning(words: _Words) -> None:
    element, place = words
    setattr(element, place, f"{_JOINT}{getattr(element, place) or ''}")


def _goes_on(before: Element, child: Element) -> bool:
    tail = (before.tail or "").rstrip()
    ended = tail or _text_at(_last_words(before)).rstrip()
    return ended.endswith(_JOINT) and _text_at(_first_words(child)).lstrip().startswith(_JOINT)


def _text_at(words: _Words) -> str:
    return getattr(*words) or ""


def _joined(before: Element, child: Element) -> Element:
    """One paragraph of both, in the place of the first."""
    line = before
    if tag_of(before) != "p":
        line = before.makeelement("p")
        before.getparent().replace(before, line)
        line.append(before)
    if tag_of(child) == "p":
        if len(line):
            line[-1].tail = (line[-1].tail or "") + (child.text or "")
        else:
            line.text = (line.text or "") + (child.text or "")
        line.tail = child.tail
        child.getparent().remove(child)
        line.extend(list(child))
    else:
        line.append(child)
    return line


def _stays_here(target: str, address: str) -> bool:
    """Whether a link leads to another page of the same site."""
    try:
        whole = urljoin(address, target)
        here, there = urlsplit(address), urlsplit(whole)
    except ValueError:
        return False
    if not target or target.startswith("#") or leads_to_contact_or_file(whole):
        return False
    return there.netloc == here.netloc and (there.path, there.query) != (here.path, here.query)


def _blocks(element: Element) -> Iterator[Element]:
    for child in element:
        if tag_of(child) in _CONTAINERS and len(child):
            yield from _blocks(child)
        elif tag_of(child) and _squeezed(child):
            yield child


def _items(block: Element) -> list[Element]:
    if tag_of(block) not in LISTS:
        return [block]
    return [item for item in block if tag_of(item) == "li" and _squeezed(item)]


def _is_all_links(block: Element, links: frozenset[str]) -> bool:
    items = _items(block)
    return bool(items) and all(
        _linked(item, links) >= _MIN_LINKED_SHARE * len(_squeezed(item)) for item in items
    )


def _linked(element: Element, links: frozenset[str], depth: int = _MAX_DEPTH) -> int:
    """Characters of an element that are what links say, looked for so many elements deep."""
    said = _squeezed(element)
    if said in links:
        return len(said)
    inner = (child for child in element if depth and tag_of(child))
    return sum(_linked(child, links, depth - 1) for child in inner)


def _introduces(block: Element) -> bool:
    said = _squeezed(block)
    is_label = len(said) <= _MAX_LABEL_CHARS and said.endswith((":", "\uff1a"))
    return tag_of(block) in HEADINGS or is_label


def _has_price(title: str) -> bool:
    return any(unicodedata.category(sign) == "Sc" for sign in title)


def _squeezed(element: Element) -> str:
    return "".join(visible_text(element).split())

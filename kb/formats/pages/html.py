"""Web pages: the main text with its structure; menus, banners and hidden text left out."""

import re
from collections.abc import Iterator
from copy import deepcopy
from urllib.parse import urljoin

from kb.config import ParsingConfig
from kb.document import ParsedDocument
from kb.formats.decoding import decode
from kb.formats.link_targets import beside, leads_to_contact_or_file
from kb.formats.pages.html_body import (
    joined_body,
    keep_priced,
    left_beside,
    lists_entries,
    marked_body,
    marked_thread,
    show_unspoken,
    shown_beside_text,
)
from kb.formats.pages.html_found import drop_related, found_in_whole_lines, link_texts
from kb.formats.pages.html_opened import (
    WAS_HIDDEN,
    following_pairs,
    is_opened_by_click,
    panels,
)
from kb.formats.pages.html_plain import make_plain
from kb.formats.pages.html_script import add_stated_questions, is_built_by_script, needs_browser
from kb.formats.pages.html_styles import Grounds, apply_styles, is_pale, is_tiny
from kb.formats.pages.html_table import flatten_cells, is_data_table, open_tables, table_key
from kb.formats.pages.html_text import (
    SKIPPED,
    Element,
    inline_text,
    read_tree,
    tag_of,
    visible_text,
)
from kb.formats.pages.html_tree import add_tree
from kb.formats.text_builder import ParseRequest, TextBuilder, one_line
from kb.formats.vendors import vendor

MIN_MAIN_CHARS = 300
"""When less main text than this is found, and it is less than `MIN_MAIN_SHARE` of what is visible,
the page has no article to find, and all that is visible is taken."""
MIN_MAIN_SHARE = 0.3
MAX_FADED_SHARE = 0.2
"""Transparent text beyond this share of a page waits to be faded in."""

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|(?:left|top|text-indent)\s*:\s*-(?:\d{4,}|\d{3,}r?em)|scale\(\s*0\s*\)"
    r"|(?:^|;)\s*zoom\s*:\s*0+(?:\.0*)?\s*(?:;|$|!)|(?<!-)filter\s*:\s*opacity\(\s*0%?\s*\)",
    re.IGNORECASE,
)
_AROUND = ("nav", "header", "footer", "aside", "form")
_HOLD_WORDS = frozenset({"p", "li", "td", "cell", "item", "hi", "pre", "ref"})
_PERMALINK_SIGNS = frozenset({"¶", "#", "§", "\N{LINK SYMBOL}", "\uf0c1"})
_COLOUR = re.compile(r"(?:^|;)\s*(color|background|background-color)\s*:\s*([^;!]+)", re.IGNORECASE)
_FADED_STYLE = re.compile(
    r"(?<!-)\bopacity\s*:\s*(?:0*\.0\d*|0+(?:\.0*)?|[0-4](?:\.\d*)?%)\s*(?:;|$|!)", re.IGNORECASE
)
"""Styles of what is transparent, or as good as that."""
_MOVING = re.compile(r"\b(?:animation|transition)\b|@keyframes", re.IGNORECASE)
"""In a style sheet: what is transparent at first may come to be seen."""


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a web page: trafilatura finds the main text, its tree gives the blocks."""
    root = read_tree(decode(data, stated=request.charset or _stated_charset(data)), request.name)
    builder = TextBuilder(request)
    if not request.config.html_keep_hidden:
        drop_hidden(root, builder)
    title, language = _title(root), root.get("lang") or root.get("xml:lang")
    is_empty = is_built_by_script(root)
    _write_targets(_own_links(root), request, telling_only=True)
    make_plain(root, builder)
    open_tables(root)
    stated = TextBuilder(request)
    add_stated_questions(stated, root, shown=visible_text(root))
    visible = _visible_length(root)
    for kind, count in shown_beside_text(root):
        builder.leave_out(kind, count)
    drop_permalinks(root)
    keep_priced(root)
    show_unspoken(root)
    titles = link_texts(root, _address(root, request.name))
    flatten_cells(root)
    focused = visible > MIN_MAIN_CHARS and request.config.html_focus != "everything"
    focused = focused and not _is_short(root) and not _is_list(root, request.config)
    main = _main_text(root, request.config, titles, builder) if focused else None
    if main is not None:
        for kind, count in left_beside(root, main):
            builder.leave_out(kind, count)
        builder.leave_out("link target", _write_targets(main.iter("ref", "a"), request))
        add_tree(builder, main)
        builder.extend(stated.build())
    parsed = builder.build(title=title, language=language, metadata=_metadata(root))
    if len(parsed.text) < min(MIN_MAIN_CHARS, MIN_MAIN_SHARE * visible) or not parsed.text:
        shown = root if request.config.html_focus == "everything" else _main_element(root)
        whole = TextBuilder(request)
        whole.hidden_chars, whole.left_out = builder.hidden_chars, builder.left_out
        for kind in ("user comment", "picture caption", "related link"):
            whole.left_out.pop(kind, None)
        if not is_empty:
            whole.left_out.pop("link target", None)
            whole.leave_out("link target", _write_targets(shown.iter("a"), request))
            add_tree(whole, shown)
        whole.extend(stated.build())
        parsed = whole.build(title=title, language=language, metadata=_metadata(root))
    if is_empty and not parsed.text:
        raise needs_browser(request.name)
    return parsed


def drop_hidden(root: Element, builder: TextBuilder) -> None:
    """Remove elements that a reader of the page does not see; `builder` counts them.

    Whole pages begin transparent and are faded in by a script, so transparent text counts as
    hidden only when it is the lesser part of the page.
    """
    may_move = any(_MOVING.search(each.text or "") for each in root.iter("style"))
    apply_styles(root, _hides, is_pale, *(() if may_move else (_is_faded,)))
    grounds = Grounds(root)
    hidden = [each for each in root.iter() if _is_hidden(each, grounds)]
    opened, repeated = panels(root) if hidden else {}, following_pairs(hidden)
    for element in hidden:
        is_dialog = tag_of(element) == "dialog"
        if element in opened or (not is_dialog and is_opened_by_click(element, repeated)):
            for attribute in ("hidden", "style"):
                element.attrib.pop(attribute, None)
            if is_dialog:
                element.set("open", "")
            element.set(WAS_HIDDEN, "")
    _drop(root, [each for each in hidden if _is_hidden(each, grounds)], builder)
    faded = {each: None for each in root.iter() if _is_faded(_style(each))}
    outermost = [each for each in faded if not any(up in faded for up in each.iterancestors())]
    length = sum(len(one_line(visible_text(each))) for each in outermost)
    if length and length <= MAX_FADED_SHARE * _visible_length(root):
        _drop(root, outermost, builder)


def drop_permalinks(root: Element) -> None:
    """Remove the signs beside headings that link to the heading itself."""
    for link in list(root.iter("a")):
        if one_line(visible_text(link)) in _PERMALINK_SIGNS and "#" in (link.get("href") or ""):
            link.drop_tree()


def _drop(root: Element, elements: list[Element], builder: TextBuilder) -> None:
    for element in elements:
        if any(ancestor is root for ancestor in element.iterancestors()):
            builder.hide("hidden text", visible_text(element))
            element.drop_tree()


def _is_hidden(element: Element, grounds: Grounds) -> bool:
    tag = tag_of(element)
    if not tag or tag in ("html", "body", *SKIPPED):
        return False
    if element.get("hidden") is not None and element.get("hidden") != "until-found":
        return True
    if tag == "dialog" and element.get("open") is None:
        return True
    style = _style(element)
    if _HIDING_STYLE.search(style) is not None or _is_camouflaged(style):
        return True
    return grounds.hide(element)


def _hides(style: str) -> bool:
    return _HIDING_STYLE.search(style) is not None or is_tiny(style) or _is_camouflaged(style)


def _is_faded(style: str) -> bool:
    return _FADED_STYLE.search(style) is not None


def _is_camouflaged(style: str) -> bool:
    """Whether the text has the colour of its own background."""
    colours = {match[1].lower(): match[2].lower().strip() for match in _COLOUR.finditer(style)}
    background = colours.get("background-color") or colours.get("background")
    return background is not None and _usual(colours.get("color")) == _usual(background)


def _usual(colour: str | None) -> str | None:
    """One spelling for the ways to write the commonest colours."""
    short = re.fullmatch("#([0-9a-f])([0-9a-f])([0-9a-f])", colour or "")
    if short:
        colour = "#" + "".join(digit * 2 for digit in short.groups())
    compact = (colour or "").replace(" ", "")
    return {"white": "#ffffff", "rgb(255,255,255)": "#ffffff", "black": "#000000"}.get(
        compact, compact or None
    )


def _style(element: Element) -> str:
    return element.get("style") or "" if tag_of(element) else ""


def _visible_length(root: Element) -> int:
    body = root.find("body")
    return len(one_line(visible_text(root if body is None else body)))


def _address(root: Element, name: str) -> str:
    """The address of a page: as it states it, which a page that was saved still does."""
    stated = root.find('.//link[@rel="canonical"]')
    return urljoin(name, (stated.get("href") or "").strip()) if stated is not None else name


def _main_text(
    root: Element, config: ParsingConfig, titles: frozenset[str], builder: TextBuilder
) -> Element | None:
    focus = config.html_focus
    body = marked_body(root) if focus in ("balanced", "recall") else None
    if body is None and focus in ("balanced", "recall"):
        body = marked_thread(root)
    if body is not None:
        return body
    tables = {table_key(table): deepcopy(table) for table in _data_tables(root)}
    found = found_in_whole_lines(root, lambda: _article(root, focus))
    if found is None:
        return None
    _restore_tables(found, tables)
    main = _as_html(found)
    builder.leave_out("related link", drop_related(main, titles))
    return main


def _article(root: Element, focus: str) -> Element | None:
    found = _extracted(root, focus)
    whole = None if found is None else joined_body(root, found)
    return found if whole is None else _extracted(whole, focus)


def _extracted(root: Element, focus: str) -> Element | None:
    found = vendor("trafilatura").bare_extraction(
        root,
        include_comments=False,
        include_formatting=True,
        # With links trafilatura loses fewer words around them; their targets are not used.
        include_links=True,
        favor_precision=focus == "precision",
        favor_recall=focus == "recall",
    )
    return None if found is None else found.body


def _data_tables(root: Element) -> Iterator[Element]:
    return (table for table in root.iter("table") if is_data_table(table))


def _restore_tables(body: Element, tables: dict[str, Element]) -> None:
    """Put tables as the page has them in place of trafilatura's, which know no spans."""
    for table in list(body.iter("table")):
        original = tables.get(table_key(table))
        if original is not None:
            restored = deepcopy(original)
            restored.tail = table.tail
            table.getparent().replace(table, restored)


def _write_targets(
    links: Iterator[Element], request: ParseRequest, *, telling_only: bool = False
) -> int:
    """Write where links lead behind what they say; returns how many others say nothing of it.

    Contacts and files are written where it is `telling_only`, else all of them, where
    `parsing.html_link_targets` asks for it.
    """
    untold = 0
    for link in links:
        stated = link.get("target") or link.get("href") or ""
        try:
            target = "" if stated.startswith("#") else urljoin(request.name, stated)
        except ValueError:
            continue
        beyond = beside(inline_text(link), target)
        if not beyond or (link.tail or "").startswith(beyond):
            continue
        wanted = request.config.html_link_targets
        if telling_only:
            is_download = link.get("download") is not None
            wanted = leads_to_contact_or_file(target, is_download=is_download)
        if wanted:
            link.tail = f"{beyond}{link.tail or ''}"
        else:
            untold += 1
    return untold


def _own_links(root: Element) -> Iterator[Element]:
    """Links with words, which are not of what surrounds the text."""
    for link in root.iter("a"):
        if inline_text(link) and not any(tag_of(each) in _AROUND for each in link.iterancestors()):
            yield link


def _as_html(body: Element) -> Element:
    """Rename trafilatura's TEI-like elements to the HTML they came from."""
    names = {"item": "li", "row": "tr", "cell": "td", "lb": "br", "quote": "blockquote"}
    for element in body.iter():
        tag = tag_of(element)
        if tag == "head":
            level = element.get("rend", "h2")
            element.tag = level if re.fullmatch("h[1-6]", level) else "h2"
        elif tag == "list":
            element.tag = "ol" if element.get("rend") == "ol" else "ul"
        elif tag == "code":
            around = {tag_of(each) for each in element.iterancestors()}
            block = around.isdisjoint(_HOLD_WORDS)
            element.tag = "pre" if block else "code"
        else:
            element.tag = names.get(tag, tag or element.tag)
    return body


def _is_short(root: Element) -> bool:
    """Whether the page marks its text, and that is too short to be found as an article."""
    main = _main_element(root)
    length = len(one_line(visible_text(main)))
    if main is root or not 0 < length <= MIN_MAIN_CHARS:
        return False
    around = [
        each
        for each in root.iter(*_AROUND)
        if not any(tag_of(above) in _AROUND or above is main for above in each.iterancestors())
    ]
    furniture = sum(len(one_line(visible_text(each))) for each in around)
    return _visible_length(root) - furniture - length <= MIN_MAIN_CHARS


def _is_list(root: Element, config: ParsingConfig) -> bool:
    """Whether the page marks its text, and that is a list rather than an article."""
    main = _main_element(root)
    return config.html_focus != "precision" and main is not root and lists_entries(main)


def _main_element(root: Element) -> Element:
    """The element that a page without an article says its text is in; else all of it."""
    for query in (".//main", './/*[@role="main"]', ".//article"):
        found = root.findall(query)
        if len(found) == 1 and one_line(visible_text(found[0])):
            return found[0]
    return root


def _title(root: Element) -> str | None:
    for query in ('.//meta[@property="og:title"]', ".//title"):
        found = root.find(query)
        if found is not None:
            text = one_line(found.get("content") or found.text or "")
            if text:
                return text
    return None


def _metadata(root: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (meta.get("name") or meta.get("property") or "").lower()
        key = {"author": "author", "description": "description"}.get(name)
        if key and meta.get("content"):
            found.setdefault(key, one_line(meta.get("content")))
    return found


def _stated_charset(data: bytes) -> str | None:
    match = _META_CHARSET.search(data[:4096])
    return match[1].decode("ascii") if match else None

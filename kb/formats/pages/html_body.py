"""Pages that say themselves where their text is: marked articles, and known documentation systems.

Trafilatura guesses well where a page says nothing, and leaves out up to a tenth of a manual that is
marked up plainly. So where the text is marked, it is taken whole.
"""

import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache

from kb.formats.pages.html_text import (
    FILE_NAME,
    HEADINGS,
    Element,
    name_of,
    tag_of,
    visible_text,
)
from kb.formats.text_builder import one_line
from kb.formats.vendors import vendor

MIN_BODY_CHARS = 200

_MIN_UNSPOKEN_CHARS = 12
"""Less is a sign beside what is read aloud."""
_SPEAKING = HEADINGS | {"p", "ul", "ol", "li", "table", "dl", "dd", "dt", "blockquote", "pre"}
_MAX_PRICED_CHARS = 300
_MIN_PRICED = 3
_MAX_LIST_DEPTH = 4
"""Elements between a link and the list that it is one of."""
_SIGNS = "$£¥¢؋฿\u20a0-\u20cf"
_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "PLN", "SEK", "NOK", "DKK", "CZK")
_SHOWN = {
    "img": "picture",
    "svg": "picture",
    "area": "picture",
    "iframe": "embedded page",
    "video": "recording",
    "audio": "recording",
    "select": "form field",
    "textarea": "form field",
}

_MAX_PARTS = 30
_MIN_PARAGRAPHS = 3
_MIN_ENTRIES = 3
_MIN_SHARE = 0.8
"""Of the paragraphs that were found: so many are in containers of the one kind."""
_MAX_LINK_SHARE = 0.3
_MIN_PROSE_CHARS = 60
_COMMENT = re.compile(r"comment(?:[-_]?[0-9]{1,20})?")
_KNOWN_BY_CHARS = 60
_AROUND = frozenset({"nav", "header", "footer", "aside"})
_REPLIES = frozenset({"Answer", "Comment", "UserComments"})
_POSTS = frozenset({"Question", "DiscussionForumPosting", "SocialMediaPosting"})
"""Types of schema.org."""
_ARTICLE = './/*[@itemprop="articleBody"]'
_MAX_ARTICLE_LINK_SHARE = 0.06
"""Of an article's text; more means that teasers for other articles are marked with it."""
_ARTICLE_DROPPED = ("nav", "footer", "form", "button", "aside", "figure")

_DOCUMENTATION_CLASSES = (
    "theme-doc-markdown",  # Docusaurus
    "md-content__inner",  # Material for MkDocs
    "vp-doc",  # VitePress
    "sl-markdown-content",  # Starlight
    "mdx-content",  # Mintlify
    "bd-article",  # PyData and Sphinx Book themes
    "markdown-body",  # GitHub, ReadMe
    "wiki-content",  # Confluence
    "article_body",  # Intercom
)
_DOCUMENTATION = (
    './/div[@role="main"][contains(@class, "body")]',  # Sphinx
    './/*[@id="furo-main-content"]',
    './/*[@id="fullArticle"]',  # Help Scout
    *(
        f'.//*[contains(concat(" ", normalize-space(@class), " "), " {name} ")]'
        for name in _DOCUMENTATION_CLASSES
    ),
)
_DOCUMENTATION_DROPPED = ("nav", "footer", "form", "button")
_MAX_DOCUMENTATION_LINK_SHARE = 0.6


def marked_body(root: Element) -> Element | None:
    """The element that holds the text of the page, without what is no text in it."""
    bodies = (
        *_candidates(root, _DOCUMENTATION, _MAX_DOCUMENTATION_LINK_SHARE, _DOCUMENTATION_DROPPED),
        *_candidates(root, (_ARTICLE,), _MAX_ARTICLE_LINK_SHARE, _ARTICLE_DROPPED),
    )
    for body, dropped in bodies:
        for element in list(body.iter(*dropped)):
            if element is not body:
                element.drop_tree()
        return body
    return None


def lists_entries(main: Element) -> bool:
    """Whether most of what an element says is a list of entries, each with a heading of its own.

    Results of a search, a catalogue or a list of questions is no article: a finder of articles
    takes a few of its paragraphs for one.
    """
    length = len(one_line(visible_text(main)))
    for found in main.iter("ol", "ul"):
        entries = [child for child in found if tag_of(child) == "li"]
        headed = sum(any(True for _ in entry.iter(*HEADINGS)) for entry in entries)
        are_entries = headed >= _MIN_ENTRIES and 2 * headed >= len(entries)
        if are_entries and 2 * len(one_line(visible_text(found))) > length:
            return True
    return False


def marked_thread(root: Element) -> Element | None:
    """A question with its answers, or a post with its comments, where the page marks them as such.

    A finder of articles takes what others wrote below a text for comments on it, and leaves it out.
    """
    parts = [each for each in root.iter() if _is_of_thread(each)]
    texts = [each for each in parts if not any(up in parts for up in each.iterancestors())]
    said = [each for each in texts if len(one_line(visible_text(each))) > 0]
    replies = [each for each in said if _scope_of(each) in _REPLIES]
    if not replies or len(said) < 2:
        return None
    thread = root.makeelement("div")
    for each in said:
        copied = deepcopy(each)
        copied.tail = None
        thread.append(copied)
    return thread


def _is_of_thread(element: Element) -> bool:
    said = set((element.get("itemprop") or "").split()) if tag_of(element) else set[str]()
    if not said & {"text", "articleBody", "headline", "name"}:
        return False
    scope = _scope_of(element)
    if scope not in _REPLIES | _POSTS:
        return False
    return bool(said & {"text", "articleBody"}) or (scope in _POSTS and tag_of(element) != "meta")


def _scope_of(element: Element) -> str:
    """What the nearest marked thing around an element is, e.g. `Answer`."""
    around = next((each for each in element.iterancestors() if each.get("itemtype")), None)
    return "" if around is None else around.get("itemtype").rstrip("/").rpartition("/")[2]


def _candidates(
    root: Element, queries: tuple[str, ...], max_link_share: float, dropped: tuple[str, ...]
) -> Iterator[tuple[Element, tuple[str, ...]]]:
    for query in queries:
        found = root.xpath(query)
        if len(found) != 1:
            continue  # Several are teasers, or parts of which none is the whole.
        length = len(one_line(visible_text(found[0])))
        links = sum(len(one_line(visible_text(link))) for link in _links(found[0]))
        if length >= MIN_BODY_CHARS and links <= max_link_share * length:
            yield found[0], dropped


def _links(body: Element) -> Iterator[Element]:
    for element in body.iter():
        if tag_of(element) == "a":
            yield element


def left_beside(root: Element, main: Element) -> Iterator[tuple[str, int]]:
    """What a page marks as such and its main text has not: kinds, and how many of each.

    Comments of readers are known by their classes, captions of pictures by their element.
    """
    kinds = {"user comment": _is_comment, "picture caption": _is_caption}
    found = {
        kind: {_opening_words(each) for each in root.iter() if is_one(each)} - {""}
        for kind, is_one in kinds.items()
    }
    said = "".join(visible_text(main).split()) if any(found.values()) else ""
    for kind, texts in found.items():
        yield kind, sum(each not in said for each in texts)


def _is_comment(element: Element) -> bool:
    names = f"{element.get('class') or ''} {element.get('id') or ''}" if tag_of(element) else ""
    return any(map(_COMMENT.fullmatch, names.lower().split()))


def _is_caption(element: Element) -> bool:
    if tag_of(element) != "figcaption":
        return False
    return not any(tag_of(above) in _AROUND for above in element.iterancestors())


def _opening_words(element: Element) -> str:
    return "".join(visible_text(element).split())[:_KNOWN_BY_CHARS]


def joined_body(root: Element, found: Element) -> Element | None:
    """A copy of a page whose text goes on in further containers of one kind, put into the first.

    Advertisements between the parts of an article make a finder of articles stop at the first one.
    None where what was `found` has no such continuation.
    """
    said = {_beginning(each) for each in found.iter("p")} - {""}
    holders: dict[tuple[str, str], dict[Element, int]] = {}
    for paragraph in root.iter("p"):
        parent = paragraph.getparent()
        if parent is not None and parent.get("class") and _beginning(paragraph):
            key = tag_of(parent), " ".join(parent.get("class").split())
            held = holders.setdefault(key, {})
            held[parent] = held.get(parent, 0) + (_beginning(paragraph) in said)
    for parts in holders.values():
        if not 1 < len(parts) <= _MAX_PARTS or sum(parts.values()) < _MIN_SHARE * len(said):
            continue
        first, *others = parts
        left_out = [each for each in others if not parts[each] and _is_prose(each)]
        if parts[first] >= _MIN_PARAGRAPHS and left_out:
            return _with_joined(root, first, others)
    return None


def _with_joined(root: Element, first: Element, others: list[Element]) -> Element:
    tree = root.getroottree()
    paths = [tree.getpath(each) for each in (first, *others)]
    copied = deepcopy(root).getroottree()
    into, *moved = [copied.xpath(path)[0] for path in paths]
    for part in moved:
        if into in part.iterancestors() or part in into.iterancestors():
            continue
        for child in list(part):
            into.append(child)
    return copied.getroot()


def _is_prose(element: Element) -> bool:
    length = len(one_line(visible_text(element)))
    links = sum(len(one_line(visible_text(each))) for each in _links(element))
    return length >= MIN_BODY_CHARS and links <= _MAX_LINK_SHARE * length


def _beginning(paragraph: Element) -> str:
    """The first letters of a paragraph of prose, by which it is known again."""
    text = "".join(visible_text(paragraph).split())
    return text[:_KNOWN_BY_CHARS] if len(text) >= _MIN_PROSE_CHARS else ""


def shown_beside_text(root: Element) -> Iterator[tuple[str, int]]:
    """What a page shows that is no text of it: kinds, and how many of each."""
    found = Counter(_kind_shown(each) for each in root.iter() if tag_of(each))
    del found[""]
    yield from found.items()


def _kind_shown(element: Element) -> str:
    tag = tag_of(element)
    kind = _SHOWN.get(tag, "")
    if not kind or any(tag_of(above) in _AROUND for above in element.iterancestors()):
        return ""
    if kind == "picture":
        name = name_of(element) or "".join(element.itertext()).strip()
        is_cell = next(element.iterancestors("td", "th"), None) is not None
        return kind if name and not is_cell and not FILE_NAME.fullmatch(name) else ""
    if kind == "form field":
        return kind if "".join(element.itertext()).strip() else ""
    return kind


def show_unspoken(root: Element) -> None:
    """What is only not read aloud is seen all the same: a finder of articles leaves it out."""
    for element in root.iter():
        is_unspoken = tag_of(element) in _SPEAKING and element.get("aria-hidden") == "true"
        if is_unspoken and len(one_line(visible_text(element))) >= _MIN_UNSPOKEN_CHARS:
            del element.attrib["aria-hidden"]


def keep_priced(root: Element) -> None:
    """Several links that say prices are what is asked for: text, lest they count as a menu."""
    price = _price(root.get("lang") or "en")
    priced: dict[Element, list[Element]] = {}
    all_links = Counter[Element]()
    for link in root.iter("a"):
        said = one_line(visible_text(link))
        around = list(link.iterancestors())
        all_links.update(around[:_MAX_LIST_DEPTH])
        is_price = len(said) <= _MAX_PRICED_CHARS and price.search(said) is not None
        if is_price and not any(tag_of(above) in _AROUND for above in around):
            priced[link] = around[:_MAX_LIST_DEPTH]
    together = Counter(above for around in priced.values() for above in around)
    for link, around in priced.items():
        lists = [above for above in around if together[above] >= _MIN_PRICED]
        if any(2 * together[above] > all_links[above] for above in lists):
            link.drop_tag()


@lru_cache(maxsize=100)
def _price(language: str) -> re.Pattern[str]:
    """An amount of money with its sign, its code, or what it is called in a language."""
    name = vendor("babel.numbers").get_currency_name
    locale = language.partition("-")[0].lower()
    try:
        names = {name(code, n, locale).split()[-1] for code in _CURRENCIES for n in (1, 10)}
    except (LookupError, ValueError, vendor("babel").UnknownLocaleError):
        names = set[str]()
    units = "|".join(map(re.escape, sorted(names | set(_CURRENCIES), key=len, reverse=True)))
    return re.compile(
        rf"\d\s?(?:[{_SIGNS}]|(?:{units})\b)|(?:[{_SIGNS}]|\b(?:{units}))\s?\d", re.IGNORECASE
    )

"""Pages that say themselves where their text is: marked articles, and known documentation systems.

Trafilatura guesses well where a page says nothing, and leaves out up to a tenth of a manual that is
marked up plainly. So where the text is marked, it is taken whole.
"""

from collections.abc import Iterator

from kb.formats.pages.html_text import Element, tag_of, visible_text
from kb.formats.text_builder import one_line

MIN_BODY_CHARS = 200

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

"""What a sitemap lists: pages or further sitemaps, and nothing of what its extensions add."""

import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin

_ROOT = re.compile(r"<(?:([\w.-]+):)?(?:urlset|sitemapindex)\b")
_TEXT = r"\s*(?:<!\[CDATA\[)?([^<\]]*)"
_LOCATION = re.compile(rf"<(?:([\w.-]+):)?loc(?:\s[^<>]*)?>{_TEXT}")
_COMMENT = re.compile(r"<!--(?:[^-]|-(?!->))*(?:-->|\Z)")
_FEED = re.compile(r"<(?:rss|(?:[\w.-]+:)?(?:RDF|feed))\b")
_ENTRY = re.compile(r"<(?:[\w.-]+:)?(?:item|entry)\b")
_LINK = re.compile(rf"<link\b([^<>]*)>{_TEXT}")
_HREF = re.compile(r"""\bhref\s*=\s*["']([^"'<>]*)""")
_REL = re.compile(r"""\brel\s*=\s*["'](?!alternate["'])""")
_PATH_OR_ADDRESS = re.compile(r"https?://|/", re.IGNORECASE)


def locations(text: str, *, url: str, tidied: Callable[[str], str]) -> Iterator[str]:
    """The addresses that the sitemap at `url` lists, in order.

    Only those in the namespace of the sitemap itself count: `image:loc` is the address of a
    picture. A sitemap of plain text has one address a line; of a feed, the pages of its entries
    are meant.

    Args:
        text: Of the sitemap.
        url: Where it is; addresses may be relative to it.
        tidied: Prepares each before references in it are read.
    """
    for stated in _stated(text.lstrip("\ufeff")):
        if location := html.unescape(tidied(stated.strip())):
            try:
                yield urljoin(url, location)
            except ValueError:
                continue


def _stated(text: str) -> Iterator[str]:
    if "<" not in text:
        lines = map(str.strip, text.splitlines())
        # References are of XML: here, what looks like one is of the address.
        yield from (html.escape(line) for line in lines if _PATH_OR_ADDRESS.match(line))
        return
    text = _COMMENT.sub("", text)
    root = _ROOT.search(text)
    if root is None and _FEED.search(text):
        yield from _of_entries(text)
        return
    prefix = root[1] if root is not None else None
    yield from (match[2] for match in _LOCATION.finditer(text) if match[1] == prefix)


def _of_entries(text: str) -> Iterator[str]:
    """Links of RSS, whose text is the address, and of Atom, which may lead elsewhere too."""
    first = _ENTRY.search(text)
    for match in _LINK.finditer(text, first.start() if first else len(text)):
        if not _REL.search(match[1]):
            href = _HREF.search(match[1])
            yield href[1] if href else match[2]

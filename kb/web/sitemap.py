"""What a sitemap lists: pages or further sitemaps, and nothing of what its extensions add."""

import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin

_ROOT = re.compile(r"<(?:([\w.-]+):)?(?:urlset|sitemapindex)\b")
_LOCATION = re.compile(r"<(?:([\w.-]+):)?loc>(?:\s*<!\[CDATA\[)?([^<\]]*)")


def locations(text: str, *, url: str, tidied: Callable[[str], str]) -> Iterator[str]:
    """The addresses that the sitemap at `url` lists, in order.

    Only those in the namespace of the sitemap itself count: `image:loc` is the address of a
    picture. A sitemap of plain text has one address a line.

    Args:
        text: Of the sitemap.
        url: Where it is; addresses may be relative to it.
        tidied: Prepares each before references in it are read.
    """
    if "<" not in text:
        found = (line.strip() for line in text.lstrip("\ufeff").splitlines())
        yield from (line for line in found if re.match(r"https?://", line, re.IGNORECASE))
        return
    root = _ROOT.search(text)
    prefix = root[1] if root is not None else None
    for match in _LOCATION.finditer(text):
        if match[1] == prefix and (location := html.unescape(tidied(match[2].strip()))):
            try:
                yield urljoin(url, location)
            except ValueError:
                continue

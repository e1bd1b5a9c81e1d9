"""What a page says of other pages: where it leads, where it really is, whether it may be listed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nsmallest
from html.parser import HTMLParser
from itertools import chain, islice, pairwise
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode, urljoin
from zlib import crc32

from kb.errors import DocumentError
from kb.media_types import text_encoding
from kb.web.addresses import read_url
from kb.web.link_fetcher import FetchedLink

MAX_LINKS = 10_000
"""Different links followed of one page."""
MAX_LINKS_BYTES = 2_000_000
"""Of a page, links are looked for in its first two megabytes."""
REFRESH = re.compile(r"\s*(\d{1,9})(?:\.\d*)?\s*[;,]\s*url\s*=\s*['\"]?([^'\"]+)", re.IGNORECASE)
"""`content` of a page that sends its reader on: after how many seconds, and where to."""

_ENDLESS_NUMBER = re.compile(r"&#[0-9]{1000,};?")
_TRACKING = re.compile(r"utm_\w+|gclid|fbclid|mc_[ce]id")
_ESCAPES = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_WORD = re.compile(r"\w+")
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", None})
_LEADING = {"a": "href", "area": "href", "frame": "src"}
_AROUND = frozenset({"nav", "header", "footer", "aside", "script", "style", "template", "title"})
_SKETCH = 256
"""Pairs of words that stand for a page when it is compared with another."""
_ALIKE = 0.5
_COMPARED = 50
"""Pages that state one address and are compared with a further one that does."""


@dataclass(frozen=True, slots=True)
class Links:
    """What a page says of where to go on."""

    urls: tuple[str, ...] = ()
    index: bool = True
    """False when the page asks to be left out of indexes."""
    canonical: str | None = None
    """Where the page says it really is, on the same server."""
    sketch: tuple[int, ...] = ()
    """Ascending numbers of pairs of words of the page: the least of all, of a long page."""


def read_links(fetched: FetchedLink) -> Links:
    """The links of a page, absolute and tidy, in order; none of a `nofollow` page."""
    reader = _LinkReader()
    body = fetched.body[:MAX_LINKS_BYTES]
    text = body.decode(text_encoding(fetched.charset) or "utf-8", errors="replace")
    reader.feed(without_endless_numbers(text))
    base = _base_of(fetched.final_url, reader.base)
    directives = set(re.split(r"[\s,]+", reader.robots))
    nofollow = not {"nofollow", "none"}.isdisjoint(directives)
    stated = () if nofollow else dict.fromkeys(reader.links)
    urls = (_absolute(base, each) for each in islice(stated, MAX_LINKS))
    canonical = _absolute(base, reader.canonical) if reader.canonical else None
    if canonical is not None and not _same_server(canonical, fetched.final_url):
        canonical = None
    index = directives.isdisjoint({"noindex", "none"})
    return Links(_unique(url for url in urls if url), index, canonical, _sketch(reader.words))


def _same_server(url: str, other: str) -> bool:
    return read_url(url).origin == read_url(other).origin


def is_page(fetched: FetchedLink) -> bool:
    """Whether links may be read of what was fetched."""
    return fetched.media_type in _PAGE_TYPES and not fetched.not_modified


def is_elsewhere(fetched: FetchedLink) -> bool:
    """Whether a link led to another server, which is not the same with `www.` before it."""
    asked, final = (read_url(url).host for url in (fetched.url, fetched.final_url))
    return asked.removeprefix("www.") != final.removeprefix("www.")


def unlisted_error(url: str) -> DocumentError:
    """Why a page of a site that may not be in an index is left out."""
    return DocumentError(
        "noindex",
        f"{url!r} asks to be left out of indexes (`noindex`). If it is meant, name it as a link.",
    )


def alike(sketch: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two pages say much the same, as two that go by one address should.

    One of which nothing is known is taken at its word.
    """
    limit = min((each[-1] for each in (sketch, other) if len(each) == _SKETCH), default=2**32)
    some = {number for number in sketch if number <= limit}
    others = {number for number in other if number <= limit}
    fewest = min(len(some), len(others))
    return not fewest or len(some & others) >= _ALIKE * fewest


@dataclass(slots=True)
class ShownPages:
    """What was shown before, so that each page counts once."""

    _named: dict[str, str] = field(default_factory=dict[str, str])
    _claims: dict[str, list[tuple[str, tuple[int, ...]]]] = field(
        default_factory=dict[str, "list[tuple[str, tuple[int, ...]]]"]
    )

    def before(self, url: str, names: Iterable[str]) -> str | None:
        """The link that went by one of these names before `url`, else None: they are its own."""
        names = sorted(names)
        shown = next((self._named[name] for name in names if name in self._named), url)
        if shown != url:
            return shown
        self._named.update(dict.fromkeys(names, url))
        return None

    def claimed_before(self, url: str, final_url: str, said: Links) -> str | None:
        """The link that showed much the same under the address that this page says it is at.

        Some sites state the address of their first page on every page: no two are one for that.
        """
        addresses = dict.fromkeys((final_url, said.canonical or final_url))
        claims = [self._claims.setdefault(address, []) for address in addresses]
        for shown, sketch in chain(*claims):
            if shown != url and alike(sketch, said.sketch):
                return shown
        for claim in claims:
            if len(claim) < _COMPARED:
                claim.append((url, said.sketch))
        return None


def _sketch(words: Iterable[str]) -> tuple[int, ...]:
    """Of pages that share half of their pairs of words, these share about half as well."""
    pairs = (f"{first} {second}".encode("utf-8", "replace") for first, second in pairwise(words))
    return tuple(nsmallest(_SKETCH, {crc32(pair) for pair in pairs}))


def address_key(url: str) -> str:
    """The same for two ways to write one address: `%7e` and `~`, `%c3` and `%C3`."""
    return _ESCAPES.sub(lambda match: quote(unquote_to_bytes(match[0]), safe=""), url)


def without_endless_numbers(text: str) -> str:
    """`text` in which no character reference has more digits than Python makes a number of."""
    return _ENDLESS_NUMBER.sub("\ufffd", text)


def _base_of(url: str, stated: str | None) -> str:
    """What links are relative to: a `<base>` that is no address says nothing."""
    try:
        return urljoin(url, stated or "")
    except ValueError:
        return url


def tidy_url(url: str) -> str:
    """Drop the fragment and what only tracks where a reader came from."""
    url = url.partition("#")[0].strip()
    path, question_mark, query = url.partition("?")
    if not question_mark:
        return url
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [pair for pair in pairs if not _TRACKING.fullmatch(pair[0])]
    if len(kept) == len(pairs):
        return url
    return f"{path}?{urlencode(kept)}" if kept else path


class _LinkReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.base: str | None = None
        self.canonical: str | None = None
        self.robots = ""
        self.words: list[str] = []
        self._around: set[str] = set()

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Read `<![...` as browsers do, a comment: the library raises what no caller expects."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in _AROUND:
            self._around.add(tag)
        if tag in _LEADING and "nofollow" not in values.get("rel", ""):
            self.links += filter(None, [values.get(_LEADING[tag])])
        elif tag == "link" and "canonical" in values.get("rel", "").lower().split():
            self.canonical = self.canonical or values.get("href")
        elif tag == "base" and self.base is None:
            self.base = values.get("href")
        elif tag == "meta":
            self._read_meta(values)

    def handle_endtag(self, tag: str) -> None:
        self._around.discard(tag)

    def handle_data(self, data: str) -> None:
        if not self._around:
            self.words += _WORD.findall(data.casefold())

    def _read_meta(self, values: dict[str, str]) -> None:
        content = values.get("content", "")
        if values.get("name", "").lower() == "robots":
            self.robots += f"{content.lower()},"
        elif values.get("http-equiv", "").lower() == "refresh" and (
            leads := REFRESH.match(content)
        ):
            self.links.append(leads[2].strip())


def _absolute(base: str, link: str) -> str | None:
    try:
        joined = urljoin(base, link.strip())
        return tidy_url(read_url(tidy_url(joined)).url)
    except (DocumentError, ValueError):
        return None


def _unique(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(urls))

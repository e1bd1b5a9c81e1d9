"""Pages that answer with success and are not what was asked for: sign-in, moved, not found."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Protocol
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit

from kb.errors import DocumentError
from kb.media_types import text_encoding
from kb.web.link_fetcher import FetchedLink
from kb.web.notices import says_not_found
from kb.web.page_links import REFRESH, without_endless_numbers

_MAX_LOOKED_AT_BYTES = 300_000
_MAX_NOTICE_CHARS = 600
"""A page with more text than this says more than where to go on."""
_MAX_TITLED_CHARS = 1_500
"""A page that is titled "not found", or that a reader was sent to instead, may say more."""
_MAX_SIGN_IN_CHARS = 300
_MAX_ASKED = 50
"""Folders that are asked for a page that does not exist, in one ingest."""
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_UNSEEN = frozenset({"script", "style", "template", "noscript"})
_AROUND = frozenset({"nav", "header", "footer", "aside"})
_IDENTIFYING = frozenset({"username", "current-password", "one-time-code", "webauthn"})
"""What the HTML standard calls the fields of a form to sign in, in `autocomplete`."""
_READING_S = 30
"""A short page that stays for longer than it takes to read is one."""
_NOT_FOUND = re.compile(r"(?<![\w.-])404(?![\w.-])")
_WORD = re.compile(r"[^\W_]+")


class Fetcher(Protocol):
    """What is needed to look at another address of a server."""

    def fetch(self, url: str) -> FetchedLink:
        """Fetch a page; raises `DocumentError`."""
        ...


def check_page(fetched: FetchedLink) -> None:
    """Refuse a page that only stands in for the one that was asked for.

    Raises:
        DocumentError: `sign_in`, `moved` or `soft_404`.
    """
    if fetched.not_modified or fetched.media_type not in _PAGES:
        return
    seen = _read(fetched)
    if seen.target and seen.chars <= _MAX_NOTICE_CHARS and _is_elsewhere(seen.target, fetched):
        raise DocumentError(
            "moved",
            f"{fetched.url!r} only sends its reader on to {seen.target!r}. Name that instead.",
        )
    if _asks_to_sign_in(seen, fetched):
        raise DocumentError(
            "sign_in",
            f"{fetched.url!r} asks its reader to sign in or to agree before it shows anything. "
            "Save the page as a file and add that, or leave it out.",
        )
    if _says_not_found(seen, fetched):
        raise _soft_404(fetched)


@dataclass(slots=True)
class UnknownPages:
    """What each server shows for addresses that do not exist; each folder is asked once."""

    fetcher: Fetcher
    read_notice: Callable[[FetchedLink], str | None] = lambda fetched: notice(fetched)
    _shown: dict[str, str | None] = field(default_factory=dict[str, "str | None"])

    def check(self, fetched: FetchedLink) -> None:
        """Refuse a short page that the server shows for an address of no page just as well.

        This is in nobody's words. The page at the root of a server is not doubted.

        Raises:
            DocumentError: `soft_404`.
        """
        if fetched.not_modified or fetched.media_type not in _PAGES:
            return
        path = urlsplit(fetched.final_url).path
        said = self.read_notice(fetched)
        if path in ("", "/") or said is None:
            return
        folder = urljoin(fetched.final_url, ".")
        if folder not in self._shown and len(self._shown) < _MAX_ASKED:
            self._shown[folder] = self._ask(folder)
        if said == self._shown.get(folder):
            raise _soft_404(fetched)

    def forget(self) -> None:
        """Ask anew from here on."""
        self._shown.clear()

    def _ask(self, folder: str) -> str | None:
        try:
            missing = self.fetcher.fetch(urljoin(folder, f"no-{secrets.token_hex(8)}"))
            return self.read_notice(missing)
        except DocumentError:
            return None  # The server says so as it should, or nothing can be known.


def notice(fetched: FetchedLink) -> str | None:
    """The words of a short page without its own address; None for other pages."""
    if fetched.media_type not in _PAGES:
        return None
    seen = _read(fetched)
    if not seen.text or seen.all_chars > _MAX_NOTICE_CHARS:
        return None
    text = " ".join([*seen.titles, *seen.text])
    for address in (fetched.final_url, urlsplit(fetched.final_url).path):
        for form in {address, unquote(address), quote(address, safe="/:%")}:
            text = text.replace(form, "")
    return " ".join(text.split())


def _is_elsewhere(target: str, fetched: FetchedLink) -> bool:
    """Whether a page sends its reader on; one that only shows itself anew does not."""
    try:
        there = urljoin(fetched.final_url, target)
    except ValueError:
        return False
    return there.partition("#")[0] not in (fetched.final_url, fetched.url.partition("#")[0])


def _asks_to_sign_in(seen: "_Notice", fetched: FetchedLink) -> bool:
    if seen.asks_who and seen.chars <= _MAX_SIGN_IN_CHARS:
        return True
    return seen.chars <= _MAX_TITLED_CHARS and _leads_back(fetched)


def _leads_back(fetched: FetchedLink) -> bool:
    """Whether the reader was sent elsewhere, with the way back in the address: to a gate."""
    asked, shown = urlsplit(fetched.url), urlsplit(fetched.final_url)
    if (asked.netloc, asked.path) == (shown.netloc, shown.path):
        return False
    back = [value.strip() for _, value in parse_qsl(shown.query)]
    way = f"{asked.path}?{asked.query}" if asked.query else asked.path
    ways = {way, unquote(way), fetched.url, unquote(fetched.url)} - {"", "/"}
    origin = f"{asked.scheme}://{asked.netloc}/"
    return any(each in ways or f"{each}/".startswith(origin) for each in back)


def _says_not_found(seen: "_Notice", fetched: FetchedLink) -> bool:
    if seen.chars <= _MAX_NOTICE_CHARS and _NOT_FOUND.search(" ".join(seen.titles)):
        return True
    if seen.chars > _MAX_TITLED_CHARS or not any(map(says_not_found, seen.titles)):
        return False
    # An article about the words has them in the address that was asked for.
    slug = {word.casefold() for word in _WORD.findall(unquote(urlsplit(fetched.url).path))}
    titles = [set(map(str.casefold, _WORD.findall(each))) for each in seen.titles]
    return not any(len(title) > 1 and title <= slug for title in titles)


def _soft_404(fetched: FetchedLink) -> DocumentError:
    return DocumentError(
        "soft_404",
        f"{fetched.url!r} says that there is no such page, though the server reports success. "
        "Correct the link, or leave it out.",
    )


def _read(fetched: FetchedLink) -> "_Notice":
    reader = _Notice()
    body = fetched.body[:_MAX_LOOKED_AT_BYTES]
    text = body.decode(text_encoding(fetched.charset) or "utf-8", errors="replace")
    reader.feed(without_endless_numbers(text))
    return reader


class _Notice(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.target: str | None = None
        self.asks_who = False
        self.titles: list[str] = []
        self.text: list[str] = []
        self.chars = 0
        """Of the text that is not around a page's own, as menus are."""
        self.all_chars = 0
        self._inside: str | None = None
        self._around: list[str] = []

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Read `<![...` as browsers do, a comment."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in ("title", "h1"):
            self.titles.append("")
        if tag in _UNSEEN or tag in ("title", "h1"):
            self._inside = tag
        elif tag in _AROUND:
            self._around.append(tag)
        elif tag == "input" and not self._around:
            kind, fills = values.get("type", "").lower(), values.get("autocomplete", "").lower()
            self.asks_who |= kind == "password" or not _IDENTIFYING.isdisjoint(fills.split())
        elif tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            match = REFRESH.match(values.get("content", ""))
            if match and int(match[1]) <= _READING_S:
                self.target = match[2].strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = None
        elif tag in self._around:
            del self._around[self._around.index(tag) :]

    def handle_data(self, data: str) -> None:
        if self._inside in _UNSEEN:
            return
        if self._inside in ("title", "h1"):
            self.titles[-1] += data
        if self._inside == "title":
            return
        said = " ".join(data.split())
        self.all_chars += len(said)
        self.chars += 0 if self._around else len(said)
        if said and self.all_chars <= _MAX_NOTICE_CHARS:
            self.text.append(said)

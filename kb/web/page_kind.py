"""Pages that answer with success and are not what was asked for: sign-in, moved, not found."""

import re
from html.parser import HTMLParser

from kb.errors import DocumentError
from kb.media_types import text_encoding
from kb.web.link_fetcher import FetchedLink
from kb.web.site import without_endless_numbers

_MAX_LOOKED_AT_BYTES = 300_000
_MAX_NOTICE_CHARS = 600
"""A page with more text than this says more than where to go on."""
_MAX_SIGN_IN_CHARS = 300
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_UNSEEN = frozenset({"script", "style", "template", "noscript"})
_REFRESH = re.compile(r"\s*\d+(?:\.\d*)?\s*[;,]\s*url\s*=\s*['\"]?([^'\"]+)", re.IGNORECASE)
_NOT_FOUND = re.compile(r"(?<![\w.-])404(?![\w.-])")


def check_page(fetched: FetchedLink) -> None:
    """Refuse a page that only stands in for the one that was asked for.

    Raises:
        DocumentError: `sign_in`, `moved` or `soft_404`.
    """
    if fetched.not_modified or fetched.media_type not in _PAGES:
        return
    reader = _Notice()
    body = fetched.body[:_MAX_LOOKED_AT_BYTES]
    text = body.decode(text_encoding(fetched.charset) or "utf-8", errors="replace")
    reader.feed(without_endless_numbers(text))
    if reader.chars > _MAX_NOTICE_CHARS:
        return
    if reader.target:
        raise DocumentError(
            "moved",
            f"{fetched.url!r} only sends its reader on to {reader.target!r}. Name that instead.",
        )
    if reader.asks_password and reader.chars <= _MAX_SIGN_IN_CHARS:
        raise DocumentError(
            "sign_in",
            f"{fetched.url!r} asks for a password before it shows anything. Save the page as a "
            "file and add that, or leave it out.",
        )
    if _NOT_FOUND.search(reader.titles):
        raise DocumentError(
            "soft_404",
            f"{fetched.url!r} says that there is no such page, though the server reports success. "
            "Correct the link, or leave it out.",
        )


class _Notice(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.target: str | None = None
        self.asks_password = False
        self.titles = ""
        self.chars = 0
        self._inside: str | None = None

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Read `<![...` as browsers do, a comment."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in _UNSEEN or tag in ("title", "h1"):
            self._inside = tag
        elif tag == "input" and values.get("type", "").lower() == "password":
            self.asks_password = True
        elif tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            match = _REFRESH.match(values.get("content", ""))
            self.target = match[1].strip() if match else self.target

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside in ("title", "h1"):
            self.titles += f" {data}"
        if self._inside not in _UNSEEN and self._inside != "title":
            self.chars += len(" ".join(data.split()))

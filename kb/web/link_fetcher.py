"""Links: fetched without ever reaching an address that the operator did not mean to open.

The host is resolved once, every address is judged, and the connection goes to a judged address
with the original host name in `Host` and TLS. Redirects are followed by hand and each hop is
judged anew. Time, size and decompressed size are bounded while the response streams in.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.media_types import split_media_type
from kb.web.addresses import Target, check_addresses, literal_address, read_url
from kb.web.exchange import Exchange, Reply, is_number, resolve_host
from kb.web.robots import ALLOW_ALL, DISALLOW_ALL, MAX_BYTES, RobotsRules, read_robots_file

Resolve = Callable[[str, int], Sequence[str]]
"""(host, port) -> addresses; raises OSError when there are none."""

MAX_VALIDATOR_CHARS = 1_000
"""Of an ETag: a page with a longer one is fetched whole every time."""
ROBOTS_KEPT_S = 3600.0
"""How long what a robots.txt says is relied on."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRIED = frozenset({429, 500, 502, 503, 504})
_BACKOFF_S = 0.5
_READABLE = ("text/", "application/")
_UNREADABLE = frozenset({"application/javascript", "application/wasm", "application/x-msdownload"})
_DEFAULT_CONFIG = LinkConfig()


@dataclass(frozen=True, slots=True)
class FetchedLink:
    """The response to one link."""

    url: str
    """As asked for."""
    final_url: str
    """After redirects."""
    status: int
    body: bytes
    """Decompressed; empty when not modified."""
    media_type: str | None
    charset: str | None
    etag: str | None
    last_modified: str | None
    not_modified: bool = False
    robots_tag: str = ""
    """What the server says of indexes, beside the page."""

    @property
    def may_be_kept(self) -> bool:
        """Whether the server lets the page be in an index, as far as it says for everybody."""
        said = (each.strip().lower() for each in self.robots_tag.split(","))
        return not any(each in ("noindex", "none") for each in said)

    @property
    def content_type(self) -> str | None:
        """Media type with its charset, as `parse_bytes` takes it."""
        if self.media_type and self.charset:
            return f"{self.media_type}; charset={self.charset}"
        return self.media_type


class LinkFetcher:
    """Fetches links and remembers the robots.txt of each server it met."""

    def __init__(
        self,
        config: LinkConfig = _DEFAULT_CONFIG,
        *,
        resolve: Resolve = resolve_host,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        read_robots: Callable[..., RobotsRules] = read_robots_file,
    ) -> None:
        """Remember how to ask; nothing is fetched yet.

        Args:
            config: Of the links.
            resolve: Finds the addresses of a host.
            sleep: Waits before a server that is busy is asked again.
            clock: Seconds.
            read_robots: As `read_robots_file`, e.g. in another process.
        """
        self._config = config
        self._resolve = resolve
        self._read_robots = read_robots
        self._sleep = sleep
        self._clock = clock
        self._robots: dict[str, tuple[float, RobotsRules]] = {}

    def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> FetchedLink:
        """Fetch `url`.

        Args:
            url: http or https.
            etag: As a former fetch returned it; an unchanged page is then `not_modified`.
            last_modified: The same, for servers without ETag.

        Raises:
            DocumentError: `bad_url`, `dns`, `blocked_address`, `robots_disallowed`, `unreachable`,
                `tls`, `timeout`, `too_large`, `too_many_redirects`, `unsupported_content_type`,
                `unsupported_encoding`, or `http_404` and the like.
        """
        deadline = self._clock() + self._config.total_timeout_s
        headers = {"If-None-Match": etag or "", "If-Modified-Since": last_modified or ""}
        asked = {name: value for name, value in headers.items() if _can_be_sent(value)}
        target, reply = self._follow(read_url(url), deadline, headers=asked, obey=True)
        if reply.status == 304 and asked:
            body, not_modified = b"", True
        elif reply.status in (200, 203):
            body, not_modified = reply.body, False
        else:
            raise _http_error(target, reply)
        media_type, charset = split_media_type(reply.headers.get("content-type", ""))
        return FetchedLink(
            url=url,
            final_url=target.url,
            status=reply.status,
            body=body,
            media_type=media_type,
            charset=charset,
            etag=reply.headers.get("etag") or (etag if not_modified else None),
            last_modified=reply.headers.get("last-modified")
            or (last_modified if not_modified else None),
            not_modified=not_modified,
            robots_tag=reply.headers.get("x-robots-tag") or "",
        )

    @property
    def max_bytes(self) -> int:
        """Bound on one response."""
        return self._config.max_bytes

    def robots(self, target: Target) -> RobotsRules:
        """What the robots.txt of the target's server says, fetched once an hour."""
        deadline = self._clock() + self._config.total_timeout_s
        return self._rules(target, deadline)

    def _follow(
        self, target: Target, deadline: float, *, headers: dict[str, str], obey: bool
    ) -> tuple[Target, Reply]:
        """Ask, and go where redirects lead; each hop is resolved and judged anew."""
        first = target
        for _ in range(self._config.max_redirects + 1):
            if obey and self._config.respect_robots_txt:
                self._check_robots(target, deadline)
            reply = self._ask_patiently(target, deadline, headers=headers, is_page=obey)
            location = reply.headers.get("location")
            if reply.status not in _REDIRECTS or not location:
                return target, reply
            target = _where_it_leads(target, location)
        raise DocumentError(
            "too_many_redirects",
            f"{first.url!r} was redirected more than {self._config.max_redirects} times, last to "
            f"{target.url!r}. Give the link that the page ends up at.",
        )

    def _ask_patiently(
        self, target: Target, deadline: float, *, headers: dict[str, str], is_page: bool
    ) -> Reply:
        """Ask again, a few times, when the server says that it is busy or broken."""
        reply = self._ask(target, deadline, headers=headers, is_page=is_page)
        for attempt in range(self._config.max_retries):
            if reply.status not in _RETRIED:
                break
            wait = retry_after(reply.headers.get("retry-after"), now=time.time())
            wait = _BACKOFF_S * 2**attempt if wait is None else wait
            if self._clock() + wait >= deadline:
                break
            self._sleep(wait)
            reply = self._ask(target, deadline, headers=headers, is_page=is_page)
        return reply

    def _ask(
        self, target: Target, deadline: float, *, headers: dict[str, str], is_page: bool
    ) -> Reply:
        literal = literal_address(target.host)
        if literal is not None:
            found: Sequence[str] = [str(literal)]
        else:
            found = self._lookup(target)
        addresses = check_addresses(target, found, allowed_cidrs=self._config.allowed_cidrs)
        exchange = Exchange(
            addresses=[str(address) for address in addresses],
            deadline=deadline,
            clock=self._clock,
            config=self._config if is_page else replace_max_bytes(self._config, MAX_BYTES),
        )
        return exchange.get(target, headers=headers, wants=_is_readable if is_page else None)

    def _lookup(self, target: Target) -> Sequence[str]:
        try:
            return self._resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise DocumentError(
                "dns",
                f"The host of {target.url!r} cannot be found ({error}). Check its spelling, and "
                "that this machine has name resolution.",
            ) from error

    def _check_robots(self, target: Target, deadline: float) -> None:
        if not self._rules(target, deadline).allows(target.path):
            raise DocumentError(
                "robots_disallowed",
                f"The robots.txt of {target.origin!r} asks not to fetch {target.path!r}. If the "
                "site is yours, set `links.respect_robots_txt` to false.",
            )

    def _rules(self, target: Target, deadline: float) -> RobotsRules:
        until, rules = self._robots.get(target.origin, (0.0, ALLOW_ALL))
        now = self._clock()
        if now >= until:
            rules = self._fetch_rules(target, deadline)
            self._robots[target.origin] = (now + ROBOTS_KEPT_S, rules)
        return rules

    def _fetch_rules(self, target: Target, deadline: float) -> RobotsRules:
        where = read_url(target.origin + "/robots.txt")
        try:
            _, reply = self._follow(where, deadline, headers={}, obey=False)
        except DocumentError as error:
            if error.reason in ("too_large", "too_many_redirects", "unsupported_encoding"):
                return ALLOW_ALL
            raise
        if reply.status >= 500 or reply.status == 429:
            return DISALLOW_ALL
        if reply.status != 200:
            return ALLOW_ALL
        product = self._config.user_agent.partition("/")[0]
        return self._read_robots(reply.body, product=product, name=where.url)


def replace_max_bytes(config: LinkConfig, max_bytes: int) -> LinkConfig:
    """The same configuration with another bound on a response."""
    return config.model_copy(update={"max_bytes": min(max_bytes, config.max_bytes)})


def retry_after(header: str | None, *, now: float) -> float | None:
    """Seconds to wait as a `Retry-After` header asks, in either of its two forms."""
    if not header:
        return None
    if is_number(header.strip()):
        return float(header)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, TypeError, OverflowError, OSError):
        # Not a date, or one that no clock shows.
        return None


def _where_it_leads(target: Target, location: str) -> Target:
    try:
        return read_url(urljoin(target.url, location))
    except ValueError as error:
        raise DocumentError(
            "bad_url", f"{target.url!r} redirects to {location[:200]!r}, which is no address."
        ) from error


def _can_be_sent(validator: str) -> bool:
    """Whether an ETag or date can stand in a header again."""
    printable = all(" " <= char <= "~" or "\xa0" <= char <= "\xff" for char in validator)
    return 0 < len(validator) <= MAX_VALIDATOR_CHARS and printable


def _is_readable(media_type: str | None) -> bool:
    return (
        media_type is None
        or (media_type.startswith(_READABLE) and media_type not in _UNREADABLE)
        or media_type == "message/rfc822"
    )


def _http_error(target: Target, reply: Reply) -> DocumentError:
    remedies = {
        401: "The page needs a login; export it and add the file instead.",
        403: "The server refuses this page; export it and add the file instead.",
        404: "There is no such page; check the link.",
        410: "The page was removed; take the link out.",
        429: "The server is busy; try again later, or less often.",
    }
    remedy = remedies.get(reply.status, "Open the link in a browser to see what it says.")
    if reply.status >= 500:
        remedy = "The server is in trouble; try again later."
    return DocumentError(
        f"http_{reply.status}", f"{target.url!r} answered with status {reply.status}. {remedy}"
    )

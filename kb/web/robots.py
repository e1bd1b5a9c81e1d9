"""robots.txt as RFC 9309 has it: longest match wins, `*` and `$` are patterns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BYTES = 512 * 1024
"""More than this of a robots.txt is not read, as the RFC allows."""

MAX_SITEMAPS = 1_000
"""Sitemaps that are heeded of one robots.txt."""
MAX_LINE_CHARS = 8_192


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """What one robots.txt says to one crawler."""

    rules: tuple[tuple[bool, str], ...] = ()
    """(allowed, path pattern) of the group that is meant."""
    sitemaps: tuple[str, ...] = ()
    crawl_delay_s: float = 0.0

    def allows(self, path: str) -> bool:
        """Whether `path` (with its query) may be fetched. No rule for it means yes."""
        if path.partition("?")[0] == "/robots.txt":
            return True
        matching = [
            (len(pattern), allowed) for allowed, pattern in self.rules if _matches(pattern, path)
        ]
        return max(matching)[1] if matching else True


ALLOW_ALL = RobotsRules()
DISALLOW_ALL = RobotsRules(rules=((False, "/"),))


def read_robots_file(data: bytes, *, product: str, name: str = "") -> RobotsRules:
    """`read_robots` of a file as it came; `name` is for readers that can fail."""
    return read_robots(data[:MAX_BYTES].decode("utf-8", errors="replace"), product=product)


def read_robots(text: str, *, product: str) -> RobotsRules:
    """Read a robots.txt for the crawler whose product token is `product`."""
    # Only these two groups are kept: a file can name a thousand crawlers before a thousand rules.
    groups: dict[str, list[tuple[str, str]]] = {}
    sitemaps: dict[str, None] = {}
    agents: set[str] = set()
    in_rules = False
    for key, value in _fields(text[:MAX_BYTES]):
        if key == "sitemap" and len(sitemaps) < MAX_SITEMAPS:
            sitemaps[value] = None
        elif key == "user-agent":
            agents = set() if in_rules else agents
            in_rules = False
            agents |= {value.lower()} & {product.lower(), "*"}
            groups |= {agent: [] for agent in agents if agent not in groups}
        elif key in ("allow", "disallow", "crawl-delay"):
            in_rules = True
            for agent in agents:
                groups[agent].append((key, value))
    found = groups.get(product.lower(), groups.get("*", []))
    return RobotsRules(
        rules=tuple(
            dict.fromkeys(
                (key == "allow", value) for key, value in found if key != "crawl-delay" and value
            )
        ),
        sitemaps=tuple(sitemaps),
        crawl_delay_s=_delay(found),
    )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values; what goes on after `MAX_LINE_CHARS` of a line is no address of a page."""
    for line in text.lstrip("\ufeff").splitlines():
        key, colon, value = line[:MAX_LINE_CHARS].partition("#")[0].partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def _delay(found: list[tuple[str, str]]) -> float:
    delays = [value for key, value in found if key == "crawl-delay"]
    return float(delays[0]) if delays and re.fullmatch(r"\d+(?:\.\d+)?", delays[0]) else 0.0


def _matches(pattern: str, path: str) -> bool:
    """Whether `path` begins with `pattern`, in time linear in both for each star."""
    anchored = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if anchored and not others:
        return path == first
    last = others.pop() if anchored else ""
    position = len(first)
    for part in others:
        found = path.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return path.endswith(last) and len(path) - len(last) >= position

"""Which URLs and which network addresses a link may lead to. Pure decisions, no network."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.errors import DocumentError

if TYPE_CHECKING:
    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_CHARS = 8_192
"""Of a link; longer ones are no addresses of pages."""
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        # The special-purpose registries of IANA, those that are routed included: nobody's documents
        # are there, and the library of Python 3.11 knows the registries of 2019.
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20"),
        # Looks public, and is the host of every virtual machine of one cloud.
        "168.63.129.16/32",
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_FORBIDDEN_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")
_NUMERIC_HOST = re.compile(r"(https?://)([0-9][0-9a-fx.]*)(?=[:/?#]|$)", re.IGNORECASE)
_USER = re.compile(r"[^/?#]*//[^/?#]*@")
"""Also an empty one, which the parsed URL does not show."""
_UP_TO_USER = re.compile(r"^([^/?#]*//)?.*@", re.DOTALL)
_NO_PORT = re.compile(r"^([^/?#]*//[^/?#:]*):(?!\d+(?:[/?#]|$))[^/?#]*")
_QUERY = re.compile(r"([?#]).*", re.DOTALL)
_NAMED_CHARS = 100
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart, with nothing left in it to be read two ways."""

    url: str
    """Normalised, without a fragment."""
    scheme: str
    host: str
    """ASCII; an address in any notation is in its usual one."""
    port: int
    path: str
    """With the query."""

    @property
    def origin(self) -> str:
        """Scheme, host and port, as in `https://example.com:8443`."""
        return self.url[: self.url.index("/", self.url.index("//") + 2)]

    @property
    def host_header(self) -> str:
        """What the `Host` header says."""
        return self.origin.partition("//")[2]


def read_url(url: str) -> Target:
    """Take a URL apart and normalise it.

    Raises:
        DocumentError: `bad_url`: not http or https, a user name in it, or not a URL.
    """
    try:
        parsed = _parsed(url)
    except _FaultError as fault:
        raise _bad_url(url, str(fault)) from None
    host = parsed.raw_host.decode("ascii").lower()
    literal = literal_address(host)
    if literal is not None:
        host = str(literal)
    shown = f"[{host}]" if isinstance(literal, ipaddress.IPv6Address) else host
    default = 443 if parsed.scheme == "https" else 80
    port = parsed.port or default
    path = parsed.raw_path.decode("ascii") or "/"
    authority = shown if port == default else f"{shown}:{port}"
    return Target(f"{parsed.scheme}://{authority}{path}", parsed.scheme, host, port, path)


def url_fault(url: str) -> str | None:
    """Why a URL is none that `read_url` takes, without a word of it; None where it is one."""
    try:
        _parsed(url)
    except _FaultError as fault:
        return str(fault)
    return None


class _FaultError(ValueError):
    """What is wrong with a URL; holds nothing of it."""


def _parsed(url: str) -> "httpx.URL":
    import httpx  # a tenth of a second, and few commands look at a link

    if len(url) > MAX_URL_CHARS:
        raise _FaultError(f"has more than {MAX_URL_CHARS:,} characters")
    if _FORBIDDEN_IN_URL.search(url.strip()):
        raise _FaultError("has a blank, a backslash or a control character in it")
    try:
        parsed = httpx.URL(_with_usual_address(url.strip()))
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise _FaultError("has a port or a host that cannot be read") from error
    if parsed.scheme not in ("http", "https"):
        raise _FaultError("does not begin with http:// or https://")
    if parsed.userinfo or _USER.match(url.strip()):
        raise _FaultError("carries a user name or password")
    if not parsed.host.strip("."):
        raise _FaultError("names no host")
    if parsed.host.startswith(".") or ".." in parsed.host:
        raise _FaultError("names a host with an empty part")
    if parsed.port is not None and not 0 < parsed.port < 65_536:
        raise _FaultError(f"names the port {parsed.port}, which is none")
    return parsed


def _with_usual_address(url: str) -> str:
    """Rewrite a host in a historical notation, which httpx refuses in part, to the usual one."""
    match = _NUMERIC_HOST.match(url)
    if match is None:
        return url
    literal = literal_address(match[2])
    return url if literal is None else f"{match[1]}{literal}{url[match.end() :]}"


def literal_address(host: str) -> Address | None:
    """Read an address in any notation that a resolver would take; None for a name.

    `2130706433`, `0x7f.1`, `0177.0.0.1` and `127.1` are all 127.0.0.1.
    """
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass  # Not the usual notation; the historical ones follow.
    parts = host.removesuffix(".").split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    return _historical_ipv4(host, parts)


def _historical_ipv4(host: str, parts: Sequence[str]) -> Address:
    try:
        if len(parts) > 4:
            raise ValueError("it has more than four parts")
        numbers = [_number(part) for part in parts]
        value = numbers[-1]
        if value >= 256 ** (5 - len(numbers)) or any(number > 255 for number in numbers[:-1]):
            raise ValueError("a part is out of range")
        for position, number in enumerate(numbers[:-1]):
            value += number << (8 * (3 - position))
        return ipaddress.IPv4Address(value)
    except ValueError as error:
        raise _bad_url(host, f"is no valid address ({error})") from error


def _number(part: str) -> int:
    if part.lower().startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part.startswith("0") else int(part)


def check_addresses(
    target: Target, addresses: Sequence[str], *, allowed_cidrs: Sequence[str]
) -> list[Address]:
    """Return the addresses to connect to, or refuse all when one of them is not public.

    Raises:
        DocumentError: `blocked_address`; `dns` when there is no address at all.
    """
    judged = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses]
    if not judged:
        raise DocumentError("dns", f"The host of {target.url!r} has no address. Check the link.")
    for address in judged:
        if not is_allowed(address, allowed_cidrs=allowed_cidrs):
            raise DocumentError(
                "blocked_address",
                f"{target.url!r} leads to {address}, which is not a public address. If it is a "
                "server of yours, add its range to `links.allowed_cidrs`.",
            )
    return judged


def check_literal(target: Target, *, allowed_cidrs: Sequence[str]) -> None:
    """Refuse a host that leads to no public address whatever a resolver says.

    Raises:
        DocumentError: `blocked_address`.
    """
    literal = literal_address(target.host)
    name = target.host.rstrip(".")
    if literal is None and (name == "localhost" or name.endswith(".localhost")):
        literal = ipaddress.IPv4Address("127.0.0.1")  # never looked up, by RFC 6761
    if literal is not None:
        check_addresses(target, [str(literal)], allowed_cidrs=allowed_cidrs)


def is_allowed(address: Address, *, allowed_cidrs: Sequence[str]) -> bool:
    """Whether `address` is public or in an allowed range; so must be any address inside it."""
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in allowed_cidrs]
    inner = list(_embedded(address))
    # An IPv4-mapped address is that IPv4 address; other tunnels must be public themselves too.
    judged = inner if inner and _is_mapped(address) else [address, *inner]
    return all(_is_public(each) or any(each in network for network in networks) for each in judged)


def _is_mapped(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None


def _embedded(address: Address) -> Iterator[Address]:
    """The IPv4 addresses that an IPv6 address carries traffic to."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: Address) -> bool:
    """Whether the address was given to somebody to be reached at by everybody."""
    if any(address in network for network in _SPECIAL):
        return False
    # Of IPv6, unicast addresses are handed out from this block alone; NAT64 is judged by its inner.
    is_unicast = address.version == 4 or address in _GLOBAL_UNICAST or address in _NAT64
    return is_unicast and address.is_global and not address.is_multicast


def _nameable(url: str) -> str:
    """A URL that cannot be used, as an error may name it: without who lets in, and what with."""
    # Nothing of it was read with success: what is before an `@` may be a password with a slash.
    bare = _UP_TO_USER.sub(r"\1...@", url.strip())
    place = _NO_PORT.sub(r"\1:...", _QUERY.sub(r"\1...", bare))
    return place if len(place) <= _NAMED_CHARS else f"{place[:_NAMED_CHARS]}..."


def _bad_url(url: str, why: str) -> DocumentError:
    return DocumentError(
        "bad_url", f"{_nameable(url)!r} {why}. Give a link of the form https://example.com/page."
    )

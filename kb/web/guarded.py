"""One request to a URL whose host is resolved once and whose every address is judged first."""

import time
from collections.abc import Callable, Sequence

from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.web.addresses import check_addresses, literal_address, read_url
from kb.web.exchange import Exchange, Reply, resolve_host

Resolve = Callable[[str, int], Sequence[str]]
"""(host, port) -> addresses; raises OSError when there are none."""


def send_guarded(
    method: str,
    url: str,
    *,
    headers: dict[str, str],
    content: bytes | None,
    config: LinkConfig,
    reads: Callable[[int], bool],
    wants: Callable[[str | None], bool] | None = None,
    resolve: Resolve = resolve_host,
    clock: Callable[[], float] = time.monotonic,
) -> Reply:
    """Send one request. Redirects are not followed.

    Args:
        method: In capitals.
        url: http or https.
        headers: Besides those that every request has.
        content: The body.
        config: Time, size, and the private ranges that may be reached.
        reads: Whether the body of a response with this status is read at all.
        wants: Judges the media type of a response before its body is read.
        resolve: Looks the host up.
        clock: Seconds that only ever grow.

    Raises:
        DocumentError: `bad_url`, `dns`, `blocked_address`, `timeout`, `tls`, `unreachable`,
            `too_large` or `malformed`.
    """
    deadline = clock() + config.total_timeout_s
    target = read_url(url)
    literal = literal_address(target.host)
    try:
        found = [str(literal)] if literal else resolve(target.host, target.port)
    except (OSError, UnicodeError) as error:
        raise DocumentError("dns", "the host has no address") from error
    judged = check_addresses(target, found, allowed_cidrs=config.allowed_cidrs)
    exchange = Exchange([str(each) for each in judged], deadline, clock, config)
    return exchange.send(method, target, headers=headers, content=content, wants=wants, reads=reads)

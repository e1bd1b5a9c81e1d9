"""One HTTP request to pinned addresses, bounded in time and size while it streams."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpcore

from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.media_types import split_media_type
from kb.web.addresses import Target
from kb.web.content_encoding import decoded

RESOLVE_TIMEOUT_S = 10.0
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers (lower-case names, the last of a kind) and decompressed body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """How one request is made."""

    addresses: list[str]
    """Tried in turn until one accepts the connection. Already judged."""
    deadline: float
    """Of everything, by `clock`."""
    clock: Callable[[], float]
    config: LinkConfig

    def get(
        self,
        target: Target,
        *,
        headers: dict[str, str],
        wants: Callable[[str | None], bool] | None,
    ) -> Reply:
        """Send a GET request for `target`.

        Args:
            target: Where `addresses` belong to.
            headers: Besides the ones every request has.
            wants: Judges the media type of a 200 response before its body is read.
        """
        accept = "text/html, application/xhtml+xml, text/markdown, application/pdf, */*;q=0.5"
        return self.send("GET", target, headers={"Accept": accept, **headers}, wants=wants)

    def send(
        self,
        method: str,
        target: Target,
        *,
        headers: dict[str, str],
        content: bytes | None = None,
        wants: Callable[[str | None], bool] | None = None,
        reads: Callable[[int], bool] = lambda status: status in (200, 203),
    ) -> Reply:
        """Send a request to `target`. Redirects are not followed.

        Args:
            method: In capitals.
            target: Where `addresses` belong to.
            headers: Besides the ones every request has.
            content: The body.
            wants: Judges the media type of a response before its body is read.
            reads: Whether the body of a response with this status is read at all.
        """
        sent = {
            "Host": target.host_header,
            "User-Agent": self.config.user_agent,
            # No encoding whose decoder cannot be stopped in the middle of a bomb.
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
            **headers,
        }
        if content is not None:
            sent["Content-Length"] = str(len(content))
        backend = _PinnedBackend(self)
        pool = httpcore.ConnectionPool(
            ssl_context=_ssl_context(self.config.ca_file), network_backend=backend
        )
        timeout = self.config.connect_timeout_s
        timeouts = {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout}
        try:
            with (
                pool,
                pool.stream(
                    method,
                    target.url,
                    headers=[(name.encode(), _header_value(value)) for name, value in sent.items()],
                    content=content,
                    extensions={"timeout": timeouts},
                ) as response,
            ):
                return self._receive(target, response, wants=wants, reads=reads)
        except httpcore.TimeoutException as error:
            raise DocumentError(
                "timeout",
                f"{target.url!r} did not answer in time ({self.config.connect_timeout_s:g} s "
                f"without a byte, or {self.config.total_timeout_s:g} s in all). Try again later, "
                "or raise `links.total_timeout_s`.",
            ) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
            # A ValueError is of TLS or of a header, which refuse names and values of some forms.
            raise _unreachable(target, error) from error

    def remaining_s(self) -> float:
        """Seconds until the deadline; at most a moment in the past."""
        return self.deadline - self.clock()

    def _receive(
        self,
        target: Target,
        response: httpcore.Response,
        *,
        wants: Callable[[str | None], bool] | None,
        reads: Callable[[int], bool],
    ) -> Reply:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers
        }
        if not reads(response.status):
            return Reply(response.status, headers, b"")
        media_type, _ = split_media_type(headers.get("content-type", ""))
        if wants is not None and not wants(media_type):
            raise DocumentError(
                "unsupported_content_type",
                f"{target.url!r} is of type {media_type!r}, which holds no text to read. Give the "
                "link of a page or a document.",
            )
        announced = headers.get("content-length", "")
        if is_number(announced) and int(announced) > self.config.max_bytes:
            raise _too_large(target, self.config.max_bytes)
        body = self._body(target, response, headers.get("content-encoding", "identity"))
        return Reply(response.status, headers, body)

    def _body(self, target: Target, response: httpcore.Response, encoding: str) -> bytes:
        limit = self.config.max_bytes
        body = bytearray()
        raw: Iterable[bytes] = response.iter_stream()
        for piece in decoded(_counted(target, raw, limit), encoding, url=target.url):
            body += piece
            if len(body) > limit:
                raise _too_large(target, limit)
        return bytes(body)


def resolve_host(host: str, port: int) -> list[str]:
    """Look a host up, in bounded time.

    Raises:
        OSError: No address, or no answer within `RESOLVE_TIMEOUT_S`.
    """
    outcome: list[list[str] | OSError] = []

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            outcome.append(error if isinstance(error, OSError) else OSError(str(error)))
        else:
            outcome.append(list(dict.fromkeys(str(entry[4][0]) for entry in found)))

    # getaddrinfo knows no timeout; a thread left waiting ends by itself.
    thread = threading.Thread(target=look_up, name="kb-resolve", daemon=True)
    thread.start()
    thread.join(RESOLVE_TIMEOUT_S)
    if not outcome:
        raise TimeoutError(f"no answer from name resolution within {RESOLVE_TIMEOUT_S:g} s")
    if isinstance(outcome[0], OSError):
        raise outcome[0]
    return outcome[0]


def is_number(header: str) -> bool:
    """Whether a header's value is a count of a size that a header can have."""
    return header.isascii() and header.isdecimal() and len(header) <= _MAX_DIGITS


def _header_value(value: str) -> bytes:
    """As it came: what a server said beyond ASCII goes back to it byte for byte."""
    return value.encode("latin-1")


class _PinnedBackend(httpcore.NetworkBackend):
    """Connects to the judged addresses, whatever the URL says."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._exchange.addresses:
            try:
                stream = self._inner.connect_tcp(
                    address,
                    port,
                    timeout=_bounded(timeout, self._exchange.remaining_s()),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _DeadlineStream(stream, self._exchange)
        raise failure


class _DeadlineStream(httpcore.NetworkStream):
    """Every single read and write ends by the deadline of the whole fetch."""

    def __init__(self, inner: httpcore.NetworkStream, exchange: Exchange) -> None:
        self._inner = inner
        self._exchange = exchange

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        remaining = self._exchange.remaining_s()
        if remaining <= 0:
            raise httpcore.ReadTimeout("the whole fetch took too long")
        return self._inner.read(max_bytes, timeout=_bounded(timeout, remaining))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        remaining = self._exchange.remaining_s()
        if remaining <= 0:
            raise httpcore.WriteTimeout("the whole fetch took too long")
        self._inner.write(buffer, timeout=_bounded(timeout, remaining))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        bounded = _bounded(timeout, self._exchange.remaining_s())
        stream = self._inner.start_tls(ssl_context, server_hostname, timeout=bounded)
        return _DeadlineStream(stream, self._exchange)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _bounded(timeout: float | None, remaining: float) -> float:
    return max(0.001, remaining if timeout is None else min(timeout, remaining))


@lru_cache(maxsize=4)
def _ssl_context(ca_file: str | None) -> ssl.SSLContext:
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def _counted(target: Target, pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    received = 0
    for piece in pieces:
        received += len(piece)
        if received > limit:
            raise _too_large(target, limit)
        yield piece


def _too_large(target: Target, limit: int) -> DocumentError:
    return DocumentError(
        "too_large",
        f"{target.url!r} holds more than {limit:,} bytes. Link to a smaller part, or raise "
        "`links.max_bytes`.",
    )


def _unreachable(target: Target, error: Exception) -> DocumentError:
    if "CERTIFICATE" in str(error).upper() or isinstance(error, ssl.SSLError):
        return DocumentError(
            "tls",
            f"The connection to {target.origin!r} is not trusted ({error}). If the server is "
            "yours, name its certificate authority in `links.ca_file`.",
        )
    return DocumentError(
        "unreachable",
        f"No answer from {target.origin!r} ({error or type(error).__name__}). Check that the "
        "server runs and can be reached from here.",
    )

"""Dagster's own programs as we start them: `python -P -m orchestration.processes.guarded_dagster`.

`dev ...` and `webserver ...` take the arguments of the vendor's programs. Two things are added.
The web server answers only to the names that it is reached by: a page of the web could else give
its own name this machine's address and press every button. And our packages are imported before
Dagster puts the folder that it was started in first, where a file `analysis.py` may lie.
"""

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import analysis
import conversation
import kb
from orchestration.processes.ui import GUARDED

OURS = (kb, conversation, analysis)
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104


class KnownHostsOnly:
    """ASGI middleware: refuses requests to another name, and those that another page sends."""

    def __init__(self, app: Any, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on what is meant for this server."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        from starlette.datastructures import Headers
        from starlette.responses import PlainTextResponse
        from starlette.websockets import WebSocketClose

        headers = Headers(scope=scope)
        origin = headers.get("origin")
        named = [_host(headers.get("host", ""))]
        if origin is not None:
            named.append(_host(urlsplit(origin).netloc))
        if self._hosts.issuperset(named):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        else:
            told = f"This server answers to {', '.join(sorted(self._hosts))} alone.\n"
            await PlainTextResponse(told, 403)(scope, receive, send)


def answering_names(arguments: Sequence[str]) -> tuple[str, ...] | None:
    """Names that a server with these arguments answers to; None where it listens everywhere.

    There, in a container, whatever stands before it says who may come.
    """
    given = dict(pairwise(arguments)).get("--host", _LOOPBACK[0])
    return None if given in _EVERYWHERE else (*_LOOPBACK, given)


def main() -> None:
    """Become one of Dagster's programs."""
    program, *arguments = sys.argv[1:]
    sys.argv = [f"dagster-{program}", *arguments]
    if program == "dev":
        _run_dev()
    else:
        _run_webserver(arguments)


def _run_webserver(arguments: Sequence[str]) -> None:
    from dagster_webserver import cli
    from dagster_webserver.webserver import DagsterWebserver
    from starlette.middleware import Middleware

    hosts = answering_names(arguments)
    theirs = DagsterWebserver.build_middleware
    if hosts is not None:

        def ours(self: Any) -> list[Middleware]:
            return [Middleware(KnownHostsOnly, hosts=hosts), *theirs(self)]

        DagsterWebserver.build_middleware = ours
    cli.main()


def _run_dev() -> None:
    """`dagster dev`, whose web server is the one above."""
    import dagster._cli.dev as vendor

    dev: Any = vendor
    started = dev.open_ipc_subprocess

    def open_guarded(parts: Sequence[str], **options: Any) -> Any:
        if "dagster_webserver" not in parts:
            return started(parts, **options)
        at = parts.index("dagster_webserver")
        return started([*parts[:at], GUARDED, "webserver", *parts[at + 1 :]], **options)

    dev.open_ipc_subprocess = open_guarded
    dev.dev_command()


def _host(netloc: str) -> str:
    """Without the port."""
    name, colon, port = netloc.rpartition(":")
    return (name if colon and port.isdigit() else netloc).lower()


if __name__ == "__main__":
    main()

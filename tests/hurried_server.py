"""A server that stops at once.

uvicorn looks every 100 ms whether it shall stop, and waits as long again when it does: hundreds of
servers of tests would wait for a minute in all.
"""

import asyncio
from typing import Any

from conversation.server.serving import ConversationServer

_UVICORN_WAITS_S = 0.1
_HERE_S = 0.01


def run_hurried(server: ConversationServer) -> None:
    """Serve as `server.run()` does, on the same kind of event loop."""
    make_loop: Any = server.config.get_loop_factory()
    usual = make_loop()
    usual.close()
    loop_class: Any = type("HurriedLoop", (type(usual),), {"call_later": _call_later(type(usual))})

    async def serve() -> None:
        asyncio.get_running_loop().hurried = asyncio.current_task()  # type: ignore[attr-defined]
        await server.serve()

    with asyncio.Runner(loop_factory=loop_class) as runner:
        runner.run(serve())


def _call_later(usual: Any) -> Any:
    def call_later(self: Any, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        # What conversations wait for belongs to other tasks, and takes its time.
        if delay == _UVICORN_WAITS_S and asyncio.current_task(self) is self.hurried:
            delay = _HERE_S
        return usual.call_later(self, delay, callback, *args, context=context)

    return call_later

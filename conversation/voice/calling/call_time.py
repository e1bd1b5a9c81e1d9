"""The time of a call: seconds since it began, on which both channels of its sound are laid."""

import asyncio


class CallTime:
    """Counts on the running event loop's clock; sound that is ahead of it moves it on."""

    def __init__(self, now_s: float = 0.0) -> None:
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time() - now_s

    @property
    def now_s(self) -> float:
        """Seconds since the call began."""
        return self._loop.time() - self._began_s

    def is_at(self, moment_s: float) -> None:
        """The call is at `moment_s` at least, e.g. because a file was pushed at once."""
        self._began_s -= max(0.0, moment_s - self.now_s)

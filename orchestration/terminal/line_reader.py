"""A line from a person at a terminal, who may be asked whether they are still there meanwhile.

The terminal stays in its ordinary mode and the line is edited by readline where Python has it, so
that all of it works over a slow connection as well.
"""

import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

from conversation.session.driver import SessionDriver


class LineReader:
    """Reads lines, and lets a session's driver act while nobody types.

    On systems without timers (Windows) the driver acts when the next line is there.
    """

    def __init__(
        self, driver: SessionDriver, *, clear_line: str, show: Callable[[str], object]
    ) -> None:
        """Use the standard input.

        Args:
            driver: Of the session that the lines are for.
            clear_line: Removes the line that is being edited from the terminal.
            show: Prints what the agent says by itself.
        """
        self._driver = driver
        self._clear_line = clear_line
        self._show = show
        self._readline = _loaded_readline() if sys.stdin.isatty() else None
        self._kept = ""
        self._line: str | None = None

    def read(self, prompt: str) -> str | None:
        """The next line; None at the end of the input, or when the conversation is over.

        Raises:
            KeyboardInterrupt: At Ctrl-C on an empty line; on another line it empties the line.
        """
        while not self._driver.session.is_over:
            self._line = None
            try:
                with self._timer():
                    self._line = self._edited(prompt)
            except _Due:
                if self._line is None:  # else it rang as Enter was pressed, and will ring again
                    self._act()
            except EOFError:
                return None
            except KeyboardInterrupt:
                if not self._typed():
                    raise
                print(flush=True)
            if self._line is not None:
                return self._line
        return None

    def _edited(self, prompt: str) -> str:
        if self._readline is None or not self._kept:
            return input(prompt)
        kept, self._kept = self._kept, ""
        readline = self._readline
        readline.set_startup_hook(lambda: readline.insert_text(kept))
        try:
            return input(prompt)
        finally:
            readline.set_startup_hook(None)

    def _act(self) -> None:
        said = self._driver.act()
        if said is not None:
            print(self._clear_line, end="", flush=True)
            self._show(said.text)

    @contextmanager
    def _timer(self) -> Generator[None]:
        """Raise `_Due` when the driver has something to do; typing puts it off."""
        left_s = self._driver.seconds_until_due
        if left_s is None or not _has_timers():
            if left_s == 0:
                raise _Due
            yield
            return
        seen = self._typed()

        def ring(_number: int, _frame: FrameType | None) -> None:
            nonlocal seen
            typed = self._typed()
            if typed and typed != seen:
                seen = typed
                self._driver.user_active()
            left_s = self._driver.seconds_until_due
            if left_s is None or left_s > 0:
                _set_timer(left_s or 0.0)
                return
            self._kept = typed
            raise _Due

        before = signal.signal(signal.SIGALRM, ring)
        _set_timer(max(left_s, 0.001))
        try:
            yield
        finally:
            _set_timer(0.0)
            signal.signal(signal.SIGALRM, before)

    def _typed(self) -> str:
        """What stands in the line that is being edited."""
        if self._readline is None:
            return ""
        try:
            return str(self._readline.get_line_buffer())
        except SystemError as error:
            # Ctrl-C in the moment in which the timer rings: both handlers run before one is raised.
            if isinstance(error.__cause__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise


class _Due(Exception):  # noqa: N818 - not an error: it ends a wait
    """The session's driver has something to do."""


def _has_timers() -> bool:
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and hasattr(signal, "setitimer")


def _set_timer(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _loaded_readline() -> Any:
    """Line editing and history for `input`; None where Python was built without it."""
    try:
        import readline
    except ImportError:
        return None
    module: ModuleType = readline
    return module

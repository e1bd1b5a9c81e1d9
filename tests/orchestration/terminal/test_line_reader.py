"""Reading a line; what a terminal shows meanwhile is in `test_chat_terminal`."""

from typing import Any

import pytest

from orchestration.terminal.line_reader import LineReader


class _Interrupted:
    """Line editing as the interpreter shows it when Ctrl-C and the timer come at once."""

    def __init__(self, cause: BaseException) -> None:
        self._cause = cause

    def get_line_buffer(self) -> str:
        raise SystemError("returned a result with an exception set") from self._cause


def reading(cause: BaseException) -> Any:
    driver: Any = None
    reader: Any = LineReader(driver, clear_line="", show=print)
    reader._readline = _Interrupted(cause)
    return reader


def test_ctrl_c_in_the_moment_of_the_timer_is_ctrl_c():
    with pytest.raises(KeyboardInterrupt):
        reading(KeyboardInterrupt())._typed()


def test_another_fault_of_line_editing_is_not_hidden():
    with pytest.raises(SystemError):
        reading(ValueError())._typed()

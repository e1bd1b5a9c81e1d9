"""Things that hold files or connections, closed at the end of a `with`."""

from types import TracebackType
from typing import Self


class ClosedAtTheEnd:
    """What is closed when its `with` ends, however it ends."""

    def close(self) -> None:
        """Let go of files and connections."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

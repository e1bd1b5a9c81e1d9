"""One writer at a time, among all processes."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import BusyError


@contextmanager
def writer_lock(directory: Path, *, timeout_s: float) -> Generator[None]:
    """Hold the writer lock of the knowledge base in `directory`.

    The system frees it when the process dies, so a crash leaves nothing locked.

    Raises:
        BusyError: Another writer did not finish in time.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(directory / "writer.lock", timeout=timeout_s)
    try:
        lock.acquire()
    except Timeout as error:
        raise BusyError(
            f"Another process is writing to {str(directory)!r} for more than {timeout_s:g} s. "
            "Wait for it to finish, or raise `index.writer_timeout_s`."
        ) from error
    try:
        yield
    finally:
        lock.release()

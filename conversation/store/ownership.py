"""Which process holds a conversation, and whether that process still lives."""

import os
import socket
import sys
import uuid
from functools import lru_cache


def this_process() -> str:
    """Name of the running process: "host/pid/token". The token tells a reused pid apart."""
    return _name_of(os.getpid())


def is_gone(owner: str, *, asked_by: str) -> bool:
    """Whether the process `owner` certainly ended. False when it cannot be known from here.

    Args:
        owner: A name that `this_process` gave.
        asked_by: `this_process()` of the process that asks; hosts see only their own processes.
    """
    if owner == asked_by:
        return False
    host, _, rest = owner.rpartition("/")[0].rpartition("/")
    my_host, _, my_pid = asked_by.rpartition("/")[0].rpartition("/")
    if host != my_host or not rest.isdigit():
        return False
    if rest == my_pid:
        return True
    if sys.platform == "win32":
        # Signal 0 ends a process there.
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@lru_cache(maxsize=4)
def _name_of(pid: int) -> str:
    """Cached by pid, so that a forked process gets a name of its own."""
    return f"{socket.gethostname()}/{pid}/{uuid.uuid4().hex[:8]}"

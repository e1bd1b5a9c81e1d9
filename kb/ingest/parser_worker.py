"""The child process that parsers run in: requests on standard input, answers on a pipe.

Run by `kb.ingest.sandbox`, never by hand. Frames are a 4-byte length and that many bytes of JSON; a
request is followed by its document as it is.
"""

import json
import math
import os
import struct
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

from kb.config import Limits, ParsingConfig
from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.formats.parse import out_of_memory, parse_document

LENGTH = struct.Struct(">I")

_FORBIDDEN = (
    "socket.connect",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostby",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "shutil.",
)


def main() -> None:
    """Serve requests until standard input ends."""
    memory_bytes = int(sys.argv[-1])
    requests = sys.stdin.buffer
    # Whatever a library prints must not end up among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _confine(memory_bytes)
    _send(answers, {"ready": True})
    while (request := _receive(requests)) is not None:
        data = requests.read(request["size"])
        _allow_cpu(request["seconds"])
        _send(answers, _answer(request, data, answers))


def _answer(request: dict[str, Any], data: bytes, answers: BinaryIO) -> dict[str, Any]:
    def before_recognition() -> None:
        # The parent restarts its clock, or kills this process when there were too many.
        _allow_cpu(request["page_cpu_seconds"])
        _send(answers, {"page": True})

    try:
        if "read" in request:
            # Only an ingest of links asks for it, and what it imports takes a moment.
            from kb.ingest.web_reading import READERS

            return {"read": READERS[request["read"]](data, **request["options"])}
        parsed = parse_document(
            data,
            name=request["name"],
            media_type=request["media_type"],
            limits=Limits.model_validate(request["limits"]),
            config=ParsingConfig.model_validate(request["config"]),
            before_recognition=before_recognition,
        )
        return {"parsed": to_wire(parsed)}
    except DocumentError as error:
        return {"reason": error.reason, "message": str(error)}
    except MemoryError:
        return {"reason": "out_of_memory", "message": str(out_of_memory(request["name"]))}


def to_wire(parsed: ParsedDocument) -> dict[str, Any]:
    """A parsed document as JSON knows it."""
    fields = asdict(parsed)
    fields["blocks"] = [
        [block.kind, block.start_char, block.end_char, block.level, block.columns]
        for block in parsed.blocks
    ]
    fields["pages"] = [[page.start_char, page.label] for page in parsed.pages]
    return fields


def _confine(memory_bytes: int) -> None:
    """Give up what no parser needs. Native code could still do what Python may not."""
    sys.dont_write_bytecode = True
    sys.addaudithook(_refuse)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow_cpu(seconds: float) -> None:
    if sys.platform != "win32":
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        allowed = math.ceil(usage.ru_utime + usage.ru_stime + seconds)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_FORBIDDEN) or (event == "open" and _is_write(arguments)):
        raise PermissionError(f"a parser may not do this: {event}")


def _is_write(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _receive(requests: BinaryIO) -> dict[str, Any] | None:
    prefix = requests.read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    return json.loads(requests.read(LENGTH.unpack(prefix)[0]))


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
    frame = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
    answers.write(LENGTH.pack(len(frame)))
    answers.write(frame)
    answers.flush()

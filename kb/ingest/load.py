"""A file, or bytes from anywhere, to a `ParsedDocument`."""

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kb.config import Limits, ParsingConfig
from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.ingest.names import storable
from kb.ingest.sandbox import shared_pool

if TYPE_CHECKING:
    from kb.ingest.web_reading import SandboxedWeb

DEFAULT_LIMITS = Limits()
DEFAULT_PARSING = ParsingConfig()


@dataclass(frozen=True, slots=True)
class LoadedSource:
    """A source as received, and what it says."""

    name: str
    data_sha256: str
    bytes: int
    parsed: ParsedDocument


def load_file(
    path: Path | str, *, limits: Limits = DEFAULT_LIMITS, config: ParsingConfig = DEFAULT_PARSING
) -> LoadedSource:
    """Read and parse one file.

    Raises:
        DocumentError: With a reason code; see `parse_bytes`. `not_found` when there is no
            such file, `unreadable` when it may not be read.
    """
    path = Path(path)
    data = _read(path, limits)
    name = storable(path.name)
    parsed = parse_bytes(data, name=name, limits=limits, config=config)
    return LoadedSource(name, hashlib.sha256(data).hexdigest(), len(data), parsed)


def parse_bytes(
    data: bytes,
    *,
    name: str,
    media_type: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    config: ParsingConfig = DEFAULT_PARSING,
) -> ParsedDocument:
    """Parse one source in a sandbox; the format is recognised from its content.

    Args:
        data: The source as received.
        name: File name or URL; the suffix decides between kinds of text only.
        media_type: As a server stated it, `; charset=...` included.
        limits: Of these, those on one document.
        config: How to parse.

    Raises:
        DocumentError: `empty`, `unsupported`, `encrypted`, `malformed`, `no_text_layer`,
            `ocr_missing`, `too_large`, `timeout` or `out_of_memory`.
    """
    return shared_pool(config.sandbox, ocr=config.ocr).parse(
        data, name=name, media_type=media_type, limits=limits, config=config
    )


def sandboxed_web(config: ParsingConfig) -> "SandboxedWeb":
    """What reads robots.txt, sitemaps and links where documents are parsed with `config`."""
    # Who ingests files alone never needs it.
    from kb.ingest.web_reading import SandboxedWeb

    return SandboxedWeb(lambda: shared_pool(config.sandbox, ocr=config.ocr))


def _read(path: Path, limits: Limits) -> bytes:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise DocumentError(
                "unsupported", f"{str(path)!r} is a folder. Add the files in it one by one."
            )
        if not stat.S_ISREG(found.st_mode):
            # A pipe or a device could go on for ever.
            raise DocumentError("unsupported", f"{str(path)!r} is no file. Add a file.")
        limit = limits.max_total_bytes
        if limit is not None and found.st_size > limit:
            raise DocumentError(
                "too_large",
                f"{path.name!r} has {found.st_size:,} bytes and the limit is {limit:,}. Split "
                "it, or raise `limits.max_total_bytes`.",
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DocumentError(
            "not_found", f"There is no file {str(path)!r}. Check the path and its spelling."
        ) from error
    except (OSError, ValueError) as error:
        raise DocumentError(
            "unreadable", f"{str(path)!r} cannot be read ({error}). Check its permissions."
        ) from error

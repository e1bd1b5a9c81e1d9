"""Bytes to a `ParsedDocument` in this process: recognise, then call the one parser that fits."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from kb.config import Limits, ParsingConfig
from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.formats.format import Format, Parser
from kb.formats.known import FORMATS
from kb.formats.language import guess_language
from kb.formats.recognition import recognise
from kb.formats.text_builder import ParseRequest, malformed, no_clock
from kb.media_types import split_media_type

_DEFAULT_CONFIG = ParsingConfig()


def parse_document(
    data: bytes,
    *,
    name: str,
    media_type: str | None = None,
    limits: Limits,
    config: ParsingConfig = _DEFAULT_CONFIG,
    depth: int = 0,
    before_recognition: Callable[[], None] = no_clock,
    formats: Sequence[Format] = FORMATS,
) -> ParsedDocument:
    """Parse one source without a sandbox; see `kb.ingest.load.parse_bytes`.

    `depth` counts the archives and messages that the bytes lay inside of; see `ParseRequest`.
    """
    stated, charset = split_media_type(media_type or "")
    recognised = recognise(data, name, stated=stated, formats=formats)
    request = ParseRequest(
        name,
        recognised.media_type,
        charset=charset,
        limits=limits,
        config=config,
        depth=depth,
        before_recognition=before_recognition,
    )
    parser = cast(Parser, importlib.import_module(recognised.parser))
    try:
        parsed = parser.parse(data, request)
    except DocumentError:
        raise
    except MemoryError as error:
        raise out_of_memory(name) from error
    except Exception as error:
        # Parsers report broken input in countless ways; all of them mean this one thing.
        raise malformed(name, recognised.name, error) from error
    if not parsed.text.strip():
        raise DocumentError(
            "empty", f"{name!r} holds no text. Check that the right file was added."
        )
    if parsed.language is None:
        return replace(parsed, language=guess_language(parsed.text))
    return parsed


def out_of_memory(name: str) -> DocumentError:
    """Say that parsing `name` took more memory than a parser may have."""
    return DocumentError(
        "out_of_memory",
        f"Parsing {name!r} took more memory than `parsing.sandbox.memory_bytes` allows, "
        "as only a huge or a hostile file does. Split it, or leave it out.",
    )

"""Documents inside of documents: members of archives, attachments of messages."""

from kb.errors import DocumentError
from kb.formats.text_builder import ParseRequest, TextBuilder

MAX_DEPTH = 2
MAX_NESTED = 500
"""Documents read out of one archive or message."""


def add_nested(
    builder: TextBuilder,
    data: bytes,
    *,
    name: str,
    media_type: str | None,
    request: ParseRequest,
    titled: bool = True,
) -> bool:
    """Append an inner document; returns whether it was read.

    It stands under a heading with its name, unless it is not `titled`.

    One that cannot be read is left out: a picture in a message is no reason to refuse it.
    Two reasons end the whole: `too_large`, since its parts are what makes it so, and
    `ocr_missing`, since every part would meet it.
    """
    from kb.formats.parse import parse_document

    if request.depth >= MAX_DEPTH:
        return False
    try:
        inner = parse_document(
            data,
            name=name,
            media_type=media_type,
            limits=request.limits,
            config=request.config,
            depth=request.depth + 1,
            before_recognition=request.before_recognition,
        )
    except DocumentError as error:
        if error.reason in {"too_large", "ocr_missing"}:
            raise
        return False
    if titled:
        builder.add("heading", name, level=1)
    builder.extend(inner, deeper=int(titled))
    return True

"""ZIP archives: every readable file in them, one after the other."""

from kb.document import ParsedDocument
from kb.formats.archive import Archive
from kb.formats.nesting import MAX_NESTED, add_nested
from kb.formats.text_builder import ParseRequest, TextBuilder

_NOISE = ("__MACOSX/", ".DS_Store", "Thumbs.db")


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read an archive of documents; what cannot be read in it is named in `metadata`."""
    archive = Archive(data, name=request.name, what="ZIP archive")
    builder = TextBuilder(request)
    skipped: list[str] = []
    members = [name for name in archive.members() if not name.startswith(_NOISE)]
    for member in members[:MAX_NESTED]:
        content = archive.read(member)
        if not add_nested(builder, content, name=member, media_type=None, request=request):
            skipped.append(member)
    skipped += members[MAX_NESTED:]
    return builder.build(title=request.name, metadata={"skipped": ", ".join(skipped[:50])})

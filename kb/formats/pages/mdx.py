"""MDX to Markdown: imports, expressions and component tags go, the text they carry stays."""

import re
import textwrap
from collections.abc import Iterator

_COMPONENT = re.compile(r"</[A-Z][A-Za-z0-9.]*\s*>|<[A-Z][A-Za-z0-9.]*[\s/]|^<>$", re.MULTILINE)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_MODULE_LINE = re.compile(r"^(?:import\s.+?from\s|import\s['\"]|export\s)")
_COMMENT = re.compile(r"\{/\*.*?\*/\}", re.DOTALL)
_OPEN_TAG = re.compile(
    r"""<(?P<name>[A-Za-z][\w.]*)
        (?P<attributes>(?:\s+[\w:-]+(?:=(?:"[^"]*"|'[^']*'|\{(?:[^{}]|\{[^{}]*\})*\}))?|\s+\{[^{}]*\})*)
        \s*/?>""",
    re.VERBOSE,
)
_CLOSE_TAG = re.compile(r"</[A-Za-z][\w.]*\s*>|</?>")
_SHOWN = re.compile(
    r"""(?:^|\s)(?:title|label|description|caption|alt|summary|header|name)=
        (?:"([^"]*)"|'([^']*)'|\{\s*["'`]([^"'`]*)["'`]\s*\})""",
    re.VERBOSE,
)
_BORDER = "\x01"
# Their text means nothing without them.
_NEEDED_TAGS = frozenset(
    {"table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "dl", "dt", "dd", "sup"}
)
# What follows the end of one stands on a line of its own.
_LINES = frozenset({"li", "p", "div"})
_NUMBER_ATTRIBUTE = re.compile(r"=\{\s*(\d+)\s*\}")
# A stray backtick must not reach over a blank line to the next one.
_INLINE_CODE = re.compile(r"(`+)(?:[^\n]|\n(?!\s*\n))+?\1")
_EXPRESSION = re.compile(r"\{\s*[\"'`]([^\"'`{}]*)[\"'`]\s*\}")


def has_components(source: str) -> bool:
    """Whether the text uses JSX components, and so is MDX."""
    return _COMPONENT.search(source) is not None


def drop_components(source: str) -> str:
    """Turn MDX to Markdown.

    The attributes a component shows to readers (`title`, `label`, ...) become a line of
    their own; fenced code stays as it is. What a component holds loses the indentation it
    has for being inside.
    """
    text = "\n".join(run if is_code else _drop_tags(run) for is_code, run in _runs(source))
    return "\n\n".join(textwrap.dedent(part).strip("\n") for part in text.split(_BORDER))


def _runs(source: str) -> Iterator[tuple[bool, str]]:
    """Yield (is fenced code, lines) in order, so that code is never taken for markup."""
    lines: list[str] = []
    fence = ""
    for line in source.split("\n"):
        match = _FENCE.match(line)
        if not fence and match:
            yield False, "\n".join(lines)
            lines, fence = [line], match[1]
        elif fence and match and match[1].startswith(fence) and not line.strip(" \t`~"):
            yield True, "\n".join([*lines, line])
            lines, fence = [], ""
        else:
            lines.append(line)
    yield bool(fence), "\n".join(lines)


def _drop_tags(run: str) -> str:
    run = _COMMENT.sub("", run)
    run = "\n".join(line for line in run.split("\n") if not _MODULE_LINE.match(line))
    pieces: list[str] = []
    position = 0
    for code in _INLINE_CODE.finditer(run):
        pieces += (_drop_tags_outside_code(run[position : code.start()]), code[0])
        position = code.end()
    pieces.append(_drop_tags_outside_code(run[position:]))
    return "".join(pieces)


def _drop_tags_outside_code(text: str) -> str:
    text = _OPEN_TAG.sub(_opening, text)
    return _EXPRESSION.sub(r"\1", _CLOSE_TAG.sub(_closing, text))


def _opening(tag: re.Match[str]) -> str:
    if tag["name"] == "br":
        return "\n"
    if tag["name"].lower() in _NEEDED_TAGS:
        return _NUMBER_ATTRIBUTE.sub(r'="\1"', tag[0])
    values = (match.group(match.lastindex or 0) for match in _SHOWN.finditer(tag["attributes"]))
    shown = [text.strip() for text in values if text.strip()]
    if not _stands_alone(tag):
        return " ".join(shown)
    if not shown:
        return _BORDER if tag["name"][0].isupper() else ""
    return _BORDER + "\n\n".join(shown) + _BORDER


def _closing(tag: re.Match[str]) -> str:
    name = tag[0].strip("</> \t\n")
    if name in _NEEDED_TAGS:
        return tag[0]
    if name in _LINES and tag.string[tag.end() : tag.end() + 1].strip(" \t\n"):
        return "\n"
    is_component = tag[0].strip("</> ")[:1].isupper()
    return _BORDER if is_component and _stands_alone(tag) else ""


def _stands_alone(tag: re.Match[str]) -> bool:
    """Whether a tag begins or ends its line, and so is no part of a sentence."""
    before = tag.string[: tag.start()].rpartition("\n")[2]
    after = tag.string[tag.end() :].partition("\n")[0]
    return not before.strip() or (tag[0].startswith("</") and not after.strip())

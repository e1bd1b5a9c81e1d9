"""Markdown and MDX: the text a reader of the rendered page sees, with its structure."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any, cast

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from kb.document import ParsedDocument
from kb.formats.decoding import decode
from kb.formats.link_targets import beside
from kb.formats.pages.html_text import FILE_NAME, raised
from kb.formats.pages.markdown_html import add_html, blanks_in, html_lines, whole_tables
from kb.formats.pages.mdx import drop_components, has_components
from kb.formats.tables.rendering import add_table, render_table
from kb.formats.text_builder import ParseRequest, TextBuilder, one_line

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML_MATTER = re.compile(r"\A\+\+\+[ \t]*\n(.*?)\n\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL)
_SUMMARIES = ("description", "summary", "subtitle", "excerpt", "abstract")
_SHOWN = (
    *("author", "authors", "date", "updated", "lastmod", "last_updated", "version"),
    *("tags", "categories", "category", "keywords"),
)
_HTML_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/d[dl]|/h[1-6])\b[^>]*>", re.IGNORECASE)
_HTML_RAISED = re.compile(r"<sup\b", re.IGNORECASE)
_HTML_RAISED_END = re.compile(r"</sup\b", re.IGNORECASE)
_HTML_CELL = re.compile(r"<t[dh]\b", re.IGNORECASE)
_HTML_TERM_END = re.compile(r"</dt\b", re.IGNORECASE)
_HTML_LINK = re.compile(r"""<a\b[^<>]{0,500}?\shref=(?:"([^"<>]*)"|'([^'<>]*)')""", re.IGNORECASE)
_HTML_LINK_END = re.compile(r"</a\b", re.IGNORECASE)
_HTML_NAMED = re.compile(
    r"""<(?:img|i|span|svg)\b[^<>]{0,500}?\s(?:alt|aria-label)=(?:"([^"<>]*)"|'([^'<>]*)')""",
    re.IGNORECASE,
)


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read Markdown (CommonMark with tables), or MDX, whose components leave their text."""
    builder = TextBuilder(request)
    metadata = add_markdown(builder, decode(data, stated=request.charset))
    return builder.build(
        title=metadata.get("title"), language=metadata.get("language"), metadata=metadata
    )


def add_markdown(builder: TextBuilder, source: str) -> dict[str, str]:
    """Append Markdown to `builder`; returns what its front matter says."""
    source = source.replace("\r\n", "\n").lstrip("\ufeff")
    stated, source = _front_matter(source)
    _add_shown(builder, stated)
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    if has_components(source):
        source = drop_components(source)
        # Components indent their children; MDX has no indented code for the same reason.
        markdown.disable("code")
    _add_nodes(builder, SyntaxTreeNode(markdown.parse(source)).children)
    return _metadata(stated)


def _front_matter(source: str) -> tuple[dict[str, Any], str]:
    """What stands above the text as YAML or TOML, and the text."""
    for pattern, load in ((_FRONT_MATTER, yaml.safe_load), (_TOML_MATTER, tomllib.loads)):
        match = pattern.match(source)
        if match is None:
            continue
        try:
            loaded: object = load(match[1])
        except (yaml.YAMLError, ValueError, RecursionError):
            return {}, source
        if isinstance(loaded, dict):
            return cast("dict[str, Any]", loaded), source[match.end() :]
    return {}, source


def _add_shown(builder: TextBuilder, stated: dict[str, Any]) -> None:
    """Append what sites show of front matter beside the title; the rest steers the site."""
    fields = {key.casefold(): _said(value) for key, value in stated.items()}
    builder.add("paragraph", next((fields[key] for key in _SUMMARIES if fields.get(key)), ""))
    shown = [f"{key}: {fields[key]}" for key in _SHOWN if fields.get(key)]
    builder.add("paragraph", "\n".join(shown))
    known = {"title", "lang", "language", *_SUMMARIES, *_SHOWN}
    builder.leave_out("front matter", sum(bool(fields[key]) for key in fields if key not in known))


def _said(value: object) -> str:
    """A value as a line: lists joined, of records their names."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return _said(fields.get("name") or fields.get("title") or "")
    if isinstance(value, list):
        return ", ".join(filter(None, map(_said, cast("list[object]", value))))
    return "" if value is None else one_line(str(value))


def _metadata(stated: dict[str, Any]) -> dict[str, str]:
    wanted = ("title", "description", "author", "date", "language", "lang")
    found = {key: str(stated[key]) for key in wanted if stated.get(key)}
    if "lang" in found:
        found.setdefault("language", found.pop("lang"))
    return found


def _add_nodes(builder: TextBuilder, nodes: Sequence[SyntaxTreeNode]) -> None:
    for node in whole_tables(nodes):
        match node.type:
            case "heading":
                builder.add("heading", _inline(node), level=int(node.tag[1:]))
            case "paragraph":
                builder.add("paragraph", _inline(node))
            case "bullet_list" | "ordered_list":
                builder.add("list", "\n".join(_list_lines(builder, node)))
            case "fence" | "code_block":
                builder.add("code", node.content)
            case "table":
                add_table(builder, _table_rows(node), header=True)
            case "html_block":
                add_html(builder, node.content)
            case "blockquote":
                _add_nodes(builder, node.children)
            case _:
                pass  # A rule between sections has no text.


def _list_lines(builder: TextBuilder, node: SyntaxTreeNode) -> Iterator[str]:
    number = int(node.attrs.get("start", 1))
    for item in node.children:
        marker = f"{number}. " if node.type == "ordered_list" else "- "
        number += 1
        indent = " " * len(marker)
        for index, line in enumerate(_item_lines(builder, item)):
            yield (indent if index else marker) + line


def _item_lines(builder: TextBuilder, item: SyntaxTreeNode) -> Iterator[str]:
    for child in item.children:
        if child.type in ("bullet_list", "ordered_list"):
            yield from _list_lines(builder, child)
        elif child.type in ("fence", "code_block"):
            yield from child.content.rstrip("\n").split("\n")
        elif child.type == "table":
            yield from render_table(_table_rows(child), header=True).text.split("\n")
        elif child.type == "html_block":
            yield from html_lines(builder, child.content)
        elif child.type == "blockquote":
            yield from _item_lines(builder, child)
        elif child.children:
            yield from filter(None, _inline(child).split("\n"))


def _table_rows(table: SyntaxTreeNode) -> list[list[str]]:
    return [
        [_inline(cell) for cell in row.children]
        for section in table.children
        for row in section.children
    ]


@dataclass(slots=True)
class _Inline:
    parts: list[str] = field(default_factory=list[str])
    links: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    raised_from: int | None = None
    blanks: frozenset[str] = frozenset()
    """Tags that are none: `<your-name>` stands for what the reader puts there."""

    def add(self, token: Token) -> None:
        match token.type:
            case "text" | "code_inline":
                self.parts.append(token.content)
            case "softbreak":
                self.parts.append(" ")
            case "hardbreak":
                self.parts.append("\n")
            case "image":
                self.parts.append(token.content)
            case "html_inline":
                self.parts.append(self._between(token.content) or self._sign(token.content))
                self._raise(token.content)
                self._follow(token.content)
            case "link_open":
                self.links.append((str(token.attrs.get("href", "")), len(self.parts)))
            case "link_close":
                self._close_link()
            case _:
                pass  # Emphasis is not heard and not searched for.

    def _between(self, tag: str) -> str:
        """What a tag inside a sentence puts between the words before and behind it."""
        if _HTML_BREAK.match(tag):
            return "\n"
        if _HTML_TERM_END.match(tag):
            return ": "
        shown = next(filter(None, reversed(self.parts)), "\n")
        return " | " if _HTML_CELL.match(tag) and not shown[-1].isspace() else ""

    def _sign(self, tag: str) -> str:
        """What a picture within a sentence is called, or a blank for the reader to fill."""
        if tag in self.blanks:
            return tag
        named = _HTML_NAMED.match(tag)
        name = one_line(unescape(named[1] or named[2] or "")) if named else ""
        is_said = "".join(self.parts[-1:]).rstrip().endswith(name)
        return "" if is_said or FILE_NAME.fullmatch(name) else name

    def _raise(self, tag: str) -> None:
        if _HTML_RAISED.match(tag):
            self.raised_from = len(self.parts)
        elif _HTML_RAISED_END.match(tag) and self.raised_from is not None:
            ahead = "".join(self.parts[: self.raised_from][-2:])
            digits = "".join(self.parts[self.raised_from :])
            self.parts[self.raised_from :] = [raised(digits, ahead)]
            self.raised_from = None

    def _follow(self, tag: str) -> None:
        """A link that is written as HTML leads somewhere as well."""
        linked = _HTML_LINK.match(tag)
        if linked:
            self.links.append((unescape(linked[1] or linked[2] or ""), len(self.parts)))
        elif self.links and _HTML_LINK_END.match(tag):
            self._close_link()

    def _close_link(self) -> None:
        target, first = self.links.pop()
        shown = "".join(self.parts[first:])
        self.parts.append(beside(shown, target))


def _inline(node: SyntaxTreeNode) -> str:
    """Text of a heading, paragraph or cell; the target of an absolute link follows its text."""
    rendered = _Inline()
    for child in node.children:
        rendered.blanks = blanks_in(child.content)
        for token in (child.token and child.token.children) or ():
            rendered.add(token)
    return "".join(rendered.parts).strip()

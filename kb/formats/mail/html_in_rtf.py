r"""HTML that Outlook keeps inside of RTF (`\fromhtml`), as MS-OXRTFEX describes it."""

import codecs
import re
from dataclasses import dataclass, replace

_TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<byte>[0-9a-fA-F]{2})"
    rb"|\\(?P<sign>[^a-zA-Z])|(?P<brace>[{}])|[\r\n]+|(?P<text>[^\\{}\r\n]+)"
)
_IS_HTML = re.compile(rb"\\fromhtml1?(?![0-9])")
_HEAD_BYTES = 1000
_FONT = re.compile(rb"\{\\f(\d{1,5})\b[^{}]{0,200}?\\fcharset(\d{1,3})")
_CODE_PAGE = re.compile(rb"\\ansicpg(\d{1,5})")
_CHARSETS = {
    **{0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5"},
    **{161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256"},
    **{186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250"},
}
_SIGNS = {
    **{b"par": "\n", b"line": "\n", b"tab": "\t", b"lquote": "\u2018", b"rquote": "\u2019"},
    **{b"ldblquote": "\u201c", b"rdblquote": "\u201d", b"bullet": "\u2022"},
    **{b"endash": "\u2013", b"emdash": "\u2014"},
}
_LISTS = frozenset({b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object"})


@dataclass(frozen=True, slots=True)
class _Group:
    is_dropped: bool = False
    is_rtf_only: bool = False
    charset: str = ""
    fallback: int = 1
    """Characters behind `\\u` that stand for it in older programs."""


def html_in(rtf: bytes) -> str:
    """The HTML that was put into this RTF; empty where none was."""
    if not _IS_HTML.search(rtf[:_HEAD_BYTES]):
        return ""
    return _Unpacking(rtf).run()


class _Unpacking:
    def __init__(self, rtf: bytes) -> None:
        self._rtf = rtf
        page = _CODE_PAGE.search(rtf[:_HEAD_BYTES])
        self._usual = _known(f"cp{int(page[1])}") if page else "cp1252"
        self._fonts = {int(number): int(kind) for number, kind in _FONT.findall(rtf)}
        self._kept: list[str] = []
        self._bytes = bytearray()
        self._outer: list[_Group] = []
        self._group: _Group = _Group(charset=self._usual)
        self._owed = 0

    def run(self) -> str:
        for token in _TOKEN.finditer(self._rtf):
            if token["brace"] is not None:
                self._flush()
                self._step(token["brace"])
            elif token["word"] is not None:
                self._flush()
                number = token["number"]
                self._control(token["word"], None if number is None else int(number))
            elif token["byte"] is not None:
                self._add_bytes(bytes([int(token["byte"], 16)]))
            elif token["sign"] is not None:
                self._sign(token["sign"])
            elif token["text"] is not None:
                self._add_bytes(token["text"])
        self._flush()
        # Characters beyond the first 65,536 are written as two halves.
        halves = "".join(self._kept).encode("utf-16-le", "surrogatepass")
        return halves.decode("utf-16-le", "replace")

    def _step(self, brace: bytes) -> None:
        self._owed = 0
        if brace == b"{":
            self._outer.append(self._group)
        elif self._outer:
            self._group = self._outer.pop()

    def _control(self, word: bytes, number: int | None) -> None:
        group = self._group
        if word == b"htmlrtf":
            self._group = replace(group, is_rtf_only=number != 0)
        elif word == b"htmltag":
            self._group = replace(group, is_dropped=False)
        elif word in _LISTS:
            self._group = replace(group, is_dropped=True)
        elif word == b"uc":
            self._group = replace(group, fallback=number or 0)
        elif word == b"f" and number in self._fonts:
            kind = _CHARSETS.get(self._fonts[number], self._usual)
            self._group = replace(group, charset=kind)
        elif word in (b"plain", b"pard"):
            self._group = replace(group, charset=self._usual)
        elif word == b"u" and number is not None:
            self._keep(chr(number % 0x10000))
            self._owed = group.fallback
        elif word in _SIGNS:
            self._keep(_SIGNS[word])

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            # What follows is for programs that know it; `htmltag` is.
            self._group = replace(self._group, is_dropped=True)
        elif sign in (b"{", b"}", b"\\"):
            self._add_bytes(sign)
        elif sign in b"~_\n\r":
            self._flush()
            self._keep({b"~": "\N{NO-BREAK SPACE}", b"_": "-"}.get(sign, "\n"))

    def _add_bytes(self, more: bytes) -> None:
        skipped = min(self._owed, len(more))
        self._owed -= skipped
        if not self._is_silent():
            self._bytes += more[skipped:]

    def _flush(self) -> None:
        """Characters of several bytes are read when all of them are there."""
        if self._bytes:
            self._kept.append(self._bytes.decode(self._group.charset, "replace"))
            self._bytes.clear()

    def _keep(self, text: str) -> None:
        if not self._is_silent():
            self._kept.append(text)

    def _is_silent(self) -> bool:
        return self._group.is_dropped or self._group.is_rtf_only


def _known(code_page: str) -> str:
    if code_page == "cp65001":
        return "utf-8"
    try:
        codecs.lookup(code_page)
    except LookupError:
        return "cp1252"
    return code_page

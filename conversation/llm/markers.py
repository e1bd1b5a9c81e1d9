"""Marks that models put around what is not for the user, by family of models. Pure.

A server without a parser for its model's own format lets them through as text. Each opens a stretch
that another one closes, or stands alone.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["thought", "call", "bare", "header", "close", "wrap", "text"]

_THOUGHTS = (
    *("think", "thinking", "thought", "thoughts", "reasoning"),
    *("reflection", "scratchpad", "inner_monologue", "inner_thoughts", "chain_of_thought"),
    *("analysis", "antthinking"),
)
_CALLS = (
    *("tool_call", "tool_calls", "function_call", "function_calls", "invoke"),
    *("toolcall", "tool_use", "tools"),
)
_WRAPPERS = ("answer", "final_answer", "response", "output", "s")
_TURNS = ("start_of_turn", "end_of_turn", "bos", "eos")
"""Control tokens in the form of tags."""
_NAMES = (*_THOUGHTS, *_CALLS, *_WRAPPERS, *_TURNS)
_SAME_NAMES = {
    **dict.fromkeys(("think", "thinking"), "think(?:ing)?"),
    **dict.fromkeys(("thought", "thoughts"), "thoughts?"),
}
"""What a model may close under the other name."""
_MAX_ATTRIBUTES = 200
_MAX_SPACE = 8
_LONGEST_MARK = _MAX_ATTRIBUTES + 48
LONGEST_CLOSING = 64
_ATTRIBUTES = rf"\s[^<>\[{{`\u25c1]{{0,{_MAX_ATTRIBUTES}}}"
"""Without what may begin another mark."""
_TAG = (
    rf"<(?P<slash>/?)\s{{0,4}}(?P<space>[a-z]{{1,8}}:)?(?P<tag>{'|'.join(_NAMES)})"
    rf"(?:{_ATTRIBUTES}?)?\s{{0,4}}(?P<empty>/?)>"
)
_BAR = "[|\uff5c]"
_TOKEN = rf"<{_BAR}(?P<end>/?)(?P<token>[a-z][a-z0-9_\u2581]{{0,39}}){_BAR}>"
_FENCED = r"```[ \t]{0,4}(?P<fence>tool_code|tool_calls?|function_calls?)[ \t]{0,4}(?=\n)"
_MARK = re.compile(
    rf"{_TAG}|{_TOKEN}|{_FENCED}"
    r"|<function=(?P<function>[\w.:-]{1,64})>"
    r"|\[(?P<bracket>TOOL_CALLS|/?THINK)\]"
    "|\u25c1(?P<triangle>/?)think\u25b7"
    r"|\n(?P<bare>[ \t]{0,4}\{\s{0,8}\"(?:name|function|type)\"\s{0,4}:)",
    re.IGNORECASE,
)
_BEGUN_TAG = re.compile(r"</?\s{0,4}(?:[a-z]{1,8}:)?([a-z_]{0,16})", re.IGNORECASE)
_BEGUN_BARE = re.compile(
    r"\n[ \t]{0,4}(?:\{\s{0,8}(?:\"(?:n|na|nam|f|fu|fun|func|funct|functi|functio|t|ty|typ"
    r"|(?:name|function|type)(?:\"\s{0,4})?)?)?)?\Z",
    re.IGNORECASE,
)
_BEGUN_TOKEN = re.compile(rf"<(?:{_BAR}/?(?:[a-z][a-z0-9_\u2581]{{0,39}}{_BAR}?)?)?", re.IGNORECASE)
_BEGUN_ATTRIBUTES = re.compile(rf"{_ATTRIBUTES}/?")
_BEGUN_FUNCTION = re.compile(r"<function=[\w.:-]{0,64}", re.IGNORECASE)
_BEGUN_FENCE = re.compile(r"`{1,2}|```[ \t]{0,4}([a-z_]{0,16})[ \t]{0,4}", re.IGNORECASE)
_FENCE_START = re.compile(r"(?:^|\n)[ \t]{0,3}(`[^\n]{0,40})\Z")
_SPELLED = ("[tool_calls]", "[think]", "[/think]", "\u25c1think\u25b7", "\u25c1/think\u25b7")
_FENCES = ("tool_code", "tool_calls", "function_calls")

MAY_BEGIN = re.compile("[<\\[`\\n\u25c1]")
"""The first sign of every mark."""
_ENDS_MESSAGE = re.compile(
    r"<\|(?:end|call|return|im_end|eot_id|eom_id)\|>|<end_of_turn>"
    r"|(?=<\|(?:start|channel|im_start)\|>|<start_of_turn>)"
)
_HEADERS = {
    "channel": re.compile(r"<\|message\|>"),
    "start": re.compile(r"<\|message\|>"),
    "im_start": re.compile(r"\n"),
    "start_of_turn": re.compile(r"\n"),
    "start_header_id": re.compile(r"<\|end_header_id\|>\n{0,2}"),
}
_BEGINS_THOUGHT = re.compile(r"(?:start|begin)_\w*(?:think|thought|reason)\w*|think|thinking")
_ENDS_THOUGHT = re.compile(r"<\|(?:end_\w+|\w+_end|/\w+)\|>", re.IGNORECASE)
_BEGINS_CALL = re.compile(r"python_tag|tool_calls?\w*|start_action|action_start")


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark in a text."""

    kind: Kind
    written: str
    start: int
    end: int
    """[start, end) in the text."""
    name: str = ""
    """Of a tag or token."""
    closes: re.Pattern[str] | None = None
    """What ends the stretch that it opens; None for the end of the text."""
    again: re.Pattern[str] | None = None
    """The same mark inside of its own stretch."""
    head: str = ""
    """What of the mark says which tool is called."""

    @property
    def is_thought(self) -> bool:
        """Whether it is a tag around reasoning."""
        return self.name in _THOUGHTS


def next_mark(text: str) -> Mark | None:
    """The first whole mark in `text`."""
    found = _MARK.search(text)
    if found is None:
        return None
    kind, name, closes, again = _meaning(found)
    written = found.group()
    head = written if found["function"] or (kind == "call" and "name=" in written) else ""
    return Mark(kind, written, found.start(), found.end(), name, closes, again, head)


_Meaning = tuple[Kind, str, re.Pattern[str] | None, re.Pattern[str] | None]


def _meaning(found: re.Match[str]) -> _Meaning:
    if found["tag"]:
        return _of_tag(found)
    if found["end"]:
        return "close", "", None, None
    if found["bare"]:
        return "bare", "", None, None
    if found["token"]:
        return _of_token(found["token"].casefold().replace("\u2581", "_"))
    if found["function"]:
        return "call", "", re.compile(r"</function>", re.IGNORECASE), None
    if found["fence"]:
        return "call", "", re.compile(r"\n[ \t]{0,4}```[ \t]{0,4}(?=\n)"), None
    if found["bracket"] and found["bracket"].isupper():
        is_call = found["bracket"] == "TOOL_CALLS"
        kind: Kind = "call" if is_call else "close" if found["bracket"][0] == "/" else "thought"
        return kind, "", None if is_call else re.compile(r"\[/THINK\]"), None
    if found["triangle"] is not None:
        return (
            "close" if found["triangle"] else "thought",
            "",
            re.compile("\u25c1/think\u25b7"),
            None,
        )
    return "text", "", None, None


def _of_tag(found: re.Match[str]) -> _Meaning:
    name = found["tag"].casefold()
    if name in _WRAPPERS:
        return "wrap", found["slash"] + name, None, None
    if name in _TURNS:
        is_header = name == "start_of_turn"
        return "header" if is_header else "close", name, _HEADERS.get(name), None
    kind: Kind = "thought" if name in _THOUGHTS else "call"
    if found["slash"]:
        return "close", name, None, None
    if found["empty"]:
        return "close", "", None, None
    return kind, name, closing_tag(name), _opening_tag(name)


def closing_tag(name: str) -> re.Pattern[str]:
    """What closes the tag of this name."""
    names = _SAME_NAMES.get(name, name)
    return re.compile(rf"</\s{{0,4}}(?:[a-z]{{1,8}}:)?{names}\s{{0,4}}>", re.IGNORECASE)


def _opening_tag(name: str) -> re.Pattern[str]:
    return re.compile(rf"<\s{{0,4}}(?:[a-z]{{1,8}}:)?{name}(?:{_ATTRIBUTES})?>", re.IGNORECASE)


def _of_token(token: str) -> _Meaning:
    if token in _HEADERS:
        return "header", token, _HEADERS[token], None
    if token.startswith("end_") or token.endswith("_end"):
        return "close", "", None, None
    if _BEGINS_THOUGHT.fullmatch(token):
        return "thought", "", _ENDS_THOUGHT, None
    if _BEGINS_CALL.fullmatch(token):
        ends = token.replace("_begin", "_end").replace("_start", "_end").replace("start_", "end_")
        spelled = ends.replace("_", "[_\u2581]")
        usual = (
            ""
            if ends != token
            else r"|<\|/tool_calls?\|>|<\|(?:eom_id|eot_id|im_end|end|end_of_text)\|>"
        )
        return "call", "", re.compile(rf"<{_BAR}{spelled}{_BAR}>{usual}", re.IGNORECASE), None
    return "close", "", None, None


def after_header(header: str) -> Mark | None:
    """What the head of a message opens; None for what is said to the user.

    Args:
        header: From its first mark to where its message begins, e.g. `assistant<|channel|>final`.
    """
    role, _, channel = header.partition("<|channel|>")
    named = (word[3:].partition("<|")[0] for word in header.split() if word.startswith("to="))
    tool = next(named, "")
    if tool and tool != "assistant":
        return Mark("call", "", 0, 0, "", _ENDS_MESSAGE, head=f"<function={tool}>")
    author, words = role.split(), channel.split()
    is_own = not author or author[0] in ("assistant", "model")
    if is_own and (not words or words[0] in ("final", "commentary")):
        return None
    return Mark("thought", "", 0, 0, "", _ENDS_MESSAGE)


def begun_mark(text: str, *, after: str) -> int:
    """Where a mark begins that may go on in the next piece; the end when there is none.

    Args:
        text: What came last.
        after: The end of what stands before it.
    """
    tail = max(0, len(text) - _LONGEST_MARK)
    starts = [start for sign in "<[\u25c1" if (start := text.rfind(sign, tail)) >= 0]
    fence = _FENCE_START.search((after + text)[-_LONGEST_MARK:])
    if fence is not None and len(fence[1]) <= len(text):
        starts.append(len(text) - len(fence[1]))
    if bare := _BEGUN_BARE.search(text, tail):
        starts.append(bare.start())
    return min((at for at in starts if _may_go_on(text[at:])), default=len(text))


def _may_go_on(text: str) -> bool:
    low = text.casefold()
    if text[0] == "\n":
        return True
    if text[0] == "`":
        begun = _BEGUN_FENCE.fullmatch(low)
        return begun is not None and any(each.startswith(begun[1] or "") for each in _FENCES)
    if text[0] != "<":
        return any(each.startswith(low) for each in _SPELLED)
    if _BEGUN_TOKEN.fullmatch(text) or _BEGUN_FUNCTION.fullmatch(text):
        return True
    if "function=".startswith(low[1:]):
        return True
    begun = _BEGUN_TAG.match(low)
    if begun is None or ">" in low:
        return False
    rest = low[begun.end() :]
    if rest.isspace():
        return begun[1] in _NAMES
    if not rest:
        # A short word may be a name space: `<seed:think>`.
        is_space = len(begun[1]) <= _MAX_SPACE
        return is_space or any(name.startswith(begun[1]) for name in _NAMES)
    return begun[1] in _NAMES and bool(rest.strip() == "/" or _BEGUN_ATTRIBUTES.fullmatch(rest))

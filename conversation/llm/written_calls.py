"""Calls of tools that models write as text, in the forms of their families. Pure.

JSON, `name{...}`, tags with parameters, and calls in the syntax of Python are read. What is none of
these asks for nothing.
"""

import ast
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

from conversation.llm.chat_model import RequestedTool

_MAX_PYTHON_CHARS = 4_000
_KEYS = frozenset({"name", "arguments", "parameters", "type", "function", "id"})
_HEAD = re.compile(
    r"\s*<(?:function=|[\w:]{1,24}\s[^<>]{0,120}?name=)[\"']?(?P<name>[\w.:-]{1,64})[\"']?[^<>]{0,80}>",
    re.IGNORECASE,
)
_END_OF_PARAMETER = "</parameter>"
_PARAMETER = re.compile(
    r"<parameter(?:=|\s+name=)[\"']?(?P<name>[\w.-]{1,64})[\"']?\s{0,4}>\n?(?P<value>.*?)\n?</parameter>",
    re.DOTALL,
)
_TOKEN = re.compile("<[|\uff5c][^<>]{1,48}[|\uff5c]>|\\[(?:TOOL_CALLS|ARGS)\\]")
_ENDS = re.compile("(?:\\s|<[|\uff5c][^<>]{1,48}[|\uff5c]>|</s>|<end_of_turn>|<eos>){1,20}\\Z")
_FENCED = re.compile(r"```(?:json)?\s{0,8}(?P<inside>[^`]*)```", re.IGNORECASE)
_PAIR = re.compile(
    r"<arg_key>(?P<name>[^<>]{1,64})</arg_key>\s{0,8}<arg_value>(?P<value>.*?)</arg_value>",
    re.DOTALL,
)
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,63}")
_NAMED = re.compile(
    r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{0,63})(?::\d{1,3})?\s{0,8}(?:```(?:json)?\s{0,8})?(?=\{)"
)


def requested_in_text(calls: Sequence[str]) -> tuple[RequestedTool, ...]:
    """Calls of tools that were written in the text, in order."""
    return tuple(request for written in calls for request in _requests(written))


def whole_call(text: str) -> str | None:
    """The calls that `text` is; None where it is anything else.

    That is a JSON object that calls a tool, or a list of such or of Python's calls, also within a
    fence or before the marks that end an answer.
    """
    bare = _ENDS.sub("", text).strip().removeprefix("functools")
    fenced = _FENCED.fullmatch(bare)
    bare = fenced["inside"].strip() if fenced else bare
    found = _json(bare)
    if found is None:
        is_list = bare.startswith("[") and bare.endswith("]")
        return bare if is_list and _of_python(bare) else None
    each = cast(list[object], found) if isinstance(found, list) else [found]
    return bare if each and all(_is_call(one) for one in each) else None


def _is_call(found: object) -> bool:
    if not isinstance(found, dict):
        return False
    call = cast(dict[str, Any], found)
    inner: object = call.get("function")
    given = cast(dict[str, Any], inner) if isinstance(inner, dict) else call
    has_arguments = "arguments" in given or "parameters" in given
    return has_arguments and {*call, *given} <= _KEYS and any(_of_json(call))


def _requests(written: str) -> Iterator[RequestedTool]:
    heads = list(_heads(written))
    if heads:
        for name, body in heads:
            yield RequestedTool(name, _arguments(body))
        return
    found = _json(written) or _json(_TOKEN.sub(" ", written))
    if found is not None:
        yield from _of_json(found)
        return
    if "<arg_value>" in written or _NAME.fullmatch(written.strip()):
        name = written.partition("<arg_key>")[0].strip()
        values = {each["name"].strip(): _value(each["value"]) for each in _PAIR.finditer(written)}
        if _NAME.fullmatch(name):
            yield RequestedTool(name, json.dumps(values))
        return
    yield from _named(_TOKEN.sub("\n", written)) or _of_python(written)


def _heads(written: str) -> Iterator[tuple[str, str]]:
    """Each tag that names a tool, with what stands up to the next one."""
    found = [
        head
        for head in _HEAD.finditer(written)
        if not head.group().lstrip().casefold().startswith("<parameter")
    ]
    ends = [*(head.start() for head in found[1:]), len(written)]
    for head, end in zip(found, ends, strict=False):
        yield head["name"], written[head.end() : end]


def _arguments(body: str) -> str:
    closed = body[: body.rfind(_END_OF_PARAMETER) + len(_END_OF_PARAMETER)]
    values = {each["name"]: _value(each["value"]) for each in _PARAMETER.finditer(closed)}
    if values:
        return json.dumps(values)
    text = re.sub(r"</[\w:]{1,24}>\s*$", "", body.strip()).strip()
    found = _json(text)
    if isinstance(found, dict) and {*cast(dict[str, Any], found)} <= {"arguments", "name"}:
        return json.dumps(cast(dict[str, Any], found).get("arguments", found))
    return text or "{}"


def _value(text: str) -> object:
    """A list, object, number or truth value as what it is; all else is text."""
    found = _json(text)
    return text if found is None or isinstance(found, str) else found


def _json(text: str) -> object:
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError):
        return None


def _of_json(found: object) -> Iterator[RequestedTool]:
    if isinstance(found, list):
        for each in cast(list[object], found):
            if isinstance(each, dict):
                yield from _of_json(cast(object, each))
        return
    call = cast(dict[str, Any], found if isinstance(found, dict) else {})
    inner: object = call.get("function")
    if isinstance(inner, dict):
        call = cast(dict[str, Any], inner)
    given = call.get("arguments", call.get("parameters", {}))
    name = call.get("name", inner)
    if isinstance(name, str) and name:
        yield RequestedTool(name, given if isinstance(given, str) else json.dumps(given))


def _named(text: str) -> list[RequestedTool]:
    """Names with an object behind each."""
    decoder, at, found = json.JSONDecoder(), 0, list[RequestedTool]()
    while (named := _NAMED.search(text, at)) is not None:
        try:
            _, end = decoder.raw_decode(text, named.end())
        except (ValueError, RecursionError):
            return found
        found.append(RequestedTool(named["name"], text[named.end() : end]))
        at = end
    return found


def _of_python(written: str) -> list[RequestedTool]:
    """`x(a=1)`, also several in a list, and `x.call(a=1)`."""
    text = _TOKEN.sub("", written).strip()
    if len(text) > _MAX_PYTHON_CHARS:
        return []
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: list[RequestedTool] = []
    for statement in tree.body:
        value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        for node in value.elts if isinstance(value, ast.List | ast.Tuple) else [value]:
            found += _of_call(node)
    return found


def _of_call(node: ast.expr | None) -> list[RequestedTool]:
    if not isinstance(node, ast.Call):
        return []
    name = ast.unparse(node.func)
    if name == "print" and len(node.args) == 1:
        return _of_call(node.args[0])
    try:
        given = {each.arg: ast.literal_eval(each.value) for each in node.keywords if each.arg}
        arguments = json.dumps(given, allow_nan=False)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return []
    # Without a name, nobody knows which parameter a value is for.
    return [] if node.args else [RequestedTool(name.removesuffix(".call"), arguments)]

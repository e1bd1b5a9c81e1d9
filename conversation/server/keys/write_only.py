"""What of an agent or a tool only keys that may write it are shown. Pure.

Headers, addresses and constants of requests are where tokens are written, in the shape of the
protocol and in that of agent files. By rule, whatever is
written there as it is can be set and not read, unless it can be no secret by what it is for: what
is named (`{{secret__CRM}}`, `{"secret_id": ...}`, a variable) and what describes the content stays
visible. Sent back unchanged, what was hidden stays what it is.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast
from urllib.parse import unquote

from conversation.server.errors import ApiError
from conversation.tools.written_secrets import describes_content, is_plain

HIDDEN = "__hidden__"

_Kind = Literal["headers", "header", "url", "value", "names"]
_Change = Callable[[_Kind, str, object], object]
"""A text, by what it is for, and what stands in its place in what is kept."""

_HIDES_NUMBERS: tuple[_Kind, ...] = ("headers", "header", "value")
_VARIABLE = re.compile(r"\{\{[^{}]*\}\}")
_PLACEHOLDER = re.compile(rf"{_VARIABLE.pattern}|\{{[A-Za-z_]\w*\}}")
"""In an address, where parameters of the tool stand in braces."""
_SCHEME = re.compile(
    # Names that HTTP gives its ways of authentication (IANA registry), and two that are common.
    r"(?:basic|bearer|concealed|digest|dpop|gnap|hoba|mutual|negotiate|oauth|privatetoken|"
    r"scram-sha-1|scram-sha-256|vapid|token|apikey)?\s*:?",
    re.IGNORECASE,
)
_HEADERS = re.compile(r"(?:\w*_)?headers", re.IGNORECASE)
_ADDRESS = re.compile(r"\w*(?:url|uri|endpoint)", re.IGNORECASE)
_VALUE = re.compile(
    r"constants|constant_value|(?:\w*_)?(?:api_key|password|secret|token)|secret__\w+"
)
_BY_NAME = frozenset({"properties", "path_params_schema", "data_collection", "language_presets"})
"""Their keys are names that somebody chose, such as the parameter `token` of a tool."""
_NAMES = frozenset({"secret_id", "variable_name", "name", "type"})
"""Of a mapping that stands for a value: they say where it is kept."""
_ADDRESS_OF_A_MACHINE = re.compile(r"[\d.]+|\[[\da-fA-F:.]*\]")


def without_hidden(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What a key that may not write is shown of `shown`."""
    return cast(
        "dict[str, Any]", _walked(shown, None, None, lambda kind, text, _: _seen(kind, text))
    )


def with_hidden(sent: Mapping[str, Any], kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was sent, with what is kept wherever it holds what is shown in its place.

    Raises:
        ApiError: 422; there is nothing kept that it could stand for.
    """

    def restored(kind: _Kind, text: str, old: object) -> object:
        if HIDDEN not in text:
            return text
        if isinstance(old, str) and text in (HIDDEN, _seen(kind, old)):
            return old
        if _is_number(old) and kind in _HIDES_NUMBERS and text == HIDDEN:
            return old
        raise ApiError(
            422,
            "hidden_value",
            f"{HIDDEN!r} stands for a value that this server keeps and does not show. Nothing is "
            "kept here that it could stand for: write the value itself, or name a secret.",
        )

    return cast("dict[str, Any]", _walked(sent, kept, None, restored))


def _walked(value: object, old: object, kind: _Kind | None, change: _Change) -> object:
    if isinstance(value, str):
        return value if kind in (None, "names") else change(kind, value, old)
    if kind is not None and kind in _HIDES_NUMBERS and _is_number(value):
        shown = change(kind, str(value), None)
        return shown if shown == HIDDEN else value
    if isinstance(value, dict):
        before = _mapping(old)
        return {
            name: _walked(each, _named(before, name, kind), _kind_of(name, kind, each), change)
            for name, each in _mapping(cast(object, value)).items()
        }
    if isinstance(value, list):
        of_entries = "header" if kind == "headers" else kind
        return [
            _walked(each, _same(each, old), of_entries, change)
            for each in _entries(cast(object, value))
        ]
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _entries(value: object) -> Sequence[object]:
    return cast("Sequence[object]", value) if isinstance(value, list) else ()


def _kind_of(name: str, within: _Kind | None, value: object) -> _Kind | None:
    """What the texts under a name are for."""
    if within == "headers":  # whatever it is called: a header
        plain = isinstance(value, str) and describes_content(name, value)
        return None if plain else "header"
    if within == "names":
        return None
    if name in _BY_NAME:
        return "names"
    if within in ("header", "value"):
        return None if name in _NAMES else within
    if _HEADERS.fullmatch(name):
        return "headers"
    if _VALUE.fullmatch(name):
        return "value"
    return "url" if _ADDRESS.fullmatch(name) else None


def _named(before: Mapping[str, object], name: str, kind: _Kind | None) -> object:
    if name not in before and kind == "headers":
        return next((each for key, each in before.items() if key.lower() == name.lower()), None)
    return before.get(name)


def _same(entry: object, old: object) -> object:
    """The entry of a list that was there before under the same name."""
    name = _mapping(entry).get("name")
    return next((each for each in _entries(old) if _mapping(each).get("name") == name), None)


def _seen(kind: _Kind, text: str) -> str:
    if kind == "url":
        return _seen_address(text)
    literal = _VARIABLE.sub("", text).strip()
    named = literal != text.strip()
    if not literal or (named and kind in ("header", "headers") and _SCHEME.fullmatch(literal)):
        return text
    return HIDDEN


def _seen_address(url: str) -> str:
    """An address without the values of its query, its user, and parts that may be a token."""
    start, mark, rest = url.partition("://")
    if not mark:
        return url
    before, hash_mark, fragment = rest.partition("#")
    place, question, query = before.partition("?")
    host, *parts = place.split("/")
    user, at, bare = host.rpartition("@")
    machine = f"{HIDDEN}@{_seen_host(bare)}" if at and user else _seen_host(host)
    shown = "/".join([machine, *map(_seen_part, parts)])
    if question:
        shown += "?" + "&".join(map(_seen_parameter, query.split("&")))
    return f"{start}://{shown}" + (f"#{HIDDEN}" if hash_mark and fragment else hash_mark)


def _seen_host(host: str) -> str:
    """A host without names below a domain that are no words."""
    if _ADDRESS_OF_A_MACHINE.match(host):
        return host
    *below, middle, top = ["", *host.split(".")]
    shown = [each if _is_open(each) else HIDDEN for each in below if each]
    return ".".join([*shown, *([middle] if middle else []), top])


def _seen_part(part: str) -> str:
    """Part of a path: only words are sure not to be what lets its bearer in."""
    place, mark, parameters = part.partition(";")
    shown = place if _is_open(place) else HIDDEN
    return f"{shown};{HIDDEN}" if mark and parameters else shown + mark


def _is_open(text: str) -> bool:
    return text == HIDDEN or all(map(is_plain, map(unquote, _PLACEHOLDER.split(text))))


def _seen_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if not equals:  # all of it is a value
        return HIDDEN if _PLACEHOLDER.sub("", name) else name
    literal = _PLACEHOLDER.sub("", value)
    shown = name if _is_open(name) else HIDDEN
    return f"{shown}={HIDDEN if literal else value}"

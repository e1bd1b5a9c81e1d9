"""JSON that is nested as deep as nothing that this server keeps."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.server.incoming.plain_json import MAX_DEPTH, flaw_of, is_too_deep
from conversation.server.socket.frames import MAX_FRAME_CHARS, Unreadable, read_frame
from tests.growth import growth

pytestmark = pytest.mark.hostile

_VALUES = st.recursive(
    st.none() | st.text(st.sampled_from('ab"\\[]{}\u00e4'), max_size=6) | st.integers(),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3)
    ),
    max_leaves=12,
)


def depth(value: object) -> int:
    inner = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    )
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(_VALUES, st.integers(0, 3), st.booleans())
def test_depth_is_counted_as_the_parser_counts_it(value: object, less: int, as_list: bool):
    wraps = MAX_DEPTH + 1 - depth(value) - less
    opened, closed = ("[", "]") if as_list else ('{"}":', "}")
    text = opened * wraps + json.dumps(value) + closed * wraps
    assert is_too_deep(text.encode()) is (less == 0)


@pytest.mark.parametrize("text", ["[" * 101, '{"a":' * 5_000, '["\\"' + "[" * 101, '"' + "[" * 500])
def test_what_is_no_json_is_read_once_too(text: str):
    assert is_too_deep(text.encode()) is (not text.startswith('"') and '"\\"' not in text)


@pytest.mark.parametrize("piece", ["[", '"', '\\"', '["', '{"a":', "]", '"\\\\'])
def test_the_time_follows_the_length(piece: str):
    assert growth(lambda text: is_too_deep(text.encode()), piece, chars=100_000) < 6


def test_a_body_and_a_frame_are_refused_with_the_reason():
    deep = '{"type": "user_message", "text": "a", "more": ' + "[" * 200 + "]" * 200 + "}"
    assert "in each other" in (flaw_of(deep) or "")
    read = read_frame(deep)
    assert isinstance(read, Unreadable)
    for long in (f'"{"a" * MAX_FRAME_CHARS}"', "9" * MAX_FRAME_CHARS):
        nested = "[" * 120 + long + "]" * 120
        frame = f'{{"type": "client_tool_result", "tool_call_id": "a", "result": {nested}}}'
        assert read_frame(frame) == Unreadable("malformed")
    assert flaw_of(json.dumps({"a": ["[" * 1_000] * 200})) is None


_TEXTS = st.text(st.sampled_from('\0\\"u0a'), max_size=8)


@given(_TEXTS, _TEXTS, st.booleans())
def test_nul_is_found_wherever_it_stands_and_nothing_else_is(key: str, text: str, as_ascii: bool):
    written = json.dumps({key: [text]}, ensure_ascii=as_ascii)

    assert (flaw_of(written) is not None) is ("\0" in key + text)
    assert flaw_of(written.encode()) == flaw_of(written)


@pytest.mark.parametrize("piece", ["\\\\", "\\\\u0000", "u0000"])
def test_the_time_to_find_nul_follows_the_length(piece: str):
    assert growth(lambda text: flaw_of(f'"\\u0000a{text}"'), piece, chars=100_000) < 6

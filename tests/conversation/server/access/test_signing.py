from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.server.errors import BadSignatureError
from conversation.server.keys.signing import Grant, sign, signed_url, verify

SECRET = b"0" * 32
GRANT = Grant("support", expires_at_s=1_000, signature_id="s1", conversation_id="conv_1")


def test_a_signature_says_what_it_allows():
    assert verify(sign(GRANT, secret=SECRET), secret=SECRET, agent_id="support", now_s=999) == GRANT


@pytest.mark.parametrize(
    ("agent_id", "now_s", "reason"),
    [("sales", 0.0, "another agent"), ("support", 1_000.0, "expired")],
)
def test_a_signature_is_for_one_agent_and_some_time(agent_id: str, now_s: float, reason: str):
    with pytest.raises(BadSignatureError, match=reason):
        verify(sign(GRANT, secret=SECRET), secret=SECRET, agent_id=agent_id, now_s=now_s)


def test_another_secret_signs_nothing():
    with pytest.raises(BadSignatureError, match="not one of this server"):
        verify(sign(GRANT, secret=b"1" * 32), secret=SECRET, agent_id="support", now_s=0)


def test_a_later_end_cannot_be_pasted_in():
    later = sign(replace(GRANT, expires_at_s=9_999_999), secret=b"guess").partition(".")[0]
    mac = sign(GRANT, secret=SECRET).partition(".")[2]

    with pytest.raises(BadSignatureError):
        verify(f"{later}.{mac}", secret=SECRET, agent_id="support", now_s=0)


@given(signature=st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,44}"))
def test_anything_else_is_refused_and_nothing_else_happens(signature: str):
    with pytest.raises(BadSignatureError):
        verify(signature, secret=SECRET, agent_id="support", now_s=0)


@given(place=st.integers(0, 10_000), char=st.sampled_from("Ab3_"))
def test_one_changed_character_is_refused(place: int, char: str):
    good = sign(GRANT, secret=SECRET)
    place %= len(good)
    if good[place] == char:
        return
    changed = good[:place] + char + good[place + 1 :]
    try:
        # The last character of base64 has bits that mean nothing.
        assert verify(changed, secret=SECRET, agent_id="support", now_s=0) == GRANT
        assert place == len(good) - 1
    except BadSignatureError:
        pass


@pytest.mark.parametrize(
    ("base_url", "starts_with"),
    [
        ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080/v1/convai/conversation?"),
        ("https://a.example.com", "wss://a.example.com/v1/convai/conversation?"),
        ("https://a.example.com/talk/", "wss://a.example.com/talk/v1/convai/conversation?"),
    ],
)
def test_the_address_is_where_clients_reach_the_server(base_url: str, starts_with: str):
    url = signed_url(base_url, GRANT, secret=SECRET)
    query = parse_qs(urlsplit(url).query)

    assert url.startswith(starts_with)
    assert query["agent_id"] == ["support"]
    [signature] = query["conversation_signature"]
    assert verify(signature, secret=SECRET, agent_id="support", now_s=0) == GRANT
